//! The tests behind a claim, each with its certainty on one scale: nats against chance and drift.
//!
//! Every test is a likelihood ratio: how much better the counts are explained by a change than by none. None is not "exactly
//! as before", which is never so with much traffic: what stays within the drift of an ordinary day (a *tolerance*, a factor)
//! is no change, and the best of all explanations within it is what a change is measured against. Shares of calls are
//! compared by their odds, counts by their rates, times by the share of calls above the most telling cut. So evidence of a
//! few calls and of a million stands on one scale, and a claim is made when its nats exceed the logarithm of the number of
//! claims that could have been made, over the share of false ones allowed (Bonferroni).

use crate::state::hist::{Hist, bucket, middle};

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
    /// Nats against chance and drift.
    pub nats: f64,
    /// Mean in nanoseconds before, without the slowest hundredth.
    pub before: f64,
    /// Mean in nanoseconds now, without the slowest hundredth.
    pub now: f64,
}

/// Whether durations have grown by more than the factor `tolerance`.
///
/// A scan for a maximally selected statistic (Miller and Siegmund, 1982): of all durations, the one is looked for whose
/// excess above it speaks the most clearly for a change, and the number of durations looked at is paid for.
#[must_use]
pub fn slower(before: &Hist, now: &Hist, tolerance: f64) -> Option<Shift> {
    let Excess { share, nats } = excess(before, now, tolerance)?;
    Some(Shift { share, nats, before: trimmed_mean(before), now: trimmed_mean(now) })
}

/// The share of [`slower`] and its nats.
#[derive(Clone, Copy, Debug, Default)]
pub struct Excess {
    /// The share of calls that are slower than they would have been.
    pub share: f64,
    /// Nats against chance and drift.
    pub nats: f64,
}

/// The same without the means.
#[must_use]
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn excess(before: &Hist, now: &Hist, tolerance: f64) -> Option<Excess> {
    let (n, m) = (before.count() as f64, now.count() as f64);
    if n < 4.0 || m < 4.0 {
        return None;
    }
    let grown = |entry: (u16, u32)| (bucket((middle(entry.0) as f64 * tolerance) as u64), f64::from(entry.1));
    let usual = before.quantile(0.95).max(1) as f64 * tolerance;
    let mut old = before.iter().map(grown).peekable();
    let mut best = Excess::default();
    let (mut above_old, mut above_now, mut cuts) = (n, m, 0.0f64);
    for (bucket, count) in now.iter() {
        // Just below this bucket the window is at its lowest against the baseline.
        while let Some((_, count)) = old.next_if(|entry| entry.0 < bucket) {
            above_old -= count;
        }
        cuts += 1.0;
        let share = above_now / m - above_old / n;
        if share > 0.0 {
            let expected = PRIOR_TIMES * tail(middle(bucket) as f64 / usual);
            best.nats = best.nats.max(ratio(above_old + expected, n + PRIOR_TIMES, above_now, m));
            best.share = best.share.max(share);
        }
        above_now -= f64::from(count);
    }
    // Cuts next to each other say nearly the same: about the logarithm of their number are looked at in truth.
    best.nats = (best.nats - cuts.max(1.0).ln()).max(0.0);
    Some(best)
}

/// What is known of times before many are seen: that what takes a few times its usual time is rare. So many calls with the
/// tail below stand before each baseline, so that a short one says what it can and no more.
const PRIOR_TIMES: f64 = 30.0;

