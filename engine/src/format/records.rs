//! Where records end.
//!
//! A record is a line; in streams of JSON it may also be a pretty-printed document. A document goes on as long as its
//! braces are open and its lines are indented, or start with a closer or a key: so a JSON line that was cut short, in the
//! midst of others, ends where it was cut and takes none of its neighbours with it. Strings of JSON never span lines.
//! Of a document that is one long array each element is a record ([`elements`]).
//! OTLP/protobuf has no lines ([`otlp_frames`]).

use super::elements::{self, Layout};
use super::perf;
use super::{Format, otlp_frames};

/// The next record of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Its length in bytes, with its newline.
    Record(usize),
    /// It does not end in these bytes. At the end of a stream they are one record.
    Incomplete,
}

/// The length of the record at the start of `data`, its newline included.
#[must_use]
pub fn next_record(format: Option<Format>, data: &[u8]) -> Next {
    if format == Some(Format::OtlpProto) {
        return otlp_frames::next_record(data);
    }
    if let Some(layout) = Layout::of(format) {
        return elements::next_record(layout, data);
    }
    let Some(newline) = memchr::memchr(b'\n', data) else { return Next::Incomplete };
    let end = newline + 1;
    if format.is_some_and(Format::is_lines) {
        return Next::Record(end);
    }
    if format == Some(Format::Perf) {
        if !perf::is_head(&data[..newline]) {
            return Next::Record(end);
        }
        return perf::sample(data, end).map_or(Next::Incomplete, Next::Record);
    }
    match data.get(end) {
        // Most records end here, and nothing but this byte was looked at.
        Some(&byte) if !continues(byte) => Next::Record(end),
        _ if !opens(&data[..newline]) => Next::Record(end),
        _ => document(data, end),
    }
}

/// The length that a record says it has at its start, whether or not it is all there; 0 if it has none that counts.
/// `None` where records end by what stands at their end.
pub(super) fn claimed(format: Option<Format>, data: &[u8]) -> Option<usize> {
    (format == Some(Format::OtlpProto)).then(|| otlp_frames::start(data).length().unwrap_or_default())
}

/// The length of the longest prefix of `data` that ends at a record boundary; 0 if no record in it is complete.
///
/// `data` starts at a record boundary.
#[must_use]
pub fn boundary(format: Option<Format>, data: &[u8]) -> usize {
    if format.is_some_and(Format::is_lines) {
        return memchr::memrchr(b'\n', data).map_or(0, |newline| newline + 1);
    }
    let mut end = if matches!(format, None | Some(Format::Otlp | Format::Json)) { last_start(data) } else { 0 };
    while let Next::Record(length) = next_record(format, &data[end..]) {
        end += length;
    }
    end
}

/// Where the last line starts that goes on with nothing: whatever stands before it, a record ends there.
fn last_start(data: &[u8]) -> usize {
    memchr::memrchr_iter(b'\n', data)
        .map(|newline| newline + 1)
        .find(|&start| data.get(start).is_some_and(|&byte| !continues(byte)))
        .unwrap_or(0)
}

/// Whether a line that starts so may belong to the document before it.
pub(super) const fn continues(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'}' | b']' | b'"')
}

/// Whether a line opens a document: JSON that stops after an opener, a comma or a colon, with braces open.
fn opens(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
    matches!(line.first(), Some(b'{' | b'['))
        && matches!(line.last(), Some(b'{' | b'[' | b',' | b':'))
        && depth(line, 0) > 0
}

/// How many braces and brackets are open after a line.
fn depth(line: &[u8], before: u64) -> u64 {
    let mut depth = before;
    let mut rest = line.iter();
    while let Some(&byte) = rest.next() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(&inner) = rest.next() {
                    match inner {
                        b'"' => break,
                        b'\\' => {
                            rest.next();
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    depth
}

/// The length of the document whose first line ends at `end`.
fn document(data: &[u8], mut end: usize) -> Next {
    let mut open = depth(&data[..end], 0);
    while open > 0 {
        match data.get(end) {
            None => return Next::Incomplete,
            Some(&byte) if !continues(byte) => break,
            Some(_) => {}
        }
        let Some(newline) = memchr::memchr(b'\n', &data[end..]) else { return Next::Incomplete };
        open = depth(&data[end..end + newline], open);
        end += newline + 1;
    }
    Next::Record(end)
}
