//! The attributes of events as `key=value`: those that may set events apart, and, once they are to be kept, without secrets.

use std::fmt::Write;

use crate::event::Attributes;
use crate::format::{self, Attribute};
use crate::redact;

/// Bytes of a value that are kept.
pub const VALUE: usize = 80;

/// Bytes of a key; one that is longer is not kept.
const KEY: usize = 64;

/// Objects within objects that are looked into.
const DEPTH: u8 = 3;

/// Stands between several in one text; none has it.
pub(super) const BETWEEN: char = '\u{1f}';

/// Whether there may be attributes that tell events apart.
#[inline]
pub(super) const fn has_any(attributes: &Attributes<'_>) -> bool {
    match attributes {
        Attributes::None | Attributes::Lttng(_) | Attributes::Strace(_) => false,
        Attributes::OtlpJson { own, resource } => !own.is_empty() || !resource.is_empty(),
        _ => true,
    }
}

/// `key=value` of each attribute that may set events apart, as it stands there: no measured numbers, lists and, of an event's
/// `own`, ids. What is to be kept of it is what [`keep`] leaves.
/// `pair` is where it is written, one after the other.
pub fn read(attributes: &Attributes<'_>, own: bool, pair: &mut String, each: &mut dyn FnMut(&mut String)) {
    read_within(attributes, "", own, DEPTH, pair, each);
}

/// The same of the text of some of an event's own attributes, without the brackets around them.
pub(super) fn read_elements(elements: &[u8], pair: &mut String, each: &mut dyn FnMut(&mut String)) {
    for (key, value) in format::key_values(elements) {
        read_one("", &key, value, true, DEPTH, pair, each);
    }
}

fn read_within(
    attributes: &Attributes<'_>,
    prefix: &str,
    own: bool,
    depth: u8,
    pair: &mut String,
    each: &mut dyn FnMut(&mut String),
) {
    for (key, value) in attributes {
        read_one(prefix, &key, value, own, depth, pair, each);
    }
}

fn read_one(
    prefix: &str,
    key: &str,
    value: Attribute<'_>,
    own: bool,
    depth: u8,
    pair: &mut String,
    each: &mut dyn FnMut(&mut String),
) {
    if key.is_empty() || prefix.len() + key.len() > KEY || key.contains('=') {
        return;
    }
    pair.clear();
    pair.push_str(prefix);
    pair.push_str(key);
    if pair == "service.name" {
        return;
    }
    match value {
        Attribute::Null | Attribute::Float(_) => return,
        Attribute::Json(text) => {
            if depth > 0 && text.trim_start().starts_with('{') {
                let prefix = format!("{pair}.");
                read_within(&Attributes::Json(text.as_bytes()), &prefix, own, depth - 1, pair, each);
            }
            return;
        }
        Attribute::Bool(value) => pair.push_str(if value { "=true" } else { "=false" }),
        Attribute::Int(value) => {
            if own && value.unsigned_abs() >= 1_000_000_000 {
                return;
            }
            // Writing to a string does not fail.
            let _ = write!(pair, "={value}");
        }
        Attribute::Text(text) => {
            let text = text.trim();
            if text.is_empty() || (own && is_id(text)) {
                return;
            }
            pair.push('=');
            pair.push_str(text);
        }
    }
    each(pair);
}

/// Mask the secrets of a `key=value`, and shorten it where its value is too long.
pub fn keep(pair: &mut String) {
    // A secret that is cut is known no more: it is masked before.
    redact::redact_text(pair);
    if pair.contains(BETWEEN) {
        *pair = pair.replace(BETWEEN, " ");
    }
    let most = pair.find('=').unwrap_or(0) + 1 + VALUE;
    if pair.len() > most {
        let end = (0..=most).rev().find(|&at| pair.is_char_boundary(at)).unwrap_or(0);
        pair.truncate(end);
        pair.push('…');
    }
}

/// Whether a value looks like one that no other event has: hexadecimal digits, sixteen or more of them, or a number of ten
/// digits.
pub fn is_id(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    digits > 0 && hex && text.len() >= if digits == text.len() { 10 } else { 16 }
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        read(&Attributes::Json(text.as_bytes()), true, &mut String::new(), &mut |pair| {
            keep(pair);
            found.push(pair.clone());
        });
        found
    }

    #[test]
    fn keep__a_secret_longer_than_a_value__masked_before_it_is_cut() {
        let [header, claims, signature] =
            ["eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9", "eyJzdWIiOiJhbGljZSIs", "c2lnbmF0dXJl"].map(|part| part.repeat(2));
        let found = pairs(&format!(r#"{{"state":"{header}.{claims}.{signature}"}}"#));
        assert!(found.len() == 1 && !found[0].contains(&header[..20]), "{found:?}");
    }

    #[test]
    fn keep__a_long_value__cut_between_characters() {
        let found = pairs(&format!(r#"{{"note":"{}"}}"#, "wörter ".repeat(40)));
        assert_eq!(found.len(), 1);
        assert!(found[0].ends_with('…') && found[0].len() <= "note=".len() + VALUE + "…".len(), "{found:?}");
    }
}
