//! What a stream turns out to be: its format, what its records say and why some cannot be read. One pass over its blocks,
//! nothing aggregated, memory bounded; for people who want to see what a source will be taken for.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::event::{Event, Level};
use crate::format::{Context, Dialect, Format, Found, Reader, Refusal};
use crate::show;
use crate::state::Outcome;
use crate::state::ledger::{Ledger, Reason};
use crate::summary::words;

/// Services that are counted apart; events of others are counted together.
const SERVICES: usize = 1_000;

/// Changes of format that are told; a stream that changes on is mixed.
const CHANGES: usize = 10;

/// Of one stream.
#[derive(Debug)]
pub struct Survey {
    forced: Option<Format>,
    context: Context,
    max_record: usize,
    /// Events that are shown.
    most: usize,
    reader: Reader,
    ledger: Ledger,
    formats: Vec<Change>,
    kinds: BTreeMap<&'static str, u64>,
    levels: BTreeMap<&'static str, u64>,
    known: Known,
    failed: u64,
    continued: u64,
    /// Records that are of the format's form.
    fitting: u64,
    services: BTreeMap<String, u64>,
    other_services: u64,
    first: Option<i64>,
    last: Option<i64>,
    shown: Vec<Box<RawValue>>,
}

/// A format, from where on.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    format: &'static str,
    /// The number of the record that told it, from 1.
    record: u64,
    /// Where that starts, in bytes.
    offset: u64,
}

/// How many events say something.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Known {
    time: u64,
    level: u64,
    service: u64,
    operation: u64,
    duration: u64,
    trace: u64,
}

/// What was found out so far.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    /// The last that was told; None of a stream that is empty.
    format: Option<&'static str>,
    /// Whether it was given, not told by content.
    given: bool,
    formats: &'a [Change],
    /// Of all records, the share that is of its form, 0 to 1; None where there is none.
    confidence: Option<f64>,
    bytes: u64,
    records: u64,
    events: u64,
    /// Records that go on with the one before: lines of a stack trace.
    continued: u64,
    failed: u64,
    kinds: &'a BTreeMap<&'static str, u64>,
    levels: &'a BTreeMap<&'static str, u64>,
    known: &'a Known,
    /// RFC 3339, UTC, of the earliest and the latest event.
    first: Option<String>,
    last: Option<String>,
    span_s: Option<i64>,
    /// By the number of their events, the greatest first.
    services: Vec<(&'a str, u64)>,
    /// Events of services beyond those that are counted apart.
    other_services: u64,
    rejected: u64,
    rejected_bytes: u64,
    reasons: &'a BTreeMap<String, Reason>,
    shown: &'a [Box<RawValue>],
}

impl Survey {
    /// Of a stream of which nothing has come. `most` events are shown; the rest as in [`Reader::next`].
    #[must_use]
    pub fn new(forced: Option<Format>, dialect: Option<Arc<Dialect>>, max_record: usize, most: usize) -> Self {
        Self {
            forced,
            context: Context { dialect, ..Context::default() },
            max_record,
            most,
            reader: Reader::default(),
            ledger: Ledger::default(),
            formats: Vec::new(),
            kinds: BTreeMap::new(),
            levels: BTreeMap::new(),
            known: Known::default(),
            failed: 0,
            continued: 0,
            fitting: 0,
            services: BTreeMap::new(),
            other_services: 0,
            first: None,
            last: None,
            shown: Vec::new(),
        }
    }

