//! The window and its baseline: what each series did in the one and in the other.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Deref;

use super::claims;
use super::clocks;
use crate::event::Kind;
use crate::state::State;
use crate::state::found::Found;
use crate::state::order::Row;
use crate::state::series::{Key, SeriesId};
use crate::state::sums::{Over, Profile, SlotAdder, Stretch, Sums};
use crate::state::timeline::{Seconds, Slot};

/// Seconds at the end of a window of which the end of a window is not told: what was called may not have said so yet.
const LAG: Seconds = 5;

/// The stretch a summary speaks of and the one it compares with, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First second of the baseline.
    pub base: Seconds,
    /// The second after the baseline.
    pub until: Seconds,
    /// First second of the window; where the baseline ends, unless a part of the window is looked at apart.
    pub from: Seconds,
    /// The second after the newest event, or so many before it as clocks differ.
    pub to: Seconds,
    /// Seconds by which clocks differ.
    pub late: Seconds,
    /// The first second in which what has changed may have begun to.
    pub onset: Seconds,
}

impl Span {
    /// The window of so many seconds up to the newest event of a settled state, and the baseline of so many before it;
    /// `None` for all that is kept.
    #[must_use]
    pub fn of(state: &State, window: Seconds, baseline: Option<Seconds>) -> Self {
        Self::since(state, state.table.iter().filter_map(|(_, _, record)| record.first).min(), window, baseline)
    }

    /// The same, where the time of the first event of all is known, in nanoseconds.
    #[must_use]
    pub fn since(state: &State, first: Option<i64>, window: Seconds, baseline: Option<Seconds>) -> Self {
        let newest = state.watermark.map_or(0, |ns| ns.div_euclid(1_000_000_000)) + 1;
        let earliest = first.map_or(newest - 1, |ns| ns.div_euclid(1_000_000_000));
        // By their clocks some hosts may not have been heard of for longer.
        let late = clocks::late(state);
        let to = (newest - late).max(earliest + 1).min(newest);
        // What is counted together is not split: window and baseline begin where a slot does.
        let from = state.clock.slot(to - window.max(1));
        let reach = baseline.map_or(Seconds::MIN, |seconds| from.saturating_sub(seconds));
        let first = state.clock.slot(earliest.max(reach).max(state.clock.oldest())).min(from);
        Self { base: first.max(earliest).min(from), until: from, from, to, late, onset: from }
    }

    /// The same, its window beginning where a slot does.
    #[must_use]
    pub fn whole(self, state: &State) -> Self {
        let from = state.clock.slot(self.from).max(self.until);
        Self { from, onset: from, ..self }
    }

    /// The slots of the baseline and of the window.
    #[must_use]
    pub fn stretches(&self, state: &State) -> [Stretch; 2] {
        let first = state.clock.slot(self.base).min(self.until);
        [Stretch { from: first, to: self.until }, Stretch { from: self.from, to: self.to }]
    }

    /// Seconds of the window.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn seconds(&self) -> f64 {
        (self.to - self.from).max(1) as f64
    }

    /// Seconds of the baseline for which there are events; 0 where there is nothing to compare with.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn base_seconds(&self) -> f64 {
        (self.until - self.base).max(0) as f64
    }

    /// Whether there is a baseline long enough to say what is usual: a tenth of the window, and ten seconds.
    #[must_use]
    pub const fn compares(&self) -> bool {
        let (before, now) = (self.until - self.base, self.to - self.from);
        before >= 10 && before * 10 >= now
    }

    /// The same window against the oldest fifth of a baseline three times as long, to see what began within the baseline and
    /// has become usual in it since.
    #[must_use]
    pub fn oldest(self, state: &State) -> Option<Self> {
        let long = self.until - self.base;
        let until = state.clock.slot(self.base + long / 5).max(self.base);
        let oldest = Self { until, onset: until, ..self };
        (long >= 3 * (self.to - self.from) && oldest.compares()).then_some(oldest)
    }

    /// Whether it compares with what was long before the window.
    #[must_use]
    pub const fn is_gapped(&self) -> bool {
        self.onset < self.from
    }

    /// The newest fifth of the window against the same baseline, to see at once what has just begun; `None` where that is
    /// too short to say much, or clocks differ by more than is left out of it.
    #[must_use]
    pub const fn newest(&self) -> Option<Self> {
        let part = (self.to - self.from) / 5;
        if part >= 20 && self.late <= LAG {
            Some(Self { from: self.to - part, to: self.to - LAG, ..*self })
        } else {
            None
        }
    }
}

