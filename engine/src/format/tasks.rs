//! What tasks of a host do, as tracers of the kernel tell it: they begin and end things, run, wait and are woken.
//!
//! The decoders of `ftrace`, `perf` and `lttng` say what happened in these words; what has ended becomes an event.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::bounded::Bounded;
use super::ftrace::{Line, TASKS, Traced};
use super::stacks::number;
use super::syscalls::{errno, is_answer};
use crate::event::{Event, Kind};

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

/// What system calls are called among what begins and ends.
const CALLS: &str = "sys_";

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
    /// The task that runs on a processor, as far as is known.
    pub(super) fn running(&self, cpu: u32) -> u32 {
        self.running.get(&cpu).map_or(0, |(task, _)| *task)
    }

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

/// A processor goes from one task to another.
pub(super) struct Switch<'a> {
    pub(super) before: u32,
    pub(super) from: &'a str,
    /// The task was not done: it goes on waiting for a processor.
    pub(super) runnable: bool,
    pub(super) after: u32,
    pub(super) to: &'a str,
}

impl<'a> Switch<'a> {
    /// One task leaves a processor and another gets it: the one ran, the other has waited.
    pub(super) fn enter(&self, line: &Line<'a>, traced: &mut Traced, events: &mut Vec<Event<'a>>) {
        traced.learn(self.before, self.from);
        traced.learn(self.after, self.to);
        let begun = &mut traced.events;
        let ran = begun.running.get(&line.cpu).copied();
        begun.running.insert(line.cpu, (self.after, line.at), TASKS);
        let waited = begun.waiting.remove(&self.after);
        if self.before > 0 && self.runnable {
            begun.waiting.insert(self.before, line.at, TASKS);
        }
        // The idle task is no work.
        if let Some((task, since)) = ran
            && task == self.before
            && task > 0
        {
            events.push(span(line, since, traced.program(task, self.from), "on cpu".into()));
        }
        if let Some(since) = waited.filter(|_| self.after > 0) {
            events.push(span(line, since, traced.program(self.after, self.to), "run queue".into()));
        }
    }
}

/// A task can run now.
pub(super) fn woken(line: &Line<'_>, pid: u32, comm: &str, traced: &mut Traced) {
    traced.learn(pid, comm);
    if pid > 0 && traced.events.waiting.get(&pid).is_none() {
        traced.events.waiting.insert(pid, line.at, TASKS);
    }
}

/// A task enters a system call. False if calls are not traced to their ends: this is then all that is known of it.
pub(super) fn entered(line: &Line<'_>, traced: &mut Traced) -> bool {
    let key = key(line.pid, CALLS);
    if traced.events.is_endless(key, CALLS) {
        return false;
    }
    traced.events.begin(key, Open { since: line.at, ..Open::default() });
    true
}

/// A task leaves a system call, with how far below zero the result is, if it is an error.
pub(super) fn left<'a>(
    line: &Line<'a>,
    call: Cow<'a, str>,
    error: Option<u64>,
    traced: &mut Traced,
    events: &mut Vec<Event<'a>>,
) {
    traced.events.has_ended(CALLS);
    let service = traced.program(line.pid, line.comm);
    let mut event = match traced.events.end(key(line.pid, CALLS)) {
        Some(open) => span(line, open.since, service, call),
        None => Event { operation: call, ..point(line, traced, "") },
    };
    if let Some(error) = error.and_then(errno) {
        event.failed = !is_answer(&event.operation, error);
        if event.failed {
            event.message = error.into();
        }
    }
    events.push(event);
}

/// Whether an event begins or ends something; what has ended is pushed. `whose` is in what the two agree, `label` what is
/// begun in particular.
pub(super) fn paired<'a>(
    line: &Line<'a>,
    name: &'a str,
    whose: u32,
    label: &str,
    traced: &mut Traced,
    events: &mut Vec<Event<'a>>,
) -> bool {
    if let Some(stem) = PAIRS.iter().find_map(|(begin, _)| name.strip_suffix(begin)) {
        let key = key(whose, stem);
        if traced.events.is_endless(key, stem) {
            return false;
        }
        let label = if label.is_empty() { stem.to_owned() } else { format!("{stem} {label}") };
        let service = if OF_THE_KERNEL.contains(&stem) { "kernel".into() } else { traced.program(line.pid, line.comm) };
        traced.events.begin(key, Open { since: line.at, name: label, service: service.into_owned() });
        return true;
    }
    let ended = PAIRS.iter().filter_map(|(_, end)| name.strip_suffix(end));
    for stem in ended {
        traced.events.has_ended(stem);
        if let Some(open) = traced.events.end(key(whose, stem)) {
            events.push(span(line, open.since, open.service.into(), open.name.into()));
            return true;
        }
    }
    false
}

/// A number for a place on a disk, by which its requests are known.
pub(super) fn place(device: &str, sector: &str) -> u32 {
    let both = number(device.as_bytes()) ^ number(sector.as_bytes()).rotate_left(17);
    u32::try_from(both >> 32).unwrap_or_default()
}
