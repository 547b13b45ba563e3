//! No number of a summary contradicts the events it was made from: each is computed again from a full pass over what a
//! simulated system emitted, by other code than the engine's.
#![allow(non_snake_case, clippy::cast_sign_loss, clippy::cast_possible_truncation, clippy::panic, clippy::unwrap_used)]

mod apart;
mod clocks;
mod path;
#[path = "../simulated/mod.rs"]
mod simulated;
mod usual;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use apart::Carried;
use clocks::Clocks;
use path::Paths;
use simulated::Host;
use tracegist_engine::summary::{FactOut, Summary, words};
use tracegist_simulate::case::Case;
use tracegist_simulate::fault::Kind;
use tracegist_simulate::record::{Record, Span};

/// What happened, by whom and when.
#[derive(Default)]
struct Happened {
    /// Seconds since the epoch, nanoseconds, failed, failed on its own.
    events: Vec<Event>,
}

#[derive(Clone, Copy)]
struct Event {
    second: i64,
    took: u64,
    own: Option<u64>,
    failed: bool,
    origin: bool,
}

/// All that happened.
struct Truth {
    /// By service, operation and kind's number.
    spans: HashMap<(String, String, u8), Happened>,
    /// By service and process: the calls that it answered.
    instances: HashMap<(String, usize), Happened>,
    /// By caller, its operation, and callee.
    edges: HashMap<(String, String, String), Happened>,
    /// By service: second, text, error, and the operation it was written in.
    logs: HashMap<String, Vec<(i64, String, bool, String)>>,
    /// By service and operation: the seconds and names of the spans below, in the same service.
    steps: HashMap<(String, String), Vec<(i64, String)>>,
    /// The failure messages by service, operation: second, text.
    failures: HashMap<(String, String), Vec<(i64, String)>>,
    /// What all events carried.
    carried: Carried,
    /// What was waited for.
    paths: Paths,
    /// Calls that do not fit the clocks.
    clocks: Clocks,
}

const NANOS: i64 = 1_000_000_000;

/// Kinds of spans, as OTLP numbers them.
const SERVER: u8 = 2;
const CONSUMER: u8 = 5;

impl Truth {
    fn of(host: &Host<'_>, case: &Case) -> Self {
        let service = |process: usize| case.system.services[host.run.processes[process].service].name.clone();
        let mut truth = Self {
            spans: HashMap::new(),
            instances: HashMap::new(),
            edges: HashMap::new(),
            logs: HashMap::new(),
            steps: HashMap::new(),
            failures: HashMap::new(),
            carried: Carried::of(host, case),
            paths: Paths::default(),
            clocks: Clocks::default(),
        };
        let spans: Vec<&Span<'_>> = host
            .records
            .iter()
            .filter_map(|record| if let Record::Span(span) = record { Some(span) } else { None })
            .collect();
        let by_id: HashMap<u64, &Span<'_>> = spans.iter().map(|span| (span.id, *span)).collect();
        let mut below: HashMap<u64, Vec<&Span<'_>>> = HashMap::new();
        for span in &spans {
            below.entry(span.parent).or_default().push(span);
        }
        truth.paths = Paths::of(&spans, &below, &service);
        for span in &spans {
            let children = below.get(&span.id).map_or(&[][..], |all| all);
            let own = (span.end - span.start).unsigned_abs() - covered(span, children, &service);
            let (mine, second) = (service(span.process), span.end.div_euclid(NANOS));
            let origin = span.failed.is_some() && !children.iter().any(|child| child.failed.is_some());
            let took = (span.end - span.start).unsigned_abs();
            let event = Event { second, took, own: Some(own), failed: span.failed.is_some(), origin };
            if matches!(span.kind, SERVER | CONSUMER) {
                truth.instances.entry((mine.clone(), span.process)).or_default().events.push(event);
            }
            let key = (mine.clone(), span.name.to_owned(), span.kind);
            truth.spans.entry(key).or_default().events.push(event);
            if let Some(message) = &span.failed {
                truth
                    .failures
                    .entry((mine.clone(), span.name.to_owned()))
                    .or_default()
                    .push((second, message.to_string()));
            }
            let Some(parent) = by_id.get(&span.parent) else {
                // From outside, or from what is not seen.
                let event = Event { own: None, ..event };
                let caller = if span.parent == 0 { "" } else { "?" };
                truth.edges.entry((caller.to_owned(), String::new(), mine)).or_default().events.push(event);
                continue;
            };
            let caller = service(parent.process);
            if caller == mine {
                truth.steps.entry((mine, parent.name.to_owned())).or_default().push((second, span.name.to_owned()));
            } else {
                let gap = (parent.end - parent.start).unsigned_abs().saturating_sub(took);
                let alone = below[&span.parent].len() == 1;
                let shift = clocks::shift(parent, span);
                // By its caller's clock.
                let second = (span.end + shift).div_euclid(NANOS);
                if shift != 0 {
                    let key = (caller.clone(), mine.clone());
                    truth.clocks.entry(key).or_default().push((second, shift));
                }
                let event = Event { second, own: alone.then_some(gap), origin: false, ..event };
                truth.edges.entry((caller, parent.name.to_owned(), mine)).or_default().events.push(event);
            }
        }
        for record in &host.records {
            let Record::Log(log) = record else { continue };
            let within = by_id.get(&log.span).map_or(String::new(), |span| span.name.to_owned());
            let line = (log.at.div_euclid(NANOS), log.body.clone(), log.severity >= 17, within);
            truth.logs.entry(service(log.process)).or_default().push(line);
        }
        truth
    }
}

