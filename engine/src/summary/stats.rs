//! The tests behind a claim, each with its certainty on one scale: nats against chance.
//!
//! A claim is made when its nats exceed the logarithm of the number of claims that could have been made, over the share of
//! false ones allowed (Bonferroni). Effects of different kinds are on one scale too: the share of calls they touch.

use crate::state::hist::{Hist, middle};

/// Natural logarithm of the odds against chance at which one claim among `tests` may be made.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn threshold(tests: usize) -> f64 {
    /// One window in a thousand may hold a claim that is chance: of windows of five minutes, one in three days or four.
    const FALSE: f64 = 1e-3;
    (tests.max(1) as f64 / FALSE).ln()
}

/// How two distributions of durations differ.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shift {
    /// The share of calls that are slower than they would have been: the largest distance by which the distribution
    /// function of the window lies below the baseline's (one-sided Kolmogorov and Smirnov).
    pub share: f64,
    /// Nats against chance: 2 D² n m / (n + m), by Smirnov's asymptotic tail.
    pub nats: f64,
    /// Mean in nanoseconds before, without the slowest hundredth.
    pub before: f64,
    /// Mean in nanoseconds now, without the slowest hundredth.
    pub now: f64,
}

/// Whether durations have grown. Nothing where either has fewer than 8.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn slower(before: &Hist, now: &Hist) -> Option<Shift> {
    let (n, m) = (before.count() as f64, now.count() as f64);
    if n < 8.0 || m < 8.0 {
        return None;
    }
    let mut old = before.iter().peekable();
    let (mut below_old, mut below_now, mut share) = (0.0, 0.0, 0.0f64);
    for (bucket, count) in now.iter() {
        // Just below this bucket the window is at its lowest against the baseline.
        while let Some((_, old_count)) = old.next_if(|entry| entry.0 < bucket) {
            below_old += f64::from(old_count);
        }
        share = share.max(below_old / n - below_now / m);
        below_now += f64::from(count);
    }
    Some(Shift {
        share,
        nats: 2.0 * share * share * n * m / (n + m),
        before: trimmed_mean(before),
        now: trimmed_mean(now),
    })
}

/// The mean without the slowest hundredth.
#[allow(clippy::cast_precision_loss)]
fn trimmed_mean(hist: &Hist) -> f64 {
    let mut left = (hist.count() as f64 * 0.99).max(1.0);
    let (mut sum, mut count) = (0.0, 0.0);
    for (bucket, n) in hist.iter() {
        let n = f64::from(n).min(left);
        sum += n * middle(bucket) as f64;
        count += n;
        left -= n;
        if left <= 0.0 {
            break;
        }
    }
    if count > 0.0 { sum / count } else { 0.0 }
}

/// Nats against a count being chance where so many were expected from a baseline of `before` events.
///
/// The likelihood ratio of two Poisson rates; `ratio` is the exposure of the window over the baseline's.
#[must_use]
pub fn counts(before: f64, now: f64, ratio: f64) -> f64 {
    if ratio <= 0.0 || before + now <= 0.0 {
        return 0.0;
    }
    let expected_now = (before + now) * ratio / (1.0 + ratio);
    let expected_before = (before + now) / (1.0 + ratio);
    term(now, expected_now) + term(before, expected_before)
}

/// Nats against two shares being the same: the likelihood ratio (G-test) of a two by two table.
#[must_use]
pub fn shares(bad_before: f64, before: f64, bad_now: f64, now: f64) -> f64 {
    let total = before + now;
    if before <= 0.0 || now <= 0.0 {
        return 0.0;
    }
    let bad = (bad_before + bad_now) / total;
    term(bad_before, before * bad)
        + term(bad_now, now * bad)
        + term(before - bad_before, before * (1.0 - bad))
        + term(now - bad_now, now * (1.0 - bad))
}

fn term(observed: f64, expected: f64) -> f64 {
    if observed > 0.0 && expected > 0.0 { observed * (observed / expected).ln() } else { 0.0 }
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use super::*;
    use crate::state::hist::bucket;

    fn hist(values: impl Iterator<Item = u64>) -> Hist {
        let mut hist = Hist::default();
        values.for_each(|ns| hist.add(bucket(ns), 1));
        hist
    }

    #[test]
    fn slower__half_of_the_calls_ten_times_as_long__share_one_half() {
        let before = hist((0..1000).map(|i| 1_000_000 + i * 100));
        let now = hist((0..1000).map(|i| if i % 2 == 0 { 10_000_000 } else { 1_000_000 + i * 100 }));
        let shift = slower(&before, &now).unwrap_or_default();
        assert!((shift.share - 0.5).abs() < 0.05, "{shift:?}");
        assert!(shift.nats > threshold(10_000));
        assert!(slower(&now, &before).unwrap_or_default().share < 0.05);
    }

    #[test]
    fn counts__as_expected__no_nats_and_silence__many() {
        assert!(counts(100.0, 300.0, 3.0) < 1e-9);
        assert!(counts(100.0, 0.0, 3.0) > threshold(1_000));
        assert!(shares(1.0, 100.0, 1.0, 100.0) < 1e-9);
        assert!(shares(0.0, 500.0, 50.0, 500.0) > threshold(1_000));
    }
}
