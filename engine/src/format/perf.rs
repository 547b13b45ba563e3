//! What `perf script` prints: a sample with the stack that was running, or one to a line.
//!
//! A sample is an event of the program that ran: its operation is the innermost function of the stack, without parameters
//! and generic arguments. Where the clock of the processor was sampled it stands for as much time as lies between two
//! samples. A tracepoint is an event of its own name.
//!
//! ```text
//! sh 23492 [001] 15890.365074:   10101010 cpu-clock:
//!         962a0 _int_free+0x180 (/usr/lib/libc.so.6)
//!         27305 main (/usr/bin/sh)
//! ```

use std::borrow::Cow;

use super::ftrace::Line;
use super::value::{lossy, nanoseconds, unsigned};
use super::{Context, Format, Memory, comm, ftrace_events, symbol, time};
use crate::event::{Event, Kind};

const SECOND: u64 = 1_000_000_000;

/// Under which it is remembered when the samples were taken.
const CAPTURED: &str = "perf captured";

/// Bytes from the start of a line within which its time and its event stand.
const HEAD: usize = 300;

/// The first line of a sample.
struct Head<'a> {
    comm: &'a [u8],
    pid: u32,
    cpu: u32,
    /// Nanoseconds by the clock of perf.
    at: i64,
    /// How much of what is counted lies between two samples: of a clock, nanoseconds.
    period: Option<u64>,
    /// What was counted or passed.
    event: &'a [u8],
    /// What stands behind it: a function, or what a tracepoint says.
    rest: &'a [u8],
    /// Both.
    whole: &'a [u8],
}

/// Whether a stream that starts so has samples, told by its first line that is no remark; else it is text.
pub(super) fn detect(head: &[u8], decided: bool) -> Option<Format> {
    let mut rest = head;
    loop {
        let end = memchr::memchr(b'\n', rest);
        let line = &rest[..end.unwrap_or(rest.len())];
        let remark = line.starts_with(b"#") || line.trim_ascii().is_empty();
        match end {
            Some(end) if remark => rest = &rest[end + 1..],
            None if !decided && line.len() <= HEAD => return None,
            _ => return Some(if is_head(line) { Format::Perf } else { Format::Text }),
        }
    }
}

/// Whether a line is the first one of a sample.
pub(super) fn is_head(line: &[u8]) -> bool {
    head(line).is_some()
}

/// The length of the sample whose first line ends at `end`: its stack and the empty line behind it belong to it. None if it
/// does not end in these bytes.
pub(super) fn sample(data: &[u8], mut end: usize) -> Option<usize> {
    loop {
        let rest = &data[end..];
        let newline = memchr::memchr(b'\n', rest);
        match *rest.first()? {
            b'\n' => return Some(end + 1),
            b'\r' if newline? == 1 => return Some(end + 2),
            b' ' | b'\t' => {
                let newline = newline?;
                // Samples without a stack are indented too.
                if is_head(&rest[..newline]) {
                    return Some(end);
                }
                end += newline + 1;
            }
            _ => return Some(end),
        }
    }
}

/// Decode a sample, or a line of the header; false if it is neither. Which lines behind the first belong to a sample was
/// decided when the stream was split.
pub(super) fn record<'a>(
    record: &'a [u8],
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) -> bool {
    if let Some(comment) = record.strip_prefix(b"#") {
        header(comment, context, memory);
        return true;
    }
    let first = memchr::memchr(b'\n', record).unwrap_or(record.len());
    let Some(head) = head(&record[..first]) else { return false };
    let time = memory.anchor.time(head.at, context);
    let colon = memchr::memchr(b':', head.event).unwrap_or(head.event.len());
    if let Some(rest) = head.tracepoint(colon) {
        let comm = std::str::from_utf8(comm::program(head.comm)).unwrap_or_default();
        let line = Line { comm, pid: head.pid, cpu: head.cpu, at: head.at, time, rest, raw: record };
        memory.ftrace.learn(line.pid, line.comm);
        ftrace_events::read(&line, memory, events);
        return true;
    }
    let mut event = Event {
        kind: Kind::Internal,
        time: Some(time),
        service: lossy(comm::program(head.comm)),
        raw: record,
        ..Event::default()
    };
    let name = &head.event[..colon];
    let stack = record[first..].split(|byte| *byte == b'\n').find_map(frame);
    event.operation = match stack.or_else(|| frame(head.rest)) {
        Some((function, object)) => named(function, object),
        None => lossy(name),
    };
    if matches!(name, b"cpu-clock" | b"task-clock") {
        (event.duration, event.own) = (head.period, head.period);
    }
    events.push(event);
    true
}

/// `# captured on    : Wed Nov 25 04:07:03 2026` and `# time of last sample : 15890.773275` say together when it was.
fn header(comment: &[u8], context: &Context, memory: &mut Memory) {
    let Some(colon) = memchr::memchr(b':', comment) else { return };
    let (name, value) = (comment[..colon].trim_ascii(), comment[colon + 1..].trim_ascii());
    match name {
        b"captured on" => {
            if let Some((time, _)) = time::prefix(value, context) {
                memory.notes.insert(CAPTURED.to_owned(), time.to_string());
            }
        }
        b"time of last sample" => {
            let reading = nanoseconds(value, SECOND).and_then(|reading| i64::try_from(reading).ok());
            let captured = memory.notes.get(CAPTURED).and_then(|time| time.parse().ok());
            if let (Some(reading), Some(captured)) = (reading, captured) {
                memory.anchor.pin(reading, captured);
            }
        }
        _ => {}
    }
}

