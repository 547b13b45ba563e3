//! What strace writes: a system call, signal or exit to a line, in any combination of `-f -t -r -T -y -Y -i -n -k`.
//!
//! A call is a span: its service is the program that made it, as far as an `execve` or `-Y` says, its operation the name of
//! the call. Threads and children are the program of their parent until they execute another: a process id names nobody.
//! `<unfinished ...>` and `<... resumed>` are joined by process and call.

use serde::{Deserialize, Serialize};

use super::attributes::Attribute;
use super::bounded::Bounded;
use super::syscalls::{is_answer, is_common};
use super::value::{lossy, nanoseconds};
use super::{Context, Format, Found, Memory, time};
use crate::event::{Attributes, Event, Kind, Level};

/// Processes and threads whose programs and open calls are remembered; those that exit are forgotten at once.
const MOST: usize = 16_384;

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

/// What is remembered of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Traced {
    /// The program of each process; 0 is the one that lines without a process id are of.
    programs: Bounded<u32, String>,
    /// The program of those of which nothing was said: the first one.
    first: String,
    open: Bounded<u32, Open>,
    /// With `-r`, when the latest line was written: nanoseconds since the epoch.
    clock: Option<i64>,
}

/// A call that was entered and not left yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    call: String,
    /// Nanoseconds since the epoch.
    start: Option<i64>,
    /// The program that it executes.
    program: String,
}

impl Traced {
    /// Processes whose program or open call had to be forgotten.
    pub(super) const fn forgotten(&self) -> u64 {
        self.programs.forgotten() + self.open.forgotten()
    }

    fn program(&self, pid: u32) -> &str {
        if let Some(program) = self.programs.get(&pid) {
            return program;
        }
        // A child may be heard of before the call that made it has returned.
        let parent = self.open.iter().find(|(_, open)| makes_process(&open.call)).map(|(pid, _)| pid);
        parent.and_then(|pid| self.programs.get(pid)).or_else(|| self.programs.get(&0)).unwrap_or(&self.first)
    }

    fn executed(&mut self, pid: u32, program: &str) {
        if self.first.is_empty() {
            program.clone_into(&mut self.first);
        }
        self.programs.insert(pid, program.to_owned(), MOST);
    }

    /// The call of a process that a resumed one goes on with. Where there is but one process, strace writes no id.
    fn resumed(&mut self, pid: u32, call: &str) -> Option<Open> {
        let is_it = |open: &Open| open.call == call;
        let known = [pid, 0].into_iter().find(|pid| self.open.get(pid).is_some_and(is_it));
        let found = known.or_else(|| {
            let mut all = self.open.iter().filter(|(_, open)| pid == 0 && is_it(open)).map(|(pid, _)| *pid);
            all.next().filter(|_| all.next().is_none())
        })?;
        self.open.remove(&found)
    }
}

fn makes_process(call: &str) -> bool {
    matches!(call, "clone" | "clone3" | "fork" | "vfork")
}

/// What stands in front of a call.
struct Head<'a> {
    pid: u32,
    /// The name of the process, with `-Y`.
    name: &'a [u8],
    /// Nanoseconds since the epoch.
    time: Option<i64>,
    /// Nanoseconds since the line before, with `-r` alone.
    step: Option<i64>,
    rest: &'a [u8],
}