/// What a series came to.
#[derive(Clone, Debug)]
pub struct Sum<'a> {
    /// Events; as the slot has it, and near.
    pub count: u64,
    /// Of them, failed.
    pub errors: u64,
    /// Failed while everything they called succeeded.
    pub origins: u64,
    /// No other sum has the same; 0 if it is not remembered.
    pub number: u64,
    slot: Source<'a>,
}

#[derive(Clone, Debug)]
enum Source<'a> {
    /// As it is remembered.
    Known(&'a Slot),
    /// Added up here.
    Own(Box<Slot>),
}

impl Deref for Sum<'_> {
    type Target = Slot;

    fn deref(&self) -> &Slot {
        match &self.slot {
            Source::Known(slot) => slot,
            Source::Own(slot) => slot,
        }
    }
}

impl<'a> Sum<'a> {
    /// What is remembered of a series over a stretch, or is added up now.
    fn of(state: &State, id: SeriesId, (stretch, known): (Stretch, Over<'a>)) -> Self {
        known.numbered(id).map_or_else(
            || {
                let timeline = &state.table.record(id).timeline;
                Self::new(Source::Own(Box::new(SlotAdder::default().sum(timeline, stretch))), 0)
            },
            |(slot, number)| Self::new(Source::Known(slot), number),
        )
    }

    fn new(slot: Source<'a>, number: u64) -> Self {
        let mut sum = Self { count: 0, errors: 0, origins: 0, number, slot };
        sum.copy();
        sum
    }

    fn copy(&mut self) {
        let slot: &Slot = self;
        (self.count, self.errors, self.origins) = (slot.count, slot.errors, slot.origins);
    }

    fn merge(&mut self, other: &Slot) {
        if let Source::Known(slot) = self.slot {
            self.slot = Source::Own(Box::new(slot.clone()));
        }
        if let Source::Own(slot) = &mut self.slot {
            slot.merge(other);
        }
        self.number = 0;
        self.copy();
    }
}

/// One series over the window and the baseline.
#[derive(Clone, Debug)]
pub struct SeriesView<'a> {
    /// Its number in the table.
    pub id: SeriesId,
    /// The number it is asked for by; 0 if it has no evidence.
    pub number: u32,
    /// Service, operation, kind.
    pub key: Key<&'a str>,
    /// The baseline.
    pub before: Sum<'a>,
    /// The window.
    pub now: Sum<'a>,
    /// Nanoseconds since the epoch of its first event ever.
    pub first: Option<i64>,
    /// Nanoseconds since the epoch of its latest event.
    pub last: Option<i64>,
    /// Whether its own times are known not to have grown.
    pub steady: bool,
}

impl SeriesView<'_> {
    /// Add a series to those that stand together here, of which the busiest came to so much.
    fn take_in(&mut self, part: &Self, busiest: &mut u64) {
        self.before.merge(&part.before);
        self.now.merge(&part.now);
        self.first = self.first.into_iter().chain(part.first).min();
        self.last = self.last.max(part.last);
        let count = part.before.count + part.now.count;
        if (count, part.key) > (*busiest, self.key) {
            (*busiest, self.id, self.number) = (count, part.id, part.number);
        }
    }
}

/// All series over the window and the baseline, in the order of their keys.
#[derive(Debug)]
pub struct View<'a> {
    /// The state it is of.
    pub state: &'a State,
    /// From when to when.
    pub span: Span,
    /// The series that did something in either.
    pub series: Vec<SeriesView<'a>>,
    /// Calls between services, those of all operations of a caller together.
    pub edges: Vec<SeriesView<'a>>,
    /// The calls that each instance has answered, in the order of their keys.
    pub instances: Vec<SeriesView<'a>>,
    /// Calls between services that do not fit the clocks of both.
    pub skews: Vec<SeriesView<'a>>,
}

