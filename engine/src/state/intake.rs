//! What stands before the state: a block of a stream, split into records, decoded, each event at its time.
//!
//! In: bytes, and how far their stream was read. Out: batches for [`State::take`](super::State::take). It touches no state,
//! so that blocks of several streams are decoded at once, and one block while what came before it is counted.

use std::sync::Arc;

use super::digest::Digest;
use super::subjects::Subjects;
use crate::event::Event;
use crate::format::{Context, Dialect, Format, Found, Reader, Refusal};

/// Nanoseconds by which an event may be ahead of the time it was received; what is further ahead is counted at that time.
const AHEAD: i64 = 86_400 * 1_000_000_000;

/// Events after which a batch takes no further record: few enough to stay in the processor's caches.
pub(crate) const EVENTS: usize = 256;

/// The same of records, for those in which there is nothing.
const RECORDS: usize = 512;

/// A record taken off a stream.
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    /// All of its bytes.
    pub bytes: &'a [u8],
    /// Where it begins in the stream.
    pub offset: u64,
    /// What came of it.
    pub found: Result<Found, Refusal>,
    /// How many events were in it.
    pub events: usize,
    /// How it was read.
    pub format: Format,
}

/// A run of records, and the events in them.
#[derive(Debug, Default)]
pub(crate) struct Batch<'a> {
    pub records: Vec<Taken<'a>>,
    events: Vec<Event<'a>>,
    pub digests: Vec<Digest>,
    /// The age of the subjects by whose numbers the digests name them.
    pub age: u64,
    /// The latest of the times.
    pub newest: Option<i64>,
    /// Events whose time was too far ahead.
    pub ahead: u64,
    /// How much had to be forgotten of what the stream remembers.
    pub forgotten: u64,
    /// Ends of calls without their beginning, and beginnings without an end.
    pub unpaired: u64,
}

impl<'a> Batch<'a> {
    /// The events of all records, each with what is counted of it.
    pub(crate) fn events(&self) -> impl Iterator<Item = (&Event<'a>, &Digest)> {
        self.events.iter().zip(&self.digests)
    }

    fn clear(&mut self) {
        self.records.clear();
        self.events.clear();
        self.digests.clear();
        (self.newest, self.ahead, self.forgotten, self.unpaired) = (None, 0, 0, 0);
    }
}

/// Reads a block batch by batch.
#[derive(Debug)]
pub(crate) struct Intake<'a> {
    reader: Reader,
    subjects: Subjects,
    rest: &'a [u8],
    forced: Option<Format>,
    context: Context,
    limit: usize,
}

impl<'a> Intake<'a> {
    /// Go on with a stream where its `reader` stands. `subjects` of any other will do; `limit` is in bytes of the longest
    /// record that is decoded.
    pub(crate) fn new(
        reader: Reader,
        mut subjects: Subjects,
        data: &'a [u8],
        received: i64,
        forced: Option<Format>,
        dialect: Option<&Arc<Dialect>>,
        limit: usize,
    ) -> Self {
        subjects.begin();
        let context = Context { received, dialect: dialect.cloned(), ..Context::default() };
        Self { reader, subjects, rest: data, forced, context, limit }
    }

    /// Decode the next records into a batch, whatever was in it, until it has `most` events or more. False at the end of the
    /// block.
    pub(crate) fn fill(&mut self, batch: &mut Batch<'a>, most: usize) -> bool {
        batch.clear();
        batch.age = self.subjects.age();
        let (forgotten, unpaired) = (self.reader.memory().forgotten(), self.reader.memory().unpaired());
        while batch.events.len() < most && batch.records.len() < RECORDS {
            let offset = self.reader.offset;
            let before = batch.events.len();
            let read = self.reader.next(self.rest, self.forced, &mut self.context, self.limit, &mut batch.events);
            let Some(record) = read else { break };
            self.rest = &self.rest[record.bytes.len()..];
            let events = batch.events.len() - before;
            for event in &batch.events[before..] {
                let time = match event.time {
                    Some(time) if time > self.context.received.saturating_add(AHEAD) => {
                        batch.ahead += 1;
                        self.context.received
                    }
                    Some(time) => time,
                    None => self.reader.last.unwrap_or(self.context.received),
                };
                self.reader.last = Some(time);
                batch.newest = batch.newest.max(Some(time));
                batch.digests.push(Digest::of(event, time, &mut self.subjects));
            }
            batch.records.push(Taken {
                bytes: record.bytes,
                offset,
                found: record.found,
                events,
                format: record.format,
            });
        }
        batch.forgotten = self.reader.memory().forgotten().saturating_sub(forgotten);
        batch.unpaired = self.reader.memory().unpaired().saturating_sub(unpaired);
        !batch.records.is_empty()
    }

    /// How far the stream has been read, and what was given.
    pub(crate) fn end(self) -> (Reader, Subjects) {
        (self.reader, self.subjects)
    }
}