/// Decode a line; None if it is none of strace. `told` if lines of strace came before it.
pub(super) fn line<'a>(
    line: &'a [u8],
    told: bool,
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) -> Option<Found> {
    // Nearly all lines that are none of strace end here.
    if !matches!(line.first(), Some(b'0'..=b'9' | b'a'..=b'z' | b'[' | b'<' | b'-' | b'+' | b'>' | b'_')) {
        return None;
    }
    let head = head(line, context)?;
    let traced = &mut memory.strace;
    let mut event = Event { kind: Kind::Internal, raw: line, attributes: Attributes::Strace(line), ..Event::default() };
    let clock = head.step.map(|step| traced.clock.or(context.last_time).unwrap_or(context.received) + step);
    event.time = head.time.or(clock);
    let known = |call: &str| told || is_common(call);
    let mut found = Found::Events;
    match head.rest {
        [b'+', b'+', b'+', b' ', ..] => {
            ended(&head, &mut event)?;
            event.service = traced.program(head.pid).to_owned().into();
            traced.programs.remove(&head.pid);
            traced.open.remove(&head.pid);
            events.push(event);
        }
        [b'-', b'-', b'-', b' ', ..] => {
            signal(&head, &mut event)?;
            event.service = traced.program(head.pid).to_owned().into();
            events.push(event);
        }
        [b'<', b'.', b'.', b'.', b' ', rest @ ..] => {
            let end = memchr::memmem::find(rest, b" resumed>")?;
            let call = name(&rest[..end]).filter(|call| known(call))?;
            let rest = &rest[end + b" resumed>".len()..];
            if rest.ends_with(b"<unfinished ...>") {
                if let Some(open) = traced.resumed(head.pid, call) {
                    traced.open.insert(head.pid, open, MOST);
                }
            } else {
                let result = result(rest)?;
                let open = traced.resumed(head.pid, call);
                event.operation = call.into();
                let start = open.as_ref().and_then(|open| open.start);
                event.duration = result.took.or_else(|| u64::try_from(event.time?.checked_sub(start?)?).ok());
                let program = open.map(|open| open.program).unwrap_or_default();
                finish(&head, traced, event, &result, &program, events);
            }
        }
        rest => match called(rest) {
            Some((call, arguments)) => {
                let program = if call.starts_with("execve") { executable(arguments) } else { "" };
                if is_unfinished(arguments) {
                    known(call).then_some(())?;
                    let entered = Open { call: call.to_owned(), start: event.time, program: program.to_owned() };
                    traced.open.insert(head.pid, entered, MOST);
                } else {
                    let result = result(arguments)?;
                    known(call).then_some(())?;
                    event.operation = call.into();
                    event.duration = result.took;
                    // Its time is that of its start.
                    let took = i64::try_from(result.took.unwrap_or(0)).unwrap_or(i64::MAX);
                    event.time = event.time.map(|start| start.saturating_add(took));
                    finish(&head, traced, event, &result, program, events);
                }
            }
            None if told && (rest.starts_with(b"> ") || rest == b"<unfinished ...>") => found = Found::Continuation,
            None => return None,
        },
    }
    if clock.is_some() {
        traced.clock = clock;
    }
    memory.told = Some(Format::Strace);
    Some(found)
}

/// Enter what a call that has returned says of programs and processes, and push it.
fn finish<'a>(
    head: &Head<'a>,
    traced: &mut Traced,
    mut event: Event<'a>,
    result: &Returned<'a>,
    program: &str,
    events: &mut Vec<Event<'a>>,
) {
    if !program.is_empty() && result.value == b"0" {
        traced.executed(head.pid, program);
    }
    event.service = if head.name.is_empty() || !program.is_empty() {
        traced.program(head.pid).to_owned().into()
    } else {
        lossy(head.name)
    };
    if makes_process(&event.operation)
        && let Some(child @ 1..) = number(result.value)
        && traced.programs.get(&child).is_none()
    {
        traced.programs.insert(child, event.service.clone().into_owned(), MOST);
    }
    if let Some(errno) = result.errno {
        event.failed = !is_answer(&event.operation, errno);
        if event.failed {
            event.message = lossy(result.error);
        }
    }
    events.push(event);
}

/// Take off what stands in front of a call.
fn head<'a>(line: &'a [u8], context: &Context) -> Option<Head<'a>> {
    let mut head = Head { pid: 0, name: b"", time: None, step: None, rest: line };
    if let Some(after) = line.strip_prefix(b"[pid ") {
        let end = memchr::memchr(b']', after)?;
        let (pid, name) = process(after[..end].trim_ascii())?;
        (head.pid, head.name, head.rest) = (pid, name, after.get(end + 1..)?.strip_prefix(b" ")?);
    } else if let Some(end) = memchr::memchr(b' ', &line[..line.len().min(48)])
        // The ids of processes have seven digits at most; ten are a time.
        && let Some((pid, name)) = process(&line[..end])
    {
        (head.pid, head.name, head.rest) = (pid, name, line[end..].trim_ascii_start());
    }
    if head.rest.first().is_some_and(u8::is_ascii_digit) {
        let end = memchr::memchr(b' ', head.rest)?;
        let stamp = &head.rest[..end];
        if let Some(step) = step(stamp) {
            head.step = Some(step);
        } else {
            let (time, length) = time::prefix(stamp, context)?;
            if length != end {
                return None;
            }
            head.time = Some(time);
        }
        head.rest = head.rest[end..].trim_ascii_start();
        if head.rest.starts_with(b"(+") {
            head.rest = head.rest[memchr::memchr(b')', head.rest)? + 1..].trim_ascii_start();
        }
    }
    // The number of the call with -n, the place in the code with -i.
    for _ in 0..2 {
        if head.rest.first() == Some(&b'[') {
            let end = memchr::memchr(b']', head.rest)?;
            let plain = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b' ' | b'?');
            if !head.rest[1..end].iter().all(plain) {
                return None;
            }
            head.rest = head.rest[end + 1..].trim_ascii_start();
        }
    }
    Some(head)
}

