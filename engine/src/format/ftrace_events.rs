//! What the events of the kernel's tracer say: which of them begin and end something, and which mean a wait.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::bounded::Bounded;
use super::ftrace::{Line, TASKS, Traced};
use super::stacks::number;
use super::syscalls::{errno, is_answer};
use super::{Memory, comm};
use crate::event::{Attributes, Event, Kind};

/// Endings of the names of events that begin something, and of those that end it.
const PAIRS: &[(&str, &str)] = &[
    ("_entry", "_exit"),
    ("_enter", "_exit"),
    ("_begin", "_end"),
    ("_start", "_end"),
    ("_start", "_done"),
    ("_start", "_complete"),
    ("_issue", "_complete"),
];

/// Interrupts: whom they interrupt has nothing to do with them.
const OF_THE_KERNEL: &[&str] = &["irq_handler", "softirq", "hrtimer_expire", "timer_expire", "ipi", "tasklet"];

/// What tasks have begun and not ended yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// By processor: the task that runs there and since when.
    running: Bounded<u32, (u32, i64)>,
    /// By task: since when it could run and does not.
    waiting: Bounded<u32, i64>,
    /// By a number for task and event: since when, and what it is called.
    open: Bounded<u64, Open>,
    /// Numbers of the names of what has ended once: of others the ends may not be traced at all.
    ended: Bounded<u64, ()>,
}

/// What has begun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open {
    /// When, in nanoseconds by the tracer's clock.
    pub(super) since: i64,
    pub(super) name: String,
    /// Who has begun it: it may be an interrupt of somebody else in which it ends.
    pub(super) service: String,
}

impl Begun {
    /// What had to be forgotten.
    pub(super) const fn forgotten(&self) -> u64 {
        self.running.forgotten() + self.waiting.forgotten() + self.open.forgotten()
    }

    /// Something begins.
    pub(super) fn begin(&mut self, key: u64, open: Open) {
        self.open.insert(key, open, TASKS);
    }

    /// Something begins again that never ended, nor did any of its kind: its ends are not traced.
    fn is_endless(&self, key: u64, kind: &str) -> bool {
        self.open.get(&key).is_some() && self.ended.get(&number(kind.as_bytes())).is_none()
    }

    fn has_ended(&mut self, kind: &str) {
        let kind = number(kind.as_bytes());
        if self.ended.get(&kind).is_none() {
            self.ended.insert(kind, (), TASKS);
        }
    }

    /// What ends, as it began.
    pub(super) fn end(&mut self, key: u64) -> Option<Open> {
        self.open.remove(&key)
    }
}

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
        _ if paired(line, name, fields, traced, events) => {}
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

/// An event that takes no time.
pub(super) fn point<'a>(line: &Line<'a>, traced: &Traced, operation: &'a str) -> Event<'a> {
    Event {
        kind: Kind::Internal,
        time: Some(line.time),
        service: traced.program(line.pid, line.comm),
        operation: operation.trim_ascii().into(),
        raw: line.raw,
        ..Event::default()
    }
}

/// One that began then, by the tracer's clock.
pub(super) fn span<'a>(line: &Line<'a>, since: i64, service: Cow<'a, str>, operation: Cow<'a, str>) -> Event<'a> {
    Event {
        kind: Kind::Internal,
        time: Some(line.time),
        duration: Some(line.at.saturating_sub(since).max(0).unsigned_abs()),
        service,
        operation,
        raw: line.raw,
        ..Event::default()
    }
}

fn key(task: u32, name: &str) -> u64 {
    number(name.as_bytes()).wrapping_add(u64::from(task).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The value of a field, up to the next one; names of tasks have blanks in them.
fn value<'a>(fields: &'a str, name: &str, next: &str) -> Option<&'a str> {
    let start = fields.find(name)? + name.len();
    let rest = &fields[start..];
    Some(rest[..rest.find(next).unwrap_or(rest.len())].trim_ascii())
}

/// One task leaves a processor and another gets it: the one ran, the other has waited.
fn switched<'a>(line: &Line<'a>, fields: &'a str, traced: &mut Traced, events: &mut Vec<Event<'a>>) {
    let parse = |text: &str| text.parse::<u32>().ok();
    let (Some(before), Some(after)) =
        (value(fields, "prev_pid=", " ").and_then(parse), value(fields, "next_pid=", " ").and_then(parse))
    else {
        return;
    };
    let named = |name| std::str::from_utf8(comm::program(name)).unwrap_or_default();
    let from = named(value(fields, "prev_comm=", " prev_pid=").unwrap_or_default().as_bytes());
    let to = named(value(fields, "next_comm=", " next_pid=").unwrap_or_default().as_bytes());
    traced.learn(before, from);
    traced.learn(after, to);
    let begun = &mut traced.events;
    let ran = begun.running.get(&line.cpu).copied();
    begun.running.insert(line.cpu, (after, line.at), TASKS);
    let waited = begun.waiting.remove(&after);
    // It was not done: it goes on waiting for a processor.
    if before > 0 && value(fields, "prev_state=", " ").is_some_and(|state| state.starts_with('R')) {
        begun.waiting.insert(before, line.at, TASKS);
    }
    // The idle task is no work.
    if let Some((task, since)) = ran
        && task == before
        && before > 0
    {
        events.push(span(line, since, traced.program(before, from), "on cpu".into()));
    }
    if let Some(since) = waited.filter(|_| after > 0) {
        events.push(span(line, since, traced.program(after, to), "run queue".into()));
    }
}

