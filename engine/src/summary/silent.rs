//! What stopped as a whole: operations that were called all the time and are called rarely or no more, whoever is to blame.
//!
//! A claim is made of what is missed per call of something else; of an operation that nobody calls any longer there is none.

use super::facts::{Fact, Section, end, moment};
use super::said::step;
use super::usual::missed;
use super::view::{SeriesView, View};
use super::words;

/// How many times rarer an operation must have become.
const RARE: f64 = 5.0;

/// The fact that an operation has fallen silent, or nearly; `busiest` is how often the busiest one is called.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn fact(view: &View<'_>, series: &SeriesView<'_>, busiest: f64) -> Option<Fact> {
    let span = &view.span;
    if !span.compares() || !series.key.kind.is_span() {
        return None;
    }
    let (before, now) = (series.before.count as f64, series.now.count as f64);
    let expected = before * span.seconds() / span.base_seconds();
    if now * RARE > expected || !missed(series.now.count, expected) || !all_along(view, series) {
        return None;
    }
    let last = series.last.map(|ns| ns.div_euclid(1_000_000_000) + 1);
    let since = last.filter(|_| series.now.count == 0);
    let line = format!(
        "{} {}: {} > {}{}",
        words::name(series.key.service),
        step(series),
        words::rate(before, span.base_seconds()),
        words::rate(now, span.seconds()),
        since.map_or_else(String::new, |second| format!(" since {}", moment(view, second)))
    );
    Some(Fact {
        section: Section::Stopped,
        service: series.key.service.to_owned(),
        operation: series.key.operation.to_owned(),
        measure: "count",
        before: Some(before),
        after: now,
        since,
        number: series.number,
        weight: Section::Stopped.worth() * 0.25 * (1.0 + expected).ln() / (1.0 + busiest.max(expected)).ln(),
        line: end(line, series.number),
    })
}

/// Whether a series was at work over at least half of the baseline: what comes once in a while in a burst has not stopped.
fn all_along(view: &View<'_>, series: &SeriesView<'_>) -> bool {
    let span = &view.span;
    let timeline = &view.state.table.record(series.id).timeline;
    let mut slots = timeline.between(span.base, span.until).filter(|slot| slot.count > 0).map(|slot| slot.start);
    let first = slots.next();
    first.is_some_and(|first| (slots.last().unwrap_or(first) - first) * 2 >= span.until - span.base)
}
