//! Requests as proxies, load balancers and application servers write them, each in its own way: `HAProxy`, Envoy, AWS, Squid,
//! uWSGI, gin.

use std::borrow::Cow;

use super::access::{self, done, quoted, served, status, token};
use super::{Context, time, value};
use crate::event::{Event, Kind};

/// Seconds with a fraction, in nanoseconds; None where they are negative: it did not come to that.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn seconds(text: &str) -> Option<u64> {
    // The cast saturates.
    value::float(text.as_bytes()).filter(|number| *number >= 0.0).map(|number| (number * 1e9).round() as u64)
}

fn milliseconds(text: &str) -> Option<u64> {
    value::unsigned(text.trim_start_matches('+').as_bytes())?.checked_mul(1_000_000)
}

/// Servers that write a request when it ends, with the time at which it began: that it ended is later by what it took.
fn began(event: &mut Event<'_>) {
    let took = event.duration.and_then(|took| i64::try_from(took).ok()).unwrap_or(0);
    event.time = event.time.map(|time| time.saturating_add(took));
}

/// What follows `HAProxy`'s time: `http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET / HTTP/1.1"`, or
/// of TCP: `fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0`. The last of the timers is the whole.
pub(super) fn haproxy<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    let mut words = text.split(' ');
    let (Some(front), Some(back), Some(timers)) = (words.next(), words.next(), words.next()) else { return false };
    let count = timers.split('/').count();
    let numbers = timers.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'/' | b'-' | b'+'));
    if !back.contains('/') || !numbers || !(3..=5).contains(&count) {
        return false;
    }
    let total = timers.rsplit('/').next().and_then(milliseconds);
    if count < 5 {
        let state = words.nth(1).unwrap_or_default();
        event.kind = Kind::Server;
        event.operation = Cow::Borrowed(front.trim_end_matches('~'));
        event.duration = total;
        // `sC`: the server timed out while connecting. What the client ends is its own affair.
        event.failed = state.starts_with(['S', 's', 'P', 'R', 'I', 'D', 'L', 'U', 'K']);
        event.message = Cow::Borrowed(if event.failed { state } else { "" });
        began(event);
        return true;
    }
    let code = words.next().unwrap_or_default();
    let Some((request, _)) = text.rfind(" \"").and_then(|at| quoted(&text[at..])) else { return false };
    if !served(request, status(code), event) {
        // `<BADREQ>`
        event.kind = Kind::Server;
        event.operation = Cow::Borrowed(request);
        event.message = Cow::Borrowed("");
        event.failed = status(code).is_some_and(|status| status >= 500);
    }
    event.duration = total;
    began(event);
    true
}

/// What follows the time in a log of Amazon S3: `192.0.2.3 - 3E57427F3EXAMPLE REST.GET.OBJECT key "GET /key HTTP/1.1" 200 -
/// 113 - 7 6 "-" "S3Console/0.4"`, with the whole time and the server's own in milliseconds.
pub(super) fn s3<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    let Some(operation) = text.split(' ').nth(3) else { return false };
    if !["REST.", "WEBSITE.", "BATCH.", "S3.", "SOAP."].iter().any(|start| operation.starts_with(start)) {
        return false;
    }
    let Some((_, result)) = quoted(text) else { return false };
    let mut words = result.split(' ');
    let status = words.next().and_then(status);
    event.kind = Kind::Server;
    // Keys are without number.
    event.operation = Cow::Borrowed(operation);
    event.duration = words.nth(3).and_then(milliseconds);
    event.failed = status.is_some_and(|status| status >= 500);
    event.message = Cow::Borrowed(if event.failed { access::reason(status.unwrap_or_default()) } else { "" });
    began(event);
    true
}

/// What follows a time that was read already, in logs of Envoy, of AWS's classic load balancers, of Squid and of gin.
pub(super) fn stamped<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    match text.as_bytes().first() {
        Some(b'"') => envoy(text, event),
        Some(b'0'..=b'9') => squid(text, event),
        Some(b'a'..=b'z' | b'A'..=b'Z') => {
            let read = balancer(text, event);
            if read {
                began(event);
            }
            read
        }
        _ => false,
    }
}

