//! Attributes that set the bad events apart from the rest: `97% of failing calls have tenant=acme (12% of all)`.
//!
//! Of each series a few events are kept with what they carried ([`attributes`](crate::state::attributes)): by chance of all,
//! by chance of those that failed, and the slowest. An event counts for as many as it stands for, so the shares are those of
//! all events, within what a sample of that size leaves open. What an operation's events all share is not told by this:
//! good events count as if each operation had as many of them as of bad ones (direct standardisation). Any key may be
//! what tells them apart, and the number of those that were looked at is paid for.

use std::collections::BTreeMap;

use super::claims::{Claim, TIME_DRIFT, What};
use super::facts::{self, Fact, Section};
use super::stats;
use super::verdicts::Verdict;
use super::view::{SeriesView, View};
use super::words;
use crate::event::Kind;
use crate::state::attributes::{Reasons, SLOWEST};
use crate::state::series::{Key, SeriesId};

/// Bad events of a service below which it is not asked what they have in common.
const FEW: u64 = 8;

/// The share of the bad that an attribute has to have, and by how much more than of the good.
const LEAST: f64 = 0.5;
const LEAST_MORE: f64 = 0.3;

/// The share of the bad from which on a verdict says it.
const MOSTLY: f64 = 0.6;

/// Calls of a baseline that say how long they take.
const USUAL: u64 = 20;

/// The share of calls that are slow, from which on they are asked what they have in common: twice as many as always are.
const SLOW: f64 = 0.1;

/// Names for the same events that are told.
const NAMES: usize = 2;

/// What is bad of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// They failed.
    Failing,
    /// They took longer than nearly all did before.
    Slow,
}

impl Bad {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Slow => "slow",
        }
    }
}

/// An attribute that sets bad events apart from the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Apart {
    /// What is bad of the events.
    pub bad: Bad,
    /// `key=value`, and other attributes that the same events have.
    pub pairs: Vec<String>,
    /// Its share among the bad.
    pub of_bad: f64,
    /// Its share among all.
    pub of_all: f64,
    /// Bad events that were looked at.
    pub looked_at: usize,
    /// Whether these, and the good ones, are all there were.
    pub exact: bool,
    /// Whether it says what came of a call, as a status does, and not what kind of call it was.
    pub outcome: bool,
    /// Against chance.
    pub nats: f64,
}

impl Apart {
    /// `service.version=2.4.1 (97% of failing calls, 12% of all)`; shares are marked with `~` where they are of a sample.
    #[must_use]
    pub fn said(&self, what: &str) -> String {
        let [bad, all] = self.shares();
        format!("{} ({bad} of {} {what}, {all} of all)", self.names(), self.bad.name())
    }

    fn names(&self) -> String {
        self.pairs.iter().map(|pair| words::name(pair)).collect::<Vec<_>>().join(", ")
    }

    /// Of a sample no finer than what it can tell, and steady from one reading to the next.
    fn shares(&self) -> [String; 2] {
        let round = |share: f64| {
            let step = if (0.1..0.9).contains(&share) { 0.05 } else { 0.01 };
            format!("~{}", words::percent((share / step).round() * step))
        };
        [self.of_bad, self.of_all].map(|share| if self.exact { words::percent(share) } else { round(share) })
    }

    /// How much more often the bad have it than the others.
    #[must_use]
    pub fn more(&self) -> f64 {
        self.of_bad - self.of_all
    }
}

/// An event that is looked at.
struct Looked<'v> {
    bad: bool,
    /// Events it stands for.
    weight: f64,
    stratum: usize,
    pairs: Vec<&'v str>,
}

/// What sums of weights say of an attribute.
#[derive(Default)]
struct Tally {
    bad: f64,
    /// Of the good, each operation's as many as its bad ones.
    alike: f64,
    good: f64,
    events: usize,
    /// The same for two attributes that the same events have.
    who: u64,
}