    /// Take the next block, which ends at a record boundary; `received` is in nanoseconds since the epoch.
    pub fn feed(&mut self, data: &[u8], received: i64) -> Outcome {
        let mut outcome = Outcome::default();
        let mut events = Vec::new();
        let mut rest = data;
        self.context.received = received;
        loop {
            events.clear();
            let offset = self.reader.offset;
            let Some(record) = self.reader.next(rest, self.forced, &mut self.context, self.max_record, &mut events)
            else {
                break;
            };
            rest = &rest[record.bytes.len()..];
            self.told(offset);
            match record.found {
                Ok(found) => {
                    self.ledger.records += 1;
                    self.continued += u64::from(found == Found::Continuation);
                    self.fitting += u64::from(found == Found::Continuation || self.fits(&events));
                    outcome.events += events.len() as u64;
                    for event in &events {
                        self.reader.last = event.time.or(self.reader.last);
                        self.event(event);
                    }
                }
                Err(Refusal::Rest) => self.ledger.rejected_bytes += record.bytes.len() as u64,
                Err(refusal) => {
                    let detail = refusal.to_string();
                    self.ledger.reject(refusal.reason(), &detail, "", offset, record.bytes);
                    outcome.rejected += 1;
                    if outcome.reason.is_empty() {
                        outcome.reason = detail;
                    }
                }
            }
        }
        self.ledger.bytes += data.len() as u64;
        self.ledger.events += outcome.events;
        outcome
    }

    /// The time of the latest event, in nanoseconds since the epoch.
    #[must_use]
    pub const fn newest(&self) -> Option<i64> {
        self.last
    }

    /// What was found out so far.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        let mut services: Vec<(&str, u64)> =
            self.services.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        services.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        let instant = |ns: i64| words::timestamp(ns.div_euclid(1_000_000_000));
        Report {
            format: self.format().map(Format::name),
            given: self.forced.is_some(),
            formats: &self.formats,
            confidence: self.confidence(),
            bytes: self.ledger.bytes,
            records: self.ledger.records,
            events: self.ledger.events,
            continued: self.continued,
            failed: self.failed,
            kinds: &self.kinds,
            levels: &self.levels,
            known: &self.known,
            first: self.first.map(instant),
            last: self.last.map(instant),
            span_s: self.first.zip(self.last).map(|(first, last)| last.saturating_sub(first) / 1_000_000_000),
            services,
            other_services: self.other_services,
            rejected: self.ledger.rejected,
            rejected_bytes: self.ledger.rejected_bytes,
            reasons: &self.ledger.reasons,
            shown: &self.shown,
        }
    }

    fn format(&self) -> Option<Format> {
        self.forced.or(self.reader.format)
    }

    /// Whether a record of these events is of the form that was told: that it could be read says so, except of text, which
    /// is anything. A line of that fits if more than its words was understood.
    fn fits(&self, events: &[Event<'_>]) -> bool {
        let understood =
            |event: &Event<'_>| event.time.is_some() || event.level != Level::Unset || event.duration.is_some();
        self.format() != Some(Format::Text) || events.is_empty() || events.iter().any(understood)
    }

    /// The share of records that fit.
    #[allow(clippy::cast_precision_loss)]
    fn confidence(&self) -> Option<f64> {
        let records = self.ledger.records + self.ledger.rejected;
        (records > 0).then(|| self.fitting as f64 / records as f64)
    }

    /// Take note of a format that the record at an offset has told.
    fn told(&mut self, offset: u64) {
        let Some(format) = self.format() else { return };
        if self.formats.last().is_none_or(|change| change.format != format.name()) && self.formats.len() < CHANGES {
            let record = self.ledger.records + self.ledger.rejected + 1;
            self.formats.push(Change { format: format.name(), record, offset });
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        *self.kinds.entry(event.kind.name()).or_default() += 1;
        if event.level != Level::Unset {
            *self.levels.entry(event.level.name()).or_default() += 1;
        }
        self.failed += u64::from(event.failed);
        self.known.time += u64::from(event.time.is_some());
        self.known.level += u64::from(event.level != Level::Unset);
        self.known.service += u64::from(!event.service.is_empty());
        self.known.operation += u64::from(!event.operation.is_empty());
        self.known.duration += u64::from(event.duration.is_some());
        self.known.trace += u64::from(event.trace != [0; 16]);
        self.first = self.first.into_iter().chain(event.time).min();
        self.last = self.last.max(event.time);
        if let Some(count) = self.services.get_mut(&*event.service) {
            *count += 1;
        } else if self.services.len() < SERVICES {
            self.services.insert(event.service.clone().into_owned(), 1);
        } else {
            self.other_services += 1;
        }
        if self.shown.len() < self.most {
            self.shown.extend(serde_json::value::to_raw_value(&show::shown(event)));
        }
    }
}
