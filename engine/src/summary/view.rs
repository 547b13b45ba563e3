//! The window and its baseline: what each series did in the one and in the other.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::groups::Groups;
use crate::event::Kind;
use crate::state::State;
use crate::state::series::{Key, SeriesId};
use crate::state::sums::{SlotAdder, Stretch, Sums};
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
    /// The second after the newest event.
    pub to: Seconds,
}

impl Span {
    /// The window of so many seconds up to the newest event of a settled state, and the baseline of so many before it;
    /// `None` for all that is kept.
    #[must_use]
    pub fn of(state: &State, window: Seconds, baseline: Option<Seconds>) -> Self {
        let to = state.watermark.map_or(0, |ns| ns.div_euclid(1_000_000_000)) + 1;
        // What is counted together is not split: window and baseline begin where a slot does.
        let from = state.clock.slot(to - window.max(1));
        let earliest = state
            .table
            .iter()
            .filter_map(|(_, _, record)| record.first)
            .min()
            .map_or(from, |ns| ns.div_euclid(1_000_000_000));
        let reach = baseline.map_or(Seconds::MIN, |seconds| from.saturating_sub(seconds));
        let first = state.clock.slot(earliest.max(reach).max(state.clock.oldest())).min(from);
        Self { base: first.max(earliest).min(from), until: from, from, to }
    }

    /// The same, its window beginning where a slot does.
    #[must_use]
    pub fn whole(self, state: &State) -> Self {
        Self { from: state.clock.slot(self.from).max(self.until), ..self }
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

    /// The newest fifth of the window against the same baseline, to see at once what has just begun; `None` where that is
    /// too short to say much.
    #[must_use]
    pub const fn newest(&self) -> Option<Self> {
        let part = (self.to - self.from) / 5;
        if part >= 20 { Some(Self { from: self.to - part, to: self.to - LAG, ..*self }) } else { None }
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
    pub before: Cow<'a, Slot>,
    /// The window.
    pub now: Cow<'a, Slot>,
    /// Nanoseconds since the epoch of its first event ever.
    pub first: Option<i64>,
    /// Nanoseconds since the epoch of its latest event.
    pub last: Option<i64>,
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
}

impl<'a> View<'a> {
    /// Sum up a settled state over a window and a baseline: what `sums` has of them is read there.
    #[must_use]
    pub fn over(state: &'a State, sums: &'a Sums, groups: &'a Groups<'a>, span: Span) -> Self {
        let span = span.whole(state);
        let over = span.stretches(state).map(|stretch| (stretch, sums.over(&state.table, stretch)));
        let mut adder = SlotAdder::default();
        let mut series = Vec::new();
        for (id, key, record) in state.table.iter() {
            let [before, now] = over.map(|(stretch, known)| {
                known.get(id).map_or_else(|| Cow::Owned(adder.sum(&record.timeline, stretch)), Cow::Borrowed)
            });
            if !before.is_empty() || !now.is_empty() {
                let (number, first, last) = (record.number, record.first, record.last);
                series.push(SeriesView { id, number, key, before, now, first, last });
            }
        }
        let (mut instances, series): (Vec<_>, Vec<_>) =
            series.into_iter().partition(|series| series.key.kind == Kind::Instance);
        instances.sort_unstable_by_key(|series| series.key);
        for one in &mut instances {
            // Evidence is kept of operations: that of the busiest one is the instance's.
            let calls = series.iter().filter(|series| {
                series.key.service == one.key.service && matches!(series.key.kind, Kind::Server | Kind::Consumer)
            });
            one.number = calls.max_by_key(|series| series.now.count).map_or(0, |series| series.number);
        }
        let edges =
            joined(series.iter().filter(|series| series.key.kind == Kind::Edge), |key| Key { within: "", ..key });
        let (messages, mut series): (Vec<_>, Vec<_>) =
            series.into_iter().partition(|series| matches!(series.key.kind, Kind::Log | Kind::Failure | Kind::Step));
        series.extend(joined(messages.iter(), |key| groups.template(key)));
        series.sort_unstable_by_key(|series| series.key);
        Self { state, span, series, edges, instances }
    }

    /// The slots of a series in the window, oldest first.
    pub fn slots(&self, id: SeriesId) -> impl Iterator<Item = &Slot> + Clone {
        self.state.table.record(id).timeline.between(self.span.from, self.span.to)
    }
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
                series.before.to_mut().merge(&part.before);
                series.now.to_mut().merge(&part.now);
                series.first = series.first.into_iter().chain(part.first).min();
                series.last = series.last.max(part.last);
                if (count, part.key) > (*busiest, series.key) {
                    (*busiest, series.id, series.number) = (count, part.id, part.number);
                }
            }
        }
    }
    whole.into_values().map(|(_, series)| series).collect()
}
