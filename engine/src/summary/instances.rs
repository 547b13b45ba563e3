//! One of several instances that does worse than the others: they serve the same callers with the same program, so what all
//! of them share, the traffic, the callees, the hour of the day, explains none of it.

use super::claims::{Claim, LEAST_SHARE, ODDS_DRIFT, PRIOR_CALLS, PRIOR_ERRORS, TIME_DRIFT, What, far, onset};
use super::stats;
use super::view::{SeriesView, View};
use crate::state::timeline::Slot;

/// Calls of an instance below which nothing is said of it.
const LEAST: u64 = 5;

/// Growth of a time below which nothing is said: hosts are not all as fast, and what they are asked for is never quite alike.
const LEAST_GROWTH: f64 = 2.0;

/// Instances of a service up to which each is compared with the others alone; more than so many outweigh one.
const FEW: usize = 16;

/// Claims about instances that are slower, or fail more, than the others are and than they were.
#[must_use]
pub fn claims<'v>(view: &'v View<'v>) -> Vec<Claim<'v>> {
    let mut claims = Vec::new();
    for alike in view.instances.chunk_by(|a, b| a.key.service == b.key.service) {
        let busy = alike.iter().filter(|one| one.now.count >= LEAST).count();
        if busy < 2 {
            continue;
        }
        let total: u64 = alike.iter().map(|one| one.now.count).sum();
        for (at, one) in alike.iter().enumerate().filter(|(_, one)| one.now.count >= LEAST) {
            let others = alike.iter().enumerate().filter(|&(other, _)| alike.len() > FEW || other != at);
            let others = others.fold([Slot::default(), Slot::default()], |[mut before, mut now], (_, other)| {
                before.merge(&other.before);
                now.merge(&other.now);
                [before, now]
            });
            #[allow(clippy::cast_precision_loss)]
            let share = one.now.count as f64 / total as f64;
            claims.extend(slower(view, one, &others, share));
            claims.extend(failing(view, one, &others, share));
        }
    }
    claims
}

/// What is usual of an instance: what it did before, or where it is new, what the others did.
fn usual<'s>(one: &'s SeriesView<'_>, [before, _]: &'s [Slot; 2]) -> &'s Slot {
    if one.before.count >= LEAST { &one.before } else { before }
}

#[allow(clippy::cast_precision_loss)]
fn slower<'v>(view: &'v View<'v>, one: &'v SeriesView<'v>, others: &[Slot; 2], share: f64) -> Option<Claim<'v>> {
    let usual = usual(one, others);
    let against = stats::slower(&others[1].duration, &one.now.duration, TIME_DRIFT)?;
    let shift = stats::slower(&usual.duration, &one.now.duration, TIME_DRIFT)?;
    let least = shift.share.min(against.share);
    if least < LEAST_SHARE || shift.now < shift.before * LEAST_GROWTH || against.now < against.before * LEAST_GROWTH {
        return None;
    }
    let middle = f64::midpoint(shift.before, shift.now);
    let since = onset(view, one.id, |slot| (!slot.duration.is_empty()).then(|| slot.duration.mean() > middle));
    let times = 1.0 + (against.now - against.before) / against.share / against.before.max(1.0);
    Some(Claim {
        what: What::Slow,
        service: one.key.service,
        or: None,
        series: one,
        effect: share * least * far(times),
        touched: least * one.now.count as f64,
        nats: shift.nats.min(against.nats),
        before: shift.before,
        after: shift.now,
        since,
    })
}

#[allow(clippy::cast_precision_loss)]
fn failing<'v>(view: &'v View<'v>, one: &'v SeriesView<'v>, others: &[Slot; 2], share: f64) -> Option<Claim<'v>> {
    let usual = usual(one, others);
    let rate = |slot: &Slot| slot.errors as f64 / (slot.count as f64).max(1.0);
    let nats = |than: &Slot| {
        let [bad, calls] = [than.errors as f64 + PRIOR_ERRORS, than.count as f64 + PRIOR_CALLS];
        stats::shares(bad, calls, one.now.errors as f64, one.now.count as f64, ODDS_DRIFT)
    };
    let (before, after) = (rate(usual), rate(&one.now));
    let more = after - before.max(rate(&others[1]));
    if more < LEAST_SHARE {
        return None;
    }
    let middle = f64::midpoint(before, after);
    let bad = |slot: &Slot| (slot.count > 0).then_some(slot.errors as f64 > middle * slot.count as f64);
    Some(Claim {
        what: What::Failing,
        service: one.key.service,
        or: None,
        series: one,
        effect: share * more,
        touched: more * one.now.count as f64,
        nats: nats(usual).min(nats(&others[1])),
        before,
        after,
        since: onset(view, one.id, bad),
    })
}
