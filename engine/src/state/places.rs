//! Where each open trace is: an index from a part of the hash of its id to its place.
//!
//! Slots of eight bytes, one after the other, and what finds its own taken goes to the next (linear probing; what is taken out
//! lets those behind it move up: Knuth, The Art of Computer Programming 3, 6.4, algorithm R). To find, to put in and to take out
//! each touch one line of memory, which can be looked at before; a table that keeps its marks apart touches two.

/// The place of a trace among the open ones.
pub(super) type Place = u32;

/// The place of no trace.
const END: Place = u32::MAX;

/// Slots at first.
const LEAST: usize = 64;

/// The index. Of two different traces the parts are hardly ever the same, and hard to choose so, as the hash has a random seed.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// As many as a power of two; empty where the place is [`END`].
    slots: Vec<(u32, Place)>,
    taken: usize,
}

impl Places {
    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.taken
    }

    /// Look at where a trace is or would be; for who wants it near.
    #[inline]
    pub(super) fn approach(&self, part: u32) -> Option<Place> {
        self.slots.get(self.home(part)).map(|slot| slot.1)
    }

    /// The place that has this part and is the one that is meant.
    #[inline]
    pub(super) fn find(&self, part: u32, is_it: impl Fn(Place) -> bool) -> Option<Place> {
        let at = self.seek(part, is_it)?;
        Some(self.slots[at].1)
    }

    /// Add a place that is not there yet.
    #[inline]
    pub(super) fn insert(&mut self, part: u32, place: Place) {
        if self.taken + 1 > self.slots.len() / 4 * 3 {
            self.grow();
        }
        self.put(part, place);
        self.taken += 1;
    }

    /// Take a place out.
    #[inline]
    pub(super) fn remove(&mut self, part: u32, place: Place) {
        let Some(mut hole) = self.seek(part, |other| other == place) else { return };
        self.taken -= 1;
        let mut at = hole;
        loop {
            at = self.next(at);
            let (part, place) = self.slots[at];
            if place == END {
                break;
            }
            // It may move up if its own slot is not behind the hole.
            let last = self.slots.len() - 1;
            if at.wrapping_sub(self.home(part)) & last >= at.wrapping_sub(hole) & last {
                self.slots[hole] = (part, place);
                hole = at;
            }
        }
        self.slots[hole].1 = END;
    }

    #[inline]
    fn seek(&self, part: u32, is_it: impl Fn(Place) -> bool) -> Option<usize> {
        let mut at = self.home(part);
        loop {
            let &(other, place) = self.slots.get(at)?;
            if place == END {
                return None;
            }
            if other == part && is_it(place) {
                return Some(at);
            }
            at = self.next(at);
        }
    }

    #[inline]
    fn put(&mut self, part: u32, place: Place) {
        let mut at = self.home(part);
        while self.slots[at].1 != END {
            at = self.next(at);
        }
        self.slots[at] = (part, place);
    }

    #[inline]
    fn home(&self, part: u32) -> usize {
        part as usize & self.slots.len().wrapping_sub(1)
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    #[cold]
    fn grow(&mut self) {
        let size = (2 * self.slots.len()).max(LEAST);
        let before = std::mem::replace(&mut self.slots, vec![(0, END); size]);
        for (part, place) in before.into_iter().filter(|slot| slot.1 != END) {
            self.put(part, place);
        }
    }
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn places__put_in_and_taken_out__as_a_map_has_them(steps in prop::collection::vec((any::<bool>(), 0u32..200, 0u32..8), 0..600)) {
            let (mut places, mut map) = (Places::default(), HashMap::new());
            for (adds, place, spread) in steps {
                // Many share a slot of their own, and some a part.
                let part = map.get(&place).copied().unwrap_or(place / 2 * 61 * spread);
                if adds && !map.contains_key(&place) {
                    places.insert(part, place);
                    map.insert(place, part);
                } else if !adds {
                    places.remove(part, place);
                    map.remove(&place);
                }
                prop_assert_eq!(places.len(), map.len());
                for place in 0..200 {
                    let part = map.get(&place).copied();
                    let found = places.find(part.unwrap_or(place), |other| other == place);
                    prop_assert_eq!(found, part.map(|_| place));
                }
            }
        }
    }
}
