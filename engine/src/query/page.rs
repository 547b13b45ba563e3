//! As many rows as fit the budget, the totals of all of them, and the cursor that goes on.
//!
//! A cursor is `POSITION-QUESTION-ANSWER`: rows given so far, and hashes of the question and of all rows of its answer. It
//! is few tokens, holds for as long as the answer is the same, wherever it is computed, and tells when it is not.

use std::hash::{Hash, Hasher};

use foldhash::fast::FixedState;
use serde::Serialize;
use std::hash::BuildHasher;

use super::error::{Error, Written};
use super::render::Lines;
use super::request::{Form, Request};
use super::table::{Column, Table, Value};
use super::whole::Whole;
use crate::summary::words;
use crate::tokens::Encoding;

/// An answer, as `query --format json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// What was asked for.
    pub what: &'static str,
    /// The lines.
    pub text: String,
    /// Tokens of the text.
    pub tokens: usize,
    /// Tokens allowed.
    pub budget: usize,
    /// Whose tokens.
    pub encoding: String,
    /// Of when.
    pub window: Stretch,
    /// Against when, where it compares.
    pub compared: Option<Stretch>,
    /// The columns of the rows.
    pub columns: Vec<Column>,
    /// The rows that stand in the text, in order: values by column.
    pub rows: Vec<Vec<Value>>,
    /// Values of all rows together, by column; null where there is none.
    pub totals: Vec<Value>,
    /// All rows.
    pub total_rows: usize,
    /// Rows before this page.
    pub position: usize,
    /// Rows after this page.
    pub left_out: usize,
    /// What those add up to, by column; null where nothing adds up.
    pub left_out_totals: Vec<Value>,
    /// What goes on behind this page, with the same question.
    pub cursor: Option<String>,
    /// How exact the values are.
    pub exactness: Exactness,
}

/// A stretch of time.
#[derive(Clone, Debug, Serialize)]
pub struct Stretch {
    /// RFC 3339, UTC.
    pub since: String,
    /// RFC 3339, UTC.
    pub until: String,
    /// Its length.
    pub seconds: i64,
}

/// How exact the values are.
#[derive(Clone, Debug, Serialize)]
pub struct Exactness {
    /// Whether all are.
    pub exact: bool,
    /// The share of itself that a time may be off by; counts are exact.
    pub error: f64,
    /// What else a reader must know.
    pub notes: Vec<String>,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Rows given so far.
    pub position: usize,
    question: u32,
    answer: u32,
}

/// Hashes are of six digits: two tokens.
pub const MODULUS: u64 = 1_000_000;

impl Cursor {
    /// Read a cursor.
    ///
    /// # Errors
    /// [`Error::Word`] if it is none.
    pub fn read(text: &str) -> Result<Self, Error> {
        let mut parts = text.split('-').map(|part| part.parse::<u32>().ok());
        match (parts.next().flatten(), parts.next().flatten(), parts.next().flatten(), parts.next()) {
            (Some(position), Some(question), Some(answer), None) => {
                Ok(Self { position: position as usize, question, answer })
            }
            _ => Err(Written { field: "cursor", text }.wrong(0, text.len(), "no cursor: take it from the page before")),
        }
    }

    fn said(self) -> String {
        format!("{}-{:06}-{:06}", self.position, self.question, self.answer)
    }
}

/// The hash of a question, without how its pages are cut and written.
#[must_use]
pub fn question(request: &Request) -> u32 {
    let mut hasher = FixedState::with_seed(17).build_hasher();
    (request.what.name(), &request.filter, &request.of, &request.since, &request.until).hash(&mut hasher);
    (&request.group_by, &request.select, &request.order_by, &request.compare).hash(&mut hasher);
    u32::try_from(hasher.finish() % MODULUS).unwrap_or(0)
}

/// Whether a cursor belongs to this question and this answer.
///
/// # Errors
/// [`Error::Word`] if it does not.
pub fn check(cursor: Cursor, request: &Request, found: u32) -> Result<(), Error> {
    let text = request.cursor.as_deref().unwrap_or_default();
    let written = Written { field: "cursor", text };
    if cursor.question != question(request) {
        let message = "it belongs to another question: give the other fields as they were, or leave the cursor out";
        return Err(written.wrong(0, text.len(), message));
    }
    if cursor.answer != found {
        let message = "the state has moved on since that page, and its rows may have changed: leave the cursor out and begin anew, \
                       or ask for a fixed stretch with since and until";
        return Err(written.wrong(0, text.len(), message));
    }
    Ok(())
}

