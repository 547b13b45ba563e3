//! What the variables of a template held, asked for by the text of the template.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::event::Kind;
use crate::state::State;
use crate::state::series::{Key, Record};
use crate::summary::groups::Groups;
use crate::summary::words;
use crate::templates::{Samples, Variables};

/// Nanoseconds before the newest event that are recent.
const RECENT: i64 = 300_000_000_000;

/// Shapes of messages, and what is known of each.
type Shapes<'a> = Vec<(&'a str, &'a Record)>;

/// Of one service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// Who.
    pub service: String,
    /// Log record, failure, or span by role.
    pub kind: &'static str,
    /// The operation that a failure belongs to; else empty.
    pub within: String,
    /// The template.
    pub template: String,
    /// Since the beginning.
    pub ever: Variables,
    /// In the five minutes before the newest event, and up to five more.
    pub recent: Variables,
}

/// What the variables of a template held: of one service, or of each that has it, in the order of their names. Names of
/// operations that carry ids are templates too. `most` values are told of each variable.
#[must_use]
pub fn of(state: &State, template: &str, service: Option<&str>, most: usize) -> Vec<Held> {
    let groups = Groups::of(state);
    let mut found: BTreeMap<Key<&str>, Shapes<'_>> = BTreeMap::new();
    for (_, key, record) in state.table.iter() {
        if (key.kind.is_decoded() || key.kind == Kind::Failure)
            && service.is_none_or(|service| service == key.service)
            && groups.template(key).operation == template
        {
            let within = groups.template(key).within;
            found.entry(Key { operation: template, within, ..key }).or_default().push((key.operation, record));
        }
    }
    let since = state.watermark.unwrap_or(0).saturating_sub(RECENT);
    let held = |(key, shapes): (Key<&str>, Shapes<'_>)| {
        let ever = shapes.iter().map(|(shape, record)| (*shape, record.kept.samples()));
        let recent: Vec<(&str, Samples)> =
            shapes.iter().map(|(shape, record)| (*shape, record.kept.recent_samples(since))).collect();
        Held {
            service: words::whole(key.service),
            kind: key.kind.name(),
            within: words::whole(key.within),
            template: words::whole(template),
            ever: Variables::of(template, ever, most),
            recent: Variables::of(template, recent.iter().map(|(shape, samples)| (*shape, samples)), most),
        }
    };
    found.into_iter().map(held).collect()
}
