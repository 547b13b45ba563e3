//! Log messages by template: the shapes of one service's messages, joined where only variables tell them apart.

use std::collections::BTreeMap;

use crate::event::Kind;
use crate::state::State;
use crate::templates::Grouping;

/// The template of every shape, by service.
#[derive(Debug, Default)]
pub struct Groups<'a> {
    services: BTreeMap<&'a str, Service<'a>>,
}

#[derive(Debug)]
struct Service<'a> {
    shapes: Vec<&'a str>,
    grouping: Grouping,
}

impl<'a> Groups<'a> {
    /// Group the messages of a state: a function of the shapes alone.
    #[must_use]
    pub fn of(state: &'a State) -> Self {
        let mut shapes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (_, key, _) in state.table.iter().filter(|entry| entry.1.kind == Kind::Log) {
            shapes.entry(key.service).or_default().push(key.operation);
        }
        let group = |mut shapes: Vec<&'a str>| {
            shapes.sort_unstable();
            let grouping = Grouping::of(&shapes);
            Service { shapes, grouping }
        };
        Self { services: shapes.into_iter().map(|(service, shapes)| (service, group(shapes))).collect() }
    }

    /// The template of a shape; the shape itself if it is not known.
    #[must_use]
    pub fn template<'t>(&'t self, service: &str, shape: &'t str) -> &'t str {
        let Some(known) = self.services.get(service) else { return shape };
        known.shapes.binary_search(&shape).map_or(shape, |at| known.grouping.template(known.grouping.group(at)))
    }
}