/// `"GET /cart HTTP/1.1" 200 - 0 1234 12 10 "-" "curl" "id" "host" "10.0.0.1:80"`: behind the flags, bytes in and out and
/// milliseconds; Istio writes the reasons of its answer in between.
fn envoy<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    let Some((request, result)) = quoted(text) else { return false };
    let Some(code) = result.split(' ').next().and_then(status) else { return false };
    if !served(request, Some(code), event) {
        return false;
    }
    let (mut rest, mut numbers) = (result, 0);
    for position in 0..10 {
        let Some((word, is_quoted, after)) = token(rest) else { break };
        rest = after;
        // The first number is the status; what Istio quotes may be anything.
        if position > 0 && !is_quoted && word.bytes().all(|byte| byte.is_ascii_digit()) {
            numbers += 1;
            if numbers == 3 {
                event.duration = milliseconds(word);
            }
        }
    }
    began(event);
    true
}

/// `http 2026-11-24T23:42:01.123456Z app/…`, of AWS's application load balancers: what follows the type of the connection.
pub(super) fn application_balancer<'a>(text: &'a str, event: &mut Event<'a>, context: &Context) -> bool {
    let Some((kind, rest)) = text.get(..8).unwrap_or(text).split_once(' ') else { return false };
    if !matches!(kind, "http" | "https" | "h2" | "grpcs" | "ws" | "wss") {
        return false;
    }
    debug_assert!(rest.len() < text.len());
    let rest = &text[kind.len() + 1..];
    let Some((found, length)) = time::prefix(rest.as_bytes(), context) else { return false };
    let Some(after) = rest.get(length..) else { return false };
    let read = balancer(after.trim_start(), event);
    if read {
        event.time = Some(found);
        if let Some(at) = text.find("\"Root=") {
            event.trace = super::correlate::amazon(&text.as_bytes()[at + 1..]);
        }
    }
    read
}

/// `my-lb 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://…:80/ HTTP/1.1" …`: the times
/// to the server, of the server and from it.
fn balancer<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    // Most lines are of no balancer: their second word is no address.
    let first = text.bytes().position(|byte| byte == b' ').unwrap_or(text.len());
    if !matches!(text.as_bytes().get(first + 1), Some(b'0'..=b'9' | b'[')) {
        return false;
    }
    let mut words = text.splitn(9, ' ');
    let (Some(name), Some(client), Some(_), Some(there), Some(served_in), Some(back), Some(code)) =
        (words.next(), words.next(), words.next(), words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    let fraction = |text: &str| text == "-1" || text.contains('.') && value::float(text.as_bytes()).is_some();
    if !client.contains(':') || ![there, served_in, back].into_iter().all(fraction) {
        return false;
    }
    let Some((request, _)) = quoted(text) else { return false };
    if !served(request, status(code), event) {
        event.kind = Kind::Server;
        event.operation = Cow::Borrowed("");
        event.failed = status(code).is_some_and(|status| status >= 500);
        event.message = Cow::Borrowed("");
    }
    event.service = Cow::Borrowed(name.strip_prefix("app/").and_then(|name| name.split('/').next()).unwrap_or(name));
    let all = [there, served_in, back].map(seconds);
    event.duration = all.iter().all(Option::is_some).then(|| all.iter().flatten().sum());
    true
}

/// `   456 10.0.0.1 TCP_MISS/200 1234 GET http://example.com/x user HIER_DIRECT/10.0.0.2 text/html`: milliseconds first.
fn squid<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    // Most lines are of none of these: their third word has no slash.
    let mut words = text.split_ascii_whitespace();
    if !words.clone().nth(2).is_some_and(|word| word.contains('/')) {
        return false;
    }
    let (Some(elapsed), Some(_), Some(result), Some(_), Some(method), Some(target)) =
        (words.next(), words.next(), words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    let Some((code, answer)) = result.split_once('/') else { return false };
    if !(code.starts_with("TCP_") || code.starts_with("UDP_") || code.starts_with("NONE")) {
        return false;
    }
    if !access::is_method(method) {
        return false;
    }
    done(method, target, status(answer), event);
    event.duration = milliseconds(elapsed);
    true
}

