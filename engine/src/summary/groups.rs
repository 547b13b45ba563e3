//! Messages by template: the shapes of one service's log messages, and of its failures', joined where only variables tell
//! them apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::Kind;
use crate::state::State;
use crate::state::origins::Origins;
use crate::state::series::Key;
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
        // A step may be a message that is written on the way.
        let kind = if key.kind == Kind::Step { Kind::Log } else { key.kind };
        let key = if key.kind == Kind::Log { Key { within: "", ..key } } else { key };
        let Some(known) = self.messages.get(&(key.service, kind)) else { return key };
        let Ok(at) = known.shapes.binary_search(&key.operation) else { return key };
        Key { operation: known.grouping.template(known.grouping.group(at)), ..key }
    }
}
