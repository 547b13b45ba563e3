//! Messages by template: the shapes of one service's log messages, and of its failures', joined where only variables tell
//! them apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::Kind;
use crate::state::State;
use crate::state::order::{Order, Row};
use crate::state::origins::Origins;
use crate::state::series::{Key, Table};
use crate::templates::Grouping;

/// The template of every shape, by service.
#[derive(Debug)]
pub struct Groups<'a> {
    /// Where events have come from.
    pub origins: &'a Origins,
    messages: BTreeMap<(&'a str, Kind), Messages<'a>>,
}

#[derive(Debug)]
struct Messages<'a> {
    shapes: Vec<&'a str>,
    grouping: Arc<Grouping>,
}

impl<'a> Groups<'a> {
    /// Group the messages of a state: a function of the shapes alone.
    #[must_use]
    pub fn of(state: &'a State) -> Self {
        let mut shapes: BTreeMap<(&str, Kind), Vec<&str>> = BTreeMap::new();
        for (_, key, _) in state.table.iter().filter(|entry| matches!(entry.1.kind, Kind::Log | Kind::Failure)) {
            shapes.entry((key.service, key.kind)).or_default().push(key.operation);
        }
        for shapes in shapes.values_mut() {
            shapes.sort_unstable();
            shapes.dedup();
        }
        let sets: Vec<&[&str]> = shapes.values().map(Vec::as_slice).collect();
        let groupings = state.groupings.of(&sets);
        let messages = shapes.into_iter().zip(groupings);
        Self {
            origins: &state.origins,
            messages: messages.map(|((whose, shapes), grouping)| (whose, Messages { shapes, grouping })).collect(),
        }
    }

    /// The key with the template of its message, whatever the level; as it is, if it has none.
    #[must_use]
    pub fn template<'t>(&'t self, key: Key<&'t str>) -> Key<&'t str> {
        Row::called(self.place(key), key)
    }

    /// Where the template of a message stands.
    fn place<'t>(&'t self, key: Key<&'t str>) -> Option<(&'t Arc<Grouping>, u32)> {
        // A step may be a message that is written on the way.
        let kind = if key.kind == Kind::Step { Kind::Log } else { key.kind };
        let known = self.messages.get(&(key.service, kind))?;
        let at = known.shapes.binary_search(&key.operation).ok()?;
        Some((&known.grouping, known.grouping.group(at)))
    }

    /// The order in which a table's series are read.
    #[must_use]
    pub fn order(&self, table: &Table) -> Order {
        Order::of(table, |key| self.place(key).map(|(grouping, group)| (Arc::clone(grouping), group)))
    }
}
