//! A pull reader of JSON text: bytes in, tokens out, nothing built and nothing copied.
//!
//! It is strict about the grammar (RFC 8259) and lenient about what stands inside strings: bytes that are not UTF-8 and
//! lone surrogates become U+FFFD, because a log line with one bad byte is still worth reading. Nesting is limited to
//! [`MAX_DEPTH`]. Values that nobody asked for are skipped without recursion, but not without being checked.

mod likely;

use super::reject::Reject;
use super::value::{Text, Value};

/// How deep objects and arrays may nest, as in `serde_json`.
pub(super) const MAX_DEPTH: u32 = 128;

/// Attributes of one array that are compared with those of the array before.
const HEADS: usize = 8;

/// A place in JSON text.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    data: &'a [u8],
    at: usize,
    depth: u32,
    /// An object or array was just entered: no comma is due before its first member.
    fresh: bool,
    /// Where the attributes of the last array of them begin, up to the text of their values, and how long that is; 0 where
    /// it is not known.
    heads: [(u32, u16); HEADS],
}

impl<'a> Cursor<'a> {
    /// At the start of `data`.
    #[must_use]
    pub(super) const fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0, depth: 0, fresh: false, heads: [(0, 0); HEADS] }
    }

    /// Bytes before the cursor.
    #[must_use]
    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// The text from a position to here.
    #[must_use]
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        self.data.get(start..self.at).unwrap_or_default()
    }

    /// The next byte that is not white space; it is not consumed.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.data.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Step over the byte that [`Self::peek`] showed.
    #[inline]
    pub(super) const fn advance(&mut self) {
        self.at += 1;
    }

    #[inline]
    fn need(&mut self) -> Result<u8, Reject> {
        match self.peek() {
            Some(byte) => Ok(byte),
            None => Err(Reject::ends(self.at)),
        }
    }

    /// What is wrong here: the text ends, or another byte stands here.
    #[cold]
    fn wrong(&self) -> Reject {
        match self.data.get(self.at) {
            None => Reject::ends(self.at),
            Some(&byte) => Reject::unexpected(self.at, byte),
        }
    }

    #[cold]
    fn wrong_type<T>(&self) -> Result<T, Reject> {
        Err(Reject::wrong_type(self.at))
    }

    /// Enter the object that starts here. `null` is consumed and gives false; any other value is an error.
    #[inline]
    pub(super) fn enter_object(&mut self) -> Result<bool, Reject> {
        self.enter(b'{')
    }

    /// Enter the array that starts here. `null` is consumed and gives false; any other value is an error.
    #[inline]
    pub(super) fn enter_array(&mut self) -> Result<bool, Reject> {
        self.enter(b'[')
    }

    #[inline]
    fn enter(&mut self, opener: u8) -> Result<bool, Reject> {
        let byte = self.need()?;
        if byte == opener {
            self.at += 1;
            self.depth += 1;
            self.fresh = true;
            return if self.depth > MAX_DEPTH { Err(Reject::depth(self.at)) } else { Ok(true) };
        }
        if byte == b'n' {
            self.literal(b"null")?;
            return Ok(false);
        }
        let start = self.at;
        self.skip()?;
        self.at = start;
        self.wrong_type()
    }

    /// The next key of the object entered last, its colon consumed; `None` at the object's end, which is consumed.
    #[inline]
    pub(super) fn key(&mut self) -> Result<Option<Text<'a>>, Reject> {
        if !self.more(b'}')? {
            return Ok(None);
        }
        self.key_and_colon().map(Some)
    }

    /// Whether the array entered last has another element, at which the cursor then stands; its end is consumed.
    #[inline]
    pub(super) fn element(&mut self) -> Result<bool, Reject> {
        self.more(b']')
    }

    #[inline]
    fn more(&mut self, closer: u8) -> Result<bool, Reject> {
        let byte = self.need()?;
        if byte == closer {
            self.at += 1;
            self.depth -= 1;
            self.fresh = false;
            return Ok(false);
        }
        if self.fresh {
            self.fresh = false;
            return Ok(true);
        }
        if byte != b',' {
            return Err(self.wrong());
        }
        self.at += 1;
        // `,}` is caught where a key or value is read: neither starts with a closer.
        Ok(true)
    }

    #[inline]
    fn key_and_colon(&mut self) -> Result<Text<'a>, Reject> {
        if self.need()? != b'"' {
            return Err(self.wrong());
        }
        let key = self.string()?;
        if self.data.get(self.at) != Some(&b':') && self.need()? != b':' {
            return Err(self.wrong());
        }
        self.at += 1;
        Ok(key)
    }

    /// The string whose opening quote stands here.
    #[inline]
    fn string(&mut self) -> Result<Text<'a>, Reject> {
        self.at += 1;
        let start = self.at;
        self.string_end()?;
        Ok(Text { raw: self.data.get(start..self.at - 1).unwrap_or_default() })
    }

    /// Step over the rest of a string, and its closing quote.
    ///
    /// Eight bytes at a time by the carry trick of Mycroft (1987): most strings of telemetry are shorter than the set-up
    /// of a vector search is worth.
    #[inline]
    fn string_end(&mut self) -> Result<(), Reject> {
        let mut at = self.at;
        while let Some(word) = self.data.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let found = special(u64::from_le_bytes(*word));
            if found == 0 {
                at += 8;
                continue;
            }
            at += found.trailing_zeros() as usize / 8;
            self.at = at;
            if self.data.get(at) == Some(&b'"') {
                self.at = at + 1;
                return Ok(());
            }
            return self.string_rest();
        }
        self.at = at;
        self.string_rest()
    }

    /// The same, byte by byte: for escapes, for the last bytes of a text, and for what is wrong.
    #[inline(never)]
    fn string_rest(&mut self) -> Result<(), Reject> {
        loop {
            match self.data.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.escape()?;
                    // Plain stretches between escapes may be long.
                    while let Some(word) = self.data.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
                        let found = special(u64::from_le_bytes(*word));
                        if found != 0 {
                            self.at += found.trailing_zeros() as usize / 8;
                            break;
                        }
                        self.at += 8;
                    }
                }
                Some(0x20..) => self.at += 1,
                _ => return Err(self.wrong()),
            }
        }
    }

    /// Check and step over the escape whose backslash stands here.
    fn escape(&mut self) -> Result<(), Reject> {
        self.at += 1;
        match self.data.get(self.at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.data.get(self.at).is_some_and(u8::is_ascii_hexdigit) {
                        return Err(self.wrong());
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.wrong()),
        }
        Ok(())
    }

    /// The value that stands here; objects and arrays are skipped and given as their text.
    #[inline]
    pub(super) fn value(&mut self) -> Result<Value<'a>, Reject> {
        let first = self.need()?;
        let start = self.at;
        match first {
            b'"' => self.string().map(Value::String),
            b'{' => self.skip().map(|()| Value::Object(self.since(start))),
            b'[' => self.skip().map(|()| Value::Array(self.since(start))),
            b't' => self.literal(b"true").map(|()| Value::Bool(true)),
            b'f' => self.literal(b"false").map(|()| Value::Bool(false)),
            b'n' => self.literal(b"null").map(|()| Value::Null),
            _ => self.number().map(|()| Value::Number(self.since(start))),
        }
    }

    #[inline]
    fn literal(&mut self, word: &'static [u8]) -> Result<(), Reject> {
        for &byte in word {
            if self.data.get(self.at) != Some(&byte) {
                return Err(self.wrong());
            }
            self.at += 1;
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> Result<(), Reject> {
        if !self.data.get(self.at).is_some_and(u8::is_ascii_digit) {
            return Err(self.wrong());
        }
        while self.data.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Reject> {
        if self.data.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.data.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.data.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.data.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.data.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Check and step over the value that stands here, whatever it holds.
    pub(super) fn skip(&mut self) -> Result<(), Reject> {
        // Which of the containers entered here are objects, the innermost in the lowest bit.
        let mut objects: u128 = 0;
        let outer = self.depth;
        loop {
            match self.need()? {
                b'"' => {
                    self.at += 1;
                    self.string_end()?;
                }
                opener @ (b'{' | b'[') => {
                    self.at += 1;
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(Reject::depth(self.at));
                    }
                    let object = opener == b'{';
                    objects = objects << 1 | u128::from(object);
                    let closer = if object { b'}' } else { b']' };
                    if self.need()? != closer {
                        if object {
                            self.key_and_colon()?;
                        }
                        continue;
                    }
                    self.at += 1;
                    self.depth -= 1;
                    objects >>= 1;
                }
                b't' => self.literal(b"true")?,
                b'f' => self.literal(b"false")?,
                b'n' => self.literal(b"null")?,
                _ => self.number()?,
            }
            // A value ended: so may the containers around it.
            loop {
                if self.depth == outer {
                    self.fresh = false;
                    return Ok(());
                }
                let object = objects & 1 == 1;
                match self.need()? {
                    b',' => {
                        self.at += 1;
                        if object {
                            self.key_and_colon()?;
                        }
                        break;
                    }
                    b'}' if object => self.at += 1,
                    b']' if !object => self.at += 1,
                    _ => return Err(self.wrong()),
                }
                self.depth -= 1;
                objects >>= 1;
            }
        }
    }

    /// The bytes of the string or number that stands here, as in [`Value::plain`]; of any other value, none.
    #[inline]
    pub(super) fn plain(&mut self) -> Result<&'a [u8], Reject> {
        if self.need()? == b'"' {
            return self.string().map(|text| text.raw);
        }
        Ok(self.value()?.plain().unwrap_or_default())
    }

    /// Step over the value that stands here, and give its text.
    #[inline]
    pub(super) fn raw(&mut self) -> Result<&'a [u8], Reject> {
        self.need()?;
        let start = self.at;
        self.skip()?;
        Ok(self.since(start))
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Zero if a word of text has no quote, backslash or control character; else the lowest bit is in the first of them.
#[inline]
fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * u64::from(b'"'));
    let slash = word ^ (ONES * u64::from(b'\\'));
    let found = (quote.wrapping_sub(ONES) & !quote)
        | (slash.wrapping_sub(ONES) & !slash)
        | (word.wrapping_sub(ONES * 0x20) & !word);
    // A borrow can raise false bits above the first true one, never below it.
    found & HIGH
}

/// The string whose opening quote starts a text, and its length with its quotes. Not as strict as JSON: any escape and
/// any control character will do.
#[must_use]
pub(super) fn quoted(text: &[u8]) -> Option<(Text<'_>, usize)> {
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some((Text { raw: text.get(1..at)? }, at + 1));
        }
        at += 2;
    }
}
