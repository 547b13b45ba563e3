//! Lines of text: syslog, access logs, glog, the loggers of Java, Python, Go and their like, logfmt, and anything else.
//!
//! What a line says in front of its message is taken off step by step, each step optional: priority, timestamp, host and
//! program, level, logger. What remains is the message. A line of which nothing is known is its own message.

use std::borrow::Cow;

use super::logfmt;
use super::reject::Reject;
use super::{Context, access, body, level, syslog, time};
use crate::event::{Attributes, Event, Kind, Level};

/// How far from its start a line may have the bracketed time of an access log.
const HEAD: usize = 300;

/// Decode a line.
pub(super) fn line<'a>(line: &'a [u8], context: &Context, events: &mut Vec<Event<'a>>) -> Result<(), Reject> {
    if let Some(at) = binary(line) {
        return Err(Reject::binary(at));
    }
    let mut event = Event { kind: Kind::Log, message: super::value::lossy(line), ..Event::default() };
    body::read(&mut event, false, context, 0);
    event.failed |= event.level >= Level::Error;
    event.raw = line;
    if event.attributes == Attributes::None && memchr::memchr(b'=', line).is_some() {
        event.attributes = Attributes::Pairs(line);
    }
    events.push(event);
    Ok(())
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
    if let Some((pri, after)) = syslog::priority(rest) {
        event.level = level::syslog(pri & 7);
        rest = after;
        if let Some(after) = syslog::header_5424(rest, &mut event, context) {
            return finish(event, after, false, context, nesting);
        }
    } else if let Some((program, after)) = compose(rest) {
        event.service = Cow::Borrowed(program);
        rest = after;
    }
    if glog(rest, &mut event, context) {
        return event;
    }
    if let Some(after) = redis(rest) {
        rest = after;
    }
    let mut stamped = false;
    if let Some(stamp) = stamp(rest, context) {
        stamped = true;
        event.time = Some(stamp.time);
        rest = stamp.rest;
        if let Some(after) = syslog::host_and_program(rest, stamp.syslog, &mut event) {
            return finish(event, after, false, context, nesting);
        }
        if let Some(after) = container_stream(rest) {
            return finish(event, after, false, context, nesting);
        }
    } else if let Some(after) = boot_time(rest) {
        rest = after;
    } else if access::read(rest, HEAD, &mut event, context) {
        return event;
    }
    finish(event, rest, stamped, context, nesting)
}

/// Read what follows the stamp.
fn finish<'a>(mut event: Event<'a>, rest: &'a str, stamped: bool, context: &Context, nesting: u8) -> Event<'a> {
    event.message = Cow::Borrowed(rest);
    if rest.starts_with('{') {
        body::read(&mut event, true, context, nesting);
        return event;
    }
    if let Some(inner) = logfmt::described(rest, context, nesting) {
        body::take_over(&mut event, inner, true);
        return event;
    }
    if let Some(found) = head(rest, stamped) {
        event.level = found.level;
        if event.operation.is_empty() {
            event.operation = Cow::Borrowed(found.logger);
        }
        event.message = Cow::Borrowed(found.message);
        if found.message.starts_with('{') || logfmt::starts(found.message) {
            body::read(&mut event, false, context, nesting);
        }
    } else if !stamped && event.time.is_none() && event.service.is_empty() {
        // Nothing was found: the line is its own message.
        event.message = Cow::Borrowed(rest);
    }
    event.failed |= event.level >= Level::Error;
    event
}

struct Stamp<'a> {
    time: i64,
    rest: &'a str,
    /// Whether it is written as syslog daemons write it.
    syslog: syslog::Style,
}