fn covered(span: &Span<'_>, children: &[&Span<'_>], service: &dyn Fn(usize) -> String) -> u64 {
    let part = |child: &&Span<'_>| {
        let apart = service(child.process) != service(span.process);
        let shift = if apart { clocks::shift(span, child) } else { 0 };
        ((child.start + shift).max(span.start), (child.end + shift).min(span.end))
    };
    let mut parts: Vec<(i64, i64)> = children.iter().map(part).collect();
    parts.sort_unstable();
    let (mut total, mut until) = (0, span.start);
    for (from, to) in parts {
        total += (to - from.max(until)).max(0);
        until = until.max(to);
    }
    total.unsigned_abs()
}

/// The seconds of the baseline and of the window.
struct Times {
    before: Range<i64>,
    now: Range<i64>,
}

/// Whether a text is of a template.
fn is_of(template: &str, text: &str) -> bool {
    let mut parts = template.split("<*>");
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    for (i, part) in parts.iter().enumerate() {
        if i + 1 == parts.len() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

fn count(seconds: impl Iterator<Item = i64>, range: &Range<i64>) -> f64 {
    seconds.filter(|second| range.contains(second)).count() as f64
}

/// The mean without the slowest hundredth.
fn trimmed(mut times: Vec<u64>) -> f64 {
    times.sort_unstable();
    let whole = (times.len() as f64 * 0.99).max(1.0);
    let mut left = whole;
    let mut sum = 0.0;
    for time in times {
        let part = left.clamp(0.0, 1.0);
        sum += time as f64 * part;
        left -= part;
    }
    sum / whole
}

#[allow(clippy::cast_sign_loss)]
fn quantile(mut times: Vec<u64>, q: f64) -> f64 {
    times.sort_unstable();
    let rank = (q * times.len().saturating_sub(1) as f64).round();
    times.get(rank as usize).map_or(0.0, |&ns| ns as f64)
}

fn near(said: f64, is: f64, within: f64) -> bool {
    (said - is).abs() <= within * is.abs().max(said.abs()) + 1e-9
}

/// Nanoseconds of a time as a summary writes it.
fn nanoseconds(text: &str) -> Option<f64> {
    let text = text.trim_end_matches([',', ';', ')']);
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number: f64 = text[..text.len() - unit.len()].parse().ok()?;
    let scale = match unit {
        "ns" => 1.0,
        "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "min" => 60e9,
        "h" => 3_600e9,
        _ => return None,
    };
    Some(number * scale)
}

/// The words after a word of a line.
fn after<'a>(line: &'a str, word: &str) -> Option<Vec<&'a str>> {
    let at = line.find(&format!(" {word} "))?;
    Some(line[at + word.len() + 2..].split(' ').collect())
}

