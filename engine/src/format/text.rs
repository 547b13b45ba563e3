//! Lines of text: syslog, access logs, glog, the loggers of Java, Python, Go and their like, logfmt, and anything else.
//!
//! What a line says in front of its message is taken off step by step, each step optional: priority, timestamp, host and
//! program, level, logger. What remains is the message. A line of which nothing is known is its own message. Which lines
//! belong together is [`multiline`](super::multiline)'s.

use std::borrow::Cow;

use super::head::{self, Head, head, separators};
use super::multiline::{Ending, Place};
use super::reject::Reject;
use super::slow_query::Line;
use super::{
    Context, Found, Memory, access, body, correlate, header, level, logfmt, postgres, prefixes, proxy, reports, syslog,
    time,
};
use crate::event::{Attributes, Event, Kind, Level};

/// How far from its start a line may have the bracketed time of an access log.
const HEAD: usize = 300;

/// The same, behind the program of a line of syslog.
const SYSLOG_HEAD: usize = 100;

/// Decode a line; `indented` if white space stood before it.
pub(super) fn line<'a>(
    line: &'a [u8],
    indented: bool,
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) -> Result<Found, Reject> {
    if let Some(at) = binary(line) {
        return Err(Reject::binary(at));
    }
    let mut text = super::value::lossy(line);
    body::plain(&mut text);
    let read = match text {
        Cow::Borrowed(text) => read(text, indented, context, memory),
        Cow::Owned(text) => read(&text, indented, context, memory).map(body::detach),
    };
    let mut event = match read {
        Ok(event) => event,
        Err(found) => return Ok(found),
    };
    event.raw = line;
    if event.attributes == Attributes::None && memchr::memchr(b'=', line).is_some() {
        event.attributes = Attributes::Pairs(line);
    }
    events.push(event);
    Ok(Found::Events)
}

/// The event of a line, or what the line is where it has none.
fn read<'a>(text: &'a str, indented: bool, context: &Context, memory: &mut Memory) -> Result<Event<'a>, Found> {
    let mut exception = false;
    match memory.multiline.place(text, indented) {
        Place::Own => {}
        Place::Continuation => return Err(Found::Continuation),
        Place::Waits => return Err(Found::Events),
        Place::Exception => {
            let event = failure(Cow::Borrowed(text));
            memory.multiline.saw(&event, true, false);
            return Ok(event);
        }
        Place::Ends(ending) => {
            if let Some(event) = ended(ending, text, context, memory) {
                memory.multiline.saw(&event, ending != Ending::Jul, false);
                return Ok(event);
            }
        }
    }
    match memory.multiline.query.line(text, context) {
        None => {}
        Some(Line::Header) => return Err(Found::Events),
        Some(Line::Statement) => return Err(Found::Continuation),
        Some(Line::Event(event)) => return Ok(*event),
    }
    match header::line(text, context, memory) {
        None => {}
        Some(header::Line::Header) => return Err(Found::Events),
        Some(header::Line::Row(event)) => return Ok(*event),
    }
    let mut event = body::describe(text, context, 1);
    if event.message.is_empty() && event.level == Level::Unset && is_blank(text, &event) {
        return Err(Found::Events);
    }
    note_order(text, memory);
    let front = front(text, &event.message);
    let postgres = front.is_some_and(postgres::is_head);
    if event.level != Level::Unset {
        memory.multiline.ends(&event);
        if postgres {
            postgres::statement(&mut event);
        }
    } else if let Some(front) = front {
        if memory.multiline.after_postgres() && postgres::goes_on(&event.message) {
            return Err(Found::Continuation);
        }
        if head::twelve_hours(text) && head::class_and_method(&event.message) {
            memory.multiline.hold_jul(text);
            return Err(Found::Events);
        }
        let gap = front.bytes().rev().map_while(|byte| match byte {
            b' ' => Some(1),
            b'\t' => Some(2),
            _ => None,
        });
        match memory.multiline.place_of_message(&event, gap.sum()) {
            Place::Own => {}
            Place::Continuation => return Err(Found::Continuation),
            Place::Waits => return Err(Found::Events),
            Place::Exception => {
                (event.level, event.failed, exception) = (Level::Error, true, true);
            }
            Place::Ends(_) => {
                let message = format!("{} {}", memory.multiline.held, event.message);
                event = Event { message: Cow::Owned(message), level: Level::Fatal, failed: true, ..event };
                exception = true;
            }
        }
    }
    correlate::read(text, &mut event);
    event.failed |= event.kind == Kind::Log && event.level >= Level::Error;
    memory.multiline.saw(&event, exception, postgres);
    Ok(event)
}