/// `1234` or, with `-Y`, `1234<bash>`.
fn process(text: &[u8]) -> Option<(u32, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let pid = text.get(..digits).filter(|digits| digits.len() < 8).and_then(number)?;
    match text.get(digits..)? {
        [] => Some((pid, b"")),
        [b'<', name @ .., b'>'] => Some((pid, name)),
        _ => None,
    }
}

fn number(text: &[u8]) -> Option<u32> {
    // With -Y, `= 1234<bash>`.
    let text = text.split(|byte| *byte == b'<').next()?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Nanoseconds of `0.000295`, the time since the line before: too few seconds to be a time since the epoch.
fn step(text: &[u8]) -> Option<i64> {
    let (seconds, fraction) = text.split_at_checked(memchr::memchr(b'.', text)?)?;
    if seconds.len() > 8 || !seconds.iter().all(u8::is_ascii_digit) {
        return None;
    }
    i64::try_from(nanoseconds(text, SECOND)?).ok().filter(|_| fraction.len() > 3)
}

/// The name of a call and what follows its opening bracket.
fn called(text: &[u8]) -> Option<(&str, &[u8])> {
    let open = memchr::memchr(b'(', &text[..text.len().min(40)])?;
    Some((name(&text[..open])?, &text[open + 1..]))
}

/// The name of a system call.
fn name(text: &[u8]) -> Option<&str> {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    let is_name = !text.first()?.is_ascii_digit() && text.iter().all(plain);
    if is_name { std::str::from_utf8(text).ok() } else { None }
}

/// The name of the program that `execve` or `execveat` executes: of its first text, what follows the last slash.
fn executable(arguments: &[u8]) -> &str {
    let path = quoted(arguments).unwrap_or_default();
    std::str::from_utf8(path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()).unwrap_or_default()
}

/// The first text in quotes, as it stands.
fn quoted(text: &[u8]) -> Option<&[u8]> {
    let rest = &text[memchr::memchr(b'"', text)? + 1..];
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', rest.get(at..)?)?;
        if rest[at] == b'"' {
            return Some(&rest[..at]);
        }
        at += 2;
    }
}

/// Whether a call is left open here: another process's line comes between, or strace tells of a new process.
fn is_unfinished(arguments: &[u8]) -> bool {
    arguments.ends_with(b"<unfinished ...>")
        || arguments.ends_with(b"<detached ...>")
        || arguments.ends_with(b" attached") && memchr::memmem::find(arguments, b"strace: Process ").is_some()
}

/// What a call returned.
struct Returned<'a> {
    /// `3`, `0x7f9100b05000`, `-1`, `?`
    value: &'a [u8],
    errno: Option<&'a str>,
    /// The same with its words: `ENOENT (No such file or directory)`.
    error: &'a [u8],
    /// Nanoseconds, with `-T`.
    took: Option<u64>,
}