/// Whether a line of calls says what happened.
fn calls(fact: &FactOut, happened: &Happened, times: &Times) -> Result<(), String> {
    let line = &fact.text;
    let before = count(happened.events.iter().map(|event| event.second), &times.before);
    if fact.before.is_some_and(|said| said.to_bits() != before.to_bits()) {
        return Err(format!("there were {before} calls before, not {:?}", fact.before));
    }
    if line.contains(": usually ") {
        return usual::calls(line, happened, times);
    }
    let now: Vec<&Event> = happened.events.iter().filter(|event| times.now.contains(&event.second)).collect();
    let (calls, failed) = (now.len(), now.iter().filter(|event| event.failed).count());
    if !line.contains(&format!(": {} calls", words::count(calls as u64))) {
        return Err(format!("there were {calls} calls"));
    }
    for (word, q) in [("p50", 0.5), ("p95", 0.95)] {
        let said = after(line, word).and_then(|words| nanoseconds(words[0])).ok_or("no time")?;
        let is = quantile(now.iter().map(|event| event.took).collect(), q);
        if !near(said, is, 0.07) {
            return Err(format!("{word} is {is}"));
        }
    }
    let share = format!("{} failed", words::percent(failed as f64 / calls as f64));
    if failed > 0 && !line.contains(&share) || failed == 0 && line.contains("failed") {
        return Err(format!("{failed} failed, {share}"));
    }
    Ok(())
}

impl Truth {
    /// The spans of an operation, of one kind or another.
    fn spans_of(&self, service: Option<&str>, operation: &str) -> impl Iterator<Item = &Happened> {
        let fits =
            move |key: &&(String, String, u8)| service.is_none_or(|service| key.0 == service) && key.1 == operation;
        self.spans.keys().filter(fits).map(|key| &self.spans[key])
    }

    fn edges_to(&self, callee: &str) -> Vec<Vec<Event>> {
        let mut by_caller: HashMap<&str, Vec<Event>> = HashMap::new();
        let mut all: Vec<Vec<Event>> = Vec::new();
        for (key, happened) in self.edges.iter().filter(|(key, _)| key.2 == callee) {
            by_caller.entry(&key.0).or_default().extend(&happened.events);
            all.push(happened.events.clone());
        }
        all.extend(by_caller.into_values());
        all
    }

    /// Whether both numbers of a claim are those of one thing that it may be about.
    fn explains(&self, fact: &FactOut, times: &Times) -> bool {
        // A verdict may rest on what was seen at another service.
        let service = (fact.section != "wrong").then_some(&*fact.service);
        let Some(before) = fact.before else { return false };
        let in_range = |events: &[Event], range: &Range<i64>| -> Vec<Event> {
            events.iter().filter(|event| range.contains(&event.second)).copied().collect()
        };
        let mean = |events: Vec<Event>| trimmed(events.iter().filter_map(|event| event.own).collect());
        match fact.measure {
            "self time" | "gap" => {
                let mut things: Vec<Vec<Event>> =
                    self.spans_of(service, &fact.operation).map(|one| one.events.clone()).collect();
                things.extend(self.edges_to(&fact.operation));
                things.iter().any(|events| {
                    near(before, mean(in_range(events, &times.before)), 0.03)
                        && near(fact.after, mean(in_range(events, &times.now)), 0.03)
                })
            }
            "errors" => self.spans_of(service, &fact.operation).any(|one| {
                let share = |range: &Range<i64>| {
                    let events = in_range(&one.events, range);
                    events.iter().filter(|event| event.origin).count() as f64 / events.len().max(1) as f64
                };
                near(before, share(&times.before), 1e-6) && near(fact.after, share(&times.now), 1e-6)
            }),
            "of an instance" => {
                // Before, either its own calls or those of the others.
                let of = |all: Vec<Event>| {
                    let failed = all.iter().filter(|event| event.failed).count() as f64 / all.len().max(1) as f64;
                    [trimmed(all.iter().map(|event| event.took).collect()), failed]
                };
                let alike = || self.instances.iter().filter(|(key, _)| key.0 == fact.service);
                alike().any(|(key, one)| {
                    let others = alike().filter(|other| other.0.1 != key.1).flat_map(|other| &other.1.events);
                    let befores =
                        [one.events.clone(), others.copied().collect()].map(|all| of(in_range(&all, &times.before)));
                    let now = of(in_range(&one.events, &times.now));
                    befores
                        .iter()
                        .any(|is| (0..2).any(|what| near(before, is[what], 0.03) && near(fact.after, now[what], 0.03)))
                })
            }
            "rate" => self.rates(&fact.operation, times).iter().any(|counts| {
                self.exposures(times).iter().chain(&self.writers(&fact.operation, times)).any(|calls| {
                    near(before, counts[0] / calls[0].max(1.0), 1e-6)
                        && near(fact.after, counts[1] / calls[1].max(1.0), 1e-6)
                })
            }),
            other => panic!("nothing is known of {other}"),
        }
    }

