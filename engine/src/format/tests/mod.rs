//! What the decoders must hold to, one file a subject.

mod grammar;
mod json;
mod otlp;
mod records;
mod text;
mod time;

use super::{Context, Format, Memory, Reject, decode};
use crate::event::Event;

/// 2026-11-24 23:42:01 UTC.
const NOW: i64 = 1_795_563_721_000_000_000;

const CONTEXT: Context = Context { last_time: None, received: NOW };

fn decoded(format: Format, record: &[u8]) -> Result<Vec<Event<'_>>, Reject> {
    let mut events = Vec::new();
    decode(format, record, &CONTEXT, &mut Memory::default(), &mut events).map(|_| events)
}

/// The only event of a record.
fn one(format: Format, record: &str) -> Event<'_> {
    match decoded(format, record.as_bytes()).as_deref() {
        Ok([event]) => event.clone(),
        other => panic!("{other:?} of {record}"),
    }
}

/// The attributes of an event, as JSON.
fn attributes(event: &Event<'_>) -> Vec<(String, String)> {
    let json = |value: super::Attribute<'_>| {
        let mut out = String::new();
        value.write_json(&mut out);
        out
    };
    event.attributes.iter().map(|(key, value)| (key.into_owned(), json(value))).collect()
}
