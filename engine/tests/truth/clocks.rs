//! By how much clocks differ, from all calls between services, and whether a summary says so.

use std::collections::HashMap;

use super::{CONSUMER, Happened, Times, near, quantile};
use tracegist_engine::summary::FactOut;
use tracegist_simulate::record::Span;

const CLIENT: u8 = 3;

/// Nanoseconds by which a call of another service would be later by its caller's clock.
pub fn shift(caller: &Span<'_>, callee: &Span<'_>) -> i64 {
    let [(from, to), (start, end)] = [caller, callee].map(|span| (span.start, span.end));
    if start >= from && end <= to {
        return 0;
    }
    if end - start > to - from {
        return (from - start).max(0);
    }
    let waited = caller.kind == CLIENT && caller.failed.is_none() && callee.kind != CONSUMER;
    if start < from || waited { -((start - from) + (end - to)) / 2 } else { 0 }
}

/// The calls that do not fit, by caller and callee: second, nanoseconds they are early.
pub type Clocks = HashMap<(String, String), Vec<(i64, i64)>>;

/// Whether a fact about clocks is true; `calls` are those of the caller to the callee.
pub fn fact(clocks: &Clocks, fact: &FactOut, calls: &Happened, times: &Times) -> Result<(), String> {
    let all = &clocks[&(fact.operation.clone(), fact.service.clone())];
    let now = all.iter().filter(|off| times.now.contains(&off.0));
    let side = |sign: i64| now.clone().filter(move |off| off.1.signum() == sign).map(|off| off.1.unsigned_abs());
    let behind = side(1).count() >= side(-1).count();
    let ns = quantile(side(if behind { 1 } else { -1 }).collect(), 0.5);
    let share = now.count() as f64 / super::count(calls.events.iter().map(|event| event.second), &times.now);
    let word = if behind { " behind " } else { " ahead of " };
    if !near(fact.after, ns, 0.03) || !fact.text.contains(word) {
        return Err(format!("it is {ns} ns{word}"));
    }
    let said = fact.text.rsplit_once('(').and_then(|(_, rest)| rest.split_once("% of calls")).ok_or("no share")?.0;
    let said = super::usual::number(said).ok_or("no number")? / 100.0;
    if near(said, share, 0.15) { Ok(()) } else { Err(format!("{share} of calls")) }
}
