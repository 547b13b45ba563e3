//! Jaeger: spans as its query service and its storage in Elasticsearch write them, and in the JSON of its protobuf model.
//!
//! A record is a trace with its spans and the processes they are of, a document of spans, a search hit, or a span alone.
//! Times are microseconds, or texts (`2017-01-26T16:46:31.639875Z`, `5000ns`).

use std::borrow::Cow;

use super::any_value::AnyValue;
use super::cursor::Cursor;
use super::otlp::key_value;
use super::reject::Reject;
use super::value::{Text, Value, signed_nanoseconds};
use super::{Context, duration, id, time};
use crate::event::{Attributes, Event, Kind, TraceId};

/// Nanoseconds in a microsecond.
const MICROSECOND: u32 = 1_000;

/// Who did what a span says.
#[derive(Clone, Debug, Default)]
struct Process<'a> {
    service: Cow<'a, str>,
    tags: &'a [u8],
}

/// Decode the object. False, and nothing done, if it holds no span.
pub(super) fn object<'a>(object: &'a [u8], context: &Context, events: &mut Vec<Event<'a>>) -> Result<bool, Reject> {
    let mut cursor = Cursor::new(object);
    if !cursor.enter_object()? {
        return Ok(false);
    }
    let (mut spans, mut hit) = (&b""[..], &b""[..]);
    let mut processes = Vec::new();
    let mut is_span = false;
    while let Some(key) = cursor.key()? {
        match (key.raw, cursor.peek()) {
            (b"spans", Some(b'[')) => spans = cursor.raw()?,
            (b"_source", Some(b'{')) => hit = cursor.raw()?,
            (b"processes", Some(b'{')) => read_processes(&mut cursor, &mut processes)?,
            (b"spanID" | b"spanId", _) => {
                is_span = true;
                cursor.skip()?;
            }
            _ => cursor.skip()?,
        }
    }
    if !hit.is_empty() {
        return self::object(hit, context, events);
    }
    if is_span {
        span(&mut Cursor::new(object), &processes, context, events)?;
        return Ok(true);
    }
    if spans.is_empty() {
        return Ok(false);
    }
    let mut cursor = Cursor::new(spans);
    cursor.enter_array()?;
    while cursor.element()? {
        span(&mut cursor, &processes, context, events)?;
    }
    Ok(true)
}

fn read_processes<'a>(cursor: &mut Cursor<'a>, processes: &mut Vec<(Text<'a>, Process<'a>)>) -> Result<(), Reject> {
    cursor.enter_object()?;
    while let Some(name) = cursor.key()? {
        processes.push((name, process(cursor)?));
    }
    Ok(())
}

fn process<'a>(cursor: &mut Cursor<'a>) -> Result<Process<'a>, Reject> {
    let mut process = Process::default();
    if cursor.enter_object()? {
        while let Some(key) = cursor.key()? {
            match key.raw {
                b"serviceName" => process.service = cursor.value()?.str().unwrap_or_default(),
                b"tags" if cursor.peek() == Some(b'[') => process.tags = cursor.raw()?,
                _ => cursor.skip()?,
            }
        }
    }
    Ok(process)
}

fn span<'a>(
    cursor: &mut Cursor<'a>,
    processes: &[(Text<'a>, Process<'a>)],
    context: &Context,
    events: &mut Vec<Event<'a>>,
) -> Result<(), Reject> {
    cursor.peek();
    let from = cursor.position();
    if !cursor.enter_object()? {
        return Ok(());
    }
    let mut event = Event::default();
    let (mut start, mut millis, mut took) = (None, None, None);
    let (mut references, mut logs, mut tags, mut fields) = (&b""[..], &b""[..], &b""[..], &b""[..]);
    let mut by = Process::default();
    while let Some(key) = cursor.key()? {
        match key.raw {
            b"traceID" | b"traceId" => event.trace = id::trace(cursor.plain()?),
            b"spanID" | b"spanId" => event.span = id::span(cursor.plain()?),
            b"parentSpanID" | b"parentSpanId" => event.parent = id::span(cursor.plain()?),
            b"operationName" => event.operation = cursor.value()?.str().unwrap_or_default(),
            b"startTime" => {
                start = match cursor.value()? {
                    Value::Number(text) => signed_nanoseconds(text, MICROSECOND),
                    other => other.plain().and_then(|text| time::parse(text, context)),
                };
            }
            b"startTimeMillis" => millis = signed_nanoseconds(cursor.plain()?, 1_000 * MICROSECOND),
            b"duration" => {
                took = match cursor.value()? {
                    Value::Number(text) => signed_nanoseconds(text, MICROSECOND).map(|took| took.max(0).unsigned_abs()),
                    other => other.plain().and_then(duration::with_unit),
                };
            }
            b"references" => references = cursor.raw()?,
            b"logs" => logs = cursor.raw()?,
            b"tags" => tags = cursor.raw()?,
            b"tag" => fields = cursor.raw()?,
            b"process" => by = process(cursor)?,
            b"processID" | b"processId" => {
                let name = cursor.value()?;
                if let Some((_, process)) = processes.iter().find(|(key, _)| Value::String(*key) == name) {
                    by = process.clone();
                }
            }
            _ => cursor.skip()?,
        }
    }
    event.raw = cursor.since(from);
    event.service = by.service;
    let start = start.or(millis);
    event.duration = took;
    event.time = start.map(|start| start.saturating_add_unsigned(took.unwrap_or(0)));
    if references.starts_with(b"[") {
        let parent = parent(references, event.trace)?;
        if parent != 0 {
            event.parent = parent;
        }
    }
    if tags.starts_with(b"[") {
        let mut cursor = Cursor::new(tags);
        cursor.enter_array()?;
        while cursor.element()? {
            let (key, value) = key_value(&mut cursor)?;
            tag(key.raw, &value.text(), &mut event);
        }
    }
    if fields.starts_with(b"{") {
        let mut cursor = Cursor::new(fields);
        cursor.enter_object()?;
        while let Some(key) = cursor.key()? {
            // Elasticsearch takes dots for levels, so they are written as something else.
            let name = String::from_utf8_lossy(key.raw).replace('@', ".");
            tag(name.as_bytes(), &cursor.value()?.str().unwrap_or_default(), &mut event);
        }
    }
    event.attributes = if tags.len() < 3 && fields.starts_with(b"{") {
        Attributes::Json(fields)
    } else {
        Attributes::OtlpJson { own: tags, resource: by.tags }
    };
    if event.failed && event.message.is_empty() && logs.starts_with(b"[") {
        event.message = exception(logs)?;
    }
    if !event.failed {
        event.message = Cow::Borrowed("");
    }
    events.push(event);
    Ok(())
}