/// The timestamp at the start of a text, in brackets or not.
fn stamp<'a>(text: &'a str, context: &Context) -> Option<Stamp<'a>> {
    let bracket = text.starts_with('[') || text.starts_with('(');
    let start = usize::from(bracket);
    let bytes = text.as_bytes().get(start..)?;
    let (time, length) = time::prefix(bytes, context)?;
    let written = bytes.get(..length)?;
    let syslog = match written {
        [b'A'..=b'Z', _, _, b' ', ..] if written.len() <= 24 && !bracket => syslog::Style::Old,
        _ if written.get(10) == Some(&b'T') && written.len() >= 20 && !bracket => syslog::Style::Iso,
        _ => syslog::Style::No,
    };
    let mut rest = text.get(start + length..)?;
    if bracket {
        rest = rest.strip_prefix(']').or_else(|| rest.strip_prefix(')')).unwrap_or(rest);
    }
    Some(Stamp { time, rest: separators(rest), syslog })
}

/// The text after the separators that stand between the parts of a line's head.
fn separators(text: &str) -> &str {
    // A bracket belongs to what comes next, and so does a minus before a digit.
    let rest = text.trim_start_matches([' ', '\t', ':', '|', ',', ';']);
    match rest.strip_prefix('-') {
        Some(after) if after.starts_with([' ', '-', '\t']) => separators(after.trim_start_matches('-')),
        _ => rest,
    }
}

/// `web-1  | message`, as docker compose shows lines.
fn compose(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))?;
    let (name, after) = text.split_at(end);
    let after = after.trim_start_matches(' ').strip_prefix("| ")?;
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    (starts && level::free_word(name.as_bytes()) == Level::Unset).then_some((name, after.trim_start()))
}

/// `stdout F message`, as the container runtime interface writes lines.
fn container_stream(text: &str) -> Option<&str> {
    let after = text.strip_prefix("stdout ").or_else(|| text.strip_prefix("stderr "))?;
    after.strip_prefix("F ").or_else(|| after.strip_prefix("P "))
}

/// `1:M 24 Nov 2026 23:42:01.123 * message`, as Redis writes lines: what follows the process and its role.
fn redis(text: &str) -> Option<&str> {
    let (pid, after) = text.get(..12).unwrap_or(text).split_once(':')?;
    let digits = !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit());
    let role = matches!(after.as_bytes(), [b'C' | b'M' | b'S' | b'X', b' ', b'0'..=b'9', ..]);
    if digits && role { text.get(pid.len() + 3..) } else { None }
}

/// `[   12.345678] message`: seconds since the kernel started, which say nothing of when that was.
fn boot_time(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?.trim_start_matches(' ');
    let (number, after) = inner.split_once(']')?;
    let (seconds, fraction) = number.split_once('.')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (digits(seconds) && digits(fraction)).then_some(after.trim_start_matches(' '))
}

/// `I1124 23:42:01.123456    1 server.go:12] message`, as glog and klog write lines.
fn glog<'a>(text: &'a str, event: &mut Event<'a>, context: &Context) -> bool {
    let [letter @ (b'I' | b'W' | b'E' | b'F'), b'0'..=b'1', b'0'..=b'9', b'0'..=b'3', b'0'..=b'9', b' ', ..] =
        text.as_bytes()
    else {
        return false;
    };
    let (Some(date), Some((clock, message))) = (text.get(1..5), text.get(6..).and_then(|rest| rest.split_once("] ")))
    else {
        return false;
    };
    let mut words = clock.split_ascii_whitespace();
    let Some(at) = words.next() else { return false };
    // MM-DD is a form that timestamps know.
    let written = format!("{}-{} {at}", &date[..2], &date[2..]);
    let Some((time, _)) = time::prefix(written.as_bytes(), context) else { return false };
    event.time = Some(time);
    event.level = level::word(&[*letter]);
    event.failed = event.level >= Level::Error;
    event.operation = Cow::Borrowed(words.next_back().and_then(|place| place.split(':').next()).unwrap_or_default());
    event.message = Cow::Borrowed(message);
    true
}

/// What stands between the stamp and the message.
struct Head<'a> {
    level: Level,
    logger: &'a str,
    message: &'a str,
}

/// How many words may stand before the level.
const WORDS_BEFORE: u32 = 4;

