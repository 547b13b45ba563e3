//! What the calls from outside waited for, by a walk of its own over all spans, and whether a summary's shares of it are right.

use std::collections::HashMap;

use super::{Happened, Times, clocks, count, near, usual};
use tracegist_engine::summary::{FactOut, words};
use tracegist_simulate::record::Span;

/// When and for how many nanoseconds.
type Waits = Vec<(i64, f64)>;

/// Nanoseconds on the critical paths.
#[derive(Default)]
pub struct Paths {
    /// By service, operation and kind's number: the own time of spans.
    spans: HashMap<(String, String, u8), Waits>,
    /// By caller and callee: all that was waited for there.
    edges: HashMap<(String, String), Waits>,
}

const NANOS: i64 = 1_000_000_000;

impl Paths {
    /// Of all spans; `below` has those whose parent has an id, `service` the name of a span's service.
    pub fn of(spans: &[&Span<'_>], below: &HashMap<u64, Vec<&Span<'_>>>, service: &dyn Fn(usize) -> String) -> Self {
        let ids: HashMap<u64, &Span<'_>> = spans.iter().map(|span| (span.id, *span)).collect();
        let mut paths = Self::default();
        for root in spans.iter().filter(|span| !ids.contains_key(&span.parent)) {
            paths.follow(root, [root.start, root.end], 0, below, service);
        }
        paths
    }

    fn follow(
        &mut self,
        span: &Span<'_>,
        [begin, until]: [i64; 2],
        shift: i64,
        below: &HashMap<u64, Vec<&Span<'_>>>,
        service: &dyn Fn(usize) -> String,
    ) {
        let children: Vec<&Span<'_>> = below.get(&span.id).cloned().unwrap_or_default();
        // By the clock of the root.
        let mut children: Vec<(i64, [i64; 2], &Span<'_>)> = children
            .into_iter()
            .map(|child| {
                let apart = service(child.process) != service(span.process);
                let shift = shift + if apart { clocks::shift(span, child) } else { 0 };
                (shift, [child.start, child.end].map(|time| time + shift), child)
            })
            .collect();
        children.sort_by_key(|(_, [start, end], child)| (-end, *start, std::cmp::Reverse(child.id)));
        let (mut left, mut own) = (until, 0);
        for (shift, [start, end], child) in children {
            let (from, to) = (start.max(begin), end.min(left));
            if from >= to {
                continue;
            }
            own += left - to;
            left = from;
            let [caller, callee] = [span, child].map(|span| service(span.process));
            if caller != callee {
                self.edges
                    .entry((caller, callee))
                    .or_default()
                    .push(((child.end + clocks::shift(span, child)).div_euclid(NANOS), (to - from) as f64));
            }
            self.follow(child, [from, to], shift, below, service);
        }
        own += left - begin;
        let key = (service(span.process), span.name.to_owned(), span.kind);
        self.spans.entry(key).or_default().push((span.end.div_euclid(NANOS), own as f64));
    }

    /// Before, now, and in both: the share of all that some of it is.
    fn shares(&self, waits: &Waits, times: &Times) -> [f64; 3] {
        let ranges = [times.before.clone(), times.now.clone(), times.before.start..times.now.end];
        ranges.map(|range| {
            let sum =
                |waits: &Waits| waits.iter().filter(|wait| range.contains(&wait.0)).map(|wait| wait.1).sum::<f64>();
            sum(waits) / self.spans.values().map(sum).sum::<f64>()
        })
    }

    /// Whether a fact of the section is true.
    pub fn fact(
        &self,
        fact: &FactOut,
        spans: &HashMap<(String, String, u8), Happened>,
        times: &Times,
    ) -> Result<(), String> {
        let of = |key: &&(String, String, u8)| key.0 == fact.service && key.1 == fact.operation;
        let is = |key: &(String, String, u8)| {
            let waits = &self.spans[key];
            let [before, now, both] = self.shares(waits, times);
            let line = &fact.text;
            let said = if line.contains(": usually ") {
                let range = times.before.start..times.now.end;
                let calls = count(spans[key].events.iter().map(|event| event.second), &range);
                share(line).is_some_and(|said| usual::part(said, both, calls))
            } else {
                let old = format!(", {} before", words::percent(before));
                line.contains(&format!(": {} of root time", words::percent(now)))
                    && (!line.contains(" before") || line.contains(&old))
            };
            said && near(fact.after, now, 1e-9) && fact.before.is_none_or(|said| near(said, before, 1e-9))
        };
        if self.spans.keys().filter(of).any(is) { Ok(()) } else { Err("no path is like this".to_owned()) }
    }

    /// Whether the share of a service's calls that is said to have no caller here is right.
    pub fn orphans(line: &str, edge: &Happened, all: &[&Happened], times: &Times) -> Result<(), String> {
        let Some((begin, _)) = line.split_once("% of its calls") else { return Ok(()) };
        let said = begin.rsplit(' ').next().and_then(usual::number).ok_or("no share")? / 100.0;
        let steady = line.contains(": usually ");
        let range = if steady { times.before.start..times.now.end } else { times.now.clone() };
        let calls = |one: &Happened| count(one.events.iter().map(|event| event.second), &range);
        let is = calls(edge) / all.iter().map(|one| calls(one)).sum::<f64>();
        let right = if steady { usual::part(said, is, calls(edge)) } else { near(said, is, 0.07) };
        if right { Ok(()) } else { Err(format!("{is} of its calls")) }
    }

    /// Whether the share that is said of an edge, if any is, is right.
    pub fn edge(&self, fact: &FactOut, calls: f64, times: &Times) -> Result<(), String> {
        let Some(said) = share(&fact.text) else { return Ok(()) };
        let waits = self.edges.get(&(fact.service.clone(), fact.operation.clone())).ok_or("nobody waits for it")?;
        let [_, now, both] = self.shares(waits, times);
        let right =
            if fact.text.contains(": usually ") { usual::part(said, both, calls) } else { near(said, now, 0.07) };
        if right { Ok(()) } else { Err(format!("{now} of root time, {both} in all")) }
    }
}

/// The share of root time that a line says.
fn share(line: &str) -> Option<f64> {
    let (begin, _) = line.split_once("% of root time")?;
    Some(usual::number(begin.rsplit(' ').next()?)? / 100.0)
}
