//! Verdicts: claims joined into causes by who calls whom. The origin is accused; who merely waits or fails with it is named
//! in its verdict as a victim.

use std::collections::BTreeMap;

use super::apart::Apart;
use super::calls::is_inside;
use super::claims::{Claim, What};
use super::stats;
use super::victims::Callers;
use super::view::{SeriesView, View};
use crate::event::Kind;
use crate::state::timeline::Seconds;

/// Verdicts at most; more causes than this at once are one that is not understood.
const MOST: usize = 5;

/// Severity below which a cause is no verdict.
const LEAST: f64 = 0.06;

/// The same for a cause in one of several instances: drift, which all of them have, is out of the question there.
const LEAST_OF_ONE: f64 = 0.02;

/// By how many times as much it must be to be told against what was long ago, for drift goes on.
const LONG_AGO: f64 = 2.0;

/// Growth of the time that callers wait at which a claim about time counts half.
const IMPACT: f64 = 0.5;

/// What each further piece of evidence for one cause adds, over the piece before it: they are not independent.
const FURTHER: f64 = 0.4;

/// Causes a service may be accused of: time, failures, messages, steps.
const CAUSES: usize = 4;

/// What the evidence for one explanation must have of that for the other, that both are said.
const BALANCED: f64 = 0.9;

/// What is wrong, and where it comes from.
#[derive(Clone, Debug)]
pub struct Verdict<'v> {
    /// The claims that speak for it, the strongest first; there is at least one.
    pub claims: Vec<Claim<'v>>,
    /// The service at fault.
    pub service: &'v str,
    /// Another that explains it about as well.
    pub or: Option<&'v str>,
    /// 0 to 1: the share of its calls touched, times how far it goes, raised by further claims.
    pub severity: f64,
    /// What orders verdicts: severity, certainty and traffic together.
    pub rank: f64,
    /// Seconds of the end of the window that it is about, where that is not the whole of it.
    pub newest: Option<Seconds>,
    /// 0 to 1: by how much the evidence exceeds what chance could bring.
    pub confidence: f64,
    /// Services that call it and suffer with it.
    pub victims: Vec<&'v str>,
    /// What most of its bad calls have in common.
    pub attribute: Option<Apart>,
}

/// What is wrong by several looks at a window, the first that of the whole: of each service the verdict that says more, the
/// worst first.
#[must_use]
pub fn together<'v>(looks: impl IntoIterator<Item = Vec<Verdict<'v>>>) -> Vec<Verdict<'v>> {
    let mut verdicts: Vec<Verdict<'v>> = Vec::new();
    for verdict in looks.into_iter().flatten() {
        match verdicts.iter_mut().find(|other| other.service == verdict.service) {
            // What shows in the whole window is said of the whole, unless another look says much more.
            Some(other) if other.rank * 1.5 < verdict.rank => *other = verdict,
            Some(_) => {}
            None => verdicts.push(verdict),
        }
    }
    verdicts.sort_by(|a, b| b.rank.total_cmp(&a.rank).then_with(|| a.service.cmp(b.service)));
    verdicts.truncate(MOST);
    verdicts
}

/// What is wrong by one look at a window.
#[derive(Debug)]
pub struct Judged<'v> {
    callers: Callers<'v>,
    /// The most severe first.
    pub verdicts: Vec<Verdict<'v>>,
}

/// Join claims into verdicts. `looks` is how often the same question is asked of the same time; what another look has found
/// is not said once more of those who suffer by it.
#[must_use]
pub fn judge<'v>(view: &'v View<'v>, claims: &[Claim<'v>], looks: usize, other: Option<&Judged<'v>>) -> Judged<'v> {
    let callers = Callers::of(view);
    let causes = by_service(view, claims, &callers, looks);
    // Who suffers by one that it calls is told there, and is judged by what is left.
    let mut own = callers.unexplained(claims, &causes);
    if let Some(other) = other {
        own = other.callers.unexplained(&own, &other.verdicts);
    }
    let verdicts = if own.len() == claims.len() { causes } else { by_service(view, &own, &callers, looks) };
    Judged { callers, verdicts }
}

