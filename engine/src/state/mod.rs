//! The state: everything the engine knows, aggregated as the events come; incremental, bounded, mergeable.
//!
//! In: blocks of bytes of a stream. Out: series with their timelines, open traces, evidence, streams and the ledger, for
//! the summary and the queries to read.

pub mod closed;
pub mod evidence;
pub mod hist;
pub mod joins;
pub mod ledger;
pub mod names;
pub mod series;
pub mod streams;
pub mod timeline;
pub mod traces;

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashSet;

use crate::event::{Event, Kind};
use crate::format::{Context, Dialect, Format, Found, Refusal};
use crate::redact;
use crate::templates;
use hist::bucket;
use joins::OpenSpan;
use ledger::Ledger;
use series::{Key, SeriesId, Table};
use streams::{Latest, Stream, Streams};
use timeline::{Clock, Delta};
use traces::Traces;

/// Nanoseconds by which an event may be ahead of the time it was received; what is further ahead is counted at that time.
const AHEAD: i64 = 86_400 * NANOS;

const NANOS: i64 = 1_000_000_000;

/// What bounds the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the longest record that is decoded.
    pub max_record: usize,
    /// Series kept apart.
    pub max_series: usize,
    /// Streams remembered.
    pub max_streams: usize,
    /// Spans kept open for joins.
    pub max_open_spans: usize,
    /// Bytes of raw events kept as evidence.
    pub max_evidence: usize,
    /// Nanoseconds of event time a trace is kept open after its last span.
    pub trace_hold: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_record: 16 << 20,
            max_series: 20_000,
            max_streams: 10_000,
            max_open_spans: 1_000_000,
            max_evidence: 32 << 20,
            trace_hold: 60 * NANOS,
        }
    }
}

/// What became of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Events decoded.
    pub events: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Why the first of them was.
    pub reason: String,
}

/// Everything the engine knows.
#[derive(Debug)]
pub struct State {
    /// What bounds it.
    pub limits: Limits,
    /// The newest event time, and what is kept apart by it.
    pub clock: Clock,
    /// Nanoseconds since the epoch of the newest event.
    pub watermark: Option<i64>,
    /// The series.
    pub table: Table,
    /// The open traces.
    pub traces: Traces,
    /// The streams.
    pub streams: Streams,
    /// What became of every byte.
    pub ledger: Ledger,
    /// Bytes of evidence held.
    pub evidence_bytes: usize,
    /// How messages were joined into templates the last time: no part of what the state says, but long to make anew.
    pub groupings: templates::Known,
    shape: String,
    name: String,
    /// Hashes of shapes in which there is no secret, so that the same messages are looked through once.
    clean: HashSet<u64, RandomState>,
}