/// `[GIN] 2026/11/24 - 23:42:01 | 200 |     1.234ms |   10.0.0.1 | GET      "/cart"`
pub(super) fn gin_line<'a>(text: &'a str, event: &mut Event<'a>, context: &Context) -> bool {
    let Some((stamp, rest)) = text.strip_prefix("[GIN] ").and_then(|text| text.split_once(" | ")) else { return false };
    let Some((date, clock)) = stamp.split_once(" - ") else { return false };
    event.time = time::parse(format!("{date} {clock}").as_bytes(), context);
    gin(rest, event)
}

fn gin<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    let mut cells = text.split('|').map(str::trim);
    let (Some(code), Some(elapsed), Some(_), Some(request)) = (cells.next(), cells.next(), cells.next(), cells.next())
    else {
        return false;
    };
    let Some((method, target)) = request.split_once(' ') else { return false };
    let Some(code) = status(code).filter(|_| access::is_method(method)) else { return false };
    done(method, target.trim().trim_matches('"'), Some(code), event);
    event.duration = super::duration::with_unit(elapsed.as_bytes());
    true
}

/// `[pid: 88185|app: 0|req: 1/1] 127.0.0.1 () {38 vars in 696 bytes} [Sun Mar 13 22:49:12 2016] POST /x => generated 47
/// bytes in 129 msecs (HTTP/1.1 200) …`; the use of memory may stand before it.
pub(super) fn uwsgi<'a>(text: &'a str, event: &mut Event<'a>, context: &Context) -> bool {
    if !(text.starts_with("[pid: ") || text.starts_with("{address space ")) {
        return false;
    }
    let Some((head, after)) = text.split_once("} [") else { return false };
    // The memory's braces end in `} {rss …} [pid: …`: the time is in the bracket after those of the variables.
    let after = if head.contains(" vars in ") { after } else { after.split_once("} [").map_or("", |(_, after)| after) };
    let Some((stamp, request)) = after.split_once("] ") else { return false };
    let Some((request, result)) = request.split_once(" => generated ") else { return false };
    let Some((method, target)) = request.split_once(' ').filter(|(method, _)| access::is_method(method)) else {
        return false;
    };
    let mut words = result.split(' ');
    let (Some(number), Some(unit)) = (words.nth(3), words.next()) else { return false };
    let status = result.split_once("(HTTP/").and_then(|(_, after)| after.split_once(' '));
    let status = status.and_then(|(_, after)| status_in(after));
    event.time = time::parse(stamp.as_bytes(), context);
    done(method, target, status, event);
    let scale = match unit {
        "msecs" => 1_000_000,
        "micros" => 1_000,
        "secs" => 1_000_000_000,
        _ => return true,
    };
    event.duration = value::unsigned(number.as_bytes()).and_then(|number| number.checked_mul(scale));
    began(event);
    true
}

fn status_in(text: &str) -> Option<u16> {
    text.split([')', ' ']).next().and_then(status)
}

/// A request without a time: `127.0.0.1:5000 - "GET /cart HTTP/1.1" 200 OK` (uvicorn), `GET /cart 200 12.345 ms - 7`
/// (morgan).
pub(super) fn unstamped<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    match text.as_bytes().first() {
        Some(b'0'..=b'9' | b'[') => {
            let Some((_, after)) = text.split_once(" - \"") else { return false };
            let Some((request, result)) = quoted(&text[text.len() - after.len() - 1..]) else { return false };
            let Some(code) = result.split(' ').next().and_then(status) else { return false };
            request.contains(" HTTP/") && served(request, Some(code), event)
        }
        Some(b'A'..=b'Z') if text.as_bytes().get(1).is_some_and(u8::is_ascii_uppercase) => {
            let Some((method, rest)) = text.split_once(' ') else { return false };
            if !access::is_method(method) || !rest.starts_with('/') {
                return false;
            }
            let mut words = rest.split(' ');
            let (Some(target), Some(code)) = (words.next(), words.next().and_then(status)) else { return false };
            let (Some(number), Some("ms")) = (words.next(), words.next()) else { return false };
            done(method, target, Some(code), event);
            event.duration = seconds(number).map(|nanoseconds| nanoseconds / 1000);
            true
        }
        _ => false,
    }
}