/// What sets the bad events of some series apart, if anything does; `tests` is how often this is asked.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn of<'v>(view: &View<'v>, series: &[&SeriesView<'v>], bad: Bad, tests: usize) -> Option<Apart> {
    let (looked, exact) = looked_at(view, series, bad);
    let strata = looked.iter().map(|event| event.stratum + 1).max()?;
    let (mut bads, mut goods) = (vec![0.0; strata], vec![0.0; strata]);
    for event in &looked {
        (if event.bad { &mut bads } else { &mut goods })[event.stratum] += event.weight;
    }
    // What has nothing to be compared with says nothing.
    let counts = |stratum: usize| bads[stratum] > 0.0 && goods[stratum] > 0.0;
    let (mut sums, mut squares, mut good) = ([0.0; 2], [0.0; 2], 0.0);
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut looked_bad = 0;
    for (at, event) in looked.iter().enumerate().filter(|(_, event)| counts(event.stratum)) {
        let factor = if event.bad { 1.0 } else { bads[event.stratum] / goods[event.stratum] };
        let alike = event.weight * factor;
        sums[usize::from(event.bad)] += alike;
        squares[usize::from(event.bad)] += alike * alike;
        good += if event.bad { 0.0 } else { event.weight };
        looked_bad += usize::from(event.bad);
        for pair in &event.pairs {
            let tally = tallies.entry(pair).or_default();
            *(if event.bad { &mut tally.bad } else { &mut tally.alike }) += alike;
            tally.good += if event.bad { 0.0 } else { event.weight };
            tally.events += usize::from(event.bad);
            tally.who = tally.who.wrapping_add((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29));
        }
    }
    let [all_good, all_bad] = sums;
    if all_bad <= 0.0 || all_good <= 0.0 {
        return None;
    }
    // Events that count for many say as much as fewer that count alike (Kish, Survey Sampling, 1965).
    let [of_good, of_bad] = [0, 1].map(|side| sums[side] * sums[side] / squares[side]);
    let tried = tallies.values().filter(|tally| tally.events > 1).count();
    let threshold = stats::threshold(tried * tests);
    let judged = tallies.iter().filter(|(_, tally)| tally.events > 1).filter_map(|(pair, tally)| {
        let (share, alike) = (tally.bad / all_bad, tally.alike / all_good);
        // At the same time nothing has drifted.
        let nats = stats::shares(alike * of_good, of_good, share * of_bad, of_bad, 1.0);
        let stands = share >= LEAST && share - alike >= LEAST_MORE && nats > threshold;
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (stands && !is_trivial(key, value)).then_some((*pair, key, tally, share, share - alike, nats))
    });
    let judged: Vec<_> = judged.collect();
    // Of those that tell as much, a version and what is short are the easiest to act upon.
    let best = judged.iter().min_by(|a, b| {
        let simple = |key: &str| (!key.contains("version"), key.len());
        is_outcome(a.1)
            .cmp(&is_outcome(b.1))
            .then(b.4.total_cmp(&a.4))
            .then_with(|| simple(a.1).cmp(&simple(b.1)))
            .then_with(|| a.0.cmp(b.0))
    })?;
    let same = judged.iter().filter(|other| other.2.who == best.2.who && other.0 != best.0 && !is_outcome(other.1));
    let pairs = std::iter::once(best).chain(same).take(NAMES).map(|one| one.0.to_owned()).collect();
    Some(Apart {
        bad,
        pairs,
        of_bad: best.3,
        of_all: (best.2.bad + best.2.good) / (all_bad + good),
        looked_at: looked_bad,
        exact,
        outcome: is_outcome(best.1),
        nats: best.5,
    })
}