/// The verdicts that claims amount to by themselves.
fn by_service<'v>(view: &'v View<'v>, claims: &[Claim<'v>], callers: &Callers<'v>, looks: usize) -> Vec<Verdict<'v>> {
    let services = view.by_service().filter(|all| all.iter().any(|series| series.now.count > 0)).count();
    let causes = services * CAUSES;
    // Of each instance two things more are asked: whether it is slower than the others, and whether it fails more.
    let of_one = stats::threshold((causes + view.instances.len() * 2) * looks);
    let of_all = stats::threshold(causes * looks);
    let mut by_service: BTreeMap<&str, Vec<Claim<'v>>> = BTreeMap::new();
    // What is the same for all claims about a service is worked out once.
    let (mut impacts, mut shares): (BTreeMap<&str, f64>, BTreeMap<&str, f64>) = (BTreeMap::new(), BTreeMap::new());
    // A message that is new says that something is new, not that it is wrong.
    for claim in claims.iter().filter(|claim| claim.what != What::New) {
        let mut claim = claim.clone();
        if is_time(claim.what) && claim.series.key.kind != Kind::Instance {
            // Of all the time that callers wait, how much is lost here: a trifle that doubled is no cause.
            let impact = *impacts.entry(claim.service).or_insert_with(|| impact(view, claims, claim.service));
            claim.effect *= impact / (impact + IMPACT);
        }
        if claim.what == What::Network {
            let caller = claim.series.key.service;
            let mut share = |service| *shares.entry(service).or_insert_with(|| affected(view, claims, service));
            let (of_caller, of_callee) = (share(caller), share(claim.service));
            if caller != claim.service && of_caller.min(of_callee) >= of_caller.max(of_callee) * BALANCED {
                claim.or = Some(caller);
            }
            if of_caller > of_callee {
                (claim.service, claim.or) = (caller, claim.or.map(|_| claim.service));
            }
        }
        by_service.entry(claim.service).or_default().push(claim);
    }
    let mut severity: BTreeMap<&str, f64> = BTreeMap::new();
    for (service, claims) in &mut by_service {
        claims.sort_by(|a, b| b.effect.total_cmp(&a.effect).then_with(|| a.series.key.cmp(&b.series.key)));
        let rest = claims.iter().skip(1).take(3).map(|claim| claim.effect).sum::<f64>();
        let lead = claims.first().map_or(0.0, |claim| claim.effect);
        severity.insert(service, 1.0 - (1.0 - lead) * (1.0 - 0.2 * rest.min(1.0)));
    }
    let mut verdicts: Vec<Verdict<'v>> = Vec::new();
    for (service, claims) in by_service {
        let Some(lead) = claims.first() else { continue };
        let mut severe = severity.get(service).copied().unwrap_or_default();
        // Steps and messages go astray in a caller when its callee fails: the deeper one is the origin.
        if !is_time(lead.what) {
            let deeper = severity.iter().filter(|(callee, _)| callers.to(callee).any(|caller| caller == service));
            let deepest = deeper.fold(0.0f64, |most, (_, &other)| most.max(other));
            if deepest > severe * 0.5 {
                severe *= 0.5;
            }
        }
        let threshold = if lead.series.key.kind == Kind::Instance { of_one } else { of_all };
        let nats = pooled(&claims);
        if nats < threshold {
            continue;
        }
        let confidence = 1.0 - threshold / nats;
        verdicts.push(Verdict {
            service,
            or: lead.or,
            severity: severe,
            rank: 0.0,
            newest: None,
            confidence,
            victims: callers.suffering(service),
            claims,
            attribute: None,
        });
    }
    let times = if view.span.is_gapped() { LONG_AGO } else { 1.0 };
    verdicts.retain(|verdict| {
        let one = verdict.claims.first().is_some_and(|claim| claim.series.key.kind == Kind::Instance);
        verdict.severity >= times * if one { LEAST_OF_ONE } else { LEAST }
    });
    // Of two that are about as severe, the one that is more certain and touches more traffic.
    let calls = |service: &str| {
        let spans = view.of_service(service).iter().filter(|series| series.key.kind.is_decoded());
        spans.map(|series| series.now.count).max().unwrap_or(0)
    };
    let busiest = verdicts.iter().map(|verdict| calls(verdict.service)).max().unwrap_or(0);
    #[allow(clippy::cast_precision_loss)]
    let rank = |verdict: &Verdict<'_>| {
        let traffic = (1.0 + calls(verdict.service) as f64).ln() / (1.0 + busiest as f64).ln().max(1.0);
        verdict.severity * (0.5 + 0.5 * verdict.confidence) * (0.7 + 0.3 * traffic)
    };
    let accused: Vec<&str> = verdicts.iter().map(|verdict| verdict.service).collect();
    for verdict in &mut verdicts {
        // Who is accused beside is so for better reasons.
        verdict.or = verdict.or.filter(|other| !accused.contains(other));
        verdict.rank = rank(verdict);
    }
    together([verdicts])
}

