//! Simulated systems fed to an engine, and what its summaries say against what is true.
#![allow(clippy::cast_precision_loss)]
#![allow(dead_code)] // each of those who use it uses a part

use std::collections::BTreeMap;

use tracegist_engine::engine::Engine;
use tracegist_engine::state::Limits;
use tracegist_engine::summary::{Request, Summary};
use tracegist_simulate::case::Case;
use tracegist_simulate::fault::Kind;
use tracegist_simulate::random::Random;
use tracegist_simulate::record::{self, Record};
use tracegist_simulate::run::{Run, START};
use tracegist_simulate::traffic::Traffic;

/// Seconds of the window that a daemon shows unless told otherwise.
pub const WINDOW: i64 = 300;

/// Seconds of a quiet time that is long enough for a daemon to have a window and a baseline.
pub const LIVE: i64 = 660;

/// A host with an engine, fed by a system at work.
pub struct Host<'a> {
    pub engine: Engine,
    pub run: Run<'a>,
    /// All that it was fed with.
    pub records: Vec<Record<'a>>,
    /// Seconds since the beginning up to which it has been fed.
    second: i64,
    keeps: bool,
}

impl<'a> Host<'a> {
    pub fn new(case: &'a Case) -> Self {
        let traffic = Traffic::new(case.system.rate, case.system.entries.len(), case.seed);
        let run = Run::new(&case.system, &case.faults, traffic, case.seed);
        Self {
            engine: Engine::new("sim".to_owned(), Limits::default()),
            run,
            records: Vec::new(),
            second: 0,
            keeps: false,
        }
    }

    /// One that remembers what it was fed with.
    pub fn keeping(case: &'a Case) -> Self {
        Self { keeps: true, ..Self::new(case) }
    }

    /// Take in all that arrives before a second since the beginning, a few seconds at a time as a host does.
    pub fn until(&mut self, second: i64) {
        while self.second < second {
            self.second = (self.second + 5).min(second);
            let records = self.run.until(START + self.second);
            let (spans, logs) = record::text(&records, &self.run.processes);
            let received = (START + self.second) * 1_000_000_000;
            self.engine.ingest("spans", spans.as_bytes(), received, None, None);
            self.engine.ingest("logs", logs.as_bytes(), received, None, None);
            if self.keeps {
                self.records.extend(records);
            }
        }
    }

    pub fn summary(&self, window: i64, budget: usize) -> Summary {
        let request = Request { budget, window, ..Request::default() };
        self.engine.summary(request).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// The services that a summary's verdicts name, in order, as far as its text does too.
pub fn named(summary: &Summary) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for verdict in &summary.verdicts {
        if summary.text.contains(&verdict.service) && !names.contains(&verdict.service) {
            names.push(verdict.service.clone());
        }
    }
    names
}

/// What became of a case.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What is true: for each fault, the services of which any is right.
    pub culprits: Vec<Vec<String>>,
    /// What the summary of the whole faulty time says.
    pub named: Vec<String>,
    /// Verdicts while nothing was wrong.
    pub early: usize,
    /// Calls that the fault touched; of several, the one that touched the fewest.
    pub touched: u64,
    /// Seconds from the fault to the first rendering whose first verdict is right; `None` if there was none.
    pub seconds: Option<i64>,
    /// The summary of the whole faulty time.
    pub text: String,
    /// What sets the touched calls apart, any of which is right; empty where nothing does.
    pub marks: Vec<String>,
    /// What verdicts say that sets bad calls apart.
    pub told: Vec<String>,
}

impl Outcome {
    /// Services that are accused and have no fault.
    pub fn more(&self) -> usize {
        let right = |name: &&String| self.culprits.iter().flatten().any(|culprit| culprit == *name);
        self.named.iter().filter(|name| !right(name)).count()
    }

    /// Whether the first verdict is right.
    pub fn first(&self) -> bool {
        first(&self.culprits, &self.named)
    }

    /// Whether what sets the touched calls apart is told.
    pub fn apart(&self) -> bool {
        self.told.iter().any(|pair| self.marks.contains(pair))
    }

    /// Whether something is told that does not.
    pub fn confused(&self) -> bool {
        !self.told.is_empty() && !self.apart()
    }

