//! Claims: what has changed between baseline and window, each with its effect and its certainty.
//!
//! Counts are taken per inbound call of their service, so that one that merely lost its callers is not accused; times are
//! own times, so that one that merely waits is not either.

use super::calls::{Calls, is_inside};
use super::exposure::{Exposure, Exposures, Writers};
use super::instances;
use super::kin::Kin;
use super::stats::{self, Shift};
use super::view::{SeriesView, View};
use crate::event::Kind;
use crate::state::series::SeriesId;
use crate::state::timeline::{Seconds, Slot};

/// What a claim says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Own time grew.
    Slow,
    /// The time between the caller's span and the callee's grew.
    Network,
    /// Failures began here more often.
    Failing,
    /// Error messages came more often.
    Errors,
    /// A usual step became rare or fell silent.
    Stopped,
    /// A message that was not there before.
    New,
}

impl What {
    /// The word for it in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Network => "network",
            Self::Failing => "failing",
            Self::Errors => "errors",
            Self::Stopped => "stopped",
            Self::New => "new",
        }
    }
}

/// One change.
#[derive(Clone, Debug)]
pub struct Claim<'v> {
    /// What it says.
    pub what: What,
    /// Who is to blame by this claim alone.
    pub service: &'v str,
    /// Who else it may be, as far as the evidence tells.
    pub or: Option<&'v str>,
    /// What it is about.
    pub series: &'v SeriesView<'v>,
    /// Share of the service's calls it touches, times how far it goes: 0 to 1.
    pub effect: f64,
    /// Calls that it is about: those that are slower, fail, lack a step, or wrote what they did not.
    pub touched: f64,
    /// Against chance.
    pub nats: f64,
    /// In the baseline: nanoseconds, a share, or events per inbound call, as the kind of claim has it.
    pub before: f64,
    /// In the window.
    pub after: f64,
    /// The second in which it began, where that can be told.
    pub since: Option<Seconds>,
}

/// Share of calls below which a change is not worth a claim, however certain.
pub(super) const LEAST_SHARE: f64 = 0.05;

/// The share of its calls that a step taken now and then must keep, to be as it was.
const STEP_DRIFT: f64 = 0.7;

/// Growth of a time below which it is not worth a claim.
const LEAST_GROWTH: f64 = 1.2;

/// The factors by which times, counts and the odds of something change from minute to minute with nothing wrong.
pub(super) const TIME_DRIFT: f64 = 1.25;
pub(super) const COUNT_DRIFT: f64 = 1.5;
pub(super) const ODDS_DRIFT: f64 = 2.0;

/// What is known of errors before any is seen: that they are rare. Half an error in so many calls stands before each
/// baseline, so that a short one in which there was none says little and one that is all errors says much.
pub(super) const PRIOR_ERRORS: f64 = 0.5;
pub(super) const PRIOR_CALLS: f64 = 200.0;

/// What is known of a step that no call has left out: that it is one of the program's. So many calls that took it stand
/// before its baseline.
const PRIOR_STEPS: f64 = 20.0;

/// Nats below which a claim is not worth keeping, not even beside others.
pub(super) const WEAK: f64 = 4.0;

/// Events of a baseline below which it cannot be said to be usual.
const LEAST_BEFORE: u64 = 4;

