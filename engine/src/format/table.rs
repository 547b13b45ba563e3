//! Tables with a header row, as the tools of BCC and bpftrace print them: opensnoop, biosnoop, ext4slower, tcplife …
//!
//! The header names the columns, and what they are called says what a row is: when, which program, how long it took,
//! whether it failed. A row is a span of that program; which operation, the tool's columns tell, for none writes its own
//! name. Tables of totals and histograms say nothing of a single event: their rows are rejected as such.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::attributes::Attribute;
use super::columns::{Column, Role, column, is_totals, letter, operation};
use super::comm;
use super::reject::Reject;
use super::syscalls::{errno, is_answer};
use super::value::{lossy, nanoseconds, unsigned};
use super::{Context, Format, Found, Memory, time};
use crate::event::{Attributes, Event, Kind};

/// Columns of a header at most.
const MOST: usize = 40;

/// Words that the name of a program may have.
const WORDS: usize = 4;

/// What a header row says of the rows below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    columns: Vec<Column>,
    /// What the rows are, where no column of theirs says it.
    operation: String,
    /// Each row stands for many events.
    totals: bool,
}

/// Decode a line; None if it is none of a table. `told` if a header came before it.
pub(super) fn line<'a>(
    line: &'a [u8],
    told: bool,
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) -> Option<Result<Found, Reject>> {
    if let Some(table) = header(line) {
        memory.table = Some(Arc::new(table));
        memory.told = Some(Format::Table);
        return Some(Ok(Found::Events));
    }
    if is_interval(line) {
        return Some(Err(Reject::totals()));
    }
    if !told {
        return None;
    }
    if line.iter().all(|byte| matches!(byte, b'-' | b' ')) {
        return Some(Ok(Found::Events));
    }
    let table = memory.table.clone()?;
    let cells = table.cells(line, context)?;
    if table.totals {
        return Some(Err(Reject::totals()));
    }
    events.push(table.event(line, &cells, context, memory));
    Some(Ok(Found::Events))
}

/// The table whose header a line is: names of columns, and nothing else, of which enough are known.
fn header(line: &[u8]) -> Option<Table> {
    let line = line.strip_prefix(b"% time").map_or(line, <[u8]>::trim_ascii_start);
    if !line.first()?.is_ascii_alphabetic() || line.len() > 400 || line.ends_with(b"->") {
        return None;
    }
    let mut columns = Vec::new();
    for word in words(line) {
        columns.push(column(std::str::from_utf8(word).ok()?)?);
        if columns.len() > MOST {
            return None;
        }
    }
    // An arrow between two of them is no name.
    let is_name =
        |column: &&Column| column.role != Role::Other && column.name.starts_with(|c: char| c.is_alphanumeric());
    let known = columns.iter().filter(is_name).count();
    let subject =
        columns.iter().any(|column| matches!(column.role, Role::Comm | Role::Parent | Role::Number | Role::Call));
    let clock = columns.iter().any(|column| matches!(column.role, Role::Clock | Role::Start(_)));
    let totals = is_totals(&columns);
    if !(known >= 3 && subject || known >= 2 && (clock || totals) && columns.len() < 8) || known * 2 < columns.len() {
        return None;
    }
    Some(Table { operation: operation(&columns).to_owned(), columns, totals })
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// A bar of a histogram: `4 -> 7 : 12 |****  |`, `[4, 8)  12 |@@@@  |`.
fn is_interval(line: &[u8]) -> bool {
    let Some(bar) = line.strip_suffix(b"|") else { return false };
    let Some(open) = memchr::memrchr(b'|', bar) else { return false };
    if !bar[open + 1..].iter().all(|byte| matches!(byte, b'*' | b'@' | b' ')) {
        return false;
    }
    let digit =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'[' | b']' | b'(' | b')' | b',' | b' ' | b'.');
    let front = bar[..open].trim_ascii();
    match front.first() {
        Some(b'[' | b'(') => front.iter().all(digit) && front.last().is_some_and(u8::is_ascii_digit),
        Some(b'0'..=b'9') => {
            memchr::memmem::find(front, b" -> ").is_some() && memchr::memmem::find(front, b" : ").is_some()
        }
        _ => false,
    }
}

