//! Origins: from which sources, and in which formats, the events of a series came.
//!
//! A series remembers a few of them, no counts: enough to ask for what one source brings, exactly wherever a series comes from
//! one alone, as nearly all do. What is remembered is the smallest hashes, so that it is the same in whatever order events
//! came, and merges.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::series::OTHER;
use crate::format::Format;

/// An origin by the hash of its names; never 0.
pub type OriginId = u32;

/// Origins that a series remembers; of one with more it is only known that they are many.
const MOST: usize = 4;

/// A source and the format that it came in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// What the source is called: as it is configured, else as the stream is.
    pub source: Box<str>,
    /// How its bytes became events.
    pub format: Format,
}

/// All origins there have been.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origins(BTreeMap<OriginId, Origin>);

impl Origins {
    /// The origin of these names; of at most `limit`, all others are one for each format.
    pub fn of(&mut self, source: &str, format: Format, limit: usize) -> OriginId {
        let id = hash(source, format);
        if self.0.contains_key(&id) {
            return id;
        }
        if self.0.len() >= limit && source != OTHER {
            return self.of(OTHER, format, limit);
        }
        self.0.insert(id, Origin { source: source.into(), format });
        id
    }

    /// An origin, unless it found no room.
    #[must_use]
    pub fn get(&self, id: OriginId) -> Option<&Origin> {
        self.0.get(&id)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Origin> {
        self.0.values()
    }

    /// Add another's.
    pub fn merge(&mut self, other: Self, limit: usize) {
        for (id, origin) in other.0 {
            if self.0.len() < limit {
                self.0.entry(id).or_insert(origin);
            }
        }
    }
}

fn hash(source: &str, format: Format) -> OriginId {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(source.as_bytes());
    hasher.update(&[0]);
    hasher.update(format.name().as_bytes());
    hasher.finalize().max(1)
}

/// Where the events of one series came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameFrom {
    /// The smallest, in order; 0 where there are no more.
    ids: [OriginId; MOST],
    /// There have been more.
    more: bool,
}

impl CameFrom {
    /// An event has come.
    #[inline]
    pub fn see(&mut self, id: OriginId) {
        if self.ids[0] != id {
            self.note(id);
        }
    }

    fn note(&mut self, id: OriginId) {
        if id == 0 || self.ids.contains(&id) || (self.more && id > self.ids[MOST - 1]) {
            return;
        }
        let mut all = [0; MOST + 1];
        all[..MOST].copy_from_slice(&self.ids);
        all[MOST] = id;
        // Zeros stand at the end.
        all.sort_unstable_by_key(|id| id.wrapping_sub(1));
        self.more |= all[MOST] != 0;
        self.ids.copy_from_slice(&all[..MOST]);
    }

    /// Add another's.
    pub fn merge(&mut self, other: &Self) {
        other.ids.iter().for_each(|&id| self.note(id));
        self.more |= other.more;
    }

    /// The origins that are remembered.
    pub fn iter(&self) -> impl Iterator<Item = OriginId> {
        self.ids.into_iter().take_while(|&id| id != 0)
    }

    /// Whether there are several.
    #[must_use]
    pub const fn is_mixed(&self) -> bool {
        self.ids[1] != 0
    }

    /// Whether there are some that are not.
    #[must_use]
    pub const fn has_more(&self) -> bool {
        self.more
    }
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn came_from__whatever_the_order__the_same_and_the_smallest(ids in prop::collection::vec(1u32..12, 0..12), cut in 0usize..12) {
            let seen = |ids: &[u32]| {
                let mut all = CameFrom::default();
                ids.iter().for_each(|&id| all.see(id));
                all
            };
            let whole = seen(&ids);
            let (one, other) = ids.split_at(cut.min(ids.len()));
            let mut merged = seen(other);
            merged.merge(&seen(one));
            prop_assert_eq!(merged, whole);
            let mut distinct = ids.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(whole.has_more(), distinct.len() > MOST);
            distinct.truncate(MOST);
            prop_assert_eq!(whole.iter().collect::<Vec<_>>(), distinct);
        }
    }

    #[test]
    fn origins__over_the_limit__one_for_each_format() {
        let mut origins = Origins::default();
        let ids: Vec<OriginId> = (0..5).map(|n| origins.of(&format!("s{n}"), Format::Text, 3)).collect();
        assert_eq!(&*origins.get(ids[1]).unwrap().source, "s1");
        assert_eq!((ids[3], &*origins.get(ids[4]).unwrap().source), (ids[4], OTHER));
        assert_ne!(origins.of("s9", Format::Json, 3), ids[4]);
    }
}