/// What stands before the message of a line, if it is a part of it and something does.
fn front<'a>(text: &'a str, message: &str) -> Option<&'a str> {
    let length = (message.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    text.get(..length).filter(|front| !front.is_empty() && length + message.len() <= text.len())
}

/// The event of an exception that has a line of its own.
fn failure(message: Cow<'_, str>) -> Event<'_> {
    let grave =
        message.starts_with("panic: ") || message.starts_with("fatal error: ") || message.starts_with("thread '");
    let level = if grave { Level::Fatal } else { Level::Error };
    Event { kind: Kind::Log, message, level, failed: true, ..Event::default() }
}

/// The event of a line together with the line that waited for it.
fn ended<'a>(ending: Ending, text: &'a str, context: &Context, memory: &Memory) -> Option<Event<'a>> {
    let held = &memory.multiline.held;
    match ending {
        Ending::Panic => Some(failure(Cow::Owned(format!("{held} {text}")))),
        Ending::Category => {
            let (word, name) = reports::category(held)?;
            let level = match word {
                "trce" => Level::Trace,
                "dbug" => Level::Debug,
                "info" => Level::Info,
                "warn" => Level::Warn,
                "fail" => Level::Error,
                _ => Level::Fatal,
            };
            let failed = level >= Level::Error;
            let (message, operation) = (Cow::Borrowed(text), Cow::Owned(name.to_owned()));
            Some(Event { kind: Kind::Log, message, operation, level, failed, ..Event::default() })
        }
        Ending::Jul => {
            let (word, message) = text.split_once(": ")?;
            let level = Some(level::word(word.as_bytes())).filter(|level| *level != Level::Unset)?;
            let (time, length) = time::prefix(held.as_bytes(), context)?;
            let class = held.get(length..)?.split_ascii_whitespace().next().unwrap_or_default().to_owned();
            let (message, operation, failed) = (Cow::Borrowed(message), Cow::Owned(class), level >= Level::Error);
            Some(Event { kind: Kind::Log, time: Some(time), message, operation, level, failed, ..Event::default() })
        }
    }
}

/// Whether a line of which no message was found has nothing but what containers and those that collect their output write
/// in front: the program's own line is blank.
fn is_blank(text: &str, event: &Event<'_>) -> bool {
    match text.as_bytes() {
        [.., b' ', b' ', b'|'] => !event.service.is_empty(),
        bytes => bytes.get(10) == Some(&b'T') && text.ends_with(|c: char| c.is_ascii_alphanumeric()),
    }
}

/// Remember the order of the numbers in a date, where it can be no other.
#[inline]
fn note_order(text: &str, memory: &mut Memory) {
    let bytes = text.strip_prefix('[').unwrap_or(text).as_bytes();
    if matches!(bytes, [_, b'/' | b'-', ..] | [_, _, b'/' | b'-', ..])
        && let Some(order) = time::order(bytes)
    {
        memory.multiline.order = Some(order);
    }
}

/// Where the first control byte of a line stands that is no text: it has many of them, or some and is not UTF-8 either.
fn binary(line: &[u8]) -> Option<usize> {
    // Tabs, form feeds and escape sequences are text.
    let control = |byte: &u8| *byte < 0x20 && !matches!(*byte, b'\t' | b'\r' | b'\n' | 0x08 | 0x0C | 0x1B);
    // Without a branch, so that the compiler looks at many bytes at once: nearly all lines end here.
    if line.iter().fold(0, |any, byte| any | u8::from(control(byte))) == 0 {
        return None;
    }
    let count = line.iter().filter(|byte| control(byte)).count();
    let broken: usize = line.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
    let many = count * 10 > line.len() || (count + broken) * 4 > line.len();
    if many { line.iter().position(control) } else { None }
}

