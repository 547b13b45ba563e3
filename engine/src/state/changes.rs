//! When series have changed, and at which seconds something has: counted in readings, for who keeps from one reading to the
//! next what would take long to make anew.

use super::series::SeriesId;
use super::timeline::{Seconds, Timeline};

/// Seconds that are told apart. Of two that are so far from each other, who asks for the one is told of the other too.
const SECONDS: Seconds = 4_096;
const PLACES: usize = 4_096;

/// When series have changed: counted in readings, from 1.
#[derive(Debug)]
pub struct Changes {
    /// The reading that was the last.
    reading: u32,
    /// By series, the reading after which it has changed last.
    last: Vec<u32>,
    /// By second, the reading after which something has changed last that happened then.
    touched: Box<[u32; PLACES]>,
    /// The reading after which anything may have changed, whenever it happened.
    all: u32,
}

impl Default for Changes {
    fn default() -> Self {
        Self { reading: 1, last: Vec::new(), touched: Box::new([0; PLACES]), all: 0 }
    }
}

impl Changes {
    /// There is a further series.
    pub(super) fn push(&mut self) {
        self.last.push(self.reading);
    }

    /// A series may be another from now on.
    #[inline]
    pub(super) fn note(&mut self, id: SeriesId) {
        self.last[id as usize] = self.reading;
    }

    /// A series may be another from now on, by what is added to a timeline at a second or taken back.
    #[inline]
    pub(super) fn enter(&mut self, id: SeriesId, second: Seconds, timeline: &Timeline) {
        self.note(id);
        self.touched[place(second)] = self.reading;
        if timeline.coarse() > 0 {
            let step = timeline.step();
            self.touched[place(second.div_euclid(step) * step)] = self.reading;
        }
    }

    /// All series may be others from now on.
    pub(super) fn note_all(&mut self) {
        self.last.fill(self.reading);
    }

    /// What happened may be another from now on, whenever it was.
    pub(super) const fn touch_all(&mut self) {
        self.all = self.reading;
    }

    /// There is a further reading. False if they can no longer be told apart: then nothing holds that was seen before.
    pub(super) fn read(&mut self) -> bool {
        if let Some(next) = self.reading.checked_add(1) {
            self.reading = next;
            return true;
        }
        *self = Self { reading: 2, last: vec![1; self.last.len()], ..Self::default() };
        false
    }

    /// The reading that was the last.
    pub(super) const fn reading(&self) -> u32 {
        self.reading
    }

    /// Of each series, whether it may have changed since a reading.
    pub(super) fn since(&self, seen: u32) -> impl Iterator<Item = bool> + '_ {
        self.last.iter().map(move |&last| last >= seen)
    }

    /// Whether a series may have changed since a reading.
    pub(super) fn is_since(&self, id: SeriesId, seen: u32) -> bool {
        self.last[id as usize] >= seen
    }

    /// The first second of a stretch at which something may have changed since a reading; its end, if nothing has.
    pub(super) fn first_since(&self, seen: u32, from: Seconds, to: Seconds) -> Seconds {
        if self.all >= seen {
            return from;
        }
        // All are looked at where they are asked for together.
        let far = to.saturating_sub(from) > SECONDS;
        let mut seconds = from..if far { from.saturating_add(SECONDS) } else { to };
        let found = seconds.find(|&second| self.touched[place(second)] >= seen);
        found.map_or(to, |second| if far { from } else { second })
    }
}

/// Where a second is noted.
#[inline]
fn place(second: Seconds) -> usize {
    usize::try_from(second.rem_euclid(SECONDS)).unwrap_or(0)
}
