//! The streams: what is known of each ordered sequence of bytes that events come from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::format::Format;

/// One stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// How its bytes become events; told by its first record, or by the configuration.
    pub format: Option<Format>,
    /// Bytes taken so far.
    pub offset: u64,
    /// Events decoded.
    pub events: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Nanoseconds since the epoch of its latest event in the order of its bytes.
    pub last: Option<i64>,
    /// Nanoseconds since the epoch of its newest event.
    pub newest: Option<i64>,
    /// Inside a record that is over the limit: its bytes are rejected up to the next line.
    pub skipping: bool,
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

    /// Add another's; of a stream known to both, the counts add up.
    pub fn merge(&mut self, other: Self, limit: usize) -> u64 {
        let mut forgotten = 0;
        for (name, theirs) in other.by_name {
            let (mine, gone) = self.feed(&name, limit);
            forgotten += gone;
            mine.format = mine.format.max(theirs.format);
            mine.offset += theirs.offset;
            mine.events += theirs.events;
            mine.rejected += theirs.rejected;
            mine.last = mine.last.max(theirs.last);
            mine.newest = mine.newest.max(theirs.newest);
            mine.skipping |= theirs.skipping;
            mine.fed = mine.fed.max(theirs.fed);
        }
        forgotten
    }
}
