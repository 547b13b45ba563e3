//! OTLP/protobuf: spans and log records of a request (opentelemetry-proto 1.x), in any framing of [`super::otlp_frames`].
//!
//! Requests of traces, logs, metrics and profiles are built alike and do not say which they are. The fields of what they
//! carry do, by number and wire type: a span's first is its trace id, a log record's its time. Where they leave it open,
//! the request is rejected, and so are metrics and profiles. The events are those of the same request in JSON.

use std::borrow::Cow;

use super::otlp::{Service, nonzero, service_rank, span_kind_number};
use super::otlp_frames::{self, Start};
use super::proto_value::{AnyValue, key_value};
use super::reject::Reject;
use super::wire::{Field, Message};
use super::{Context, body, level, room};
use crate::event::{Attributes, Event, Kind, Level};

/// What a request carries: a set of bits while it is not known yet.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Signal(u8);

impl Signal {
    const SPANS: Self = Self(1);
    const LOGS: Self = Self(2);
    const METRICS: Self = Self(4);
    const PROFILES: Self = Self(8);
    const ANY: Self = Self(15);

    /// Which of them have a field of that number and wire type.
    fn with(number: u32, field: &Field<'_>) -> Self {
        let (spans, logs, metrics, profiles) = (Self::SPANS.0, Self::LOGS.0, Self::METRICS.0, Self::PROFILES.0);
        let name = |value: &Message<'_>| if is_name(value) { metrics } else { 0 };
        let id = |value: &Message<'_>, length| {
            if matches!(value.bytes().len(), 0) || value.bytes().len() == length { spans } else { 0 }
        };
        Self(match (number, field) {
            (1, Field::Bytes(value)) => id(value, 16) | name(value) | if is_numbers(*value) { profiles } else { 0 },
            (2, Field::Bytes(value)) => id(value, 8) | name(value) | profiles,
            (17.., _) | (3 | 5 | 9, Field::Bytes(_)) => Self::ANY.0,
            (4 | 13, Field::Bytes(_)) | (6 | 10, Field::Varint(_)) => spans | profiles,
            (6, Field::Bytes(_)) | (7, Field::Varint(_)) => logs | profiles,
            (7, Field::Bytes(_)) => metrics | profiles,
            (10 | 12, Field::Bytes(_)) => logs | metrics | profiles,
            (11, Field::Bytes(_)) => spans | metrics | profiles,
            (15, Field::Bytes(_))
            | (7 | 8, Field::Fixed64(_))
            | (16, Field::Fixed32(_))
            | (12 | 14, Field::Varint(_)) => spans,
            (1 | 11, Field::Fixed64(_)) | (8, Field::Fixed32(_)) | (2, Field::Varint(_)) => logs,
            (8, Field::Bytes(_)) | (2 | 3, Field::Fixed64(_)) | (3..=5 | 8 | 9, Field::Varint(_)) => profiles,
            _ => 0,
        })
    }
}

/// Whether it may be what a metric is called, or its description.
fn is_name(value: &Message<'_>) -> bool {
    std::str::from_utf8(value.bytes()).is_ok_and(|text| !text.contains(|c: char| c.is_control() && !c.is_whitespace()))
}

/// Whether it may be the type of a profile's values: a message of whole numbers.
fn is_numbers(mut value: Message<'_>) -> bool {
    loop {
        match value.field() {
            Ok(None) => return true,
            Ok(Some((1..=3, Field::Varint(_)))) => {}
            _ => return false,
        }
    }
}

/// Decode a record: a request with whatever stands before it.
pub(super) fn record<'a>(record: &'a [u8], context: &Context, events: &mut Vec<Event<'a>>) -> Result<(), Reject> {
    let start = match otlp_frames::start(record) {
        Start::Prefixed(prefix, _) => prefix,
        Start::Bare(_) => 0,
        // Up to four zeros are the length of a request without anything in it.
        _ if record.len() <= 4 && record.iter().all(|byte| *byte == 0) => return Ok(()),
        Start::No | Start::More => return Err(Reject::protobuf(0)),
    };
    let request = Message::within(record, start);
    match signal(request)? {
        Some(Signal::SPANS) => resources(request, &mut |part, resource, events| span(part, resource, events), events),
        Some(Signal::LOGS) => {
            resources(request, &mut |part, resource, events| log(part, resource, context, events), events)
        }
        Some(Signal::METRICS) => Err(Reject::metrics(start)),
        Some(Signal::PROFILES) => Err(Reject::profiles(start)),
        Some(_) => Err(Reject::unclear(start)),
        None => Ok(()),
    }
}