impl<'a> View<'a> {
    /// What `sums`, brought up to date, has of a settled state over a window and a baseline.
    #[must_use]
    pub fn over(state: &'a State, sums: &'a Sums, span: Span, grown: &mut Found<bool>) -> Self {
        let over = span.stretches(state).map(|stretch| (stretch, sums.over(&state.table, stretch)));
        let (mut series, mut instances, mut skews) = (Vec::new(), Vec::new(), Vec::new());
        for row in sums.order().rows() {
            if let Some(mut found) = together(state, sums, over, row) {
                found.steady = is_timed(found.key.kind)
                    && !grown.get(found.id, [found.before.number, found.now.number], || {
                        claims::has_grown(&found.before, &found.now)
                    });
                match found.key.kind {
                    Kind::Instance => instances.push(found),
                    Kind::Skew => skews.push(found),
                    _ => series.push(found),
                }
            }
        }
        let edges =
            joined(series.iter().filter(|series| series.key.kind == Kind::Edge), |key| Key { within: "", ..key });
        let mut view = Self { state, span, series, edges, instances: Vec::new(), skews };
        for one in &mut instances {
            // Evidence is kept of operations: that of the busiest one is the instance's.
            let calls = view.of_service(one.key.service).iter();
            let calls = calls.filter(|series| matches!(series.key.kind, Kind::Server | Kind::Consumer));
            one.number = calls.max_by_key(|series| (series.now.count, series.id)).map_or(0, |series| series.number);
        }
        view.instances = instances;
        view
    }

    /// The series of a service.
    #[must_use]
    pub fn of_service(&self, service: &str) -> &[SeriesView<'a>] {
        let begin = self.series.partition_point(|series| series.key.service < service);
        let rest = &self.series[begin..];
        &rest[..rest.partition_point(|series| series.key.service == service)]
    }

    /// The series of each service, in the order of their names.
    pub fn by_service(&self) -> impl Iterator<Item = &[SeriesView<'a>]> {
        self.series.chunk_by(|a, b| is_same(a.key.service, b.key.service))
    }

    /// The series of each service that are called the same, in the order of their names.
    pub fn by_name(&self) -> impl Iterator<Item = &[SeriesView<'a>]> {
        self.series.chunk_by(|a, b| a.key.operation == b.key.operation && is_same(a.key.service, b.key.service))
    }

    /// The slots of a series in which what has changed may have begun to, oldest first.
    pub fn slots(&self, id: SeriesId) -> impl Iterator<Item = &Slot> + Clone {
        self.state.table.record(id).timeline.between(self.span.onset, self.span.to)
    }
}

/// Whether two texts are the same: those of names mostly lie at the same place, if they are.
fn is_same(a: &str, b: &str) -> bool {
    std::ptr::eq(a, b) || a == b
}

/// Whether own times of a kind are compared as they are.
const fn is_timed(kind: Kind) -> bool {
    !matches!(kind, Kind::Edge | Kind::Step | Kind::Log | Kind::Failure | Kind::Instance)
}

/// The series of a row; nothing if none of them did anything. It stands with the numbers of the busiest.
fn together<'a>(state: &'a State, sums: &Sums, over: [(Stretch, Over<'a>); 2], row: Row<'a>) -> Option<SeriesView<'a>> {
    let mut whole: Option<(u64, SeriesView<'a>)> = None;
    for &id in row.series {
        let [before, now] = over.map(|over| Sum::of(state, id, over));
        if before.is_empty() && now.is_empty() {
            continue;
        }
        let (profile, key) = (sums.profile(id), state.table.key(id));
        let Profile { number, first, last, .. } = profile;
        let part = SeriesView { id, number, key, before, now, first, last, steady: false };
        match &mut whole {
            None => {
                let key = row.key(key);
                whole = Some((part.before.count + part.now.count, SeriesView { key, ..part }));
            }
            Some((busiest, series)) => series.take_in(&part, busiest),
        }
    }
    whole.map(|(_, series)| series)
}

/// Series with the same key after `rename` together; each stands with the numbers of its busiest part.
fn joined<'a: 's, 's>(
    parts: impl Iterator<Item = &'s SeriesView<'a>>,
    rename: impl Fn(Key<&'a str>) -> Key<&'a str>,
) -> Vec<SeriesView<'a>> {
    let mut whole: BTreeMap<Key<&str>, (u64, SeriesView<'a>)> = BTreeMap::new();
    for part in parts {
        let count = part.before.count + part.now.count;
        match whole.entry(rename(part.key)) {
            Entry::Vacant(entry) => {
                let key = *entry.key();
                entry.insert((count, SeriesView { key, ..part.clone() }));
            }
            Entry::Occupied(mut entry) => {
                let (busiest, series) = entry.get_mut();
                series.take_in(part, busiest);
            }
        }
    }
    whole.into_values().map(|(_, series)| series).collect()
}
