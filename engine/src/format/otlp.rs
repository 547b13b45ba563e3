//! OTLP/JSON: spans and log records of a request, as the Collector's file exporter writes them and as protobuf's JSON
//! mapping allows (keys in any order and in snake case, numbers as strings, enums by name, bytes in base64, nulls).
//!
//! One pass: attributes are stepped over and kept as text. Metrics and profiles are read and have no events.

use std::borrow::Cow;

use super::any_value::AnyValue;
use super::cursor::Cursor;
use super::reject::Reject;
use super::value::{Text, Value};
use super::{Context, body, id, room, value};
use crate::event::{Attributes, Event, Kind, Level, SpanId, TraceId};

/// Whether the first keys of an object, cut or not, are those of a request.
pub(super) fn looks_like_request(text: &[u8]) -> bool {
    let mut cursor = Cursor::new(text);
    while let Some(b'[') = cursor.peek() {
        cursor.advance();
    }
    if !matches!(cursor.enter_object(), Ok(true)) {
        return false;
    }
    while let Ok(Some(key)) = cursor.key() {
        if is_request_key(key.raw) {
            return true;
        }
        if cursor.skip().is_err() {
            return false;
        }
    }
    false
}

/// Whether a key of an object at the top tells that it is OTLP: a request, or a part of one that stands alone.
#[inline]
pub(super) fn is_request_key(key: &[u8]) -> bool {
    part(key) != Part::Other
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// `ResourceSpans` or `ResourceLogs` in an array.
    Resources,
    /// `ScopeSpans` or `ScopeLogs` in an array.
    Scopes,
    /// Read and not decoded.
    Ignored,
    Other,
}

#[inline]
fn part(key: &[u8]) -> Part {
    match key {
        b"resourceSpans" | b"resourceLogs" | b"resource_spans" | b"resource_logs" => Part::Resources,
        b"scopeSpans"
        | b"scopeLogs"
        | b"scope_spans"
        | b"scope_logs"
        | b"instrumentationLibrarySpans"
        | b"instrumentationLibraryLogs"
        | b"instrumentation_library_spans"
        | b"instrumentation_library_logs" => Part::Scopes,
        b"resourceMetrics" | b"resource_metrics" | b"resourceProfiles" | b"resource_profiles" | b"scopeMetrics"
        | b"scope_metrics" => Part::Ignored,
        _ => Part::Other,
    }
}

/// Who the spans and records around belong to.
#[derive(Clone, Default)]
struct Resource<'a> {
    service: Cow<'a, str>,
    attributes: &'a [u8],
}

/// Decode the object that starts here. False, and possibly events that mean nothing, if it is not OTLP.
pub(super) fn request<'a>(
    cursor: &mut Cursor<'a>,
    context: &Context,
    events: &mut Vec<Event<'a>>,
) -> Result<bool, Reject> {
    let mut found = false;
    let first = events.len();
    let mut resource = Resource::default();
    let mut unstamped = Vec::new();
    if !cursor.enter_object()? {
        return Ok(false);
    }
    while let Some(key) = cursor.key()? {
        match part(key.raw) {
            Part::Resources => {
                found = true;
                if cursor.enter_array()? {
                    while cursor.element()? {
                        resource_events(cursor, context, events, &mut unstamped)?;
                    }
                }
            }
            Part::Scopes => {
                found = true;
                scopes(cursor, &resource, context, events, &mut unstamped)?;
            }
            Part::Ignored => {
                found = true;
                cursor.skip()?;
            }
            Part::Other if key.raw == b"resource" && matches!(cursor.peek(), Some(b'{')) => {
                // Of a `ResourceSpans` alone, or of a log line that has nothing to do with OTLP.
                let object = cursor.raw()?;
                if let Ok(read) = read_resource(&mut Cursor::new(object)) {
                    resource = read;
                    adopt(&resource, &mut events[first..]);
                }
            }
            Part::Other => cursor.skip()?,
        }
    }
    if !unstamped.is_empty() {
        stamp(unstamped, &mut events[first..], first);
    }
    Ok(found)
}

/// A log record without a time: its place among the events, and what a clock in its text says, of a zone not known.
type Unstamped = (usize, Option<i64>);

