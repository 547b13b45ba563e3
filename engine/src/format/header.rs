//! Logs whose columns a header names, which may change in mid-file: W3C extended logs (IIS, `CloudFront`, …; `#Fields: date
//! time cs-method …`) and Zeek's (`#fields<tab>ts<tab>uid …`).
//!
//! Source: <https://www.w3.org/TR/WD-logfile>, <https://docs.zeek.org/en/master/log-formats.html>.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::access::{done, is_method, status, token};
use super::delimited::Header;
use super::{Context, Memory, time, value};
use crate::event::{Attributes, Event, Kind};

/// Columns of a header that are told apart; a line of more is read as any text.
const COLUMNS: usize = 200;

/// What the latest header said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Headed {
    /// None outside of such a log.
    header: Option<Arc<Header>>,
    /// Nanoseconds since the epoch: when the rows began, until one of them is read.
    began: Option<i64>,
}

/// What a line was.
pub(super) enum Line<'a> {
    /// Of a header.
    Header,
    /// A row.
    Row(Box<Event<'a>>),
}

/// Read a line; None if it is none of such a log.
#[inline]
pub(super) fn line<'a>(text: &'a str, context: &Context, memory: &mut Memory) -> Option<Line<'a>> {
    if text.starts_with('#') {
        return directive(text, context, &mut memory.headed).then_some(Line::Header);
    }
    memory.headed.header.as_ref()?;
    row(text, context, &mut memory.headed).map(|event| Line::Row(Box::new(event)))
}

/// Read a line of a header. False if it is none.
fn directive(text: &str, context: &Context, headed: &mut Headed) -> bool {
    if let Some(names) = text.strip_prefix("#Fields:") {
        headed.header = Some(columns(names.split_ascii_whitespace()));
        return true;
    }
    if let Some(names) = text.strip_prefix("#fields\t") {
        headed.header = Some(columns(names.split('\t')));
        return true;
    }
    if let Some(date) = text.strip_prefix("#Date:").or_else(|| text.strip_prefix("#Start-Date:")) {
        if let Some((day, _)) = time::prefix(date.trim_start().as_bytes(), context) {
            headed.began = Some(day);
        }
        return true;
    }
    let other = [
        "#Version:",
        "#Software:",
        "#End-Date:",
        "#Remark:",
        "#GMT-Offset:",
        "#separator ",
        "#set_separator\t",
        "#empty_field\t",
        "#unset_field\t",
        "#path\t",
        "#open\t",
        "#close\t",
        "#types\t",
    ];
    other.iter().any(|start| text.starts_with(start))
}

fn columns<'a>(names: impl Iterator<Item = &'a str>) -> Arc<Header> {
    Arc::new(Header { columns: names.take(COLUMNS).map(str::to_owned).collect(), delimiter: b' ', dashed: true })
}

/// What a row says.
#[derive(Default)]
struct Row<'a> {
    date: &'a str,
    clock: &'a str,
    time: Option<i64>,
    method: &'a str,
    target: &'a str,
    status: &'a str,
    service: &'a str,
    took: Option<u64>,
}

/// Read a row; None if it has another number of cells than there are columns.
fn row<'a>(text: &'a str, context: &Context, headed: &mut Headed) -> Option<Event<'a>> {
    let mut row = Row::default();
    let mut cells = Cells::of(text);
    for name in &headed.header.as_ref()?.columns {
        row.see(name, cells.next()?, context);
    }
    if cells.next().is_some() {
        return None;
    }
    let mut event = Event { kind: Kind::Log, message: Cow::Borrowed(text), ..Event::default() };
    event.time = row.time.or_else(|| row.at(context, headed));
    event.duration = row.took;
    event.service = Cow::Borrowed(row.service);
    if is_method(row.method) && !row.target.is_empty() {
        done(row.method, row.target, status(row.status), &mut event);
    }
    event.attributes = attributes(text, headed);
    Some(event)
}

/// The cells of a row by their columns, if nothing but a tab or a blank stands between them.
fn attributes<'a>(text: &'a str, headed: &mut Headed) -> Attributes<'a> {
    let delimiter = if memchr::memchr(b'\t', text.as_bytes()).is_some() { b'\t' } else { b' ' };
    let Some(header) = &mut headed.header else { return Attributes::None };
    if header.delimiter != delimiter {
        *header = Arc::new(Header { columns: header.columns.clone(), delimiter, dashed: true });
    }
    if !header.fits(text.as_bytes()) {
        return Attributes::None;
    }
    Attributes::Cells { header: Arc::clone(header), row: text.as_bytes() }
}

impl<'a> Row<'a> {
    fn see(&mut self, name: &str, cell: &'a str, context: &Context) {
        if matches!(cell, "-" | "" | "(empty)") {
            return;
        }
        match name {
            "date" | "date-local" | "date-UTC" => self.date = cell,
            "time" | "time-local" | "time-UTC" => self.clock = cell,
            "ts" | "timestamp" => self.time = time::parse(cell.as_bytes(), context),
            "cs-method" | "method" => self.method = cell,
            "cs-uri-stem" | "cs-uri" | "uri" => self.target = cell,
            "sc-status" | "status_code" => self.status = cell,
            "s-sitename" => self.service = cell,
            // IIS counts milliseconds; a point means seconds, as the specification has it.
            "time-taken" if cell.contains('.') => self.took = scaled(cell, 1e9),
            "time-taken" | "TimeTakenMS" => self.took = scaled(cell, 1e6),
            "duration" => self.took = scaled(cell, 1e9),
            _ => {}
        }
    }

    /// When, put together from date and time of day; the date of the header is that of the first row behind it.
    fn at(&self, context: &Context, headed: &mut Headed) -> Option<i64> {
        if self.clock.is_empty() {
            return None;
        }
        if !self.date.is_empty() {
            let mut both = String::with_capacity(self.date.len() + self.clock.len() + 1);
            both.extend([self.date, " ", self.clock]);
            return time::parse(both.as_bytes(), context);
        }
        let near = Context { last_time: headed.began.take().or(context.last_time), ..context.clone() };
        time::parse(self.clock.as_bytes(), &near)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn scaled(text: &str, unit: f64) -> Option<u64> {
    // The cast saturates.
    value::float(text.as_bytes()).filter(|number| *number >= 0.0).map(|number| (number * unit).round() as u64)
}

/// The cells of a row: between tabs, or between blanks and in quotes.
struct Cells<'a> {
    rest: &'a str,
    tabs: bool,
}

impl<'a> Cells<'a> {
    fn of(text: &'a str) -> Self {
        Self { rest: text, tabs: memchr::memchr(b'\t', text.as_bytes()).is_some() }
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        if self.tabs {
            let (cell, rest) = self.rest.split_once('\t').unwrap_or((self.rest, ""));
            self.rest = rest;
            return Some(cell);
        }
        if let Some(inner) = self.rest.strip_prefix('"') {
            // Two quotes are one of its own.
            let mut from = 0;
            loop {
                let end = from + inner.get(from..)?.find('"')?;
                if inner.as_bytes().get(end + 1) != Some(&b'"') {
                    self.rest = inner.get(end + 1..)?.trim_start();
                    return inner.get(..end);
                }
                from = end + 2;
            }
        }
        let (cell, _, rest) = token(self.rest)?;
        self.rest = rest;
        Some(cell)
    }
}
