//! Text of strangers, made safe: secrets out of it before it is kept, and nothing in it that steers a terminal or a model.

/// What stands in the place of a secret.
const MASK: &str = "[redacted]";

/// Names whose values are secrets, wherever they stand before `=` or `:`; compared without case, `-` and `_`.
const SECRET_NAMES: [&str; 12] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "apikey",
    "authorization",
    "credential",
    "privatekey",
    "accesskey",
    "cookie",
    "sessionid",
];

/// By the last letter of a name, which letters stand before it in any of them. Few words end as one of the names does.
const SECRET_ENDS: [u128; 128] = {
    let mut ends = [0; 128];
    let mut at = 0;
    while at < SECRET_NAMES.len() {
        let name = SECRET_NAMES[at].as_bytes();
        ends[name[name.len() - 1] as usize] |= 1 << name[name.len() - 2];
        at += 1;
    }
    ends
};

/// Prefixes that only keys have, and how long what follows is at the least.
const SECRET_PREFIXES: [(&str, usize); 10] = [
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 30),
    ("gho_", 30),
    ("github_pat_", 30),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("sk-", 20),
    ("eyJ", 40),
];

/// The same bytes with the secrets in them masked.
#[must_use]
pub fn redact(bytes: &[u8]) -> Vec<u8> {
    masked(bytes).unwrap_or_else(|| bytes.to_vec())
}

/// The same; `None` if there are none, as in most, and nothing is copied.
///
/// One pass: what the bytes of a word are tells which of the costlier questions are worth asking of it.
fn masked(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    // Up to where the bytes are in `out`, as they are or masked.
    let mut copied = 0;
    let mut at = 0;
    // Whether the word now coming is the value of a secret name.
    let mut secret = false;
    while let Some(&byte) = bytes.get(at) {
        if CLASSES[usize::from(byte)] & WORD == 0 {
            // A value begins after `: " =` and the like; anything else says that no value follows.
            secret = secret
                && (matches!(byte, b' ' | b'"' | b'\\' | b':' | b'=' | b'\'') || leads_to_otlp_value(&bytes[at..]));
            at += 1;
            continue;
        }
        let (length, classes) = word_at(&bytes[at..]);
        let (word, rest) = (&bytes[at..at + length], &bytes[at + length..]);
        let leads = secret && (is_scheme(word) || is_otlp_value(word));
        if (secret && !leads) || is_secret(word, classes) {
            out.extend_from_slice(&bytes[copied..at]);
            out.extend_from_slice(MASK.as_bytes());
            copied = at + length;
            secret &= leads;
        } else {
            secret = leads || (is_secret_name(word) && follows_assignment(rest));
        }
        at += length;
    }
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(&bytes[copied..]);
    Some(out)
}

/// The word that begins here: its length, and the classes that any of its bytes is of.
fn word_at(bytes: &[u8]) -> (usize, u8) {
    let mut classes = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let class = CLASSES[usize::from(byte)];
        if class & WORD == 0 {
            return (at, classes);
        }
        classes |= class;
    }
    (bytes.len(), classes)
}

/// Mask the secrets in a text. Says whether there were any.
pub fn redact_text(text: &mut String) -> bool {
    let Some(redacted) = masked(text.as_bytes()) else { return false };
    *text = String::from_utf8_lossy(&redacted).into_owned();
    true
}

/// One line of plain words of at most `limit` bytes: no control characters or escape sequences, no secrets, no special tokens.
#[must_use]
pub fn plain(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit + 4));
    let redacted = redact(text.as_bytes());
    let mut chars = String::from_utf8_lossy(&redacted).into_owned().chars().collect::<Vec<_>>().into_iter().peekable();
    while let Some(c) = chars.next() {
        let before = out.len();
        match c {
            // An escape sequence goes as a whole: CSI up to its final byte, else the next character.
            '\u{1b}' => {
                if chars.next_if_eq(&'[').is_some() {
                    while chars.next_if(|c| !('@'..='~').contains(c)).is_some() {}
                }
                chars.next();
            }
            '<' if chars.peek() == Some(&'|') => out.push_str("< "),
            '|' if chars.peek() == Some(&'>') => out.push_str("| "),
            c if c.is_whitespace() => {
                if !out.ends_with(' ') && !out.is_empty() {
                    out.push(' ');
                }
            }
            c if c.is_control() || is_invisible(c) => {}
            c => out.push(c),
        }
        if out.len() > limit {
            out.truncate(before);
            out.truncate(out.trim_end().len());
            out.push('…');
            return out;
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Bidirectional controls, zero-width characters and tags: what a reader does not see but a model does.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}' | '\u{ad}')
}

const WORD: u8 = 1;
const AT: u8 = 2;
const NO_DIGIT: u8 = 4;

/// Of each byte, whether it is part of a word, and whether it tells that the word may be an address or is no card's number.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut at = 0;
    while at < 256 {
        #[allow(clippy::cast_possible_truncation)] // below 256
        let byte = at as u8;
        if byte.is_ascii_digit() || byte == b'-' {
            classes[at] = WORD;
        } else if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.' | b'+' | b'/' | b'~') || byte >= 0x80 {
            classes[at] = WORD | NO_DIGIT;
        } else if byte == b'@' {
            classes[at] = WORD | NO_DIGIT | AT;
        }
        at += 1;
    }
    classes
};