/// The span that this one is part of: the first it is a child of in its own trace, or else follows from.
fn parent(references: &[u8], trace: TraceId) -> Result<u64, Reject> {
    let (mut child_of, mut follows) = (0, 0);
    let mut cursor = Cursor::new(references);
    cursor.enter_array()?;
    while cursor.element()? {
        if !cursor.enter_object()? {
            continue;
        }
        // In the model's JSON, to be the child is what is said when nothing is.
        let (mut kind, mut of, mut span) = (&b"CHILD_OF"[..], trace, 0);
        while let Some(key) = cursor.key()? {
            match key.raw {
                b"refType" => kind = cursor.plain()?,
                b"traceID" | b"traceId" => of = id::trace(cursor.plain()?),
                b"spanID" | b"spanId" => span = id::span(cursor.plain()?),
                _ => cursor.skip()?,
            }
        }
        if of != trace {
            continue;
        }
        match kind {
            b"FOLLOWS_FROM" | b"FollowsFrom" | b"1" if follows == 0 => follows = span,
            b"CHILD_OF" | b"ChildOf" | b"0" if child_of == 0 => child_of = span,
            _ => {}
        }
    }
    Ok(if child_of == 0 { follows } else { child_of })
}

/// What a tag says of the role and the failure of a span.
fn tag(key: &[u8], value: &str, event: &mut Event<'_>) {
    match key {
        b"span.kind" => {
            event.kind = match value {
                "server" => Kind::Server,
                "client" => Kind::Client,
                "producer" => Kind::Producer,
                "consumer" => Kind::Consumer,
                _ => Kind::Internal,
            };
        }
        b"error" => event.failed |= !matches!(value, "false" | "" | "0"),
        b"otel.status_code" => event.failed |= value == "ERROR",
        b"http.status_code" | b"http.response.status_code" => {
            event.failed |= value.len() == 3 && value.starts_with('5');
        }
        b"otel.status_description" | b"error.message" | b"error.msg" => event.message = Cow::Owned(value.to_owned()),
        _ => {}
    }
}

/// What the last of a span's logs that tells of an error says.
fn exception(logs: &[u8]) -> Result<Cow<'static, str>, Reject> {
    let mut said = String::new();
    let mut cursor = Cursor::new(logs);
    cursor.enter_array()?;
    while cursor.element()? {
        if !cursor.enter_object()? {
            continue;
        }
        while let Some(key) = cursor.key()? {
            if key.raw != b"fields" || !cursor.enter_array()? {
                if key.raw != b"fields" {
                    cursor.skip()?;
                }
                continue;
            }
            let (mut best, mut rank, mut is_error) = (AnyValue::Null, 5, false);
            while cursor.element()? {
                let (key, value) = key_value(&mut cursor)?;
                let (here, of_error) = match key.raw {
                    b"exception.message" => (0, true),
                    b"error.object" => (1, true),
                    b"message" => (2, false),
                    b"exception.type" | b"error.kind" => (3, true),
                    b"event" => {
                        is_error |= matches!(&*value.text(), "error" | "exception");
                        continue;
                    }
                    b"level" => {
                        is_error |= value.text() == "error";
                        continue;
                    }
                    _ => continue,
                };
                is_error |= of_error;
                if here < rank {
                    (best, rank) = (value, here);
                }
            }
            if is_error && rank < 5 {
                said = best.text().into_owned();
            }
        }
    }
    Ok(Cow::Owned(said))
}
