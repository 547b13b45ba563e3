//! The `function_graph` tracer: calls of functions of the kernel, as nested as they were, with how long each took.
//!
//! ```text
//!  0)               |  sys_open() {
//!  0)   0.633 us    |    getname();
//!  0) ! 123.400 us  |  }
//! ```

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::bounded::Bounded;
use super::ftrace::Traced;
use super::value::{lossy, nanoseconds};
use super::{comm, stacks::number};
use crate::event::{Event, Kind};

/// Processors and tasks whose open calls are remembered.
const LANES: usize = 4_096;

/// Calls that may be open in one of them.
const DEPTH: usize = 512;

/// The open calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Calls {
    /// By processor, or by task where the tracer shows it.
    open: Bounded<u64, Vec<Frame>>,
    /// By processor: the program that runs there, where the tracer says so.
    tasks: Bounded<u64, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Frame {
    name: String,
    /// Nanoseconds spent in what it called.
    below: u64,
}

impl Calls {
    /// What had to be forgotten.
    pub(super) const fn forgotten(&self) -> u64 {
        self.open.forgotten() + self.tasks.forgotten()
    }
}

/// Read a line; false if it is none of this tracer's.
pub(super) fn read<'a>(
    text: &'a [u8],
    raw: &'a [u8],
    told: bool,
    traced: &mut Traced,
    events: &mut Vec<Event<'a>>,
) -> bool {
    // Where the time is shown it stands first, and is left out here: the durations say it all.
    let text = match memchr::memchr(b'|', text) {
        Some(bar) if nanoseconds(text[..bar].trim_ascii(), 1).is_some() => text[bar + 1..].trim_ascii_start(),
        _ => text,
    };
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..5).contains(&digits) || text.get(digits) != Some(&b')') {
        return told && text.starts_with(b"------");
    }
    let processor = number(&text[..digits]);
    let rest = text[digits + 1..].trim_ascii();
    if let Some(at) = memchr::memmem::find(rest, b" => ") {
        // `bash-12  =>  sshd-34`: another task has the processor, and its calls are others.
        let program = program(rest[at + 4..].trim_ascii());
        if let Some(program) = program {
            traced.graph.open.remove(&processor);
            traced.graph.tasks.insert(processor, program.to_owned(), LANES);
        }
        return program.is_some();
    }
    let Some(bar) = memchr::memrchr(b'|', rest) else { return false };
    let (front, call) = (&rest[..bar], rest[bar + 1..].trim_ascii());
    let (task, time) = match memchr::memrchr(b'|', front) {
        Some(bar) => (front[..bar].trim_ascii(), &front[bar + 1..]),
        None => (&b""[..], front),
    };
    let time = time.trim_ascii();
    if time.starts_with(b"==") || time.starts_with(b"<=") {
        // Where an interrupt begins and ends.
        return told;
    }
    // What has not ended yet has none.
    let took = if time.is_empty() { None } else { duration(time) };
    if took.is_none() && !time.is_empty() {
        return false;
    }
    let service = match program(task.split(|byte| *byte == b'|').next().unwrap_or_default().trim_ascii()) {
        Some(program) => Cow::Borrowed(program),
        None => Cow::Owned(traced.graph.tasks.get(&processor).cloned().unwrap_or_default()),
    };
    let lane = if task.is_empty() { processor } else { number(task) };
    traced.graph.call(lane, call, took, service, raw, events)
}

impl Calls {
    /// A call is entered, made or left, as text of C says; false if it says nothing of the kind.
    pub(super) fn call<'a>(
        &mut self,
        lane: u64,
        call: &'a [u8],
        took: Option<u64>,
        service: Cow<'a, str>,
        raw: &'a [u8],
        events: &mut Vec<Event<'a>>,
    ) -> bool {
        if call.starts_with(b"/*") {
            // An event of another tracer, as a remark.
            return true;
        }
        let mut open = self.open.remove(&lane).unwrap_or_default();
        let mut done = None;
        let known = if let Some(name) = function(call, b"{") {
            if open.len() < DEPTH {
                open.push(Frame { name: lossy(name).into_owned(), below: 0 });
            }
            true
        } else if let Some(name) = function(call, b";") {
            done = Some((lossy(name), 0));
            true
        } else if let Some(rest) = call.strip_prefix(b"}") {
            let named = rest.trim_ascii().strip_prefix(b"/*").and_then(|rest| rest.strip_suffix(b"*/"));
            done = match (open.pop(), named) {
                (Some(frame), _) => Some((Cow::Owned(frame.name), frame.below)),
                // It was entered before the trace began.
                (None, Some(name)) => Some((lossy(name.trim_ascii()), 0)),
                (None, None) => None,
            };
            true
        } else {
            false
        };
        if let (Some(caller), Some(took), true) = (open.last_mut(), took, done.is_some()) {
            caller.below = caller.below.saturating_add(took);
        }
        if !open.is_empty() {
            self.open.insert(lane, open, LANES);
        }
        if let Some((operation, below)) = done {
            let own = took.map(|took| took.saturating_sub(below));
            events.push(Event {
                kind: Kind::Internal,
                duration: took,
                own,
                service,
                operation,
                raw,
                ..Event::default()
            });
        }
        known
    }
}

/// The name of `name() {`, `name();` or `name [module]();`.
fn function<'a>(call: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    // Newer kernels show what it returns: `name(); /* ret=0x0 */`.
    let call = match memchr::memmem::find(call, b"/*") {
        Some(at) => &call[..at],
        None => call,
    };
    let call = call.trim_ascii_end().strip_suffix(end)?.trim_ascii_end();
    let name = &call[..memchr::memchr(b'(', call)?];
    let name = name.split(|byte| *byte == b' ').next()?;
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$' | b':' | b'~' | b'<' | b'>');
    (!name.is_empty() && name.iter().all(plain)).then_some(name)
}

/// The nanoseconds of `0.633 us` or `! 123.400 us`: a mark of how long it was may stand in front.
fn duration(text: &[u8]) -> Option<u64> {
    let text = match text {
        [b'+' | b'!' | b'#' | b'*' | b'@' | b'$', rest @ ..] => rest.trim_ascii(),
        text => text,
    };
    nanoseconds(text.strip_suffix(b"us")?.trim_ascii(), 1_000)
}

/// The program of `bash-1234`.
fn program(task: &[u8]) -> Option<&str> {
    let dash = memchr::memrchr(b'-', task)?;
    if task[dash + 1..].is_empty() || !task[dash + 1..].iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(comm::program(task[..dash].trim_ascii())).ok()
}