fn is_scheme(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"bearer") || word.eq_ignore_ascii_case(b"basic")
}

/// `{"key": "password", "value": {"stringValue": "…"}}`: the words between an OTLP name and its value.
fn is_otlp_value(word: &[u8]) -> bool {
    word == b"value" || word == b"stringValue"
}

fn leads_to_otlp_value(rest: &[u8]) -> bool {
    let rest = rest.strip_prefix(b",").or(rest.strip_prefix(b"{")).unwrap_or_default().trim_ascii_start();
    rest.starts_with(b"\"value\"") || rest.starts_with(b"\"stringValue\"")
}

fn follows_assignment(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b"\\").unwrap_or(rest);
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest).trim_ascii_start();
    matches!(rest.first(), Some(b'=' | b':')) || leads_to_otlp_value(rest)
}

fn is_secret_name(word: &[u8]) -> bool {
    let folded = || word.iter().rev().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase);
    let mut ends = folded();
    let (Some(last), Some(before)) = (ends.next(), ends.next()) else { return false };
    SECRET_ENDS[usize::from(last)] >> before & 1 == 1
        && SECRET_NAMES.iter().any(|name| folded().take(name.len()).eq(name.bytes().rev()))
}

/// `classes` are those of the word's bytes.
fn is_secret(word: &[u8], classes: u8) -> bool {
    if classes & NO_DIGIT == 0 {
        return is_card(word);
    }
    let key = |&(prefix, length): &(&str, usize)| {
        word.strip_prefix(prefix.as_bytes()).is_some_and(|rest| {
            rest.len() >= length && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
        })
    };
    // Not one of them is shorter than this, nor begins otherwise.
    let may_be_key = word.len() >= 20 && matches!(word[0], b'A' | b'g' | b'x' | b's' | b'e');
    (may_be_key && SECRET_PREFIXES.iter().any(key)) || (classes & AT != 0 && is_email(word))
}

fn is_email(word: &[u8]) -> bool {
    let Some(at) = memchr::memchr(b'@', word) else { return false };
    let (name, host) = (&word[..at], &word[at + 1..]);
    !name.is_empty()
        && host.len() > 3
        && memchr::memchr(b'.', host).is_some_and(|dot| dot > 0 && dot + 1 < host.len())
        && !host.contains(&b'/')
}

/// Thirteen to nineteen digits, dashes between them or not, whose last one is right by Luhn's sum and whose first is an
/// issuer's. Times in nanoseconds have as many digits, but begin with 1. The word is of digits and dashes alone.
fn is_card(word: &[u8]) -> bool {
    if word.len() < 13 {
        return false;
    }
    let digits: Vec<u32> =
        word.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| u32::from(byte - b'0')).collect();
    if !(13..=19).contains(&digits.len()) || !(3..=6).contains(&digits[0]) {
        return false;
    }
    let luhn = digits.iter().rev().enumerate().map(|(i, &digit)| match (i % 2, digit * 2) {
        (0, _) => digit,
        (_, double) if double > 9 => double - 9,
        (_, double) => double,
    });
    luhn.sum::<u32>() % 10 == 0
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn redacted(text: &str) -> String {
        String::from_utf8_lossy(&redact(text.as_bytes())).into_owned()
    }

    #[test]
    fn redact__secrets_in_their_usual_places__masked() {
        for (found, expected) in [
            ("login password=hunter2 ok", "login password=[redacted] ok"),
            (r#"{"api_key": "abc123", "n": 1}"#, r#"{"api_key": "[redacted]", "n": 1}"#),
            ("Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"),
            ("mail to jane.doe@example.org failed", "mail to [redacted] failed"),
            ("card 4111-1111-1111-1111 declined", "card [redacted] declined"),
            (
                r#"{"key":"db.password","value":{"stringValue":"x1"}}"#,
                r#"{"key":"db.password","value":{"stringValue":"[redacted]"}}"#,
            ),
            ("key AKIAIOSFODNN7EXAMPLE used", "key [redacted] used"),
        ] {
            assert_eq!(redacted(found), expected);
        }
    }

    #[test]
    fn redact__ordinary_text__unchanged() {
        for text in [
            "the token expired",
            "took 1764000000000000000 ns",
            r#"{"traceId":"dd0ce7f710e5b95c0033df9a6da75458"}"#,
            "a@b",
            "user:42",
        ] {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn plain__escapes_and_special_tokens__gone() {
        assert_eq!(plain("a\u{1b}[31mred\u{1b}[0m\r\n b <|endoftext|> \u{202e}x", 100), "ared b < |endoftext| > x");
    }

    proptest! {
        #[test]
        fn plain__any_text__one_line_within_limit(text in any::<String>(), limit in 4usize..80) {
            let out = plain(&text, limit);
            prop_assert!(out.len() <= limit + '…'.len_utf8());
            prop_assert!(!out.chars().any(char::is_control) && !out.contains("<|"));
        }
    }
}
