//! What babeltrace prints of a trace of `LTTng`, of the kernel or of programs.
//!
//! ```text
//! [06:41:28.984162848] (+0.000006339) web-3 shop:order_start: { cpu_id = 1 }, { procname = "app", vtid = 8584 }, { id = 7 }
//! ```
//!
//! The groups in braces are what was known when the event happened, and at the end its own fields. Events of tasks mean what
//! they mean to the kernel's own tracer; `name_start` and `name_end` of a program are one span.

use std::borrow::Cow;

use super::attributes::Attribute;
use super::ftrace::{Line, Traced};
use super::tasks::{self, Switch, entered, left, place, point};
use super::{Context, Format, Memory, comm, level, time};
use crate::event::{Attributes, Event, Kind, Level};

/// Decode a line; false if it is none of babeltrace's.
pub(super) fn line<'a>(line: &'a [u8], context: &Context, memory: &mut Memory, events: &mut Vec<Event<'a>>) -> bool {
    let Some(found) = taken_apart(line, context) else { return false };
    let text = |key| found.context(key).map(unquoted).unwrap_or_default();
    let number = |key: &str| found.context(key).and_then(|value| value.parse::<u32>().ok());
    let cpu = number("cpu_id").unwrap_or_default();
    let pid = ["vtid", "tid", "vpid", "pid"].into_iter().find_map(number);
    let comm = std::str::from_utf8(comm::program(text("procname").as_bytes())).unwrap_or_default();
    let traced = &mut memory.ftrace;
    let pid = pid.unwrap_or_else(|| traced.events.running(cpu));
    let line = Line { comm, pid, cpu, at: found.time, time: found.time, rest: found.event, raw: line };
    traced.learn(pid, comm);
    let first = events.len();
    read(&line, &found, traced, events);
    for event in &mut events[first..] {
        if event.service.is_empty() {
            event.service = found.provider.into();
        }
    }
    memory.told = Some(Format::Lttng);
    true
}

fn read<'a>(line: &Line<'a>, found: &Parts<'a>, traced: &mut Traced, events: &mut Vec<Event<'a>>) {
    let own = |key: &str| found.fields.clone().find(|(name, _)| *name == key).map(|(_, value)| value);
    let number = |key: &str| own(key).and_then(|value| value.parse::<i64>().ok());
    let task = |key: &str| number(key).and_then(|task| u32::try_from(task).ok());
    let name = |key: &str| own(key).map(unquoted).map_or("", |comm| named(comm));
    match found.event {
        "sched_switch" => {
            if let (Some(before), Some(after)) = (task("prev_tid"), task("next_tid")) {
                // `prev_state = 0`, `prev_state = ( "TASK_RUNNING" : container = 0 )`
                let runnable = own("prev_state").is_some_and(|state| state == "0" || state.contains("TASK_RUNNING"));
                Switch { before, from: name("prev_comm"), runnable, after, to: name("next_comm") }
                    .enter(line, traced, events);
                return;
            }
        }
        "sched_wakeup" | "sched_waking" | "sched_wakeup_new" => {
            if let Some(pid) = task("tid") {
                tasks::woken(line, pid, name("comm"), traced);
                return;
            }
        }
        event => {
            let event = event.strip_prefix("compat_").unwrap_or(event);
            if event.starts_with("syscall_entry_") && entered(line, traced) {
                return;
            }
            if let Some(call) = event.strip_prefix("syscall_exit_") {
                let below = number("ret").filter(|ret| (-4095..0).contains(ret)).map(i64::unsigned_abs);
                return left(line, call.into(), below, traced, events);
            }
            let whose = match (own("dev"), own("sector")) {
                (Some(device), Some(sector)) => place(device, sector),
                _ => line.pid,
            };
            if found.provider.is_empty() || !found.provider.starts_with("lttng_") {
                let label = own("name").map(unquoted).filter(|_| event.starts_with("irq_")).unwrap_or_default();
                if tasks::paired(line, event, whose, label, traced, events) {
                    return;
                }
            }
        }
    }
    let mut event = Event { attributes: Attributes::Lttng(found.groups), ..point(line, traced, found.event) };
    if let Some(message) = own("msg").filter(|_| found.provider.starts_with("lttng_")) {
        logged(found, &mut event);
        event.message = unescaped(unquoted(message));
        event.operation = own("logger_name").map(unquoted).unwrap_or_default().into();
    }
    events.push(event);
}

/// A log record of `tracef`, `tracelog`, or of a logger of Python or Java that `LTTng` listens to.
fn logged(found: &Parts<'_>, event: &mut Event<'_>) {
    event.kind = Kind::Log;
    event.level = level::free_word(found.event.strip_prefix("TRACE_").unwrap_or_default().as_bytes());
    let number =
        found.fields.clone().find(|(name, _)| *name == "int_loglevel").and_then(|(_, value)| value.parse().ok());
    if let (Some(number), "lttng_python") = (number, found.provider) {
        event.level = level::python(number);
    }
    event.failed = event.level >= Level::Error;
}

