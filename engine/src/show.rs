//! Decoded events as JSON lines, for people and tests to look at what a format made of the bytes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::event::{Attributes, Event};
use crate::format::{Attribute, Context, Dialect, Format, Reader};

#[derive(Serialize)]
pub(crate) struct EventOut<'a> {
    kind: &'static str,
    time: Option<i64>,
    duration: Option<u64>,
    own: Option<u64>,
    service: &'a str,
    operation: &'a str,
    message: &'a str,
    level: &'static str,
    failed: bool,
    trace: String,
    span: String,
    parent: String,
    attributes: BTreeMap<String, Value>,
}

#[derive(Serialize)]
struct RejectOut {
    rejected: &'static str,
    detail: String,
    offset: u64,
    length: usize,
}

/// A stream that is shown block by block.
#[derive(Debug, Default)]
pub struct Shower {
    reader: Reader,
    forced: Option<Format>,
    context: Context,
}

impl Shower {
    /// At its beginning. `received` (nanoseconds since the epoch) decides the year or the day of times that lack it.
    #[must_use]
    pub fn new(forced: Option<Format>, received: i64, dialect: Option<&Arc<Dialect>>) -> Self {
        let context = Context { received, dialect: dialect.cloned(), ..Context::default() };
        Self { reader: Reader::default(), forced, context }
    }

    /// One object for each event of a block that ends at a record boundary, and one with `rejected` for each record that
    /// could not be read.
    pub fn lines(&mut self, block: &[u8]) -> Vec<u8> {
        let Self { reader, forced, context } = self;
        let mut out = Vec::new();
        let mut events = Vec::new();
        let mut rest = block;
        loop {
            events.clear();
            let offset = reader.offset;
            let Some(record) = reader.next(rest, *forced, context, usize::MAX, &mut events) else { break };
            rest = &rest[record.bytes.len()..];
            if let Err(refusal) = record.found {
                let length = record.bytes.len();
                line(&mut out, &RejectOut { rejected: refusal.reason(), detail: refusal.to_string(), offset, length });
            }
            for event in &events {
                reader.last = event.time.or(reader.last);
                line(&mut out, &shown(event));
            }
        }
        out
    }
}

/// The same of a stream that is one block.
#[must_use]
pub fn lines(data: &[u8], forced: Option<Format>, received: i64, dialect: Option<&Arc<Dialect>>) -> Vec<u8> {
    Shower::new(forced, received, dialect).lines(data)
}

fn line<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    // Writing these shapes to memory cannot fail.
    if serde_json::to_writer(&mut *out, value).is_ok() {
        out.push(b'\n');
    }
}

/// The event as evidence: its own bytes, or, where these are not text, what they say.
#[must_use]
pub fn evidence<'a>(event: &Event<'a>) -> Cow<'a, [u8]> {
    match event.attributes {
        Attributes::OtlpProto { .. } => serde_json::to_vec(&shown(event)).map_or(Cow::Borrowed(event.raw), Cow::Owned),
        _ => Cow::Borrowed(event.raw),
    }
}

pub(crate) fn shown<'a>(event: &'a Event<'_>) -> EventOut<'a> {
    let hex = |id: u64| if id == 0 { String::new() } else { format!("{id:016x}") };
    EventOut {
        kind: event.kind.name(),
        time: event.time,
        duration: event.duration,
        own: event.own,
        service: &event.service,
        operation: &event.operation,
        message: &event.message,
        level: event.level.name(),
        failed: event.failed,
        trace: if event.trace == [0; 16] {
            String::new()
        } else {
            format!("{:032x}", u128::from_be_bytes(event.trace))
        },
        span: hex(event.span),
        parent: hex(event.parent),
        attributes: event.attributes.iter().map(|(key, value)| (key.into_owned(), value_of(value))).collect(),
    }
}

fn value_of(attribute: Attribute<'_>) -> Value {
    match attribute {
        Attribute::Null => Value::Null,
        Attribute::Bool(value) => value.into(),
        Attribute::Int(value) => value.into(),
        Attribute::Float(value) => value.into(),
        Attribute::Text(text) => text.into(),
        // The decoder has read it as JSON once: if that is ever not so, its text still stands.
        Attribute::Json(text) => serde_json::from_str(&text).unwrap_or_else(|_| text.into()),
    }
}
