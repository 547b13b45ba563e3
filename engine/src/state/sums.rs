//! What series come to over a stretch of time, kept from one reading to the next.
//!
//! Who reads asks for the same stretches again and again, and most series have done nothing meanwhile. A sum holds for as
//! long as its series does not change; where the stretch has moved on, what entered is added and what left is taken back,
//! and for most series neither is anything. It is a cache: no part of what the state says, of its snapshots or of its
//! equality, and the first to go where memory is short.

use std::hint::black_box;

use super::account::Account;
use super::changes::Changes;
use super::counts::Counts;
use super::frame::Frame;
use super::hist::Adder;
use super::order::Order;
use super::series::{SeriesId, Table};
use super::spread::{Asked, Spread, Spreads};
use super::timeline::{Seconds, Slot, Timeline};

/// Slots whose durations are looked at before they are added up: they lie anywhere, and are waited for all at once.
const NEAR: usize = 32;

/// Stretches remembered: those of a summary, and those that some questions ask for.
const STRETCHES: usize = 8;

/// Bytes of a sum beside its durations.
const ENTRY: usize = size_of::<Entry>() + size_of::<Slot>();

/// From a second up to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Its first second.
    pub from: Seconds,
    /// The second after it.
    pub to: Seconds,
}

impl Stretch {
    /// By how many seconds it has to move on to become another; `None` if that is so far that it is not worth it.
    fn until(self, other: Self) -> Option<Seconds> {
        let moved = (other.from.checked_sub(self.from)?, other.to.checked_sub(self.to)?);
        let near = moved.0 >= 0 && moved.1 >= 0 && moved.0.max(moved.1) <= (other.to - other.from) / 4;
        near.then_some(moved.0 + moved.1)
    }
}

/// Of when the sum of one series is.
#[derive(Clone, Debug, Default)]
struct Entry {
    /// The reading in which it was added up; 0 if it never was.
    seen: u32,
    /// Of when it is.
    from: Seconds,
    to: Seconds,
    /// The first seconds at which there is something that would leave it, or enter it, if the stretch moved on; the
    /// earliest there is if that is not known.
    leaves: Seconds,
    enters: Seconds,
    /// No other sum has the same.
    number: u64,
}

impl Entry {
    /// Whether it is that of a stretch too: nothing lies between where the one begins and the other, nor where they end.
    fn is_of(&self, stretch: Stretch) -> bool {
        let same = |own, next, asked| own == asked || (own <= asked && asked <= next);
        same(self.from, self.leaves, stretch.from) && same(self.to, self.enters, stretch.to)
    }

    /// Move on to a stretch with the sum. False if it has to be added up anew.
    fn move_on(&mut self, sum: &mut Slot, timeline: &Timeline, stretch: Stretch) -> bool {
        let own = Stretch { from: self.from, to: self.to };
        if own.until(stretch).is_none() || !timeline.between(own.from, stretch.from).all(|slot| sum.take_back(slot)) {
            return false;
        }
        timeline.between(own.to, stretch.to).for_each(|slot| sum.merge(slot));
        self.look(timeline, stretch);
        true
    }

    fn look(&mut self, timeline: &Timeline, stretch: Stretch) {
        (self.from, self.to) = (stretch.from, stretch.to);
        (self.leaves, self.enters) = (timeline.next(stretch.from), timeline.next(stretch.to));
    }
}

/// The sums of one stretch.
#[derive(Debug, Default)]
struct Kept {
    stretch: Option<Stretch>,
    /// By series.
    entries: Vec<Entry>,
    /// What each came to.
    sums: Vec<Slot>,
    /// Bytes of durations on the heap.
    bytes: usize,
}

/// What is known of a series beside its timeline.
#[derive(Clone, Copy, Debug, Default)]
pub struct Profile {
    /// The reading in which it was looked at; 0 if it never was.
    seen: u32,
    /// The number it is asked for by; 0 if it has none.
    pub number: u32,
    /// Nanoseconds since the epoch of its first event ever; none where there is nothing in it.
    pub first: Option<i64>,
    /// Nanoseconds since the epoch of its latest event.
    pub last: Option<i64>,
}