/// A task can run now.
fn woken(line: &Line<'_>, fields: &str, traced: &mut Traced) {
    let Some(pid) = value(fields, " pid=", " ").and_then(|pid| pid.parse().ok()) else { return };
    let comm = value(fields, "comm=", " pid=").unwrap_or_default();
    traced.learn(pid, std::str::from_utf8(comm::program(comm.as_bytes())).unwrap_or_default());
    if pid > 0 && traced.events.waiting.get(&pid).is_none() {
        traced.events.waiting.insert(pid, line.at, TASKS);
    }
}

/// System calls: `sys_enter: NR 0 (…)`, `sys_exit: NR 0 = 3`; `sys_enter_read: fd: 3`, `sys_exit_read: 0x3`;
/// `sys_read(fd: 3)`, `sys_read -> 0x3`.
fn called<'a>(line: &Line<'a>, name: &'a str, fields: &'a str, traced: &mut Traced, events: &mut Vec<Event<'a>>) {
    let key = key(line.pid, "sys_");
    let result = if let Some(rest) = name.strip_prefix("sys_exit") {
        let result = fields.rsplit(['=', ' ']).next().unwrap_or_default();
        let call = rest.strip_prefix('_').map(Cow::Borrowed);
        Some((call.or_else(|| value(fields, "NR ", " ").map(|number| format!("syscall {number}").into())), result))
    } else {
        fields.strip_prefix("-> ").map(|result| (Some(Cow::Borrowed(&name[4..])), result))
    };
    let Some((Some(call), result)) = result else {
        if traced.events.is_endless(key, "sys_") {
            let mut event = point(line, traced, name.strip_prefix("sys_enter_").unwrap_or(name));
            event.attributes = Attributes::Pairs(fields.as_bytes());
            events.push(event);
            return;
        }
        traced.events.begin(key, Open { since: line.at, ..Open::default() });
        return;
    };
    traced.events.has_ended("sys_");
    let service = traced.program(line.pid, line.comm);
    let mut event = match traced.events.end(key) {
        Some(open) => span(line, open.since, service, call),
        None => Event { operation: call, ..point(line, traced, "") },
    };
    if let Some(error) = negative(result.trim_ascii()).and_then(errno) {
        event.failed = !is_answer(&event.operation, error);
        if event.failed {
            event.message = error.into();
        }
    }
    events.push(event);
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

/// Whether an event begins or ends something; what has ended is pushed.
fn paired<'a>(
    line: &Line<'a>,
    name: &'a str,
    fields: &'a str,
    traced: &mut Traced,
    events: &mut Vec<Event<'a>>,
) -> bool {
    if let Some(stem) = PAIRS.iter().find_map(|(begin, _)| name.strip_suffix(begin)) {
        let key = key(whose(line, stem, fields), stem);
        if traced.events.is_endless(key, stem) {
            return false;
        }
        let label =
            ["name=", "action=", "function "].iter().find_map(|field| value(fields, field, " ")).unwrap_or_default();
        let label = if label.is_empty() { stem.to_owned() } else { format!("{stem} {}", label.trim_end_matches(']')) };
        let service = if OF_THE_KERNEL.contains(&stem) { "kernel".into() } else { traced.program(line.pid, line.comm) };
        let open = Open { since: line.at, name: label, service: service.into_owned() };
        traced.events.begin(key, open);
        return true;
    }
    let ended = PAIRS.iter().filter_map(|(_, end)| name.strip_suffix(end));
    for stem in ended {
        traced.events.has_ended(stem);
        if let Some(open) = traced.events.end(key(whose(line, stem, fields), stem)) {
            events.push(span(line, open.since, open.service.into(), open.name.into()));
            return true;
        }
    }
    false
}

/// In what a begin and its end agree: the task; the place on the disk.
fn whose(line: &Line<'_>, stem: &str, fields: &str) -> u32 {
    if !stem.starts_with("block_rq") && !stem.starts_with("block_bio") {
        return line.pid;
    }
    // `8,0 W 4096 () 1234 + 8 [dd]`, `8,0 W () 1234 + 8 [0]`
    let place = fields.split(" + ").next().unwrap_or_default();
    let (device, sector) = (place.split(' ').next(), place.rsplit(' ').next());
    let both =
        number(device.unwrap_or_default().as_bytes()) ^ number(sector.unwrap_or_default().as_bytes()).rotate_left(17);
    u32::try_from(both >> 32).unwrap_or_default()
}
