//! The fields of a log line, JSON or logfmt, put together into an event.
//!
//! Fields come in one by one, in the order of the line; of several that say the same, the one of the lowest rank counts.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::dialect::{Meaning, Role, scaled};
use super::names::{self, Field, Name};
use super::value::{Text, Value};
use super::{Context, body, id, level, time};
use crate::event::{Event, Kind, Level};

/// How much less a field is believed that stands in a transparent object.
const INSIDE: u8 = 10;

/// The best of the values seen for one thing, and its rank.
#[derive(Clone, Copy, Debug)]
struct Best<'a> {
    rank: u8,
    field: Field,
    value: Value<'a>,
}

impl Default for Best<'_> {
    fn default() -> Self {
        Self { rank: u8::MAX, field: Field::Pid, value: Value::Null }
    }
}

impl<'a> Best<'a> {
    fn offer(&mut self, field: Field, rank: u8, value: Value<'a>) {
        if rank < self.rank {
            *self = Self { rank, field, value };
        }
    }

    const fn found(&self) -> bool {
        self.rank != u8::MAX
    }

    fn str(&self) -> Cow<'a, str> {
        self.value.str().unwrap_or_default()
    }
}

/// What the fields seen so far say.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields<'a> {
    time: Best<'a>,
    level: Best<'a>,
    message: Best<'a>,
    logger: Best<'a>,
    name: Best<'a>,
    service: Best<'a>,
    unit: Best<'a>,
    trace: Best<'a>,
    span: Best<'a>,
    parent: Best<'a>,
    error: Best<'a>,
    duration: Best<'a>,
    status: Best<'a>,
    method: Best<'a>,
    target: Best<'a>,
    operation: Best<'a>,
    start: Best<'a>,
    /// Nanoseconds of the unit of `time` and `start`, where the source's dialect says it.
    units: [Option<i64>; 2],
    /// Whether the dialect named one of the fields.
    named: bool,
    host: bool,
    pid: bool,
}

impl<'a> Fields<'a> {
    /// Take note of a field; `inside` if it stands in a transparent object.
    pub(super) fn see(&mut self, name: &Name, value: Value<'a>, inside: bool) {
        let Some((field, rank)) = names::field(name) else { return };
        let rank = if inside { rank + INSIDE } else { rank };
        let text = matches!(value, Value::String(Text { raw }) | Value::Cell(raw) if !raw.is_empty());
        let number = matches!(value, Value::Number(_));
        // A value of another type is another thing that goes by the same name.
        let slot = match field {
            Field::Time if text || number => &mut self.time,
            Field::Level | Field::Syslog | Field::Otlp | Field::Python | Field::Logback if text || number => {
                &mut self.level
            }
            Field::Message | Field::Output if text || matches!(value, Value::Array(_)) => &mut self.message,
            Field::Logger if text => &mut self.logger,
            Field::Name if text => &mut self.name,
            Field::Service if text => &mut self.service,
            Field::Unit if text => &mut self.unit,
            Field::Trace | Field::DecimalTrace | Field::Traceparent if text || number => &mut self.trace,
            Field::Span | Field::DecimalSpan if text || number => &mut self.span,
            Field::Parent if text => &mut self.parent,
            Field::Error if text => &mut self.error,
            Field::Nanoseconds | Field::Microseconds | Field::Milliseconds | Field::Seconds if text || number => {
                &mut self.duration
            }
            // A bare number does not say its unit.
            Field::Duration if text => &mut self.duration,
            Field::Status if text || number => &mut self.status,
            Field::Method if text => &mut self.method,
            Field::Target if text => &mut self.target,
            Field::Host => {
                self.host = true;
                return;
            }
            Field::Pid => {
                self.pid = true;
                return;
            }
            _ => return,
        };
        slot.offer(field, rank, value);
    }

