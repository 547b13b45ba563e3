//! What has changed between two tallies, and how certain that is: the tests behind a summary's claims.

use super::tally::Tally;
use super::window::Windows;
use crate::state::hist::Hist;
use crate::summary::stats;

/// Drift that is no change: a factor.
const TOLERANCE: f64 = 1.25;

/// Nats of the least change that is told.
const LEAST: f64 = 3.0;

/// The clearest of the changes.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// In a word or two.
    pub how: &'static str,
    /// Nats against chance and drift.
    pub nats: f64,
}

/// What changed the most clearly from one tally to the other.
#[must_use]
pub fn between(before: &Tally<'_>, now: &Tally<'_>, windows: Windows) -> Change {
    let [n, m] = [before.count as f64, now.count as f64];
    let [bad, worse] = [before.errors as f64, now.errors as f64];
    let seconds = windows.before.map_or(1, |window| window.seconds()).max(1);
    let exposure = windows.now.seconds() as f64 / seconds as f64;
    let slower = |from: &Hist, to: &Hist| stats::excess(from, to, TOLERANCE).map_or(0.0, |excess| excess.nats);
    // What may at most be too little to be told is not reckoned.
    let shares = |[bad_before, before]: [f64; 2], [bad_now, now]: [f64; 2]| {
        let most = stats::shares_at_most(bad_before, before, bad_now, now, TOLERANCE);
        if most < LEAST - 0.01 { most } else { stats::shares(bad_before, before, bad_now, now, TOLERANCE) }
    };
    let found = [
        ("slower", slower(&before.duration, &now.duration)),
        ("faster", slower(&now.duration, &before.duration)),
        ("fails more", shares([bad, n], [worse, m])),
        ("fails less", shares([worse, m], [bad, n])),
        (if n > 0.0 { "more" } else { "new" }, stats::counts(n, m, exposure, TOLERANCE)),
        (if m > 0.0 { "fewer" } else { "gone" }, stats::counts(n, m, exposure, 1.0 / TOLERANCE)),
    ];
    let (how, nats) = found.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or(("same", 0.0));
    // Less than what chance alone does once in twenty times is said to be the same.
    if nats < LEAST { Change { how: "same", nats: 0.0 } } else { Change { how, nats } }
}
