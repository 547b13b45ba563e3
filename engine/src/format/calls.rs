//! What function tracers write as JSON objects, one for each time a function is entered or left.
//!
//! `{"timestamp": 12.000345, "thread_id": 7, "event_type": "enter", "data": {"function": "main"}}`: the time is one since
//! the epoch (by its size in s, ms, µs or ns; or in words), or a reading of a clock that started anywhere, in seconds with a
//! fraction and in nanoseconds without one unless the key names another unit (`ts_us`). `event_type` (or `event`, `type`,
//! `ev`) is enter, entry, call, begin, start, open or push, and leave, exit, return, ret, end, stop, close or pop, also
//! as a part of `function_enter`. The function is the `data` itself or its (else the object's) `function`, `func`, `fn`,
//! `name`, `symbol`, `method`, `callee`, `span` or `operation`; a leave without one is of the innermost call. The service is the `process`, `service`, `program`,
//! `comm`, `module` or `exe` if there is one. A leave may say that the call failed: `error` or `exception`.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::reject::Reject;
use super::stacks::{mix, number};
use super::value::{Value, signed_nanoseconds};
use super::{Context, Memory, time};
use crate::event::{Attributes, Event, Level};

/// Nanoseconds from when it was received, within which a bare number is a time since the epoch: ten years.
const NEAR: u64 = 10 * 366 * 86_400 * 1_000_000_000;

/// Whether a value under a key says that something is entered or left; and whether the key is for nothing else.
pub(super) fn passes(key: &[u8], value: &[u8]) -> Option<bool> {
    let surely = matches!(key, b"event_type" | b"eventType");
    if !surely && !matches!(key, b"event" | b"type" | b"ev") {
        return None;
    }
    let way = way(value)?;
    // `event: start` is as good a message as any.
    (surely || !matches!(way, Way::Perhaps(_))).then_some(surely)
}

/// Whether a key is one of a time.
pub(super) fn is_clock(key: &[u8]) -> bool {
    let unit = key.iter().rposition(|byte| *byte == b'_').filter(|at| matches!(&key[*at..], b"_ns" | b"_us" | b"_ms"));
    matches!(&key[..unit.unwrap_or(key.len())], b"timestamp" | b"ts" | b"time")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Enter,
    Leave,
    /// Words of many meanings.
    Perhaps(bool),
}

fn way(word: &[u8]) -> Option<Way> {
    let mut lower = [0; 32];
    let lower = lower.get_mut(..word.len())?;
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    // `function_enter`, `FunctionEnter`, `call.begin`; but not `thread_exit`, of which no other begins or ends a call.
    let of = [&b"function"[..], b"func", b"fn", b"method", b"call", b"span", b"syscall", b"sys", b"trace", b"event"];
    let bare = of
        .iter()
        .find_map(|of| lower.strip_prefix(*of))
        .map(|rest| rest.strip_prefix(b"_").or(rest.strip_prefix(b"-")).or(rest.strip_prefix(b".")).unwrap_or(rest))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(lower);
    Some(match bare {
        b"enter" | b"entry" | b"call" | b"entered" | b"invoke" => Way::Enter,
        b"leave" | b"exit" | b"return" | b"ret" | b"returned" | b"exited" | b"left" => Way::Leave,
        b"begin" | b"start" | b"push" | b"open" | b"b" => Way::Perhaps(true),
        b"end" | b"stop" | b"pop" | b"close" | b"e" | b"finish" => Way::Perhaps(false),
        _ => return None,
    })
}

#[derive(Default)]
struct Fields<'a> {
    way: Option<bool>,
    time: Value<'a>,
    /// Nanoseconds of a unit that the key names.
    unit: Option<u32>,
    thread: &'a [u8],
    process: &'a [u8],
    function: Option<Cow<'a, str>>,
    service: Option<Cow<'a, str>>,
    error: Option<Cow<'a, str>>,
    /// The object, or its data if that is one.
    attributes: &'a [u8],
}

