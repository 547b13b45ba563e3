//! What a series did over time: seconds for the last minutes, coarser steps for the hours before.
//!
//! Slots lie on absolute event time and move to the next coarser level by the watermark alone. So a timeline is a function
//! of the events and the newest time seen: neither the order of the events nor the size of the batches shows in it.

use std::collections::VecDeque;

use serde::Serialize;

use super::hist::{self, Hist};
use super::wire::Wire;

/// Seconds.
pub type Seconds = i64;

/// A level of resolution: the width of its slots and how far back from the watermark it reaches.
struct Level {
    width: Seconds,
    reach: Seconds,
}

impl Level {
    /// Where the slot of a second begins.
    const fn begin(&self, second: Seconds) -> Seconds {
        second.div_euclid(self.width) * self.width
    }
}

/// From fine to coarse; each width divides the next, so that a slot never has to be split.
const LEVELS: [Level; 4] = [
    Level { width: 1, reach: 300 },
    Level { width: 10, reach: 1_800 },
    Level { width: 60, reach: 7_200 },
    Level { width: 600, reach: 93_600 },
];

/// Seconds since the epoch, or before it, that no time in nanoseconds comes to.
const FAR: Seconds = 1 << 40;

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

    /// Whether all levels begin where they do by another.
    #[must_use]
    pub fn begins_as(&self, other: &Self) -> bool {
        self.begins == other.begins
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
    /// Nanoseconds on the critical path of its trace.
    pub path: i64,
}

/// A stretch of a timeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// Nanoseconds on the critical paths of traces: the own time of spans there, and of an edge or a step all that was waited for.
    pub path: u64,
}

impl Slot {
    /// Returns about how many bytes it has grown by.
    #[inline]
    fn add(&mut self, delta: &Delta) -> usize {
        self.count = self.count.saturating_add_signed(delta.count.into());
        self.errors = self.errors.saturating_add_signed(delta.errors.into());
        self.origins = self.origins.saturating_add_signed(delta.origins.into());
        self.path = self.path.saturating_add_signed(delta.path);
        let mut entries = 0;
        if let Some((bucket, n)) = delta.duration {
            entries += usize::from(self.duration.add(bucket, n));
        }
        if let Some((bucket, n)) = delta.own {
            entries += usize::from(self.own.add(bucket, n));
        }
        // A vector has up to twice the room it needs.
        entries * hist::ENTRY * 2
    }

    /// Add all of another.
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.errors = self.errors.saturating_add(other.errors);
        self.origins = self.origins.saturating_add(other.origins);
        self.path = self.path.saturating_add(other.path);
        self.duration.merge(&other.duration);
        self.own.merge(&other.own);
    }

    /// Take all of another back that was added. False, and what is left says nothing, if it cannot have been.
    #[must_use]
    pub fn take_back(&mut self, other: &Self) -> bool {
        let counts = [
            (&mut self.count, other.count),
            (&mut self.errors, other.errors),
            (&mut self.origins, other.origins),
            (&mut self.path, other.path),
        ];
        counts.into_iter().all(|(count, n)| count.checked_sub(n).map(|left| *count = left).is_some())
            && self.duration.take_back(&other.duration)
            && self.own.take_back(&other.own)
    }

    /// Add all of one in a snapshot, its start aside.
    fn absorb(&mut self, from: &mut Wire<'_>) -> Option<()> {
        self.count = self.count.saturating_add(from.number()?);
        self.errors = self.errors.saturating_add(from.number()?);
        self.origins = self.origins.saturating_add(from.number()?);
        self.duration.absorb(from)?;
        self.own.absorb(from)?;
        self.path = self.path.saturating_add(from.number()?);
        Some(())
    }

    /// An empty one with room for as much.
    fn alike(&self) -> Self {
        Self { duration: self.duration.alike(), own: self.own.alike(), ..Self::default() }
    }

    fn shrink(&mut self) {
        self.duration.shrink();
        self.own.shrink();
    }

    /// Whether nothing is left in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
            && self.errors == 0
            && self.origins == 0
            && self.path == 0
            && self.duration.is_empty()
            && self.own.is_empty()
    }
}

/// About how many bytes a slot takes, with the room that its queue has beyond it.
const SLOT: usize = size_of::<Slot>() * 2;

/// The slots of one series, from fine to coarse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Timeline {
    levels: [VecDeque<Slot>; LEVELS.len()],
    /// How many of the fine levels had to be given up to save room.
    coarse: u8,
}