impl<'a> Head<'a> {
    /// What a tracepoint says, from its own name on: of `sched:sched_switch: prev_comm=…` what follows the first colon. None
    /// of `cycles:u`, whose letters say what was counted.
    fn tracepoint(&self, colon: usize) -> Option<&'a str> {
        let modifiers = |byte: &u8| {
            matches!(byte, b'u' | b'k' | b'h' | b'G' | b'H' | b'p' | b'P' | b'S' | b'D' | b'W' | b'e' | b'I')
        };
        let name = self.event.get(colon + 1..)?;
        if name.iter().all(modifiers) {
            return None;
        }
        std::str::from_utf8(self.whole.get(colon + 1..)?).ok()
    }
}

/// Take the first line of a sample apart.
fn head(line: &[u8]) -> Option<Head<'_>> {
    let line = line.trim_ascii();
    let mut from = 0;
    // The time is what ends in a colon and has six digits or nine behind its point.
    let (start, end) = loop {
        let colon = from + memchr::memchr(b':', line.get(from..line.len().min(HEAD))?)?;
        let start = line[..colon].iter().rposition(|byte| *byte == b' ').map_or(0, |blank| blank + 1);
        let point = memchr::memchr(b'.', &line[start..colon]).map(|point| colon - start - point);
        if matches!(point, Some(7 | 10)) && line[start..colon].iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
        {
            break (start, colon);
        }
        from = colon + 1;
    };
    let at = i64::try_from(nanoseconds(&line[start..end], SECOND)?).ok()?;
    let (comm, pid, cpu) = task(line[..start].trim_ascii())?;
    let mut rest = line[end + 1..].trim_ascii_start();
    let mut period = None;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && rest.get(digits) == Some(&b' ') {
        period = unsigned(&rest[..digits]);
        rest = rest[digits..].trim_ascii_start();
    }
    // The event has no blanks in it, and may have colons.
    let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
    if line.len() - rest.len() + end > HEAD {
        return None;
    }
    let event = rest[..end].strip_suffix(b":")?;
    let plain =
        |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'(' | b')' | b'[' | b']' | b'<' | b'>');
    if event.is_empty() || !event.iter().all(plain) || !event.iter().any(u8::is_ascii_alphabetic) {
        return None;
    }
    Some(Head { comm, pid, cpu, at, period, event, rest: rest[end..].trim_ascii(), whole: rest })
}

/// Name, thread and processor of `comm 23492/23493 [001]`. Some of them may be left out.
fn task(text: &[u8]) -> Option<(&[u8], u32, u32)> {
    let mut text = text;
    let mut cpu = 0;
    if let Some(inner) = text.strip_suffix(b"]") {
        let open = memchr::memrchr(b'[', inner)?;
        cpu = id(&inner[open + 1..])?;
        text = inner[..open].trim_ascii_end();
    }
    let start = text.iter().rposition(|byte| *byte == b' ').map_or(0, |blank| blank + 1);
    let (comm, ids) = (text[..start].trim_ascii(), &text[start..]);
    let (process, thread) = ids.split_at(memchr::memchr(b'/', ids).unwrap_or(ids.len()));
    let process = id(process)?;
    let thread = if thread.is_empty() { process } else { id(&thread[1..])? };
    Some((comm, thread, cpu))
}

/// A number of a process or a processor; -1 is none.
fn id(text: &[u8]) -> Option<u32> {
    if text == b"-1" {
        return Some(0);
    }
    unsigned(text).filter(|_| text.iter().all(u8::is_ascii_digit)).and_then(|number| u32::try_from(number).ok())
}

/// Function and object of `ffffffff821fb643 schedule+0x23 ([kernel.kallsyms])`.
fn frame(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii();
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let rest = line.get(digits..)?.trim_ascii_start();
    if digits == 0 || line.get(digits).is_some_and(|byte| !byte.is_ascii_whitespace()) {
        return None;
    }
    let (function, object) = match rest.strip_suffix(b")") {
        Some(inner) => match memchr::memmem::rfind(inner, b" (") {
            Some(open) => (&inner[..open], &inner[open + 2..]),
            None => (rest, &b""[..]),
        },
        None => (rest, &b""[..]),
    };
    Some((function.trim_ascii(), object))
}

/// What a function is called by; one without a name by the object that it is in.
fn named<'a>(function: &'a [u8], object: &'a [u8]) -> Cow<'a, str> {
    let function = match memchr::memmem::rfind(function, b"+0x") {
        Some(at) if function[at + 3..].iter().all(u8::is_ascii_hexdigit) => &function[..at],
        _ => function,
    };
    if !matches!(function, b"[unknown]" | b"") {
        return symbol::short(lossy(function));
    }
    match object.rsplit(|byte| *byte == b'/').next().unwrap_or_default() {
        b"" | b"[unknown]" => "[unknown]".into(),
        object => format!("[unknown] in {}", lossy(object)).into(),
    }
}
