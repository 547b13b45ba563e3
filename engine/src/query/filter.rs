//! Which events a query is about: the terms of `where`, understood.

use std::borrow::Cow;

use super::attribute::{self, Carries};
use super::dimension::{Dimension, not_kept};
use super::error::{Error, Written};
use super::having::Having;
use super::level;
use super::measure::{self, Measure};
use super::request::What;
use super::status::Status;
use super::subject::{Pattern, Subject, Test};
use super::tally::Tally;
use super::window;
use super::words::{Op, Term, terms};
use crate::event::Kind;
use crate::state::hist::{BUCKETS, Hist, middle};
use crate::state::series::{Key, Record};
use crate::summary::facts::Fact;
use crate::summary::groups::Groups;

/// Names that may stand before an operator, for who misspells one.
const NAMES: [&str; 18] = [
    "service",
    "operation",
    "kind",
    "status",
    "level",
    "source",
    "format",
    "template",
    "peer",
    "caller",
    "step",
    "text",
    "evidence",
    "duration",
    "count",
    "errors",
    "error_share",
    "p95",
];

/// The terms of `where`, understood.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    what: What,
    series: Vec<Test>,
    /// Terms about kinds have been given.
    pub names_kinds: bool,
    /// Only events that ended so.
    pub status: Option<Status>,
    /// Only events that took so many nanoseconds: above the first, below the second, both included.
    duration: Option<(u64, u64)>,
    having: Vec<Having>,
    /// Only events that carried this.
    pub carries: Vec<Carries>,
    /// Only of traces whose ids begin so, or of others.
    traces: Vec<(bool, Vec<String>)>,
    /// Where the terms about durations and status stand, for who cannot take them.
    pub narrows: Option<(usize, usize)>,
    /// Where that about durations alone does.
    pub duration_at: Option<(usize, usize)>,
}

/// Of what is no series: what can be asked of it.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Who.
    pub service: &'a str,
    /// Log record, failure, or span by role.
    pub kind: &'a str,
}

impl Filter {
    /// Understand the text of a `where`.
    ///
    /// # Errors
    /// [`Error::Word`] at the first word that makes no sense, or asks for what was never kept.
    pub fn of(text: &str, what: What) -> Result<Self, Error> {
        let written = Written { field: "where", text };
        let mut filter = Self { what, ..Self::default() };
        for term in terms(written)? {
            filter.take(written, term)?;
        }
        Ok(filter)
    }

    fn take(&mut self, written: Written<'_>, term: Term) -> Result<(), Error> {
        let end = term.values.last().map_or(term.at, |value| value.at + value.length);
        if let Some(key) = attribute::Key::of(written, term.at, &term.name).transpose()? {
            if let Some(says) = attribute::refused(self.what) {
                return Err(written.wrong(term.at, end - term.at, says));
            }
            self.carries.push(Carries::of(written, key, &term)?);
            return Ok(());
        }
        match term.name.as_str() {
            name if self.what == What::Sources && !matches!(name, "source" | "format") => {
                Err(written.unknown(term.at, name, "name", &["source", "format"]))
            }
            "" | "text" if self.what != What::Values => self.test(written, Subject::Text, term),
            "evidence" if self.what != What::Values => self.test(written, Subject::Evidence, term),
            "caller" if self.what != What::Facts => self.test(written, Subject::Caller, term),
            "section" if self.what == What::Facts => self.test(written, Subject::Section, term),
            name if self.what == What::Values && !matches!(name, "service" | "kind") => {
                Err(written.unknown(term.at, name, "name", &["service", "kind"]))
            }
            name if self.what == What::Facts && !matches!(name, "service" | "operation") => {
                let known = ["section", "service", "operation", "text", "evidence"];
                Err(written.unknown(term.at, name, "name", &known))
            }
            "section" => {
                let message = "facts have a section, what is counted has none: ask with what=facts";
                Err(written.wrong(term.at, end - term.at, message))
            }
            "status" => {
                let status = Status::of(written, &term)?;
                if self.status.is_some_and(|other| other != status) {
                    return Err(written.wrong(term.at, end - term.at, "no event has failed and succeeded as well"));
                }
                self.status = Some(status);
                self.narrows = Some((term.at, end - term.at));
                Ok(())
            }
            "level" | "severity" if self.what == What::Edges => {
                let message = "edges have no level, log records have: what=templates or series with level tells these";
                Err(written.wrong(term.at, end - term.at, message))
            }
            "level" | "severity" => {
                // What has a level is a log record.
                self.series.push(Test::of_kind(Kind::Log));
                self.names_kinds = true;
                self.series.push(level::test(written, &term)?);
                Ok(())
            }
            "duration" | "took" => self.took(written, &term, end),
            "trace" | "trace_id" | "traceid" if matches!(self.what, What::Evidence | What::Traces) => {
                let hex = |text: &str| text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                if let Some(value) = term.values.iter().find(|value| value.text.is_empty() || !hex(&value.text)) {
                    return Err(written.wrong(value.at, value.length, "no id of a trace, nor the beginning of one"));
                }
                let ids = term.values.iter().map(|value| value.text.to_ascii_lowercase()).collect();
                self.traces.push((term.negated, ids));
                Ok(())
            }
            name => {
                if let Some(dimension) = Dimension::named(name) {
                    return self.test(written, Subject::Dimension(dimension), term);
                }
                if let Some(measure) = Measure::named(name) {
                    self.having.push(Having::of(written, measure, &term)?);
                    return Ok(());
                }
                if let Some(says) = not_kept(name) {
                    return Err(written.wrong(term.at, end - term.at, says));
                }
                let known = NAMES.iter().chain(&measure::NAMES).copied();
                let message = format!(
                    "unknown name {name:?}: it is one of {}, or a measure; an attribute is written attribute.KEY, text to look \
                     for stands in quotes",
                    NAMES[..14].join(", ")
                );
                Err(written.suggest(term.at, name.len(), message, super::error::nearest(name, known)))
            }
        }
    }