/// Find the level near the start of a text. After a stamp, a few words may stand before it (a thread, a process, a
/// logger); without one, only what is in brackets may, lest a word of the message be taken for a level.
fn head(text: &str, stamped: bool) -> Option<Head<'_>> {
    let mut rest = separators(text);
    let mut logger = "";
    for position in 0..=WORDS_BEFORE {
        if let Some(closer) = closer(rest) {
            let end = rest.find(closer)?;
            let inner = rest.get(1..end)?;
            let after = rest.get(end + 1..)?;
            let level = bracketed(inner);
            if level != Level::Unset {
                return Some(with_logger(level, logger, after));
            }
            rest = separators(after);
            continue;
        }
        let end = rest.find([' ', '\t', ':', '|', ']', '[', ',', ';', '(']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let level = level::free_word(word.as_bytes());
        let upper = word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let follows = after.as_bytes().first().copied();
        let postgres = word == "LOG" && follows == Some(b':') && stamped;
        if level != Level::Unset && upper && follows != Some(b'(') || postgres {
            let level = if postgres { Level::Info } else { level };
            return Some(with_logger(level, logger, after));
        }
        if level != Level::Unset && position == 0 {
            // `Error: no such file`: the word is of the message. `info  starting`, after a stamp, is not.
            let taken = stamped && matches!(follows, Some(b' ' | b'\t' | b':'));
            let lower = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            if taken && lower {
                return Some(with_logger(level, logger, after));
            }
            return (follows == Some(b':')).then_some(Head { level, logger, message: text });
        }
        if !stamped || word.is_empty() {
            return None;
        }
        if word.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            logger = word;
        }
        rest = separators(after);
    }
    None
}

fn closer(text: &str) -> Option<char> {
    match text.as_bytes().first()? {
        b'[' => Some(']'),
        b'(' => Some(')'),
        b'<' => Some('>'),
        _ => None,
    }
}

/// The level in a bracket: `[error]`, `[ WARN]`, `[core:error]`, `[E]`.
fn bracketed(inner: &str) -> Level {
    let word = inner.rsplit(':').next().unwrap_or(inner).trim().as_bytes();
    match word {
        [letter @ (b'T' | b'D' | b'I' | b'W' | b'E' | b'F')] => level::word(&[*letter]),
        _ => level::free_word(word),
    }
}

/// What follows the level: a thread in brackets, a logger, the message.
fn with_logger<'a>(level: Level, before: &'a str, after: &'a str) -> Head<'a> {
    let mut message = separators(after.strip_prefix([']', ')']).unwrap_or(after));
    // Spring Boot: `INFO 12345 --- [main] c.e.Logger : message`.
    if let Some((pid, tail)) = message.split_once(" --- ")
        && pid.bytes().all(|byte| byte.is_ascii_digit())
    {
        message = tail;
    }
    let mut tail = message;
    if tail.starts_with('[')
        && let Some((_, inner)) = tail.split_once(']')
    {
        tail = separators(inner);
    }
    if let Some((logger, rest)) = dotted(tail) {
        return Head { level, logger, message: rest };
    }
    let logger = if before.contains('.') || after.starts_with(" - ") { before } else { "" };
    Head { level, logger, message }
}

/// A logger such as `com.example.Orders`, `o.e.Orders#42` or `orders.service:42` at the start of a text, without its
/// line number; and what follows it.
fn dotted(text: &str) -> Option<(&str, &str)> {
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '$' | '_');
    let end = text.find(|c| !name(c)).filter(|end| *end < 100)?;
    let (logger, mut after) = text.split_at(end);
    let plausible = logger.starts_with(|c: char| c.is_ascii_alphabetic())
        && logger.bytes().any(|byte| byte == b'.')
        && !logger.ends_with('.')
        && !logger.contains("..");
    if !plausible {
        return None;
    }
    if let Some(place) = after.strip_prefix(['#', ':']) {
        let digits = place.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            after = place.get(digits..)?;
        } else if after.starts_with('#') {
            return None;
        }
    } else if !after.trim_start().starts_with(['-', ':', '|']) {
        // A word with a dot in it, as in `reading config.toml failed`.
        return None;
    }
    Some((logger, separators(after)))
}
