//! JSON values as they stand in the text, and what they mean as strings and numbers.

use std::borrow::Cow;

/// Bytes of a string that is looked through byte by byte.
const SHORT: usize = 64;

/// A JSON string: the bytes between its quotes as they stand, escapes and all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Text<'a> {
    pub(super) raw: &'a [u8],
}

impl<'a> Text<'a> {
    /// The string it means. What is not UTF-8, and a lone surrogate, is U+FFFD.
    #[inline]
    #[must_use]
    pub(super) fn str(self) -> Cow<'a, str> {
        // Names are short: to look at each byte costs less than to set up a search.
        let escaped = if self.raw.len() <= SHORT {
            self.raw.iter().fold(0, |found, &byte| found | u8::from(byte == b'\\')) > 0
        } else {
            memchr::memchr(b'\\', self.raw).is_some()
        };
        if escaped { Cow::Owned(unescape(self.raw)) } else { lossy(self.raw) }
    }
}

/// A cell as text.
fn cell(raw: &[u8]) -> Cow<'_, str> {
    match lossy(raw) {
        text if text.contains("\"\"") => Cow::Owned(text.replace("\"\"", "\"")),
        text => text,
    }
}

/// Text that is all but always UTF-8: `String::from_utf8_lossy` is slow to find that out.
#[inline]
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// A JSON value; objects and arrays as their text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// The text of a number.
    Number(&'a [u8]),
    /// A string.
    String(Text<'a>),
    /// The text of an object.
    Object(&'a [u8]),
    /// The text of an array.
    Array(&'a [u8]),
    /// A cell of a delimited line, in which two quotes stand for one.
    Cell(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The string, or the number or truth value as text; `None` for the rest.
    #[inline]
    #[must_use]
    pub(super) fn str(self) -> Option<Cow<'a, str>> {
        match self {
            Self::String(text) => Some(text.str()),
            Self::Number(raw) => Some(lossy(raw)),
            Self::Cell(raw) => Some(cell(raw)),
            Self::Bool(value) => Some(Cow::Borrowed(if value { "true" } else { "false" })),
            _ => None,
        }
    }

    /// The bytes of a string or a number as they stand: what ids, numbers and words are read from. None of these has a
    /// backslash in it.
    #[inline]
    #[must_use]
    pub(super) const fn plain(self) -> Option<&'a [u8]> {
        match self {
            Self::String(Text { raw }) | Self::Number(raw) | Self::Cell(raw) => Some(raw),
            _ => None,
        }
    }

    /// The number, whether written as a number or as a string.
    #[inline]
    #[must_use]
    pub(super) fn unsigned(self) -> Option<u64> {
        unsigned(self.plain()?)
    }
}

/// A whole number in decimal digits; one with a point or an exponent is rounded towards zero.
#[inline]
#[must_use]
pub(super) fn unsigned(text: &[u8]) -> Option<u64> {
    // 19 digits fit whatever they are.
    if text.is_empty() || text.len() > 19 {
        return unsigned_slow(text);
    }
    let mut number: u64 = 0;
    let (words, tail) = text.as_chunks::<8>();
    for word in words {
        let Some(eight) = eight_digits(u64::from_le_bytes(*word)) else { return unsigned_slow(text) };
        number = number * 100_000_000 + eight;
    }
    for &byte in tail {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return unsigned_slow(text);
        }
        number = number * 10 + u64::from(digit);
    }
    Some(number)
}

/// A number of 19 decimal digits, as nanoseconds since the epoch have, and nothing else.
#[inline]
#[must_use]
pub(super) fn nineteen_digits(text: &[u8; 19]) -> Option<u64> {
    let (words, tail) = text.as_chunks::<8>();
    let mut number = 0;
    for word in words {
        number = number * 100_000_000 + eight_digits(u64::from_le_bytes(*word))?;
    }
    for &byte in tail {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    Some(number)
}

/// Eight decimal digits at once, by adding up neighbours in three steps (Lemire, "Quickly parsing eight digits", 2018).
#[inline]
const fn eight_digits(word: u64) -> Option<u64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const SIXES: u64 = 0x0606_0606_0606_0606;
    const HIGH: u64 = 0xF0F0_F0F0_F0F0_F0F0;
    if word & HIGH != ZEROS || word.wrapping_add(SIXES) & HIGH != ZEROS {
        return None;
    }
    let word = (word - ZEROS).wrapping_mul(10).wrapping_add((word - ZEROS) >> 8);
    let odd = (word & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let even = ((word >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    Some(odd.wrapping_add(even) >> 32)
}

#[cold]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn unsigned_slow(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    (number >= 0.0 && number < u64::MAX as f64).then_some(number as u64)
}

/// A decimal number of units of so many nanoseconds each, in whole nanoseconds; what is below one is cut.
#[must_use]
pub(super) fn nanoseconds(text: &[u8], unit: u64) -> Option<u64> {
    let point = memchr::memchr(b'.', text).unwrap_or(text.len());
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let (whole, fraction) = (&text[..point], text.get(point + 1..).unwrap_or_default());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || (point < text.len() && fraction.is_empty()) {
        return None;
    }
    let mut total = unsigned(whole)?.checked_mul(unit)?;
    let mut unit = unit;
    for digit in fraction {
        // Tenths of what is left: exact as long as units are powers of ten, which they are.
        total = total.checked_add(u64::from(digit - b'0') * (unit / 10))?;
        unit /= 10;
        if unit == 0 {
            break;
        }
    }
    Some(total)
}

/// The same of a number with a sign or an exponent.
#[must_use]
#[allow(clippy::cast_possible_truncation)]
pub(super) fn signed_nanoseconds(text: &[u8], unit: u32) -> Option<i64> {
    let (sign, digits) = text.strip_prefix(b"-").map_or((1, text), |digits| (-1, digits));
    if let Some(number) = nanoseconds(digits, unit.into()) {
        return i64::try_from(number).ok().map(|number| sign * number);
    }
    // An exponent: seldom written, and never exact.
    let number = float(text)? * f64::from(unit);
    (number.abs() < 9e18).then_some(number as i64)
}

/// A finite number.
#[must_use]
pub(super) fn float(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cold]
fn unescape(raw: &[u8]) -> String {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(slash) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..slash]);
        let Some((&kind, after)) = rest[slash + 1..].split_first() else {
            rest = &[];
            break;
        };
        rest = after;
        let plain = match kind {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (character, after) = code_point(rest);
                rest = after;
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            other => other,
        };
        out.push(plain);
    }
    out.extend_from_slice(rest);
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The character of `XXXX`, or of `XXXX\uXXXX` if the two are a surrogate pair, and what comes after it.
fn code_point(rest: &[u8]) -> (char, &[u8]) {
    let Some((first, after)) = four(rest) else { return (char::REPLACEMENT_CHARACTER, rest) };
    if let Some(character) = char::from_u32(first) {
        return (character, after);
    }
    if first < 0xDC00
        && let Some((second, end)) = after.strip_prefix(b"\\u").and_then(four)
        && (0xDC00..0xE000).contains(&second)
        && let Some(character) = char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    {
        return (character, end);
    }
    (char::REPLACEMENT_CHARACTER, after)
}

fn four(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(4)?;
    let mut number = 0;
    for &digit in digits {
        number = number << 4 | char::from(digit).to_digit(16)?;
    }
    Some((number, rest))
}

/// Write a string as JSON, with its quotes.
pub(super) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[clean..at]);
        clean = at + 1;
        if escape.is_empty() {
            let hex = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
            out.extend(['\\', 'u', '0', '0', hex(byte >> 4), hex(byte & 15)]);
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[clean..]);
    out.push('"');
}
