//! OTLP's `AnyValue`: a string, number, truth value, bytes, an array or a map.

use std::borrow::Cow;

use super::attributes::Attribute;
use super::cursor::Cursor;
use super::reject::Reject;
use super::value::{Text, Value, write_string};

/// An `AnyValue` as it stands in the record.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum AnyValue<'a> {
    /// Not set.
    #[default]
    Null,
    /// `stringValue`; `bytesValue` too, in its base64.
    String(Text<'a>),
    /// `boolValue`, `intValue`, `doubleValue`: numbers may be written as strings.
    Scalar(Value<'a>),
    /// The text of an `ArrayValue`.
    Array(&'a [u8]),
    /// The text of a `KeyValueList`.
    Map(&'a [u8]),
}

impl<'a> AnyValue<'a> {
    /// Read the one that starts here. A value that is no object is taken for what it is.
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        if cursor.peek() != Some(b'{') {
            return Ok(match cursor.value()? {
                Value::String(text) => Self::String(text),
                Value::Null | Value::Array(_) | Value::Object(_) => Self::Null,
                scalar => Self::Scalar(scalar),
            });
        }
        let mut found = Self::Null;
        cursor.enter_object()?;
        while let Some(key) = cursor.key()? {
            let value = cursor.value()?;
            found = match (key.raw, value) {
                (b"stringValue" | b"string_value" | b"bytesValue" | b"bytes_value", Value::String(text)) => {
                    Self::String(text)
                }
                (b"arrayValue" | b"array_value", Value::Object(raw)) => Self::Array(raw),
                (b"kvlistValue" | b"kvlist_value", Value::Object(raw)) => Self::Map(raw),
                (
                    b"boolValue" | b"bool_value" | b"intValue" | b"int_value" | b"doubleValue" | b"double_value",
                    Value::Bool(_) | Value::Number(_) | Value::String(_),
                ) => Self::Scalar(value),
                _ => found,
            };
        }
        Ok(found)
    }

    /// As text: a string as it is, the rest as compact JSON.
    pub(super) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::String(text) => text.str(),
            Self::Scalar(value) => value.str().unwrap_or_default(),
            Self::Array(_) | Self::Map(_) => {
                let mut out = String::new();
                self.write_json(&mut out);
                Cow::Owned(out)
            }
        }
    }

    /// As the value of an attribute.
    pub(super) fn attribute(self) -> Attribute<'a> {
        match self {
            Self::Null => Attribute::Null,
            Self::String(text) => Attribute::Text(text.str()),
            // Written as strings, numbers are numbers still.
            Self::Scalar(Value::String(text)) => Value::Number(text.raw).into(),
            Self::Scalar(value) => value.into(),
            Self::Array(_) | Self::Map(_) => Attribute::Json(self.text()),
        }
    }

    /// Write it as compact JSON.
    fn write_json(self, out: &mut String) {
        match self {
            Self::Array(raw) => {
                out.push('[');
                let mut separator = "";
                each(raw, |cursor| {
                    let value = Self::read(cursor)?;
                    out.push_str(std::mem::replace(&mut separator, ","));
                    value.write_json(out);
                    Ok(())
                });
                out.push(']');
            }
            Self::Map(raw) => {
                out.push('{');
                let mut separator = "";
                each(raw, |cursor| {
                    let (key, value) = super::otlp::key_value(cursor)?;
                    out.push_str(std::mem::replace(&mut separator, ","));
                    write_string(out, &key.str());
                    out.push(':');
                    value.write_json(out);
                    Ok(())
                });
                out.push('}');
            }
            other => other.attribute().write_json(out),
        }
    }
}

/// Call `read` at each of the `values` of an `ArrayValue` or a `KeyValueList`, whose text was checked when it was skipped.
fn each<'a>(list: &'a [u8], mut read: impl FnMut(&mut Cursor<'a>) -> Result<(), Reject>) {
    let mut cursor = Cursor::new(list);
    let mut walk = || -> Result<(), Reject> {
        if cursor.enter_object()? {
            while let Some(key) = cursor.key()? {
                if key.raw != b"values" {
                    cursor.skip()?;
                } else if cursor.enter_array()? {
                    while cursor.element()? {
                        read(&mut cursor)?;
                    }
                }
            }
        }
        Ok(())
    };
    // An element of a wrong type ends the list: what stood before it is kept.
    walk().unwrap_or_default();
}
