//! A pull reader of protobuf's wire format (protobuf.dev/programming-guides/encoding): nothing built, nothing copied.

use super::reject::Reject;

/// A message, read field by field from the front.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Message<'a> {
    record: &'a [u8],
    at: usize,
    end: usize,
}

/// The value of a field by its wire type. Groups, long deprecated, are an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// Whole numbers, truth values, enums.
    Varint(u64),
    /// Eight bytes: times and doubles.
    Fixed64(u64),
    /// Four bytes.
    Fixed32(u32),
    /// A string, bytes, a message, or packed numbers.
    Bytes(Message<'a>),
}

impl<'a> Message<'a> {
    /// All of these bytes.
    #[must_use]
    pub(super) const fn new(record: &'a [u8]) -> Self {
        Self { record, at: 0, end: record.len() }
    }

    /// What follows the first `at` bytes of a record.
    #[must_use]
    pub(super) const fn within(record: &'a [u8], at: usize) -> Self {
        Self { record, at, end: record.len() }
    }

    /// How far it has been read: bytes of the record.
    #[must_use]
    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// What was read of it since a position.
    #[must_use]
    pub(super) fn since(&self, position: usize) -> &'a [u8] {
        self.record.get(position..self.at).unwrap_or_default()
    }

    /// What is yet to be read of it.
    #[inline]
    #[must_use]
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.record.get(self.at..self.end).unwrap_or_default()
    }

    /// Those bytes as text; what is not UTF-8 is U+FFFD.
    #[inline]
    #[must_use]
    pub(super) fn str(&self) -> std::borrow::Cow<'a, str> {
        super::value::lossy(self.bytes())
    }

    /// The number and the value of the next field; `None` at the end.
    #[inline]
    pub(super) fn field(&mut self) -> Result<Option<(u32, Field<'a>)>, Reject> {
        if self.at >= self.end {
            return Ok(None);
        }
        let start = self.at;
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        let Some(number) = number else { return Err(Reject::protobuf(start)) };
        let field = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(u64::from_le_bytes(self.fixed()?)),
            2 => {
                let length = self.varint()?;
                let inner = usize::try_from(length).ok().filter(|length| *length <= self.end - self.at);
                let Some(length) = inner else { return Err(Reject::protobuf(start)) };
                let at = self.at;
                self.at += length;
                Field::Bytes(Self { record: self.record, at, end: self.at })
            }
            5 => Field::Fixed32(u32::from_le_bytes(self.fixed()?)),
            _ => return Err(Reject::protobuf(start)),
        };
        Ok(Some((number, field)))
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, Reject> {
        let rest = self.record.get(self.at..self.end).unwrap_or_default();
        match varint(rest) {
            Some((value, length)) => {
                self.at += length;
                Ok(value)
            }
            None => Err(Reject::protobuf(self.at)),
        }
    }

    #[inline]
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Reject> {
        let rest = self.record.get(self.at..self.end).unwrap_or_default();
        match rest.first_chunk() {
            Some(bytes) => {
                self.at += N;
                Ok(*bytes)
            }
            None => Err(Reject::protobuf(self.at)),
        }
    }
}

/// A number of up to 64 bits at the start of `data`, and its length in bytes; `None` if it does not end there.
#[inline]
#[must_use]
pub(super) fn varint(data: &[u8]) -> Option<(u64, usize)> {
    let mut value: u64 = 0;
    for (at, &byte) in data.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * at);
        if byte < 0x80 {
            return Some((value, at + 1));
        }
    }
    None
}
