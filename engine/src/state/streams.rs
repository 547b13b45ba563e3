//! The streams: what is known of each ordered sequence of bytes that events come from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::room::level;
use super::series::SeriesId;
use crate::format::Reader;

/// Where the latest event of a stream is kept as evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// Its series; in a snapshot, the place of it there.
    pub series: SeriesId,
    /// Where its record begins in the stream.
    pub offset: u64,
}

/// One stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// What its source is called; empty if as the stream is.
    pub source: Box<str>,
    /// How far it has been read.
    pub reader: Reader,
    /// Events decoded.
    pub events: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Nanoseconds since the epoch of its newest event.
    pub newest: Option<i64>,
    /// Where its latest event is kept, if that may go on with the next record.
    pub latest: Option<Latest>,
    /// Bytes of all streams taken when this one was last fed: who is longest silent has the fewest.
    pub fed: u64,
    /// Bytes of what is remembered of it, as of `weighed`.
    #[serde(skip)]
    weight: usize,
    /// Up to where it was read when that was found out.
    #[serde(skip)]
    weighed: u64,
    /// The block of all streams that was its last, by number; 0 before it has any in this process.
    #[serde(skip)]
    block: u64,
}

impl Stream {
    /// What its source is called, where the stream is called `name`.
    #[must_use]
    pub fn source<'a>(&'a self, name: &'a str) -> &'a str {
        if self.source.is_empty() { name } else { &self.source }
    }

    fn weigh(&mut self) {
        self.weighed = self.reader.offset;
        // In a snapshot it has no pointers and no room to grow.
        let encoded = postcard::to_extend(self.reader.memory(), Count(0)).map_or(0, |count| count.0);
        self.weight = 4 * encoded.saturating_sub(NOTHING);
    }
}

/// Bytes that a memory of nothing takes when it is encoded, about.
const NOTHING: usize = 64;

/// Counts what it is given.
struct Count(usize);

impl Extend<u8> for Count {
    fn extend<T: IntoIterator<Item = u8>>(&mut self, bytes: T) {
        self.0 += bytes.into_iter().count();
    }
}

/// All streams, the ones longest silent forgotten first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streams {
    by_name: BTreeMap<String, Stream>,
    /// The weights of all.
    #[serde(skip)]
    weight: usize,
    /// Blocks of all streams.
    #[serde(skip)]
    blocks: u64,
    /// Bytes of all streams taken when it was looked which is behind.
    #[serde(skip)]
    looked: u64,
}

/// Blocks of others since a stream's last, from which on nobody waits for it: it is at its end, or quiet.
const SILENT: u64 = 64;

/// Bytes that are taken for each stream there is between one look at all of them and the next.
const LOOK: u64 = 64;

impl Streams {
    /// The stream of a name, made if it is new. Returns how many had to be forgotten for it.
    pub fn feed(&mut self, name: &str, limit: usize) -> (&mut Stream, u64) {
        let mut forgotten = 0;
        if !self.by_name.contains_key(name) {
            while self.by_name.len() >= limit.max(1) {
                let oldest = self.by_name.iter().min_by_key(|(_, stream)| stream.fed).map(|(name, _)| name.clone());
                if let Some(oldest) = oldest {
                    let gone = self.by_name.remove(&oldest).map_or(0, |stream| stream.weight);
                    self.weight -= gone;
                    forgotten += 1;
                }
            }
        }
        (self.by_name.entry(name.to_owned()).or_default(), forgotten)
    }

    /// A block of a stream comes.
    pub fn turn(&mut self, name: &str) {
        self.blocks += 1;
        if let Some(stream) = self.by_name.get_mut(name) {
            stream.block = self.blocks;
        }
    }

    /// The newest event, in nanoseconds since the epoch, of the one furthest behind of the streams that are being fed beside
    /// `name`, not looking at those whose newest event is older than `oldest`; `Some(None)` if there is none. Nothing where
    /// it is too early to look again: it takes the longer the more streams there are.
    pub fn behind(&mut self, name: &str, taken: u64, oldest: i64) -> Option<Option<i64>> {
        if self.looked > 0 && taken < self.looked.saturating_add(LOOK * self.by_name.len() as u64) {
            return None;
        }
        self.looked = taken;
        let fed = |stream: &&Stream| stream.block > 0 && stream.block + SILENT > self.blocks;
        let others = self.by_name.iter().filter(|(other, _)| *other != name).map(|(_, stream)| stream);
        Some(others.filter(fed).filter_map(|stream| stream.newest).filter(|&newest| newest >= oldest).min())
    }

    /// Put back how far a stream has been read. If what is remembered of all is over `share` bytes, those forget of which
    /// most is remembered. Returns how many had to, and how many streams had to be forgotten.
    pub fn put_back(&mut self, name: &str, reader: Reader, limit: usize, share: usize) -> (u64, u64) {
        let (stream, forgotten) = self.feed(name, limit);
        stream.reader = reader;
        // To weigh it takes as long as to read it about: a heavy one is not weighed for every small block.
        if stream.reader.offset < stream.weighed + stream.weight as u64 {
            return (0, forgotten);
        }
        let before = stream.weight;
        stream.weigh();
        let after = stream.weight;
        self.weight = self.weight + after - before;
        if self.weight <= share {
            return (0, forgotten);
        }
        let fair = level(self.by_name.values().map(|stream| stream.weight), share / 4 * 3);
        let mut heavy = 0;
        for stream in self.by_name.values_mut().filter(|stream| stream.weight > fair) {
            stream.reader.forget();
            self.weight -= stream.weight;
            stream.weigh();
            self.weight += stream.weight;
            heavy += 1;
        }
        (heavy, forgotten)
    }

    /// The stream of a name, if it is known.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Stream> {
        self.by_name.get(name)
    }

    /// All of them by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Stream)> {
        self.by_name.iter().map(|(name, stream)| (name.as_str(), stream))
    }

    /// Say for each series that a stream's latest event is in what its number is now.
    pub fn renumber(&mut self, number: impl Fn(SeriesId) -> Option<SeriesId>) {
        for stream in self.by_name.values_mut() {
            stream.latest =
                stream.latest.and_then(|latest| number(latest.series).map(|series| Latest { series, ..latest }));
        }
    }

    /// Add another's; of a stream known to both, the counts add up.
    pub fn merge(&mut self, other: Self, limit: usize) -> u64 {
        let mut forgotten = 0;
        for (name, theirs) in other.by_name {
            let (mine, gone) = self.feed(&name, limit);
            forgotten += gone;
            let offset = mine.reader.offset + theirs.reader.offset;
            // What is remembered of the records so far is of use to one reader only: to the one that is further.
            if mine.reader.offset <= theirs.reader.offset {
                mine.reader = theirs.reader;
                mine.latest = theirs.latest;
            }
            mine.reader.offset = offset;
            if mine.source.is_empty() {
                mine.source = theirs.source;
            }
            mine.events += theirs.events;
            mine.rejected += theirs.rejected;
            mine.newest = mine.newest.max(theirs.newest);
            mine.fed = mine.fed.max(theirs.fed);
        }
        forgotten
    }
}