/// All claims that chance does not explain well. Those that stand by themselves exceed [`certain`]; weaker ones of one
/// service may do so together.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn claims<'v>(view: &'v View<'v>) -> Vec<Claim<'v>> {
    if !view.span.compares() {
        return Vec::new();
    }
    let exposures = Exposures::of(view);
    let mut claims: Vec<Claim<'v>> = Vec::new();
    let recovered = exposures.recovered(view);
    let calls = Calls::of(view, &exposures);
    for edge in view.edges.iter().filter(|edge| is_inside(edge)) {
        claims.extend(slow(view, edge, What::Network, edge.key.operation, 1.0));
    }
    let kin = Kin::of(view);
    let writers = Writers::of(view, &exposures);
    for (at, series) in view.series.iter().enumerate() {
        match series.key.kind {
            Kind::Edge if is_inside(series) => {
                let claim = stopped(view, (at, &kin), exposures.to(series), &exposures);
                claims.extend(claim.map(|claim| {
                    let (service, or) = calls.to_blame(series);
                    Claim { service, or, ..claim }
                }));
            }
            Kind::Step => {
                let claim = stopped(view, (at, &kin), exposures.to(series), &exposures);
                claims.extend(claim.map(|claim| Claim { service: calls.step(series), ..claim }));
            }
            Kind::Log => {
                let exposure = exposures.to(series);
                let claim = messages(view, (at, &kin), exposure, &writers);
                claims.extend(claim.map(|claim| Claim { service: calls.author(series), ..claim }));
                claims.extend(stopped(view, (at, &kin), writers.missed(series, exposure), &exposures));
            }
            Kind::Edge | Kind::Failure => {}
            _ => {
                // Who is to blame is asked where there is something to be blamed for.
                if !series.steady {
                    let claim = slow(view, series, What::Slow, series.key.service, exposures.traffic(series));
                    claims.extend(claim.map(|claim| match calls.callee(series) {
                        Some(service) => Claim { what: What::Network, service, ..claim },
                        None => Claim { service: calls.origin(series), ..claim },
                    }));
                }
                let claim = failing(view, series, series.key.service);
                claims.extend(claim.map(|claim| Claim { service: calls.origin(series), ..claim }));
            }
        }
    }
    claims.extend(instances::claims(view));
    claims.retain(|claim| {
        claim.what != What::Stopped
            || claim.before - claim.after > 1.2 * recovered.get(claim.service).copied().unwrap_or_default()
    });
    claims.retain(|claim| claim.nats > WEAK && claim.effect > 0.0);
    claims
}

/// Nats at which a claim stands by itself: each series is asked about three times at most, its time, its failures, its
/// count.
#[must_use]
pub fn certain(view: &View<'_>) -> f64 {
    stats::threshold(view.series.len() * 3)
}

/// How far a growth of so many times goes, from 0 to 1: none for one and a half, half for six.
pub(super) fn far(times: f64) -> f64 {
    let far = (times / 1.5).max(1.0).ln();
    far / (far + 4f64.ln())
}

/// Whether own times have grown by so much, and for so many, that it is worth a claim if it is certain.
#[must_use]
pub fn has_grown(before: &Slot, now: &Slot) -> bool {
    grown(before, now).is_some()
}

fn grown(before: &Slot, now: &Slot) -> Option<Shift> {
    let shift = stats::slower(&before.own, &now.own, TIME_DRIFT)?;
    (shift.share >= LEAST_SHARE && shift.now >= shift.before * LEAST_GROWTH).then_some(shift)
}

#[allow(clippy::cast_precision_loss)]
fn slow<'v>(
    view: &'v View<'v>,
    series: &'v SeriesView<'v>,
    what: What,
    service: &'v str,
    traffic: f64,
) -> Option<Claim<'v>> {
    let shift = grown(&series.before, &series.now)?;
    let middle = f64::midpoint(shift.before, shift.now);
    let since = onset(view, series.id, |slot| (!slot.own.is_empty()).then(|| slot.own.mean() > middle));
    // How many times longer the calls are that are slower: their mean, were the others as they had been.
    let times = 1.0 + (shift.now - shift.before) / shift.share / shift.before.max(1.0);
    let effect = traffic * shift.share * far(times);
    Some(Claim {
        what,
        service,
        or: None,
        series,
        effect,
        touched: shift.share * series.now.own.count() as f64,
        nats: shift.nats,
        before: shift.before,
        after: shift.now,
        since,
    })
}