/// Give log records that have no time that of their neighbours in the request; only where none has one, the clock in the
/// text counts: a wrong guess of its zone would put it hours away from all others.
fn stamp(unstamped: Vec<Unstamped>, events: &mut [Event<'_>], first: usize) {
    let stamped = |event: &&Event<'_>| event.time.is_some();
    let Some(earliest) = events.iter().find(stamped).and_then(|event| event.time) else {
        for (at, time) in unstamped {
            events[at - first].time = time;
        }
        return;
    };
    let mut latest = earliest;
    for event in events {
        latest = *event.time.get_or_insert(latest);
    }
}

/// A `ResourceSpans` or `ResourceLogs`.
fn resource_events<'a>(
    cursor: &mut Cursor<'a>,
    context: &Context,
    events: &mut Vec<Event<'a>>,
    unstamped: &mut Vec<Unstamped>,
) -> Result<(), Reject> {
    let first = events.len();
    let mut resource = Resource::default();
    if !cursor.enter_object()? {
        return Ok(());
    }
    while let Some(key) = cursor.key()? {
        match part(key.raw) {
            Part::Scopes => scopes(cursor, &resource, context, events, unstamped)?,
            _ if key.raw == b"resource" => {
                resource = read_resource(cursor)?;
                adopt(&resource, &mut events[first..]);
            }
            _ => cursor.skip()?,
        }
    }
    Ok(())
}

/// Give events that stood before their resource what they have of it.
fn adopt<'a>(resource: &Resource<'a>, events: &mut [Event<'a>]) {
    for event in events {
        if event.service.is_empty() {
            event.service.clone_from(&resource.service);
        }
        if let Attributes::OtlpJson { resource: attributes, .. } = &mut event.attributes {
            *attributes = resource.attributes;
        }
    }
}

/// The best name of a service among the attributes of its resource.
pub(super) struct Service<'a> {
    rank: u8,
    pub(super) name: Cow<'a, str>,
}

impl Default for Service<'_> {
    fn default() -> Self {
        Self { rank: u8::MAX, name: Cow::Borrowed("") }
    }
}

impl<'a> Service<'a> {
    /// Whether no other attribute can name it better.
    fn is_best(&self) -> bool {
        self.rank == 0
    }

    pub(super) fn offer(&mut self, key: &[u8], name: Cow<'a, str>) {
        if let Some(rank) = service_rank(key, &name)
            && rank < self.rank
            && !name.is_empty()
        {
            *self = Self { rank, name };
        }
    }
}

/// How well a resource attribute names the service; the lowest is the best.
pub(super) fn service_rank(key: &[u8], value: &str) -> Option<u8> {
    match key {
        // What SDKs say that were not told: a pod's name says more.
        b"service.name" if value.starts_with("unknown_service") => Some(8),
        b"service.name" => Some(0),
        b"k8s.deployment.name" => Some(1),
        b"k8s.statefulset.name" | b"k8s.daemonset.name" | b"k8s.cronjob.name" => Some(2),
        b"k8s.container.name" => Some(3),
        b"k8s.pod.name" => Some(4),
        b"container.name" => Some(5),
        b"faas.name" => Some(6),
        b"process.executable.name" => Some(7),
        _ => None,
    }
}

fn read_resource<'a>(cursor: &mut Cursor<'a>) -> Result<Resource<'a>, Reject> {
    let mut resource = Resource::default();
    let mut service = Service::default();
    if !cursor.enter_object()? {
        return Ok(resource);
    }
    while let Some(key) = cursor.key()? {
        if key.raw != b"attributes" {
            cursor.skip()?;
            continue;
        }
        cursor.peek();
        let start = cursor.position();
        if cursor.enter_array()? {
            while cursor.element()? {
                if service.is_best() && cursor.likely_attribute() {
                    continue;
                }
                let (key, value) = key_value(cursor)?;
                // Only the keys that may name the service are worth a string.
                if service_rank(key.raw, "").is_some()
                    && let AnyValue::String(name) = value
                {
                    service.offer(key.raw, name.str());
                }
            }
        }
        resource.attributes = cursor.since(start);
    }
    resource.service = service.name;
    Ok(resource)
}

