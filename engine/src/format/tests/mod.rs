//! What the decoders must hold to, one file a subject.

mod chrome;
mod dialect;
mod ftrace;
mod grammar;
mod json;
mod loggers;
mod lttng;
mod multiline;
mod otlp;
mod otlp_proto;
mod perf;
mod programs;
mod records;
mod requests;
mod samples;
mod separated;
mod spans;
mod strace;
mod strangers;
mod table;
mod text;
mod time;

use super::{Context, Format, Found, Memory, Reader, Reject, decode};
use crate::event::Event;

/// 2026-11-24 23:42:01 UTC.
const NOW: i64 = 1_795_563_721_000_000_000;

const CONTEXT: Context = Context { last_time: None, received: NOW, order: None, dialect: None };

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

/// The events of a stream of which every record can be read; the same if its reader is kept and restored after each record.
fn stream(data: &str) -> Vec<Event<'_>> {
    let read = |keep: bool| {
        let (mut reader, mut all, mut events) = (Reader::default(), Vec::new(), Vec::new());
        let mut context = CONTEXT;
        let mut rest = data.as_bytes();
        while let Some(record) = reader.next(rest, None, &mut context, usize::MAX, &mut events) {
            assert!(record.found.is_ok(), "{:?} of {}", record.found, String::from_utf8_lossy(record.bytes));
            assert!(record.found != Ok(Found::Continuation) || events.is_empty());
            rest = &rest[record.bytes.len()..];
            if keep {
                reader = postcard::from_bytes(&postcard::to_allocvec(&reader).unwrap()).unwrap();
            }
            for event in events.drain(..) {
                reader.last = event.time.or(reader.last);
                all.push(event);
            }
        }
        all
    };
    let events = read(false);
    assert_eq!(read(true), events);
    events
}

/// Of each event its service, operation and message.
fn told<'e>(events: &'e [Event<'_>]) -> Vec<(&'e str, &'e str, &'e str)> {
    events.iter().map(|event| (&*event.service, &*event.operation, &*event.message)).collect()
}
