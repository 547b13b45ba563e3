//! What a log record's text says about itself: the level, the time and the logger in front of a message, or the fields of
//! a line that is JSON or logfmt itself. Collectors that ship lines as they are leave all there is to know in there.

use std::borrow::Cow;

use super::{Context, json, text};
use crate::event::{Attributes, Event, Kind, Level};

/// How often a line may be wrapped into another.
const MAX_NESTING: u8 = 3;

/// Read the message of an event: what it says about itself is taken over where the event does not know it, and the
/// message is what remains. If `trusted`, its level counts even where the event has one.
pub(super) fn read(event: &mut Event<'_>, trusted: bool, context: &Context, nesting: u8) {
    if nesting >= MAX_NESTING || event.message.is_empty() {
        return;
    }
    plain(&mut event.message);
    match std::mem::take(&mut event.message) {
        Cow::Borrowed(text) => {
            let inner = describe(text, context, nesting + 1);
            take_over(event, inner, trusted);
        }
        Cow::Owned(text) => {
            let inner = describe(&text, context, nesting + 1);
            if matches!(inner.message, Cow::Borrowed(message) if message.len() == text.len()) {
                let inner = detach(Event { message: Cow::Borrowed(""), ..inner });
                take_over(event, inner, trusted);
                event.message = Cow::Owned(text);
            } else {
                let inner = detach(inner);
                take_over(event, inner, trusted);
            }
        }
    }
}

/// What a text says about itself.
pub(super) fn describe<'a>(text: &'a str, context: &Context, nesting: u8) -> Event<'a> {
    let trimmed = text.trim_ascii_start();
    if trimmed.starts_with('{')
        && let Some(event) = json::described(trimmed.trim_ascii_end().as_bytes(), context, nesting)
    {
        return event;
    }
    text::event(text, context, nesting)
}

/// The same event, borrowing nothing. Its attributes stay behind with the text.
pub(super) fn detach<'b>(event: Event<'_>) -> Event<'b> {
    let own = |text: Cow<'_, str>| if text.is_empty() { Cow::Borrowed("") } else { Cow::Owned(text.into_owned()) };
    Event {
        service: own(event.service),
        operation: own(event.operation),
        message: own(event.message),
        attributes: Attributes::None,
        raw: &[],
        ..event
    }
}

pub(super) fn take_over<'a>(event: &mut Event<'a>, inner: Event<'a>, trusted: bool) {
    event.message = inner.message;
    if inner.kind != Kind::Log {
        event.kind = inner.kind;
        event.operation = Cow::Borrowed("");
    }
    event.time = event.time.or(inner.time);
    event.duration = event.duration.or(inner.duration);
    if inner.level != Level::Unset && (trusted || event.level == Level::Unset) {
        event.level = inner.level;
    }
    event.failed |= inner.failed;
    if event.attributes == Attributes::None {
        event.attributes = inner.attributes;
    }
    if event.service.is_empty() {
        event.service = inner.service;
    }
    if event.operation.is_empty() {
        event.operation = inner.operation;
    }
    if event.trace == [0; 16] {
        event.trace = inner.trace;
    }
    if event.span == 0 {
        event.span = inner.span;
    }
    if event.parent == 0 {
        event.parent = inner.parent;
    }
}

/// Take the escape sequences of terminals out of a text: colours are no part of a message.
pub(super) fn plain(text: &mut Cow<'_, str>) {
    if memchr::memchr(0x1B, text.as_bytes()).is_some() {
        *text = Cow::Owned(without_escapes(text));
    }
}

/// The text without the escape sequences of terminals (ECMA-48: `ESC [`, parameters, a final byte).
fn without_escapes(text: &str) -> String {
    let mut parts = text.split('\x1B');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.strip_prefix('[').and_then(|after| after.split_once(|c| ('@'..='~').contains(&c))) {
            Some((_, after)) => out.push_str(after),
            None => out.push_str(part),
        }
    }
    out
}