/// The sums of the stretches that were asked for last; the one used last is the last.
#[derive(Debug, Default)]
pub struct Sums {
    kept: Vec<Kept>,
    order: Order,
    /// What was made of them for the last account.
    pub account: Account,
    /// By series.
    profiles: Vec<Profile>,
    /// Sums that were made so far.
    made: u64,
    counts: Counts,
    spreads: Spreads,
    adder: SlotAdder,
}

impl Sums {
    /// In a series, a slot that began at one second now begins at an earlier one.
    pub(super) fn moved(&mut self, id: SeriesId, from: Seconds, to: Seconds) {
        for entry in self.kept.iter_mut().filter_map(|kept| kept.entries.get_mut(id as usize)) {
            if [entry.from, entry.to].iter().any(|&edge| to < edge && edge <= from) {
                entry.seen = 0;
            }
            (entry.leaves, entry.enters) = (Seconds::MIN, Seconds::MIN);
        }
    }

    /// Bring up to date what some series of a table come to over a stretch.
    pub fn update(&mut self, table: &Table, stretch: Stretch, series: impl Iterator<Item = SeriesId>) {
        let way = |kept: &Kept| kept.stretch.and_then(|own| own.until(stretch));
        let near = (0..self.kept.len()).filter_map(|at| Some((way(&self.kept[at])?, at))).min();
        let mut kept = match near {
            Some((_, at)) => self.kept.remove(at),
            None if self.kept.len() < STRETCHES => Kept::default(),
            None => self.kept.remove(0),
        };
        kept.stretch = Some(stretch);
        let changes = table.changes();
        kept.entries.resize_with(table.size(), Entry::default);
        kept.sums.resize_with(table.size(), Slot::default);
        for id in series {
            let entry = &mut kept.entries[id as usize];
            let holds = !changes.is_since(id, entry.seen);
            if holds && entry.is_of(stretch) {
                continue;
            }
            let (timeline, sum) = (&table.record(id).timeline, &mut kept.sums[id as usize]);
            kept.bytes -= sum.duration.bytes() + sum.own.bytes();
            if !holds || !entry.move_on(sum, timeline, stretch) {
                self.adder.add_up(timeline, stretch, sum);
                entry.look(timeline, stretch);
                entry.seen = changes.reading();
            }
            self.made += 1;
            entry.number = self.made;
            kept.bytes += sum.duration.bytes() + sum.own.bytes();
        }
        self.kept.push(kept);
    }

    /// Look at the series of a table that have changed. Returns the time of the first event of all.
    pub fn look(&mut self, table: &Table) -> Option<i64> {
        let changes = table.changes();
        self.profiles.resize_with(table.size(), Profile::default);
        for (id, profile) in (0..).zip(&mut self.profiles) {
            if changes.is_since(id, profile.seen) {
                let record = table.record(id);
                let lives = !record.is_empty();
                *profile = Profile {
                    seen: changes.reading(),
                    number: record.number,
                    first: record.first.filter(|_| lives),
                    last: record.last.filter(|_| lives),
                };
            }
        }
        self.profiles.iter().filter_map(|profile| profile.first).min()
    }

    /// What is known of a series beside its timeline; [`Sums::look`] at all before.
    #[must_use]
    pub fn profile(&self, id: SeriesId) -> Profile {
        self.profiles.get(id as usize).copied().unwrap_or_default()
    }

    /// What the series of a table came to over a stretch, if that was asked for lately.
    #[must_use]
    pub fn over<'a>(&'a self, table: &'a Table, stretch: Stretch) -> Over<'a> {
        let kept = self.kept.iter().rev().find(|kept| kept.stretch == Some(stretch));
        Over { changes: table.changes(), kept, stretch }
    }

    /// Bring up to date how many events some series of a table had in each stretch of a window.
    pub fn count(&mut self, table: &Table, frame: Frame, series: &[SeriesId]) {
        self.counts.update(table, frame, series);
    }

    /// How many events a series had in each stretch of a window, if that was asked for in this reading.
    #[must_use]
    pub fn counts(&self, table: &Table, frame: Frame, id: SeriesId) -> Option<&[u64]> {
        self.counts.get(table, frame, id)
    }

    /// Bring up to date what groups of series of a table came to in each stretch of a window; `number` is that of a series'
    /// evidence.
    pub fn spread(&mut self, table: &Table, asked: Asked<'_>, number: impl Fn(SeriesId) -> u32) {
        self.spreads.update(table, asked, number);
    }

