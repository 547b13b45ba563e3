//! Verdicts on simulated systems: how many are right, on fixed seeds. `cargo bench --bench verdicts` measures many more.
#![allow(non_snake_case, clippy::panic, clippy::cast_precision_loss)]

mod simulated;

use simulated::{case, outcome, unrest};
use tracegist_simulate::fault::Kind;

/// Of the cases of a kind: how many first verdicts are right, how many were said before the fault, and how many accuse others
/// beside.
fn right(kind: Kind, seeds: std::ops::Range<u64>) -> [usize; 3] {
    let [mut right, mut early, mut more] = [0; 3];
    for seed in seeds {
        let (case, _) = case(seed, kind, 4_000.0);
        let outcome = outcome(&case, false);
        right += usize::from(outcome.first());
        early += outcome.early;
        more += if outcome.first() { outcome.more() } else { 0 };
    }
    [right, early, more]
}

#[test]
fn verdicts__simulated_faults__first_names_the_culprit() {
    let (mut early, mut beside) = (0, 0);
    for (kind, least) in LEAST {
        let [right, said_before, more] = right(kind, 1..7);
        assert!(right >= least, "{}: {right} of 6 first verdicts are right, and were {least} at least", kind.name());
        early += said_before;
        beside += more;
    }
    assert_eq!(early, 0, "verdicts before any fault");
    // Callers suffer with the culprit; a verdict of its own is for who has a fault of its own.
    assert!(beside <= 1, "{beside} verdicts beside the right one");
}

#[test]
fn verdict__calls_of_one_tenant__the_tenant_is_told_and_no_other() {
    let (mut told, mut touched) = (0, 0);
    for seed in 0..8 {
        let (case, _) = case(seed, Kind::Tenant, 30_000.0);
        let outcome = outcome(&case, false);
        assert!(!outcome.confused(), "seed {seed}: told {:?}, true {:?}", outcome.told, outcome.marks);
        // Of a handful of calls nothing can be said.
        touched += usize::from(outcome.touched >= 10);
        told += usize::from(outcome.apart());
    }
    assert!(touched >= 6 && 4 * told >= 3 * touched, "told in {told} of {touched} cases");
}

#[test]
fn summary__steady_hosts__at_most_a_tenth_of_the_lines_is_new_after_a_minute() {
    let all: Vec<_> = (0..8).filter_map(|seed| unrest(seed, 4_500, 5, 30_000.0)).collect();
    assert!(all.len() >= 6, "{} hosts had no verdict", all.len());
    let lines = all.iter().map(|one| one.lines).sum::<f64>() / all.len() as f64;
    let changed: Vec<_> = all.iter().map(|one| (one.lines, &one.changed)).collect();
    assert!(lines <= 0.1, "{lines} of the lines are new: {changed:#?}");
    // They say a great deal all the same, or it would be easy.
    let standing = all.iter().map(|one| one.standing).sum::<usize>() / all.len();
    assert!(standing >= 25, "{standing} lines");
}

/// First verdicts that are right of six.
const LEAST: [(Kind, usize); 17] = [
    (Kind::Latency, 4),
    (Kind::Cpu, 3),
    (Kind::Network, 4),
    (Kind::Loss, 4),
    (Kind::Exception, 5),
    (Kind::EarlyReturn, 5),
    (Kind::Crash, 4),
    (Kind::Silence, 4),
    (Kind::LostCall, 3),
    (Kind::Deployment, 4),
    (Kind::Database, 5),
    (Kind::Backlog, 5),
    (Kind::RetryStorm, 5),
    (Kind::Partial, 1),
    (Kind::Tenant, 4),
    (Kind::LogBurst, 5),
    (Kind::Two, 5),
];
