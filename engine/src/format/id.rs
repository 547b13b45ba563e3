//! Trace and span ids: hexadecimal digits of either case, or base64 as protobuf's JSON writes bytes.

use crate::event::{SpanId, TraceId};

/// A trace id of up to 32 hexadecimal digits (`0x` may stand before them), of a UUID, of X-Ray, or of 16 bytes in base64; all zero if it is none of these.
#[inline]
#[must_use]
pub(super) fn trace(text: &[u8]) -> TraceId {
    if text.len() == 32
        && let Some(number) = hex(text)
    {
        return number.to_be_bytes();
    }
    other(text).unwrap_or_default().to_be_bytes()
}

/// A span id of up to 16 hexadecimal digits, or of 8 bytes in base64; zero if it is neither.
#[inline]
#[must_use]
pub(super) fn span(text: &[u8]) -> SpanId {
    let number = if text.len() == 16 { hex(text) } else { None };
    number.or_else(|| other(text)).and_then(|number| SpanId::try_from(number).ok()).unwrap_or_default()
}

/// A trace id as most write it: 32 hexadecimal digits, and nothing else.
#[inline]
pub(super) fn plain_trace(digits: &[u8; 32]) -> Option<TraceId> {
    hex(digits).map(u128::to_be_bytes)
}

/// A span id as most write it: 16 hexadecimal digits, and nothing else.
#[inline]
pub(super) fn plain_span(digits: &[u8; 16]) -> Option<SpanId> {
    hex(digits).and_then(|number| SpanId::try_from(number).ok())
}

#[inline]
fn hex(text: &[u8]) -> Option<u128> {
    let (words, tail) = text.as_chunks::<8>();
    let mut number: u128 = 0;
    let mut bad = 0;
    for word in words {
        let (eight, wrong) = eight_digits(u64::from_le_bytes(*word));
        number = number << 32 | u128::from(eight);
        bad |= wrong;
    }
    for &digit in tail {
        let value = NIBBLES[usize::from(digit)];
        bad |= u64::from(value & 0xF0);
        number = number << 4 | u128::from(value & 15);
    }
    (bad == 0).then_some(number)
}

/// Eight hexadecimal digits at once, and bits where one is none.
#[inline]
fn eight_digits(word: u64) -> (u32, u64) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Letters have bit 6, digits have not; bit 5 tells lower case from upper case.
    let letter = word >> 6 & ONES;
    let digit = letter ^ ONES;
    let low = word & (ONES * 0x0F);
    let value = low + letter * 9;
    let kind = (word & ((ONES * 0xF0) ^ letter << 5)) ^ (digit * 0x30 + letter * 0x40);
    // 10 to 15 in a digit, more than `f` in a letter; and then less than `a`.
    let above = (value + digit * 6) & (ONES * 0x10);
    let below = !((low | (ONES * 0x10)) - letter) & (ONES * 0x10);
    let pairs = (value << 4 | value >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs | pairs >> 8) & 0x0000_FFFF_0000_FFFF;
    // The mask leaves 32 bits.
    #[allow(clippy::cast_possible_truncation)]
    let number = ((fours | fours >> 16) & 0xFFFF_FFFF) as u32;
    (number.swap_bytes(), kind | above | below)
}

const NIBBLES: [u8; 256] = {
    let mut table = [0xFF; 256];
    let mut value = 0;
    while value < 16 {
        let digit = b"0123456789abcdef"[value as usize];
        table[digit as usize] = value;
        table[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    table
};

fn other(text: &[u8]) -> Option<u128> {
    let text = text.strip_prefix(b"0x").unwrap_or(text);
    match text.len() {
        // Base64 of 8 and of 16 bytes, padded or not. A span id of 11 hexadecimal digits would be a strange one.
        11 | 12 | 22 | 24 if hex(text).is_none() || text.ends_with(b"=") => base64(text),
        36 => {
            let mut digits = [0; 32];
            let mut count = 0;
            for &byte in text.iter().filter(|byte| **byte != b'-') {
                *digits.get_mut(count)? = byte;
                count += 1;
            }
            hex(digits.get(..count)?)
        }
        // X-Ray's `1-5759e988-bd862e3fe1be46a994272793`.
        35 if text.starts_with(b"1-") => other(text.get(2..)?),
        33 if text.get(8) == Some(&b'-') => Some(hex(text.get(..8)?)? << 96 | hex(text.get(9..)?)?),
        1..=32 => hex(text),
        _ => None,
    }
}

/// Bytes in base64 (RFC 4648), as protobuf's JSON writes them.
#[must_use]
pub(super) fn to_base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let value = word >> (18 - 6 * digit) & 63;
            out.push(if digit <= three.len() { char::from(DIGITS[value as usize]) } else { '=' });
        }
    }
    out
}

fn base64(text: &[u8]) -> Option<u128> {
    let mut number: u128 = 0;
    let mut bits = 0;
    for &byte in text.iter().filter(|byte| **byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        // 22 characters carry 132 bits, of which the last 4 are none of the id's.
        if bits == 126 {
            number = number << 2 | u128::from(value >> 4);
        } else {
            number = number << 6 | u128::from(value);
        }
        bits += 6;
    }
    match bits {
        66 => Some(number >> 2),
        132 => Some(number),
        _ => None,
    }
}
