//! What every question comes to: rows of values under named columns, and what they are all together.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::error::Error;
use super::order::{self, By};
use super::request::What;
use super::sheet::Sheet;
use super::window::Windows;
use crate::summary::words;

/// What the numbers of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// A text.
    #[serde(rename = "text")]
    Text,
    /// Whole things.
    #[serde(rename = "count")]
    Count,
    /// Things a minute.
    #[serde(rename = "1/min")]
    PerMinute,
    /// A share of one.
    #[serde(rename = "share")]
    Share,
    /// A length of time.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// A point in time: RFC 3339, UTC.
    #[serde(rename = "time")]
    Time,
    /// The number of evidence, without `#`.
    #[serde(rename = "evidence")]
    Evidence,
    /// The id of a trace.
    #[serde(rename = "trace")]
    Trace,
    /// A sparkline: a digit for each stretch, from 0 for nothing to 9 for the most.
    #[serde(rename = "digits")]
    Digits,
    /// A number whose meaning another column says.
    #[serde(rename = "number")]
    Number,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub unit: Unit,
    /// Whether the values of the rows add up to that of all.
    #[serde(skip)]
    pub adds_up: bool,
}

/// A value. Its text is shared by all rows that have it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing to say.
    Null,
    /// A name of strangers.
    Name(Arc<str>),
    /// A message of strangers.
    Message(Arc<str>),
    /// A raw event, secrets taken out.
    Raw(Arc<str>),
    /// What stands as it is: safe already.
    Line(Arc<str>),
    /// A line over time.
    Digits(Digits),
    /// The id of a trace: its beginning is shown.
    Id(Arc<str>),
    /// A whole number.
    Count(u64),
    /// A number.
    Number(f64),
    /// Nanoseconds since the epoch.
    Time(i64),
}

/// A part of a text that has the digits of all lines.
#[derive(Clone, Debug)]
pub struct Digits {
    all: Arc<String>,
    from: u32,
    to: u32,
}

impl Digits {
    /// All lines of a text, which are so long each.
    pub fn lines(all: String, length: usize) -> impl Iterator<Item = Self> {
        let all = Arc::new(all);
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        (0..all.len() / length.max(1)).map(move |line| Self {
            all: Arc::clone(&all),
            from: place(line * length),
            to: place((line + 1) * length),
        })
    }

    /// The line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.all.get(self.from as usize..self.to as usize).unwrap_or_default()
    }
}

impl PartialEq for Digits {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Name(text) | Self::Message(text) => serializer.serialize_str(&words::whole(text)),
            Self::Line(text) | Self::Id(text) | Self::Raw(text) => serializer.serialize_str(text),
            Self::Digits(digits) => serializer.serialize_str(digits.as_str()),
            Self::Count(count) => serializer.serialize_u64(*count),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Time(ns) => serializer.serialize_str(&words::timestamp(ns.div_euclid(1_000_000_000))),
        }
    }
}

impl Value {
    /// As a number to sort and add up by; `None` if it is a text or nothing.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn number(&self) -> Option<f64> {
        match *self {
            Self::Count(count) => Some(count as f64),
            Self::Number(number) => Some(number),
            Self::Time(ns) => Some(ns as f64),
            _ => None,
        }
    }

    /// As a text to sort by; empty if it is none.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Name(text) | Self::Message(text) | Self::Line(text) | Self::Id(text) | Self::Raw(text) => text,
            Self::Digits(digits) => digits.as_str(),
            _ => "",
        }
    }

    /// Add another of its kind.
    pub fn add(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Count(mine), Self::Count(theirs)) => *mine = mine.saturating_add(*theirs),
            (Self::Number(mine), Self::Number(theirs)) => *mine += theirs,
            (Self::Null, other) => *self = other.clone(),
            _ => {}
        }
    }
}