    fn test(&mut self, written: Written<'_>, subject: Subject, term: Term) -> Result<(), Error> {
        let (at, end) = (term.at, term.values.last().map_or(term.at, |value| value.at + value.length));
        let test = Test::of(written, subject, term)?;
        if subject == Subject::Dimension(Dimension::Kind) {
            let (kinds, says): (&[Kind], _) = match self.what {
                What::Edges => (&[Kind::Edge], "all are of kind edge"),
                What::Templates => (&[Kind::Log, Kind::Failure], "all are of kind log or failure"),
                _ => (&[], ""),
            };
            if !kinds.is_empty() && !kinds.iter().any(|&kind| test.fits_kind(kind)) {
                let message = format!("{says}: leave it out, or ask what=series");
                return Err(written.wrong(at, end - at, message));
            }
        }
        self.names_kinds |= subject == Subject::Dimension(Dimension::Kind) && !test.negated;
        self.series.push(test);
        Ok(())
    }

    fn took(&mut self, written: Written<'_>, term: &Term, end: usize) -> Result<(), Error> {
        let value = &term.values[0];
        let bound = window::length(&value.text).ok_or_else(|| {
            written.wrong(value.at, value.length, "no length of time with its unit, such as 100ms or 2s")
        })?;
        let (low, high) = self.duration.unwrap_or((0, u64::MAX));
        let above = match (term.op, term.negated) {
            (Op::More | Op::Least, false) | (Op::Less | Op::Most, true) => true,
            (Op::Less | Op::Most, false) | (Op::More | Op::Least, true) => false,
            _ => return Err(written.wrong(term.at, end - term.at, "no time is met exactly: use > or <")),
        };
        self.duration = Some(if above { (low.max(bound), high) } else { (low, high.min(bound)) });
        self.narrows = Some((term.at, end - term.at));
        self.duration_at = self.narrows;
        Ok(())
    }

    /// Whether a series is meant. `kinds` are those meant where no term says.
    #[must_use]
    pub fn fits(&self, key: Key<&str>, record: &Record, groups: &Groups<'_>, kinds: fn(Kind) -> bool) -> bool {
        (self.names_kinds || kinds(key.kind)) && self.series.iter().all(|test| test.fits(key, record, groups))
    }

    /// Whether what is known of a service is meant, by its name and its kind.
    #[must_use]
    pub fn wants(&self, wanted: Wanted<'_>) -> bool {
        self.series.iter().all(|test| test.wants(wanted.service, wanted.kind))
    }

    /// Whether an origin is meant.
    #[must_use]
    pub fn wants_origin(&self, source: &str, format: &str) -> bool {
        self.series.iter().all(|test| test.wants_origin(source, format))
    }

    /// Whether it tells series apart by their origins.
    #[must_use]
    pub fn names_origins(&self) -> bool {
        self.series.iter().any(|test| matches!(test.subject, Subject::Dimension(Dimension::Source | Dimension::Format)))
    }

    /// Whether a statement of the summary is meant.
    #[must_use]
    pub fn fits_fact(&self, fact: &Fact) -> bool {
        self.series.iter().all(|test| test.fits_fact(fact))
    }