    /// Take note of a field that the source's dialect names: it is believed before all others.
    pub(super) fn see_as(&mut self, meaning: Meaning, value: Value<'a>) {
        if value.plain().is_none_or(<[u8]>::is_empty) {
            return;
        }
        let (slot, field) = match meaning.role {
            Role::Time => (&mut self.time, Field::Time),
            Role::Start => (&mut self.start, Field::Time),
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
            Role::Operation => (&mut self.operation, Field::Logger),
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

    /// Whether enough was seen to believe that this is a log line in fields, and not a text with an equals sign in it.
    pub(super) const fn is_log(&self) -> bool {
        self.named
            || self.level.found() && (self.message.found() || self.time.found())
            || self.message.found() && (self.time.found() || self.message.rank < 2)
    }

    /// The event, but for its raw bytes and attributes. `whole` is its message if no field is one.
    pub(super) fn event(self, whole: &'a [u8], context: &Context, nesting: u8) -> Event<'a> {
        let mut event = Event { kind: Kind::Log, ..Event::default() };
        event.time = when(&self.time, self.units[0], context);
        event.level = read_level(&self.level);
        let status = self.status.value.unsigned().filter(|status| (100..600).contains(status));
        event.service = self.service();
        event.operation = if self.operation.found() { self.operation.str() } else { self.logger.str() };
        if self.name.found() {
            // bunyan and pino give the program's name beside its host and pid; others give the logger's.
            if self.host && self.pid && event.service.is_empty() {
                event.service = self.name.str();
            } else if event.operation.is_empty() {
                event.operation = self.name.str();
            }
        }
        self.ids(&mut event);
        event.duration = read_duration(&self.duration);
        if let Some(start) = when(&self.start, self.units[1], context) {
            let took = i64::try_from(event.duration.unwrap_or_default()).unwrap_or(i64::MAX);
            match event.time {
                // What starts and ends has taken the time between.
                Some(end) if event.duration.is_none() => event.duration = u64::try_from(end - start).ok(),
                Some(_) => {}
                None => event.time = Some(start.saturating_add(took)),
            }
        }
        event.message = match self.message.value {
            Value::Array(raw) => bytes_or_first(raw),
            Value::Null if self.error.found() => self.error.str(),
            Value::Null => self.request(status).unwrap_or_else(|| super::value::lossy(whole)),
            value => value.str().unwrap_or_default(),
        };
        trim_end(&mut event.message);
        body::plain(&mut event.message);
        if status.is_some_and(|status| status >= 500) && event.level < Level::Error {
            event.failed = true;
        }
        // A journal and a container's log say how a program's output was received, and its lines what they are.
        let output = self.message.field == Field::Output || self.level.field == Field::Syslog;
        if (output || event.level == Level::Unset) && self.message.found() {
            body::read(&mut event, output, context, nesting);
        }
        event.failed |= event.level >= Level::Error;
        if self.operation.found() && event.duration.is_some() {
            self.span(&mut event);
        }
        event
    }

    /// What has a name and takes time is a span, whatever logged it; its message counts if it failed.
    fn span(&self, event: &mut Event<'a>) {
        event.kind = Kind::Internal;
        let word = self.status.value.plain().map_or(Level::Unset, level::word);
        event.failed |= word >= Level::Error;
        if !event.failed || !self.message.found() && !self.error.found() {
            event.message = Cow::Borrowed("");
        }
    }

    fn service(&self) -> Cow<'a, str> {
        let mut unit = self.unit.str();
        // The unit of a login or of a user's manager names no program.
        if unit.starts_with("user@") || !unit.ends_with(".service") || self.service.rank < 4 {
            return self.service.str();
        }
        match &mut unit {
            Cow::Borrowed(text) => *text = text.trim_end_matches(".service"),
            Cow::Owned(text) => text.truncate(text.len() - ".service".len()),
        }
        unit
    }

    fn ids(&self, event: &mut Event<'_>) {
        let trace = self.trace.value.plain().unwrap_or_default();
        match self.trace.field {
            Field::DecimalTrace => event.trace = decimal(trace).unwrap_or_default().to_be_bytes(),
            Field::Traceparent => {
                let mut parts = trace.split(|byte| *byte == b'-').skip(1);
                event.trace = id::trace(parts.next().unwrap_or_default());
                event.span = id::span(parts.next().unwrap_or_default());
            }
            // Google's is `projects/ID/traces/TRACE`.
            _ => event.trace = id::trace(trace.rsplit(|byte| *byte == b'/').next().unwrap_or_default()),
        }
        if let Some(span) = self.span.value.plain() {
            event.span = match self.span.field {
                Field::DecimalSpan => decimal(span).and_then(|number| u64::try_from(number).ok()).unwrap_or_default(),
                _ => id::span(span),
            };
        }
        event.parent = id::span(self.parent.value.plain().unwrap_or_default());
    }

    /// What an access log says that has no words: `GET /path 200`.
    fn request(&self, status: Option<u64>) -> Option<Cow<'a, str>> {
        if !self.method.found() || !self.target.found() {
            return None;
        }
        let status = status.map(|status| format!(" {status}")).unwrap_or_default();
        Some(Cow::Owned(format!("{} {}{status}", self.method.str(), self.target.str())))
    }
}

/// The time that a field says, in a unit or in one that its size tells.
fn when(best: &Best<'_>, unit: Option<i64>, context: &Context) -> Option<i64> {
    let named = unit.and_then(|unit| scaled(&best.value, unit));
    named.or_else(|| best.value.plain().and_then(|text| time::parse(text, context)))
}

fn decimal(text: &[u8]) -> Option<u128> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn read_level(best: &Best<'_>) -> Level {
    let Some(text) = best.value.plain() else { return Level::Unset };
    let word = level::word(text);
    if word != Level::Unset {
        return word;
    }
    let Some(number) = super::value::unsigned(text) else { return Level::Unset };
    match best.field {
        Field::Syslog => level::syslog(number),
        Field::Otlp => level::otlp(number),
        Field::Python => level::python(number),
        Field::Logback => level::logback(number),
        _ => level::number(number),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn read_duration(best: &Best<'_>) -> Option<u64> {
    let text = best.value.plain()?;
    let unit = match best.field {
        Field::Nanoseconds => 1.0,
        Field::Microseconds => 1e3,
        Field::Milliseconds => 1e6,
        Field::Seconds => 1e9,
        _ => return with_unit(text),
    };
    match super::value::float(text) {
        // The cast saturates.
        Some(number) if number >= 0.0 => Some((number * unit) as u64),
        Some(_) => None,
        None => with_unit(text),
    }
}

/// A duration such as `12.5ms`, `1m2.5s` (Go) or `0.3 s`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn with_unit(text: &[u8]) -> Option<u64> {
    let mut rest = std::str::from_utf8(text).ok()?.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let after = after.trim_start();
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let nanoseconds = match unit.trim() {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" | "sec" | "secs" | "seconds" => 1e9,
            "m" | "min" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * nanoseconds;
        rest = after;
    }
    Some(total as u64)
}

/// journald writes a message that is not UTF-8 as an array of bytes, and a field that stands there twice as an array of
/// strings.
fn bytes_or_first(raw: &[u8]) -> Cow<'_, str> {
    let mut bytes = Vec::new();
    let mut cursor = Cursor::new(raw);
    if matches!(cursor.enter_array(), Ok(true)) {
        while let Ok(true) = cursor.element() {
            match cursor.value() {
                Ok(Value::String(text)) => return text.str(),
                Ok(Value::Number(number)) => match super::value::unsigned(number).map(u8::try_from) {
                    Some(Ok(byte)) => bytes.push(byte),
                    _ => return String::from_utf8_lossy(raw),
                },
                _ => return String::from_utf8_lossy(raw),
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

fn trim_end(text: &mut Cow<'_, str>) {
    match text {
        Cow::Borrowed(text) => *text = text.trim_end(),
        Cow::Owned(text) => text.truncate(text.trim_end().len()),
    }
}