/// The events of series that are kept and in the window, and whether that is all of them.
#[allow(clippy::cast_precision_loss)]
fn looked_at<'v>(view: &View<'v>, series: &[&SeriesView<'v>], bad: Bad) -> (Vec<Looked<'v>>, bool) {
    let window = view.span.from * 1_000_000_000..view.span.to * 1_000_000_000;
    let (mut looked, mut all) = (Vec::new(), 0);
    for (at, one) in series.iter().enumerate() {
        let cut = match bad {
            Bad::Failing => None,
            Bad::Slow => match usual(one) {
                Some(usual) => Some(usual),
                None => continue,
            },
        };
        all += one.now.count;
        // Lines are bad or good by what they say: those of a service stand beside each other.
        let stratum = if one.key.kind == Kind::Log { 0 } else { at };
        // A message's template is made of several shapes, each with its own sample.
        let is_shape = |key: &Key<&str>| key.service == one.key.service && key.kind == Kind::Log;
        let ids: Vec<SeriesId> = if one.key.kind != Kind::Log {
            vec![one.id]
        } else if at == 0 {
            view.state.table.iter().filter(|(_, key, _)| is_shape(key)).map(|(id, ..)| id).collect()
        } else {
            Vec::new()
        };
        for stretch in ids.into_iter().flat_map(|id| view.state.table.record(id).kept.carried(&view.state.pieces)) {
            let count =
                |is: fn(&Reasons) -> bool| stretch.events.iter().filter(|event| is(&event.reasons)).count() as f64;
            let any = stretch.seen as f64 / count(|why| why.any).max(1.0);
            let failed = stretch.failed as f64 / count(|why| why.failed).max(1.0);
            let all_slow = count(|why| why.slowest) < SLOWEST as f64;
            for event in stretch.events {
                let why = event.reasons;
                let (is_bad, weight) = match cut {
                    None if event.failed => (true, if why.failed { failed } else { 0.0 }),
                    Some(cut) if event.took.is_some_and(|took| took > cut) => {
                        // All that took as long as the slowest that are kept are here.
                        (
                            true,
                            if why.slowest {
                                1.0
                            } else if why.any && !all_slow {
                                any
                            } else {
                                0.0
                            },
                        )
                    }
                    _ => (false, if why.any { any } else { 0.0 }),
                };
                if weight > 0.0 && window.contains(&event.time) {
                    looked.push(Looked { bad: is_bad, weight, stratum, pairs: event.pairs });
                }
            }
        }
    }
    let exact = looked.len() as u64 == all;
    (looked, exact)
}

/// Nanoseconds above which a call of a series is slow; `None` where that cannot be told, or hardly any is.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn usual(series: &SeriesView<'_>) -> Option<u64> {
    if series.before.duration.count() < USUAL {
        return None;
    }
    let cut = (series.before.duration.quantile(0.95) as f64 * TIME_DRIFT) as u64;
    (series.now.duration.quantile(1.0 - SLOW) > cut).then_some(cut)
}

/// Whether an attribute says no more than that an event is bad: its status, its severity.
fn is_trivial(key: &str, value: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let last = key.rsplit(['.', '_', '-']).next().unwrap_or_default();
    ["status", "severity"].iter().any(|word| key.contains(word))
        || matches!(last, "level" | "outcome" | "result" | "success" | "ok")
        || (matches!(value, "true" | "1") && ["error", "err", "failed"].contains(&last))
}

/// Whether a key says what came of a call: it goes with failures as such, whatever kind of call they are.
fn is_outcome(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["error", "exception"].iter().any(|word| key.contains(word))
        || key.split(['.', '_', '-']).any(|part| matches!(part, "err" | "message" | "reason"))
}

/// The spans of a service that answer others, or where none does, all of them.
fn calls<'s, 'v>(view: &'s View<'v>, service: &str) -> Vec<&'s SeriesView<'v>> {
    let of_it = view.of_service(service).iter().filter(|one| one.key.kind.is_span());
    let all: Vec<&SeriesView<'v>> = of_it.filter(|one| one.now.count > 0).collect();
    let answers = |one: &&SeriesView<'v>| matches!(one.key.kind, Kind::Server | Kind::Consumer);
    let answering: Vec<&SeriesView<'v>> = all.iter().copied().filter(answers).collect();
    if answering.is_empty() { all } else { answering }
}

