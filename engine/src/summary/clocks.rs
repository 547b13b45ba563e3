//! Clocks that disagree: calls that by their clocks do not lie within the call that waited for them, by edge.
//!
//! In: the calls that do not fit ([`crate::state::clocks`]). Out: facts, a notice for the header, and how much earlier a window
//! has to end, so that of all hosts there is all that belongs in it.

use super::claims::TIME_DRIFT;
use super::facts::{Fact, Section, end};
use super::said::approximate;
use super::view::{Sum, View};
use super::words;
use crate::event::Kind;
use crate::state::State;
use crate::state::sums::{SlotAdder, Stretch};
use crate::state::timeline::{Seconds, Slot};

/// Calls that do not fit, below which nothing is said of clocks.
const FEW: u64 = 10;

/// The share of calls that do not fit below which a difference of clocks does not explain them.
const LEAST: f64 = 0.05;

/// The same for a difference by which windows end earlier.
const MOST: f64 = 0.5;

/// Nanoseconds of a difference that are worth a fact, and those worth a notice.
const FACT: f64 = 1e6;
const NOTICE: f64 = 100e6;

/// Seconds up to the newest event in which differences are looked for by which windows end earlier.
const LATELY: Seconds = 900;

/// By how much the clock of a callee differs from its caller's.
#[derive(Clone, Copy, Debug)]
struct Offset {
    /// Nanoseconds: half of the calls that do not fit, on that side where more of them are, are off by more.
    ns: f64,
    /// The callee's clock is behind; else it is ahead.
    behind: bool,
    /// The share of calls that do not fit.
    share: f64,
}

impl Offset {
    /// By what calls that do not fit came to, of so many in all.
    fn of(skewed: &Slot, calls: u64) -> Option<Self> {
        let behind = skewed.duration.count() >= skewed.own.count();
        let hist = if behind { &skewed.duration } else { &skewed.own };
        let share = (approximate(skewed.count) / approximate(calls.max(1))).min(1.0);
        let ns = approximate(hist.quantile(0.5));
        (skewed.count >= FEW && share >= LEAST && ns >= FACT).then_some(Self { ns, behind, share })
    }
}

/// What is said of clocks that disagree, the most first: who, what, and the line of it.
fn found<'v>(view: &'v View<'_>) -> Vec<(&'v str, &'v str, [Option<Offset>; 2], String)> {
    let mut found = Vec::new();
    for skew in &view.skews {
        let (caller, callee) = (skew.key.service, skew.key.operation);
        let edge = view.edges.iter().find(|edge| edge.key.service == caller && edge.key.operation == callee);
        let offset =
            |of: fn(&super::view::SeriesView<'_>) -> Slot| Offset::of(&of(skew), edge.map_or(0, |edge| of(edge).count));
        let [before, now] = [offset(|series| copy(&series.before)), offset(|series| copy(&series.now))];
        let Some(off) = now else { continue };
        let line = format!(
            "clock of {} {} {} {} ({} of calls)",
            words::name(callee),
            words::duration_about(off.ns, TIME_DRIFT),
            if off.behind { "behind" } else { "ahead of" },
            words::name(caller),
            words::percent(words::about(off.share, TIME_DRIFT))
        );
        found.push((caller, callee, [before, now], line));
    }
    found.sort_by(|a, b| {
        let ns = |found: &[Option<Offset>; 2]| found[1].map_or(0.0, |off| off.ns);
        ns(&b.2).total_cmp(&ns(&a.2)).then_with(|| a.3.cmp(&b.3))
    });
    found
}

fn copy(sum: &Sum<'_>) -> Slot {
    Slot::clone(sum)
}

/// The facts: by how much clocks differ, and of how many calls that is.
#[must_use]
pub fn facts(view: &View<'_>) -> Vec<Fact> {
    let fact = |(caller, callee, [before, now], line): (&str, &str, [Option<Offset>; 2], String)| {
        let off = now?;
        Some(Fact {
            section: Section::Edges,
            service: callee.to_owned(),
            operation: caller.to_owned(),
            measure: "clock",
            before: before.map(|off| off.ns),
            after: off.ns,
            since: None,
            number: 0,
            weight: Section::Edges.worth() * if off.ns >= NOTICE { 2.0 } else { off.share },
            line: end(line, 0),
        })
    };
    found(view).into_iter().filter_map(fact).collect()
}

/// A line for the header where clocks differ by much: the worst of them.
#[must_use]
pub fn notice(view: &View<'_>) -> Option<String> {
    let (.., [_, now], line) = found(view).into_iter().next()?;
    now.filter(|off| off.ns >= NOTICE).map(|_| line)
}

/// Seconds before the newest event up to which all hosts have been heard of, by their clocks: a clock that is behind is not heard
/// of before, and one that is ahead makes all others late.
#[must_use]
pub fn late(state: &State) -> Seconds {
    let newest = state.watermark.map_or(0, |ns| ns.div_euclid(1_000_000_000)) + 1;
    let stretch = Stretch { from: state.clock.slot(newest - LATELY), to: newest };
    let mut adder = SlotAdder::default();
    let mut worst = 0.0f64;
    for (_, key, record) in state.table.live().filter(|(_, key, _)| key.kind == Kind::Skew) {
        let skewed = adder.sum(&record.timeline, stretch);
        let far = |off: Offset| off.ns >= 1e9 && off.ns > worst;
        if !Offset::of(&skewed, skewed.count).is_some_and(far) {
            continue;
        }
        let edges = state.table.live().filter(|(_, edge, _)| {
            edge.kind == Kind::Edge && edge.service == key.service && edge.operation == key.operation
        });
        let calls: u64 = edges
            .flat_map(|(.., record)| record.timeline.between(stretch.from, stretch.to))
            .map(|slot| slot.count)
            .sum();
        if let Some(off) = Offset::of(&skewed, calls).filter(|off| off.share >= MOST) {
            worst = off.ns;
        }
    }
    #[allow(clippy::cast_possible_truncation)]
    let seconds = (worst / 1e9).ceil() as Seconds;
    seconds
}