/// The share of calls that take so many times what nineteen of twenty stay below: a tail of Pareto's form.
fn tail(times: f64) -> f64 {
    if times <= 1.0 { 0.05 } else { 0.05 * times.powf(-1.5) }
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

/// Nats against a count being within a factor `tolerance` of what was expected from a baseline of `before` events: more
/// than that if the tolerance is over 1, less if it is under 1.
///
/// The likelihood ratio of two Poisson rates; `exposure` is the exposure of the window over the baseline's.
#[must_use]
pub fn counts(before: f64, now: f64, exposure: f64, tolerance: f64) -> f64 {
    let ratio = exposure * tolerance;
    let beyond = if tolerance >= 1.0 { now > before * ratio } else { now < before * ratio };
    if ratio <= 0.0 || !beyond {
        return 0.0;
    }
    let expected_now = (before + now) * ratio / (1.0 + ratio);
    let expected_before = (before + now) / (1.0 + ratio);
    (term(now, expected_now) + term(before, expected_before)).max(0.0)
}

/// Nats against the odds of something bad being within a factor `tolerance` of what they were: of `before` calls
/// `bad_before` were bad, of `now` calls `bad_now` are.
#[must_use]
pub fn shares(bad_before: f64, before: f64, bad_now: f64, now: f64, tolerance: f64) -> f64 {
    if before <= 0.0 || now <= 0.0 || bad_now <= 0.0 {
        return 0.0;
    }
    let (good_before, good_now) = ((before - bad_before).max(0.0), (now - bad_now).max(0.0));
    if bad_now * good_before <= tolerance * bad_before * good_now {
        return 0.0;
    }
    // The best explanation within the tolerance has odds that differ by just that: concave, so halving finds it.
    let (mut low, mut high) = (0.0, 1.0);
    let odds = |share: f64| tolerance * share / (1.0 + (tolerance - 1.0) * share);
    for _ in 0..40 {
        let share = f64::midpoint(low, high);
        // Of the likelihood by the logarithm of the odds: what was bad, less what should have been.
        if bad_before + bad_now > before * share + now * odds(share) {
            low = share;
        } else {
            high = share;
        }
    }
    against([bad_before, before], [bad_now, now], f64::midpoint(low, high), tolerance)
}

/// No less than [`shares`], and found at once: nats against an explanation within the tolerance that need not be the best.
#[must_use]
pub fn shares_at_most(bad_before: f64, before: f64, bad_now: f64, now: f64, tolerance: f64) -> f64 {
    if before <= 0.0 || now <= 0.0 || bad_now <= 0.0 {
        return 0.0;
    }
    let (good_before, good_now) = ((before - bad_before).max(0.0), (now - bad_now).max(0.0));
    if bad_now * good_before <= tolerance * bad_before * good_now {
        return 0.0;
    }
    // All together, as if the odds of what is rare differed as its shares do.
    let share = ((bad_before + bad_now) / (before + now * tolerance)).min(0.999);
    against([bad_before, before], [bad_now, now], share, tolerance)
}

/// Nats of two shares against one that has odds as much greater as the tolerance allows.
fn against([bad_before, before]: [f64; 2], [bad_now, now]: [f64; 2], share: f64, tolerance: f64) -> f64 {
    let (good_before, good_now) = ((before - bad_before).max(0.0), (now - bad_now).max(0.0));
    let odds = tolerance * share / (1.0 + (tolerance - 1.0) * share);
    let log = |count: f64, share: f64| if count > 0.0 { count * share.max(1e-300).ln() } else { 0.0 };
    let free = log(bad_before, bad_before / before)
        + log(good_before, good_before / before)
        + log(bad_now, bad_now / now)
        + log(good_now, good_now / now);
    let tied = log(bad_before, share) + log(good_before, 1.0 - share) + log(bad_now, odds) + log(good_now, 1.0 - odds);
    (free - tied).max(0.0)
}

/// The likelihood ratio (G-test) of a two by two table, with no tolerance.
fn ratio(bad_before: f64, before: f64, bad_now: f64, now: f64) -> f64 {
    let bad = (bad_before + bad_now) / (before + now);
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
        values.for_each(|ns| _ = hist.add(bucket(ns), 1));
        hist
    }

    #[test]
    fn slower__half_of_the_calls_ten_times_as_long__share_one_half() {
        let before = hist((0..1000).map(|i| 1_000_000 + i * 100));
        let now = hist((0..1000).map(|i| if i % 2 == 0 { 10_000_000 } else { 1_000_000 + i * 100 }));
        let shift = slower(&before, &now, 1.25).unwrap_or_default();
        assert!((shift.share - 0.5).abs() < 0.05, "{shift:?}");
        assert!(shift.nats > threshold(10_000));
        assert!(slower(&now, &before, 1.25).unwrap_or_default().nats < 1.0);
        let few = slower(&hist((0..6).map(|_| 1_000_000)), &hist((0..20).map(|_| 9_000_000)), 1.25).unwrap_or_default();
        assert!(few.nats > 9.0, "{few:?}");
        let drift = slower(&before, &hist((0..1000).map(|i| 1_150_000 + i * 100)), 1.25).unwrap_or_default();
        assert!(drift.nats < 1.0, "{drift:?}");
    }

    #[test]
    fn shares__found_at_once__no_less_than_the_best() {
        for bad in [0.0, 1.0, 3.0, 20.0] {
            for (before, bad_now, now) in
                [(20.0, 1.0, 1.0), (50.0, 2.0, 9.0), (300.0, 40.0, 41.0), (4.0, 30.0, 7_000.0)]
            {
                let [most, found] = [shares_at_most, shares].map(|of| of(bad, before, bad_now, now, 1.25));
                assert!(
                    most >= found - 1e-9 && most < found + 3.0,
                    "{bad} of {before}, {bad_now} of {now}: {most} {found}"
                );
            }
        }
    }

    #[test]
    fn counts__as_expected__no_nats_and_silence__many() {
        assert!(counts(100.0, 300.0, 3.0, 1.0) < 1e-9);
        assert!(counts(100.0, 0.0, 3.0, 0.5) > threshold(1_000));
        assert!(counts(100.0, 290.0, 3.0, 0.7) < 1e-9);
        assert!(shares(1.0, 100.0, 1.0, 100.0, 1.0) < 1e-9);
        assert!(shares(0.0, 500.0, 50.0, 500.0, 2.0) > threshold(1_000));
        assert!(shares(100.0, 1000.0, 160.0, 1000.0, 2.0) < 1e-9, "within the tolerance");
        let (exact, tied) = (shares(3.0, 50.0, 20.0, 60.0, 1.0), ratio(3.0, 50.0, 20.0, 60.0));
        assert!((exact - tied).abs() < 1e-6, "{exact} {tied}");
    }
}