/// Decode the object. False, and nothing done, if it is none of a call.
pub(super) fn event<'a>(
    object: &'a [u8],
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) -> Result<bool, Reject> {
    let mut fields = Fields { attributes: object, ..Fields::default() };
    read(&mut Cursor::new(object), &mut fields, false)?;
    let Some(enters) = fields.way else { return Ok(false) };
    let mut anchor = memory.anchor;
    let Some((reading, at)) = fields
        .reading(context)
        .map(|(reading, known)| (reading, if known { reading } else { anchor.time(reading, context) }))
    else {
        memory.stacks.odd();
        return Ok(true);
    };
    memory.anchor = anchor;
    let lane = mix(number(fields.process)) ^ number(fields.thread);
    if enters {
        memory.stacks.enter(lane, fields.function.as_deref().unwrap_or_default(), reading);
        return Ok(true);
    }
    let name = fields.function.filter(|name| !name.is_empty());
    let Some(call) = memory.stacks.leave(lane, name.as_deref(), reading) else { return Ok(true) };
    let failed = fields.error.is_some();
    events.push(Event {
        time: Some(at),
        duration: Some(call.took),
        own: Some(call.own),
        service: fields.service.unwrap_or_default(),
        operation: name.unwrap_or(Cow::Owned(call.name)),
        message: fields.error.unwrap_or_default(),
        level: Level::Unset,
        failed,
        attributes: Attributes::Json(fields.attributes),
        raw: object,
        ..Event::default()
    });
    Ok(true)
}

impl Fields<'_> {
    /// The time in nanoseconds, and whether it is one since the epoch.
    fn reading(&self, context: &Context) -> Option<(i64, bool)> {
        let text = self.time.plain()?;
        if let Some(unit) = self.unit {
            return Some((signed_nanoseconds(text, unit)?, false));
        }
        // In the same digits, a clock that started weeks ago may show its nanoseconds, and the epoch its microseconds.
        if let Some(time) = time::parse(text, context)
            && (matches!(self.time, Value::String(_)) || time.abs_diff(context.received) < NEAR)
        {
            return Some((time, true));
        }
        let unit = if memchr::memchr3(b'.', b'e', b'E', text).is_some() { 1_000_000_000 } else { 1 };
        Some((signed_nanoseconds(text, unit)?, false))
    }
}

fn read<'a>(cursor: &mut Cursor<'a>, fields: &mut Fields<'a>, inside: bool) -> Result<(), Reject> {
    if !cursor.enter_object()? {
        return Ok(());
    }
    while let Some(key) = cursor.key()? {
        if key.raw == b"data" && cursor.peek() == Some(b'{') && !inside {
            let data = cursor.raw()?;
            fields.attributes = data;
            read(&mut Cursor::new(data), fields, true)?;
            continue;
        }
        let value = cursor.value()?;
        match key.raw {
            b"event_type" | b"eventType" | b"event" | b"type" | b"ev" if !inside => {
                if let Some(way) = value.plain().and_then(way) {
                    fields.way = Some(matches!(way, Way::Enter | Way::Perhaps(true)));
                }
            }
            b"timestamp" | b"ts" | b"time" if !inside => fields.time = value,
            b"timestamp_ns" | b"ts_ns" | b"time_ns" if !inside => (fields.time, fields.unit) = (value, Some(1)),
            b"timestamp_us" | b"ts_us" | b"time_us" if !inside => (fields.time, fields.unit) = (value, Some(1_000)),
            b"timestamp_ms" | b"ts_ms" | b"time_ms" if !inside => (fields.time, fields.unit) = (value, Some(1_000_000)),
            b"thread_id" | b"threadId" | b"tid" | b"thread" => fields.thread = value.plain().unwrap_or_default(),
            b"process_id" | b"pid" => fields.process = value.plain().unwrap_or_default(),
            b"function" | b"func" | b"fn" | b"function_name" | b"func_name" | b"symbol" | b"method" | b"callee"
            | b"name" | b"span" | b"operation" => {
                if let Value::String(name) = value {
                    fields.function = Some(name.str());
                }
            }
            b"data" if fields.function.is_none() => {
                if let Value::String(name) = value {
                    fields.function = Some(name.str());
                }
            }
            b"service" | b"process" | b"process_name" | b"program" | b"comm" | b"module" | b"exe" => {
                if let Value::String(name) = value {
                    fields.service = Some(name.str());
                }
            }
            b"error" | b"exception" => {
                fields.error = match value {
                    Value::Null | Value::Bool(false) => None,
                    Value::Bool(true) => Some(Cow::Borrowed("")),
                    Value::Object(text) | Value::Array(text) => Some(super::value::lossy(text)),
                    other => other.str(),
                };
            }
            _ => {}
        }
    }
    Ok(())
}