impl Cursor {
    /// Whether it belongs to this answer to this question.
    #[must_use]
    pub fn is_of(self, question: u32, answer: u32) -> bool {
        self.question == question && self.answer == answer
    }
}

/// Cut a page.
///
/// # Errors
/// [`Error::Budget`] if not even one row fits, cut short.
pub fn cut(whole: &Whole, request: &Request, position: usize, encoding: &Encoding) -> Result<Answer, Error> {
    let rows = whole.table.rows.len();
    let position = position.min(rows);
    let most = rows.min(position.saturating_add(request.limit.unwrap_or(usize::MAX)));
    let page = Page { whole, table: &whole.table, request, position, question: question(request) };
    let mut least = usize::MAX;
    for frame in Frame::ALL {
        match page.fit(frame, most, encoding) {
            Ok((to, text, tokens)) => return Ok(page.answer(to, text, tokens)),
            Err(needed) => least = least.min(needed),
        }
    }
    Err(Error::Budget { budget: request.budget, least })
}

/// How much is said around the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    /// Of when, by what, how exact, totals in a line of their own.
    Full,
    /// Of when, names of the columns; totals.
    Short,
    /// Names of the columns; one line for all the rest.
    Least,
}

impl Frame {
    const ALL: [Self; 3] = [Self::Full, Self::Short, Self::Least];
}

struct Page<'a> {
    whole: &'a Whole,
    table: &'a Table,
    request: &'a Request,
    position: usize,
    question: u32,
}

