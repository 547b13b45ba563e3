//! What a series did over time: seconds for the last minutes, coarser steps for the hours before.
//!
//! Slots lie on absolute event time and move to the next coarser level by the watermark alone. So a timeline is a function
//! of the events and the newest time seen: neither the order of the events nor the size of the batches shows in it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::hist::Hist;

/// Seconds.
pub type Seconds = i64;

/// A level of resolution: the width of its slots and how far back from the watermark it reaches.
struct Level {
    width: Seconds,
    reach: Seconds,
}

/// From fine to coarse; each width divides the next, so that a slot never has to be split.
const LEVELS: [Level; 4] = [
    Level { width: 1, reach: 300 },
    Level { width: 10, reach: 1_800 },
    Level { width: 60, reach: 7_200 },
    Level { width: 600, reach: 86_400 },
];

/// The newest time seen, and where each level begins by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    second: Seconds,
    begins: [Seconds; LEVELS.len()],
}

impl Default for Clock {
    fn default() -> Self {
        Self { second: Seconds::MIN, begins: [Seconds::MIN; LEVELS.len()] }
    }
}

impl Clock {
    /// Move on to a second; an earlier one than before changes nothing.
    pub fn advance(&mut self, second: Seconds) {
        if second <= self.second {
            return;
        }
        self.second = second;
        for (i, level) in LEVELS.iter().enumerate() {
            let align = LEVELS.get(i + 1).map_or(level.width, |next| next.width);
            self.begins[i] = (second - level.reach).div_euclid(align) * align;
        }
    }

    /// The seconds that the slot of a second covers.
    #[must_use]
    pub fn step(&self, second: Seconds) -> Seconds {
        let level = self.begins.iter().position(|&begin| second >= begin).unwrap_or(LEVELS.len() - 1);
        LEVELS[level].width
    }

    /// The first second of the slot that a second falls into.
    #[must_use]
    pub fn slot(&self, second: Seconds) -> Seconds {
        let level = self.begins.iter().position(|&begin| second >= begin).unwrap_or(LEVELS.len() - 1);
        second.div_euclid(LEVELS[level].width) * LEVELS[level].width
    }

    /// The oldest second that is still kept apart.
    #[must_use]
    pub const fn oldest(&self) -> Seconds {
        self.begins[LEVELS.len() - 1]
    }
}

/// What happened to a series, or is taken back, at one time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delta {
    /// Events.
    pub count: i32,
    /// Of them, failed.
    pub errors: i32,
    /// Failed while everything they called succeeded.
    pub origins: i32,
    /// Bucket of the duration, and how many.
    pub duration: Option<(u16, i32)>,
    /// Bucket of the time spent neither waiting nor in a callee, and how many.
    pub own: Option<(u16, i32)>,
}

/// A stretch of a timeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// First second of it.
    pub start: Seconds,
    /// Events.
    pub count: u64,
    /// Of them, failed.
    pub errors: u64,
    /// Failed while everything they called succeeded.
    pub origins: u64,
    /// Durations.
    pub duration: Hist,
    /// Time spent neither waiting nor in a callee; for an edge, the time between the caller's span and the callee's.
    pub own: Hist,
}

impl Slot {
    fn add(&mut self, delta: &Delta) {
        self.count = self.count.saturating_add_signed(delta.count.into());
        self.errors = self.errors.saturating_add_signed(delta.errors.into());
        self.origins = self.origins.saturating_add_signed(delta.origins.into());
        if let Some((bucket, n)) = delta.duration {
            self.duration.add(bucket, n);
        }
        if let Some((bucket, n)) = delta.own {
            self.own.add(bucket, n);
        }
    }

    /// Add all of another.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.errors += other.errors;
        self.origins += other.origins;
        self.duration.merge(&other.duration);
        self.own.merge(&other.own);
    }

    /// Whether nothing is left in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.errors == 0 && self.origins == 0 && self.duration.is_empty() && self.own.is_empty()
    }
}

/// The slots of one series, from fine to coarse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    levels: [VecDeque<Slot>; LEVELS.len()],
}

