//! The streams: what is known of each ordered sequence of bytes that events come from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
}

/// All streams, the ones longest silent forgotten first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streams {
    by_name: BTreeMap<String, Stream>,
}

impl Streams {
    /// The stream of a name, made if it is new. Returns how many had to be forgotten for it.
    pub fn feed(&mut self, name: &str, limit: usize) -> (&mut Stream, u64) {
        let mut forgotten = 0;
        if !self.by_name.contains_key(name) {
            while self.by_name.len() >= limit.max(1) {
                let oldest = self.by_name.iter().min_by_key(|(_, stream)| stream.fed).map(|(name, _)| name.clone());
                if let Some(oldest) = oldest {
                    self.by_name.remove(&oldest);
                    forgotten += 1;
                }
            }
        }
        (self.by_name.entry(name.to_owned()).or_default(), forgotten)
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
            mine.events += theirs.events;
            mine.rejected += theirs.rejected;
            mine.newest = mine.newest.max(theirs.newest);
            mine.fed = mine.fed.max(theirs.fed);
        }
        forgotten
    }
}
