//! The state: everything the engine knows, aggregated as the events come; incremental, bounded, mergeable.
//!
//! In: blocks of bytes of a stream. Out: series with their timelines, open traces, evidence, streams and the ledger, for
//! the summary and the queries to read.

pub mod account;
pub mod attributes;
pub mod changes;
pub mod clocks;
pub mod closed;
mod counts;
pub(crate) mod digest;
pub mod evidence;
pub mod found;
pub mod frame;
pub mod hist;
pub mod instances;
pub mod intake;
pub mod joins;
pub mod ledger;
pub mod lines;
pub mod names;
pub mod open;
pub mod order;
pub mod origins;
pub mod pairs;
pub mod path;
pub mod pieces;
mod places;
mod room;
pub mod series;
pub mod spread;
pub mod streams;
pub(crate) mod subjects;
pub mod sums;
pub mod timeline;
pub mod traces;
pub mod wire;

use std::hash::BuildHasher;
use std::hint::black_box;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashSet;

use crate::event::{Event, Kind};
use crate::format::{Dialect, Format, Found, Reader, Refusal};
use crate::redact;
use crate::templates;
use digest::Digest;
use evidence::Kept;
use hist::bucket;
use instances::Instances;
use intake::{Batch, EVENTS, Intake};
use joins::OpenSpan;
use ledger::Ledger;
use origins::{OriginId, Origins};
use pieces::Pieces;
use room::Shares;
use series::{Key, SeriesId, Table};
use streams::{Latest, Streams};
use subjects::{Series, Subjects};
use sums::Sums;
use timeline::{Clock, Delta};
use traces::{Sought, Traces};

const NANOS: i64 = 1_000_000_000;

/// Times the hold of a trace that a stream may be behind the newest event for its spans to be waited for.
const WAIT: i64 = 5;

/// Events that are counted one after the other once what they need has been looked at: as much as the nearest cache holds.
const NEAR: usize = 32;

/// Numbers for subjects that are kept between blocks: for as many blocks as are read at once, or so.
const SUBJECTS: usize = 4;

/// Bytes of a name of a service or an operation by which it is told from others.
const NAME: usize = 1_024;

/// The first bytes of a name: no one needs more, and names are kept.
#[inline]
fn clip(name: &str) -> &str {
    if name.len() <= NAME {
        return name;
    }
    let end = (0..=NAME).rev().find(|&at| name.is_char_boundary(at)).unwrap_or(0);
    &name[..end]
}

/// What bounds the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the longest record that is decoded.
    pub max_record: usize,
    /// Bytes that the state as a whole may take; a part of it may have a lower limit of its own.
    pub memory: usize,
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
            memory: 224 << 20,
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
    /// Where events have come from.
    pub origins: Origins,
    /// What became of every byte.
    pub ledger: Ledger,
    /// What events carried, as far as it is kept.
    pub pieces: Pieces,
    /// Bytes of evidence held.
    pub evidence_bytes: usize,
    /// How messages were joined into templates the last time: no part of what the state says, but long to make anew.
    pub groupings: templates::Known,
    /// Of the events that are being counted.
    origin: OriginId,
    instances: Instances,
    shares: Shares,
    /// Nanoseconds since the epoch of the newest event of the one that is furthest behind of the streams beside the one that
    /// is read: its spans are waited for.
    behind: Option<i64>,
    /// Bytes of the table when it was measured last.
    measured: usize,
    /// Events counted under `(other)` when room was made for series last.
    recycled: u64,
    /// Pairs of parent and child from which on it is worth to look which are of use.
    most_links: usize,
    /// What names subjects by numbers, and what these are; for whoever reads a block next.
    subjects: Vec<(Subjects, Series)>,
    shape: String,
    name: String,
    /// Hashes of shapes in which there is no secret, so that the same messages are looked through once.
    clean: HashSet<u64, RandomState>,
    /// Hashes of operations in which there is no id.
    named: HashSet<u64, RandomState>,
}

