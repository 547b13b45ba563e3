//! Formats whose records are JSON objects of their own kind, in an array, in a document around one, or one to a line.
//!
//! Which one a stream is in, is told by the keys of its first object; what a record is, by the object: one of another kind
//! is a log record.

use super::cursor::Cursor;
use super::elements::{self, Layout};
use super::records::{Next, next_record};
use super::reject::Reject;
use super::value::Value;
use super::{Context, Format, Found, Memory, calls, chrome, jaeger, json, lines, zipkin};
use crate::event::Event;

/// What the first object of a stream says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Is(Format),
    /// None of these formats.
    No,
    /// It takes more bytes.
    More,
}

/// Decode a record of one of these formats; None if the format is none of them.
pub(super) fn record<'a>(
    format: Format,
    record: &'a [u8],
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) -> Option<Result<Found, Reject>> {
    let layout = Layout::of(Some(format))?;
    let at = elements::between(record);
    let body = record.get(at..).unwrap_or_default().trim_ascii_end();
    let read = match body.first() {
        None => Ok(Found::Events),
        Some(b'{') if elements::leads_in(layout, body) => Ok(Found::Events),
        Some(b'{') => object(format, body, context, memory, events),
        // Beside the array: units, the machine, what is not an event.
        Some(b'"') if elements::is_member(body) => Ok(Found::Events),
        Some(_) => {
            let indented = at > 0 && matches!(record.get(at - 1), Some(b' ' | b'\t'));
            lines::read(format, body, indented, context, memory, events)
        }
    };
    Some(read.map_err(|reject| reject.shifted(at)))
}

fn object<'a>(
    format: Format,
    body: &'a [u8],
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) -> Result<Found, Reject> {
    let is_own = match format {
        Format::Chrome => chrome::event(body, context, memory, events)?,
        Format::Jaeger => jaeger::object(body, context, events)?,
        Format::Zipkin => zipkin::span(body, events)?,
        _ => calls::event(body, context, memory, events)?,
    };
    if is_own { Ok(Found::Events) } else { json::documents(body, false, context, memory, events) }
}

/// Which of these formats a stream is in, by its first object, whole or not.
///
/// `decided` if there are no more bytes to ask for: then the way to an array of traces is enough.
pub(super) fn told(head: &[u8], decided: bool) -> Told {
    let body = &head[elements::between(head)..];
    match body.first() {
        None => return Told::More,
        Some(b'{') => {}
        Some(_) => return Told::No,
    }
    let mut seen = Seen::default();
    match walk(&mut Cursor::new(body), &mut seen, 0) {
        Ok(Some(format)) => Told::Is(format),
        Ok(None) => Told::No,
        // It is cut by the end of what is here, or for good.
        Err(_) => {
            let first = beyond_the_way(body);
            if first.is_empty() && first.len() < body.len() && decided {
                return Told::Is(Format::Jaeger);
            }
            if matches!(next_record(None, first), Next::Record(_)) { Told::No } else { Told::More }
        }
    }
}

/// What follows the way to the array in a document of Jaeger's; all of it if there is none.
fn beyond_the_way(whole: &[u8]) -> &[u8] {
    let mut rest = whole;
    while let Some(layout) = Layout::of(Some(Format::Jaeger))
        && let Next::Record(end) = elements::next_record(layout, rest)
        && let body = &rest[elements::between(rest)..end]
        && (elements::leads_in(layout, body) || rest.len() < whole.len() && elements::is_member(body))
    {
        rest = &rest[end..];
    }
    &rest[elements::between(rest)..]
}

/// Keys seen so far.
#[allow(clippy::struct_excessive_bools)] // One for each: they come in any order and any number.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    phase: bool,
    clock: bool,
    thread: bool,
    /// Whether it enters or leaves something, and says so in a key that is for nothing else.
    passes: Option<bool>,
    callee: bool,
    /// `traceID`, as only Jaeger spells it.
    jaeger: bool,
    /// A field that only Zipkin has.
    zipkin: bool,
    /// A field that spans have, and some log lines too.
    timed: bool,
    trace: bool,
    span: bool,
    id: bool,
    name: bool,
    operation: bool,
    log: bool,
}

/// The format that the keys of the object tell that the cursor stands before. None if they tell none.
fn walk(cursor: &mut Cursor<'_>, seen: &mut Seen, depth: u8) -> Result<Option<Format>, Reject> {
    if !cursor.enter_object()? {
        return Ok(None);
    }
    while let Some(key) = cursor.key()? {
        let next = cursor.peek();
        match (key.raw, next) {
            (b"traceEvents", Some(b'[')) | (b"displayTimeUnit" | b"systemTraceEvents", Some(b'"')) if depth == 0 => {
                return Ok(Some(Format::Chrome));
            }
            (b"data" | b"hits" | b"spans", Some(b'[')) if depth < 3 => {
                cursor.enter_array()?;
                if cursor.element()? {
                    if cursor.peek() != Some(b'{') {
                        return Ok(None);
                    }
                    if let Some(Format::Jaeger) = walk(cursor, &mut Seen::default(), depth + 1)? {
                        return Ok(Some(Format::Jaeger));
                    }
                    while cursor.element()? {
                        cursor.skip()?;
                    }
                }
                continue;
            }
            (b"hits" | b"_source", Some(b'{')) if depth < 3 => {
                if let Some(Format::Jaeger) = walk(cursor, &mut Seen::default(), depth + 1)? {
                    return Ok(Some(Format::Jaeger));
                }
                continue;
            }
            (b"spans" | b"processes", _) if seen.jaeger => return Ok(Some(Format::Jaeger)),
            (b"localEndpoint" | b"remoteEndpoint", Some(b'{'))
            | (b"annotations" | b"binaryAnnotations", Some(b'[')) => seen.zipkin = true,
            _ => {}
        }
        let value = cursor.value()?;
        seen.see(key.raw, value);
        if let Some(format) = seen.format() {
            return Ok(Some(format));
        }
    }
    Ok(None)
}

impl Seen {
    fn see(&mut self, key: &[u8], value: Value<'_>) {
        let text = value.plain().unwrap_or_default();
        match key {
            b"ph" => self.phase = chrome::is_phase(text),
            b"traceID" => self.jaeger = true,
            b"traceId" => self.trace = true,
            b"spanId" | b"spanID" => self.span = true,
            b"operationName" => self.operation = true,
            b"timestamp" if matches!(value, Value::Number(_)) => self.timed = true,
            b"kind" => self.timed = true,
            b"id" => self.id = matches!(value, Value::String(_)),
            b"level" | b"severity" | b"message" | b"msg" | b"log" => self.log = true,
            _ => {}
        }
        match key {
            b"name" => (self.name, self.callee) = (true, true),
            b"data" | b"function" | b"func" | b"method" | b"symbol" => self.callee = true,
            _ => {}
        }
        self.clock |= calls::is_clock(key);
        self.thread |= matches!(key, b"tid" | b"thread_id" | b"threadId" | b"thread" | b"pid");
        if let Some(surely) = calls::passes(key, text) {
            self.passes = Some(surely);
        }
    }

    fn format(self) -> Option<Format> {
        if self.phase && (self.clock || self.thread) {
            return Some(Format::Chrome);
        }
        if let Some(surely) = self.passes
            && self.clock
            && self.thread
            && (surely || self.callee)
        {
            return Some(Format::Calls);
        }
        if self.span && (self.jaeger || self.trace && self.operation) {
            return Some(Format::Jaeger);
        }
        let is_span = self.zipkin || self.timed && self.name && !self.log;
        (self.trace && self.id && !self.span && is_span).then_some(Format::Zipkin)
    }
}