/// A `KeyValue`.
pub(super) fn key_value<'a>(cursor: &mut Cursor<'a>) -> Result<(Text<'a>, AnyValue<'a>), Reject> {
    if let Some((name, value, is_text)) = cursor.likely_pair() {
        let value = if is_text { AnyValue::String(value) } else { AnyValue::Scalar(Value::String(value)) };
        return Ok((name, value));
    }
    let mut name = Text::default();
    let mut value = AnyValue::Null;
    if cursor.enter_object()? {
        while let Some(key) = cursor.key()? {
            match key.raw {
                b"key" => {
                    if let Value::String(text) = cursor.value()? {
                        name = text;
                    }
                }
                // Jaeger's model has a field for each type.
                b"value" | b"vStr" | b"vBool" | b"vInt64" | b"vFloat64" | b"vBinary" => value = AnyValue::read(cursor)?,
                _ => cursor.skip()?,
            }
        }
    }
    Ok((name, value))
}

/// An array of `ScopeSpans` or `ScopeLogs`.
fn scopes<'a>(
    cursor: &mut Cursor<'a>,
    resource: &Resource<'a>,
    context: &Context,
    events: &mut Vec<Event<'a>>,
    unstamped: &mut Vec<Unstamped>,
) -> Result<(), Reject> {
    if !cursor.enter_array()? {
        return Ok(());
    }
    while cursor.element()? {
        if !cursor.enter_object()? {
            continue;
        }
        let first = events.len();
        let mut scope = Cow::Borrowed("");
        while let Some(key) = cursor.key()? {
            match key.raw {
                b"spans" => {
                    if cursor.enter_array()? {
                        while cursor.element()? {
                            room(events, cursor.position())?;
                            span(cursor, resource, events)?;
                        }
                    }
                }
                b"logRecords" | b"log_records" | b"logs" => {
                    if cursor.enter_array()? {
                        while cursor.element()? {
                            room(events, cursor.position())?;
                            log(cursor, resource, context, events, unstamped)?;
                        }
                    }
                }
                b"scope" | b"instrumentationLibrary" | b"instrumentation_library" => scope = scope_name(cursor)?,
                _ => cursor.skip()?,
            }
        }
        // A log record's logger is its scope, unless the record names its event.
        if !scope.is_empty() {
            for event in &mut events[first..] {
                if event.kind == Kind::Log && event.operation.is_empty() {
                    event.operation.clone_from(&scope);
                }
            }
        }
    }
    Ok(())
}

fn scope_name<'a>(cursor: &mut Cursor<'a>) -> Result<Cow<'a, str>, Reject> {
    let mut name = Cow::Borrowed("");
    if cursor.enter_object()? {
        while let Some(key) = cursor.key()? {
            if key.raw == b"name" {
                name = cursor.value()?.str().unwrap_or_default();
            } else {
                cursor.skip()?;
            }
        }
    }
    Ok(name)
}

/// Nanoseconds since the epoch; `None` for zero, which means unknown.
#[inline]
fn nanoseconds(cursor: &mut Cursor<'_>) -> Result<Option<i64>, Reject> {
    let number = match cursor.likely(value::nineteen_digits) {
        Some(number) => Some(number),
        None => value::unsigned(cursor.plain()?),
    };
    Ok(number.and_then(nonzero))
}

#[inline]
fn trace_id(cursor: &mut Cursor<'_>) -> Result<TraceId, Reject> {
    match cursor.likely(id::plain_trace) {
        Some(id) => Ok(id),
        None => cursor.plain().map(id::trace),
    }
}

#[inline]
fn span_id(cursor: &mut Cursor<'_>) -> Result<SpanId, Reject> {
    match cursor.likely(id::plain_span) {
        Some(id) => Ok(id),
        None => cursor.plain().map(id::span),
    }
}

/// The same of a number.
#[inline]
pub(super) fn nonzero(number: u64) -> Option<i64> {
    i64::try_from(number).ok().filter(|time| *time != 0)
}

#[derive(Clone, Copy)]
enum SpanField {
    Trace,
    Span,
    Parent,
    Name,
    Kind,
    Start,
    End,
    Attributes,
    Events,
    Status,
    Other,
}

