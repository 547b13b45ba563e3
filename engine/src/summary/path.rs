//! What the calls from outside wait for: the operations, and the calls between services, on their critical paths.
//!
//! A path is that of a span whose caller is not here ([`crate::state::path`]): what its time was spent on, each nanosecond
//! told of one span. Shares of an operation are of its own time, those of an edge of all that was waited for there.

use super::claims::ODDS_DRIFT;
use super::facts::{Fact, Section, end};
use super::said::{approximate, step};
use super::usual::{self, Usual};
use super::view::{SeriesView, View};
use super::words;
use crate::event::Kind;
use crate::state::joins::UNSEEN;

/// The share of root time from which on it is told.
const LEAST: f64 = 0.05;

/// Events of an operation in the window and before it, below which its share is not said to have changed.
const FEW: u64 = 20;

/// Nanoseconds that the calls from outside took: before, and in the window.
#[derive(Clone, Copy, Debug)]
pub struct Roots([f64; 2]);

impl Roots {
    /// Those of a view.
    #[must_use]
    pub fn of(view: &View<'_>) -> Self {
        let spans = view.series.iter().filter(|series| series.key.kind.is_span());
        Self(spans.fold([0.0, 0.0], |sum, series| {
            let [before, now] = paths(series);
            [sum[0] + before, sum[1] + now]
        }))
    }

    /// The share of root time that is spent in the calls of an edge, as it is said; 0 where there is none.
    #[must_use]
    pub fn of_edge(&self, edge: &SeriesView<'_>, usual: Option<&Usual>) -> f64 {
        let [before, now] = paths(edge);
        let part = match usual {
            _ if self.0[1] <= 0.0 || edge.key.service == UNSEEN => 0.0,
            Some(usual) => usual.part((before + now) / (self.0[0] + self.0[1])),
            None => now / self.0[1],
        };
        // Calls that lead to further calls of the same edge are counted with those.
        if part > 1.0 { 0.0 } else { part }
    }
}

fn paths(series: &SeriesView<'_>) -> [f64; 2] {
    [approximate(series.before.path), approximate(series.now.path)]
}

/// The operations that hold most of root time. Nothing where nothing is seen below the calls from outside.
#[must_use]
pub fn facts(view: &View<'_>, roots: &Roots) -> Vec<Fact> {
    let below = |series: &SeriesView<'_>| {
        let inside = series.key.kind == Kind::Step || super::calls::is_inside(series);
        matches!(series.key.kind, Kind::Step | Kind::Edge) && inside && series.now.path > 0
    };
    if roots.0[1] <= 0.0 || !view.series.iter().any(below) {
        return Vec::new();
    }
    let spans = view.series.iter().filter(|series| series.key.kind.is_span());
    spans.filter_map(|series| fact(view, series, roots)).collect()
}

fn fact(view: &View<'_>, series: &SeriesView<'_>, roots: &Roots) -> Option<Fact> {
    let Roots([base, root]) = *roots;
    let [before, now] = paths(series);
    let share = now / root;
    let compared = (view.span.compares() && base > 0.0).then(|| before / base);
    if share.max(compared.unwrap_or(0.0)) < LEAST {
        return None;
    }
    let odds = |share: f64| share / (1.0 - share).max(1e-9);
    let changed = compared.filter(|&old| {
        let (old, new) = (odds(old), odds(share));
        new.max(old) > new.min(old) * ODDS_DRIFT && series.before.count.max(series.now.count) >= FEW
    });
    let (said, weighed) = match (changed, compared) {
        (Some(old), _) => {
            let line = format!("{} of root time, {} before", words::percent(share), words::percent(old));
            (line, share.max(old))
        }
        (None, Some(_)) => {
            let usual = usual::part((before + now) / (base + root), series.before.count + series.now.count);
            (format!("usually {} of root time", words::percent(usual)), usual)
        }
        (None, None) => (format!("{} of root time", words::percent(share)), share),
    };
    Some(Fact {
        section: Section::Path,
        service: series.key.service.to_owned(),
        operation: series.key.operation.to_owned(),
        measure: "path",
        before: compared,
        after: share,
        since: None,
        number: series.number,
        weight: Section::Path.worth() * if changed.is_some() { 1.0 + weighed } else { weighed },
        line: end(format!("{} {}: {said}", words::name(series.key.service), step(series)), series.number),
    })
}
