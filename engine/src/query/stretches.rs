//! Time in stretches of equal length, and what happened in each.

use super::dimension::Dimension;
use super::measure::Measure;
use super::members::Members;
use super::rows::{self, Rows};
use super::series::Question;
use super::tally::{Sums, Tally};
use super::window::Window;
use crate::state::State;
use crate::state::frame::Frame;
use crate::state::series::SeriesId;
use crate::state::spread::{Asked, Spread};
use crate::state::sums::Sums as KnownSums;
use crate::state::timeline::Seconds;

/// What the series of a row come to in each stretch of the window; used again for the next row.
pub struct Stretches<'a> {
    /// The dimension that is time.
    pub at: usize,
    frame: Frame,
    window: Window,
    /// What is kept of them.
    known: Option<&'a Spread>,
    parts: Vec<(Tally<'a>, Sums)>,
    /// How many events there were in each.
    counts: Vec<u64>,
    /// In each the most that one series had of which there is evidence, and its number.
    busiest: Vec<(u64, u32)>,
}

/// The stretches of a question, if it tells rows apart by time, and the place of that dimension.
fn frame(question: &Question) -> Option<(usize, Frame)> {
    let Window { from, to, .. } = question.windows.now;
    question.dimensions.iter().enumerate().find_map(|(at, dimension)| match *dimension {
        Dimension::Time(width) => Some((at, Frame { from, to, width })),
        _ => None,
    })
}

fn asked<'q>(question: &Question, members: &'q Members<'_>, frame: Frame) -> Asked<'q> {
    Asked { frame, series: members.all(), ends: members.ends(), times: question.times() }
}

/// Bring up to date what is kept of the stretches of a question: of its counts alone, or of all that it measures.
pub fn prepare(question: &Question, state: &State, sums: &mut KnownSums, members: &Members<'_>, counts: bool) {
    let Some((_, frame)) = frame(question) else { return };
    // When something was seen ever, and what is distinct, may change with no change of what happened in a stretch.
    let of_records = |measure: &Measure| matches!(measure, Measure::First | Measure::Last | Measure::Distinct(_));
    if counts {
        sums.count(&state.table, frame, members.all());
    } else if !question.measures.iter().any(of_records) {
        sums.spread(&state.table, asked(question, members, frame), |id| rows::number(state, id));
    }
}

impl<'a> Stretches<'a> {
    /// Those of a question, if it tells rows apart by time.
    #[must_use]
    pub fn of(question: &Question, rows: &Rows<'_, 'a>, members: &Members<'a>) -> Option<Self> {
        let (at, frame) = frame(question)?;
        let known = rows.sums.spread_of(&rows.state.table, asked(question, members, frame));
        let mut parts = Vec::new();
        if known.is_none() {
            parts.resize_with(frame.number(), || (Tally::default(), Sums::new(question.times())));
        }
        let window = question.windows.now;
        Some(Self { at, frame, window, known, parts, counts: Vec::new(), busiest: Vec::new() })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frame.number()
    }

    /// Add what series did.
    fn fill(&mut self, rows: &Rows<'_, 'a>, series: &[SeriesId]) {
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
                        let now = self.frame.place(slot.start);
                        last = Some((now, self.frame.start(now + 1), self.parts[now].0.count));
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

    /// How many events the series of a group had in each, and the number of evidence of the busiest; nothing if they had none.
    pub fn counts(&mut self, rows: &Rows<'_, 'a>, series: &[SeriesId]) -> Option<(&[u64], u32)> {
        let (table, frame) = (&rows.state.table, self.frame);
        if let &[id] = series
            && let Some(counts) = rows.sums.counts(table, frame, id)
        {
            let any = counts.iter().any(|&count| count > 0);
            return any.then(|| (counts, table.record(id).number));
        }
        self.counts.clear();
        self.counts.resize(frame.number(), 0);
        self.busiest.clear();
        self.busiest.resize(frame.number(), (0, 0));
        let mut own = Vec::new();
        for &id in series {
            let counts = rows.sums.counts(table, frame, id).unwrap_or_else(|| {
                own.clear();
                own.resize(frame.number(), 0);
                rows.slots(id, self.window).for_each(|slot| own[frame.place(slot.start)] += slot.count);
                &own
            });
            let number = if series.len() == 1 { table.record(id).number } else { rows::number(rows.state, id) };
            for ((sum, busiest), &count) in self.counts.iter_mut().zip(&mut self.busiest).zip(counts) {
                *sum += count;
                if count > busiest.0 && number > 0 {
                    *busiest = (count, number);
                }
            }
        }
        let most = self.counts.iter().copied().max().filter(|&most| most > 0)?;
        let last = self.counts.iter().rposition(|&count| count == most)?;
        Some((&self.counts, self.busiest[last].1))
    }

    /// Go through the stretches in which the series of a group did something: when each begins, and what it came to.
    pub fn each(
        &mut self,
        rows: &mut Rows<'_, 'a>,
        members: &Members<'a>,
        group: usize,
        mut took: impl FnMut(&mut Rows<'_, 'a>, Seconds, &Tally<'a>),
    ) {
        let (frame, filter) = (self.frame, &rows.question.filter);
        if let Some(spread) = self.known {
            for (place, part) in spread.parts(group).iter().enumerate() {
                let mut tally = Tally::of(part);
                filter.narrow(&mut tally);
                if !tally.is_empty() {
                    took(rows, frame.start(place), &tally);
                }
            }
            return;
        }
        self.fill(rows, members.series(group));
        for (place, (tally, sums)) in self.parts.iter_mut().enumerate() {
            if tally.is_untouched() {
                continue;
            }
            sums.end(tally);
            filter.narrow(tally);
            if !tally.is_empty() {
                took(rows, frame.start(place), tally);
            }
            tally.clear();
        }
    }
}
