//! Who calls whom, and who is to blame for a call that fails.

use std::collections::{BTreeMap, BTreeSet};

use super::claims::WEAK;
use super::exposure::Exposures;
use super::stats;
use super::view::{SeriesView, View};
use crate::event::Kind;
use crate::state::joins::UNSEEN;

/// The share of the calls it should have had below which a service answers no more.
const SILENT: f64 = 0.5;

/// Calls a service should have had before it can be said to be silent.
const LEAST: f64 = 4.0;

/// What is known of the calls between services.
#[derive(Debug)]
pub struct Calls<'v> {
    wrapped: BTreeMap<(&'v str, &'v str), &'v str>,
    /// By operation, those it calls that answer no more though it calls them, the one that it names or that answers least
    /// first.
    lost: BTreeMap<(&'v str, &'v str), Vec<&'v str>>,
    /// Who failed whom: callers and callees, where callers say so, where several fail, or where they wait as long as before.
    refused: BTreeSet<(&'v str, &'v str)>,
    /// Operations and those that they call and that answer nobody any more, where the call takes too short to be missed in
    /// the time of the operation.
    trifles: BTreeSet<(&'v str, &'v str, &'v str)>,
}

impl<'v> Calls<'v> {
    /// From the edges and spans of a view.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn of(view: &'v View<'_>, exposures: &Exposures<'_>) -> Self {
        let mut answers: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for edge in view.series.iter().filter(|series| series.key.kind == Kind::Edge && is_inside(series)) {
            let (expected, now) = answers.entry(edge.key.operation).or_default();
            *expected += edge.before.count as f64 * exposures.to(edge).ratio();
            *now += edge.now.count as f64;
        }
        let unanswered = |&(_, (expected, now)): &(&str, (f64, f64))| expected >= LEAST && now < expected * SILENT;
        let silent: BTreeMap<&str, f64> =
            answers.into_iter().filter(unanswered).map(|(callee, (expected, now))| (callee, now / expected)).collect();
        let mut lost: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        let mut callers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for edge in view.series.iter().filter(|series| series.key.kind == Kind::Edge && is_inside(series)) {
            if silent.contains_key(edge.key.operation) && edge.before.count > 0 {
                lost.entry((edge.key.service, edge.key.within)).or_default().push(edge.key.operation);
                callers.entry(edge.key.operation).or_default().insert(edge.key.service);
            }
        }
        let failing = if lost.is_empty() { BTreeSet::new() } else { failing(view) };
        let mut refused = BTreeSet::new();
        let mut trifles = BTreeSet::new();
        for (&(caller, operation), callees) in &mut lost {
            let named = |callee: &str| says(view, caller, callee);
            let share = |callee: &str| silent.get(callee).copied().unwrap_or_default();
            callees.sort_by(|a, b| named(b).cmp(&named(a)).then(share(a).total_cmp(&share(b))));
            let unreachable = unreachable(view, caller, operation);
            for (at, &callee) in callees.iter().enumerate() {
                let fail = callers.get(callee).into_iter().flatten().filter(|&caller| failing.contains(caller)).count();
                // What fails at its first call makes none of the others.
                let first = at == 0 && unreachable;
                if fail >= 2 || first || named(callee) || waits(view, caller, operation, callee) {
                    refused.insert((caller, callee));
                }
            }
            let short = callees.iter().filter(|&&callee| is_trifle(view, caller, operation, callee));
            trifles.extend(short.map(|&callee| (caller, operation, callee)));
            callees.retain(|&callee| refused.contains(&(caller, callee)));
        }
        lost.retain(|_, callees| !callees.is_empty());
        Self { wrapped: wrapped(view), lost, refused, trifles }
    }

    /// The service that an operation calls and nothing else, if it does.
    #[must_use]
    pub fn callee(&self, span: &SeriesView<'_>) -> Option<&'v str> {
        self.wrapped.get(&(span.key.service, span.key.operation)).copied()
    }

    /// Who is to blame for calls that are missing: the callee, where the call was made and it was not heard of, or where it
    /// has fallen silent and its callers fail; else the caller, who did not make them. The other one too, where nobody else
    /// hears of the callee and the caller's time does not tell whether it was called.
    #[must_use]
    pub fn to_blame(&self, edge: &SeriesView<'v>) -> (&'v str, Option<&'v str>) {
        let (caller, callee) = ((edge.key.service, edge.key.within), edge.key.operation);
        let made = self.wrapped.get(&caller) == Some(&callee);
        if made || self.refused.contains(&(caller.0, callee)) {
            return (callee, None);
        }
        (self.step(edge), self.trifles.contains(&(caller.0, caller.1, callee)).then_some(callee))
    }

    /// Who is to blame for what an operation does no more: a callee without whose answer it does not come so far, else the
    /// service itself.
    #[must_use]
    pub fn step(&self, step: &SeriesView<'v>) -> &'v str {
        self.refusing((step.key.service, step.key.within)).unwrap_or(step.key.service)
    }

    /// The callee that answers an operation no more.
    fn refusing(&self, operation: (&str, &str)) -> Option<&'v str> {
        self.lost.get(&operation).and_then(|callees| callees.first().copied())
    }

    /// Who is to blame for an operation that fails with no failing call below it, or whose own time has grown.
    #[must_use]
    pub fn origin(&self, span: &SeriesView<'v>) -> &'v str {
        let operation = (span.key.service, span.key.operation);
        self.callee(span).or_else(|| self.refusing(operation)).unwrap_or(span.key.service)
    }

    /// Who is to blame for an error message: a callee that has fallen silent and that it names, else who wrote it.
    #[must_use]
    pub fn author(&self, log: &SeriesView<'v>) -> &'v str {
        let named =
            self.refused.iter().find(|(caller, callee)| *caller == log.key.service && names(log.key.operation, callee));
        named.map_or(log.key.service, |&(_, callee)| callee)
    }
}

/// Services of which more calls fail than did.
#[allow(clippy::cast_precision_loss)]
fn failing<'v>(view: &'v View<'_>) -> BTreeSet<&'v str> {
    let share = |errors: u64, count: u64| errors as f64 / (count as f64).max(1.0);
    let fails = |series: &&SeriesView<'_>| {
        let (before, now) = (&series.before, &series.now);
        share(now.errors, now.count) > share(before.errors, before.count) + 0.1
    };
    let spans = view.series.iter().filter(|series| series.key.kind.is_span());
    spans.filter(fails).map(|span| span.key.service).collect()
}

/// An operation and the nanoseconds that its calls to one service took before.
fn taken<'v>(view: &'v View<'_>, caller: &str, operation: &str, callee: &str) -> Option<(&'v SeriesView<'v>, f64)> {
    let of_caller = view.of_service(caller).iter();
    let calls = view.series.iter().filter(|series| {
        let key = series.key;
        key.kind == Kind::Edge && key.service == caller && key.operation == callee && key.within == operation
    });
    let taken: f64 = calls.map(|edge| edge.before.duration.sum()).sum();
    let span = of_caller.clone().find(|series| series.key.kind.is_span() && series.key.operation == operation);
    span.map(|span| (span, taken))
}

