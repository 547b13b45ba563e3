//! logfmt: `level=info msg="order accepted" took=12ms`.

use super::fields::Fields;
use super::names::Name;
use super::value::{Text, Value};
use super::{Context, cursor};
use crate::event::{Attributes, Event};

/// Whether a text starts with a key and an equals sign.
pub(super) fn starts(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphabetic) && key_length(bytes).is_some()
}

/// The event that a text describes, if it is a log line in pairs.
pub(super) fn described<'a>(text: &'a str, context: &Context, nesting: u8) -> Option<Event<'a>> {
    if !starts(text) {
        return None;
    }
    let mut fields = Fields::default();
    let mut rest = text.as_bytes();
    while let Some((key, value, after)) = pair(rest) {
        rest = after;
        if let Some(meaning) = context.dialect().field(key) {
            fields.see_as(meaning, Value::String(value));
        }
        if let Some(name) = Name::ROOT.then(key)
            && !value.raw.is_empty()
        {
            fields.see(&name, Value::String(value), false);
        }
    }
    if !fields.is_log() {
        return None;
    }
    let mut event = fields.event(text.as_bytes(), context, nesting);
    event.attributes = Attributes::Pairs(text.as_bytes());
    Some(event)
}

/// The length of the key that stands here, if an equals sign follows it.
fn key_length(text: &[u8]) -> Option<usize> {
    let length = text
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'@'))
        .count();
    (length > 0 && text.get(length) == Some(&b'=')).then_some(length)
}

/// The next pair of a text, and what follows it. Words without an equals sign are passed over.
pub(super) fn pair(mut text: &[u8]) -> Option<(&[u8], Text<'_>, &[u8])> {
    loop {
        let start = text.iter().position(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@'))?;
        text = text.get(start..)?;
        if let Some(length) = key_length(text) {
            let key = text.get(..length)?;
            let (value, rest) = value(text.get(length + 1..)?);
            return Some((key, value, rest));
        }
        let end = text.iter().position(u8::is_ascii_whitespace)?;
        text = text.get(end..)?;
    }
}

/// The value that stands here, and what follows it.
fn value(text: &[u8]) -> (Text<'_>, &[u8]) {
    if text.first() == Some(&b'"')
        && let Some((value, length)) = cursor::quoted(text)
    {
        return (value, text.get(length..).unwrap_or_default());
    }
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (raw, rest) = text.split_at(end);
    (Text { raw: raw.strip_suffix(b",").unwrap_or(raw) }, rest)
}
