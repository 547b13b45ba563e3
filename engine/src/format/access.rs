//! Access logs in the common and the combined format and what servers add to them: whatever stands before the bracketed
//! time, the request, the status, the bytes, and how long it took.
//!
//! A request that was served is a span of its server, named by its method and its path. What has no request in it (`"-"`,
//! rubbish sent to an open port) stays a log record.

use std::borrow::Cow;

use super::attributes::Attribute;
use super::{Context, proxy, time};
use crate::event::{Attributes, Event, Kind};

/// Read a line of an access log whose time stands within the first `head` bytes. False if it is none.
pub(super) fn read<'a>(text: &'a str, head: usize, event: &mut Event<'a>, context: &Context) -> bool {
    let bytes = text.as_bytes();
    let near = bytes.get(..head).unwrap_or(bytes);
    let Some((start, found, end)) = memchr::memchr_iter(b'[', near).find_map(|at| {
        let inside = bytes.get(at + 1..)?;
        // Only `[24/Nov/2026:`: other times in brackets are of other lines.
        if inside.get(2) != Some(&b'/') {
            return None;
        }
        let (found, length) = time::prefix(inside, context)?;
        let end = at + 1 + length;
        (bytes.get(end) == Some(&b']')).then_some((at, found, end + 1))
    }) else {
        return false;
    };
    let (Some(before), Some(after)) = (text.get(..start), text.get(end..)) else { return false };
    let after = after.trim_start();
    event.time = Some(found);
    event.message = Cow::Borrowed(after);
    if !after.starts_with('"') && (proxy::haproxy(after, event) || proxy::s3(after, event)) {
        return true;
    }
    // Quotes within the request are escaped by every server.
    let Some((request, result)) = quoted(after) else { return true };
    let status = first_status(result);
    if served(request, status, event) {
        event.duration = took(result);
        event.attributes = Attributes::Request(bytes);
        if event.service.is_empty() {
            event.service = Cow::Borrowed(virtual_host(before));
        }
    } else if status.is_some_and(|status| status >= 500) {
        event.failed = true;
    }
    true
}

/// The text in the first quotes, and what follows them.
pub(super) fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.get(memchr::memchr(b'"', text.as_bytes())? + 1..)?;
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', inner.as_bytes().get(at..)?)?;
        if inner.as_bytes().get(at) == Some(&b'"') {
            return Some((inner.get(..at)?, inner.get(at + 1..)?.trim_start()));
        }
        at += 2;
    }
}

/// A status of HTTP.
pub(super) fn status(text: &str) -> Option<u16> {
    (text.len() == 3).then(|| text.parse().ok())?.filter(|status| (100..600).contains(status))
}

/// The status that a text starts with.
fn first_status(text: &str) -> Option<u16> {
    match text.as_bytes() {
        [_, _, _] | [_, _, _, b' ', ..] => status(text.get(..3)?),
        _ => None,
    }
}

/// Make an event a request that was served. False if there is no request in the text.
pub(super) fn served<'a>(request: &'a str, status: Option<u16>, event: &mut Event<'a>) -> bool {
    let length = request.bytes().position(|byte| !byte.is_ascii_uppercase() && byte != b'-').unwrap_or(0);
    let (method, Some(target)) = (&request[..length], request[length..].strip_prefix(' ')) else { return false };
    if !is_method(method) {
        return false;
    }
    // Where the two stand side by side, their name need not be written anew.
    if target.starts_with('/') {
        let end = target.bytes().position(ends_path).unwrap_or(target.len());
        outcome(status, event);
        event.operation = Cow::Borrowed(&request[..method.len() + 1 + end]);
        return true;
    }
    let target = target.trim_start_matches(' ');
    done(method, target.split(' ').next().unwrap_or(target), status, event);
    true
}

const fn ends_path(byte: u8) -> bool {
    matches!(byte, b'?' | b';' | b'#' | b' ')
}

fn outcome(status: Option<u16>, event: &mut Event<'_>) {
    event.kind = Kind::Server;
    event.failed = status.is_some_and(|status| status >= 500);
    event.message = Cow::Borrowed(if event.failed { reason(status.unwrap_or_default()) } else { "" });
}

/// Make an event a request that was served, of which method and target are known.
pub(super) fn done(method: &str, target: &str, status: Option<u16>, event: &mut Event<'_>) {
    outcome(status, event);
    event.operation = Cow::Owned(format!("{method} {}", path(target)));
}

/// The path of a target, without its query.
fn path(target: &str) -> &str {
    let path = match target.split_once("://") {
        Some((_, after)) if !target.starts_with('/') => after.find('/').map_or("/", |at| &after[at..]),
        _ => target,
    };
    &path[..path.bytes().position(ends_path).unwrap_or(path.len())]
}

pub(super) fn is_method(word: &str) -> bool {
    (3..=16).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
}

/// What a status says that means the server failed.
pub(super) const fn reason(status: u16) -> &'static str {
    match status {
        501 => "501 Not Implemented",
        502 => "502 Bad Gateway",
        503 => "503 Service Unavailable",
        504 => "504 Gateway Timeout",
        505 => "505 HTTP Version Not Supported",
        507 => "507 Insufficient Storage",
        _ => "500 Internal Server Error",
    }
}