    /// How often messages of a template, steps or calls of a name came, before and now.
    fn rates(&self, name: &str, times: &Times) -> Vec<[f64; 2]> {
        let both = |seconds: Vec<i64>| [&times.before, &times.now].map(|range| count(seconds.iter().copied(), range));
        let mut rates: Vec<[f64; 2]> = Vec::new();
        for lines in self.logs.values() {
            let of = |within: Option<&str>| {
                lines
                    .iter()
                    .filter(|line| is_of(name, &line.1) && within.is_none_or(|within| line.3 == within))
                    .map(|line| line.0)
                    .collect::<Vec<_>>()
            };
            rates.push(both(of(None)));
            // Error messages that begin alike are one.
            let words = |text: &str| text.split(' ').take(3).map(ToOwned::to_owned).collect::<Vec<_>>();
            let kin = lines.iter().filter(|line| line.2 && words(&line.1) == words(name)).map(|line| line.0);
            rates.push(both(kin.collect()));
            let mut places: Vec<&str> = lines.iter().map(|line| &*line.3).collect();
            places.sort_unstable();
            places.dedup();
            rates.extend(places.into_iter().map(|place| both(of(Some(place)))));
        }
        for steps in self.steps.values() {
            rates.push(both(steps.iter().filter(|step| step.1 == name).map(|step| step.0).collect()));
        }
        rates.extend(
            self.edges_to(name).into_iter().map(|edges| both(edges.iter().map(|event| event.second).collect())),
        );
        rates
    }

    /// How often services and operations were called, and how long it was.
    fn exposures(&self, times: &Times) -> Vec<[f64; 2]> {
        let both = |events: Vec<i64>| [&times.before, &times.now].map(|range| count(events.iter().copied(), range));
        let seconds = |happened: &Happened| happened.events.iter().map(|event| event.second).collect::<Vec<_>>();
        let mut by_service: HashMap<&str, Vec<i64>> = HashMap::new();
        let mut by_operation: HashMap<(&str, &str), Vec<i64>> = HashMap::new();
        for (key, happened) in &self.edges {
            by_service.entry(&key.2).or_default().extend(seconds(happened));
        }
        for (key, happened) in &self.spans {
            by_operation.entry((&key.0, &key.1)).or_default().extend(seconds(happened));
        }
        let mut all: Vec<[f64; 2]> = by_service.into_values().map(both).collect();
        all.extend(by_operation.into_values().map(both));
        let length = |range: &Range<i64>| (range.end - range.start) as f64;
        all.push([length(&times.before), length(&times.now)]);
        all
    }

    /// How often the operations of a service were called that wrote an error message, or one that begins alike, in the window.
    fn writers(&self, message: &str, times: &Times) -> Vec<[f64; 2]> {
        let words = |text: &str| text.split(' ').take(3).map(ToOwned::to_owned).collect::<Vec<_>>();
        let alike = |text: &str| is_of(message, text) || words(text) == words(message);
        let of_service = |(service, lines): (&String, &Vec<(i64, String, bool, String)>)| {
            let written = lines.iter().filter(|line| line.2 && times.now.contains(&line.0) && alike(&line.1));
            let operations: HashSet<&str> = written.map(|line| &*line.3).collect();
            let calls = self.spans.iter().filter(|(key, _)| key.0 == *service && operations.contains(&*key.1));
            let seconds: Vec<i64> = calls.flat_map(|(_, one)| one.events.iter().map(|event| event.second)).collect();
            [&times.before, &times.now].map(|range| count(seconds.iter().copied(), range))
        };
        self.logs.iter().map(of_service).collect()
    }

