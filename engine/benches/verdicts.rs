//! How good verdicts are, on simulated systems: `cargo bench -p tracegist-engine --bench verdicts -- [cases=20] [KIND]`.
//!
//! A row of the table is a kind of fault: how often the first verdict (AS@1) and one of the first three (AS@3) names the
//! service at fault, how often none is said, how often something was said before the fault, and how many seconds after the
//! fault a daemon's summary names it first (median, and nine of ten); how many others a case accuses; of faults that an attribute of calls tells apart, how often a
//! verdict tells it, and how often one tells another. `-- misses=1` lists the cases that go wrong;
//! `-- seed=N KIND` prints one case, and with `budget=N` no more than what is said of it in so many tokens. `-- days=N` runs
//! as many systems for a day with nothing wrong and counts the verdicts; `-- steady=N` measures how much of a summary
//! changes from one minute to the next, fifteen minutes after the start of a host or `running=` seconds; `-- budgets=1` what small
//! and large budgets lose and use.

#[allow(clippy::panic)]
#[path = "../tests/simulated/mod.rs"]
mod simulated;

use std::time::Instant;

use simulated::{Outcome, Said, Unrest, case, first, named, outcome, quiet, said, summaries, third, unrest};
use tracegist_engine::summary::Summary;
use tracegist_simulate::fault::Kind;

/// Spans of a case at most, about.
const SPANS: f64 = 120_000.0;

/// Calls that a fault touches, below which a case does not count.
const FEW: u64 = 10;

/// Spans of a quiet day at most, about.
const QUIET_SPANS: f64 = 2_000_000.0;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let number = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.parse::<u64>().ok());
    let cases = number("cases=").unwrap_or(20);
    let first = number("from=").unwrap_or(0);
    let verbose = words.iter().any(|word| word == "misses=1");
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| words.iter().all(|word| word.contains('=') || kind.name().contains(word.as_str())))
        .collect();
    if let (Some(seed), Some(budget)) = (number("seed="), number("budget=")) {
        let said =
            |kind: &Kind| print!("{}", said(&case(seed, *kind, SPANS).0, usize::try_from(budget).unwrap_or(1_000)));
        return kinds.iter().for_each(said);
    }
    if let Some(seed) = number("seed=") {
        return kinds.iter().for_each(|&kind| show(seed, kind));
    }
    if words.iter().any(|word| word == "budgets=1") {
        return budgets(&kinds, first..first + cases);
    }
    if let Some(days) = number("days=") {
        return quiet_days(first..first + days);
    }
    if words.iter().any(|word| word == "lasting=1") {
        return lasting(&kinds, first..first + cases);
    }
    if let Some(hosts) = number("steady=") {
        let running = number("running=").and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(900);
        return steady(first..first + hosts, running, verbose);
    }
    let begun = Instant::now();
    println!("kind          cases   AS@1   AS@3   none  before  more   told  wrong  seconds (median, 90 %)");
    let mut all = Vec::new();
    for kind in kinds {
        let mut outcomes = Vec::new();
        for seed in first..first + cases {
            let (case, live) = case(seed, kind, SPANS);
            let outcome = outcome(&case, live);
            if verbose && !outcome.first() && outcome.touched >= FEW {
                let Outcome { culprits, named, touched, .. } = &outcome;
                println!("  seed={seed} {:?} {touched} calls of {culprits:?}, said {named:?}", case.system.shape);
            }
            if verbose && (outcome.confused() || outcome.apart() == outcome.marks.is_empty()) && outcome.touched >= FEW
            {
                println!("  seed={seed} told {:?}, true {:?}", outcome.told, outcome.marks);
            }
            if verbose && outcome.early > 0 {
                println!("  seed={seed} before the fault: {}", outcome.early);
            }
            // Of a handful of calls nothing can be said.
            if outcome.touched >= FEW {
                outcomes.push((outcome, live));
            }
        }
        row(kind.name(), &outcomes);
        all.extend(outcomes);
    }
    row("all", &all);
    println!("{:.0} s", begun.elapsed().as_secs_f64());
}

