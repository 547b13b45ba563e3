//! What the events of the kernel's tracer say: which of them begin and end something, and which mean a wait.

use std::borrow::Cow;

use super::ftrace::{Line, Traced};
use super::tasks::{self, Switch, entered, left, place, point};
use super::{Memory, comm};
use crate::event::{Attributes, Event};

/// Read what a line says.
pub(super) fn read<'a>(line: &Line<'a>, memory: &mut Memory, events: &mut Vec<Event<'a>>) {
    let traced = &mut memory.ftrace;
    if let Some((function, _)) = line.rest.split_once(" <-") {
        events.push(point(line, traced, function));
        return;
    }
    let (name, fields) = split(line.rest);
    match name {
        "sched_switch" => switched(line, fields, traced, events),
        "sched_wakeup" | "sched_waking" | "sched_wakeup_new" => woken(line, fields, traced),
        "tracing_mark_write" | "print" | "bprint" | "bputs" | "0" => {
            super::atrace::mark(line, fields, memory, events);
        }
        _ if name.starts_with("sys_") => called(line, name, fields, traced, events),
        _ if tasks::paired(line, name, whose(line, name, fields), label(fields), traced, events) => {}
        _ => {
            let mut event = point(line, traced, name);
            event.attributes = Attributes::Pairs(fields.as_bytes());
            events.push(event);
        }
    }
}

/// The name of an event and what it says. A system call is also written as it is called: `sys_read(fd: 3)`.
fn split(text: &str) -> (&str, &str) {
    let end = text.find([':', '(', ' ']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    (name, rest.strip_prefix(':').unwrap_or(rest).trim_ascii_start())
}

/// The value of a field, up to the next one; names of tasks have blanks in them.
fn value<'a>(fields: &'a str, name: &str, next: &str) -> Option<&'a str> {
    let start = fields.find(name)? + name.len();
    let rest = &fields[start..];
    Some(rest[..rest.find(next).unwrap_or(rest.len())].trim_ascii())
}

/// `prev_comm=a prev_pid=1 prev_prio=120 prev_state=R ==> next_comm=b next_pid=2 next_prio=120`
fn switched<'a>(line: &Line<'a>, fields: &'a str, traced: &mut Traced, events: &mut Vec<Event<'a>>) {
    let task = |name| value(fields, name, " ").and_then(|pid| pid.parse().ok());
    let (Some(before), Some(after)) = (task("prev_pid="), task("next_pid=")) else { return };
    let runnable = value(fields, "prev_state=", " ").is_some_and(|state| state.starts_with('R'));
    let from = named(value(fields, "prev_comm=", " prev_pid="));
    let to = named(value(fields, "next_comm=", " next_pid="));
    Switch { before, from, runnable, after, to }.enter(line, traced, events);
}

/// `comm=a pid=1 prio=120 success=1 target_cpu=000`
fn woken(line: &Line<'_>, fields: &str, traced: &mut Traced) {
    let Some(pid) = value(fields, " pid=", " ").and_then(|pid| pid.parse().ok()) else { return };
    tasks::woken(line, pid, named(value(fields, "comm=", " pid=")), traced);
}

fn named(comm: Option<&str>) -> &str {
    std::str::from_utf8(comm::program(comm.unwrap_or_default().as_bytes())).unwrap_or_default()
}

/// System calls: `sys_enter: NR 0 (…)`, `sys_exit: NR 0 = 3`; `sys_enter_read: fd: 3`, `sys_exit_read: 0x3`;
/// `sys_read(fd: 3)`, `sys_read -> 0x3`.
fn called<'a>(line: &Line<'a>, name: &'a str, fields: &'a str, traced: &mut Traced, events: &mut Vec<Event<'a>>) {
    let result = if let Some(rest) = name.strip_prefix("sys_exit") {
        let result = fields.rsplit(['=', ' ']).next().unwrap_or_default();
        let call = rest.strip_prefix('_').map(Cow::Borrowed);
        Some((call.or_else(|| value(fields, "NR ", " ").map(|number| format!("syscall {number}").into())), result))
    } else {
        fields.strip_prefix("-> ").map(|result| (name.get(4..).map(Cow::Borrowed), result))
    };
    if let Some((Some(call), result)) = result {
        left(line, call, negative(result.trim_ascii()), traced, events);
    } else if !entered(line, traced) {
        let mut event = point(line, traced, name.strip_prefix("sys_enter_").unwrap_or(name));
        event.attributes = Attributes::Pairs(fields.as_bytes());
        events.push(event);
    }
}

/// How far below zero a result is: `-2`, `0xfffffffffffffffe`. Errors reach down to -4095.
fn negative(text: &str) -> Option<u64> {
    if let Some(number) = text.strip_prefix('-') {
        return number.parse().ok();
    }
    let number = u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()?;
    let below = number.wrapping_neg();
    (1..4096).contains(&below).then_some(below)
}

/// What is begun in particular: the interrupt's device, the work's function.
fn label(fields: &str) -> &str {
    let label = ["name=", "action=", "function "].iter().find_map(|field| value(fields, field, " "));
    label.unwrap_or_default().trim_end_matches(']')
}

/// In what a begin and its end agree: the task; the place on the disk.
fn whose(line: &Line<'_>, name: &str, fields: &str) -> u32 {
    if !name.starts_with("block_rq") && !name.starts_with("block_bio") {
        return line.pid;
    }
    // `8,0 W 4096 () 1234 + 8 [dd]`, `8,0 W () 1234 + 8 [0]`
    let front = fields.split(" + ").next().unwrap_or_default();
    place(front.split(' ').next().unwrap_or_default(), front.rsplit(' ').next().unwrap_or_default())
}