    /// What groups of series came to in each stretch of a window, if that was asked for in this reading.
    #[must_use]
    pub fn spread_of(&self, table: &Table, asked: Asked<'_>) -> Option<&Spread> {
        self.spreads.get(table, asked)
    }

    /// The order of a table's series; [`Sums::sort`] it before.
    #[must_use]
    pub const fn order(&self) -> &Order {
        &self.order
    }

    /// Bring the order of a table's series up to date, `made` anew if there are others.
    pub fn sort(&mut self, table: &Table, made: impl FnOnce() -> Order) {
        if !self.order.is_of(table) {
            self.order = made();
        }
    }

    /// Bytes they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let kept = self.kept.iter().map(|kept| kept.entries.capacity() * ENTRY + kept.bytes).sum::<usize>();
        let profiles = self.profiles.capacity() * size_of::<Profile>();
        kept + profiles + self.order.bytes() + self.account.bytes() + self.counts.bytes() + self.spreads.bytes()
    }

    /// Forget those that have not been asked for the longest until the rest is within some bytes.
    pub fn shrink_to(&mut self, bytes: usize) {
        if self.bytes() > bytes {
            self.account = Account::default();
        }
        if self.bytes() > bytes {
            (self.counts, self.spreads) = (Counts::default(), Spreads::default());
        }
        while !self.kept.is_empty() && self.bytes() > bytes {
            self.kept.remove(0);
        }
    }
}

/// What series came to over one stretch.
#[derive(Clone, Copy, Debug)]
pub struct Over<'a> {
    changes: &'a Changes,
    kept: Option<&'a Kept>,
    stretch: Stretch,
}

impl<'a> Over<'a> {
    /// What a series came to, if that is known. Its `start` says nothing.
    #[must_use]
    pub fn get(&self, id: SeriesId) -> Option<&'a Slot> {
        self.numbered(id).map(|(sum, _)| sum)
    }

    /// The same, with a number that no other sum has.
    #[must_use]
    pub fn numbered(&self, id: SeriesId) -> Option<(&'a Slot, u64)> {
        let kept = self.kept?;
        let entry = kept.entries.get(id as usize)?;
        let holds = !self.changes.is_since(id, entry.seen) && entry.is_of(self.stretch);
        holds.then(|| Some((kept.sums.get(id as usize)?, entry.number))).flatten()
    }
}

/// Adds up slots.
#[derive(Debug, Default)]
pub struct SlotAdder {
    duration: Adder,
    own: Adder,
}

impl SlotAdder {
    /// Add a slot: its counts to a sum at once, of its times those that are asked for at the [end](Self::end).
    #[inline]
    pub fn add(&mut self, sum: &mut Slot, slot: &Slot, [duration, own]: [bool; 2]) {
        sum.count += slot.count;
        sum.errors += slot.errors;
        sum.origins += slot.origins;
        sum.path = sum.path.saturating_add(slot.path);
        if duration {
            self.duration.add(&slot.duration);
        }
        if own {
            self.own.add(&slot.own);
        }
    }

    /// All has been added; begins anew.
    pub fn end(&mut self, sum: &mut Slot) {
        self.duration.take_into(&mut sum.duration);
        self.own.take_into(&mut sum.own);
    }

    /// What a timeline comes to over a stretch, in the place of what `sum` held.
    pub fn add_up(&mut self, timeline: &Timeline, stretch: Stretch, sum: &mut Slot) {
        (sum.count, sum.errors, sum.origins, sum.path) = (0, 0, 0, 0);
        let slots = timeline.between(stretch.from, stretch.to);
        let mut ahead = slots.clone();
        for (number, slot) in slots.enumerate() {
            if number % NEAR == 0 {
                for slot in ahead.by_ref().take(NEAR) {
                    black_box((slot.duration.approach(), slot.own.approach()));
                }
            }
            self.add(sum, slot, [true; 2]);
        }
        self.end(sum);
    }

    /// The same, in a place of its own.
    #[must_use]
    pub fn sum(&mut self, timeline: &Timeline, stretch: Stretch) -> Slot {
        let mut sum = Slot::default();
        self.add_up(timeline, stretch, &mut sum);
        sum
    }
}