/// Whether a stream starts with a request; `decided` if there are no more bytes to ask for. `None` if it takes more.
///
/// Text may start as a request does: one that is all there is read as a whole.
pub(super) fn detect(head: &[u8], decided: bool) -> Option<bool> {
    let length = match otlp_frames::start(head) {
        Start::No => return Some(false),
        Start::More => return decided.then_some(false),
        start => start.length().unwrap_or_default(),
    };
    match head.get(..length) {
        Some(request) => {
            let read = record(request, &Context::default(), &mut Vec::new());
            Some(read.is_ok() || read.is_err_and(Reject::is_otlp))
        }
        // Text has no bytes such as the tags of messages in messages.
        None => decided.then(|| head.iter().any(|byte| matches!(byte, 0..=8 | 14..=31))),
    }
}

/// What a request carries; `None` if it carries nothing.
fn signal(request: Message<'_>) -> Result<Option<Signal>, Reject> {
    let (mut signal, mut any) = (Signal::ANY, false);
    let mut request = request;
    while let Some((number, field)) = request.field()? {
        let Field::Bytes(mut part) = field else { continue };
        if number == 2 {
            return Ok(Some(Signal::PROFILES));
        }
        while let Some((number, field)) = part.field()? {
            let (2 | 1000, Field::Bytes(mut scope)) = (number, field) else { continue };
            while let Some((number, field)) = scope.field()? {
                let (2, Field::Bytes(mut one)) = (number, field) else { continue };
                any = true;
                while let Some((number, field)) = one.field()? {
                    signal.0 &= Signal::with(number, &field).0;
                    if signal.0.count_ones() < 2 {
                        return Ok(Some(signal));
                    }
                }
            }
        }
    }
    Ok(any.then_some(signal))
}

/// Who the spans and records around belong to.
#[derive(Clone, Default)]
struct Resource<'a> {
    service: Cow<'a, str>,
    attributes: &'a [u8],
}

type Decode<'a, 'c> = dyn FnMut(Message<'a>, &Resource<'a>, &mut Vec<Event<'a>>) -> Result<(), Reject> + 'c;

/// The events of a request, each `ResourceSpans` or `ResourceLogs` after the other.
fn resources<'a>(
    mut request: Message<'a>,
    decode: &mut Decode<'a, '_>,
    events: &mut Vec<Event<'a>>,
) -> Result<(), Reject> {
    while let Some((number, field)) = request.field()? {
        let (1, Field::Bytes(mut part)) = (number, field) else { continue };
        let first = events.len();
        let mut resource = Resource::default();
        while let Some((number, field)) = part.field()? {
            match (number, field) {
                (1, Field::Bytes(message)) => {
                    resource = read_resource(message)?;
                    // Scopes may stand before it.
                    for event in &mut events[first..] {
                        event.service.clone_from(&resource.service);
                        if let Attributes::OtlpProto { resource: attributes, .. } = &mut event.attributes {
                            *attributes = resource.attributes;
                        }
                    }
                }
                (2 | 1000, Field::Bytes(scope)) => in_scope(scope, &resource, decode, events)?,
                _ => {}
            }
        }
    }
    Ok(())
}

fn read_resource(message: Message<'_>) -> Result<Resource<'_>, Reject> {
    let mut service = Service::default();
    let mut fields = message;
    while let Some((number, field)) = fields.field()? {
        let (1, Field::Bytes(pair)) = (number, field) else { continue };
        let (key, value) = key_value(pair)?;
        if service_rank(key.bytes(), "").is_some()
            && let AnyValue::String(name) = value
        {
            service.offer(key.bytes(), name.str());
        }
    }
    Ok(Resource { service: service.name, attributes: message.bytes() })
}

/// The events of a `ScopeSpans` or `ScopeLogs`.
fn in_scope<'a>(
    mut scope: Message<'a>,
    resource: &Resource<'a>,
    decode: &mut Decode<'a, '_>,
    events: &mut Vec<Event<'a>>,
) -> Result<(), Reject> {
    let first = events.len();
    let mut logger = Cow::Borrowed("");
    let mut from = scope.position();
    while let Some((number, field)) = scope.field()? {
        match (number, field) {
            (1, Field::Bytes(mut named)) => {
                while let Some((number, field)) = named.field()? {
                    if let (1, Field::Bytes(name)) = (number, field) {
                        logger = name.str();
                    }
                }
            }
            (2, Field::Bytes(one)) => {
                room(events, scope.position())?;
                decode(one, resource, events)?;
                if let Some(event) = events[first..].last_mut() {
                    event.raw = scope.since(from);
                }
            }
            _ => {}
        }
        from = scope.position();
    }
    // A log record's logger is its scope, unless the record names its event.
    if !logger.is_empty() {
        for event in &mut events[first..] {
            if event.kind == Kind::Log && event.operation.is_empty() {
                event.operation.clone_from(&logger);
            }
        }
    }
    Ok(())
}