#[allow(clippy::cast_precision_loss)]
fn row(name: &str, outcomes: &[(Outcome, bool)]) {
    let share = |test: &dyn Fn(&Outcome) -> bool| {
        let count = outcomes.iter().filter(|entry| test(&entry.0)).count();
        format!("{:.1}%", 100.0 * count as f64 / outcomes.len().max(1) as f64)
    };
    let mut seconds: Vec<i64> =
        outcomes.iter().filter(|entry| entry.1).map(|entry| entry.0.seconds.unwrap_or(i64::MAX)).collect();
    seconds.sort_unstable();
    let quantile = |tenths: usize| match seconds.get(seconds.len() * tenths / 10) {
        Some(&i64::MAX) | None => "-".to_owned(),
        Some(seconds) => seconds.to_string(),
    };
    let more = outcomes.iter().map(|entry| entry.0.more()).sum::<usize>() as f64 / outcomes.len().max(1) as f64;
    let marked: Vec<_> = outcomes.iter().filter(|entry| !entry.0.marks.is_empty()).collect();
    let apart = marked.iter().filter(|entry| entry.0.apart()).count();
    let told =
        if marked.is_empty() { "-".to_owned() } else { format!("{:.1}%", 100.0 * apart as f64 / marked.len() as f64) };
    println!(
        "{name:13} {:5} {:>6} {:>6} {:>6}  {:>6} {more:>5.2} {told:>6} {:>6}  {:>4} {:>4}",
        outcomes.len(),
        share(&Outcome::first),
        share(&Outcome::third),
        share(&|outcome| outcome.named.is_empty()),
        share(&|outcome| outcome.early > 0),
        share(&Outcome::confused),
        quantile(5),
        quantile(9)
    );
}

fn quiet_days(seeds: std::ops::Range<u64>) {
    let begun = Instant::now();
    let (mut days, mut verdicts) = (0, 0);
    for seed in seeds {
        let found = quiet(seed, 24, QUIET_SPANS);
        for each in &found {
            let lines: Vec<&str> = each.text.lines().filter(|line| line.contains(&each.service)).collect();
            println!("seed {seed}, second {}: {}\n  {}", each.second, each.service, lines.first().unwrap_or(&""));
        }
        days += 1;
        verdicts += found.len();
        println!("seed {seed}: {} ({:.0} s)", found.len(), begun.elapsed().as_secs_f64());
    }
    println!("{verdicts} verdicts in {days} quiet days");
}

#[allow(clippy::cast_precision_loss)]
fn steady(seeds: std::ops::Range<u64>, running: i64, verbose: bool) {
    let mut all = Vec::new();
    for seed in seeds {
        let Some(unrest) = unrest(seed, running, 10, SPANS) else { continue };
        if verbose {
            println!("seed {seed}: {:.1}% of lines, at worst {:.1}%", 100.0 * unrest.lines, 100.0 * unrest.worst);
            unrest.changed.iter().enumerate().for_each(|(minute, lines)| println!("  {minute}: {lines:#?}"));
        }
        all.push(unrest);
    }
    let mean = |of: fn(&Unrest) -> f64| 100.0 * all.iter().map(of).sum::<f64>() / all.len().max(1) as f64;
    let most = 100.0 * all.iter().map(|one| one.lines).fold(0.0, f64::max);
    println!(
        "{} steady hosts, {running} s after their start: {:.1}% of lines are others after a minute ({most:.1}% of the most \
         restless host, {:.1}% in the worst minute of each), {:.1}% of facts",
        all.len(),
        mean(|one| one.lines),
        mean(|one| one.worst),
        mean(|one| one.facts)
    );
}

/// Minutes after the beginning of a fault that goes on.
const MINUTES: [i64; 6] = [5, 10, 15, 20, 30, 45];

/// How often the first verdict is right while a fault lasts, and others are accused.
#[allow(clippy::cast_precision_loss)]
fn lasting(kinds: &[Kind], seeds: std::ops::Range<u64>) {
    println!("kind          cases  {}", MINUTES.map(|minute| format!("{minute:>3} min")).join(" "));
    let mut all = [(0, 0, 0); MINUTES.len()];
    for kind in kinds {
        let mut found = [(0, 0, 0); MINUTES.len()];
        for seed in seeds.clone() {
            let (case, live) = case(seed, *kind, SPANS);
            if live && case.quiet == simulated::LIVE {
                for (at, (right, others)) in simulated::lasting(case, &MINUTES).into_iter().enumerate() {
                    for sum in [&mut found[at], &mut all[at]] {
                        *sum = (sum.0 + 1, sum.1 + usize::from(right), sum.2 + others);
                    }
                }
            }
        }
        lasting_row(kind.name(), &found);
    }
    lasting_row("all", &all);
}

