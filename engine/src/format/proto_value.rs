//! OTLP's `AnyValue` and `KeyValue` in protobuf, with the same meaning as those of its JSON ([`super::any_value`]).

use std::borrow::Cow;

use super::attributes::Attribute;
use super::reject::Reject;
use super::value::write_string;
use super::wire::{Field, Message};

/// The number of the field that holds the attributes of a resource.
pub(super) const RESOURCE_ATTRIBUTES: u32 = 1;

/// An `AnyValue`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum AnyValue<'a> {
    /// Not set.
    #[default]
    Null,
    String(Message<'a>),
    Bool(bool),
    Int(i64),
    Double(f64),
    /// An `ArrayValue`.
    Array(Message<'a>),
    /// A `KeyValueList`.
    Map(Message<'a>),
    /// Bytes: shown in base64, as JSON has them.
    Bytes(&'a [u8]),
}

/// How deep values in values are read.
const MAX_DEPTH: u32 = super::cursor::MAX_DEPTH;

impl<'a> AnyValue<'a> {
    pub(super) fn read(mut message: Message<'a>) -> Result<Self, Reject> {
        let mut found = Self::Null;
        while let Some((number, field)) = message.field()? {
            found = match (number, field) {
                (1, Field::Bytes(text)) => Self::String(text),
                (2, Field::Varint(value)) => Self::Bool(value != 0),
                // Two's complement.
                (3, Field::Varint(value)) => Self::Int(value.cast_signed()),
                (4, Field::Fixed64(bits)) => Self::Double(f64::from_bits(bits)),
                (5, Field::Bytes(list)) => Self::Array(list),
                (6, Field::Bytes(list)) => Self::Map(list),
                (7, Field::Bytes(bytes)) => Self::Bytes(bytes.bytes()),
                _ => found,
            };
        }
        Ok(found)
    }

    /// As text: a string as it is, the rest as compact JSON.
    pub(super) fn text(self) -> Cow<'a, str> {
        match self.attribute() {
            Attribute::Null => Cow::Borrowed(""),
            Attribute::Text(text) | Attribute::Json(text) => text,
            other => {
                let mut out = String::new();
                other.write_json(&mut out);
                Cow::Owned(out)
            }
        }
    }

    /// As the value of an attribute.
    pub(super) fn attribute(self) -> Attribute<'a> {
        match self {
            Self::Null => Attribute::Null,
            Self::String(text) => Attribute::Text(text.str()),
            Self::Bool(value) => Attribute::Bool(value),
            Self::Int(value) => Attribute::Int(value),
            Self::Double(value) if value.is_finite() => Attribute::Float(value),
            Self::Double(value) if value.is_nan() => Attribute::Text(Cow::Borrowed("NaN")),
            Self::Double(value) => Attribute::Text(Cow::Borrowed(if value > 0.0 { "Infinity" } else { "-Infinity" })),
            Self::Bytes(bytes) => Attribute::Text(Cow::Owned(super::id::to_base64(bytes))),
            Self::Array(_) | Self::Map(_) => {
                let mut out = String::new();
                self.write_json(&mut out, MAX_DEPTH);
                Attribute::Json(Cow::Owned(out))
            }
        }
    }

    /// Write it as compact JSON. What is damaged or nested too deep ends the list it stands in.
    fn write_json(self, out: &mut String, depth: u32) {
        match self {
            Self::Array(list) => {
                out.push('[');
                each(list, depth, |one, separator| {
                    let value = Self::read(one)?;
                    out.push_str(separator);
                    value.write_json(out, depth - 1);
                    Ok(())
                });
                out.push(']');
            }
            Self::Map(list) => {
                out.push('{');
                each(list, depth, |one, separator| {
                    let (key, value) = key_value(one)?;
                    out.push_str(separator);
                    write_string(out, &key.str());
                    out.push(':');
                    value.write_json(out, depth - 1);
                    Ok(())
                });
                out.push('}');
            }
            other => other.attribute().write_json(out),
        }
    }
}

/// A `KeyValue`.
pub(super) fn key_value(mut message: Message<'_>) -> Result<(Message<'_>, AnyValue<'_>), Reject> {
    let (mut key, mut value) = (Message::default(), AnyValue::Null);
    while let Some((number, field)) = message.field()? {
        match (number, field) {
            (1, Field::Bytes(name)) => key = name,
            (2, Field::Bytes(any)) => value = AnyValue::read(any)?,
            _ => {}
        }
    }
    Ok((key, value))
}

/// Call `read` with each of the `values` of an `ArrayValue` or a `KeyValueList`, and with what is to stand before it.
fn each<'a>(mut list: Message<'a>, depth: u32, mut read: impl FnMut(Message<'a>, &'static str) -> Result<(), Reject>) {
    let mut separator = "";
    while depth > 0
        && let Ok(Some((number, field))) = list.field()
    {
        if let (1, Field::Bytes(one)) = (number, field) {
            if read(one, separator).is_err() {
                break;
            }
            separator = ",";
        }
    }
}

/// The next attribute of a message that has them in the field of that number.
pub(super) fn next_attribute<'a>(message: &mut Message<'a>, number: u32) -> Option<(Cow<'a, str>, Attribute<'a>)> {
    while let Ok(Some((found, field))) = message.field() {
        if let Field::Bytes(pair) = field
            && found == number
        {
            let (key, value) = key_value(pair).ok()?;
            return Some((key.str(), value.attribute()));
        }
    }
    None
}
