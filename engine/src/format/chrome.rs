//! Trace Event Format, as Chrome, Android, `PyTorch`, Bazel, clang, Node.js, uftrace and many tracers write it: one event to
//! a record ("Trace Event Format", Google 2016, and what catapult and Perfetto read).
//!
//! Begin and end, whole events, nestable and old asynchronous ones become spans; instants become log records; the names of
//! processes and threads name the services of what follows. Counters, flows, samples, objects and memory dumps are read
//! and have no events. Times are microseconds with a fraction, whatever `displayTimeUnit` says; of a clock that may start
//! anywhere ([`super::anchor`]).
//!
//! A begin without its end never becomes a span, since nothing says how long it took.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::reject::Reject;
use super::stacks::{mix, number};
use super::value::{Text, Value, signed_nanoseconds};
use super::{Context, Memory};
use crate::event::{Attributes, Event, Kind};

/// Processes and threads whose names are remembered.
const NAMES: usize = 16_384;

/// In the place of a thread: the process itself.
const PROCESS: u64 = 0;

/// Nanoseconds in a microsecond.
const MICROSECOND: u32 = 1_000;

#[derive(Default)]
struct Fields<'a> {
    phase: u8,
    name: Option<Text<'a>>,
    category: &'a [u8],
    process: &'a [u8],
    thread: &'a [u8],
    time: &'a [u8],
    duration: &'a [u8],
    thread_duration: &'a [u8],
    id: &'a [u8],
    scope: &'a [u8],
    /// The object of an `id2`.
    id2: &'a [u8],
    arguments: &'a [u8],
}

/// Whether a phase is one that the format knows.
pub(super) const fn is_phase(phase: &[u8]) -> bool {
    matches!(
        phase,
        [b'B'
            | b'E'
            | b'X'
            | b'b'
            | b'n'
            | b'e'
            | b'S'
            | b'T'
            | b'p'
            | b'F'
            | b's'
            | b't'
            | b'f'
            | b'i'
            | b'I'
            | b'R'
            | b'C'
            | b'M'
            | b'O'
            | b'N'
            | b'D'
            | b'P'
            | b'c'
            | b'v'
            | b'V'
            | b'a'
            | b'('
            | b')'
            | b'=']
    )
}

/// Decode the object. False, and nothing done, if it is no event of this format.
pub(super) fn event<'a>(
    object: &'a [u8],
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) -> Result<bool, Reject> {
    let fields = read(object)?;
    if fields.phase == 0 {
        return Ok(false);
    }
    let lane = mix(number(fields.process)) ^ number(fields.thread);
    let name = || fields.name.map(Text::str).unwrap_or_default();
    let reading = signed_nanoseconds(fields.time, MICROSECOND);
    let duration = || {
        let text = if fields.duration.is_empty() { fields.thread_duration } else { fields.duration };
        signed_nanoseconds(text, MICROSECOND).unwrap_or(0).max(0)
    };
    match fields.phase {
        b'B' => begin(lane, &name(), reading, memory),
        b'E' => end(lane, &fields, reading, object, context, memory, events),
        b'X' => {
            let took = duration();
            let mut event = span(&fields, object, context, reading.map(|start| start.saturating_add(took)), memory);
            event.duration = Some(took.unsigned_abs());
            event.operation = name();
            if let Some(start) = reading {
                let place = memory.stacks.whole(lane, start, start.saturating_add(took));
                event.own = place.own;
                // Nothing says which traces of other files these calls have nothing to do with, but the time.
                let apart = mix(place.trace ^ memory.anchor.zero().cast_unsigned());
                event.trace = (u128::from(place.trace) << 64 | u128::from(apart)).to_be_bytes();
                (event.span, event.parent) = (place.id, place.parent);
            }
            events.push(event);
        }
        b'b' | b'S' => begin(fields.request(), &name(), reading, memory),
        b'e' | b'F' => end(fields.request(), &fields, reading, object, context, memory, events),
        b'i' | b'I' | b'R' | b'n' => {
            let mut event = span(&fields, object, context, reading, memory);
            event.kind = Kind::Log;
            event.operation = super::value::lossy(fields.category);
            event.message = name();
            events.push(event);
        }
        b'M' => names(&fields, memory)?,
        _ => {}
    }
    Ok(true)
}