impl Page<'_> {
    /// The most rows that fit within a frame: where they end, the text and its tokens. Else the tokens it would take.
    fn fit(&self, frame: Frame, most: usize, encoding: &Encoding) -> Result<(usize, String, usize), usize> {
        let budget = self.request.budget;
        let lines = Lines::of(self.table, self.request.format, self.position, most);
        let head = self.head(frame, &lines);
        let frame_tokens = encoding.count(&head) + encoding.count(&self.foot(frame, &lines, self.position));
        // A full frame leaves most of the budget to the rows.
        if frame == Frame::Full && frame_tokens * 5 > budget.saturating_mul(2) && most > self.position {
            return Err(usize::MAX);
        }
        let (mut body, mut ends, mut sum) = (String::new(), Vec::new(), frame_tokens);
        for at in self.position..most {
            let line = lines.row(at, at == self.position);
            sum += encoding.count(&line);
            // A little over, since the last line may turn out shorter than it was reckoned.
            if sum > budget.saturating_add(12) {
                break;
            }
            body.push_str(&line);
            ends.push(body.len());
        }
        for taken in (0..=ends.len()).rev() {
            let to = self.position + taken;
            if taken == 0 && most > self.position {
                break;
            }
            let body = if taken == 0 { "" } else { &body[..ends[taken - 1]] };
            let text = format!("{head}{body}{}", self.foot(frame, &lines, to));
            // The whole is counted once more: sums are not trusted with the promise.
            let tokens = encoding.count(&text);
            if tokens <= budget {
                return Ok((to, text, tokens));
            }
            if most == self.position {
                return Err(tokens);
            }
        }
        if frame != Frame::Least {
            return Err(usize::MAX);
        }
        self.one(&lines, &head, encoding)
    }

    /// One row, cut short.
    fn one(&self, lines: &Lines<'_>, head: &str, encoding: &Encoding) -> Result<(usize, String, usize), usize> {
        let line = lines.row(self.position, true);
        let line = line.trim_end();
        let foot = self.foot(Frame::Least, lines, self.position + 1);
        let mut room = self.request.budget.saturating_sub(encoding.count(head) + encoding.count(&foot));
        while room > 3 {
            let short = encoding.truncate(line, room - 1).trim_end();
            let text = format!("{head}{short}…\n{foot}");
            let tokens = encoding.count(&text);
            if tokens <= self.request.budget && !short.is_empty() {
                return Ok((self.position + 1, text, tokens));
            }
            room -= 1;
        }
        Err(encoding.count(head) + encoding.count(&foot) + 6)
    }

    fn head(&self, frame: Frame, lines: &Lines<'_>) -> String {
        if self.request.format == Form::Csv {
            return lines.head();
        }
        let windows = self.table.windows;
        let names = lines.names();
        match frame {
            Frame::Full => {
                let against =
                    windows.before.map_or_else(String::new, |before| format!(" against {}, before>now", before.said()));
                let error = if self.table.error > 0.0 { "; times within 1.6%" } else { "" };
                let keys = lines.keys();
                let keys = if keys.is_empty() { String::new() } else { format!(" by {keys}") };
                let notes: String = self.table.notes.iter().map(|note| format!("# {note}\n")).collect();
                let length = words::span(windows.now.seconds());
                let when = self.table.title.clone().unwrap_or_else(|| format!("{}, {length}", windows.now.said()));
                format!("# {when}{against}{keys}: {names}{error}\n{notes}")
            }
            Frame::Short => {
                let when = self.table.title.clone().unwrap_or_else(|| windows.now.said());
                format!("# {when}: {names}\n")
            }
            Frame::Least => String::new(),
        }
    }

    fn foot(&self, frame: Frame, lines: &Lines<'_>, to: usize) -> String {
        let rows = self.table.rows.len();
        let left = rows - to;
        if self.request.format == Form::Csv {
            return if left == 0 { String::new() } else { format!("# {left} more rows, cursor {}\n", self.cursor(to)) };
        }
        if rows == 0 {
            let notes = if frame == Frame::Full || self.table.notes.is_empty() { "" } else { &self.table.notes[0] };
            let notes = if notes.is_empty() { String::new() } else { format!(": {}", crate::redact::plain(notes, 60)) };
            return format!("# no rows{notes}\n");
        }
        if frame == Frame::Least {
            let more = if left > 0 { format!("{left} more of ") } else { String::new() };
            let cursor = if left > 0 { format!(", cursor {}", self.cursor(to)) } else { String::new() };
            let total = lines.first_total();
            let total = if total.is_empty() { total } else { format!(", {total}") };
            return format!("# {more}{rows} rows{total}{cursor}\n");
        }
        let totals = match (rows, lines.totals()) {
            (1, _) => String::new(),
            (_, totals) if totals.bytes().all(|byte| matches!(byte, b'-' | b' ')) => format!("# {rows} rows\n"),
            (_, totals) => format!("# all {rows} rows: {totals}\n"),
        };
        if left == 0 {
            return totals;
        }
        let sums = lines.sums(&self.sums(to));
        let sums = if sums.is_empty() { String::new() } else { format!(" adding up to {sums}") };
        let rows = if left == 1 { "row" } else { "rows" };
        format!("{totals}# {left} more {rows}{sums}; go on with cursor {}\n", self.cursor(to))
    }

    fn cursor(&self, to: usize) -> String {
        Cursor { position: to, question: self.question, answer: self.whole.hash }.said()
    }

    /// What the rows from `to` on add up to, where that says anything.
    fn sums(&self, to: usize) -> Vec<(&Column, Value)> {
        let sums = self.table.columns.iter().zip(self.whole.sums(to));
        sums.filter(|(column, _)| column.adds_up).collect()
    }

    fn answer(&self, to: usize, text: String, tokens: usize) -> Answer {
        let stretch = |window: super::window::Window| Stretch {
            since: words::timestamp(window.from),
            until: words::timestamp(window.to),
            seconds: window.seconds(),
        };
        let left_out = self.table.rows.len() - to;
        Answer {
            what: self.table.what,
            text,
            tokens,
            budget: self.request.budget,
            encoding: self.request.encoding.clone(),
            window: stretch(self.table.windows.now),
            compared: self.table.windows.before.map(stretch),
            columns: self.table.columns.clone(),
            rows: self.table.rows.range(self.position..to).map(<[Value]>::to_vec).collect(),
            totals: self.table.totals.clone(),
            total_rows: self.table.rows.len(),
            position: self.position,
            left_out,
            left_out_totals: self.whole.sums(to),
            cursor: (left_out > 0).then(|| self.cursor(to)),
            exactness: Exactness {
                exact: self.table.error == 0.0 && !self.table.mixed,
                error: self.table.error,
                notes: self.table.notes.clone(),
            },
        }
    }
}
