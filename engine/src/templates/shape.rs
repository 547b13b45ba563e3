//! The shape of one message: its evident variables written `<*>`, in one pass over its bytes and with no state.

use super::address::{Path, is_hexadecimal, is_id, link, named, path};
use super::date;
use super::words::{is_host, is_month, is_named, is_unit, is_weekday};

/// Bytes of a message that are looked at, and bytes of a shape.
pub const LIMIT: usize = 1_024;

/// What stands for a variable.
pub const VARIABLE: &str = "<*>";

/// The shape of the first line of `message`, written over what `out` held. At most [`LIMIT`] bytes are read and
/// written. What is a variable can be seen from the word alone: numbers, addresses, paths, hosts, hashes, dates, ids.
/// Runs of white space become one space. A shape is its own shape.
pub fn shape(message: &str, out: &mut String) {
    out.clear();
    let text = first_line(message);
    Scanner { text, bytes: text.as_bytes(), out }.run();
}

pub(super) fn first_line(message: &str) -> &str {
    let message = message.trim_start();
    let mut end = message.len().min(LIMIT);
    if let Some(line) = memchr::memchr2(b'\n', b'\r', &message.as_bytes()[..end]) {
        end = line;
    }
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    // A word that is cut might look like another.
    if end < message.len()
        && !message[end..].starts_with([' ', '\t', '\r', '\n'])
        && let Some(space) = message[..end].rfind([' ', '\t'])
    {
        end = space;
    }
    &message[..end]
}

const SPACE: u8 = 1;
const LETTER: u8 = 2;
const DIGIT: u8 = 4;
/// `.`, which makes hosts.
const DOT: u8 = 8;
/// `/` and `\`, which make paths.
const SLASH: u8 = 16;
/// `:`, which makes addresses and links.
const COLON: u8 = 32;
const AT: u8 = 64;
/// What else holds a word together: `-`, `_`, `+`, `#`, `$`, `%`, `~`.
const JOINT: u8 = 128;
const CHUNK: u8 = LETTER | DIGIT | DOT | SLASH | COLON | AT | JOINT;

/// The class of each byte. Zero is punctuation, which ends a word.
const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let c = byte as u8;
        class[byte] = match c {
            b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | b' ' => SPACE,
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => LETTER,
            b'.' => DOT,
            b'/' | b'\\' => SLASH,
            b':' => COLON,
            b'@' => AT,
            b'-' | b'_' | b'+' | b'#' | b'$' | b'%' | b'~' => JOINT,
            _ => 0,
        };
        byte += 1;
    }
    class
};

/// What may stand at the end of a word and is no part of it.
const ENDS: [char; 7] = ['.', ':', '-', '@', '#', '+', '_'];

fn class(byte: u8) -> u8 {
    CLASS[usize::from(byte)]
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    out: &'a mut String,
}

