//! How many events each series had in each stretch of a window, kept from one reading to the next.
//!
//! Lines over time are asked for again and again, and slots lie anywhere. Here the counts of a series stand side by side: where
//! nothing has changed and the window has moved on, they do too, and only what has left the first stretch is taken off.

use super::frame::Frame;
use super::series::{SeriesId, Table};
use super::timeline::{Seconds, Timeline};

/// Counts kept at most, 16 MB.
const MOST: usize = 2_000_000;

/// Of when the counts of a series are.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// The reading in which they were counted; 0 if they never were.
    seen: u32,
    /// Nothing happened after the window.
    open: bool,
    frame: Frame,
}

/// Counts by series, of stretches of one length.
#[derive(Debug, Default)]
pub struct Counts {
    width: Seconds,
    /// Places for stretches that each series has.
    places: usize,
    rows: Vec<Row>,
    counts: Vec<u64>,
}

impl Counts {
    /// Bring those of some series of a table up to date, if there are not too many.
    pub fn update(&mut self, table: &Table, frame: Frame, series: &[SeriesId]) {
        let places = frame.most();
        if table.size().saturating_mul(places) > MOST {
            *self = Self::default();
            return;
        }
        if (self.width, self.places) != (frame.width, places) {
            *self = Self { width: frame.width, places, ..Self::default() };
        }
        self.rows.resize(table.size(), Row { seen: 0, open: false, frame });
        self.counts.resize(table.size() * places, 0);
        // Most were seen in the same reading.
        let mut first = (0, frame.from);
        for &id in series {
            let at = id as usize;
            let (row, counts) = (&mut self.rows[at], &mut self.counts[at * places..(at + 1) * places]);
            if row.seen != first.0 {
                first = (row.seen, table.changes().first_since(row.seen, frame.from, frame.to));
            }
            let timeline = || &table.record(id).timeline;
            let changed = table.changes().is_since(id, row.seen);
            row.move_on(frame, timeline, changed.then_some(first.1), counts);
            row.seen = table.changes().reading();
        }
    }

    /// How many events a series had in each stretch, if that was counted in the last reading.
    #[must_use]
    pub fn get(&self, table: &Table, frame: Frame, id: SeriesId) -> Option<&[u64]> {
        let row = self.rows.get(id as usize)?;
        let begin = id as usize * self.places;
        let fresh = row.seen == table.changes().reading() && row.frame == frame;
        fresh.then(|| &self.counts[begin..begin + frame.number()])
    }

    /// Bytes they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.counts.capacity() * size_of::<u64>() + self.rows.capacity() * size_of::<Row>()
    }
}

impl Row {
    /// Bring the counts of a series to a window, in which something has changed from a second on if it has.
    fn move_on<'a>(
        &mut self,
        frame: Frame,
        timeline: impl Fn() -> &'a Timeline,
        changed: Option<Seconds>,
        counts: &mut [u64],
    ) {
        let own = std::mem::replace(&mut self.frame, frame);
        let shift = frame.moved_from(&own).filter(|_| self.seen > 0);
        let Some(shift) = shift else {
            return self.count(frame.from, timeline(), counts);
        };
        if shift > 0 {
            counts.copy_within(shift.., 0);
            let left = counts.len() - shift;
            counts[left..].fill(0);
        }
        // What the window has moved on to is counted anew, unless there was nothing behind it before.
        let entered = if self.open && changed.is_none() || frame.to == own.to { frame.to } else { own.to };
        let anew = changed.unwrap_or(frame.to).min(entered);
        if anew < frame.to {
            self.count(anew, timeline(), counts);
        } else if changed.is_some() {
            self.open = timeline().next(frame.to) == Seconds::MAX;
        }
        // Of the first stretch, what is before the window.
        let left = frame.from > frame.begin().max(own.from) && counts[0] > 0;
        if left && (anew >= frame.to || frame.place(anew) > 0) {
            let first = frame.stretch(0);
            counts[0] = timeline().between(first.from, first.to).map(|slot| slot.count).sum();
        }
    }

    /// Count what happened from the stretch on that a second is in.
    fn count(&mut self, second: Seconds, timeline: &Timeline, counts: &mut [u64]) {
        let frame = self.frame;
        let place = frame.place(second);
        counts[place..].fill(0);
        for slot in timeline.between(frame.stretch(place).from, frame.to) {
            counts[frame.place(slot.start)] += slot.count;
        }
        self.open = timeline.next(frame.to) == Seconds::MAX;
    }
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use super::*;
    use crate::event::Kind;
    use crate::state::series::Key;
    use crate::state::timeline::{Clock, Delta};

    #[test]
    fn counts__something_comes_behind_the_window__there_once_it_moves_on() {
        let (mut table, mut clock, mut counts) = (Table::new(8), Clock::default(), Counts::default());
        clock.advance(1_000);
        let id = table.insert(&Key { service: "a", operation: "b", within: "", kind: Kind::Server });
        let mut found = Vec::new();
        for (second, to) in [(985, 990), (995, 990), (986, 1_000)] {
            table.enter(id, second, &clock, &Delta { count: 1, ..Delta::default() });
            for to in [to, to] {
                let sums = table.lend_sums();
                let frame = Frame { from: 900, to, width: 10 };
                counts.update(&table, frame, &[id]);
                found.push(counts.get(&table, frame, id).map(|counts| counts.iter().sum::<u64>()));
                table.keep_sums(sums);
            }
        }
        assert_eq!(found, [1, 1, 1, 1, 3, 3].map(Some));
    }
}
