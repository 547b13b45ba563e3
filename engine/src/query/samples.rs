//! The strata that the events of some series were picked from, and the rows that those which are meant make up.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};

use super::attribute::{Key, NONE};
use super::dimension::{Cell, Dimension};
use super::estimate::{Stratum, Sum, Timed};
use super::looked::Looked;
use super::series::Question;
use super::status::Status;
use crate::state::State;
use crate::state::attributes::{Carrier, Stretch};
use crate::state::evidence::EPOCH;
use crate::state::series::SeriesId;
use crate::state::timeline::Seconds;

/// Stands for what events carried of which none is kept.
pub const NOT_KEPT: &str = "(not kept)";

/// Stands for all that too few events tell of.
pub const TOO_FEW: &str = "(too few)";

/// Events below which a row is not told alone, unless it is exact.
const FEW: u32 = 3;

/// A row as it is found: what tells it apart, and of which strata its events are.
pub struct Found {
    /// The group of series and the stretch of time that it lies in; all of them where it was joined from several.
    pub scope: Option<usize>,
    /// How its events ended, where that tells rows apart.
    pub failed: Option<bool>,
    /// Events that tell of it; none if it was joined with others.
    pub events: u32,
    /// Events that did not fail and that did, of which all is known that tells them apart.
    certain: [f64; 2],
    /// It is not said how long its events took.
    pub untimed: bool,
}

/// An event that is meant.
#[derive(Clone, Copy)]
struct Picked {
    row: u32,
    stratum: u32,
    took: Option<u64>,
}

/// Events of a series in one stretch of time, in one of the samples or in none.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    place: usize,
    sample: Option<usize>,
    /// Those that did not fail, and those that did.
    events: [f64; 2],
}

/// A group of series in one stretch of time.
#[derive(Default)]
struct Scope {
    /// Of no event that was picked: how many there may be of a kind all the same.
    none: [Sum; 2],
    /// No time of those that were not picked is longer.
    floor: Option<u64>,
    open: bool,
}

/// The strata of all series, and what of their events is meant.
pub struct Samples<'q, 'a> {
    question: &'q Question,
    state: &'a State,
    hasher: RandomState,
    index: HashTable<usize>,
    /// What tells rows apart, dimension by dimension, row by row.
    cells: Vec<Cell<'a>>,
    /// The rows.
    pub rows: Vec<Found>,
    /// All strata.
    pub strata: Vec<Stratum>,
    picked: Vec<Picked>,
    scopes: Vec<Scope>,
    /// What was looked at.
    pub looked: Looked,
}

/// What the events of some rows come to.
pub struct AddedUp {
    /// Those that did not fail, and those that did.
    pub sums: [Sum; 2],
    /// Those that were picked and took time.
    pub timed: Vec<Timed>,
    /// The events of the stratum with the most of them, and the number of its evidence.
    pub best: (f64, u32),
}

impl<'q, 'a> Samples<'q, 'a> {
    /// None yet.
    #[must_use]
    pub fn of(question: &'q Question, state: &'a State) -> Self {
        Self {
            question,
            state,
            hasher: RandomState::default(),
            index: HashTable::new(),
            cells: Vec::new(),
            rows: Vec::new(),
            strata: Vec::new(),
            picked: Vec::new(),
            scopes: Vec::new(),
            looked: Looked { since: question.windows.now.to, ..Looked::default() },
        }
    }

