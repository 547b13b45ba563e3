//! Trace and span ids: hexadecimal digits of either case, or base64 as protobuf's JSON writes bytes.

use crate::event::{SpanId, TraceId};

/// A trace id of up to 32 hexadecimal digits, of a UUID, or of 16 bytes in base64; all zero if it is none of these.
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

#[inline]
fn hex(text: &[u8]) -> Option<u128> {
    let mut number = 0;
    let mut bad = 0;
    // Two halves in 64 bits each: arithmetic on 128 bits costs more.
    for half in text.chunks(16) {
        let mut part: u64 = 0;
        for &digit in half {
            let value = NIBBLES[usize::from(digit)];
            bad |= value;
            part = part << 4 | u64::from(value & 15);
        }
        number = number << (half.len() * 4) | u128::from(part);
    }
    (bad < 16).then_some(number)
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
        1..=32 => hex(text),
        _ => None,
    }
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