    /// What is asked of series.
    #[must_use]
    pub fn tests(&self) -> &[Test] {
        &self.series
    }

    /// Of which rows it asks what.
    #[must_use]
    pub fn having(&self) -> &[Having] {
        &self.having
    }

    /// Whether it asks for what failed.
    #[must_use]
    pub fn is_of_errors(&self) -> bool {
        self.status == Some(Status::Error)
    }

    /// Refuse terms about what rows come to, where rows are no sums.
    ///
    /// # Errors
    /// [`Error::Word`] if there is one.
    pub fn no_having(&self, text: &str) -> Result<(), Error> {
        let Some(having) = self.having.first() else { return Ok(()) };
        let name = having.measure.to_string();
        let at = text.find(&name).unwrap_or(0);
        let message = format!(
            "{name} is of rows that are sums, what=series: what={} takes terms of its events alone",
            self.what.name()
        );
        Err(Written { field: "where", text }.wrong(at, name.len(), message))
    }

    /// Whether a row is meant, by what it comes to.
    #[must_use]
    pub fn keeps(&self, tally: &Tally<'_>, seconds: i64) -> bool {
        self.having.iter().all(|having| having.holds(&having.measure.value(tally, seconds)))
    }

    /// Whether a trace is meant, by its id in hexadecimal digits.
    #[must_use]
    pub fn takes_trace(&self, id: &str) -> bool {
        // Ids of eight bytes stand with zeros in front.
        let begins = |wanted: &String| id.starts_with(wanted) || id.trim_start_matches('0').starts_with(wanted);
        self.traces.iter().all(|(negated, ids)| ids.iter().any(begins) != *negated)
    }

    /// Whether an event is meant, by how it ended, how long it took and what it carried.
    #[must_use]
    pub fn takes_event(&self, failed: bool, took: Option<u64>, pairs: &[&str]) -> bool {
        self.takes_status(failed)
            && (self.duration.is_none() || took.is_some_and(|ns| self.takes(ns)))
            && self.carries.iter().all(|term| term.fits(pairs))
    }

    /// Whether an event is meant, by how it ended.
    #[must_use]
    pub fn takes_status(&self, failed: bool) -> bool {
        self.status.is_none_or(|status| (status == Status::Error) == failed)
    }

    /// Whether all events of a series that is meant are, and all rows.
    #[must_use]
    pub const fn takes_whole_rows(&self) -> bool {
        self.duration.is_none() && self.status.is_none() && self.having.is_empty()
    }

    /// Whether durations decide which events are counted.
    #[must_use]
    pub const fn by_duration(&self) -> bool {
        self.duration.is_some()
    }

    /// Whether so many nanoseconds are meant.
    #[must_use]
    pub fn takes(&self, ns: u64) -> bool {
        self.duration.is_none_or(|(low, high)| (low..=high).contains(&ns))
    }

    /// Whether it says which series are meant.
    #[must_use]
    pub const fn names_series(&self) -> bool {
        !self.series.is_empty()
    }

    /// Leave of a row the events that are meant.
    pub fn narrow(&self, tally: &mut Tally<'_>) {
        if let Some((low, high)) = self.duration {
            let mut within = Hist::default();
            for (bucket, n) in tally.duration.iter().filter(|&(bucket, _)| (low..=high).contains(&middle(bucket))) {
                within.add(bucket, i32::try_from(n).unwrap_or(i32::MAX));
            }
            tally.count = within.count();
            tally.duration = Cow::Owned(within);
        }
        match self.status {
            Some(Status::Error) => tally.count = tally.errors,
            Some(Status::Ok) => tally.count = tally.count.saturating_sub(tally.errors),
            None => return,
        }
        if self.status == Some(Status::Ok) {
            (tally.errors, tally.origins) = (0, 0);
        }
    }

    /// Names that were asked for exactly, for who looks for the nearest where there is none.
    pub fn exact(&self) -> impl Iterator<Item = (Dimension, &str)> {
        self.series.iter().filter(|test| !test.negated).flat_map(|test| {
            test.patterns.iter().filter_map(|pattern| match (test.subject, pattern) {
                (
                    Subject::Dimension(dimension @ (Dimension::Service | Dimension::Operation | Dimension::Source)),
                    Pattern::Exactly(name),
                ) => Some((dimension, name.as_str())),
                _ => None,
            })
        })
    }
}

/// Of a duration the share that its bucket may be off by.
pub const ERROR: f64 = 1.0 / 64.0;

const _: () = assert!(BUCKETS == 1920, "ERROR is that of 32 steps to each power of two");
