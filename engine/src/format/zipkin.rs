//! Zipkin: spans of its second version, in arrays, in arrays of traces or one to a line; those of the first are understood
//! as far as their annotations say what the second has fields for (zipkin.io/zipkin-api).
//!
//! Times are microseconds. A span may lack its duration, and its time too. A `shared` span is the callee's side of a call
//! whose caller's side has the same id: it is made a child of that, and so keeps its own children.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::id;
use super::reject::Reject;
use super::value::{Value, signed_nanoseconds};
use crate::event::{Attributes, Event, Kind};

/// Nanoseconds in a microsecond.
const MICROSECOND: u32 = 1_000;

/// Decode the object. False, and nothing done, if it is no span.
pub(super) fn span<'a>(object: &'a [u8], events: &mut Vec<Event<'a>>) -> Result<bool, Reject> {
    let mut cursor = Cursor::new(object);
    if !cursor.enter_object()? {
        return Ok(false);
    }
    let mut event = Event { raw: object, ..Event::default() };
    let (mut start, mut duration) = (None, None);
    let (mut traced, mut identified, mut shared) = (false, false, false);
    let mut old = Old::default();
    while let Some(key) = cursor.key()? {
        match key.raw {
            b"traceId" => {
                let text = cursor.plain()?;
                event.trace = id::trace(text);
                traced = !text.is_empty();
            }
            b"id" => {
                let text = cursor.plain()?;
                event.span = id::span(text);
                identified = !text.is_empty();
            }
            b"parentId" => event.parent = id::span(cursor.plain()?),
            b"name" => event.operation = cursor.value()?.str().unwrap_or_default(),
            b"kind" => {
                event.kind = match cursor.plain()? {
                    b"SERVER" => Kind::Server,
                    b"CLIENT" => Kind::Client,
                    b"PRODUCER" => Kind::Producer,
                    b"CONSUMER" => Kind::Consumer,
                    _ => Kind::Internal,
                };
            }
            b"timestamp" => start = signed_nanoseconds(cursor.plain()?, MICROSECOND),
            b"duration" => duration = signed_nanoseconds(cursor.plain()?, MICROSECOND),
            b"shared" => shared = cursor.value()? == Value::Bool(true),
            b"localEndpoint" => event.service = endpoint(&mut cursor)?,
            b"tags" => {
                let tags = cursor.raw()?;
                if tags.starts_with(b"{") {
                    event.attributes = Attributes::Json(tags);
                    read_tags(tags, &mut event)?;
                }
            }
            b"annotations" => old.annotations(&mut cursor)?,
            b"binaryAnnotations" => old.tags(&mut cursor, &mut event)?,
            _ => cursor.skip()?,
        }
    }
    if !traced || !identified {
        return Ok(false);
    }
    old.complete(&mut event, &mut start, &mut duration);
    if shared && event.kind == Kind::Server {
        event.parent = event.span;
    }
    // Zero is what some writers put for what they do not know.
    let start = start.filter(|start| *start > 0);
    event.duration = duration.filter(|duration| *duration > 0).map(i64::unsigned_abs);
    event.time = start.map(|start| start.saturating_add(event.duration.unwrap_or(0).cast_signed()));
    events.push(event);
    Ok(true)
}

/// The service of an endpoint.
fn endpoint<'a>(cursor: &mut Cursor<'a>) -> Result<Cow<'a, str>, Reject> {
    let mut name = Cow::Borrowed("");
    if cursor.peek() != Some(b'{') {
        cursor.skip()?;
        return Ok(name);
    }
    cursor.enter_object()?;
    while let Some(key) = cursor.key()? {
        let value = cursor.value()?;
        if key.raw == b"serviceName" {
            name = value.str().unwrap_or_default();
        }
    }
    Ok(name)
}

fn read_tags<'a>(tags: &'a [u8], event: &mut Event<'a>) -> Result<(), Reject> {
    let mut cursor = Cursor::new(tags);
    cursor.enter_object()?;
    while let Some(key) = cursor.key()? {
        tag(key.raw, cursor.value()?, event);
    }
    Ok(())
}