/// What a text says in front of its message.
pub(super) fn event<'a>(text: &'a str, context: &Context, nesting: u8) -> Event<'a> {
    let mut event = Event { kind: Kind::Log, message: Cow::Borrowed(text), ..Event::default() };
    let mut rest = text.trim_ascii();
    if let Some(after) = syslog::counted(rest) {
        rest = after;
    }
    if let Some((pri, after)) = syslog::priority(rest) {
        event.level = level::syslog(pri & 7);
        rest = after;
        if let Some(after) = syslog::header_5424(rest, &mut event, context) {
            return finish(event, after, false, context, nesting);
        }
        // Cisco's devices number their messages, and mark a clock that is not set.
        rest = rest.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix(": ").unwrap_or(rest);
        rest = rest.trim_start_matches(['*', '.']);
    } else if let Some((program, after)) = prefixes::compose(rest) {
        event.service = Cow::Borrowed(program);
        rest = after;
    } else if let Some(after) = rest.strip_prefix(['*', '.']).filter(|after| after.contains(": %")) {
        // Without a priority, as Cisco's devices show them.
        rest = after;
    }
    if prefixes::glog(rest, &mut event, context)
        || prefixes::ruby(rest, &mut event, context)
        || prefixes::brief(rest, &mut event)
    {
        return event;
    }
    let redis = prefixes::redis(rest);
    rest = redis.unwrap_or(rest);
    let mut stamped = false;
    if let Some(stamp) = stamp(rest, context).or_else(|| scientific(rest)) {
        stamped = true;
        event.time = Some(stamp.time);
        rest = stamp.rest;
        if let Some((level, message)) = redis.and_then(|_| prefixes::redis_mark(rest)) {
            event.level = level;
            event.message = Cow::Borrowed(message);
            return event;
        }
        if let Some(after) = syslog::host_and_program(rest, stamp.syslog, &mut event) {
            return finish(event, after, false, context, nesting);
        }
        if let Some(text) = prefixes::container_stream(rest) {
            // What the program wrote may say more of itself, its time too.
            event.message = Cow::Borrowed(text);
            body::read(&mut event, false, context, nesting);
            return event;
        }
        if proxy::stamped(rest, &mut event) {
            return event;
        }
    } else if let Some((level, stamp)) = led(rest, context) {
        event.time = Some(stamp.time);
        headed(&mut event, &head::behind(level, stamp.rest), context, nesting);
        event.failed |= event.kind == Kind::Log && event.level >= Level::Error;
        return event;
    } else if let Some((level, after)) = prefixes::boot_time(rest) {
        event.level = if level == Level::Unset { event.level } else { level };
        rest = after;
    } else if access::read(rest, HEAD, &mut event, context)
        || proxy::uwsgi(rest, &mut event, context)
        || proxy::gin_line(rest, &mut event, context)
        || proxy::application_balancer(rest, &mut event, context)
        || prefixes::audit(rest, &mut event)
    {
        return event;
    }
    finish(event, rest, stamped, context, nesting)
}

/// Read what follows the stamp.
fn finish<'a>(mut event: Event<'a>, rest: &'a str, stamped: bool, context: &Context, nesting: u8) -> Event<'a> {
    let mut rest = rest;
    event.message = Cow::Borrowed(rest);
    if rest.starts_with('{') {
        body::read(&mut event, true, context, nesting);
        return event;
    }
    if !event.service.is_empty() {
        // A web server may write to syslog.
        if access::read(rest, SYSLOG_HEAD, &mut event, context) {
            return event;
        }
        rest = prefixes::boot_time(rest).map_or(rest, |(_, after)| after);
        event.message = Cow::Borrowed(rest);
    }
    if let Some(inner) = logfmt::described(rest, context, nesting) {
        body::take_over(&mut event, inner, true);
        return event;
    }
    if let Some((level, message)) = prefixes::github(rest).or_else(|| prefixes::php(rest)) {
        (event.level, event.message) = (level, Cow::Borrowed(message));
    } else if stamped && let Some((level, message)) = postgres::separated(rest) {
        (event.level, event.message) = (level, message);
    } else if stamped && let Some((channel, level, message)) = prefixes::monolog(rest) {
        event.operation = Cow::Borrowed(channel);
        (event.level, event.message) = (level, Cow::Borrowed(message));
    } else if stamped && let Some((level, message)) = prefixes::celery(rest) {
        (event.level, event.message) = (level, Cow::Borrowed(message));
    } else if stamped && (prefixes::lettered(rest, &mut event) || prefixes::general_query(rest, &mut event)) {
        return event;
    } else if let Some(found) = head(rest, stamped) {
        headed(&mut event, &found, context, nesting);
    } else if stamped && let Some((level, message)) = postgres::prefixed(rest) {
        (event.level, event.message) = (level, Cow::Borrowed(message));
    } else if !prefixes::cisco(rest, &mut event) {
        proxy::unstamped(rest, &mut event);
    }
    event.failed |= event.kind == Kind::Log && event.level >= Level::Error;
    event
}