/// `shop.example.com:443 10.0.0.1 - - `, as Apache writes lines of several hosts into one file.
fn virtual_host(before: &str) -> &str {
    if before.starts_with(|c: char| c.is_ascii_digit()) {
        return "";
    }
    let Some((first, rest)) = before.split_once(' ') else { return "" };
    let Some((name, port)) = first.split_once(':') else { return "" };
    let named = name.bytes().any(|byte| byte.is_ascii_alphabetic()) && name != "localhost";
    let address = rest.starts_with(|c: char| c.is_ascii_digit());
    let port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if named && port && address { name } else { "" }
}

/// How long a request took, in nanoseconds, where a server was told to add it: seconds with a fraction (nginx), a number
/// with its unit (Traefik), `rt=0.123`, or microseconds at the end (`%D` of Apache). `result` begins with the status.
pub(super) fn took(result: &str) -> Option<u64> {
    let mut numbers = 0;
    let mut last = None;
    let mut rest = result.trim_end();
    // Most lines end with the agent, and have nothing more.
    if rest.ends_with('"') && memchr::memchr_iter(b'"', rest.as_bytes()).nth(4).is_none() {
        return None;
    }
    for position in 0.. {
        let (token, is_quoted, after) = token(rest)?;
        rest = after;
        last = None;
        // The status and the bytes.
        if position >= 2 || !token.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
            match measure(token, is_quoted) {
                Measure::Time(time) => return Some(time),
                Measure::Number(number) => {
                    numbers += 1;
                    last = Some(number);
                }
                Measure::None => {}
            }
        }
        if rest.is_empty() {
            break;
        }
    }
    // One that is small may be whole seconds: it cannot be told.
    last.filter(|number| numbers == 1 && *number >= 10).and_then(|number| number.checked_mul(1000))
}

enum Measure {
    Time(u64),
    Number(u64),
    None,
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn measure(token: &str, is_quoted: bool) -> Measure {
    if let Some((name, value)) = token.split_once('=') {
        let value = value.trim_matches(['"', ',', ';']);
        let unit = match name {
            "rt" | "request_time" | "req_time" | "rtime" | "time" | "response_time" | "resp_time" | "took"
            | "elapsed" | "latency" | "duration" => None,
            "request_time_ms" | "duration_ms" | "response_time_ms" | "latency_ms" | "ms" => Some(1e6),
            "D" | "request_time_us" | "duration_us" | "us" => Some(1e3),
            "T" => Some(1e9),
            _ => return Measure::None,
        };
        return match (super::value::float(value.as_bytes()), unit) {
            (Some(number), Some(unit)) if number >= 0.0 => Measure::Time((number * unit).round() as u64),
            (Some(number), None) if value.contains('.') && number >= 0.0 => {
                Measure::Time((number * 1e9).round() as u64)
            }
            _ => super::duration::with_unit(value.as_bytes()).map_or(Measure::None, Measure::Time),
        };
    }
    // `**0/116075**`
    let token = token.trim_matches('*').rsplit('/').next().unwrap_or(token);
    if !token.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return Measure::None;
    }
    if let Some((whole, fraction)) = token.split_once('.') {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        // A ratio has two decimals.
        if digits(whole) && digits(fraction) && fraction.len() >= 3 {
            let seconds = super::value::float(token.as_bytes()).unwrap_or_default();
            return Measure::Time((seconds * 1e9).round() as u64);
        }
    }
    if token.ends_with('s')
        && let Some(time) = super::duration::with_unit(token.as_bytes())
    {
        return Measure::Time(time);
    }
    match super::value::unsigned(token.as_bytes()) {
        Some(number) if !is_quoted => Measure::Number(number),
        _ => Measure::None,
    }
}

/// The next token of a text, whether it was in quotes, and what follows it.
pub(super) fn token(text: &str) -> Option<(&str, bool, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    if text.starts_with('"') {
        let (inner, after) = quoted(text)?;
        return Some((inner, true, after));
    }
    if text.is_empty() {
        return None;
    }
    let end = text.bytes().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(text.len());
    Some((text.get(..end)?, false, text.get(end..)?.trim_start_matches([' ', '\t'])))
}

/// What a line says of a request, by OpenTelemetry's names: one after the other, those it has not passed over.
pub(super) fn attribute(line: &[u8], at: usize) -> Option<(&'static str, Attribute<'_>)> {
    let line = std::str::from_utf8(line).ok()?;
    let (before, after) = line.split_once("] \"")?;
    let (request, result) = quoted(&line[before.len() + 2..])?;
    debug_assert!(after.len() < line.len());
    let mut request = request.splitn(3, ' ');
    let mut words = before.split(' ');
    let client = words.find(|word| word.contains(['.', ':']) && word.starts_with(|c: char| c.is_ascii_hexdigit()));
    let (code, _, rest) = token(result)?;
    let (size, _, rest) = token(rest).unwrap_or_default();
    let (referer, _, rest) = token(rest).unwrap_or_default();
    let (agent, _, _) = token(rest).unwrap_or_default();
    let text = |text: &'_ str| {
        (!matches!(text, "" | "-")).then_some(text).map(|text| Attribute::Text(Cow::Owned(text.to_owned())))
    };
    let number = |text: &str| text.parse().ok().map(Attribute::Int);
    let all = [
        ("client.address", client.and_then(text)),
        ("http.request.method", request.next().and_then(text)),
        ("url.path", request.next().and_then(text)),
        ("http.response.status_code", number(code)),
        ("http.response.body.size", number(size)),
        ("http.request.header.referer", text(referer)),
        ("user_agent.original", text(agent)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).nth(at)
}
