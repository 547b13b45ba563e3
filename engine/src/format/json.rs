//! JSON log lines, and whatever JSON stands in a stream: objects alone, in a row, or in an array.
//!
//! One pass over the fields of each object; nested objects are looked into where loggers are known to nest.

use super::cursor::Cursor;
use super::dialect::Meaning;
use super::fields::Fields;
use super::names::{self, Name};
use super::reject::Reject;
use super::value::Value;
use super::{Context, Found, Memory, container, otlp, room};
use crate::event::{Attributes, Event};

/// How deep records that are parts of others are told apart.
const PARTS_OF_PARTS: u8 = 8;

/// How deep objects in a log line are looked into.
const LOOK_INTO: u8 = 3;

/// Whether a text that starts with `[` goes on as an array of objects does, not as `[2026-11-24 23:42:01]` does.
pub(super) fn starts_array(text: &[u8]) -> bool {
    let mut cursor = Cursor::new(text);
    cursor.advance();
    matches!(cursor.peek(), None | Some(b'{' | b'[' | b']'))
}

/// Whether a text that starts with `{` looks like an object from both ends.
pub(super) fn whole_object(text: &[u8]) -> bool {
    let mut cursor = Cursor::new(text);
    cursor.advance();
    matches!(cursor.peek(), Some(b'"' | b'}')) && text.ends_with(b"}")
}

/// Whether a text that starts with `]` or `,` stands between or after objects, in an array of one object a line.
pub(super) fn between(text: &[u8]) -> bool {
    matches!(text.iter().find(|byte| !matches!(byte, b']' | b',' | b' ' | b'\t')), None | Some(b'{'))
}

/// Decode every object of a record. Brackets and commas around them are passed over, whether or not they are complete:
/// an array that is written one object a line has them anywhere.
pub(super) fn documents<'a>(
    record: &'a [u8],
    otlp_first: bool,
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) -> Result<Found, Reject> {
    let mut cursor = Cursor::new(record);
    let mut piece = None;
    while let Some(byte) = cursor.peek() {
        if matches!(byte, b'[' | b']' | b',') {
            cursor.advance();
            continue;
        }
        if byte != b'{' {
            return Err(Reject::unexpected(cursor.position(), byte));
        }
        room(events, cursor.position())?;
        let start = cursor.clone();
        let before = events.len();
        if otlp_first {
            if otlp::request(&mut cursor, context, events)? {
                continue;
            }
            events.truncate(before);
            cursor = start.clone();
        }
        let mut fields = Fields::default();
        if !look(&mut cursor, &Name::ROOT, false, 0, &mut fields)? {
            cursor = start;
            otlp::request(&mut cursor, context, events)?;
            continue;
        }
        let raw = cursor.since(start.position());
        if raw.len() > 2 {
            piece = container::docker(&fields);
            object(raw, fields, None, context, 0, events)?;
        }
    }
    // A piece of a line is a record of its own.
    if let Some(piece) = piece
        && container::goes_on(memory, piece)
        && events.pop_if(|event| event.raw == record).is_some()
    {
        return Ok(Found::Continuation);
    }
    Ok(Found::Events)
}

/// Push the event of an object, or those of the records that were shipped in it, or both.
fn object<'a>(
    raw: &'a [u8],
    mut fields: Fields<'a>,
    outer: Option<&Event<'a>>,
    context: &Context,
    nesting: u8,
    events: &mut Vec<Event<'a>>,
) -> Result<(), Reject> {
    named(raw, context, &mut fields);
    let (batch, shipped) = (fields.batch, fields.batch.rank == 0 && !fields.message.found());
    let mut event = fields.event(raw, context, 0);
    event.attributes = Attributes::Json(raw);
    event.raw = raw;
    if let Some(outer) = outer
        && event.service.is_empty()
    {
        event.service.clone_from(&outer.service);
    }
    let Value::Array(array) = batch.value else {
        events.push(event);
        return Ok(());
    };
    let outer = Event { raw: &[], message: "".into(), ..event.clone() };
    let at = events.len();
    if nesting < PARTS_OF_PARTS {
        parts(array, &outer, context, nesting + 1, events)?;
    }
    if !shipped || events.len() == at {
        events.insert(at, event);
    }
    Ok(())
}

