//! Ids of traces and spans in the words of a line: what joins a log record to the span it was written in.
//!
//! Known are `trace_id=…`, `traceId: …`, `dd.trace_id=…` (a decimal number), `traceparent=00-…` (W3C Trace Context),
//! `X-Amzn-Trace-Id: Root=1-…` (AWS X-Ray), and `[service,trace,span]` (Spring Cloud Sleuth).

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::id;
use crate::event::{Event, SpanId, TraceId};

/// What `trace` and `Trace` have in common; hardly any line has it.
static RACE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("race"));

/// Take the ids that a text names over into an event that has none.
#[inline]
pub(super) fn read(text: &str, event: &mut Event<'_>) {
    let bytes = text.as_bytes();
    if event.trace != [0; 16] {
        return;
    }
    for at in RACE.find_iter(bytes) {
        if at == 0 || !matches!(bytes.get(at - 1), Some(b't' | b'T')) {
            continue;
        }
        let Some(after) = bytes.get(at + 4..) else { return };
        if let Some(value) = after.strip_prefix(b"parent").and_then(value) {
            (event.trace, event.span) = parent(value);
        } else if let Some(value) = after.strip_prefix(b"-Id").or_else(|| after.strip_prefix(b"-ID")).and_then(value) {
            event.trace = amazon(value);
        } else {
            let decimal = bytes.get(..at - 1).is_some_and(|before| before.ends_with(b"dd."));
            if let Some(value) = key(after, b"id").and_then(value).or_else(|| value(after)) {
                event.trace = if decimal { number(value).to_be_bytes() } else { id::trace(whole(value)) };
            }
        }
        if event.trace != [0; 16] {
            break;
        }
    }
    if event.trace != [0; 16] && event.span == 0 {
        span(bytes, event);
    }
}

fn span(bytes: &[u8], event: &mut Event<'_>) {
    for at in memchr::memmem::find_iter(bytes, b"pan") {
        let Some(before) = at.checked_sub(1).and_then(|at| bytes.get(..=at)) else { continue };
        let Some(after) = bytes.get(at + 3..) else { return };
        if !before.ends_with(b"s") && !before.ends_with(b"S") {
            continue;
        }
        let name = before.get(..before.len() - 1).unwrap_or_default();
        let Some(value) = key(after, b"id").and_then(value) else { continue };
        if name.ends_with(b"dd.") {
            event.span = u64::try_from(number(value)).unwrap_or_default();
        } else if name.ends_with(b"arent_") || name.ends_with(b"arent") {
            event.parent = id::span(value);
        } else {
            event.span = id::span(value);
        }
    }
}

/// What follows a name's last part, `_id`, `Id` or `ID`.
fn key<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let text = text.strip_prefix(b"_").or_else(|| text.strip_prefix(b".")).unwrap_or(text);
    let (found, after) = text.split_at_checked(name.len())?;
    found.eq_ignore_ascii_case(name).then_some(after)
}

/// The value after an equals sign or a colon, with or without quotes.
fn value(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    let text = text.strip_prefix(b"=").or_else(|| text.strip_prefix(b":"))?;
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    let end = |byte: &u8| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'/' | b'=' | b';' | b'_'));
    let length = text.iter().position(end).unwrap_or(text.len());
    text.get(..length).filter(|value| value.len() >= 8)
}

/// Google's is `projects/ID/traces/TRACE`.
fn whole(value: &[u8]) -> &[u8] {
    value.rsplit(|byte| *byte == b'/').next().unwrap_or(value)
}

fn number(text: &[u8]) -> u128 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// `00-TRACE-SPAN-01`
fn parent(value: &[u8]) -> (TraceId, SpanId) {
    let mut parts = value.split(|byte| *byte == b'-').skip(1);
    (id::trace(parts.next().unwrap_or_default()), id::span(parts.next().unwrap_or_default()))
}

/// The trace of `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=…`: its time and its id are the halves of one of 16 bytes.
pub(super) fn amazon(value: &[u8]) -> TraceId {
    let mut digits = [0; 32];
    let Some(root) = memchr::memmem::find(value, b"Root=1-").and_then(|at| value.get(at + 7..)) else {
        return [0; 16];
    };
    let Some(root) = root.get(..33).filter(|root| root.get(8) == Some(&b'-')) else { return [0; 16] };
    let (time, rest) = root.split_at(8);
    digits[..8].copy_from_slice(time);
    digits[8..].copy_from_slice(&rest[1..]);
    id::trace(&digits)
}

/// The ids in `[service,trace,span]` or `[service,trace,span,true]`, and the service; None if a text is none.
pub(super) fn sleuth(inner: &str) -> Option<(&str, TraceId, SpanId)> {
    let mut parts = inner.split(',').map(str::trim);
    let (service, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    let long = matches!(trace.len(), 16 | 32) && span.len() == 16 || trace.is_empty() && span.is_empty();
    let hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (long && hexadecimal(trace) && hexadecimal(span))
        .then(|| (service, id::trace(trace.as_bytes()), id::span(span.as_bytes())))
}