    /// Whether a fact is true.
    fn holds(&self, fact: &FactOut, times: &Times) -> Result<(), String> {
        let line = &fact.text;
        if fact.section == "quiet" || line.contains('…') || fact.operation.is_empty() {
            return Ok(());
        }
        if fact.measure == "attribute" {
            return self.carried.fact(fact, times);
        }
        if fact.measure == "clock" {
            let of = |key: &&(String, String, String)| key.0 == fact.operation && key.2 == fact.service;
            let events = self.edges.keys().filter(of).flat_map(|key| &self.edges[key].events).copied().collect();
            return clocks::fact(&self.clocks, fact, &Happened { events }, times);
        }
        if fact.measure == "path" {
            return self.paths.fact(fact, &self.spans, times);
        }
        if fact.measure != "count" {
            let end = Times { before: times.before.clone(), now: times.now.end - newest(line, times)..times.now.end };
            let times = &end;
            return if self.explains(fact, times) { Ok(()) } else { Err("nothing has these numbers".to_owned()) };
        }
        if fact.section == "edges" {
            let events: Vec<Event> = self
                .edges
                .iter()
                .filter(|(key, _)| key.0 == fact.service && key.2 == fact.operation)
                .flat_map(|(_, happened)| &happened.events)
                .copied()
                .collect();
            let happened = Happened { events };
            return calls(fact, &happened, times).and_then(|()| {
                let range = times.before.start..times.now.end;
                let calls = count(happened.events.iter().map(|event| event.second), &range);
                let into: Vec<&Happened> = self
                    .edges
                    .iter()
                    .filter(|(key, _)| key.2 == fact.operation)
                    .map(|(_, happened)| happened)
                    .collect();
                Paths::orphans(line, &happened, &into, times)?;
                self.paths.edge(fact, calls, times)
            });
        }
        if fact.section == "stopped" {
            let stopped = |one: &Happened| {
                let seconds = || one.events.iter().map(|event| event.second);
                let [before, now] = [&times.before, &times.now].map(|range| count(seconds(), range));
                let length = |range: &Range<i64>| (range.end - range.start) as f64;
                let said = format!(
                    ": {} > {}",
                    words::rate(before, length(&times.before)),
                    words::rate(now, length(&times.now))
                );
                let ended = seconds().filter(|second| *second < times.now.end).max().map(|last| last + 1);
                let since = fact.since.as_deref().map(second);
                fact.before == Some(before)
                    && fact.after.to_bits() == now.to_bits()
                    && line.contains(&said)
                    && since == ended.filter(|_| now == 0.0)
            };
            let any = self.spans_of(Some(&fact.service), &fact.operation).any(stopped);
            return if any { Ok(()) } else { Err("nothing stopped like this".to_owned()) };
        }
        if line.contains(", p50 ") {
            let tries: Vec<_> =
                self.spans_of(Some(&fact.service), &fact.operation).map(|one| calls(fact, one, times)).collect();
            return tries
                .iter()
                .find(|one| one.is_ok())
                .or(tries.first())
                .cloned()
                .unwrap_or(Err("no such".to_owned()));
        }
        let lines = self.logs.get(&fact.service);
        let logged = lines.into_iter().flatten().filter(|line| is_of(&fact.operation, &line.1)).map(|line| line.0);
        let mut tries: Vec<Vec<i64>> = vec![logged.collect()];
        for (_, all) in self.failures.iter().filter(|(key, _)| key.0 == fact.service) {
            tries.push(all.iter().filter(|one| is_of(&fact.operation, &one.1)).map(|one| one.0).collect());
        }
        let is = |seconds: &Vec<i64>| {
            let now = count(seconds.iter().copied(), &times.now);
            let said = if line.contains(" usually ") {
                usual::rate(line, seconds, times).is_ok()
            } else {
                line.contains(&format!(" {}", words::count(now as u64)))
            };
            now.to_bits() == fact.after.to_bits() && said
        };
        if tries.iter().any(is) { Ok(()) } else { Err(format!("it came {tries:?}")) }
    }
}

