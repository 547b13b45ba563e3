//! The attributes of an event, decoded when they are asked for.

use std::borrow::Cow;
use std::sync::Arc;

use super::cursor::Cursor;
use super::delimited::{self, Header};
use super::proto_value::{RESOURCE_ATTRIBUTES, next_attribute};
use super::table::{self, Table};
use super::value::{self, Value};
use super::wire::Message;
use super::{access, lttng, otlp, strace};
use crate::event::Attributes;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute<'a> {
    /// None.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// An object or array, as compact JSON.
    Json(Cow<'a, str>),
}

impl<'a> Attribute<'a> {
    /// A number if it is written as one, else text.
    pub(super) fn from_text(text: &'a [u8]) -> Self {
        match text.first() {
            Some(b'0'..=b'9' | b'-') => number(text),
            _ => Self::Text(value::lossy(text)),
        }
    }

    /// Write it as JSON.
    pub fn write_json(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(value) => out.push_str(&value.to_string()),
            Self::Float(value) if value.is_finite() => out.push_str(&float(*value)),
            Self::Float(value) => value::write_string(out, &value.to_string()),
            Self::Text(text) => value::write_string(out, text),
            Self::Json(text) => out.push_str(text),
        }
    }
}

impl<'a> From<Value<'a>> for Attribute<'a> {
    fn from(value: Value<'a>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(raw) => number(raw),
            Value::String(text) => Self::Text(text.str()),
            Value::Cell(raw) => Self::Text(value::lossy(raw)),
            Value::Object(raw) | Value::Array(raw) => Self::Json(String::from_utf8_lossy(raw)),
        }
    }
}

/// With a point, so that it is not taken for a whole number.
fn float(value: f64) -> String {
    format!("{value:?}")
}

/// A number where it is one, else text.
pub(super) fn number_or_text(text: Cow<'_, str>) -> Attribute<'_> {
    let digits = text.bytes().last().is_some_and(|byte| byte.is_ascii_digit());
    match (text.parse(), value::float(text.as_bytes())) {
        (Ok(whole), _) if digits => Attribute::Int(whole),
        (_, Some(float)) if digits => Attribute::Float(float),
        _ => Attribute::Text(text),
    }
}

/// A number; text if it is neither of 64 bits nor finite.
fn number(raw: &[u8]) -> Attribute<'_> {
    let text = String::from_utf8_lossy(raw);
    match (text.parse(), value::float(raw)) {
        (Ok(whole), _) => Attribute::Int(whole),
        (_, Some(float)) => Attribute::Float(float),
        _ => Attribute::Text(text),
    }
}

/// What stands between two of OTLP's `KeyValue` written in the shortest form.
const BETWEEN: &[u8; 9] = b",{\"key\":\"";

/// The text of each of an array of OTLP's `KeyValue`, or of several together, as far as it is one.
///
/// Quotes inside strings are escaped: what looks like the beginning of one is that, unless it is in an array within.
pub(crate) fn elements<'a>(array: &'a [u8], mut each: impl FnMut(&'a [u8])) {
    if let Some(inside) = array.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"))
        && memchr::memchr(b'[', inside).is_none()
    {
        let mut start = 0;
        for comma in memchr::memchr_iter(b',', inside) {
            if inside[comma..].starts_with(BETWEEN) {
                each(&inside[start..comma]);
                start = comma + 1;
            }
        }
        if start < inside.len() {
            each(&inside[start..]);
        }
        return;
    }
    let mut cursor = Cursor::new(array);
    if array.is_empty() || !matches!(cursor.enter_array(), Ok(true)) {
        return;
    }
    while matches!(cursor.element(), Ok(true)) {
        cursor.peek();
        let start = cursor.position();
        if !cursor.likely_attribute() && cursor.skip().is_err() {
            return;
        }
        each(cursor.since(start));
    }
}

/// Keys and values of what [`elements`] gives.
pub(crate) fn key_values(elements: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Attribute<'_>)> {
    let mut cursor = Cursor::new(elements);
    std::iter::from_fn(move || {
        if cursor.peek() == Some(b',') {
            cursor.advance();
            cursor.peek();
        }
        let (key, value) = otlp::key_value(&mut cursor).ok()?;
        Some((key.str(), value.attribute()))
    })
}