/// Whether an operation takes as long as it did though its calls are not seen: they are made, and take their time. What its
/// own time varies by anyway says nothing.
#[allow(clippy::cast_precision_loss)]
fn waits(view: &View<'_>, caller: &str, operation: &str, callee: &str) -> bool {
    taken(view, caller, operation, callee).is_some_and(|(span, taken)| {
        let (before, now) = (&span.before.own, &span.now.own);
        let more = (now.mean() - before.mean()) * span.before.count as f64;
        taken > 0.0 && more > taken / 2.0 && stats::slower(before, now, 1.0).is_some_and(|shift| shift.nats > WEAK)
    })
}

/// Whether the time of an operation is the same with its calls to a service and without them.
fn is_trifle(view: &View<'_>, caller: &str, operation: &str, callee: &str) -> bool {
    /// The share of its time that may be there or not.
    const TRIFLE: f64 = 0.1;
    let taken = taken(view, caller, operation, callee);
    taken.is_none_or(|(span, taken)| taken < span.before.duration.sum() * TRIFLE)
}

/// What errors say, in lower case, when nobody answers at the other end: the names of errno and their texts (POSIX), of status
/// codes of gRPC and HTTP, and what resolvers, pools, proxies and breakers say.
const UNREACHABLE: [&str; 26] = [
    "connection refused",
    "connection reset",
    "connection closed",
    "connection aborted",
    "connection error",
    "econnrefused",
    "econnreset",
    "etimedout",
    "ehostunreach",
    "enotfound",
    "eai_again",
    "broken pipe",
    "no route to host",
    "no such host",
    "name or service not known",
    "name resolution",
    "unreachable",
    "unavailable",
    "deadline exceeded",
    "timed out",
    "timeout",
    "bad gateway",
    "no healthy upstream",
    "circuit breaker",
    "failed to connect",
    "could not connect",
];

