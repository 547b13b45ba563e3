//! The marks that programs write into the kernel's trace, as atrace and Chrome do: `B|123|name` … `E|123`.

use super::ftrace::Line;
use super::stacks::number;
use super::tasks::{Open, point, span};
use super::value::nanoseconds;
use super::{Memory, ftrace::Traced};
use crate::event::{Event, Kind};

/// Read a mark; a text that is none is a log record.
pub(super) fn mark<'a>(line: &Line<'a>, text: &'a str, memory: &mut Memory, events: &mut Vec<Event<'a>>) {
    // Where the mark was made in the program, in hexadecimal digits, stands in front of a `print`.
    let text = match text.split_once(": ") {
        Some((place, rest))
            if !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'x') =>
        {
            rest
        }
        Some(("tracing_mark_write", rest)) => rest,
        _ => text,
    };
    if let Some(sync) = text.strip_prefix("trace_event_clock_sync: ") {
        if let Some(time) = sync.strip_prefix("realtime_ts=").and_then(|time| nanoseconds(time.as_bytes(), 1_000_000)) {
            memory.anchor.pin(line.at, i64::try_from(time).unwrap_or(line.time));
        }
        return;
    }
    let mut parts = text.split('|');
    let letter = parts.next().unwrap_or_default();
    let process: u32 = parts.next().and_then(|process| process.parse().ok()).unwrap_or_default();
    let name = parts.next().unwrap_or_default();
    let lane = u64::from(line.pid);
    match letter {
        "B" => memory.stacks.enter(lane, name, line.at),
        "E" => {
            if let Some(call) = memory.stacks.leave(lane, None, line.at) {
                let service = service(&memory.ftrace, line, process);
                let whole = span(line, line.at, service, call.name.into());
                events.push(Event { duration: Some(call.took), own: Some(call.own), ..whole });
            }
        }
        "S" | "F" | "G" | "H" => {
            let track = letter == "G" || letter == "H";
            let (label, cookie) = if track {
                // What ends says its track and its cookie, and may leave out its name.
                let rest: Vec<&str> = parts.collect();
                (
                    rest.first().copied().filter(|_| rest.len() > 1).unwrap_or(name),
                    rest.last().copied().unwrap_or_default(),
                )
            } else {
                (name, parts.next().unwrap_or_default())
            };
            let key =
                number(name.as_bytes()) ^ number(cookie.as_bytes()).rotate_left(9) ^ u64::from(process).rotate_left(40);
            if letter == "S" || letter == "G" {
                let service = service(&memory.ftrace, line, process).into_owned();
                memory.ftrace.events.begin(key, Open { since: line.at, name: label.to_owned(), service });
            } else if let Some(open) = memory.ftrace.events.end(key) {
                events.push(span(line, open.since, open.service.into(), open.name.into()));
            }
        }
        "C" | "I" | "N" => {
            let name = if letter == "N" { parts.next().unwrap_or(name) } else { name };
            events.push(Event { service: service(&memory.ftrace, line, process), ..point(line, &memory.ftrace, name) });
        }
        _ => {
            let event = point(line, &memory.ftrace, "");
            events.push(Event { kind: Kind::Log, message: text.into(), ..event });
        }
    }
}

/// The program of a process: its first thread has its name.
fn service<'a>(traced: &Traced, line: &Line<'a>, process: u32) -> std::borrow::Cow<'a, str> {
    let whole = traced.program(process, "");
    if whole.is_empty() { traced.program(line.pid, line.comm) } else { whole }
}