/// The next key of a span. After one key, the next one in the order of the schema is tried first: that is how writers
/// write them, and a comparison costs less than a search.
#[inline]
fn span_field(cursor: &mut Cursor<'_>, last: SpanField) -> Result<Option<SpanField>, Reject> {
    use SpanField as F;
    let likely = match last {
        F::Trace if cursor.likely_key(b"\"traceId\":") => Some(F::Trace),
        F::Trace if cursor.likely_key(b"\"spanId\":") => Some(F::Span),
        F::Span if cursor.likely_key(b"\"parentSpanId\":") => Some(F::Parent),
        F::Span | F::Parent if cursor.likely_key(b"\"name\":") => Some(F::Name),
        F::Name if cursor.likely_key(b"\"kind\":") => Some(F::Kind),
        F::Kind if cursor.likely_key(b"\"startTimeUnixNano\":") => Some(F::Start),
        F::Start if cursor.likely_key(b"\"endTimeUnixNano\":") => Some(F::End),
        F::End if cursor.likely_key(b"\"attributes\":") => Some(F::Attributes),
        F::End | F::Attributes if cursor.likely_key(b"\"status\":") => Some(F::Status),
        _ => None,
    };
    if likely.is_some() {
        return Ok(likely);
    }
    let Some(key) = cursor.key()? else { return Ok(None) };
    Ok(Some(match key.raw {
        b"traceId" | b"trace_id" => F::Trace,
        b"spanId" | b"span_id" => F::Span,
        b"parentSpanId" | b"parent_span_id" => F::Parent,
        b"name" => F::Name,
        b"kind" => F::Kind,
        b"startTimeUnixNano" | b"start_time_unix_nano" => F::Start,
        b"endTimeUnixNano" | b"end_time_unix_nano" => F::End,
        b"attributes" => F::Attributes,
        b"status" => F::Status,
        b"events" => F::Events,
        _ => F::Other,
    }))
}

fn span<'a>(cursor: &mut Cursor<'a>, resource: &Resource<'a>, events: &mut Vec<Event<'a>>) -> Result<(), Reject> {
    cursor.peek();
    let from = cursor.position();
    if !cursor.enter_object()? {
        return Ok(());
    }
    let mut event = Event { service: resource.service.clone(), ..Event::default() };
    let (mut start, mut end) = (None, None);
    let mut own: &[u8] = &[];
    let mut happened: &[u8] = &[];
    let mut expected = SpanField::Trace;
    while let Some(field) = span_field(cursor, expected)? {
        expected = field;
        match field {
            SpanField::Trace => event.trace = trace_id(cursor)?,
            SpanField::Span => event.span = span_id(cursor)?,
            SpanField::Parent => event.parent = span_id(cursor)?,
            SpanField::Name => event.operation = cursor.value()?.str().unwrap_or_default(),
            SpanField::Kind => {
                event.kind = match cursor.likely_digit() {
                    Some(number) => span_kind_number(number.into()),
                    None => span_kind(cursor.plain()?),
                }
            }
            SpanField::Start => start = nanoseconds(cursor)?,
            SpanField::End => end = nanoseconds(cursor)?,
            SpanField::Attributes => own = cursor.attributes()?,
            SpanField::Status => (event.failed, event.message) = status(cursor)?,
            SpanField::Events => happened = cursor.raw()?,
            SpanField::Other => cursor.skip()?,
        }
    }
    event.time = end.or(start);
    event.duration = start.zip(end).map(|(start, end)| u64::try_from(end - start).unwrap_or(0));
    if event.failed && event.message.is_empty() && !happened.is_empty() {
        event.message = exception(happened)?;
    }
    event.attributes = Attributes::OtlpJson { own, resource: resource.attributes };
    event.raw = cursor.since(from);
    events.push(event);
    Ok(())
}

#[inline]
fn span_kind(text: &[u8]) -> Kind {
    match text {
        b"2" | b"SPAN_KIND_SERVER" => Kind::Server,
        b"3" | b"SPAN_KIND_CLIENT" => Kind::Client,
        b"4" | b"SPAN_KIND_PRODUCER" => Kind::Producer,
        b"5" | b"SPAN_KIND_CONSUMER" => Kind::Consumer,
        _ => Kind::Internal,
    }
}

/// The same of the number alone.
#[inline]
pub(super) const fn span_kind_number(number: u64) -> Kind {
    match number {
        2 => Kind::Server,
        3 => Kind::Client,
        4 => Kind::Producer,
        5 => Kind::Consumer,
        _ => Kind::Internal,
    }
}

