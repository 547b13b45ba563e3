//! Function traces of uftrace, as `uftrace replay` and `uftrace dump` print them; `uftrace dump --chrome` is Trace Event
//! Format.
//!
//! ```text
//! # DURATION    TID     FUNCTION                  105430.415353833  23043: [entry] main(400512) depth: 0
//!             [ 1234] | main() {                  105430.415353992  23043: [entry] a(4006b2) depth: 1
//!    5.475 us [ 1234] |   a();                    105430.415355943  23043: [exit ] a(4006b2) depth: 1
//!    8.631 us [ 1234] | } /* main */              105430.415356109  23043: [exit ] main(400512) depth: 0
//! ```

use super::stacks::{mix, number};
use super::value::{lossy, nanoseconds, signed_nanoseconds};
use super::{Context, Format, Found, Memory, duration};
use crate::event::Event;

/// Nanoseconds in a second.
const SECOND: u32 = 1_000_000_000;

/// Read a line; None if it is none of uftrace's. `told` if the stream is known to be of it.
pub(super) fn line<'a>(
    line: &'a [u8],
    told: bool,
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) -> Option<Found> {
    // Most lines of text end here.
    if !told && !matches!(line.first(), Some(b'0'..=b'9' | b'[' | b'#' | b'u')) {
        return None;
    }
    let known = match line.last()? {
        b'{' | b';' | b'/' => replayed(line, told, context, memory, events),
        b'0'..=b'9' => dumped(line, context, memory, events) || line.starts_with(b"uftrace file header: "),
        _ => false,
    };
    let other = || {
        let header = line.starts_with(b"# ") && line.ends_with(b" FUNCTION");
        header && [&b" DURATION "[..], b" TIMESTAMP "].iter().any(|name| memchr::memmem::find(line, name).is_some())
            // Files, remarks, and between tasks a line of nothing.
            || told && (line.starts_with(b"reading ") || line.starts_with(b"uftrace ") || memchr::memmem::find(line, b"| /*").is_some())
    };
    (known || other()).then(|| {
        memory.told = Some(Format::Uftrace);
        Found::Events
    })
}

/// Read a line of `uftrace replay`: fields, a bar and a call.
fn replayed<'a>(
    line: &'a [u8],
    told: bool,
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) -> bool {
    let Some(bar) = memchr::memmem::find(line, b" | ") else { return false };
    let (mut rest, call) = (line[..bar].trim_ascii(), line[bar + 3..].trim_ascii());
    let mut lane = 0;
    let mut is_task = false;
    if let Some(bracket) = memchr::memrchr(b'[', rest)
        && let Some(task) = rest[bracket + 1..].strip_suffix(b"]").map(<[u8]>::trim_ascii)
        && !task.is_empty()
        && task.iter().all(u8::is_ascii_digit)
    {
        lane = number(task);
        is_task = true;
        rest = rest[..bracket].trim_ascii_end();
    }
    if !told && !is_task {
        return false;
    }
    let mut words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).peekable();
    let (mut at, mut took) = (None, None);
    while let Some(word) = words.next() {
        let unit = words.next_if(|word| matches!(**word, [b'n' | b'u' | b'm', b's'] | [b's' | b'm']));
        match unit {
            // The last of several: what comes before is the time since the line before, or since the start.
            Some(unit) => took = duration::with_unit(&[word, unit].concat()),
            None if memchr::memchr(b'.', word).is_some() => at = signed_nanoseconds(word, SECOND),
            // An address.
            None if word.iter().all(u8::is_ascii_hexdigit) => {}
            None => return false,
        }
    }
    let first = events.len();
    let ends = call.starts_with(b"}");
    if !memory.ftrace.graph.call(mix(lane), call, took, "".into(), line, events) {
        return false;
    }
    for event in &mut events[first..] {
        // A call that makes none is printed once, with the time at which it began.
        let end = at.map(|at| if ends { at } else { at.saturating_add_unsigned(took.unwrap_or(0)) });
        event.time = end.map(|end| memory.anchor.time(end, context));
    }
    true
}

/// Read a line of `uftrace dump`.
fn dumped<'a>(line: &'a [u8], context: &Context, memory: &mut Memory, events: &mut Vec<Event<'a>>) -> bool {
    let Some(at) = memchr::memmem::find(line, b": [") else { return false };
    let mut front = line[..at].split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (Some(time), Some(task), None) = (front.next(), front.next(), front.next()) else { return false };
    let rest = &line[at + 3..];
    let Some(reading) = nanoseconds(time, SECOND.into()).and_then(|time| i64::try_from(time).ok()) else {
        return false;
    };
    let (enters, rest) = match (rest.strip_prefix(b"entry] "), rest.strip_prefix(b"exit ] ")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return false,
    };
    let Some(depth) = memchr::memmem::rfind(rest, b" depth: ") else { return false };
    let name = &rest[..depth];
    // `main(400512)`: the address it has.
    let name = lossy(name.iter().rposition(|byte| *byte == b'(').map_or(name, |at| &name[..at]));
    let lane = mix(number(task));
    if enters {
        memory.stacks.enter(lane, &name, reading);
    } else if let Some(call) = memory.stacks.leave(lane, Some(&name), reading) {
        events.push(Event {
            time: Some(memory.anchor.time(reading, context)),
            duration: Some(call.took),
            own: Some(call.own),
            operation: name,
            raw: line,
            ..Event::default()
        });
    }
    true
}
