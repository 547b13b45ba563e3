//! What the events of a row add up to.

use std::borrow::Cow;

use hashbrown::HashSet;

use super::dimension::{Cell, Dimension};
use super::status::Status;
use crate::state::hist::{Adder, Hist};
use crate::state::series::Record;
use crate::state::spread::Part;
use crate::state::timeline::Slot;

/// Sums over series and slots.
#[derive(Clone, Debug, Default)]
pub struct Tally<'a> {
    /// Events.
    pub count: u64,
    /// Of them, failed.
    pub errors: u64,
    /// Failed while everything they called succeeded.
    pub origins: u64,
    /// Nanoseconds on the critical paths of traces.
    pub path: u64,
    /// Durations.
    pub duration: Cow<'a, Hist>,
    /// Own times.
    pub own: Cow<'a, Hist>,
    /// Nanoseconds since the epoch of the first event ever.
    pub first: Option<i64>,
    /// Of the last.
    pub last: Option<i64>,
    /// Series.
    pub series: u64,
    /// The number of evidence of the busiest series; 0 if it has none.
    pub number: u32,
    /// How much that series added.
    pub busiest: u64,
    touched: bool,
    /// Distinct values of the dimensions that are counted so.
    values: Vec<(Dimension, HashSet<Cell<'a>>)>,
}

impl<'a> Tally<'a> {
    /// What is kept of a stretch.
    #[must_use]
    pub fn of(part: &'a Part) -> Self {
        let (sum, series, number, busiest) = (&part.sum, part.series, part.number, part.busiest);
        Self {
            count: sum.count,
            errors: sum.errors,
            origins: sum.origins,
            path: sum.path,
            duration: Cow::Borrowed(&sum.duration),
            own: Cow::Borrowed(&sum.own),
            series,
            number,
            busiest,
            ..Self::default()
        }
    }

    /// Nothing has happened yet; what held durations is used again.
    pub fn clear(&mut self) {
        for hist in [&mut self.duration, &mut self.own] {
            match hist {
                Cow::Owned(own) => own.clear(),
                Cow::Borrowed(_) => *hist = Cow::default(),
            }
        }
        (self.count, self.errors, self.origins, self.path) = (0, 0, 0, 0);
        (self.first, self.last) = (None, None);
        (self.series, self.number, self.busiest, self.touched) = (0, 0, 0, false);
        self.values.clear();
    }

    /// Whether no slot was added, before durations are.
    #[must_use]
    pub const fn is_untouched(&self) -> bool {
        !self.touched
    }

    /// Of it what failed, or what did not.
    #[must_use]
    pub fn of_status(&self, status: Status) -> Self {
        let (count, errors, origins) = match status {
            Status::Error => (self.errors, self.errors, self.origins),
            Status::Ok => (self.count.saturating_sub(self.errors), 0, 0),
        };
        Self { count, errors, origins, ..self.clone() }
    }

    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.own.is_empty()
    }

    /// Take in what is known of a series as a whole.
    pub fn see(&mut self, record: &Record) {
        self.first = self.first.into_iter().chain(record.first).min();
        self.last = self.last.max(record.last);
    }

    /// Count a value of a dimension.
    pub fn value(&mut self, dimension: Dimension, cell: Cell<'a>) {
        match self.values.iter_mut().find(|(other, _)| *other == dimension) {
            Some((_, values)) => {
                values.insert(cell);
            }
            None => self.values.push((dimension, [cell].into_iter().collect())),
        }
    }

    /// Distinct values of a dimension.
    #[must_use]
    pub fn distinct(&self, dimension: Dimension) -> u64 {
        self.values.iter().find(|(other, _)| *other == dimension).map_or(0, |(_, values)| values.len() as u64)
    }
}

/// Adds up slots; its buffers are kept between rows.
#[derive(Debug)]
pub struct Sums {
    duration: Option<Adder>,
    own: Option<Adder>,
}

impl Sums {
    /// Of the times that are asked for: durations, and own times.
    #[must_use]
    pub fn new([duration, own]: [bool; 2]) -> Self {
        Self { duration: duration.then(Adder::default), own: own.then(Adder::default) }
    }

    /// Add a slot.
    #[inline]
    pub fn add(&mut self, tally: &mut Tally<'_>, slot: &Slot) {
        tally.touched = true;
        tally.count += slot.count;
        tally.errors += slot.errors;
        tally.origins += slot.origins;
        tally.path += slot.path;
        if let Some(duration) = &mut self.duration {
            duration.add(&slot.duration);
        }
        if let Some(own) = &mut self.own {
            own.add(&slot.own);
        }
    }

    /// The row is one slot and nothing more.
    pub fn alone<'a>(&self, tally: &mut Tally<'a>, slot: &'a Slot) {
        (tally.count, tally.errors, tally.origins, tally.path) = (slot.count, slot.errors, slot.origins, slot.path);
        if self.duration.is_some() {
            tally.duration = Cow::Borrowed(&slot.duration);
        }
        if self.own.is_some() {
            tally.own = Cow::Borrowed(&slot.own);
        }
    }

    /// Add what a row came to.
    pub fn merge<'a>(&mut self, sum: &mut Tally<'a>, part: &Tally<'a>) {
        sum.count += part.count;
        sum.errors += part.errors;
        sum.origins += part.origins;
        sum.path += part.path;
        sum.series += part.series;
        sum.first = sum.first.into_iter().chain(part.first).min();
        sum.last = sum.last.max(part.last);
        for (dimension, values) in &part.values {
            values.iter().for_each(|&cell| sum.value(*dimension, cell));
        }
        if let Some(duration) = &mut self.duration {
            duration.add(&part.duration);
        }
        if let Some(own) = &mut self.own {
            own.add(&part.own);
        }
    }

    /// All has been added; begins anew.
    pub fn end(&mut self, sum: &mut Tally<'_>) {
        if let Some(duration) = &mut self.duration {
            duration.take_into(sum.duration.to_mut());
        }
        if let Some(own) = &mut self.own {
            own.take_into(sum.own.to_mut());
        }
    }
}
