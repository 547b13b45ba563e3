//! Victims: what befalls a service because of one that it calls, or that is called further on, is said in the verdict about
//! that one and is no cause of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::{gives_up, is_inside};
use super::claims::{Claim, What};
use super::exposure::Exposures;
use super::verdicts::{Verdict, is_time};
use super::view::View;
use crate::event::Kind;
use crate::state::timeline::Slot;

/// How many records of a kind there may be for each call that failed: a little more, for some failures are not seen.
const A_CALL: f64 = 1.2;

/// Calls of a callee for each call of its caller, against what it was, above which it is tried again.
const TRIED_AGAIN: f64 = 1.1;

/// How the calls from one service to another have changed.
#[derive(Clone, Copy, Debug, Default)]
struct Suffering {
    /// They take half as long again.
    slower: bool,
    /// A hundredth more of them fail.
    fails: bool,
    /// Calls that failed and would not have.
    failed: f64,
    /// Calls that there should have been, and that there were.
    expected: f64,
    seen: f64,
}

impl Suffering {
    /// Calls of which nobody heard.
    const fn lost(&self) -> f64 {
        (self.expected - self.seen).max(0.0)
    }
}

/// Who calls whom, and how the callers fare with it.
#[derive(Debug)]
pub struct Callers<'v> {
    view: &'v View<'v>,
    /// By callee and caller.
    calls: BTreeMap<&'v str, BTreeMap<&'v str, Suffering>>,
    /// Services whose failures say that they waited in vain.
    impatient: BTreeSet<&'v str>,
}

impl<'v> Callers<'v> {
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn of(view: &'v View<'v>) -> Self {
        let exposures = Exposures::of(view);
        let mut calls: BTreeMap<&str, BTreeMap<&str, Suffering>> = BTreeMap::new();
        for edge in view.edges.iter().filter(|edge| is_inside(edge) && edge.before.count > 0) {
            let suffering = calls.entry(edge.key.operation).or_default().entry(edge.key.service).or_default();
            let share = |slot: &Slot| slot.errors as f64 / slot.count.max(1) as f64;
            let more = share(&edge.now) - share(&edge.before);
            suffering.slower |= edge.now.duration.mean() > edge.before.duration.mean() * 1.5;
            suffering.fails |= more > 0.01;
            suffering.failed += more.max(0.0) * edge.now.count as f64;
        }
        for edge in view.series.iter().filter(|series| series.key.kind == Kind::Edge && series.before.count > 0) {
            let callers = calls.get_mut(edge.key.operation);
            if let Some(suffering) = callers.and_then(|callers| callers.get_mut(edge.key.service)) {
                suffering.expected += edge.before.count as f64 * exposures.to(edge).ratio();
                suffering.seen += edge.now.count as f64;
            }
        }
        let callers: BTreeSet<&str> = calls.values().flat_map(|callers| callers.keys().copied()).collect();
        let impatient = callers.into_iter().filter(|caller| gives_up(view, caller)).collect();
        Self { view, calls, impatient }
    }

    /// Who calls a service.
    pub fn to(&self, service: &str) -> impl Iterator<Item = &'v str> + '_ {
        self.calls.get(service).into_iter().flatten().map(|(&caller, _)| caller)
    }

    /// Those whose calls to a service have become slower or fail more.
    #[must_use]
    pub fn suffering(&self, service: &str) -> Vec<&'v str> {
        let callers = self.calls.get(service).into_iter().flatten();
        callers.filter(|(_, suffering)| suffering.slower || suffering.fails).map(|(&caller, _)| caller).collect()
    }

    /// The claims that say what a cause does not say already: those that its own callers, or theirs, do not suffer for it.
    #[must_use]
    pub fn unexplained(&self, claims: &[Claim<'v>], causes: &[Verdict<'v>]) -> Vec<Claim<'v>> {
        let reaches: Vec<Reach<'_, 'v>> = causes.iter().map(|cause| Reach::of(self, cause)).collect();
        // What comes from elsewhere itself explains nothing: where it comes from does.
        let comes_from =
            |cause: &Verdict<'_>, reach: &Reach<'_, '_>| cause.claims.iter().all(|claim| reach.explains(claim));
        let first: Vec<&Reach<'_, 'v>> =
            reaches.iter().filter(|reach| !reaches.iter().any(|other| comes_from(reach.cause, other))).collect();
        claims.iter().filter(|claim| !first.iter().any(|reach| reach.explains(claim))).cloned().collect()
    }
}