/// Seconds of the window that a line speaks of, from its end back.
fn newest(line: &str, times: &Times) -> i64 {
    let Some((_, rest)) = line.split_once(", in the last ") else { return times.now.end - times.now.start };
    let said = rest.split([';', ' ', '\n']).next().unwrap();
    let (number, unit) = said.split_at(said.len() - 1);
    number.parse::<i64>().unwrap() * if unit == "m" { 60 } else { 1 }
}

fn second(timestamp: &str) -> i64 {
    timestamp.parse::<jiff::Timestamp>().unwrap().as_second()
}

/// Facts of a summary, and those that are not so.
fn check(summary: &Summary, truth: &Truth) -> (usize, Vec<String>) {
    let (from, to) = (second(&summary.window.since), second(&summary.window.until));
    let times = Times { before: from - summary.window.baseline_seconds..from, now: from..to };
    let facts =
        summary.facts.iter().filter_map(|fact| Some(format!("{}: {}", fact.text, truth.holds(fact, &times).err()?)));
    let verdicts = summary.verdicts.iter().filter_map(|verdict| truth.carried.verdict(verdict, &times).err());
    let wrong = facts.chain(verdicts).collect();
    (summary.facts.len(), wrong)
}

#[test]
fn summary__simulated_hosts__every_number_is_that_of_a_full_pass() {
    let (mut facts, mut claims, mut instances, mut usual, mut stopped, mut roots) = (0, 0, 0, 0, 0, 0);
    let (mut apart, mut paths, mut clocks) = (0, [0; 2], 0);
    let kinds = [Kind::Latency, Kind::Exception, Kind::Network, Kind::LogBurst, Kind::LostCall, Kind::Two];
    let more = [(24, Kind::Partial), (15, Kind::Crash), (14, Kind::Silence), (3, Kind::LostCall)];
    let marked = [(16, Kind::Deployment), (2, Kind::Tenant), (5, Kind::Tenant)];
    for (seed, kind) in (11..).zip(kinds).chain(more).chain(marked) {
        // Some of them are past the minutes of which every second is kept apart.
        let case = Case::new(seed, kind, if seed % 2 == 0 { 120 } else { 600 }, 6_000.0);
        let mut host = Host::keeping(&case);
        host.until(case.quiet + case.faulty);
        let truth = Truth::of(&host, &case);
        for budget in [300, 4_000] {
            let summary = host.summary(case.faulty, budget);
            let (said, wrong) = check(&summary, &truth);
            assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}\n{}", summary.text);
            facts += said;
            instances += summary.facts.iter().filter(|fact| fact.measure == "of an instance").count();
            stopped += summary.facts.iter().filter(|fact| fact.section == "stopped" && fact.measure == "count").count();
            for fact in summary.facts.iter().filter(|fact| fact.measure == "path") {
                paths[usize::from(fact.text.contains(" before"))] += 1;
            }
            clocks += summary.facts.iter().filter(|fact| fact.measure == "clock").count();
            roots += summary.facts.iter().filter(|fact| fact.text.contains("% of root time")).count();
            apart += summary.verdicts.iter().filter(|verdict| verdict.attribute.is_some()).count();
            usual += summary.facts.iter().filter(|fact| fact.text.contains(" usually ")).count();
            claims += summary.facts.iter().filter(|fact| fact.measure != "count" && fact.measure != "services").count();
        }
    }
    assert!(
        apart > 3
            && stopped > 0
            && roots > 5
            && paths[0] > 20
            && paths[1] > 3
            && clocks > 3
            && facts > 300
            && claims > 10
            && instances > 0
            && usual > 50
            && facts > usual + claims + 50,
        "{facts} facts, {claims} claims, {instances} of instances, {usual} of what is usual, {stopped} of what stopped, {apart} of attributes, {roots} of \
         root time, {paths:?} of paths, {clocks} of clocks"
    );
}
