//! The text of the kernel's tracer: of `trace` and `trace_pipe`, of `trace-cmd report`, of systrace and atrace.
//!
//! A line is a task, a processor, a time and an event. What begins and ends becomes a span that takes time: system calls,
//! interrupts, work of the kernel, the marks of atrace, how long a task ran and how long it waited for a processor. Any other
//! event is one that takes none. The `function_graph` tracer's lines are read in `ftrace_graph`.

use serde::{Deserialize, Serialize};

use super::bounded::Bounded;
use super::value::nanoseconds;
use super::{Context, Format, Found, Memory, comm, ftrace_events, ftrace_graph, tasks};
use crate::event::Event;

/// Tasks that are remembered: their names, and what they have begun.
pub(super) const TASKS: usize = 16_384;

const SECOND: u64 = 1_000_000_000;

/// Bytes from the start of a line within which its processor stands.
const HEAD: usize = 96;

/// What is remembered of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Traced {
    /// The names of tasks, as lines told them: others write `<...>`.
    names: Bounded<u32, String>,
    pub(super) events: tasks::Begun,
    pub(super) graph: ftrace_graph::Calls,
}

impl Traced {
    /// What had to be forgotten.
    pub(super) const fn forgotten(&self) -> u64 {
        self.names.forgotten() + self.events.forgotten() + self.graph.forgotten()
    }

    /// Take note of the name of a task.
    pub(super) fn learn(&mut self, pid: u32, comm: &str) {
        if pid > 0 && !comm.is_empty() && self.names.get(&pid).is_none_or(|known| known != comm) {
            self.names.insert(pid, comm.to_owned(), TASKS);
        }
    }

    /// The program of a task.
    pub(super) fn program<'a>(&self, pid: u32, comm: &'a str) -> std::borrow::Cow<'a, str> {
        if !comm.is_empty() {
            return comm.into();
        }
        self.names.get(&pid).cloned().unwrap_or_default().into()
    }
}

/// A line that was taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// The program; empty where the tracer does not know it.
    pub(super) comm: &'a str,
    pub(super) pid: u32,
    pub(super) cpu: u32,
    /// Nanoseconds by the tracer's clock.
    pub(super) at: i64,
    /// Nanoseconds since the epoch.
    pub(super) time: i64,
    /// What follows the time: the event, and what it says.
    pub(super) rest: &'a str,
    /// All of it.
    pub(super) raw: &'a [u8],
}

/// Decode a line; None if it is none of the tracer's. `told` if some came before it.
pub(super) fn line<'a>(
    line: &'a [u8],
    told: bool,
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) -> Option<Found> {
    // Catapult's own files of such traces have their lines in the quotes of a script.
    let text = line.strip_suffix(b"\\n\\").unwrap_or(line).trim_ascii_end();
    if let Some(comment) = text.strip_prefix(b"#") {
        if !told && !comment.starts_with(b" tracer: ") {
            return None;
        }
        memory.told = Some(Format::Ftrace);
        return Some(Found::Events);
    }
    if told && (text.starts_with(b"=> ") || text.starts_with(b"CPU:") || text.starts_with(b"cpus=")) {
        // A stack of the kernel; or how many events were lost.
        return Some(if text.starts_with(b"=") { Found::Continuation } else { Found::Events });
    }
    let found = match taken_apart(text) {
        Some(mut found) => {
            found.raw = line;
            found.time = memory.anchor.time(found.at, context);
            memory.ftrace.learn(found.pid, found.comm);
            ftrace_events::read(&found, memory, events);
            true
        }
        None => ftrace_graph::read(text, line, told, &mut memory.ftrace, events),
    };
    if !found {
        return None;
    }
    memory.told = Some(Format::Ftrace);
    Some(Found::Events)
}

/// `  comm-123   (  120) [003] d..2. 1234.567890: event: fields`.
fn taken_apart(text: &[u8]) -> Option<Line<'_>> {
    let open =
        memchr::memmem::find_iter(&text[..text.len().min(HEAD)], b" [").find(|at| is_processor(&text[at + 2..]))? + 1;
    let close = open + memchr::memchr(b']', &text[open..])?;
    let cpu = std::str::from_utf8(&text[open + 1..close]).ok()?.parse().ok()?;
    let mut task = text[..open].trim_ascii();
    if task.ends_with(b")") {
        task = task[..memchr::memrchr(b'(', task)?].trim_ascii_end();
    }
    let dash = memchr::memrchr(b'-', task)?;
    let pid = std::str::from_utf8(&task[dash + 1..]).ok()?.parse().ok()?;
    let comm = std::str::from_utf8(comm::program(task[..dash].trim_ascii())).ok()?;
    let mut rest = std::str::from_utf8(text.get(close + 1..)?).ok()?.trim_ascii_start();
    // The flags of interrupts, of preemption and of delays, where they are shown.
    let (word, after) = rest.split_once(' ')?;
    if !word.ends_with(':') {
        let plain =
            word.len() < 9 && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'#');
        if !plain {
            return None;
        }
        rest = after.trim_ascii_start();
    }
    let (stamp, rest) = rest.split_once(": ")?;
    let fraction = stamp.len() - stamp.find('.')?;
    if fraction < 7 {
        return None;
    }
    let at = i64::try_from(nanoseconds(stamp.as_bytes(), SECOND)?).ok()?;
    Some(Line { comm, pid, cpu, at, time: 0, rest: rest.trim_ascii_start(), raw: text })
}

/// `003] `
fn is_processor(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (3..6).contains(&digits) && text[digits..].starts_with(b"] ")
}