    /// Whether every fault is named by one of the first three verdicts.
    pub fn third(&self) -> bool {
        third(&self.culprits, &self.named)
    }
}

/// Whether the first of those named is one of the culprits.
pub fn first(culprits: &[Vec<String>], named: &[String]) -> bool {
    named.first().is_some_and(|name| culprits.iter().any(|any| any.contains(name)))
}

/// Whether a culprit of every fault is among the first three named.
pub fn third(culprits: &[Vec<String>], named: &[String]) -> bool {
    culprits.iter().all(|any| named.iter().take(3).any(|name| any.contains(name)))
}

/// The services of each fault, of which any is right.
fn culprits(case: &Case) -> Vec<Vec<String>> {
    let of = |fault: &tracegist_simulate::fault::Fault| {
        fault.culprits(&case.system).into_iter().map(ToOwned::to_owned).collect()
    };
    case.faults.iter().map(of).collect()
}

/// Run a case: summaries of the quiet time, of the fault as it goes on, and of the whole of it.
pub fn outcome(case: &Case, live: bool) -> Outcome {
    let mut host = Host::new(case);
    let culprits = culprits(case);
    let mut early = 0;
    if live {
        for second in (case.quiet - 50..=case.quiet).step_by(10) {
            host.until(second);
            early = early.max(host.summary(WINDOW, 1_000).verdicts.len());
        }
    } else {
        host.until(case.quiet);
        early = host.summary(case.faulty.min(case.quiet / 2), 1_000).verdicts.len();
    }
    let mut seconds = None;
    let step = (case.faulty / 18).max(10);
    let mut second = 0;
    while second < case.faulty {
        second = (second + step).min(case.faulty);
        if !live {
            second = case.faulty;
        }
        host.until(case.quiet + second);
        if live && seconds.is_none() {
            let names = named(&host.summary(WINDOW, 1_000));
            let right = names.first().is_some_and(|name| culprits.iter().any(|any| any.contains(name)));
            seconds = right.then_some(second);
        }
    }
    let summary = host.summary(case.faulty, 1_000);
    let touched = host.run.touched.iter().copied().min().unwrap_or(0);
    let attributes = summary.verdicts.iter().filter_map(|verdict| verdict.attribute.as_ref());
    let pairs = attributes.flat_map(|one| [format!("{}={}", one.key, one.value)].into_iter().chain(one.also.clone()));
    let (told, marks) = (pairs.collect(), host.run.marks());
    Outcome { culprits, named: named(&summary), early, touched, seconds, text: summary.text, marks, told }
}

/// Whether the first verdict is right so many minutes after the beginning of a fault that goes on, and how many others are
/// accused.
pub fn lasting(mut case: Case, minutes: &[i64]) -> Vec<(bool, usize)> {
    let last = minutes.last().copied().unwrap_or_default();
    case.faults.iter_mut().for_each(|fault| fault.until = case.quiet + last * 60);
    let culprits = culprits(&case);
    let mut host = Host::new(&case);
    let right = |name: &&String| culprits.iter().flatten().any(|culprit| culprit == *name);
    let of = |&minute: &i64| {
        host.until(case.quiet + minute * 60);
        let names = named(&host.summary(WINDOW, 1_000));
        (first(&culprits, &names), names.iter().filter(|name| !right(name)).count())
    };
    minutes.iter().map(of).collect()
}

/// What is said of a whole faulty time in several budgets.
#[derive(Clone, Debug)]
pub struct Said {
    pub culprits: Vec<Vec<String>>,
    pub touched: u64,
    pub summaries: Vec<Summary>,
}

/// Run a case to its end and render it in these budgets.
pub fn summaries(case: &Case, budgets: &[usize]) -> Said {
    let mut host = Host::new(case);
    host.until(case.quiet + case.faulty);
    Said {
        culprits: culprits(case),
        touched: host.run.touched.iter().copied().min().unwrap_or(0),
        summaries: budgets.iter().map(|&budget| host.summary(case.faulty, budget)).collect(),
    }
}

/// What is said of a whole faulty time, in so many tokens.
pub fn said(case: &Case, budget: usize) -> String {
    let mut host = Host::new(case);
    host.until(case.quiet + case.faulty);
    host.summary(if case.faulty > 0 { case.faulty } else { WINDOW }, budget).text
}