impl<'a> Attributes<'a> {
    /// Key and value of each, in the order of the record; an event's own before those of its resource.
    #[must_use]
    pub fn iter(&self) -> Iter<'a> {
        let (parts, kind) = match *self {
            Self::None => ([&[] as &[u8]; 2], Shape::Pairs),
            Self::OtlpJson { own, resource } => ([own, resource], Shape::Otlp),
            Self::OtlpProto { own, field, resource } => ([own, resource], Shape::Proto(field)),
            Self::Json(object) => ([object, &[]], Shape::Object),
            Self::Pairs(text) => ([text, &[]], Shape::Pairs),
            Self::Row { ref table, row } => ([row, &[]], Shape::Row(Arc::clone(table), 0)),
            Self::Cells { ref header, row } => ([row, &[]], Shape::Cells(Arc::clone(header), 0)),
            Self::Request(line) => ([line, &[]], Shape::Request(0)),
            Self::Lttng(groups) => ([groups, &[]], Shape::Lttng),
            Self::Strace(line) => ([line, &[]], Shape::Strace(0)),
        };
        let message = Message::new(parts[0]);
        let mut iter = Iter { kind, cursor: Cursor::new(parts[0]), message, text: parts[0], later: parts[1] };
        iter.enter();
        iter
    }
}

impl<'a> IntoIterator for Attributes<'a> {
    type Item = (Cow<'a, str>, Attribute<'a>);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &Attributes<'a> {
    type Item = (Cow<'a, str>, Attribute<'a>);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Otlp,
    /// In the field of that number.
    Proto(u32),
    Object,
    Pairs,
    /// With the number of the next one.
    Request(usize),
    Strace(usize),
    Lttng,
    Row(Arc<Table>, usize),
    Cells(Arc<Header>, usize),
}

/// Keys and values of [`Attributes`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    kind: Shape,
    cursor: Cursor<'a>,
    message: Message<'a>,
    /// What `cursor` reads; of pairs, what is yet to be read.
    text: &'a [u8],
    later: &'a [u8],
}

impl<'a> Iter<'a> {
    fn enter(&mut self) {
        let entered = match self.kind {
            Shape::Otlp => self.cursor.enter_array(),
            Shape::Object => self.cursor.enter_object(),
            Shape::Pairs
            | Shape::Proto(_)
            | Shape::Request(_)
            | Shape::Strace(_)
            | Shape::Lttng
            | Shape::Row(..)
            | Shape::Cells(..) => Ok(true),
        };
        if !matches!(entered, Ok(true)) {
            self.text = &[];
        }
    }

    fn step(&mut self) -> Option<(Cow<'a, str>, Attribute<'a>)> {
        if self.text.is_empty() {
            return None;
        }
        match &mut self.kind {
            Shape::Otlp => {
                if !self.cursor.element().ok()? {
                    return None;
                }
                let (key, value) = otlp::key_value(&mut self.cursor).ok()?;
                Some((key.str(), value.attribute()))
            }
            Shape::Proto(field) => next_attribute(&mut self.message, *field),
            Shape::Object => {
                let key = self.cursor.key().ok()??;
                let value = self.cursor.value().ok()?;
                Some((key.str(), value.into()))
            }
            Shape::Pairs => {
                let (key, value, rest) = super::logfmt::pair(self.text)?;
                self.text = rest;
                Some((String::from_utf8_lossy(key), Attribute::Text(value.str())))
            }
            Shape::Request(number) => {
                let (key, value) = access::attribute(self.text, *number)?;
                *number += 1;
                Some((Cow::Borrowed(key), value))
            }
            Shape::Lttng => {
                let mut pairs = lttng::Pairs::of(self.text);
                let found = pairs.attribute();
                self.text = pairs.rest();
                found
            }
            Shape::Strace(number) => {
                let (key, value) = strace::attribute(self.text, *number)?;
                *number += 1;
                Some((Cow::Borrowed(key), value))
            }
            Shape::Row(table, number) => {
                let (key, value) = table::attribute(table, self.text, *number)?;
                *number += 1;
                Some((Cow::Owned(key), value))
            }
            Shape::Cells(header, number) => {
                let (key, value) = delimited::attribute(header, &mut self.text, number)?;
                Some((Cow::Owned(key), value))
            }
        }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (Cow<'a, str>, Attribute<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(found) = self.step() {
                return Some(found);
            }
            if self.later.is_empty() {
                self.text = &[];
                return None;
            }
            self.text = std::mem::take(&mut self.later);
            self.cursor = Cursor::new(self.text);
            self.message = Message::new(self.text);
            if matches!(self.kind, Shape::Proto(_)) {
                self.kind = Shape::Proto(RESOURCE_ATTRIBUTES);
            }
            self.enter();
        }
    }
}