/// Read `…) = -1 ENOENT (No such file or directory) <0.000019>`.
fn result(text: &[u8]) -> Option<Returned<'_>> {
    // From the end, since the arguments are texts of the program's own.
    let mut at = text.len();
    let after = loop {
        at = memchr::memrchr(b'=', &text[..at])?;
        if text.get(at + 1) == Some(&b' ') && text[..at].ends_with(b" ") && text[..at].trim_ascii_end().ends_with(b")")
        {
            break &text[at + 2..];
        }
    };
    let (rest, took) = match after {
        [rest @ .., b'>'] => {
            let open = memchr::memrchr(b'<', rest)?;
            match nanoseconds(&rest[open + 1..], SECOND) {
                Some(took) => (rest[..open].trim_ascii_end(), Some(took)),
                // A path or an address, with -y, or a note such as `<unavailable>`.
                None => (after, None),
            }
        }
        _ => (after, None),
    };
    let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
    let (value, words) = (&rest[..end], rest[end..].trim_ascii_start());
    let plain = match value {
        [b'0', b'x', hex, ..] => hex.is_ascii_hexdigit(),
        [b'-', digit, ..] | [digit, ..] => digit.is_ascii_digit() || value == b"?",
        [] => false,
    };
    if !plain {
        return None;
    }
    let mark = words.iter().take_while(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'0'..=b'9')).count();
    let errno = (mark > 1 && words[0] == b'E' && matches!(value, b"-1" | b"?"))
        .then(|| std::str::from_utf8(&words[..mark]).ok())
        .flatten();
    Some(Returned { value, errno, error: words, took })
}

/// `+++ exited with 1 +++`, `+++ killed by SIGSEGV (core dumped) +++`, `+++ superseded by execve in pid 7 +++`.
fn ended<'a>(head: &Head<'a>, event: &mut Event<'a>) -> Option<()> {
    let text = head.rest.strip_prefix(b"+++ ")?.strip_suffix(b" +++")?;
    event.level = match text.strip_prefix(b"exited with ") {
        Some(b"0") => Level::Info,
        // What it means is for the caller to say: `grep` exits with 1 where it finds nothing.
        Some(code) => number(code).map(|_| Level::Warn)?,
        None if text.starts_with(b"killed by SIG") => Level::Error,
        None if text.starts_with(b"superseded by execve") => Level::Info,
        None => return None,
    };
    record(text, event);
    Some(())
}

/// `--- SIGCHLD {si_signo=SIGCHLD, …} ---`, `--- stopped by SIGTTOU ---`.
fn signal<'a>(head: &Head<'a>, event: &mut Event<'a>) -> Option<()> {
    let text = head.rest.strip_prefix(b"--- ")?.strip_suffix(b" ---")?;
    let bare = text.strip_prefix(b"stopped by ").unwrap_or(text);
    if !bare.starts_with(b"SIG") {
        return None;
    }
    let end = bare.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(bare.len());
    event.level = match &bare[..end] {
        b"SIGSEGV" | b"SIGABRT" | b"SIGBUS" | b"SIGFPE" | b"SIGILL" | b"SIGSYS" | b"SIGTRAP" => Level::Error,
        _ => Level::Info,
    };
    record(text, event);
    Some(())
}

fn record<'a>(text: &'a [u8], event: &mut Event<'a>) {
    event.kind = Kind::Log;
    event.message = lossy(text);
    event.failed = event.level >= Level::Error;
}

/// The attribute of that number of a line of strace.
pub(super) fn attribute(line: &[u8], number: usize) -> Option<(&'static str, Attribute<'_>)> {
    let head = head(line, &Context::default())?;
    let text = |text| Some(Attribute::Text(lossy(text)));
    let returned = result(head.rest);
    let all = [
        ("pid", (head.pid > 0).then(|| Attribute::Int(head.pid.into()))),
        ("errno", returned.as_ref().and_then(|result| result.errno).and_then(|errno| text(errno.as_bytes()))),
        ("result", returned.as_ref().and_then(|result| text(result.value))),
        ("path", path(head.rest).and_then(text)),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key, value?))).nth(number)
}

/// The file that a call is about: the first argument that is a path, or of a descriptor that `-y` explains.
fn path(call: &[u8]) -> Option<&[u8]> {
    let arguments = &call[memchr::memchr(b'(', call)? + 1..];
    let digits = arguments.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0
        && let Some(described) = arguments[digits..].strip_prefix(b"<")
    {
        // `3<TCP:[127.0.0.1:1->127.0.0.1:2]>`
        let end = described.windows(2).position(|pair| matches!(pair, b">," | b">)")).unwrap_or(described.len());
        return described.get(..end);
    }
    quoted(arguments).filter(|text| text.starts_with(b"/") || arguments.starts_with(b"AT_FDCWD"))
}