/// Whether an operation has begun to fail because nobody answers it, by the words of its errors.
fn unreachable(view: &View<'_>, caller: &str, operation: &str) -> bool {
    in_vain(view, caller, |failure| failure.key.within == operation)
}

/// Whether the failures of a service say that it waited for somebody in vain.
#[must_use]
pub fn gives_up(view: &View<'_>, caller: &str) -> bool {
    in_vain(view, caller, |_| true)
}

/// Whether most failures of a service, of those looked at, say that nobody answered.
fn in_vain(view: &View<'_>, caller: &str, looked_at: impl Fn(&SeriesView<'_>) -> bool) -> bool {
    let says = |text: &str| {
        let text = text.to_ascii_lowercase();
        UNREACHABLE.iter().any(|word| text.contains(word))
    };
    let (mut all, mut these) = (0, 0);
    let failures = view.of_service(caller).iter().filter(|series| series.key.kind == Kind::Failure);
    for series in failures.filter(|series| looked_at(series)) {
        all += series.now.count;
        these += if says(series.key.operation) { series.now.count } else { 0 };
    }
    these > 0 && these * 2 >= all
}

/// Whether a service writes errors that name another.
fn says(view: &View<'_>, caller: &str, callee: &str) -> bool {
    view.series.iter().any(|series| {
        let key = series.key;
        key.service == caller
            && matches!(key.kind, Kind::Log | Kind::Failure)
            && series.now.errors > 0
            && names(key.operation, callee)
    })
}

/// Whether a text has a name in it, as a word.
fn names(text: &str, name: &str) -> bool {
    let within = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    name.len() >= 3
        && text.match_indices(name).any(|(at, _)| {
            let bytes = text.as_bytes();
            !within(at.checked_sub(1).and_then(|at| bytes.get(at))) && !within(bytes.get(at + name.len()))
        })
}

/// Whether both its ends were seen.
#[must_use]
pub fn is_inside(edge: &SeriesView<'_>) -> bool {
    !edge.key.service.is_empty() && edge.key.service != UNSEEN
}

/// The one service that an operation calls, how often before and in all; none if there are several.
type Called<'v> = Option<(&'v str, u64, u64)>;

/// Operations that are a call to another service and nothing else: their own time is the way there and back and, where the
/// callee's span is missing, the callee's; it is never the caller's.
fn wrapped<'v>(view: &'v View<'_>) -> BTreeMap<(&'v str, &'v str), &'v str> {
    // As it was in the baseline: a callee that answers no more is still the one that is called.
    let known = |series: &SeriesView<'_>| series.before.count >= 4;
    let both = |series: &SeriesView<'_>| series.before.count + series.now.count;
    let of = |kind: fn(Kind) -> bool| view.series.iter().filter(move |series| kind(series.key.kind));
    let mut calls: BTreeMap<(&str, &str), Called<'_>> = BTreeMap::new();
    for edge in of(|kind| kind == Kind::Edge) {
        let (callee, before, all) = (edge.key.operation, edge.before.count, both(edge));
        calls
            .entry((edge.key.service, edge.key.within))
            .and_modify(|one| {
                *one = one.filter(|one| one.0 == callee).map(|one| (callee, one.1 + before, one.2 + all));
            })
            .or_insert(Some((callee, before, all)));
    }
    if calls.is_empty() {
        return BTreeMap::new();
    }
    // What another operation of the service makes on its way; what others call from outside has its own work.
    let mut inner: BTreeSet<(&str, &str)> = BTreeSet::new();
    for alike in view.by_name() {
        let message = alike.iter().any(|series| series.key.kind == Kind::Log);
        for step in alike.iter().filter(|series| series.key.kind == Kind::Step) {
            inner.insert((step.key.service, step.key.operation));
            if !message {
                calls.remove(&(step.key.service, step.key.within));
            }
        }
    }
    of(Kind::is_span)
        .filter_map(|span| {
            let key = (span.key.service, span.key.operation);
            let (callee, before, all) = (*calls.get(&key)?)?;
            let most = if known(span) { before * 2 > span.before.count } else { all * 2 > both(span) };
            let made = inner.contains(&key) || matches!(span.key.kind, Kind::Client | Kind::Producer);
            (most && made).then_some((key, callee))
        })
        .collect()
}