impl Timeline {
    /// Add to the slot of a second, wherever the clock has it by now; what is older than the last level is not kept.
    /// Returns about how many bytes it has grown by.
    #[inline]
    pub fn add(&mut self, second: Seconds, clock: &Clock, delta: &Delta) -> usize {
        let finest = usize::from(self.coarse).min(LEVELS.len() - 1);
        // Most events are of the newest slot: no other is looked at.
        if second >= clock.begins[finest]
            && let Some(slot) = self.levels[finest].back_mut()
            && slot.start <= second
            && second - slot.start < LEVELS[finest].width
            && delta.count >= 0
        {
            return slot.add(delta);
        }
        self.add_elsewhere(second, clock, *delta)
    }

    /// The same for any other slot.
    #[inline(never)]
    fn add_elsewhere(&mut self, second: Seconds, clock: &Clock, delta: Delta) -> usize {
        let finest = usize::from(self.coarse).min(LEVELS.len() - 1);
        if let Some(front) = self.levels[finest].front()
            && front.start < clock.begins[finest]
        {
            self.roll(clock);
        }
        let Some(level) = clock.begins.iter().position(|&begin| second >= begin) else { return 0 };
        let level = level.max(usize::from(self.coarse));
        let Some(slots) = self.levels.get_mut(level) else { return 0 };
        let start = second.div_euclid(LEVELS[level].width) * LEVELS[level].width;
        let at = behind(slots, start, LEVELS[level].width);
        if let Some(slot) = slots.get_mut(at).filter(|slot| slot.start == start) {
            let grown = slot.add(&delta);
            if slot.is_empty() {
                slots.remove(at);
            }
            return grown;
        }
        // As much room as the slot before it came to need: it is the best guess, and never more than is in use.
        let mut slot = slots.back().map(Slot::alike).unwrap_or_default();
        slot.start = start;
        let room = slot.duration.bytes() + slot.own.bytes();
        let grown = slot.add(&delta);
        if slot.is_empty() {
            return 0;
        }
        slots.insert(at, slot);
        room + grown + SLOT
    }

    /// The slot that most events are of, to be looked at; for who wants it near.
    #[inline]
    #[must_use]
    pub fn newest(&self) -> Option<&Slot> {
        self.levels.get(usize::from(self.coarse))?.back()
    }

    /// Give up the finest level that is left: what is in it moves to the next, whose slots are wider. With the last one
    /// goes all that is known of when it happened. False if nothing was left to give up.
    pub fn coarsen(&mut self) -> bool {
        let level = usize::from(self.coarse);
        let Some(slots) = self.levels.get_mut(level) else { return false };
        let slots = std::mem::take(slots);
        self.coarse += 1;
        slots.into_iter().for_each(|slot| self.put(slot, level + 1));
        self.levels.iter_mut().flatten().for_each(Slot::shrink);
        true
    }

    /// The seconds of its finest slots.
    #[must_use]
    pub fn step(&self) -> Seconds {
        LEVELS[usize::from(self.coarse).min(LEVELS.len() - 1)].width
    }

    /// How many of the fine levels had to be given up.
    #[must_use]
    pub const fn coarse(&self) -> u8 {
        self.coarse
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let slots = |level: &VecDeque<Slot>| {
            let hists: usize = level.iter().map(|slot| slot.duration.bytes() + slot.own.bytes()).sum();
            level.capacity() * size_of::<Slot>() + hists
        };
        self.levels.iter().map(slots).sum()
    }

    /// Move what the clock has left behind to the coarser levels.
    pub fn roll(&mut self, clock: &Clock) {
        self.roll_and_tell(clock, |_, _| {});
    }

    /// The same, and tell where each slot began and where it begins now: before all times, if it is kept no more.
    pub fn roll_and_tell(&mut self, clock: &Clock, mut moved: impl FnMut(Seconds, Seconds)) {
        for level in 0..LEVELS.len() {
            while self.levels[level].front().is_some_and(|slot| slot.start < clock.begins[level]) {
                if let Some(slot) = self.levels[level].pop_front() {
                    let start = LEVELS.get(level + 1).map_or(Seconds::MIN, |next| next.begin(slot.start));
                    moved(slot.start, start);
                    self.put(slot, level + 1);
                }
            }
        }
    }

    fn put(&mut self, mut slot: Slot, level: usize) {
        let Some(slots) = self.levels.get_mut(level) else { return };
        slot.start = LEVELS[level].begin(slot.start);
        match slots.binary_search_by_key(&slot.start, |other| other.start) {
            Ok(at) => slots[at].merge(&slot),
            Err(at) => slots.insert(at, slot),
        }
    }

