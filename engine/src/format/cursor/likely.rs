//! What most writers of OTLP/JSON write, in the shortest form and in one order, told by comparison with what is likely to stand
//! there; whoever asks reads it as JSON where it is something else.
//!
//! In comes a place in the text; out comes what stands there and the place behind it, or nothing and the place as it was.

use super::Cursor;
use crate::format::reject::Reject;
use crate::format::value::Text;

impl<'a> Cursor<'a> {
    /// Step over these bytes if they stand here.
    #[inline]
    fn literally<const N: usize>(&mut self, bytes: &[u8; N]) -> bool {
        let found = self.data.get(self.at..).and_then(<[u8]>::first_chunk::<N>) == Some(bytes);
        if found {
            self.at += N;
        }
        found
    }

    /// Step over the comma due before a key, the key and its colon, if they are written in the shortest way and the key
    /// is this one, given with its quotes and its colon.
    #[inline]
    pub(in crate::format) fn likely_key<const N: usize>(&mut self, key: &[u8; N]) -> bool {
        let before = self.at;
        if !self.fresh && !self.literally(b",") || !self.literally(key) {
            self.at = before;
            return false;
        }
        self.fresh = false;
        true
    }

    /// Step over a string of `N` characters, if one stands here and `read` takes them. It must take none that has to be looked at
    /// as JSON: no quote, backslash or control character.
    #[inline]
    pub(in crate::format) fn likely<const N: usize, T>(
        &mut self,
        read: impl FnOnce(&[u8; N]) -> Option<T>,
    ) -> Option<T> {
        let (&first, rest) = self.data.get(self.at..)?.split_first()?;
        let (text, rest) = rest.split_first_chunk::<N>()?;
        if first != b'"' || rest.first() != Some(&b'"') {
            return None;
        }
        let found = read(text)?;
        self.at += N + 2;
        Some(found)
    }

    /// Step over a number of one digit, if one stands here and it ends with that.
    #[inline]
    pub(in crate::format) fn likely_digit(&mut self) -> Option<u8> {
        let &[digit @ b'0'..=b'9', b',' | b'}', ..] = self.data.get(self.at..)? else { return None };
        self.at += 1;
        Some(digit - b'0')
    }

    /// Step over an object in which there is nothing, if one stands here.
    #[inline]
    pub(in crate::format) fn likely_empty(&mut self) -> bool {
        self.literally(b"{}")
    }

    /// Step over an array of OTLP's `KeyValue` and give its text, as [`Self::raw`] does for any value.
    ///
    /// Most of a request's bytes are attributes, and nearly all of these are written in one way: to compare with it is
    /// several times faster than to find out what stands there.
    pub(in crate::format) fn attributes(&mut self) -> Result<&'a [u8], Reject> {
        self.need()?;
        let start = self.at;
        if self.literally(b"[") {
            let mut number = 0;
            while self.attribute_like(number) {
                number += 1;
                if self.literally(b"]") {
                    return Ok(self.since(start));
                }
                if !self.literally(b",") {
                    break;
                }
            }
            self.at = start;
        }
        self.raw()
    }

    /// Step over a `KeyValue` of a usual type in the shortest form, if one stands here.
    #[inline]
    pub(in crate::format) fn likely_attribute(&mut self) -> bool {
        let start = self.at;
        let found = self.attribute().is_some();
        if !found {
            self.at = start;
        }
        found
    }

    /// Key and value of a `KeyValue` in the shortest form, if one stands here, and whether the value is a string; if not, it is a
    /// whole number written as one. It is stepped over.
    #[inline]
    pub(in crate::format) fn likely_pair(&mut self) -> Option<(Text<'a>, Text<'a>, bool)> {
        let start = self.at;
        let found = self.pair();
        if found.is_none() {
            self.at = start;
        }
        found
    }

    #[inline]
    fn pair(&mut self) -> Option<(Text<'a>, Text<'a>, bool)> {
        let key = if self.literally(b"{\"key\":\"") { self.rest_of_string()? } else { return None };
        let is_text = self.literally(b",\"value\":{\"stringValue\":\"");
        if !is_text && !self.literally(b",\"value\":{\"intValue\":\"") {
            return None;
        }
        let value = self.rest_of_string()?;
        self.literally(b"}}").then_some((key, value, is_text))
    }

    /// The string whose opening quote was stepped over.
    #[inline]
    fn rest_of_string(&mut self) -> Option<Text<'a>> {
        let start = self.at;
        self.string_end().ok()?;
        Some(Text { raw: self.data.get(start..self.at - 1)? })
    }

    /// The same as [`Self::attribute`], for one that most likely has the key of the one at its place in the array before: spans
    /// of one kind say the same things in the same order, and one comparison of all up to the value costs less than to read it.
    #[inline]
    fn attribute_like(&mut self, number: usize) -> bool {
        let head = self.heads.get(number).copied().unwrap_or_default();
        let (from, length) = (head.0 as usize, usize::from(head.1));
        if length > 0
            && let Some(here) = self.data.get(self.at..self.at + length)
            && self.data.get(from..from + length) == Some(here)
        {
            self.at += length;
            return self.string_end().is_ok() && self.literally(b"}}");
        }
        let start = self.at;
        let Some(value) = self.attribute() else { return false };
        if let Some(head) = self.heads.get_mut(number)
            && let (Ok(start), Ok(length)) = (u32::try_from(start), u16::try_from(value.saturating_sub(start)))
        {
            *head = (start, length);
        }
        true
    }

    /// Step over a `KeyValue` of a usual type in the shortest form; tells where the text of its value starts, 0 if it is none.
    /// If it is not that, the cursor may stand anywhere.
    #[inline]
    fn attribute(&mut self) -> Option<usize> {
        if !self.literally(b"{\"key\":\"") || self.string_end().is_err() || !self.literally(b",\"value\":{\"") {
            return None;
        }
        let mut text = 0;
        let value = if self.literally(b"stringValue\":\"") || self.literally(b"intValue\":\"") {
            text = self.at;
            self.string_end()
        } else if self.literally(b"boolValue\":") || self.literally(b"doubleValue\":") || self.literally(b"intValue\":")
        {
            match self.data.get(self.at) {
                Some(b't') => self.literal(b"true"),
                Some(b'f') => self.literal(b"false"),
                _ => self.number(),
            }
        } else {
            return None;
        };
        (value.is_ok() && self.literally(b"}}")).then_some(text)
    }
}