#[allow(clippy::cast_precision_loss)]
fn failing<'v>(view: &'v View<'v>, series: &'v SeriesView<'v>, service: &'v str) -> Option<Claim<'v>> {
    let [bad_before, before, bad_now, now] =
        [series.before.origins, series.before.count, series.now.origins, series.now.count].map(|n| n as f64);
    if before <= 0.0 || now <= 0.0 || bad_now <= 0.0 {
        return None;
    }
    let (old, new) = (bad_before / before, bad_now / now);
    if new - old < 0.01 || new < old * 1.5 {
        return None;
    }
    let middle = f64::midpoint(old, new);
    let since =
        onset(view, series.id, |slot| (slot.count > 0).then_some(slot.origins as f64 > middle * slot.count as f64));
    let nats = stats::shares(bad_before + PRIOR_ERRORS, before + PRIOR_CALLS, bad_now, now, ODDS_DRIFT);
    let effect = (new - old) * seen(new * before);
    let touched = (new - old) * now;
    Some(Claim {
        what: What::Failing,
        service,
        or: None,
        series,
        effect,
        touched,
        nats,
        before: old,
        after: new,
        since,
    })
}

/// How sure it is that a baseline would have shown what is as frequent as now: of so many that it would then have held,
/// it held at least one.
fn seen(expected: f64) -> f64 {
    1.0 - (-expected).exp()
}

/// An error message that comes more often, or a message that is new. Error messages that are kin are one: a cause that is
/// told with the name of another host is the same cause.
#[allow(clippy::cast_precision_loss)]
fn messages<'v>(
    view: &'v View<'v>,
    (at, kin): (usize, &Kin<'_>),
    service: Exposure,
    writers: &Writers<'_>,
) -> Option<Claim<'v>> {
    let mut exposure = service;
    let series = &view.series[at];
    let grown = |at: usize| view.series[at].now.count as f64 - view.series[at].before.count as f64 * exposure.ratio();
    let errors = kin.is_error(at);
    let (mut before, mut now) = (series.before.count as f64, series.now.count as f64);
    if errors {
        let most = kin.of_series(at).max_by(|&a, &b| grown(a).total_cmp(&grown(b)).then(b.cmp(&a)));
        if most != Some(at) {
            return None;
        }
        before = kin.of_series(at).map(|at| view.series[at].before.count as f64).sum();
        now = kin.of_series(at).map(|at| view.series[at].now.count as f64).sum();
        exposure = writers.calls(kin.of_series(at).map(|at| &view.series[at]), service);
    }
    let expected = before * exposure.ratio();
    if now <= expected * 1.5 || (!errors && before > 0.0) {
        return None;
    }
    // Of what was not called before nobody knows what is usual: its errors are news.
    let known = exposure.before >= 1.0;
    let (what, weight) = if errors && known { (What::Errors, 1.0) } else { (What::New, 0.3) };
    // Of the calls of the operations that write it, and of those the share that their service is called for.
    let share = ((now - expected) / exposure.now).min(1.0) * (exposure.now / service.now.max(1.0)).min(1.0);
    let share = share * seen(now * exposure.before / exposure.now);
    let since = onset(view, series.id, |slot| Some(slot.count > 0));
    let (old, new) = (before / exposure.before.max(1.0), now / exposure.now.max(1.0));
    let nats = if errors {
        let exposure = exposure.now / (exposure.before + PRIOR_CALLS);
        stats::counts(before + PRIOR_ERRORS, now, exposure, COUNT_DRIFT)
    } else {
        stats::counts(before, now, exposure.ratio(), COUNT_DRIFT)
    };
    Some(Claim {
        what,
        service: series.key.service,
        or: None,
        series,
        effect: share * weight,
        touched: now - expected,
        nats,
        before: old,
        after: new,
        since,
    })
}