    /// Add all of another, both brought to the same clock.
    pub fn merge(&mut self, mut other: Self, clock: &Clock) {
        while self.coarse < other.coarse {
            self.coarsen();
        }
        while other.coarse < self.coarse {
            other.coarsen();
        }
        self.roll(clock);
        other.roll(clock);
        for (level, slots) in other.levels.into_iter().enumerate() {
            for slot in slots {
                self.put(slot, level);
            }
        }
    }

    /// Pass one by in a snapshot; none if it is not whole, or its slots are in no order.
    pub fn check(from: &mut Wire<'_>) -> Option<()> {
        for _ in &LEVELS {
            let mut before = -FAR;
            for _ in 0..from.number()? {
                let start = from.signed()?;
                if start <= before || start >= FAR {
                    return None;
                }
                before = start;
                (0..3).try_for_each(|_| from.number().map(drop))?;
                Hist::check(from)?;
                Hist::check(from)?;
                from.number()?;
            }
        }
        from.exactly().filter(|&[coarse]| usize::from(coarse) <= LEVELS.len()).map(drop)
    }

    /// Add all of one in a snapshot that was checked; this one is rolled to the clock, and stays so. Returns about how many
    /// bytes it has grown by.
    pub fn absorb(&mut self, from: &mut Wire<'_>, clock: &Clock) -> Option<usize> {
        let mut grown = 0;
        for level in 0..LEVELS.len() {
            let (slots, mut next) = (from.small::<usize>()?, 0);
            for left in (1..=slots).rev() {
                let (level, start) = self.home(level, from.signed()?, clock);
                let Some(slots) = self.levels.get_mut(level) else {
                    Slot::default().absorb(from)?;
                    continue;
                };
                if slots.is_empty() {
                    slots.reserve_exact(left);
                }
                let (slot, is_new) = slot_at(slots, start, &mut next);
                let before = slot.duration.bytes() + slot.own.bytes();
                slot.absorb(from)?;
                let bytes = slot.duration.bytes() + slot.own.bytes();
                grown += bytes.saturating_sub(before) + if is_new { SLOT } else { 0 };
            }
        }
        let [coarse] = from.exactly()?;
        while self.coarse < coarse && self.coarsen() {}
        Some(grown)
    }

    /// The level at which a slot of a level has to be, and where it begins there; past the last one if it is too old.
    fn home(&self, mut level: usize, mut start: Seconds, clock: &Clock) -> (usize, Seconds) {
        while level < LEVELS.len() && (level < usize::from(self.coarse) || start < clock.begins[level]) {
            level += 1;
            if let Some(coarser) = LEVELS.get(level) {
                start = start.div_euclid(coarser.width) * coarser.width;
            }
        }
        (level, start)
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.levels.iter().all(VecDeque::is_empty)
    }

    /// When the first slot from a second on begins; after all times, if there is none. Roll it first.
    #[must_use]
    pub fn next(&self, second: Seconds) -> Seconds {
        let levels = self.levels.iter().zip(&LEVELS);
        let begins = levels.filter_map(|(slots, level)| slots.get(behind(slots, second, level.width)));
        begins.map(|slot| slot.start).min().unwrap_or(Seconds::MAX)
    }

    /// The slots that begin within `from..to` seconds, oldest first. Roll it first.
    pub fn between(&self, from: Seconds, to: Seconds) -> impl Iterator<Item = &Slot> + Clone {
        self.levels.iter().zip(&LEVELS).rev().flat_map(move |(slots, level)| {
            let begin = behind(slots, from, level.width);
            let end = if slots.back().is_none_or(|last| last.start < to) {
                slots.len()
            } else {
                behind(slots, to, level.width).max(begin)
            };
            slots.range(begin..end)
        })
    }
}

/// The slot that begins at a second, made if it is new. It is mostly the one behind the slot before it, at `next`.
fn slot_at<'a>(slots: &'a mut VecDeque<Slot>, start: Seconds, next: &mut usize) -> (&'a mut Slot, bool) {
    let new = || Slot { start, ..Slot::default() };
    let (at, is_new) = match slots.get(*next) {
        Some(slot) if slot.start == start => (*next, false),
        None if slots.back().is_none_or(|last| last.start < start) => {
            slots.push_back(new());
            (slots.len() - 1, true)
        }
        _ => match slots.binary_search_by_key(&start, |slot| slot.start) {
            Ok(at) => (at, false),
            Err(at) => {
                slots.insert(at, new());
                (at, true)
            }
        },
    };
    *next = at + 1;
    (&mut slots[at], is_new)
}