/// The case of a seed, and whether it is one of a daemon that has been running for a while.
pub fn case(seed: u64, kind: Kind, spans: f64) -> (Case, bool) {
    let live = seed.is_multiple_of(2);
    let quiet = if live { LIVE } else { [60, 120, 180][(seed / 2 % 3) as usize] };
    (Case::new(seed, kind, quiet, spans), live)
}

/// A verdict where nothing was wrong.
#[derive(Clone, Debug)]
pub struct False {
    /// Seconds since the beginning.
    pub second: i64,
    /// Who was accused.
    pub service: String,
    /// The summary.
    pub text: String,
}

/// Hours with seasons, drifts and, some time for every service, a new version that is as good as the old one. A summary is
/// rendered every minute; a verdict of a service that had none in the ten minutes before counts once.
pub fn quiet(seed: u64, hours: i64, spans: f64) -> Vec<False> {
    let case = Case::quiet(seed, hours * 3_600, spans);
    let mut host = Host::new(&case);
    let mut random = Random::new(seed);
    let mut found: Vec<False> = Vec::new();
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    let deployments: Vec<usize> =
        case.system.services.iter().map(|_| random.below(usize::try_from(hours * 60).unwrap_or(1))).collect();
    for minute in 1..=hours * 60 {
        for (service, _) in deployments.iter().enumerate().filter(|(_, at)| i64::try_from(**at) == Ok(minute)) {
            host.run.deploy(service, START + minute * 60, &format!("{}-next", case.system.services[service].version));
        }
        host.until(minute * 60);
        let summary = host.summary(WINDOW, 1_000);
        for service in named(&summary) {
            let known = last.insert(service.clone(), minute);
            if known.is_none_or(|known| minute - known > 10) {
                found.push(False { second: minute * 60, service, text: summary.text.clone() });
            }
        }
    }
    found
}

/// How much of a steady host's summary is another after a minute.
#[derive(Clone, Debug, Default)]
pub struct Unrest {
    /// The share of lines that did not stand there a minute before, in the mean.
    pub lines: f64,
    /// The same, in the worst minute.
    pub worst: f64,
    /// The lines at the end.
    pub standing: usize,
    /// The share of facts, whatever their numbers.
    pub facts: f64,
    /// The lines that were new, by minute.
    pub changed: Vec<Vec<String>>,
}

/// The unrest of a host over some minutes, after it has been running for so many seconds; `None` if it was not steady.
pub fn unrest(seed: u64, running: i64, minutes: i64, spans: f64) -> Option<Unrest> {
    let case = Case::quiet(seed, running + minutes * 60, spans);
    let mut host = Host::new(&case);
    let (mut lines, mut facts): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let (mut all_lines, mut new_facts, mut all_facts) = (0, 0, 0);
    let mut unrest = Unrest::default();
    let share = |new: usize, all: usize| new as f64 / all.max(1) as f64;
    for minute in 0..=minutes {
        host.until(running + minute * 60);
        let summary = host.summary(WINDOW, 1_000);
        if !summary.verdicts.is_empty() {
            return None;
        }
        // The first line says the time, and the last how much found no room.
        let now: Vec<String> =
            summary.text.lines().filter(|line| !line.starts_with("# ")).map(ToOwned::to_owned).collect();
        let said: Vec<String> =
            summary.facts.iter().map(|fact| format!("{}/{}/{}", fact.section, fact.service, fact.operation)).collect();
        if minute > 0 {
            let new: Vec<String> = now.iter().filter(|line| !lines.contains(line)).cloned().collect();
            all_lines += now.len();
            unrest.worst = unrest.worst.max(share(new.len(), now.len()));
            unrest.changed.push(new);
            new_facts += said.iter().filter(|fact| !facts.contains(fact)).count();
            all_facts += said.len();
        }
        (lines, facts) = (now, said);
    }
    unrest.standing = lines.len();
    unrest.lines = share(unrest.changed.iter().map(Vec::len).sum(), all_lines);
    unrest.facts = share(new_facts, all_facts);
    Some(unrest)
}