/// How far up a cause is felt.
struct Reach<'a, 'v> {
    callers: &'a Callers<'v>,
    cause: &'a Verdict<'v>,
    /// Whether its calls take longer, and not whether they fail.
    slow: bool,
    /// The service at fault, and all whose calls come to it and suffer.
    felt: BTreeSet<&'v str>,
}

impl<'a, 'v> Reach<'a, 'v> {
    fn of(callers: &'a Callers<'v>, cause: &'a Verdict<'v>) -> Self {
        let slow = cause.claims.first().is_some_and(|lead| is_time(lead.what));
        let mut felt = BTreeSet::from([cause.service]);
        let mut next = vec![cause.service];
        while let Some(callee) = next.pop() {
            for (&caller, suffering) in callers.calls.get(callee).into_iter().flatten() {
                let suffers = suffering.fails || slow && suffering.slower || suffering.lost() > 1.0;
                if suffers && felt.insert(caller) {
                    next.push(caller);
                }
            }
        }
        Self { callers, cause, slow, felt }
    }

    /// Whether what a claim says comes from the cause: it is about no more than the calls that failed or were not heard of, or
    /// it is the failure of one that waited in vain.
    fn explains(&self, claim: &Claim<'_>) -> bool {
        let victim = claim.series.key.service;
        if claim.service == self.cause.service || victim == self.cause.service {
            return false;
        }
        let mut all = Suffering::default();
        let (mut lost, mut slower) = (0.0, false);
        for (&callee, callers) in self.callers.calls.iter().filter(|(callee, _)| self.felt.contains(*callee)) {
            let Some(suffering) = callers.get(victim) else { continue };
            // Where each calls the other nobody can tell who began.
            if self.callers.to(victim).any(|caller| caller == callee) {
                return false;
            }
            all.failed += suffering.failed;
            all.expected += suffering.expected;
            all.seen += suffering.seen;
            slower |= suffering.slower;
            lost += suffering.lost();
        }
        let few = |calls: f64| claim.touched <= calls * A_CALL;
        match claim.what {
            // Who is not answered waits, and who tries again does so between.
            What::Slow | What::Network => {
                !self.slow && (few(lost) || few(all.failed) && all.seen > all.expected * TRIED_AGAIN)
            }
            What::Stopped => few(all.failed + lost),
            What::Failing | What::Errors | What::New => {
                let own = claim.what == What::Failing && claim.series.key.kind != Kind::Instance;
                let in_vain = self.slow && slower && self.callers.impatient.contains(victim);
                in_vain || few(all.failed + lost) && (!own || self.repeats(claim))
            }
        }
    }

    /// Whether an operation that begins to fail says what the service at fault says: its failure was passed on by a way that
    /// no span shows.
    fn repeats(&self, claim: &Claim<'_>) -> bool {
        let failures = |service: &str| {
            let of_service = self.callers.view.of_service(service).iter();
            of_service.filter(|series| series.key.kind == Kind::Failure && series.now.count > 0)
        };
        let said: BTreeSet<&str> = failures(self.cause.service).map(|failure| failure.key.operation).collect();
        let (mut all, mut same) = (0, 0);
        for failure in failures(claim.series.key.service) {
            if failure.key.within == claim.series.key.operation {
                all += failure.now.count;
                same += if said.contains(failure.key.operation) { failure.now.count } else { 0 };
            }
        }
        same * 2 > all
    }
}