/// What a tag says of a span's failure: `error`, whatever its value, and the status of an answer.
fn tag<'a>(key: &[u8], value: Value<'a>, event: &mut Event<'a>) {
    match key {
        b"error" => {
            let text = value.str().unwrap_or_default();
            if text != "false" {
                event.failed = true;
                if text != "true" {
                    event.message = text;
                }
            }
        }
        b"http.status_code" | b"http.response.status_code" => {
            event.failed |= value.unsigned().is_some_and(|status| (500..600).contains(&status));
        }
        _ => {}
    }
}

/// What the first version says in annotations.
#[derive(Default)]
struct Old<'a> {
    /// The times, in microseconds, at which a client sent and received and a server received and sent.
    sent: Option<i64>,
    received: Option<i64>,
    server_received: Option<i64>,
    server_sent: Option<i64>,
    /// The service of the client's annotations, of the server's, and of others.
    client: Cow<'a, str>,
    server: Cow<'a, str>,
    other: Cow<'a, str>,
}

impl<'a> Old<'a> {
    fn annotations(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Reject> {
        if !cursor.enter_array()? {
            return Ok(());
        }
        while cursor.element()? {
            if !cursor.enter_object()? {
                continue;
            }
            let (mut at, mut what, mut who) = (None, &b""[..], Cow::Borrowed(""));
            while let Some(key) = cursor.key()? {
                match key.raw {
                    b"timestamp" => at = signed_nanoseconds(cursor.plain()?, MICROSECOND),
                    b"value" => what = cursor.plain()?,
                    b"endpoint" => who = endpoint(cursor)?,
                    _ => cursor.skip()?,
                }
            }
            match what {
                b"cs" => (self.sent, self.client) = (at, who),
                b"cr" => (self.received, self.client) = (at, who),
                b"sr" => (self.server_received, self.server) = (at, who),
                b"ss" => (self.server_sent, self.server) = (at, who),
                _ if self.other.is_empty() => self.other = who,
                _ => {}
            }
        }
        Ok(())
    }

    /// Binary annotations: tags, each with the endpoint that wrote it.
    fn tags(&mut self, cursor: &mut Cursor<'a>, event: &mut Event<'a>) -> Result<(), Reject> {
        cursor.peek();
        let start = cursor.position();
        if !cursor.enter_array()? {
            return Ok(());
        }
        while cursor.element()? {
            if !cursor.enter_object()? {
                continue;
            }
            let (mut name, mut value, mut who) = (&b""[..], Value::Null, Cow::Borrowed(""));
            while let Some(key) = cursor.key()? {
                match key.raw {
                    b"key" => name = cursor.plain()?,
                    b"value" => value = cursor.value()?,
                    b"endpoint" => who = endpoint(cursor)?,
                    _ => cursor.skip()?,
                }
            }
            // Addresses: whom the span is with, not who it is of.
            if matches!(name, b"sa" | b"ca" | b"ma") {
                continue;
            }
            if self.other.is_empty() {
                self.other = who;
            }
            tag(name, value, event);
        }
        event.attributes = Attributes::OtlpJson { own: cursor.since(start), resource: &[] };
        Ok(())
    }

    fn complete(self, event: &mut Event<'a>, start: &mut Option<i64>, duration: &mut Option<i64>) {
        let Self { sent, received, server_received, server_sent, .. } = self;
        let client = sent.is_some() || received.is_some();
        if event.kind == Kind::Internal {
            event.kind = match (client, server_received.is_some() || server_sent.is_some()) {
                // With both sides in one, it is the caller's.
                (true, _) => Kind::Client,
                (false, true) => Kind::Server,
                (false, false) => Kind::Internal,
            };
        }
        let (from, to) = if client { (sent, received) } else { (server_received, server_sent) };
        *start = start.or(from);
        *duration = duration.or_else(|| Some(to?.saturating_sub(from?)));
        if event.service.is_empty() {
            event.service = if client { self.client } else { self.server };
        }
        if event.service.is_empty() {
            event.service = self.other;
        }
    }
}