impl Fields<'_> {
    /// What asynchronous events of one kind are nested in: by id, by process if that is local, and by category; the old
    /// ones by their name instead of nesting.
    fn request(&self) -> u64 {
        let mut key = mix(number(self.category)) ^ number(self.scope).rotate_left(7);
        let (mut id, mut local) = (self.id, false);
        let mut cursor = Cursor::new(self.id2);
        if !self.id2.is_empty() && matches!(cursor.enter_object(), Ok(true)) {
            while let Ok(Some(name)) = cursor.key() {
                local = name.raw == b"local";
                id = cursor.plain().unwrap_or_default();
            }
        }
        key = mix(key ^ number(id));
        if local {
            key = mix(key ^ number(self.process));
        }
        if matches!(self.phase, b'S' | b'F') {
            key = mix(key ^ number(self.name.unwrap_or_default().raw));
        }
        key
    }
}

fn begin(lane: u64, name: &str, reading: Option<i64>, memory: &mut Memory) {
    match reading {
        Some(reading) => memory.stacks.enter(lane, name, reading),
        None => memory.stacks.odd(),
    }
}

fn end<'a>(
    lane: u64,
    fields: &Fields<'a>,
    reading: Option<i64>,
    object: &'a [u8],
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) {
    let Some(reading) = reading else { return memory.stacks.odd() };
    let name = fields.name.map(Text::str).filter(|name| !name.is_empty());
    let Some(call) = memory.stacks.leave(lane, name.as_deref(), reading) else { return };
    let mut event = span(fields, object, context, Some(reading), memory);
    event.operation = name.unwrap_or(Cow::Owned(call.name));
    event.duration = Some(call.took);
    // What goes on at once takes no time from what it is nested in.
    event.own = Some(call.own);
    events.push(event);
}

/// The event of a record, with what all of them have.
fn span<'a>(
    fields: &Fields<'a>,
    object: &'a [u8],
    context: &Context,
    reading: Option<i64>,
    memory: &mut Memory,
) -> Event<'a> {
    let process = number(fields.process);
    let named = |thread| memory.lanes.get(&(process, thread)).cloned();
    let service = named(PROCESS).or_else(|| named(number(fields.thread))).unwrap_or_default();
    Event {
        time: reading.map(|reading| memory.anchor.time(reading, context)),
        service: Cow::Owned(service),
        attributes: if fields.arguments.starts_with(b"{") {
            Attributes::Json(fields.arguments)
        } else {
            Attributes::None
        },
        raw: object,
        ..Event::default()
    }
}

/// Take note of what a process or a thread is called.
fn names(fields: &Fields<'_>, memory: &mut Memory) -> Result<(), Reject> {
    let thread = match fields.name.unwrap_or_default().raw {
        b"process_name" => PROCESS,
        b"thread_name" => number(fields.thread),
        _ => return Ok(()),
    };
    let mut cursor = Cursor::new(fields.arguments);
    if !fields.arguments.starts_with(b"{") || !cursor.enter_object()? {
        return Ok(());
    }
    while let Some(key) = cursor.key()? {
        let value = cursor.value()?;
        if key.raw == b"name"
            && let Some(name) = value.str()
            && !name.is_empty()
        {
            memory.lanes.insert((number(fields.process), thread), name.into_owned(), NAMES);
        }
    }
    Ok(())
}

fn read(object: &[u8]) -> Result<Fields<'_>, Reject> {
    let mut fields = Fields::default();
    let mut cursor = Cursor::new(object);
    if !cursor.enter_object()? {
        return Ok(fields);
    }
    while let Some(key) = cursor.key()? {
        match key.raw {
            b"ph" => {
                let phase = cursor.plain()?;
                fields.phase = if is_phase(phase) { phase[0] } else { 0 };
            }
            b"name" => {
                if let Value::String(text) = cursor.value()? {
                    fields.name = Some(text);
                }
            }
            b"cat" => fields.category = cursor.plain()?,
            b"pid" => fields.process = cursor.plain()?,
            b"tid" => fields.thread = cursor.plain()?,
            b"ts" => fields.time = cursor.plain()?,
            b"dur" => fields.duration = cursor.plain()?,
            b"tdur" => fields.thread_duration = cursor.plain()?,
            b"id" => fields.id = cursor.plain()?,
            b"scope" => fields.scope = cursor.plain()?,
            b"id2" => fields.id2 = cursor.raw()?,
            b"args" => fields.arguments = cursor.raw()?,
            _ => cursor.skip()?,
        }
    }
    Ok(fields)
}