impl Table {
    /// The cells of a row, one for each column; None if it is no row of this table.
    ///
    /// Programs have blanks in their names and the last cell may have any: what stands in the columns of numbers tells
    /// where the name ends.
    fn cells<'a>(&self, line: &'a [u8], context: &Context) -> Option<Vec<&'a [u8]>> {
        (1..=WORDS).find_map(|words| self.cells_with(line, words, context))
    }

    fn cells_with<'a>(&self, line: &'a [u8], words: usize, context: &Context) -> Option<Vec<&'a [u8]>> {
        let mut rest = line.trim_ascii();
        let mut cells = Vec::with_capacity(self.columns.len());
        let (mut named, mut checked) = (false, 0);
        for (at, column) in self.columns.iter().enumerate() {
            let last = at + 1 == self.columns.len();
            // An empty last cell is written as nothing.
            if rest.is_empty() && !(last && checked > 0) {
                return None;
            }
            let mut take = 1;
            if column.role == Role::Comm && !named {
                (named, take) = (true, words);
            }
            let end = if last && column.role.is_free() { rest.len() } else { end_of(rest, take)? };
            let (cell, after) = rest.split_at(end);
            if !column.role.holds(cell, context) {
                return None;
            }
            checked += usize::from(column.role.is_checked());
            cells.push(cell);
            rest = after.trim_ascii_start();
        }
        (rest.is_empty() && checked > 0 && (named || words == 1)).then_some(cells)
    }

    fn event<'a>(
        self: &Arc<Self>,
        line: &'a [u8],
        cells: &[&'a [u8]],
        context: &Context,
        memory: &mut Memory,
    ) -> Event<'a> {
        let mut event = Event {
            kind: Kind::Internal,
            raw: line,
            attributes: Attributes::Row { table: Arc::clone(self), row: line },
            ..Event::default()
        };
        let (mut parent, mut call, mut error): (&[u8], &[u8], &[u8]) = (b"", b"", b"");
        for (column, &cell) in self.columns.iter().zip(cells) {
            match column.role {
                Role::Clock => event.time = time::prefix(cell, context).map(|(time, _)| time).or(event.time),
                Role::Start(unit) if event.time.is_none() => {
                    let reading = nanoseconds(cell, unit).and_then(|reading| i64::try_from(reading).ok());
                    event.time = reading.map(|reading| memory.anchor.time(reading, context));
                }
                Role::Comm if event.service.is_empty() => event.service = lossy(comm::program(cell)),
                Role::Parent => parent = comm::program(cell),
                Role::Duration(unit) => event.duration = nanoseconds(cell, unit).or(event.duration),
                Role::Errno if !matches!(cell, b"0" | b"-") => error = cell,
                Role::Returned if error.is_empty() => error = cell.strip_prefix(b"-").unwrap_or_default(),
                Role::Exit if cell.starts_with(b"signal") => error = cell,
                Role::Call | Role::Letter if call.is_empty() => call = cell,
                _ => {}
            }
        }
        if event.service.is_empty() {
            event.service = lossy(parent);
        }
        event.operation = self.named(call);
        if !error.is_empty() {
            let name = unsigned(error).and_then(errno).map_or_else(|| lossy(error), Cow::Borrowed);
            event.failed = !is_answer(&event.operation, &name);
            event.message = if event.failed { name } else { Cow::Borrowed("") };
        }
        if event.operation.is_empty() && event.duration.is_none() {
            // Of what happened nothing is known but its words.
            event.kind = Kind::Log;
            event.message = lossy(line);
        }
        event
    }

    /// What a row is, given the cell that says it.
    fn named<'a>(&self, call: &'a [u8]) -> Cow<'a, str> {
        let text = lossy(call);
        let letters = self.columns.iter().any(|column| column.role == Role::Letter);
        if letters && let Some(operation) = letter(&self.operation, &text) {
            return operation.into();
        }
        if !self.operation.is_empty() {
            return self.operation.clone().into();
        }
        // `mount("/mnt", "/mnt") = 0`: the name of the call.
        match memchr::memchr(b'(', call) {
            Some(end) => lossy(&call[..end]),
            None => text,
        }
    }
}

/// Where a number of words end.
fn end_of(text: &[u8], words: usize) -> Option<usize> {
    let mut end = 0;
    for _ in 0..words {
        let blank = text[end..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let length = text[end + blank..].iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
        if length == 0 {
            return None;
        }
        end += blank + length;
    }
    Some(end)
}

/// The attribute of that number of a row: the cell of a column that is no time and no name of a program.
pub(super) fn attribute<'a>(table: &Table, row: &'a [u8], number: usize) -> Option<(String, Attribute<'a>)> {
    let cells = table.cells(row, &Context::default())?;
    let own = |column: &Column| {
        !matches!(column.role, Role::Clock | Role::Start(_) | Role::Comm)
            && column.name.starts_with(|c: char| c.is_alphabetic())
    };
    let (column, &cell) = table.columns.iter().zip(&cells).filter(|(column, _)| own(column)).nth(number)?;
    // `LAT(ms)` is `lat_ms`.
    let name = column.name.trim_end_matches(')').replace('(', "_").to_ascii_lowercase();
    Some((name, Attribute::from_text(cell)))
}