#[allow(clippy::cast_precision_loss)]
fn lasting_row(name: &str, found: &[(usize, usize, usize)]) {
    let share = |of: usize, cases: usize| of as f64 / cases.max(1) as f64;
    let cells = found
        .iter()
        .map(|&(cases, right, others)| format!("{:3.0}% {:.2}", 100.0 * share(right, cases), share(others, cases)));
    println!("{name:13} {:5}  {}", found[0].0, cells.collect::<Vec<_>>().join("  "));
}

/// Tokens of which it is asked what they lose.
const BUDGETS: [usize; 10] = [100, 120, 150, 200, 300, 400, 1_000, 4_000, 16_000, 32_000];

/// What budgets lose of what a full one says, and how much of them is used where there is more to say.
#[allow(clippy::cast_precision_loss)]
fn budgets(kinds: &[Kind], seeds: std::ops::Range<u64>) {
    println!("budget  cases   AS@1   AS@3  full  least used  facts  lines");
    let cases: Vec<_> =
        kinds.iter().flat_map(|&kind| seeds.clone().map(move |seed| case(seed, kind, SPANS).0)).collect();
    let said: Vec<_> = cases.iter().map(|case| summaries(case, &BUDGETS)).filter(|said| said.touched >= FEW).collect();
    for (at, budget) in BUDGETS.into_iter().enumerate() {
        let summaries: Vec<_> = said.iter().map(|said| (said, &said.summaries[at])).collect();
        let share = |right: &dyn Fn(&Said, &Summary) -> bool| {
            let right = summaries.iter().filter(|(said, summary)| right(said, summary)).count();
            100.0 * right as f64 / summaries.len().max(1) as f64
        };
        let full = summaries.iter().filter(|one| one.1.left_out > 0);
        let least = full.clone().map(|one| 100.0 * one.1.tokens as f64 / budget as f64).fold(100.0, f64::min);
        let mean = |of: &dyn Fn(&Summary) -> usize| {
            summaries.iter().map(|one| of(one.1)).sum::<usize>() as f64 / summaries.len().max(1) as f64
        };
        println!(
            "{budget:6} {:6} {:5.1}% {:5.1}% {:5}      {least:5.1}% {:6.1} {:6.1}",
            summaries.len(),
            share(&|said, summary| first(&said.culprits, &named(summary))),
            share(&|said, summary| third(&said.culprits, &named(summary))),
            full.count(),
            mean(&|summary| summary.facts.len()),
            mean(&|summary| summary.text.lines().count())
        );
    }
}

fn show(seed: u64, kind: Kind) {
    let (case, live) = case(seed, kind, SPANS);
    let system = &case.system;
    println!(
        "{:?}, {} services, {:.2}/s, {:.0} spans a call, {:?}, quiet {} s, faulty {} s",
        system.shape,
        system.services.len(),
        system.rate,
        system.spans(),
        system.style,
        case.quiet,
        case.faulty
    );
    let visits = system.visits();
    for fault in &case.faults {
        let name = |place: usize| &system.services[place].name;
        println!(
            "{} in {} ({} instances) {:?} called by {:?}, caller {:?}, step {}, size {:.3e}, share {:.2}",
            fault.kind.name(),
            name(fault.service),
            system.services[fault.service].instances.len(),
            fault.operation.map(|at| &system.operations[at]),
            system.callers(fault.service).into_iter().map(name).collect::<Vec<_>>(),
            fault.caller.map(name),
            fault.step,
            fault.size,
            fault.share
        );
        for at in system.operations_of(fault.service) {
            println!("  {} {:.3} visits", system.operations[at].name, visits[at]);
        }
    }
    let outcome = outcome(&case, live);
    println!(
        "{}said {:?}, true {:?}, {} calls touched, {:?} s",
        outcome.text, outcome.named, outcome.culprits, outcome.touched, outcome.seconds
    );
}