/// An answer before it is cut to a page.
#[derive(Clone, Debug)]
pub struct Table {
    /// What was asked for.
    pub what: &'static str,
    /// What it is of, where that is no stretch of time: a trace.
    pub title: Option<String>,
    /// Of when, and against when.
    pub windows: Windows,
    /// The columns; the first few tell rows apart.
    pub columns: Vec<Column>,
    /// How many those are.
    pub keys: usize,
    /// The rows, sorted.
    pub rows: Sheet,
    /// Values of all rows together, by column.
    pub totals: Vec<Value>,
    /// What a reader must know.
    pub notes: Vec<String>,
    /// Values within this share of themselves; 0 if all are exact.
    pub error: f64,
    /// Series of which a part was asked for were counted whole, or values are estimates, as a note says.
    pub mixed: bool,
    /// Bytes of a message that are shown.
    pub shown: usize,
}

impl Table {
    /// An answer of these rows, told apart by the first `keys` columns; nothing more is said of it yet.
    #[must_use]
    pub fn of(what: What, windows: Windows, columns: Vec<Column>, keys: usize, rows: Vec<Vec<Value>>) -> Self {
        Self {
            what: what.name(),
            title: None,
            windows,
            rows: Sheet::of(columns.len(), rows),
            totals: vec![Value::Null; columns.len()],
            columns,
            keys,
            notes: Vec::new(),
            error: 0.0,
            mixed: false,
            shown: SHOWN,
        }
    }

    /// The same in the order that is asked for, else in the usual one; as it is where there is none.
    ///
    /// # Errors
    /// [`Error::Word`] at the first word that is no column.
    pub fn sorted(mut self, asked: Option<&str>, usual: &[By]) -> Result<Self, Error> {
        let order = order::order(asked, &self.columns, self.keys, usual)?;
        if !order.is_empty() {
            order::sort(&mut self.rows, &order);
        }
        Ok(self)
    }

    /// Leave out columns.
    pub fn keep(&mut self, kept: &[bool]) {
        let pick = |values: &mut Vec<Value>| {
            let mut at = kept.iter();
            values.retain(|_| at.next().copied().unwrap_or(true));
        };
        self.rows.keep(kept);
        pick(&mut self.totals);
        self.keys -= kept[..self.keys].iter().filter(|&&kept| !kept).count();
        let mut at = kept.iter();
        self.columns.retain(|_| at.next().copied().unwrap_or(true));
    }

    /// Leave out the kind where all rows are of the same.
    pub fn drop_kind(&mut self) {
        let Some(at) = self.columns[..self.keys].iter().position(|column| column.name == "kind") else { return };
        let Some(first) = self.rows.iter().next().map(|row| row[at].clone()) else { return };
        if self.rows.iter().all(|row| row[at] == first) {
            let kept: Vec<bool> = (0..self.columns.len()).map(|column| column != at).collect();
            self.keep(&kept);
            let says = !matches!(first.text(), "" | "internal");
            self.notes.extend(says.then(|| format!("all are {}", first.text())));
        }
    }
}

/// Behind the name of a measure: how far its estimate may be off, either way, nineteen times of twenty.
pub const WITHIN: &str = "_within";

/// Bytes of a message that are shown, unless the messages are what was asked for.
pub const SHOWN: usize = 140;

impl Column {
    /// A column of texts that tell rows apart.
    #[must_use]
    pub fn key(name: &str) -> Self {
        Self::of(name, Unit::Text)
    }

    /// A column whose values do not add up.
    #[must_use]
    pub fn of(name: &str, unit: Unit) -> Self {
        Self { name: name.to_owned(), unit, adds_up: false }
    }

    /// A column whose values add up.
    #[must_use]
    pub fn sum(name: &str, unit: Unit) -> Self {
        Self { adds_up: true, ..Self::of(name, unit) }
    }
}

impl Value {
    /// A name, or nothing where it is empty.
    #[must_use]
    pub fn name(text: &str) -> Self {
        if text.is_empty() { Self::Null } else { Self::Name(text.into()) }
    }

    /// The number of evidence, or nothing where there is none.
    #[must_use]
    pub fn evidence(number: u32) -> Self {
        if number == 0 { Self::Null } else { Self::Count(number.into()) }
    }
}
