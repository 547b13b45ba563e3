//! Time in stretches of equal length, and what happened in each.

use super::dimension::Dimension;
use super::rows::Rows;
use super::series::Question;
use super::tally::{Sums, Tally};
use super::window::Window;
use crate::state::series::SeriesId;
use crate::state::timeline::Seconds;

/// What the series of a row come to in each stretch of the window; used again for the next row.
pub struct Stretches<'a> {
    /// The dimension that is time.
    pub at: usize,
    /// Seconds of a stretch.
    width: Seconds,
    /// Where the first of them begins.
    begin: Seconds,
    window: Window,
    parts: Vec<(Tally<'a>, Sums)>,
}

impl<'a> Stretches<'a> {
    /// Those of a question, if it tells rows apart by time.
    #[must_use]
    pub fn of(question: &Question) -> Option<Self> {
        let window = question.windows.now;
        question.dimensions.iter().enumerate().find_map(|(at, dimension)| {
            let Dimension::Time(width) = *dimension else { return None };
            let number = (window.to - 1).div_euclid(width) - window.from.div_euclid(width) + 1;
            let mut parts = Vec::new();
            parts.resize_with(usize::try_from(number).unwrap_or(1), || (Tally::default(), Sums::new(question.times())));
            let begin = window.from.div_euclid(width) * width;
            Some(Self { at, width, begin, window, parts })
        })
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.parts.len()
    }

    /// Where the stretch that a second begins stands among them.
    #[must_use]
    pub fn place(&self, second: Seconds) -> usize {
        // One division for most slots of a timeline, and of natural numbers.
        let place = (second - self.begin).max(0).unsigned_abs() / self.width.unsigned_abs();
        usize::try_from(place).unwrap_or(usize::MAX).min(self.parts.len() - 1)
    }

    /// Add what series did.
    pub fn fill(&mut self, rows: &Rows<'_, 'a>, series: &[SeriesId]) {
        for &id in series {
            // The stretch that is being added to, where it ends, and what it came to before this series.
            let mut last: Option<(usize, Seconds, u64)> = None;
            for slot in rows.slots(id, self.window) {
                let now = match last {
                    Some((now, end, _)) if slot.start < end => now,
                    _ => {
                        if let Some((part, _, before)) = last {
                            rows.see(id, before, &mut self.parts[part].0);
                        }
                        let now = self.place(slot.start);
                        let end = self.begin + Seconds::try_from(now + 1).unwrap_or(1) * self.width;
                        last = Some((now, end, self.parts[now].0.count));
                        now
                    }
                };
                let (tally, sums) = &mut self.parts[now];
                sums.add(tally, slot);
            }
            if let Some((part, _, before)) = last {
                rows.see(id, before, &mut self.parts[part].0);
            }
        }
    }

    /// How many events a series had in each; nothing if it had none.
    pub fn counts<'c>(&self, rows: &Rows<'_, 'a>, id: SeriesId, counts: &'c mut Vec<u64>) -> Option<&'c [u64]> {
        counts.clear();
        counts.resize(self.parts.len(), 0);
        let mut any = false;
        for slot in rows.slots(id, self.window) {
            counts[self.place(slot.start)] += slot.count;
            any |= slot.count > 0;
        }
        any.then_some(counts)
    }

    /// Go through the stretches in which something happened: when each begins, and what it came to. All are empty afterwards.
    pub fn each(&mut self, question: &Question, mut took: impl FnMut(Seconds, &Tally<'a>)) {
        let first = self.window.from.div_euclid(self.width);
        for (number, (tally, sums)) in (first..).zip(&mut self.parts) {
            if tally.is_untouched() {
                continue;
            }
            sums.end(tally);
            question.filter.narrow(tally);
            if !tally.is_empty() {
                took(number * self.width, tally);
            }
            tally.clear();
        }
    }
}
