//! The fields of a log line, JSON or logfmt, as they come in: of several that say the same, the one of the lowest rank
//! counts. What they make together is an event ([`compose`](super::compose)).

use std::borrow::Cow;

use super::cursor::Cursor;
use super::dialect::{Meaning, Role};
use super::names::{self, Field, Name};
use super::value::{Text, Value};
use crate::event::{Event, SpanId, TraceId};

/// How much less a field is believed that stands in a transparent object.
const INSIDE: u8 = 10;

/// The best of the values seen for one thing, and its rank.
#[derive(Clone, Copy, Debug)]
pub(super) struct Best<'a> {
    pub(super) rank: u8,
    pub(super) field: Field,
    pub(super) value: Value<'a>,
}

impl Default for Best<'_> {
    fn default() -> Self {
        Self { rank: u8::MAX, field: Field::Sign, value: Value::Null }
    }
}

impl<'a> Best<'a> {
    fn offer(&mut self, field: Field, rank: u8, value: Value<'a>) {
        if rank < self.rank {
            *self = Self { rank, field, value };
        }
    }

    pub(super) const fn found(&self) -> bool {
        self.rank != u8::MAX
    }

    pub(super) fn str(&self) -> Cow<'a, str> {
        self.value.str().unwrap_or_default()
    }
}

/// What the fields seen so far say.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) time: Best<'a>,
    pub(super) level: Best<'a>,
    pub(super) message: Best<'a>,
    pub(super) logger: Best<'a>,
    pub(super) name: Best<'a>,
    pub(super) service: Best<'a>,
    pub(super) unit: Best<'a>,
    pub(super) trace: Best<'a>,
    pub(super) span: Best<'a>,
    pub(super) parent: Best<'a>,
    pub(super) error: Best<'a>,
    pub(super) duration: Best<'a>,
    pub(super) status: Best<'a>,
    pub(super) method: Best<'a>,
    pub(super) target: Best<'a>,
    pub(super) operation: Best<'a>,
    pub(super) action: Best<'a>,
    pub(super) start: Best<'a>,
    pub(super) end: Best<'a>,
    pub(super) nanos: Best<'a>,
    pub(super) kind: Best<'a>,
    pub(super) id: Best<'a>,
    pub(super) stream: Best<'a>,
    pub(super) batch: Best<'a>,
    /// Nanoseconds of the unit of `time` and `start`, where the source's dialect says it.
    pub(super) units: [Option<i64>; 2],
    /// The trace and the span of what these are a part of.
    pub(super) outer: Option<(TraceId, SpanId)>,
    /// Whether the dialect named one of the fields.
    pub(super) named: bool,
    /// Those of [`names`] that were seen.
    pub(super) signs: u8,
}

impl<'a> Fields<'a> {
    /// Those of a part of an event, yet to be seen.
    pub(super) fn within(outer: &Event<'_>) -> Self {
        Self { outer: Some((outer.trace, outer.span)), ..Self::default() }
    }

    /// Take note of a field; `inside` if it stands in a transparent object.
    pub(super) fn see(&mut self, name: &Name, value: Value<'a>, inside: bool) {
        let Some((field, rank)) = names::field(name) else { return };
        if field == Field::Sign {
            self.signs |= rank;
            return;
        }
        let rank = if inside { rank + INSIDE } else { rank };
        self.take(field, rank, value);
    }

