//! Where records end in a document that is one long array, on one line or on many, closed or not: at each element.
//!
//! What stands between elements (brackets, commas, the keys before the array and the members after it) belongs to the
//! record it comes before, or is a record without events. So a trace of any size is read as it comes. As with other JSON,
//! an element that was cut short ends at the next line that does not go on with it.

use serde::{Deserialize, Serialize};

use super::Format;
use super::records::{Next, continues};

/// How the array lies in its document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// The keys whose arrays have the elements; the array may also stand alone.
    arrays: &'static [&'static [u8]],
    /// The keys of objects around it.
    objects: &'static [&'static [u8]],
}

impl Layout {
    /// That of a format whose documents are read by their elements.
    pub(super) const fn of(format: Option<Format>) -> Option<Self> {
        Some(match format {
            Some(Format::Chrome) => Self { arrays: &[b"traceEvents"], objects: &[] },
            // Of the query service, and of a search in Elasticsearch.
            Some(Format::Jaeger) => Self { arrays: &[b"data", b"hits"], objects: &[b"hits"] },
            Some(Format::Zipkin | Format::Calls) => Self { arrays: &[], objects: &[] },
            _ => return None,
        })
    }

    /// Whether an array or object under that key is entered, not passed over.
    fn enters(self, key: &[u8], opener: u8) -> bool {
        match opener {
            b'[' => self.arrays.contains(&key),
            b'{' => self.objects.contains(&key),
            _ => false,
        }
    }
}

/// The next record.
pub(super) fn next_record(layout: Layout, data: &[u8]) -> Next {
    let at = between(data);
    match data.get(at) {
        None => Next::Incomplete,
        Some(b'{') => object(layout, data, at),
        Some(b'"') => member(layout, data, at),
        // Neither an element nor what stands around one.
        Some(_) => match memchr::memchr2(b'\n', b'{', &data[at..]) {
            Some(length) if data[at + length] == b'\n' => Next::Record(at + length + 1),
            Some(length) => Next::Record(at + length),
            None => Next::Incomplete,
        },
    }
}

/// Bytes before the next element or member.
pub(super) fn between(data: &[u8]) -> usize {
    let mark = if data.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let glue = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'[' | b']' | b',' | b'}');
    mark + data[mark..].iter().take_while(|byte| glue(byte)).count()
}

/// Whether an object is but the way to the array: it ends where that begins.
pub(super) fn leads_in(layout: Layout, body: &[u8]) -> bool {
    matches!(body, [b'{', .., b'[' | b'{']) && matches!(object(layout, body, 0), Next::Record(end) if end == body.len())
}

/// Whether a text that starts with a quote is a key and its value, or the way to an array.
pub(super) fn is_member(body: &[u8]) -> bool {
    if !body.starts_with(b"\"") {
        return false;
    }
    let Quoted::Ends(end) = string(body, 1) else { return false };
    body[end..].trim_ascii_start().starts_with(b":")
}

/// An object: an element, or what the array stands in, which is a record up to where the array begins.
fn object(layout: Layout, data: &[u8], start: usize) -> Next {
    let headed = !layout.arrays.is_empty();
    let (mut at, mut depth) = (start, 0_u32);
    while let Some(&byte) = data.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Next::Record(at);
                }
            }
            b'"' => {
                let key = at;
                match string(data, at) {
                    Quoted::Ends(end) => at = end,
                    Quoted::Line(end) => return Next::Record(end),
                    Quoted::More => return Next::Incomplete,
                }
                if headed && depth == 1 {
                    match entered(layout, data, key, at) {
                        Some(Next::Record(end)) => return Next::Record(end),
                        Some(Next::Incomplete) => return Next::Incomplete,
                        None => {}
                    }
                }
            }
            b'\n' => match data.get(at) {
                None => return Next::Incomplete,
                Some(&next) if !continues(next) => return Next::Record(at),
                Some(_) => {}
            },
            _ => {}
        }
    }
    Next::Incomplete
}

/// A member of the object that the array stands in: the way to the array, or a value to pass over.
fn member(layout: Layout, data: &[u8], start: usize) -> Next {
    let end = match string(data, start + 1) {
        Quoted::Ends(end) => end,
        Quoted::Line(end) => return Next::Record(end),
        Quoted::More => return Next::Incomplete,
    };
    if let Some(next) = entered(layout, data, start + 1, end) {
        return next;
    }
    let blank = |at: usize| at + data[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let colon = blank(end);
    match data.get(colon) {
        None => return Next::Incomplete,
        Some(b':') => {}
        Some(_) => return Next::Record(end),
    }
    let value = blank(colon + 1);
    match data.get(value) {
        None => Next::Incomplete,
        Some(b'{' | b'[') => object(Layout { arrays: &[], objects: &[] }, data, value),
        Some(b'"') => match string(data, value + 1) {
            Quoted::Ends(end) | Quoted::Line(end) => Next::Record(end),
            Quoted::More => Next::Incomplete,
        },
        Some(_) => {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b'\n' | b' ' | b'{' | b'[' | b'"');
            match data[value..].iter().position(ends) {
                // A closer without a value: nothing is taken of what follows.
                Some(0) => Next::Record(value),
                Some(length) => Next::Record(value + length),
                None => Next::Incomplete,
            }
        }
    }
}

/// What follows the key that stands from `key` to the quote before `end`: where the array or object that it enters begins,
/// `Incomplete` if that cannot be told yet, and `None` if it enters nothing.
fn entered(layout: Layout, data: &[u8], key: usize, end: usize) -> Option<Next> {
    let name = data.get(key..end - 1)?;
    if !layout.enters(name, b'[') && !layout.enters(name, b'{') {
        return None;
    }
    let mut at = end;
    for expected in [&b":"[..], b"[{"] {
        at += data[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        match data.get(at) {
            None => return Some(Next::Incomplete),
            Some(byte) if expected.contains(byte) => at += 1,
            Some(_) => return None,
        }
    }
    layout.enters(name, data[at - 1]).then_some(Next::Record(at))
}

enum Quoted {
    /// Behind the closing quote.
    Ends(usize),
    /// Behind a newline, which no string of JSON has: it was cut.
    Line(usize),
    More,
}

/// The string whose first character stands at `at`.
fn string(data: &[u8], mut at: usize) -> Quoted {
    while let Some(found) = data.get(at..).and_then(|rest| memchr::memchr3(b'"', b'\\', b'\n', rest)) {
        at += found + 1;
        match data[at - 1] {
            b'"' => return Quoted::Ends(at),
            b'\n' => return Quoted::Line(at),
            _ => at += 1,
        }
    }
    Quoted::More
}

/// A place within an element that is over the limit: how deep, and whether in a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Inside {
    depth: u32,
    string: bool,
    escaped: bool,
}

impl Inside {
    /// Read on through `data`. Gives the length up to the end of the element, if it ends there.
    pub(super) fn read(&mut self, data: &[u8]) -> Option<usize> {
        for (at, &byte) in data.iter().enumerate() {
            if self.string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' | b'\n' => self.string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}
