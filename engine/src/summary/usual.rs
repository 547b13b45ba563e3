//! What is usual: the numbers of a series that does in the window what it did before it, from both together.
//!
//! They are the better estimate, and they stand still: a minute is a sixtieth of an hour. Each is said in steps that are no
//! finer than what is known of it, and no finer than the drift of an ordinary day: a digit that tomorrow's summary would have
//! otherwise, with nothing changed, says nothing. What has changed, or may have, has no usual numbers: of that the window
//! alone is told, exactly.

use super::claims::{COUNT_DRIFT, ODDS_DRIFT, TIME_DRIFT};
use super::view::{SeriesView, Span};
use super::words;
use crate::state::account::Times;
use crate::state::found::Found;
use crate::state::hist::{self, Hist, bucket};
use crate::state::timeline::Slot;

/// Events below which nothing is usual.
const LEAST: u64 = 4;

/// Standard deviations beyond the drift of an ordinary day at which a number of the window is not the usual one: a summary
/// asks it of some hundred numbers every minute.
const DEVIATIONS: f64 = 4.0;

/// A time that a share of the events does not exceed.
#[derive(Clone, Copy, Debug, Default)]
struct Time {
    /// Nanoseconds.
    ns: f64,
    /// How many times the lower end of the interval that holds it, nineteen times of twenty, its upper end is; infinite where
    /// there are too few events to tell that.
    width: f64,
}

/// The usual numbers of a series.
#[derive(Clone, Copy, Debug)]
pub struct Usual {
    count: u64,
    errors: u64,
    /// How often it comes, as it is said, and in what.
    often: (f64, &'static str),
    median: Time,
    tail: Time,
}

impl Usual {
    /// Those of a series that has not changed; `None` of any other, and where there is nothing to compare with.
    #[must_use]
    pub fn of(span: &Span, series: &SeriesView<'_>, known: &mut Found<Option<Times>>) -> Option<Self> {
        let (before, now) = (&series.before, &series.now);
        let (count, errors) = (before.count + now.count, before.errors + now.errors);
        if !span.compares() || before.count == 0 || count < LEAST {
            return None;
        }
        let (seconds, window) = (span.base_seconds() + span.seconds(), span.seconds());
        let share = exact(errors) / exact(count);
        let as_usual = fits(now.count, exact(count) * window / seconds, COUNT_DRIFT)
            && fits(now.errors, exact(now.count) * share, ODDS_DRIFT);
        if !as_usual {
            return None;
        }
        let find = || times(before, now).map(|both| both.map(|time| (time.ns, time.width)));
        let both = known.get(series.id, [before.number, now.number], find)?;
        let [median, tail] = both.map(|(ns, width)| Time { ns, width });
        let minutes = seconds / 60.0;
        Some(Self { count, errors, often: often(count, minutes), median, tail })
    }

    /// All that is said of it: the same for the same words.
    #[must_use]
    pub fn said(&self) -> [u64; 6] {
        let (rate, unit) = self.often;
        let [median, tail] = [self.median, self.tail].map(|time| [time.ns.to_bits(), time.width.to_bits()]);
        [rate.to_bits(), unit.len() as u64, median[0], median[1], tail[0], tail[1]]
    }

    /// How often it comes: `12k/min`, or `3/h` of what is rare.
    #[must_use]
    pub fn rate(&self) -> String {
        let (rate, unit) = self.often;
        format!("{}/{unit}", words::number(rate))
    }

    /// Events in so many seconds, by the rate as it is said.
    #[must_use]
    pub fn events(&self, seconds: f64) -> f64 {
        let (rate, unit) = self.often;
        rate * seconds / if unit == "min" { 60.0 } else { 3_600.0 }
    }

    /// The share that fails, as it is said; 0 if none does.
    #[must_use]
    pub fn failing(&self) -> f64 {
        words::about(exact(self.errors) / exact(self.count), known(exact(self.errors)).max(ODDS_DRIFT))
    }

    /// A share of time that its events take together, as it is said.
    #[must_use]
    pub fn part(&self, share: f64) -> f64 {
        part(share, self.count)
    }