/// The events of an array of objects in one, which have its service and its trace.
fn parts<'a>(
    array: &'a [u8],
    outer: &Event<'a>,
    context: &Context,
    nesting: u8,
    events: &mut Vec<Event<'a>>,
) -> Result<(), Reject> {
    let mut cursor = Cursor::new(array);
    if !cursor.enter_array()? {
        return Ok(());
    }
    while cursor.element()? {
        if cursor.peek() != Some(b'{') {
            cursor.skip()?;
            continue;
        }
        let start = cursor.position();
        let mut fields = Fields::within(outer);
        look(&mut cursor, &Name::ROOT, false, 1, &mut fields)?;
        room(events, cursor.position())?;
        object(cursor.since(start), fields, Some(outer), context, nesting, events)?;
    }
    Ok(())
}

/// The event that a text describes, if the text is one JSON object that does.
pub(super) fn described<'a>(text: &'a [u8], context: &Context, nesting: u8) -> Option<Event<'a>> {
    if !whole_object(text) {
        return None;
    }
    let mut cursor = Cursor::new(text);
    let mut fields = Fields::default();
    if !look(&mut cursor, &Name::ROOT, false, 0, &mut fields).ok()? || cursor.peek().is_some() {
        return None;
    }
    named(text, context, &mut fields);
    if !fields.is_log() {
        return None;
    }
    let mut event = fields.event(text, context, nesting);
    event.attributes = Attributes::Json(text);
    Some(event)
}

/// Look at the fields of the object that starts here. False if they are those of an OTLP request.
fn look<'a>(
    cursor: &mut Cursor<'a>,
    prefix: &Name,
    inside: bool,
    depth: u8,
    fields: &mut Fields<'a>,
) -> Result<bool, Reject> {
    if !cursor.enter_object()? {
        return Ok(true);
    }
    while let Some(key) = cursor.key()? {
        if depth == 0 && otlp::is_request_key(key.raw) {
            return Ok(false);
        }
        let Some(name) = prefix.then(key.raw) else {
            cursor.skip()?;
            continue;
        };
        if cursor.peek() == Some(b'{') {
            match names::nested(name.as_bytes()) {
                Some(named) if depth < LOOK_INTO => {
                    let next = if named { &name } else { prefix };
                    look(cursor, next, inside || !named, depth + 1, fields)?;
                }
                _ => cursor.skip()?,
            }
            continue;
        }
        let value = cursor.value()?;
        if value != Value::Null {
            fields.see(&name, value, inside);
        }
    }
    Ok(true)
}

/// Look at the fields that the source's dialect names, in an object that was read as well-formed.
fn named<'a>(object: &'a [u8], context: &Context, fields: &mut Fields<'a>) {
    let known = context.dialect().fields();
    if !known.is_empty() {
        let wanted: Vec<(&[u8], Meaning)> = known.iter().map(|(path, meaning)| (&**path, *meaning)).collect();
        let _ = pick(&mut Cursor::new(object), &wanted, fields);
    }
}

/// Take the fields at these paths out of the object that starts here. A key may have dots in it, as a path has.
fn pick<'a>(cursor: &mut Cursor<'a>, wanted: &[(&[u8], Meaning)], fields: &mut Fields<'a>) -> Result<(), Reject> {
    if !cursor.enter_object()? {
        return Ok(());
    }
    while let Some(key) = cursor.key()? {
        if cursor.peek() == Some(b'{') {
            let inner: Vec<(&[u8], Meaning)> = wanted
                .iter()
                .filter_map(|(path, meaning)| Some((path.strip_prefix(key.raw)?.strip_prefix(b".")?, *meaning)))
                .collect();
            if inner.is_empty() {
                cursor.skip()?;
            } else {
                pick(cursor, &inner, fields)?;
            }
            continue;
        }
        let value = cursor.value()?;
        for (_, meaning) in wanted.iter().filter(|(path, _)| *path == key.raw) {
            fields.see_as(*meaning, value);
        }
    }
    Ok(())
}