    /// Take in the series of a group, which are told apart from others by these cells.
    pub fn take(&mut self, cells: &[Cell<'a>], series: &[SeriesId]) {
        let mut places: HashMap<usize, usize> = HashMap::new();
        for &id in series {
            let record = self.state.table.record(id);
            let samples: Vec<(Seconds, Stretch<'a>)> = record.kept.sampled(&self.state.pieces).collect();
            let runs = self.runs(id, &samples);
            for run in &runs {
                let mut cells = cells.to_vec();
                if let Some(at) = self.question.dimensions.iter().position(|one| matches!(one, Dimension::Time(_))) {
                    cells[at] = Cell::Time(self.begin(run.place));
                }
                let scope = *places.entry(run.place).or_insert_with(|| {
                    self.scopes.push(Scope::default());
                    self.scopes.len() - 1
                });
                match run.sample.and_then(|sample| samples.get(sample)) {
                    Some((from, stretch)) => self.sample(&mut cells, scope, run, id, *from, stretch),
                    None => self.unseen(&mut cells, scope, run.events),
                }
            }
        }
    }

    /// When the stretch at a place begins.
    fn begin(&self, place: usize) -> Seconds {
        let window = self.question.windows.now;
        let width = self.question.width().unwrap_or_else(|| window.seconds().max(1));
        let first = if self.question.width().is_some() { window.from.div_euclid(width) * width } else { window.from };
        first.saturating_add(Seconds::try_from(place).unwrap_or(0).saturating_mul(width))
    }

    /// The events of a series within the window, by stretch of time and by the sample that stands for them.
    #[allow(clippy::cast_precision_loss)]
    fn runs(&self, id: SeriesId, samples: &[(Seconds, Stretch<'_>)]) -> Vec<Run> {
        let window = self.question.windows.now;
        // What is derived from traces carries nothing of its own.
        let carries = self.state.table.key(id).kind.is_decoded();
        let mut runs: Vec<Run> = Vec::new();
        for slot in self.state.table.record(id).timeline.between(window.from, window.to) {
            let place = place(self.question, slot.start);
            let holds = |from: &Seconds| (*from..from.saturating_add(EPOCH)).contains(&slot.start);
            let sample = samples.iter().position(|(from, _)| carries && holds(from));
            if runs.last().is_none_or(|run| (run.place, run.sample) != (place, sample)) {
                runs.push(Run { place, sample, ..Run::default() });
            }
            if let Some(run) = runs.last_mut() {
                run.events[0] += slot.count.saturating_sub(slot.errors) as f64;
                run.events[1] += slot.errors as f64;
            }
        }
        runs
    }

    /// Take in the events of a run of which a sample is kept.
    #[allow(clippy::cast_precision_loss)]
    fn sample(
        &mut self,
        cells: &mut [Cell<'a>],
        scope: usize,
        run: &Run,
        id: SeriesId,
        from: Seconds,
        stretch: &Stretch<'a>,
    ) {
        let record = self.state.table.record(id);
        let whole =
            record.timeline.between(from, from.saturating_add(EPOCH)).fold([0.0; 2], |[passed, failed], slot| {
                [passed + slot.count.saturating_sub(slot.errors) as f64, failed + slot.errors as f64]
            });
        // Some of the events may have had no attributes at all.
        let seen = [stretch.seen.saturating_sub(stretch.failed) as f64, stretch.failed as f64];
        let carrying = [0, 1].map(|at| run.events[at] * (seen[at] / whole[at].max(1.0)).min(1.0));
        let without = [0, 1].map(|at| (run.events[at] - carrying[at]).max(0.0));
        if without.iter().any(|&events| events > 0.0) {
            if self.state.ledger.evicted_evidence > 0 {
                self.unseen(cells, scope, without);
            } else {
                self.bare(cells, scope, without);
            }
        }
        let (question, window) = (self.question, self.question.windows.now);
        let within = |time: i64| {
            let second = time.div_euclid(1_000_000_000);
            (window.from..window.to).contains(&second) && place(question, second) == run.place
        };
        // The slowest, all of them; and by chance of what is left.
        let events = || stretch.events.iter().filter(|event| within(event.time));
        let is_in = |event: &Carrier<'_>| {
            let why = event.reasons;
            let by_chance = why.any || (why.failed && event.failed);
            (why.slowest || by_chance).then_some(2 * usize::from(!why.slowest) + usize::from(event.failed))
        };
        let mut picked = [0u32; 4];
        events().filter_map(is_in).for_each(|at| picked[at] += 1);
        let slowest = stretch.events.iter().filter(|event| event.reasons.slowest);
        let floor = slowest.filter_map(|event| event.took).min();
        let base = u32::try_from(self.strata.len()).unwrap_or(u32::MAX);
        for (at, &picked_here) in picked.iter().enumerate() {
            let failed = at % 2 == 1;
            let all =
                if at < 2 { f64::from(picked_here) } else { (carrying[at % 2] - f64::from(picked[at % 2])).max(0.0) };
            let stratum = Stratum { size: all, picked: picked_here, failed, floor, number: record.number };
            self.strata.push(stratum);
            if !self.question.filter.takes_status(failed) {
                continue;
            }
            if picked_here == 0 && all > 0.0 {
                let mut events = [0.0; 2];
                events[at % 2] = all;
                self.unseen(cells, scope, events);
                continue;
            }
            self.looked.at += u64::from(picked_here);
            self.looked.of += all;
            if !stratum.is_whole() {
                let here = &mut self.scopes[scope];
                here.none[at % 2].none(&stratum);
                here.floor = here.floor.max(floor);
                here.open = true;
            }
        }
        if picked.iter().any(|&picked| picked > 0) {
            self.looked.since = self.looked.since.min(from.max(window.from));
        }
        let meant: Vec<_> = events().filter_map(|event| Some((event, is_in(event)?))).collect();
        for (event, at) in meant {
            if !self.question.filter.takes_event(event.failed, event.took, &event.pairs) {
                continue;
            }
            let row = self.row(cells, scope, event.failed, |key| key.value(&event.pairs).unwrap_or(NONE));
            self.rows[row].events += 1;
            let stratum = base + u32::try_from(at).unwrap_or(0);
            self.picked.push(Picked { row: u32::try_from(row).unwrap_or(u32::MAX), stratum, took: event.took });
        }
        // In the order of their strata.
        let begin = self.picked.partition_point(|picked| picked.stratum < base);
        self.picked[begin..].sort_by_key(|picked| picked.stratum);
    }

    /// Events without attributes.
    fn bare(&mut self, cells: &mut [Cell<'a>], scope: usize, events: [f64; 2]) {
        if self.question.filter.by_duration() {
            return self.unseen(cells, scope, events);
        }
        for (failed, events) in [false, true].into_iter().zip(events) {
            if events > 0.0 && self.question.filter.takes_event(failed, None, &[]) {
                let row = self.row(cells, scope, failed, |_| NONE);
                self.certain(row, failed, events);
            }
        }
    }

    /// Events of which it is not known what they carried.
    fn unseen(&mut self, cells: &mut [Cell<'a>], scope: usize, events: [f64; 2]) {
        let filter = &self.question.filter;
        let decides = filter.by_duration() || !filter.carries.is_empty();
        for (failed, events) in [false, true].into_iter().zip(events) {
            if events <= 0.0 || !filter.takes_status(failed) {
                continue;
            }
            self.looked.unseen += events;
            if decides {
                self.looked.left_out += events;
            } else {
                let row = self.row(cells, scope, failed, |_| NOT_KEPT);
                self.certain(row, failed, events);
            }
        }
    }

    fn certain(&mut self, row: usize, failed: bool, events: f64) {
        let row = &mut self.rows[row];
        row.certain[usize::from(failed)] += events;
        row.events = row.events.max(FEW);
        row.untimed = true;
    }

    /// The row of an event, by what it carried under each key.
    fn row(&mut self, cells: &mut [Cell<'a>], scope: usize, failed: bool, value: impl Fn(&Key) -> &'a str) -> usize {
        let question = self.question;
        for (cell, dimension) in cells.iter_mut().zip(&question.dimensions) {
            match *dimension {
                Dimension::Attribute(at) => *cell = Cell::Name(value(&question.keys[at])),
                Dimension::Status => *cell = Cell::Name(Status::of_failed(failed).name()),
                _ => {}
            }
        }
        let failed = question.by_status().map(|_| failed);
        self.row_of(cells, Some(scope), failed)
    }

    /// The row that these cells tell apart, made if it is new.
    fn row_of(&mut self, cells: &[Cell<'a>], scope: Option<usize>, failed: Option<bool>) -> usize {
        let width = cells.len();
        let hash = self.hasher.hash_one(cells);
        let all = &self.cells;
        if let Some(&row) = self.index.find(hash, |&row| all[row * width..(row + 1) * width] == *cells) {
            return row;
        }
        let row = self.rows.len();
        self.cells.extend_from_slice(cells);
        let (all, hasher) = (&self.cells, &self.hasher);
        self.index.insert_unique(hash, row, |&row| hasher.hash_one(&all[row * width..(row + 1) * width]));
        self.rows.push(Found { scope, failed, events: 0, certain: [0.0; 2], untimed: false });
        row
    }

    /// Join the rows of which too few events tell.
    pub fn join_few(&mut self) {
        let dimensions = &self.question.dimensions;
        let width = dimensions.len();
        let by_key = !self.question.keys.is_empty();
        let mut to: Vec<u32> = Vec::with_capacity(self.rows.len());
        for row in 0..self.rows.len() {
            to.push(u32::try_from(row).unwrap_or(u32::MAX));
            let found = &self.rows[row];
            let open = found.scope.is_some_and(|scope| self.scopes[scope].open);
            if !open || found.events >= FEW || width == 0 {
                continue;
            }
            let (scope, failed) = (found.scope.filter(|_| by_key), found.failed);
            let mut cells = self.cells[row * width..(row + 1) * width].to_vec();
            let mut said = false;
            for (cell, dimension) in cells.iter_mut().zip(dimensions) {
                match dimension {
                    Dimension::Attribute(_) => *cell = Cell::Name(TOO_FEW),
                    Dimension::Time(_) | Dimension::Status => {}
                    _ if !by_key => *cell = Cell::Name(if std::mem::replace(&mut said, true) { "" } else { TOO_FEW }),
                    _ => {}
                }
            }
            let joined = self.row_of(&cells, scope, failed);
            if joined != row {
                to[row] = u32::try_from(joined).unwrap_or(u32::MAX);
                self.rows[row].events = 0;
            }
            // Whatever they come to, nothing more is said of them.
            self.rows[joined].untimed = true;
            self.rows[joined].events = FEW;
            self.looked.few = true;
        }
        self.picked.iter_mut().for_each(|picked| picked.row = to.get(picked.row as usize).map_or(picked.row, |&to| to));
    }

    /// What rows come to: `out` says for each to which of some sums it belongs, which begin as they are.
    #[must_use]
    pub fn add_up(&self, out: &[Option<usize>], bases: Vec<[Sum; 2]>) -> Vec<AddedUp> {
        let mut sums: Vec<AddedUp> =
            bases.into_iter().map(|sums| AddedUp { sums, timed: Vec::new(), best: (0.0, 0) }).collect();
        let mut here: Vec<usize> = Vec::new();
        for same in self.picked.chunk_by(|a, b| a.stratum == b.stratum) {
            let stratum = &self.strata[same[0].stratum as usize];
            here.clear();
            for picked in same {
                let Some(at) = out[picked.row as usize] else { continue };
                here.push(at);
                if let Some(took) = picked.took {
                    sums[at].timed.push(Timed { took, stratum: picked.stratum });
                }
            }
            here.sort_unstable();
            for run in here.chunk_by(|a, b| a == b) {
                let added = &mut sums[run[0]];
                let k = u32::try_from(run.len()).unwrap_or(u32::MAX);
                added.sums[usize::from(stratum.failed)].some(stratum, k);
                let events = f64::from(k) * stratum.weight();
                if events > added.best.0 {
                    added.best = (events, stratum.number);
                }
            }
        }
        for (found, at) in self.rows.iter().zip(out) {
            let Some(at) = *at else { continue };
            sums[at].sums.iter_mut().zip(found.certain).for_each(|(sum, events)| sum.certain(events));
        }
        sums
    }

    /// What tells a row apart.
    #[must_use]
    pub fn cells(&self, row: usize) -> &[Cell<'a>] {
        let width = self.question.dimensions.len();
        &self.cells[row * width..(row + 1) * width]
    }

    /// Whether all that there is was looked at.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.looked.unseen == 0.0 && !self.scopes.iter().any(|scope| scope.open)
    }

    /// How many there may be of a kind of which none was picked, of a scope or of all.
    #[must_use]
    pub fn none(&self, scope: Option<usize>, failed: Option<bool>) -> [Sum; 2] {
        let scopes = match scope {
            Some(scope) => &self.scopes[scope..=scope],
            None => &self.scopes,
        };
        let mut none = [Sum::default(); 2];
        for scope in scopes {
            none.iter_mut().zip(&scope.none).for_each(|(sum, other)| *sum = sum.and(other));
        }
        if let Some(failed) = failed {
            none[usize::from(!failed)] = Sum::default();
        }
        none
    }

    /// No time of a scope, or of all, that was not looked at is longer.
    #[must_use]
    pub fn floor(&self, scope: Option<usize>) -> Option<u64> {
        match scope {
            Some(scope) => self.scopes[scope].floor,
            None => self.scopes.iter().filter_map(|scope| scope.floor).max(),
        }
    }
}

/// The place of the stretch of time that a second lies in.
fn place(question: &Question, second: Seconds) -> usize {
    let from = question.windows.now.from;
    let place = question.width().map_or(0, |width| second.div_euclid(width) - from.div_euclid(width));
    usize::try_from(place).unwrap_or(0)
}
