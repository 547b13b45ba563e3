//! The event that the fields of a line make together: a log record, or a span if they say its name, ids and time.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::dialect::scaled;
use super::fields::{Best, Fields};
use super::names::{self, Field};
use super::value::{self, Value};
use super::{Context, access, body, duration, id, level, time};
use crate::event::{Event, Kind, Level};

/// What loggers say of a request that is done, and nothing more (Caddy, pino, Go's and Rust's frameworks).
const REQUEST_DONE: [&str; 8] = [
    "access",
    "finished processing request",
    "handled request",
    "http request",
    "request",
    "request aborted",
    "request completed",
    "request errored",
];

/// The rank of a message that is the first line of a request.
const REQUEST_LINE: u8 = 7;

/// Numbers since the epoch from here on are nanoseconds.
const NANOSECONDS: u64 = 100_000_000_000_000_000;

impl<'a> Fields<'a> {
    /// The event, but for its raw bytes and attributes. `whole` is its message if no field is one.
    pub(super) fn event(self, whole: &'a [u8], context: &Context, nesting: u8) -> Event<'a> {
        let mut event = Event { kind: Kind::Log, service: self.service(), level: self.level(), ..Event::default() };
        let status = self.status.value.unsigned().and_then(|status| u16::try_from(status).ok());
        let status = status.filter(|status| (100..600).contains(status));
        self.ids(&mut event);
        self.times(&mut event, context);
        if self.is_span(&event) {
            self.span(&mut event, status);
            return event;
        }
        event.operation = if self.operation.rank == 0 { self.operation.str() } else { self.logger.str() };
        if self.name.found() {
            // bunyan and pino give the program's name beside its host and pid; others give the logger's.
            if self.has(names::HOST | names::PID) && event.service.is_empty() {
                event.service = self.name.str();
            } else if event.operation.is_empty() {
                event.operation = self.name.str();
            }
        }
        if event.operation.is_empty() && !self.message.found() {
            event.operation = self.action.str();
        }
        event.message = match self.message.value {
            Value::Array(raw) => bytes_or_first(raw),
            Value::Null => self.without_message(status, whole),
            value => value.str().unwrap_or_default(),
        };
        trim_end(&mut event.message);
        body::plain(&mut event.message);
        // A journal and a container's log say how a program's output was received, and its lines what they are.
        let output = self.message.field == Field::Output || self.level.field == Field::Syslog;
        if (output || event.level == Level::Unset) && self.message.found() {
            body::read(&mut event, output, context, nesting);
        }
        if self.request(&mut event, status) {
            return event;
        }
        let silent = event.level == Level::Unset;
        event.failed |= event.level >= Level::Error
            || status.is_some_and(|status| status >= 500)
            || silent && self.error.found() && !matches!(self.error.value.plain(), Some(b"0"));
        event
    }

    /// Make the event the request that it tells of, if it is a line of an access log: it has no words of its own, or none
    /// but that a request is done. What was written within a span stays a record of that.
    fn request(&self, event: &mut Event<'a>, status: Option<u16>) -> bool {
        if event.span != 0 || status.is_none() && event.duration.is_none() {
            return false;
        }
        let done = &event.message;
        let wordless = !self.message.found() || REQUEST_DONE.iter().any(|text| done.eq_ignore_ascii_case(text));
        let method = self.method.str();
        if wordless && self.target.found() && access::is_method(&method) {
            access::done(&method, &self.target.str(), status, event);
            return true;
        }
        // nginx has method and target in one.
        if self.message.rank != REQUEST_LINE || self.message.field != Field::Message {
            return false;
        }
        match std::mem::take(&mut event.message) {
            Cow::Borrowed(text) if access::served(text, status, event) => true,
            text => {
                event.message = text;
                false
            }
        }
    }

    fn level(&self) -> Level {
        let Some(text) = self.level.value.plain() else {
            // Serilog leaves the usual level out, and Datadog's status is one.
            let status = self.status.value.plain().map_or(Level::Unset, level::free_word);
            let template = self.message.field == Field::Message && self.message.rank == 4;
            return if template { Level::Info } else { status };
        };
        let word = level::word(text);
        if word != Level::Unset {
            return word;
        }
        let Some(number) = value::unsigned(text) else { return Level::Unset };
        match self.level.field {
            Field::Syslog => level::syslog(number),
            Field::Otlp => level::otlp(number),
            Field::Python => level::python(number),
            Field::Logback => level::logback(number),
            _ if self.has(names::REQUEST | names::REMOTE) => level::nextcloud(number),
            _ => level::number(number),
        }
    }

    /// When it was and how long it took.
    fn times(&self, event: &mut Event<'a>, context: &Context) {
        let start = when(&self.start, self.units[0].or(self.units[1]), context);
        let end = when(&self.end, None, context);
        event.time = when(&self.time, self.units[0], context);
        if let (Some(time), Some(nanos)) = (event.time, self.nanos.value.unsigned())
            && time % super::calendar::SECOND == 0
            && nanos < 1_000_000_000
        {
            event.time = Some(time.saturating_add_unsigned(nanos));
        }
        event.duration = self.duration();
        // What is mapped to be the start is the start of what `time` is the end of.
        let end_known = end.or(if self.start.rank == 0 && self.named { event.time } else { None });
        if let (Some(start), Some(end), None) = (start, end_known, event.duration) {
            event.duration = end.checked_sub(start).and_then(|took| u64::try_from(took).ok());
        }
        let took = i64::try_from(event.duration.unwrap_or_default()).unwrap_or(i64::MAX);
        event.time = event.time.or(end.filter(|_| start.is_some())).or(start.map(|start| start.saturating_add(took)));
    }

    /// Nanoseconds. A bare number says its unit where its logger is known by something else.
    fn duration(&self) -> Option<u64> {
        let text = self.duration.value.plain()?;
        let unit = match self.duration.field {
            Field::Nanoseconds => 1.0,
            Field::Microseconds => 1e3,
            Field::Milliseconds => 1e6,
            Field::Seconds => 1e9,
            _ if self.has(names::NANOSECONDS) || self.start.value.unsigned().is_some_and(|ns| ns >= NANOSECONDS) => 1.0,
            _ if self.signs & names::MILLISECONDS != 0
                || self.message.field == Field::Message && self.message.rank == 4 =>
            {
                1e6
            }
            // Who writes the time as seconds with a fraction (zap, Caddy, Python's own) writes durations so.
            _ if matches!(self.time.value, Value::Number(time) if memchr::memchr(b'.', time).is_some()) => 1e9,
            _ => return duration::with_unit(text),
        };
        duration::in_unit(text, unit)
    }

    /// Whether this is a span: the dialect names what was done, or all is here that a span has and a log record has not.
    fn is_span(&self, event: &Event<'_>) -> bool {
        let named = self.operation.found() && self.named && self.operation.rank == 0;
        let ids = event.trace != [0; 16] && (event.span != 0 || self.id.found());
        let what = self.operation.found() || self.name.found() || self.action.rank == 0;
        event.duration.is_some() && (named || ids && what && !self.message.found() && !self.level.found())
    }

    fn span(&self, event: &mut Event<'a>, status: Option<u16>) {
        let kind = self.kind.value.plain().unwrap_or_default();
        let kind = kind.rsplit(|byte| matches!(byte, b'.' | b'_')).next().unwrap_or_default();
        event.kind = match kind.to_ascii_lowercase().as_slice() {
            b"server" | b"2" => Kind::Server,
            b"client" | b"3" => Kind::Client,
            b"producer" | b"4" => Kind::Producer,
            b"consumer" | b"5" => Kind::Consumer,
            _ => Kind::Internal,
        };
        event.operation = [&self.operation, &self.name, &self.action]
            .into_iter()
            .find(|best| best.found())
            .map(Best::str)
            .unwrap_or_default();
        event.level = Level::Unset;
        if event.span == 0 && event.trace != [0; 16] {
            // A segment of X-Ray is named for its service.
            event.span = id::span(self.id.value.plain().unwrap_or_default());
            if event.service.is_empty() && self.outer.is_none() {
                event.service = self.name.str();
            }
        }
        // `ERROR`, `STATUS_CODE_ERROR`, and the 2 of OTLP.
        let word = self.status.value.plain().and_then(|text| text.rsplit(|byte| *byte == b'_').next());
        let word = if word == Some(b"2") { Level::Error } else { word.map_or(Level::Unset, level::word) };
        let error = self.error.found() && !matches!(self.error.value.plain(), Some(b"0" | b""));
        // A description of a status is one of success as well.
        let described = self.error.rank == 2;
        event.failed = self.level() >= Level::Error
            || word >= Level::Error
            || status.is_some_and(|status| status >= 500)
            || error && !described;
        if event.failed {
            let text = |best: &Best<'a>| matches!(best.value, Value::String(_) | Value::Cell(_)).then(|| best.str());
            event.message = text(&self.message).or_else(|| text(&self.error)).unwrap_or_default();
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
        match (self.trace.field, self.trace.value) {
            (Field::Traceparent, _) => {
                let mut parts = trace.split(|byte| *byte == b'-').skip(1);
                event.trace = id::trace(parts.next().unwrap_or_default());
                event.span = id::span(parts.next().unwrap_or_default());
            }
            // Datadog's, unless it is of 128 bits and written as all others are.
            (Field::DecimalTrace, _) | (_, Value::Number(_)) if trace.len() < 32 => {
                event.trace = decimal(trace).unwrap_or_default().to_be_bytes();
            }
            // Google's is `projects/ID/traces/TRACE`.
            _ => event.trace = id::trace(trace.rsplit(|byte| *byte == b'/').next().unwrap_or_default()),
        }
        let span = |best: &Best<'_>| {
            let text = best.value.plain()?;
            Some(match (best.field, best.value) {
                (Field::DecimalSpan, _) | (_, Value::Number(_)) => {
                    decimal(text).and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
                }
                _ => id::span(text),
            })
        };
        event.span = span(&self.span).unwrap_or(event.span);
        event.parent = span(&self.parent).unwrap_or_default();
        if let Some((trace, span)) = self.outer
            && event.trace == [0; 16]
        {
            event.trace = trace;
            event.parent = if event.parent == 0 { span } else { event.parent };
        }
    }

    /// What stands for the message of a record that has none: an access log's `GET /path 200`, what was done, what went
    /// wrong; else all of it.
    fn without_message(&self, status: Option<u16>, whole: &'a [u8]) -> Cow<'a, str> {
        let done = if self.method.found() && self.target.found() {
            let status = status.map(|status| format!(" {status}")).unwrap_or_default();
            Some(Cow::Owned(format!("{} {}{status}", self.method.str(), self.target.str())))
        } else {
            self.action.found().then(|| self.action.str())
        };
        let error = matches!(self.error.value, Value::String(_) | Value::Cell(_)).then(|| self.error.str());
        match (done, error) {
            (Some(done), Some(error)) => Cow::Owned(format!("{done}: {error}")),
            (Some(text), None) | (None, Some(text)) => text,
            (None, None) => value::lossy(whole),
        }
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

/// journald writes a message that is not UTF-8 as an array of bytes, and a field that stands there twice as an array of
/// strings.
fn bytes_or_first(raw: &[u8]) -> Cow<'_, str> {
    let mut bytes = Vec::new();
    let mut cursor = Cursor::new(raw);
    if matches!(cursor.enter_array(), Ok(true)) {
        while let Ok(true) = cursor.element() {
            match cursor.value() {
                Ok(Value::String(text)) => return text.str(),
                Ok(Value::Number(number)) => match value::unsigned(number).map(u8::try_from) {
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