impl Timeline {
    /// Add to the slot of a second, wherever the clock has it by now; what is older than the last level is not kept.
    pub fn add(&mut self, second: Seconds, clock: &Clock, delta: &Delta) {
        if let Some(front) = self.levels[0].front()
            && front.start < clock.begins[0]
        {
            self.roll(clock);
        }
        let Some(level) = clock.begins.iter().position(|&begin| second >= begin) else { return };
        let slots = &mut self.levels[level];
        let start = second.div_euclid(LEVELS[level].width) * LEVELS[level].width;
        if let Some(slot) = slots.back_mut()
            && slot.start == start
            && delta.count >= 0
        {
            return slot.add(delta);
        }
        match slots.binary_search_by_key(&start, |slot| slot.start) {
            Ok(at) => {
                slots[at].add(delta);
                if slots[at].is_empty() {
                    slots.remove(at);
                }
            }
            Err(at) => {
                let mut slot = Slot { start, ..Slot::default() };
                slot.add(delta);
                if !slot.is_empty() {
                    slots.insert(at, slot);
                }
            }
        }
    }

    /// Move what the clock has left behind to the coarser levels.
    pub fn roll(&mut self, clock: &Clock) {
        for level in 0..LEVELS.len() {
            while self.levels[level].front().is_some_and(|slot| slot.start < clock.begins[level]) {
                if let Some(slot) = self.levels[level].pop_front() {
                    self.put(slot, level + 1);
                }
            }
        }
    }

    fn put(&mut self, mut slot: Slot, level: usize) {
        let Some(slots) = self.levels.get_mut(level) else { return };
        slot.start = slot.start.div_euclid(LEVELS[level].width) * LEVELS[level].width;
        match slots.binary_search_by_key(&slot.start, |other| other.start) {
            Ok(at) => slots[at].merge(&slot),
            Err(at) => slots.insert(at, slot),
        }
    }

    /// Add all of another, both brought to the same clock.
    pub fn merge(&mut self, mut other: Self, clock: &Clock) {
        self.roll(clock);
        other.roll(clock);
        for (level, slots) in other.levels.into_iter().enumerate() {
            for slot in slots {
                self.put(slot, level);
            }
        }
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.levels.iter().all(VecDeque::is_empty)
    }

    /// The slots that begin within `from..to` seconds, oldest first. Roll it first.
    pub fn between(&self, from: Seconds, to: Seconds) -> impl Iterator<Item = &Slot> + Clone {
        self.levels.iter().rev().flat_map(move |slots| {
            let begin = slots.partition_point(|slot| slot.start < from);
            slots.range(begin..slots.partition_point(|slot| slot.start < to).max(begin))
        })
    }
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONE: Delta = Delta { count: 1, errors: 0, origins: 0, duration: Some((7, 1)), own: None };

    fn of(seconds: &[Seconds]) -> (Timeline, Clock) {
        let (mut timeline, mut clock) = (Timeline::default(), Clock::default());
        for &second in seconds {
            clock.advance(second);
            timeline.add(second, &clock, &ONE);
        }
        timeline.roll(&clock);
        (timeline, clock)
    }

    proptest! {
        #[test]
        fn timeline__any_order__same_slots(seconds in prop::collection::vec(0i64..200_000, 1..80), seed in any::<u64>()) {
            let mut other = seconds.clone();
            other.rotate_left(usize::try_from(seed % seconds.len() as u64).unwrap_or(0));
            other.reverse();
            prop_assert_eq!(of(&seconds), of(&other));
        }

        #[test]
        fn timeline__merged__equals_one_pass(a in prop::collection::vec(0i64..200_000, 1..50), b in prop::collection::vec(0i64..200_000, 1..50)) {
            let (mut left, mut clock) = of(&a);
            let (right, other) = of(&b);
            clock.advance(other.second);
            left.merge(right, &clock);
            prop_assert_eq!(left, of(&[a, b].concat()).0);
        }

        #[test]
        fn timeline__taken_back__as_if_never_added(seconds in prop::collection::vec(0i64..100_000, 1..50), extra in 0i64..100_000) {
            let mut all = seconds.clone();
            all.push(100_001);
            let (expected, clock) = of(&all);
            let mut timeline = expected.clone();
            timeline.add(extra, &clock, &ONE);
            timeline.add(extra, &clock, &Delta { count: -1, duration: Some((7, -1)), ..ONE });
            prop_assert_eq!(timeline, expected);
        }
    }
}