/// A line that was taken apart.
struct Parts<'a> {
    /// Nanoseconds since the epoch.
    time: i64,
    /// `shop` of `shop:order_start`; empty for events of the kernel.
    provider: &'a str,
    event: &'a str,
    /// All groups in braces.
    groups: &'a [u8],
    /// The last of them: its fields.
    fields: Pairs<'a>,
}

impl<'a> Parts<'a> {
    /// A field of the groups before the last.
    fn context(&self, key: &str) -> Option<&'a str> {
        let before = self.groups.len() - self.fields.text.len();
        let text = std::str::from_utf8(self.groups.get(..before)?).ok()?;
        Pairs { text }.find(|(name, _)| *name == key).map(|(_, value)| value)
    }
}

fn taken_apart<'a>(line: &'a [u8], context: &Context) -> Option<Parts<'a>> {
    let (b'[', b'}') = (*line.first()?, *line.last()?) else { return None };
    let close = memchr::memchr(b']', &line[..line.len().min(48)])?;
    let stamp = &line[1..close];
    let point = memchr::memchr(b'.', stamp)?;
    if stamp.len() - point != 10 {
        return None;
    }
    let (time, length) = time::prefix(stamp, context)?;
    let mut rest = std::str::from_utf8(line.get(close + 2..)?).ok().filter(|_| length == stamp.len())?;
    let delta = rest.starts_with("(+");
    if delta {
        rest = &rest[rest.find(") ")? + 2..];
    }
    // `web-3 shop:order_start: { `; between the host and the name other things may stand. Not every trace names its host.
    let end = rest.find(": { ")?;
    let (head, groups) = (&rest[..end], &rest[end + 2..]);
    let name = match head.rsplit_once(' ') {
        Some((_, name)) => name,
        None if delta => head,
        None => return None,
    };
    let (provider, event) = name.split_once(':').unwrap_or(("", name));
    let last = last_group(groups)?;
    // Neither the time since the event before, nor a provider, nor a field: words of anybody's.
    if !delta && provider.is_empty() && !names_a_field(groups) {
        return None;
    }
    Some(Parts { time, provider, event, groups: groups.as_bytes(), fields: Pairs { text: &groups[last..] } })
}

/// Whether groups begin with a field and its value.
fn names_a_field(groups: &str) -> bool {
    let field = groups.strip_prefix("{ ").and_then(|fields| fields.split_once(" = "));
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    field.is_some_and(|(name, value)| is_name(name) && !value.starts_with(['}', ' ']))
}

/// Where the last group of `{ … }, { … }` begins.
fn last_group(groups: &str) -> Option<usize> {
    let (mut depth, mut last, mut at) = (0_usize, None, 0);
    let bytes = groups.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at += quoted(&bytes[at..])?,
            b'{' | b'[' | b'(' => {
                if depth == 0 {
                    last = Some(at);
                }
                depth += 1;
                at += 1;
            }
            b'}' | b']' | b')' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            _ => at += 1,
        }
    }
    last.filter(|_| depth == 0)
}

/// The length of the text in quotes that stands here, quotes included.
fn quoted(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The fields of groups: `{ id = 7, who = "a, b" }, { x = { y = 1 } }`.
#[derive(Clone)]
pub(super) struct Pairs<'a> {
    text: &'a str,
}

impl<'a> Pairs<'a> {
    pub(super) fn of(groups: &'a [u8]) -> Self {
        Self { text: std::str::from_utf8(groups).unwrap_or_default() }
    }

    /// What is yet to be read.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// The next field as an attribute.
    pub(super) fn attribute(&mut self) -> Option<(Cow<'a, str>, Attribute<'a>)> {
        let (key, value) = self.next()?;
        let value = if value.starts_with('"') {
            Attribute::Text(unescaped(unquoted(value)))
        } else {
            Attribute::from_text(value.as_bytes())
        };
        Some((key.into(), value))
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        let text = self.text.trim_start_matches(['{', '}', ',', ' ']);
        self.text = "";
        let (key, rest) = text.split_once(" = ")?;
        let bytes = rest.as_bytes();
        let (mut depth, mut at) = (0_usize, 0);
        while at < bytes.len() {
            match bytes[at] {
                b'"' => at += quoted(&bytes[at..]).unwrap_or(bytes.len() - at),
                b'}' | b',' if depth == 0 => break,
                b'{' | b'[' | b'(' => {
                    depth += 1;
                    at += 1;
                }
                b'}' | b']' | b')' => {
                    depth = depth.saturating_sub(1);
                    at += 1;
                }
                _ => at += 1,
            }
        }
        self.text = rest.get(at..).unwrap_or_default();
        Some((key, rest.get(..at).unwrap_or_default().trim_end()))
    }
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

fn unescaped(value: &str) -> Cow<'_, str> {
    super::value::Text { raw: value.as_bytes() }.str()
}

fn named(comm: &str) -> &str {
    std::str::from_utf8(comm::program(comm.as_bytes())).unwrap_or_default()
}