/// A trace id of 16 bytes; of any other length, none.
fn trace_id(bytes: &[u8]) -> crate::event::TraceId {
    bytes.try_into().unwrap_or_default()
}

/// A span id of 8 bytes; of any other length, none.
fn span_id(bytes: &[u8]) -> crate::event::SpanId {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}

fn span<'a>(message: Message<'a>, resource: &Resource<'a>, events: &mut Vec<Event<'a>>) -> Result<(), Reject> {
    let mut event = Event { service: resource.service.clone(), ..Event::default() };
    let (mut start, mut end) = (None, None);
    let mut fields = message;
    while let Some((number, field)) = fields.field()? {
        match (number, field) {
            (1, Field::Bytes(id)) => event.trace = trace_id(id.bytes()),
            (2, Field::Bytes(id)) => event.span = span_id(id.bytes()),
            (4, Field::Bytes(id)) => event.parent = span_id(id.bytes()),
            (5, Field::Bytes(name)) => event.operation = name.str(),
            (6, Field::Varint(kind)) => event.kind = span_kind_number(kind),
            (7, Field::Fixed64(time)) => start = nonzero(time),
            (8, Field::Fixed64(time)) => end = nonzero(time),
            (15, Field::Bytes(mut status)) => {
                while let Some((number, field)) = status.field()? {
                    match (number, field) {
                        (2, Field::Bytes(text)) => event.message = text.str(),
                        (3, Field::Varint(code)) => event.failed = code == 2,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    event.time = end.or(start);
    event.duration = start.zip(end).map(|(start, end)| u64::try_from(end - start).unwrap_or(0));
    if !event.failed {
        event.message = Cow::Borrowed("");
    } else if event.message.is_empty() {
        event.message = exception(message)?;
    }
    event.attributes = Attributes::OtlpProto { own: message.bytes(), field: 9, resource: resource.attributes };
    events.push(event);
    Ok(())
}

/// What the last exception among a span's events says, or else its type.
fn exception(mut span: Message<'_>) -> Result<Cow<'_, str>, Reject> {
    let (mut message, mut class) = (Cow::Borrowed(""), Cow::Borrowed(""));
    while let Some((number, field)) = span.field()? {
        let (11, Field::Bytes(mut happened)) = (number, field) else { continue };
        while let Some((number, field)) = happened.field()? {
            let (3, Field::Bytes(pair)) = (number, field) else { continue };
            let (key, value) = key_value(pair)?;
            match key.bytes() {
                b"exception.message" => message = value.text(),
                b"exception.type" => class = value.text(),
                _ => {}
            }
        }
    }
    Ok(if message.is_empty() { class } else { message })
}

fn log<'a>(
    message: Message<'a>,
    resource: &Resource<'a>,
    context: &Context,
    events: &mut Vec<Event<'a>>,
) -> Result<(), Reject> {
    let mut event = Event { kind: Kind::Log, service: resource.service.clone(), ..Event::default() };
    let (mut time, mut observed) = (None, None);
    let mut fields = message;
    while let Some((number, field)) = fields.field()? {
        match (number, field) {
            (1, Field::Fixed64(at)) => time = nonzero(at),
            (11, Field::Fixed64(at)) => observed = nonzero(at),
            (2, Field::Varint(number)) if level::otlp(number) != Level::Unset => event.level = level::otlp(number),
            (3, Field::Bytes(word)) if event.level == Level::Unset => event.level = level::word(word.bytes()),
            (5, Field::Bytes(body)) => event.message = AnyValue::read(body)?.text(),
            (9, Field::Bytes(id)) => event.trace = trace_id(id.bytes()),
            (10, Field::Bytes(id)) => event.span = span_id(id.bytes()),
            (12, Field::Bytes(name)) => event.operation = name.str(),
            _ => {}
        }
    }
    event.time = time.or(observed);
    event.attributes = Attributes::OtlpProto { own: message.bytes(), field: 6, resource: resource.attributes };
    body::plain(&mut event.message);
    if event.level == Level::Unset {
        // Collectors that ship lines as they are leave all there is to know in the body.
        body::read(&mut event, false, context, 0);
    }
    event.failed |= event.level >= Level::Error;
    events.push(event);
    Ok(())
}