/// Nats against something happening as often as it did. What happens once a call, or a whole number of times, is a share of
/// the calls, and a step that was never left out needs few of them to be missed; what may happen any number of times is a
/// rate.
fn chance(before: f64, now: f64, exposure: Exposure) -> f64 {
    /// How far from whole a number of times may be, and what it costs to take it for whole: so many are by chance.
    const WHOLE: f64 = 0.05;
    let times = (before / exposure.before.max(1.0)).round().max(1.0);
    let (places, now_places) = (exposure.before * times, exposure.now * times);
    let missed = places - before;
    if missed < 0.0 || now > now_places || (times > 1.0 && missed > places * WHOLE / times) {
        return stats::counts(before, now, exposure.ratio(), 1.0 / COUNT_DRIFT);
    }
    let known = if missed < 0.5 { PRIOR_STEPS } else { 0.0 };
    let nats = stats::shares(missed + known / 100.0, places + known, now_places - now, now_places, ODDS_DRIFT);
    if times > 1.0 { nats / times + WHOLE.ln() } else { nats }
}

/// A usual step that has become rare, per inbound call. An error message that falls silent is no fault, nor is one of
/// several of a kind in whose place another has come.
#[allow(clippy::cast_precision_loss)]
fn stopped<'v>(
    view: &'v View<'v>,
    (at, kin): (usize, &Kin<'_>),
    exposure: Exposure,
    exposures: &Exposures<'_>,
) -> Option<Claim<'v>> {
    let series = &view.series[at];
    if kin.is_error(at) || series.before.count < LEAST_BEFORE {
        return None;
    }
    let grown = |at: usize| view.series[at].now.count as f64 - view.series[at].before.count as f64 * exposure.ratio();
    let (before, now) = (series.before.count as f64, series.now.count as f64);
    let expected = before * exposure.ratio();
    let least = if exposure.before - before < 0.5 { 1.0 } else { STEP_DRIFT };
    if now > expected * least {
        return None;
    }
    // What is written instead makes up for all that is not, each in its share.
    let more: f64 = kin.of_series(at).map(|at| grown(at).max(0.0)).sum();
    let less: f64 = kin.of_series(at).map(|at| (-grown(at)).max(0.0)).sum();
    let instead = (expected - now).max(0.0) * (more / less.max(1.0)).min(1.0);
    if now + instead > expected * least {
        return None;
    }
    let now = now + instead;
    // Of the calls of its operation, and of those the share that its service is called for.
    let calls = exposures.services.get(series.key.service).map_or(exposure.now, |service| service.now.max(1.0));
    let share = ((expected - now) / exposure.now.max(1.0)).min(1.0) * (exposure.now / calls).min(1.0);
    if share < LEAST_SHARE {
        return None;
    }
    let since = view
        .slots(series.id)
        .last()
        .map_or(Some(view.span.onset), |slot| (series.now.count == 0).then_some(slot.start + 1));
    let (old, new) = (before / exposure.before.max(1.0), series.now.count as f64 / exposure.now.max(1.0));
    let nats = chance(before, now, exposure);
    let effect = share * (1.0 - now / expected);
    Some(Claim {
        what: What::Stopped,
        service: series.key.service,
        or: None,
        series,
        effect,
        // What happens several times a call is missing in as many fewer calls.
        touched: (expected - now) / old.max(1.0),
        nats,
        before: old,
        after: new,
        since,
    })
}

/// The first second of the window from which on most slots are bad; slots that say nothing are passed over.
pub(super) fn onset(view: &View<'_>, id: SeriesId, bad: impl Fn(&Slot) -> Option<bool>) -> Option<Seconds> {
    let verdicts: Vec<(Seconds, bool)> = view.slots(id).filter_map(|slot| Some((slot.start, bad(slot)?))).collect();
    // From the newest back: the best start is where bad slots exceed good ones by the most.
    let (mut lead, mut best, mut since) = (0i64, 0i64, None);
    for &(start, bad) in verdicts.iter().rev() {
        lead += if bad { 1 } else { -1 };
        if lead > best {
            (best, since) = (lead, Some(start));
        }
    }
    since
}