pub(super) const fn is_time(what: What) -> bool {
    matches!(what, What::Slow | What::Network)
}

/// Nats of all claims for one cause together. Own times of different spans are times apart; of counts, those that are the
/// same numbers are the same evidence, seen from several sides.
fn pooled(claims: &[Claim<'_>]) -> f64 {
    let mut best: BTreeMap<(bool, u64, u64), f64> = BTreeMap::new();
    let mut nats: Vec<f64> = Vec::new();
    for claim in claims {
        if is_time(claim.what) {
            nats.push(claim.nats);
        } else {
            let same = (claim.what == What::Failing, claim.series.before.count, claim.series.now.count);
            let known = best.entry(same).or_default();
            *known = known.max(claim.nats);
        }
    }
    nats.extend(best.into_values());
    nats.sort_by(|a, b| b.total_cmp(a));
    nats.iter().rev().fold(0.0, |rest, nats| nats + FURTHER * rest)
}

/// Nanoseconds lost to a claim about time, in the whole window.
#[allow(clippy::cast_precision_loss)]
fn lost(claim: &Claim<'_>) -> f64 {
    (claim.after - claim.before).max(0.0) * claim.series.now.own.count() as f64
}

/// By how much the calls of a service's callers have become longer for the time that is lost in it; of a service nobody is
/// seen calling, its own calls.
#[allow(clippy::cast_precision_loss)]
fn impact(view: &View<'_>, claims: &[Claim<'_>], service: &str) -> f64 {
    let lost: f64 = claims.iter().filter(|claim| is_time(claim.what) && claim.service == service).map(lost).sum();
    let mut callers: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for edge in view
        .series
        .iter()
        .filter(|series| series.key.kind == Kind::Edge && series.key.operation == service && is_inside(series))
    {
        *callers.entry((edge.key.service, edge.key.within)).or_default() += edge.now.count as f64;
    }
    // Of the calls of a caller, those that may have called the service.
    let taken = |series: &SeriesView<'_>| {
        let key = series.key;
        let calls = series.now.duration.count() as f64;
        let concerned = if callers.is_empty() {
            calls
        } else {
            callers.get(&(key.service, key.operation)).map_or(0.0, |&called| called.min(calls))
        };
        if key.kind.is_span() { series.now.duration.mean() * concerned } else { 0.0 }
    };
    let mut services: Vec<&str> = callers.keys().map(|caller| caller.0).collect();
    services.dedup();
    if callers.is_empty() {
        services.push(service);
    }
    let total: f64 = services.into_iter().flat_map(|service| view.of_service(service)).map(taken).sum();
    // More than all of it: the callers did not wait.
    if lost <= 0.0 { 0.0 } else { lost / (total - lost).max(lost / 10.0) }
}

/// Of the edges of a service, the share whose gap has grown: a network fault of a host shows on all of them.
#[allow(clippy::cast_precision_loss)]
fn affected(view: &View<'_>, claims: &[Claim<'_>], service: &str) -> f64 {
    let touches = |edge: &SeriesView<'_>| {
        !edge.now.own.is_empty() && (edge.key.service == service || edge.key.operation == service)
    };
    let all = view.edges.iter().filter(|series| touches(series)).count();
    let grown = claims.iter().filter(|claim| claim.what == What::Network && touches(claim.series)).count();
    if all == 0 { 0.0 } else { grown as f64 / all as f64 }
}
