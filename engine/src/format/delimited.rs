//! Lines of fields with a character between them: comma-separated values (RFC 4180) and their like, a record a line.
//!
//! The columns are named by the source's dialect, else by the first line; a line that repeats the names is passed over. A
//! line of another number of fields is no row: it is read as text. A first line of names that tell when and what is known
//! as such by itself ([`is_header`]); the names are those of the fields of JSON.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::attributes::{Attribute, number_or_text};
use super::fields::Fields;
use super::names::{self, Field, Name};
use super::value::Value;
use super::{Context, Memory};
use crate::event::{Attributes, Event};

/// Columns that are told apart; the fields behind them are passed over.
const COLUMNS: usize = 1_000;

/// What may stand between fields where nothing says it: what the first line has most of.
const USUAL: [u8; 4] = [b',', b'\t', b';', b'|'];

/// What the fields of lines are called, and what stands between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub(super) columns: Vec<String>,
    pub(super) delimiter: u8,
    /// A dash stands for what there is none of, as web servers write it.
    pub(super) dashed: bool,
}

impl Header {
    /// Whether a line has a field for each column.
    pub(super) fn fits(&self, line: &[u8]) -> bool {
        Cells::of(line, self.delimiter).take(COLUMNS + 1).count() == self.columns.len()
    }
}

/// Decode a row, or take note of the columns. False if it is neither.
pub(super) fn row<'a>(line: &'a [u8], context: &Context, memory: &mut Memory, events: &mut Vec<Event<'a>>) -> bool {
    let dialect = context.dialect();
    let Some(header) = dialect.header().or(memory.header.as_ref()) else {
        let Some(delimiter) = dialect.delimiter().or_else(|| usual(line)) else { return false };
        let columns = Cells::of(line, delimiter).take(COLUMNS).map(|cell| text(cell).into_owned()).collect();
        memory.header = Some(Arc::new(Header { columns, delimiter, dashed: false }));
        return true;
    };
    let cells = || Cells::of(line, header.delimiter);
    if !header.fits(line) {
        return false;
    }
    if cells().zip(&header.columns).all(|(cell, name)| text(cell) == name.as_str()) {
        return true;
    }
    let mut fields = Fields::default();
    for (cell, name) in cells().zip(&header.columns) {
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
    event.attributes = Attributes::Cells { header: Arc::clone(header), row: line };
    event.raw = line;
    events.push(event);
    true
}

/// The next field of a row that is not empty, by its name; `rest` and `number` move behind it.
pub(super) fn attribute<'a>(
    header: &Header,
    rest: &mut &'a [u8],
    number: &mut usize,
) -> Option<(String, Attribute<'a>)> {
    loop {
        let name = header.columns.get(*number)?;
        let mut cells = Cells::of(rest, header.delimiter);
        let cell = cells.next()?;
        *rest = cells.rest.unwrap_or_default();
        *number += 1;
        if !(cell.is_empty() || header.dashed && cell == b"-") {
            return Some((name.clone(), number_or_text(text(cell))));
        }
        if rest.is_empty() {
            return None;
        }
    }
}

/// Columns that a header has at least, where nothing but its names says that it is one.
const FEWEST: usize = 3;

/// Whether a line is the header of a table of events: names and nothing else, all of them different, of which one says when
/// and two more what loggers and tracers say too. A table that does not say when is none of events.
pub(super) fn is_header(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let Some(delimiter) = usual(line).filter(|_| is_names(line)) else { return false };
    let cells: Vec<&[u8]> = Cells::of(line, delimiter).take(COLUMNS).collect();
    let named = |cell: &[u8]| cell.first().is_some_and(|byte| byte.is_ascii_alphabetic() || b"_@#".contains(byte));
    let mut different = cells.clone();
    different.sort_unstable();
    different.dedup();
    if cells.len() < FEWEST || different.len() < cells.len() || !cells.iter().all(|cell| named(cell)) {
        return false;
    }
    let fields = || cells.iter().filter_map(|cell| names::field(&Name::ROOT.then(cell)?)).map(|(field, _)| field);
    let when = fields().any(|field| matches!(field, Field::Time | Field::Start | Field::End));
    let told = fields().filter(|field| !matches!(field, Field::Sign | Field::Batch | Field::Nanos | Field::Id)).count();
    when && told >= FEWEST
}

/// Whether a line, or the beginning of one, has nothing in it but what names of columns are written with.
pub(super) fn is_names(line: &[u8]) -> bool {
    let usual = |byte: &u8| byte.is_ascii_alphanumeric() || USUAL.contains(byte) || b"_-.@#/\"() \r\n".contains(byte);
    line.iter().all(usual)
}

fn usual(line: &[u8]) -> Option<u8> {
    let count = |byte: u8| memchr::memchr_iter(byte, line).count();
    USUAL.into_iter().rev().max_by_key(|byte| count(*byte)).filter(|byte| count(*byte) > 0)
}

fn text(cell: &[u8]) -> Cow<'_, str> {
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