impl State {
    /// An empty state.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            clock: Clock::default(),
            watermark: None,
            table: Table::new(limits.max_series),
            traces: Traces::new(limits.max_open_spans, limits.trace_hold.div_euclid(NANOS)),
            streams: Streams::default(),
            ledger: Ledger::default(),
            evidence_bytes: 0,
            groupings: templates::Known::default(),
            shape: String::new(),
            name: String::new(),
            clean: HashSet::default(),
        }
    }

    /// Split, decode and aggregate a block that ends at a record boundary.
    ///
    /// `received` (nanoseconds since the epoch) is the time of events that have none and follow none that has.
    pub fn ingest(
        &mut self,
        name: &str,
        data: &[u8],
        received: i64,
        forced: Option<Format>,
        dialect: Option<&Arc<Dialect>>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let (stream, forgotten) = self.streams.feed(name, self.limits.max_streams);
        self.ledger.evicted_streams += forgotten;
        let mut stream = std::mem::take(stream);
        let (forgotten, unpaired) = (stream.reader.memory().forgotten(), stream.reader.memory().unpaired());
        let mut context = Context { received, dialect: dialect.cloned(), ..Context::default() };
        let mut events = Vec::new();
        let mut rest = data;
        loop {
            events.clear();
            let offset = stream.reader.offset;
            let limit = self.limits.max_record;
            let Some(record) = stream.reader.next(rest, forced, &mut context, limit, &mut events) else { break };
            rest = &rest[record.bytes.len()..];
            match record.found {
                Ok(found) => {
                    self.ledger.records += 1;
                    self.ledger.parsed_bytes += record.bytes.len() as u64;
                    self.ledger.events += events.len() as u64;
                    outcome.events += events.len() as u64;
                    if found == Found::Continuation {
                        self.go_on(name, &stream, record.bytes);
                    }
                    for event in &events {
                        let time = self.time_of(event, &mut stream, received);
                        let series = self.event(event, time, name, offset);
                        stream.latest = Some(Latest { series, offset });
                    }
                }
                Err(Refusal::Rest) => self.ledger.rejected_bytes += record.bytes.len() as u64,
                Err(refusal) => {
                    let detail = refusal.to_string();
                    self.ledger.reject(refusal.reason(), &detail, name, offset, record.bytes);
                    outcome.rejected += 1;
                    if outcome.reason.is_empty() {
                        outcome.reason = detail;
                    }
                }
            }
        }
        self.ledger.evicted_memories += stream.reader.memory().forgotten().saturating_sub(forgotten);
        self.ledger.unpaired += stream.reader.memory().unpaired().saturating_sub(unpaired);
        self.ledger.bytes += data.len() as u64;
        stream.events += outcome.events;
        stream.rejected += outcome.rejected;
        stream.fed = self.ledger.bytes;
        *self.streams.feed(name, self.limits.max_streams).0 = stream;
        outcome
    }

    /// Add a record that goes on with the one before it to what is kept of that.
    fn go_on(&mut self, name: &str, stream: &Stream, record: &[u8]) {
        let Some(latest) = stream.latest else { return };
        let kept = &mut self.table.record_mut(latest.series).kept;
        let changed = kept.go_on(name, latest.offset, record);
        self.evidence_changed(changed);
    }

    /// When an event happened, as far as can be told.
    fn time_of(&mut self, event: &Event<'_>, stream: &mut Stream, received: i64) -> i64 {
        let time = match event.time {
            Some(time) if time > received.saturating_add(AHEAD) => {
                self.ledger.ahead += 1;
                received
            }
            Some(time) => time,
            None => stream.reader.last.unwrap_or(received),
        };
        stream.reader.last = Some(time);
        stream.newest = stream.newest.max(Some(time));
        time
    }

    /// Count an event of the record at an offset of a stream. Returns the series it is in.
    fn event(&mut self, event: &Event<'_>, time: i64, stream: &str, offset: u64) -> SeriesId {
        let second = time.div_euclid(NANOS);
        if self.watermark.is_none_or(|watermark| time > watermark) {
            self.watermark = Some(time);
            self.clock.advance(second);
            self.ledger.evicted_spans += self.traces.close(&mut self.table, &self.clock, second);
        } else if second < self.clock.oldest() {
            self.ledger.late += 1;
        }
        if event.kind == Kind::Log {
            self.shape_of(&event.message);
            let key = Key { service: &*event.service, operation: self.shape.as_str(), within: "", kind: Kind::Log };
            let id = self.table.find(&key);
            let noted = self.count(id, event, &event.message, time, (stream, offset));
            if event.trace != [0; 16] && event.span != 0 {
                self.open(event, time, id, noted);
            }
            return id;
        }
        let mut name = std::mem::take(&mut self.name);
        let operation = templates::name(&event.operation, &mut name);
        let key = Key { service: &*event.service, operation, within: "", kind: event.kind };
        let id = self.table.find(&key);
        let mut noted = self.count(id, event, &event.operation, time, (stream, offset));
        if event.failed && !event.message.is_empty() {
            self.shape_of(&event.message);
            let key = Key {
                service: &*event.service,
                operation: self.shape.as_str(),
                within: operation,
                kind: Kind::Failure,
            };
            let failure = self.table.find(&key);
            noted |= self.count(failure, event, &event.message, time, (stream, offset));
        }
        self.name = name;
        if event.own.is_none() {
            self.open(event, time, id, noted);
        }
        id
    }

    /// What a message is counted by: its shape, without secrets, since the state is kept and sent on.
    fn shape_of(&mut self, message: &str) {
        templates::shape(message, &mut self.shape);
        let hash = self.clean.hasher().hash_one(&self.shape);
        if self.clean.contains(&hash) {
            return;
        }
        if redact::redact_text(&mut self.shape) {
            return;
        }
        if self.clean.len() > self.limits.max_series {
            self.clean.clear();
        }
        self.clean.insert(hash);
    }

    /// Put a span, or a log record that names its span, to its trace; `noted` if it was kept as evidence.
    fn open(&mut self, event: &Event<'_>, time: i64, id: SeriesId, noted: bool) {
        let took = i64::try_from(event.duration.unwrap_or(0)).unwrap_or(i64::MAX);
        let mark = event.kind == Kind::Log;
        let span = OpenSpan {
            start: time.saturating_sub(took),
            end: time,
            id: if mark { 0 } else { event.span },
            parent: if mark { event.span } else { event.parent },
            series: id,
            service: self.table.service(id),
            failed: event.failed && !mark,
            mark,
        };
        if event.trace == [0; 16] {
            return self.traces.alone(span, &mut self.table, &self.clock);
        }
        if self.traces.is_full(&event.trace) {
            self.ledger.evicted_spans += self.traces.cut(event.trace, &mut self.table, &self.clock);
        }
        self.traces.add(event.trace, span, noted);
        if self.traces.open() > self.limits.max_open_spans {
            self.ledger.evicted_spans += self.traces.close(&mut self.table, &self.clock, time.div_euclid(NANOS));
        }
    }

    /// Count an event in a series; `text` is what the series' operation is made of. Says whether it was kept as evidence.
    fn count(&mut self, id: SeriesId, event: &Event<'_>, text: &str, time: i64, (stream, offset): (&str, u64)) -> bool {
        self.table.number(id);
        let (changed, kept) = {
            let (record, key) = self.table.record_and_key(id);
            record.count += 1;
            record.errors += u64::from(event.failed);
            record.seen(time);
            let delta = Delta {
                count: 1,
                errors: i32::from(event.failed),
                origins: 0,
                duration: event.duration.map(|ns| (bucket(ns), 1)),
                own: event.own.map(|ns| (bucket(ns), 1)),
            };
            record.timeline.add(time.div_euclid(NANOS), &self.clock, &delta);
            record.kept.offer(event, time, stream, offset, || (key().operation, text))
        };
        self.evidence_changed(changed);
        kept
    }

    pub(crate) fn evidence_changed(&mut self, changed: isize) {
        self.evidence_bytes = self.evidence_bytes.saturating_add_signed(changed);
        if self.evidence_bytes <= self.limits.max_evidence {
            return;
        }
        // First what is older, everywhere alike; then, if that was not enough, what variables held; then all of it. The next
        // events fill it again.
        let mut shed = |take: fn(&mut evidence::Kept) -> usize| {
            for record in self.table.records_mut() {
                let freed = take(&mut record.kept);
                self.evidence_bytes = self.evidence_bytes.saturating_sub(freed);
                self.ledger.evicted_evidence += u64::from(freed > 0);
            }
            self.evidence_bytes
        };
        let enough = self.limits.max_evidence / 4 * 3;
        if shed(evidence::Kept::shed_older) > enough && shed(evidence::Kept::shed_samples) > enough {
            shed(evidence::Kept::shed_all);
        }
    }

    /// Bring everything to the same moment: joins entered, timelines rolled. What is read afterwards is exact.
    pub fn settle(&mut self) {
        self.traces.settle(&mut self.table, &self.clock);
        for record in self.table.records_mut() {
            record.timeline.roll(&self.clock);
        }
    }
}
