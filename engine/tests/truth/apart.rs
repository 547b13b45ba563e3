//! What is said to set bad events apart, against all events that carried it.

use std::collections::BTreeSet;

use tracegist_engine::summary::{FactOut, VerdictOut};
use tracegist_simulate::carried;
use tracegist_simulate::case::Case;
use tracegist_simulate::record::Record;

use crate::simulated::Host;
use crate::{CONSUMER, SERVER, Times, quantile};

/// An event and what it carried.
struct Event {
    service: String,
    /// What it is one of: the name of a span; of a log record nothing.
    name: String,
    /// As OTLP numbers them; of a log record 0.
    kind: u8,
    second: i64,
    took: u64,
    failed: bool,
    pairs: Vec<String>,
}

/// All of them.
pub struct Carried(Vec<Event>);

/// What is said of a share among the bad and among all, and how far from them the truth may be.
struct Said<'a> {
    service: &'a str,
    slow: bool,
    lines: bool,
    pair: String,
    shares: [f64; 2],
    within: f64,
}

impl Carried {
    pub fn of(host: &Host<'_>, case: &Case) -> Self {
        let event = |record: &Record<'_>| {
            let process = &host.run.processes[record.process()];
            let service = case.system.services[process.service].name.clone();
            let mut pairs = vec![
                format!("service.version={}", process.version),
                format!("service.instance.id={}", process.instance.id),
                format!("host.name={}", process.instance.host),
            ];
            match record {
                Record::Span(span) => {
                    let own = carried::attributes(span.trace, span.name);
                    pairs.extend(own.into_iter().map(|(key, value)| format!("{key}={value}")));
                    let took = (span.end - span.start).unsigned_abs();
                    let (name, second) = (span.name.to_owned(), span.end.div_euclid(1_000_000_000));
                    Event { service, name, kind: span.kind, second, took, failed: span.failed.is_some(), pairs }
                }
                Record::Log(log) => {
                    let (second, failed) = (log.at.div_euclid(1_000_000_000), log.severity >= 17);
                    Event { service, name: String::new(), kind: 0, second, took: 0, failed, pairs }
                }
            }
        };
        Self(host.records.iter().map(event).collect())
    }

    /// Whether a fact is true.
    pub fn fact(&self, fact: &FactOut, times: &Times) -> Result<(), String> {
        self.holds(
            &Said {
                service: &fact.service,
                slow: fact.text.contains(" of slow "),
                lines: fact.text.contains(" lines have "),
                pair: fact.operation.clone(),
                shares: [fact.after, fact.before.unwrap_or(0.0)],
                within: 0.25,
            },
            times,
        )
    }

    /// Whether what a verdict says is true.
    pub fn verdict(&self, verdict: &VerdictOut, times: &Times) -> Result<(), String> {
        let Some(said) = &verdict.attribute else { return Ok(()) };
        // Four times the standard deviation of a sample of so many.
        let within = if said.exact { 1e-6 } else { 2.0 / (said.looked_at as f64).sqrt() };
        let pairs = std::iter::once(format!("{}={}", said.key, said.value)).chain(said.also.clone());
        for pair in pairs {
            let shares = [said.of_bad, said.of_all];
            self.holds(
                &Said { service: &verdict.service, slow: said.bad == "slow", lines: false, pair, shares, within },
                times,
            )?;
        }
        Ok(())
    }

    /// Either of one operation or of all of the service, both shares are near to what they are said to be.
    fn holds(&self, said: &Said<'_>, times: &Times) -> Result<(), String> {
        let is_one = |event: &&Event| event.service == said.service && (event.kind == 0) == said.lines;
        let mine: Vec<&Event> = self.0.iter().filter(is_one).collect();
        let answers = |event: &&Event| matches!(event.kind, SERVER | CONSUMER);
        let every = !mine.iter().any(answers);
        let operations: BTreeSet<(&str, u8)> = mine.iter().map(|event| (&*event.name, event.kind)).collect();
        let mut tries: Vec<[f64; 2]> = Vec::new();
        let mut together: Vec<(bool, bool)> = Vec::new();
        for operation in operations {
            let of_it: Vec<&&Event> = mine.iter().filter(|event| (&*event.name, event.kind) == operation).collect();
            let before = of_it.iter().filter(|event| times.before.contains(&event.second)).map(|event| event.took);
            let cut = quantile(before.collect(), 0.95) * 1.25;
            let is_bad = |event: &Event| if said.slow { event.took as f64 > cut } else { event.failed };
            let now = of_it.iter().filter(|event| times.now.contains(&event.second));
            let now: Vec<(bool, bool)> = now.map(|event| (is_bad(event), event.pairs.contains(&said.pair))).collect();
            // What has nothing to be compared with is left out.
            if now.iter().any(|one| one.0) && !now.iter().all(|one| one.0) {
                if every || matches!(operation.1, SERVER | CONSUMER) {
                    together.extend(&now);
                }
                tries.push(shares(&now));
            }
        }
        tries.push(shares(&together));
        let near = |is: &[f64; 2]| (0..2).all(|i| (is[i] - said.shares[i]).abs() <= said.within);
        if tries.iter().any(near) {
            return Ok(());
        }
        Err(format!("{} has {:?} of bad and of all, and is said to have {:?}", said.pair, tries, said.shares))
    }
}

/// Of events, bad or not, the share of those that carry something: among the bad, and among all.
fn shares(events: &[(bool, bool)]) -> [f64; 2] {
    let share = |is: fn(&&(bool, bool)) -> bool| {
        let of: Vec<&(bool, bool)> = events.iter().filter(is).collect();
        of.iter().filter(|one| one.1).count() as f64 / of.len().max(1) as f64
    };
    [share(|one| one.0), share(|_| true)]
}
