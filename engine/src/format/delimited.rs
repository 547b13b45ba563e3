//! Lines of fields with a character between them: comma-separated values (RFC 4180) and their like, a record a line.
//!
//! The columns are named by the source's dialect, else by the first line; a line that repeats the names is passed over. A
//! line of another number of fields is no row: it is read as text.

use super::fields::Fields;
use super::names::Name;
use super::value::Value;
use super::{Context, Memory};
use crate::event::Event;

/// Columns that are told apart; the fields behind them are passed over.
const COLUMNS: usize = 1_000;

/// What may stand between fields where nothing says it: what the first line has most of.
const USUAL: [u8; 4] = [b',', b'\t', b';', b'|'];

/// Under which the delimiter of a stream is remembered that its first line has told.
const DELIMITER: &str = "delimiter";

/// Decode a row, or take note of the columns. False if it is neither.
pub(super) fn row<'a>(line: &'a [u8], context: &Context, memory: &mut Memory, events: &mut Vec<Event<'a>>) -> bool {
    let dialect = context.dialect();
    let told = || memory.notes.get(DELIMITER).and_then(|note| note.bytes().next());
    let Some(delimiter) = dialect.delimiter().or_else(told).or_else(|| usual(line)) else { return false };
    let columns = if dialect.columns().is_empty() { &memory.columns } else { dialect.columns() };
    if columns.is_empty() {
        memory.columns = Cells::of(line, delimiter).take(COLUMNS).map(|cell| text(cell).into_owned()).collect();
        if dialect.delimiter().is_none() {
            memory.notes.insert(DELIMITER.to_owned(), char::from(delimiter).to_string());
        }
        return true;
    }
    if Cells::of(line, delimiter).take(COLUMNS + 1).count() != columns.len() {
        return false;
    }
    if Cells::of(line, delimiter).zip(columns).all(|(cell, name)| text(cell) == name.as_str()) {
        return true;
    }
    let mut fields = Fields::default();
    for (cell, name) in Cells::of(line, delimiter).zip(columns) {
        let value = Value::Cell(cell);
        if let Some(meaning) = dialect.field(name.as_bytes()) {
            fields.see_as(meaning, value);
        } else if !cell.is_empty()
            && let Some(name) = Name::ROOT.then(name.as_bytes())
        {
            fields.see(&name, value, false);
        }
    }
    let mut event = fields.event(line, context, 0);
    event.raw = line;
    events.push(event);
    true
}

fn usual(line: &[u8]) -> Option<u8> {
    let count = |byte: u8| memchr::memchr_iter(byte, line).count();
    USUAL.into_iter().rev().max_by_key(|byte| count(*byte)).filter(|byte| count(*byte) > 0)
}

fn text(cell: &[u8]) -> std::borrow::Cow<'_, str> {
    Value::Cell(cell).str().unwrap_or_default()
}

/// The fields of a line, without the quotes and blanks around them.
struct Cells<'a> {
    rest: Option<&'a [u8]>,
    delimiter: u8,
}

impl<'a> Cells<'a> {
    const fn of(line: &'a [u8], delimiter: u8) -> Self {
        Self { rest: Some(line), delimiter }
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let open = rest.iter().position(|byte| !byte.is_ascii_whitespace() || *byte == self.delimiter);
        let quoted = open.filter(|at| rest.get(*at) == Some(&b'"')).and_then(|at| closed(rest, at + 1));
        let from = quoted.map_or(0, |(_, end)| end + 1);
        let end = memchr::memchr(self.delimiter, rest.get(from..).unwrap_or_default()).map(|at| from + at);
        self.rest = end.and_then(|end| rest.get(end + 1..));
        match quoted {
            Some((start, end)) => rest.get(start..end),
            None => rest.get(..end.unwrap_or(rest.len())).map(<[u8]>::trim_ascii),
        }
    }
}

/// Where a quoted field starts and ends, its quotes left out; two quotes within it are one of its own.
fn closed(text: &[u8], start: usize) -> Option<(usize, usize)> {
    let mut at = start;
    loop {
        at += memchr::memchr(b'"', text.get(at..)?)?;
        if text.get(at + 1) != Some(&b'"') {
            return Some((start, at));
        }
        at += 2;
    }
}