/// Whether the status is an error, and its message.
fn status<'a>(cursor: &mut Cursor<'a>) -> Result<(bool, Cow<'a, str>), Reject> {
    let (mut failed, mut message) = (false, Cow::Borrowed(""));
    if cursor.likely_empty() {
        return Ok((failed, message));
    }
    if cursor.enter_object()? {
        while let Some(key) = cursor.key()? {
            match key.raw {
                b"code" => failed = matches!(cursor.plain()?, b"2" | b"STATUS_CODE_ERROR"),
                b"message" => message = cursor.value()?.str().unwrap_or_default(),
                _ => cursor.skip()?,
            }
        }
    }
    if !failed {
        message = Cow::Borrowed("");
    }
    Ok((failed, message))
}

/// What the last exception among a span's events says, or else its type.
fn exception(events: &[u8]) -> Result<Cow<'_, str>, Reject> {
    let (mut message, mut class) = (Cow::Borrowed(""), Cow::Borrowed(""));
    let mut cursor = Cursor::new(events);
    if !cursor.enter_array()? {
        return Ok(message);
    }
    while cursor.element()? {
        if !cursor.enter_object()? {
            continue;
        }
        while let Some(key) = cursor.key()? {
            if key.raw != b"attributes" || !cursor.enter_array()? {
                if key.raw != b"attributes" {
                    cursor.skip()?;
                }
                continue;
            }
            while cursor.element()? {
                let (key, value) = key_value(&mut cursor)?;
                match key.raw {
                    b"exception.message" => message = value.text(),
                    b"exception.type" => class = value.text(),
                    _ => {}
                }
            }
        }
    }
    Ok(if message.is_empty() { class } else { message })
}

fn log<'a>(
    cursor: &mut Cursor<'a>,
    resource: &Resource<'a>,
    context: &Context,
    events: &mut Vec<Event<'a>>,
    unstamped: &mut Vec<Unstamped>,
) -> Result<(), Reject> {
    cursor.peek();
    let from = cursor.position();
    if !cursor.enter_object()? {
        return Ok(());
    }
    let mut event = Event { kind: Kind::Log, service: resource.service.clone(), ..Event::default() };
    let (mut time, mut observed) = (None, None);
    let (mut number, mut word) = (Value::Null, Value::Null);
    let mut own: &[u8] = &[];
    while let Some(key) = cursor.key()? {
        match key.raw {
            b"timeUnixNano" | b"time_unix_nano" => time = nanoseconds(cursor)?,
            b"observedTimeUnixNano" | b"observed_time_unix_nano" => observed = nanoseconds(cursor)?,
            b"severityNumber" | b"severity_number" => number = cursor.value()?,
            b"severityText" | b"severity_text" => word = cursor.value()?,
            b"body" => event.message = AnyValue::read(cursor)?.text(),
            b"traceId" | b"trace_id" => event.trace = trace_id(cursor)?,
            b"spanId" | b"span_id" => event.span = span_id(cursor)?,
            b"eventName" | b"event_name" => event.operation = cursor.value()?.str().unwrap_or_default(),
            b"attributes" => own = cursor.attributes()?,
            _ => cursor.skip()?,
        }
    }
    event.time = time.or(observed);
    event.attributes = Attributes::OtlpJson { own, resource: resource.attributes };
    event.raw = cursor.since(from);
    event.level = severity(number, word);
    body::plain(&mut event.message);
    if event.level == Level::Unset {
        // Collectors that ship lines as they are leave all there is to know in the body.
        body::read(&mut event, false, context, 0);
    }
    if time.or(observed).is_none() {
        unstamped.push((events.len(), event.time.take()));
    }
    event.failed |= event.level >= Level::Error;
    events.push(event);
    Ok(())
}

/// `SeverityNumber`, by number or by name (`SEVERITY_NUMBER_WARN2`), else the text of the severity.
fn severity(number: Value<'_>, word: Value<'_>) -> Level {
    let by_number = match number {
        Value::String(Text { raw }) if raw.starts_with(b"SEVERITY_NUMBER_") => {
            let name = &raw["SEVERITY_NUMBER_".len()..];
            super::level::word(
                name.strip_suffix(b"2").or(name.strip_suffix(b"3")).or(name.strip_suffix(b"4")).unwrap_or(name),
            )
        }
        _ => super::level::otlp(number.unsigned().unwrap_or(0)),
    };
    if by_number == Level::Unset {
        word.str().map_or(Level::Unset, |word| super::level::word(word.as_bytes()))
    } else {
        by_number
    }
}