/// The messages that a service logged.
fn lines<'s, 'v>(view: &'s View<'v>, service: &str) -> Vec<&'s SeriesView<'v>> {
    let of_it = view.of_service(service).iter().filter(|one| one.key.kind == Kind::Log);
    of_it.filter(|one| one.now.count > 0).collect()
}

/// Say of each verdict what most of its bad calls have in common.
pub fn explain<'v>(view: &View<'v>, verdicts: &mut [Verdict<'v>]) {
    let tests = verdicts.len();
    for verdict in verdicts {
        let Some(lead) = verdict.claims.first() else { continue };
        let bad = match lead.what {
            What::Slow | What::Network => Bad::Slow,
            What::Failing | What::Errors => Bad::Failing,
            What::Stopped | What::New => continue,
        };
        let mut tries: Vec<Vec<&SeriesView<'v>>> = Vec::new();
        if lead.series.key.kind.is_span() {
            tries.extend(view.series.iter().find(|one| one.key == lead.series.key).map(|one| vec![one]));
        }
        tries.push(calls(view, verdict.service));
        let found = tries.iter().find_map(|series| of(view, series, bad, 2 * tests));
        verdict.attribute = found.filter(|apart| apart.of_bad >= MOSTLY && !apart.outcome);
    }
}

/// What sets the failing calls and lines of each service apart, and the slow ones of what has become slower; what a verdict
/// says already is left out.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn facts(view: &View<'_>, claims: &[Claim<'_>], verdicts: &[Verdict<'_>]) -> Vec<Fact> {
    let mut asked: Vec<(&str, &str, Bad, Vec<&SeriesView<'_>>)> = Vec::new();
    for of_one in view.series.chunk_by(|a, b| a.key.service == b.key.service) {
        let Some(service) = of_one.first().map(|one| one.key.service) else { continue };
        for (what, series) in [("calls", calls(view, service)), ("lines", lines(view, service))] {
            if series.iter().map(|one| one.now.errors).sum::<u64>() >= FEW {
                asked.push((service, what, Bad::Failing, series));
            }
        }
    }
    for claim in claims.iter().filter(|claim| claim.what == What::Slow && claim.series.key.kind.is_span()) {
        let series = view.series.iter().filter(|one| one.key == claim.series.key).collect();
        asked.push((claim.series.key.service, "calls", Bad::Slow, series));
    }
    let tests = asked.len();
    let mut facts: Vec<Fact> = Vec::new();
    for (service, what, bad, series) in asked {
        let Some(apart) = of(view, &series, bad, tests) else { continue };
        let told = verdicts.iter().any(|verdict| {
            verdict.service == service && verdict.attribute.as_ref().is_some_and(|said| said.pairs == apart.pairs)
        });
        let operation = apart.pairs.first().cloned().unwrap_or_default();
        if told || facts.iter().any(|fact| fact.service == service && fact.operation == operation) {
            continue;
        }
        let busiest = series.iter().max_by_key(|one| (one.now.errors, one.now.count));
        let number = busiest.map_or(0, |one| one.number);
        let [of_bad, of_all] = apart.shares();
        let count = match bad {
            Bad::Failing => format!("{} ", words::count(series.iter().map(|one| one.now.errors).sum())),
            Bad::Slow => String::new(),
        };
        let who = if service.is_empty() { String::new() } else { format!("{}: ", words::name(service)) };
        let line = format!("{who}{of_bad} of {count}{} {what} have {} ({of_all} of all)", bad.name(), apart.names());
        facts.push(Fact {
            section: Section::Attributes,
            service: service.to_owned(),
            operation,
            measure: "attribute",
            before: Some(apart.of_all),
            after: apart.of_bad,
            since: None,
            number,
            // What came of calls is known from their failing, and says little more.
            weight: Section::Attributes.worth() * if apart.outcome { 0.2 } else { apart.more() },
            line: facts::end(line, number),
        });
    }
    facts
}