/// How many slots begin before a second. It is looked for near the end, where it is mostly asked for, and only among as many
/// as fit between it and the end: to halve all of them would be to wait for memory at each step.
fn behind(slots: &VecDeque<Slot>, second: Seconds, width: Seconds) -> usize {
    let (Some(first), Some(last)) = (slots.front(), slots.back()) else { return 0 };
    if first.start >= second {
        return 0;
    }
    let after = last.start.saturating_sub(second).div_euclid(width).saturating_add(1).max(0);
    let mut low = slots.len().saturating_sub(usize::try_from(after).unwrap_or(usize::MAX));
    let mut high = slots.len();
    while low < high {
        let middle = low.midpoint(high);
        if slots[middle].start < second {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONE: Delta = Delta { count: 1, errors: 0, origins: 0, duration: Some((7, 1)), own: None, path: 5 };

    fn of(seconds: &[Seconds]) -> (Timeline, Clock) {
        let (mut timeline, mut clock) = (Timeline::default(), Clock::default());
        for &second in seconds {
            clock.advance(second);
            _ = timeline.add(second, &clock, &ONE);
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
        fn timeline__written_and_absorbed__as_merged(a in prop::collection::vec(0i64..100_000, 0..60), b in prop::collection::vec(0i64..100_000, 0..60), coarse in 0u8..4, theirs in 0u8..5) {
            let ((mut mine, mut clock), (mut other, then)) = (of(&a), of(&b));
            (0..coarse).for_each(|_| _ = mine.coarsen());
            (0..theirs).for_each(|_| _ = other.coarsen());
            let bytes = postcard::to_stdvec(&other).unwrap_or_default();
            let mut checked = Wire::new(&bytes);
            prop_assert!(Timeline::check(&mut checked).is_some() && checked.left() == 0);
            clock.advance(then.second);
            mine.roll(&clock);
            let mut merged = mine.clone();
            merged.merge(other, &clock);
            let mut wire = Wire::new(&bytes);
            prop_assert!(mine.absorb(&mut wire, &clock).is_some() && wire.left() == 0);
            prop_assert_eq!(mine, merged);
        }

        #[test]
        fn check__any_bytes__none_that_absorbing_would_choke_on(bytes in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..60)) {
            if Timeline::check(&mut Wire::new(&bytes)).is_some() {
                let mut timeline = Timeline::default();
                prop_assert!(timeline.absorb(&mut Wire::new(&bytes), &Clock::default()).is_some());
            }
        }

        #[test]
        fn timeline__coarsened_at_any_time__same_as_in_the_end(seconds in prop::collection::vec(0i64..100_000, 1..60), at in 0usize..60, times in 1u8..4) {
            let (mut late, clock) = of(&seconds);
            let (mut early, mut now) = (Timeline::default(), Clock::default());
            for (i, &second) in seconds.iter().enumerate() {
                if i == at.min(seconds.len() - 1) {
                    (0..times).for_each(|_| _ = early.coarsen());
                }
                now.advance(second);
                _ = early.add(second, &now, &ONE);
            }
            early.roll(&now);
            (0..times).for_each(|_| _ = late.coarsen());
            late.roll(&clock);
            prop_assert_eq!(&early, &late);
            let counted = late.between(i64::MIN, i64::MAX).map(|slot| slot.count).sum::<u64>();
            prop_assert_eq!(counted, seconds.iter().filter(|&&second| second >= clock.oldest()).count() as u64);
        }

        #[test]
        fn timeline__between_any_seconds__the_slots_that_begin_there(seconds in prop::collection::vec(0i64..20_000, 0..80), from in -10i64..20_100, length in -5i64..20_000) {
            let (timeline, _) = of(&seconds);
            let to = from + length;
            let starts = |from, to| timeline.between(from, to).map(|slot| slot.start).collect::<Vec<_>>();
            let all = starts(i64::MIN, i64::MAX);
            prop_assert_eq!(starts(from, to), all.into_iter().filter(|start| (from..to).contains(start)).collect::<Vec<_>>());
        }

        #[test]
        fn timeline__taken_back__as_if_never_added(seconds in prop::collection::vec(0i64..100_000, 1..50), extra in 0i64..100_000) {
            let mut all = seconds.clone();
            all.push(100_001);
            let (expected, clock) = of(&all);
            let mut timeline = expected.clone();
            _ = timeline.add(extra, &clock, &ONE);
            _ = timeline.add(extra, &clock, &Delta { count: -1, duration: Some((7, -1)), path: -5, ..ONE });
            prop_assert_eq!(timeline, expected);
        }
    }
}