    /// The median and the 95th percentile of the durations: `p50 2.5ms p95 4ms`; of few events the median alone.
    #[must_use]
    pub fn times(&self) -> String {
        let (median, tail) = (self.median, self.tail);
        if tail.width.is_infinite() {
            return format!("p50 {}", words::duration_about(median.ns, median.width));
        }
        // The one is said in no finer steps than the other: the greater is not to be said to be less.
        let [p50, p95] = [median.ns, tail.ns].map(|ns| words::duration_about(ns, tail.width.max(median.width)));
        format!("p50 {p50} p95 {p95}")
    }
}

/// A share of time that so many events take together, as it is said.
#[must_use]
pub fn part(share: f64, count: u64) -> f64 {
    words::about(share, known(exact(count)).max(TIME_DRIFT))
}

/// How often so many events in so many minutes are, as it is said, and its unit.
fn often(count: u64, minutes: f64) -> (f64, &'static str) {
    let (rate, width) = (exact(count) / minutes, known(exact(count)).max(COUNT_DRIFT));
    if rate >= 1.0 { (words::about(rate, width), "min") } else { (words::about(rate * 60.0, width), "h") }
}

/// How many times the lower end of the interval that holds a rate, nineteen times of twenty, its upper end is, where so many
/// events were counted.
fn known(count: f64) -> f64 {
    (4.0 / count.sqrt()).exp()
}

/// Whether a count is one of those to expect, drift and chance allowed for.
fn fits(count: u64, expected: f64, drift: f64) -> bool {
    let (low, high) = (expected / drift, expected * drift);
    let count = exact(count);
    count >= low - DEVIATIONS * low.sqrt() && count <= high + DEVIATIONS * high.sqrt() + 1.0
}

/// Whether a count is less than drift and chance explain where so many are to be expected.
#[must_use]
pub fn missed(count: u64, expected: f64) -> bool {
    exact(count) < expected && !fits(count, expected, COUNT_DRIFT)
}

/// The median and the 95th percentile of baseline and window together; `None` if the window's are others.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn times(before: &Slot, now: &Slot) -> Option<[Time; 2]> {
    const QUANTILES: [f64; 2] = [0.5, 0.95];
    let hists = [&before.duration, &now.duration];
    let (count, newer) = (exact(hists[0].count() + hists[1].count()), hists[1].count());
    if count == 0.0 {
        return Some([Time::default(); 2]);
    }
    let last = count - 1.0;
    let ends = |q: f64| {
        let deviation = 2.0 * (q * (1.0 - q) * count).sqrt();
        [-deviation, 0.0, deviation].map(|off| (q * last + off).round())
    };
    let mut found = [Time::default(); 2];
    for (time, q) in found.iter_mut().zip(QUANTILES) {
        let ranks = ends(q);
        let [low, ns, high] = hist::ranked(hists, ranks.map(|rank| rank.clamp(0.0, last) as u64));
        let width = if ranks[2] > last { f64::INFINITY } else { exact(high) / exact(low.max(1)) };
        *time = Time { ns: exact(ns), width: width.max(known(count * 4.0)).max(TIME_DRIFT) };
        let slower = above(hists[1], (time.ns * TIME_DRIFT) as u64);
        let faster = newer - above(hists[1], (time.ns / TIME_DRIFT) as u64);
        let chance = DEVIATIONS * (q * (1.0 - q) * exact(newer)).sqrt() + 1.0;
        let beyond = |count: u64, share: f64| exact(count) > share * exact(newer) + chance;
        if beyond(slower, 1.0 - q) || beyond(faster, q) {
            return None;
        }
    }
    Some(found)
}

/// How many durations exceed so many nanoseconds, but for those of the same bucket.
fn above(hist: &Hist, ns: u64) -> u64 {
    let cut = bucket(ns);
    hist.iter().filter(|entry| entry.0 > cut).map(|entry| u64::from(entry.1)).sum()
}

#[allow(clippy::cast_precision_loss)]
const fn exact(count: u64) -> f64 {
    count as f64
}