/// Take over what a line says before its message.
fn headed<'a>(event: &mut Event<'a>, found: &Head<'a>, context: &Context, nesting: u8) {
    event.level = found.level;
    if event.operation.is_empty() {
        event.operation = Cow::Borrowed(found.logger);
    }
    event.message = Cow::Borrowed(found.message);
    if let Some((service, trace, span)) = found.sleuth {
        (event.trace, event.span) = (trace, span);
        if event.service.is_empty() {
            event.service = Cow::Borrowed(service);
        }
    }
    if !found.fields.is_empty() {
        event.attributes = Attributes::Json(found.fields.as_bytes());
    } else if found.message.starts_with('{') || logfmt::starts(found.message) {
        body::read(event, false, context, nesting);
    }
    proxy::unstamped(found.message, event);
}

/// A line whose level stands before its time, and maybe a thread between: `WARN  [Read-2] 2026-11-24 23:42:01,123 …`.
fn led<'a>(text: &'a str, context: &Context) -> Option<(Level, Stamp<'a>)> {
    let (level, mut rest) = head::leading(text)?;
    let timed = |rest: &'a str| {
        // A number alone may be anything.
        stamp(rest, context).filter(|stamp| rest[..rest.len() - stamp.rest.len()].contains(':'))
    };
    if let Some(stamp) = timed(rest) {
        return Some((level, stamp));
    }
    rest = separators(rest.strip_prefix('[')?.split_once(']')?.1);
    Some((level, timed(rest)?))
}

struct Stamp<'a> {
    time: i64,
    rest: &'a str,
    /// Whether it is written as syslog daemons write it.
    syslog: syslog::Style,
}

/// `1.772788367123456e+09<tab>`, as zap's console encoder writes seconds unless told otherwise.
fn scientific(text: &str) -> Option<Stamp<'_>> {
    let (number, rest) =
        text.get(..32).unwrap_or(text).split_once("e+09\t").map(|(number, _)| (number, &text[number.len() + 5..]))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 1 || fraction.len() > 18 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let time = format!("{whole}{fraction:0<18}").parse().ok()?;
    Some(Stamp { time, rest, syslog: syslog::Style::No })
}

/// The timestamp at the start of a text, in brackets or not.
fn stamp<'a>(text: &'a str, context: &Context) -> Option<Stamp<'a>> {
    let bracket = text.starts_with('[') || text.starts_with('(');
    let start = usize::from(bracket);
    let bytes = text.as_bytes().get(start..)?;
    let (time, length) = time::prefix(bytes, context)?;
    let written = bytes.get(..length)?;
    let syslog = match written {
        [b'A'..=b'Z', _, _, b' ', ..] if written.len() <= 24 && !bracket && !written.ends_with(b"M") => {
            syslog::Style::Old
        }
        _ if written.get(10) == Some(&b'T') && written.len() >= 20 && !bracket => syslog::Style::Iso,
        _ => syslog::Style::No,
    };
    let mut rest = text.get(start + length..)?;
    if bracket {
        rest = rest.strip_prefix(']').or_else(|| rest.strip_prefix(')')).unwrap_or(rest);
    }
    Some(Stamp { time, rest: separators(rest), syslog })
}