impl Scanner<'_> {
    fn run(mut self) {
        let mut at = 0;
        while at < self.bytes.len() {
            let before = self.out.len();
            let byte = self.bytes[at];
            at = match class(byte) {
                SPACE => {
                    if !self.out.is_empty() && !self.out.ends_with(' ') {
                        self.out.push(' ');
                    }
                    at + 1
                }
                0 => self.mark(at),
                _ => self.word(at),
            };
            if self.out.len() > LIMIT {
                self.out.truncate(before);
                self.cut();
                break;
            }
        }
        self.out.truncate(self.out.trim_end().len());
    }

    /// Cuts what is too long where a word ends: what is left of one might look like another.
    fn cut(&mut self) {
        let end = self.out.rfind([' ', ',', ';', '=', '|', '"', '\'', '(', ')', '[', ']', '{', '}']);
        self.out.truncate(end.unwrap_or(0));
        if self.out.is_empty() {
            self.variable();
        }
    }

    /// Punctuation, or a variable that is one already.
    fn mark(&mut self, at: usize) -> usize {
        if self.bytes[at..].starts_with(VARIABLE.as_bytes()) {
            self.variable();
            return at + VARIABLE.len();
        }
        // `<1 sec`: a bound is a value too.
        if matches!(self.bytes[at], b'<' | b'>') && (self.out.is_empty() || self.out.ends_with([' ', '='])) {
            let rest = &self.bytes[at + 1..];
            let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            if digits > 0 && rest.get(digits) != Some(&b'>') {
                return at + 1;
            }
        }
        self.out.push(char::from(self.bytes[at]));
        at + 1
    }

    fn word(&mut self, at: usize) -> usize {
        let mut seen = 0;
        let mut end = at;
        while let Some(&byte) = self.bytes.get(end) {
            let class = class(byte);
            if class & CHUNK == 0 {
                break;
            }
            seen |= class;
            end += 1;
        }
        if seen & (DIGIT | DOT | SLASH | AT) == 0 {
            if let 3 | 4 = end - at
                && self.bytes[at].is_ascii_uppercase()
                && (is_month(&self.bytes[at..at + 3]) || is_weekday(&self.bytes[at..at + 3]))
            {
                let length = date::length(&self.bytes[at..]);
                if length > 0 {
                    self.variable();
                    return at + length;
                }
            }
            if matches!(end - at, 8 | 16) && self.bytes[at..end].iter().all(u8::is_ascii_hexdigit) {
                self.variable();
            } else {
                self.out.push_str(&self.text[at..end]);
            }
            return end;
        }
        if seen & (COLON | SLASH) == COLON | SLASH
            && !self.out.ends_with(VARIABLE)
            && let Some((scheme, length)) = link(&self.bytes[at..])
        {
            self.out.push_str(&self.text[at..at + scheme]);
            self.variable();
            return at + length;
        }
        if self.bytes[at].is_ascii_digit() && seen & (SLASH | JOINT) != 0 && end - at >= 8 {
            let length = date::length(&self.bytes[at..]);
            if length > end - at {
                self.variable();
                return at + length;
            }
        }
        self.chunk(at, end, seen, self.out.ends_with(VARIABLE));
        end
    }

    /// A run of letters, digits and what joins them, between spaces or punctuation.
    fn chunk(&mut self, mut at: usize, end: usize, seen: u8, after_variable: bool) {
        // A run of dots fills a line (`width......0`): what stands on its two sides are two words.
        if seen & DOT != 0
            && let Some(dots) = memchr::memmem::find(&self.bytes[at..end], b"..")
            && !self.bytes[at..end].contains(&b'/')
        {
            let mut rest = at + dots;
            self.part(at, rest, after_variable);
            let start = rest;
            while rest < end && self.bytes[rest] == b'.' {
                rest += 1;
            }
            self.out.push_str(&self.text[start..rest]);
            if rest < end {
                self.chunk(rest, end, seen, after_variable && dots == 0);
            }
            return;
        }
        let mut stop = end;
        while stop > at && ENDS.contains(&char::from(self.bytes[stop - 1])) {
            stop -= 1;
        }
        let start = at;
        let relative = self.bytes[at..stop].starts_with(b"./") || self.bytes[at..stop].starts_with(b"../");
        while !relative && at < stop && matches!(self.bytes[at], b'.' | b':' | b'@' | b'#' | b'+' | b'_' | b'$' | b'%')
        {
            at += 1;
        }
        self.out.push_str(&self.text[start..at]);
        self.part(at, stop, after_variable);
        self.out.push_str(&self.text[stop..end]);
    }

    fn part(&mut self, at: usize, end: usize, after_variable: bool) {
        let text = &self.text[at..end];
        let bytes = text.as_bytes();
        let seen = bytes.iter().fold(0, |seen, &byte| seen | class(byte));
        if seen & AT != 0
            && let Some((left, right)) = text.split_once('@')
            && left.bytes().any(|b| class(b) & (LETTER | DIGIT) != 0)
            && right.bytes().any(|b| class(b) & (LETTER | DIGIT) != 0)
            && !after_variable
        {
            // An object of the JVM is a class and a hash; anything else with an @ is somebody's address.
            if right.len() >= 4
                && right.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':'))
                && left.contains(['.', '$'])
            {
                self.part(at, at + left.len(), false);
                self.out.push('@');
            }
            return self.variable();
        }
        if seen & SLASH != 0 && !after_variable {
            match path(bytes) {
                Path::Whole => return self.variable(),
                Path::Address => {
                    self.out.push_str(&text[..1]);
                    return self.variable();
                }
                Path::Not => {}
            }
        }
        if seen & DOT != 0 && seen & LETTER != 0 && !after_variable && !self.meets_variable(end) {
            let (host, port) = text.split_once(':').unwrap_or((text, ""));
            if port.bytes().all(|b| b.is_ascii_digit()) && is_host(host, !port.is_empty()) {
                return self.variable();
            }
        }
        if seen & COLON != 0
            && let Some((name, after)) = text.rsplit_once(':')
        {
            // A word after an address (`10.0.0.1:80:Closing`).
            if after.len() >= 3 && after.bytes().all(|b| b.is_ascii_alphabetic()) && !name.is_empty() {
                self.part(at, at + name.len(), after_variable);
                return self.out.push_str(&text[name.len()..]);
            }
            // A host of one label and its port (`web-3:8080`).
            if !after_variable
                && after.len() <= 5
                && after.bytes().all(|b| b.is_ascii_digit())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && name.contains('-')
                && name.bytes().any(|b| b.is_ascii_digit())
            {
                return self.variable();
            }
        }
        // What stands before a colon is a key, where it has no digits of its own.
        if seen & COLON != 0
            && !after_variable
            && let Some((key, value)) = text.split_once(':')
            && key.len() > 1
            && !value.is_empty()
            && key.bytes().all(|b| class(b) & (LETTER | JOINT | DOT) != 0)
            && !(value.contains(':') && key.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            self.out.push_str(&text[..=key.len()]);
            return self.part(at + key.len() + 1, end, false);
        }
        if seen & DIGIT == 0 {
            return self.out.push_str(text);
        }
        if seen & LETTER == 0 {
            return self.number(text);
        }
        if !after_variable && bytes[0] & 0x80 == 0 && class(bytes[0]) & LETTER == 0 && self.measure(text) {
            return;
        }
        self.pieces(text, after_variable);
    }

    /// Digits and what joins them.
    fn number(&mut self, text: &str) {
        let end = text.trim_end_matches(|c: char| !c.is_ascii_digit()).len();
        // A sign belongs to the number unless something stands before it; `#7` and `$7` keep their mark.
        let start = match text.as_bytes()[0] {
            b'-' | b'0'..=b'9' => 0,
            _ => text.find(|c: char| c.is_ascii_digit()).unwrap_or(0),
        };
        self.out.push_str(&text[..start]);
        self.variable();
        self.out.push_str(&text[end..]);
    }

    /// Letters and digits: an id as a whole, or words of which some are variable.
    fn pieces(&mut self, text: &str, after_variable: bool) {
        if is_named(text) {
            return self.out.push_str(text);
        }
        if !after_variable && is_id(text.as_bytes()) {
            let bytes = text.as_bytes();
            // The words in front say what it is an id of (`task_0020`).
            self.out.push_str(&text[..named(bytes)]);
            // A word stuck to the end of an id by a forgotten space (`task_0020Failed`).
            let tail = bytes.iter().rposition(|b| !b.is_ascii_alphabetic()).map_or(0, |i| i + 1);
            self.variable();
            if bytes.len() - tail >= 3
                && bytes[tail].is_ascii_uppercase()
                && bytes[tail + 1..].iter().all(u8::is_ascii_lowercase)
                && bytes[tail - 1].is_ascii_digit()
            {
                self.out.push_str(&text[tail..]);
            }
            return;
        }
        let mut from = 0;
        let bytes = text.as_bytes();
        while from < bytes.len() {
            let word = class(bytes[from]) & (LETTER | DIGIT) != 0;
            let mut to = from + 1;
            while to < bytes.len() && (class(bytes[to]) & (LETTER | DIGIT) != 0) == word {
                to += 1;
            }
            if word {
                self.mixed(&text[from..to]);
            } else {
                self.out.push_str(&text[from..to]);
            }
            from = to;
        }
    }

    /// `1.5s`, `20.1MB`: a number with a fraction and its unit.
    fn measure(&mut self, text: &str) -> bool {
        let digits =
            text.trim_start_matches(['-', '+']).bytes().take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b','));
        let number = text.len() - text.trim_start_matches(['-', '+']).len() + digits.count();
        let measure = number > 0 && text.as_bytes()[number - 1].is_ascii_digit() && is_unit(&text[number..]);
        if measure {
            self.variable();
            self.out.push_str(&text[number..]);
        }
        measure
    }

    /// One word of letters and digits.
    fn mixed(&mut self, word: &str) {
        let bytes = word.as_bytes();
        let Some(first) = bytes.iter().position(u8::is_ascii_digit) else { return self.out.push_str(word) };
        let last = bytes.iter().rposition(u8::is_ascii_digit).map_or(first, |i| i + 1);
        if is_hexadecimal(bytes) {
            self.variable();
        } else if first == 0 {
            self.variable();
            if bytes[..last].iter().all(u8::is_ascii_digit) && is_unit(&word[last..]) {
                self.out.push_str(&word[last..]);
            }
        } else if is_named(word) || (last - first == 1 && !(first == 1 && matches!(bytes[0], b'v' | b'V'))) {
            // `ssh2`, `log4j`: one digit in a name is a version more often than a value. Where it does vary, the
            // grouping sees it.
            self.out.push_str(word);
        } else if last == bytes.len() && bytes[first..].iter().all(u8::is_ascii_digit) {
            self.out.push_str(&word[..first]);
            self.variable();
        } else {
            self.variable();
        }
    }

    /// Whether a variable is joined to what ends at `end`.
    fn meets_variable(&self, end: usize) -> bool {
        self.text[end..].trim_start_matches(ENDS).starts_with(VARIABLE)
    }

    fn variable(&mut self) {
        if !self.out.ends_with(VARIABLE) {
            self.out.push_str(VARIABLE);
        }
    }
}