    fn take(&mut self, field: Field, rank: u8, value: Value<'a>) {
        let text = matches!(value, Value::String(Text { raw }) | Value::Cell(raw) if !raw.is_empty());
        let plain = text || matches!(value, Value::Number(_));
        // A value of another type is another thing that goes by the same name.
        let slot = match field {
            Field::Time if plain => &mut self.time,
            Field::Level | Field::Syslog | Field::Otlp | Field::Python | Field::Logback if plain => &mut self.level,
            Field::Message | Field::Output if text || matches!(value, Value::Array(_)) => &mut self.message,
            Field::Logger if text => &mut self.logger,
            Field::Name if text => &mut self.name,
            Field::Service if text => &mut self.service,
            Field::Unit if text => &mut self.unit,
            Field::Trace | Field::DecimalTrace | Field::Traceparent if plain => &mut self.trace,
            Field::Span | Field::DecimalSpan if plain => &mut self.span,
            Field::Parent if plain => &mut self.parent,
            Field::Error if plain || value == Value::Bool(true) => &mut self.error,
            Field::Nanoseconds | Field::Microseconds | Field::Milliseconds | Field::Seconds | Field::Duration
                if plain =>
            {
                &mut self.duration
            }
            Field::Status if plain => &mut self.status,
            Field::Method if text => &mut self.method,
            Field::Target if text => &mut self.target,
            Field::Operation if text => &mut self.operation,
            Field::Operation => return self.resource(value),
            Field::Action if text => &mut self.action,
            Field::Start if plain => &mut self.start,
            Field::End if plain => &mut self.end,
            Field::Nanos if plain => &mut self.nanos,
            Field::Kind if plain => &mut self.kind,
            Field::Id if text => &mut self.id,
            Field::Stream if text => &mut self.stream,
            Field::Batch if matches!(value, Value::Array(_)) => &mut self.batch,
            // journald writes fields that a record has twice as an array: the first is as good as the other.
            Field::Syslog | Field::Service | Field::Unit | Field::Time => {
                if let Value::Array(raw) = value
                    && let Some(first @ Value::String(_)) = first(raw)
                {
                    self.take(field, rank, first);
                }
                return;
            }
            _ => return,
        };
        slot.offer(field, rank, value);
    }

    /// Take the service's name out of the resource of a span as Go's SDK prints it: keys and values in a row.
    fn resource(&mut self, value: Value<'a>) {
        let Value::Array(raw) = value else { return };
        let mut cursor = Cursor::new(raw);
        let mut read = || -> Option<Value<'a>> {
            cursor.enter_array().ok()?;
            while cursor.element().ok()? {
                let Ok(Value::Object(pair)) = cursor.value() else { return None };
                let mut pair = Cursor::new(pair);
                pair.enter_object().ok()?;
                let name = pair.key().ok()?.filter(|key| key.raw == b"Key").and_then(|_| pair.value().ok());
                if name.and_then(Value::plain) != Some(b"service.name") {
                    continue;
                }
                pair.key().ok()??;
                pair.enter_object().ok()?;
                while let Some(key) = pair.key().ok()? {
                    let value = pair.value().ok()?;
                    if key.raw == b"Value" {
                        return Some(value);
                    }
                }
            }
            None
        };
        if let Some(value) = read() {
            self.take(Field::Service, 0, value);
        }
    }

    /// Take note of a field that the source's dialect names: it is believed before all others.
    pub(super) fn see_as(&mut self, meaning: Meaning, value: Value<'a>) {
        if value.plain().is_none_or(<[u8]>::is_empty) {
            return;
        }
        let (slot, field) = match meaning.role {
            Role::Time => (&mut self.time, Field::Time),
            Role::Start => (&mut self.start, Field::Start),
            Role::Duration => (
                &mut self.duration,
                match meaning.unit {
                    Some(1) => Field::Nanoseconds,
                    Some(1_000) => Field::Microseconds,
                    Some(1_000_000) => Field::Milliseconds,
                    _ => Field::Seconds,
                },
            ),
            Role::Service => (&mut self.service, Field::Service),
            Role::Operation => (&mut self.operation, Field::Operation),
            Role::Status => (&mut self.status, Field::Status),
            Role::Trace => (&mut self.trace, Field::Trace),
            Role::Span => (&mut self.span, Field::Span),
            Role::Parent => (&mut self.parent, Field::Parent),
            Role::Level => (&mut self.level, Field::Level),
            Role::Message => (&mut self.message, Field::Message),
        };
        *slot = Best { rank: 0, field, value };
        match meaning.role {
            Role::Time => self.units[0] = meaning.unit,
            Role::Start => self.units[1] = meaning.unit,
            _ => {}
        }
        self.named = true;
    }

    /// Whether all of these signs were seen.
    pub(super) const fn has(&self, signs: u8) -> bool {
        self.signs & signs == signs
    }

    /// Whether enough was seen to believe that this is a log line in fields, and not a text with an equals sign in it.
    pub(super) const fn is_log(&self) -> bool {
        self.named
            || self.level.found() && (self.message.found() || self.time.found())
            || self.message.found() && (self.time.found() || self.message.rank < 2)
    }
}

/// The first element of an array.
fn first(array: &[u8]) -> Option<Value<'_>> {
    let mut cursor = Cursor::new(array);
    let some = cursor.enter_array().ok()? && cursor.element().ok()?;
    if some { cursor.value().ok() } else { None }
}