impl State {
    /// An empty state.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let shares = Shares::of(&limits);
        Self {
            limits,
            clock: Clock::default(),
            watermark: None,
            table: Table::new(shares.series),
            traces: Traces::new(shares.open_spans, limits.trace_hold.div_euclid(NANOS)),
            streams: Streams::default(),
            origins: Origins::default(),
            origin: 0,
            ledger: Ledger::default(),
            pieces: Pieces::default(),
            evidence_bytes: 0,
            groupings: templates::Known::default(),
            instances: Instances::default(),
            shares,
            behind: None,
            measured: 0,
            recycled: 0,
            most_links: 4 * shares.series,
            subjects: Vec::new(),
            shape: String::new(),
            name: String::new(),
            clean: HashSet::default(),
            named: HashSet::default(),
        }
    }

    /// Split, decode and aggregate a block that ends at a record boundary, of a stream that is a source of its own.
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
        let (reader, subjects, mut series) = self.begin(name, "");
        let mut intake = Intake::new(reader, subjects, data, received, forced, dialect, self.limits.max_record);
        let (mut outcome, mut batch) = (Outcome::default(), Batch::default());
        while intake.fill(&mut batch, EVENTS) {
            self.take(name, &batch, &mut series, &mut outcome);
        }
        let (reader, subjects) = intake.end();
        self.end(name, reader, subjects, series);
        outcome
    }

    /// How far a stream of a source has been read, for an [`Intake`] to go on from there. What is seen of the stream until
    /// [`State::end`] is how it was before. With it comes what names subjects by numbers, for the intake, and what these
    /// are, for [`State::take`].
    pub(crate) fn begin(&mut self, name: &str, source: &str) -> (Reader, Subjects, Series) {
        let oldest = self.watermark.unwrap_or(i64::MIN).saturating_sub(self.limits.trace_hold.saturating_mul(WAIT));
        if let Some(behind) = self.streams.behind(name, self.ledger.bytes, oldest) {
            self.behind = behind;
        }
        let (stream, forgotten) = self.streams.feed(name, self.limits.max_streams);
        self.ledger.evicted_streams += forgotten;
        if *stream.source != *source {
            stream.source = source.into();
        }
        let shown = stream.reader.without_memory();
        let reader = std::mem::replace(&mut stream.reader, shown);
        self.streams.turn(name);
        let (subjects, series) = self.subjects.pop().unwrap_or_default();
        (reader, subjects, series)
    }

    /// Give back what [`State::begin`] gave.
    pub(crate) fn end(&mut self, name: &str, reader: Reader, subjects: Subjects, series: Series) {
        if self.subjects.len() < SUBJECTS {
            self.subjects.push((subjects, series));
        }
        let (heavy, forgotten) = self.streams.put_back(name, reader, self.limits.max_streams, self.shares.streams);
        self.ledger.evicted_memories += heavy;
        self.ledger.evicted_streams += forgotten;
    }

    /// Aggregate what was decoded of a stream.
    pub(crate) fn take(&mut self, name: &str, batch: &Batch<'_>, series: &mut Series, outcome: &mut Outcome) {
        self.instances.begin();
        series.renew(batch.age, self.table.turn());
        self.pieces.begin();
        let mut latest = self.streams.get(name).and_then(|stream| stream.latest);
        let mut events = batch.events().enumerate();
        let (before, rejected) = (self.ledger.events, self.ledger.rejected);
        let mut read_as = None;
        for taken in &batch.records {
            if taken.events > 0 && read_as != Some(taken.format) {
                read_as = Some(taken.format);
                self.origin = self.origin_of(name, taken.format);
            }
            self.ledger.bytes += taken.bytes.len() as u64;
            match &taken.found {
                Ok(found) => {
                    self.ledger.records += 1;
                    self.ledger.parsed_bytes += taken.bytes.len() as u64;
                    self.ledger.events += taken.events as u64;
                    if *found == Found::Continuation {
                        self.go_on(name, latest, taken.bytes);
                    }
                    for (number, (event, digest)) in events.by_ref().take(taken.events) {
                        if number % NEAR == 0 {
                            self.approach(&batch.digests[number..], series);
                        }
                        let id = self.event(event, digest, (name, taken.offset), series);
                        latest = Some(Latest { series: id, offset: taken.offset });
                    }
                }
                Err(Refusal::Rest) => self.ledger.rejected_bytes += taken.bytes.len() as u64,
                Err(refusal) => {
                    let detail = refusal.to_string();
                    self.ledger.reject(refusal.reason(), &detail, name, taken.offset, taken.bytes);
                    if outcome.reason.is_empty() {
                        outcome.reason = detail;
                    }
                }
            }
        }
        self.ledger.ahead += batch.ahead;
        self.ledger.evicted_memories += batch.forgotten;
        self.ledger.unpaired += batch.unpaired;
        let (events, rejected) = (self.ledger.events - before, self.ledger.rejected - rejected);
        outcome.events += events;
        outcome.rejected += rejected;
        let (stream, forgotten) = self.streams.feed(name, self.limits.max_streams);
        stream.events += events;
        stream.rejected += rejected;
        stream.newest = stream.newest.max(batch.newest);
        stream.latest = latest;
        stream.fed = self.ledger.bytes;
        self.ledger.evicted_streams += forgotten;
        self.keep_within();
    }

    /// Where what a stream says in a format comes from.
    fn origin_of(&mut self, name: &str, format: Format) -> OriginId {
        let source = self.streams.get(name).map_or(name, |stream| stream.source(name));
        self.origins.of(clip(source), format, self.limits.max_streams)
    }

    /// Look at what the next events will need from far away: the places of traces; series, their newest slots and what is in
    /// these. Here the processor waits for many of them at once, and while it counts, for one after the other.
    fn approach(&self, digests: &[Digest], series: &Series) {
        let digests = &digests[..digests.len().min(NEAR)];
        let records = digests.iter().filter_map(|digest| Some(self.table.record(series.subject(digest.subject)?)));
        for digest in digests {
            black_box(self.traces.approach(&digest.trace));
        }
        for record in records.clone() {
            black_box((record.count, record.timeline.coarse(), record.kept.approach()));
        }
        for slot in records.clone().filter_map(|record| record.timeline.newest()) {
            black_box((slot.start, slot.own.is_empty()));
        }
        for slot in records.filter_map(|record| record.timeline.newest()) {
            black_box((slot.duration.approach(), slot.own.approach()));
        }
    }

    /// Add a record that goes on with the one before it to what is kept of that.
    fn go_on(&mut self, name: &str, latest: Option<Latest>, record: &[u8]) {
        let Some(latest) = latest else { return };
        let kept = &mut self.table.record_mut_but_when(latest.series).kept;
        let changed = kept.go_on(name, latest.offset, record);
        self.evidence_changed(changed);
    }

    /// Count an event of the record at an offset of a stream. Returns the series it is in.
    fn event(&mut self, event: &Event<'_>, digest: &Digest, at: (&str, u64), series: &mut Series) -> SeriesId {
        let second = digest.time.div_euclid(NANOS);
        if self.watermark.is_none_or(|watermark| digest.time > watermark) {
            self.watermark = Some(digest.time);
            self.clock.advance(second);
            self.ledger.evicted_spans += self.close_traces(second);
        } else if second < self.clock.oldest() {
            self.ledger.late += 1;
        }
        if digest.kind == Kind::Log {
            self.shape_of(&event.message);
            let key = Key {
                service: clip(&event.service),
                operation: self.shape.as_str(),
                within: event.level.name(),
                kind: Kind::Log,
            };
            let id = self.table.find(&key);
            let noted = self.count(id, event, digest, None, &event.message, at);
            if digest.trace != [0; 16] && digest.span != 0 {
                let span = self.open_span(digest, id);
                let sought = self.traces.look(&digest.trace);
                self.open(digest, sought, span, noted);
            }
            return id;
        }
        let id = series.subject(digest.subject).unwrap_or_else(|| self.find(event, digest, series));
        let span = self.open_span(digest, id);
        let sought = (digest.trace != [0; 16] && !digest.nested).then(|| self.traces.look(&digest.trace));
        // A span that is alone so far is counted and entered in one.
        let alone = sought.map_or(!digest.nested, |sought| sought.at_once).then_some(&span);
        let mut noted = self.count(id, event, digest, alone, &event.operation, at);
        if digest.failed && !event.message.is_empty() {
            noted |= self.fail(event, digest, at);
        }
        if matches!(digest.kind, Kind::Server | Kind::Consumer) {
            let known = series.instance(digest.resource);
            let found = known.or_else(|| self.instances.of(event, clip(&event.service), &mut self.table));
            if let Some(instance) = found {
                series.found_instance(digest.resource, instance);
                self.answered(instance, digest);
            }
        }
        match sought {
            Some(sought) => self.open(digest, sought, span, noted),
            None if digest.nested => {}
            None => self.traces.alone(&span, &mut self.table, &self.clock),
        }
        id
    }

    /// The series of a span by its texts; the next time its number will do.
    #[cold]
    fn find(&mut self, event: &Event<'_>, digest: &Digest, series: &mut Series) -> SeriesId {
        let mut name = std::mem::take(&mut self.name);
        let operation = self.operation(clip(&event.operation), &mut name);
        let key = Key { service: clip(&event.service), operation, within: "", kind: digest.kind };
        let overflow = self.table.overflow;
        let id = self.table.find(&key);
        self.name = name;
        // What had no place of its own may have one the next time.
        if self.table.overflow == overflow {
            series.found(digest.subject, id);
        }
        id
    }

    /// Count the message of a span that failed.
    fn fail(&mut self, event: &Event<'_>, digest: &Digest, at: (&str, u64)) -> bool {
        let mut name = std::mem::take(&mut self.name);
        self.shape_of(&event.message);
        let within = self.operation(clip(&event.operation), &mut name);
        let service = clip(&event.service);
        let key = Key { service, operation: self.shape.as_str(), within, kind: Kind::Failure };
        let failure = self.table.find(&key);
        self.name = name;
        self.count(failure, event, digest, None, &event.message, at)
    }

    /// What an operation is counted by: its name without the ids in it, written to `name` if it has any.
    fn operation<'a>(&mut self, operation: &'a str, name: &'a mut String) -> &'a str {
        if !operation.bytes().any(|byte| byte.is_ascii_digit()) {
            return operation;
        }
        let hash = self.named.hasher().hash_one(operation);
        if self.named.contains(&hash) {
            return operation;
        }
        let found = clip(templates::name(operation, name));
        if found == operation {
            if self.named.len() > self.limits.max_series {
                self.named.clear();
            }
            self.named.insert(hash);
        }
        found
    }

    /// Count a call for the instance that answered it.
    fn answered(&mut self, id: SeriesId, digest: &Digest) {
        let record = self.table.record_mut_but_when(id);
        record.count += 1;
        record.errors += u64::from(digest.failed);
        record.seen(digest.time);
        let duration = digest.duration().map(|ns| (bucket(ns), 1));
        let delta = Delta { count: 1, errors: i32::from(digest.failed), origins: 0, duration, own: None, path: 0 };
        self.table.enter(id, digest.time.div_euclid(NANOS), &self.clock, &delta);
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

    /// A span, or a log record that names its span, as its trace will have it.
    fn open_span(&self, digest: &Digest, id: SeriesId) -> OpenSpan {
        let took = i64::try_from(digest.duration().unwrap_or(0)).unwrap_or(i64::MAX);
        let mark = digest.kind == Kind::Log;
        OpenSpan {
            start: digest.time.saturating_sub(took),
            end: digest.time,
            id: if mark { 0 } else { digest.span },
            parent: if mark { digest.span } else { digest.parent },
            series: id,
            service: self.table.service(id),
            failed: digest.failed && !mark,
            mark,
        }
    }

    /// Put it to its trace; `noted` if it was kept as evidence.
    fn open(&mut self, digest: &Digest, sought: Sought, span: OpenSpan, noted: bool) {
        self.ledger.evicted_spans += self.traces.add(digest.trace, sought, span, noted, &mut self.table, &self.clock);
        if self.traces.open() > self.shares.open_spans {
            self.ledger.evicted_spans += self.close_traces(digest.time.div_euclid(NANOS));
        }
    }

    /// Close the traces that the hold has passed at a second: of the stream that is furthest behind, but for those so far
    /// behind that they are of another time. So it plays no part which of two streams is read first.
    fn close_traces(&mut self, second: i64) -> u64 {
        let most = self.limits.trace_hold.div_euclid(NANOS).saturating_mul(WAIT);
        let reached = self.behind.map_or(second, |ns| ns.div_euclid(NANOS).clamp(second.saturating_sub(most), second));
        self.traces.close(&mut self.table, &self.clock, reached)
    }

    /// Count an event in a series, and as `alone` the own time of its span, if it is to be entered at once; `text` is what
    /// the series' operation is made of. Says whether it was kept as evidence.
    fn count(
        &mut self,
        id: SeriesId,
        event: &Event<'_>,
        digest: &Digest,
        alone: Option<&OpenSpan>,
        text: &str,
        (stream, offset): (&str, u64),
    ) -> bool {
        self.table.number(id);
        let own = if digest.nested { event.own } else { alone.map(OpenSpan::took) };
        let (grown, (changed, kept)) = {
            let (kind, second) = (self.table.kind(id), digest.time.div_euclid(NANOS));
            let (record, key) = self.table.record_and_key(id, second);
            record.count += 1;
            record.errors += u64::from(digest.failed);
            record.seen(digest.time);
            record.came_from.see(self.origin);
            let delta = Delta {
                count: 1,
                errors: i32::from(digest.failed),
                origins: i32::from(alone.is_some() && digest.failed),
                duration: digest.duration().map(|ns| (bucket(ns), 1)),
                own: own.map(|ns| (bucket(ns), 1)),
                path: alone.map_or(0, |span| path::signed(span.took(), 1)),
            };
            let grown = record.timeline.add(second, &self.clock, &delta);
            // The message of a failed span carries what the span does.
            let pieces = (kind != Kind::Failure).then_some(&mut self.pieces);
            (grown, record.kept.offer(event, digest, stream, offset, pieces, || (key().operation, text)))
        };
        self.table.grew(grown);
        self.evidence_changed(changed);
        kept
    }

    pub(crate) fn evidence_changed(&mut self, changed: isize) {
        self.evidence_bytes = self.evidence_bytes.saturating_add_signed(changed);
        if self.evidence_bytes > self.shares.evidence {
            self.shed_evidence();
        }
    }

    /// Bring everything to the same moment: joins entered, timelines rolled, attributes read. What is read afterwards is
    /// exact.
    pub fn settle(&mut self) {
        self.traces.settle(&mut self.table, &self.clock);
        self.table.roll(&self.clock);
        self.read_attributes();
    }

    /// Read the attributes of events that are kept for them.
    fn read_attributes(&mut self) {
        if !self.pieces.touched {
            return;
        }
        // What does not stay need not be read.
        let freed = self.table.kept_since_mut().map(Kept::prune_carried).sum();
        self.evidence_bytes = self.evidence_bytes.saturating_sub(freed);
        if self.pieces.is_crowded() {
            self.sweep_pieces();
        }
        let before = self.pieces.bytes();
        self.pieces.read();
        self.evidence_bytes = self.evidence_bytes.saturating_sub(before) + self.pieces.bytes();
        let freed = self.table.kept_since_mut().map(|kept| kept.settle(&self.pieces)).sum();
        self.table.looked_through();
        self.evidence_bytes = self.evidence_bytes.saturating_sub(freed);
        self.evidence_changed(0);
        if self.evidence_bytes < self.shares.evidence / 8 {
            self.pieces.halved = self.pieces.halved.saturating_sub(1);
        }
    }

    /// Forget the pieces that no event carries any more.
    fn sweep_pieces(&mut self) {
        let before = self.pieces.bytes();
        let mut carried = vec![false; self.pieces.end()];
        self.table.kept_mut().for_each(|kept| kept.mark(&mut carried));
        self.pieces.sweep(carried);
        self.evidence_bytes = self.evidence_bytes.saturating_sub(before) + self.pieces.bytes();
    }

    /// Settle, and read what is then exact, with the sums of earlier readings. They are kept as far as there is room.
    pub fn read<T>(&mut self, reader: impl FnOnce(&Self, &mut Sums) -> T) -> T {
        self.settle();
        let mut sums = self.table.lend_sums();
        let found = reader(self, &mut sums);
        sums.shrink_to(self.room_for_sums());
        self.table.keep_sums(sums);
        found
    }
}
