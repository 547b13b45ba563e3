//! Clocks that differ: no verdict on a host whose clocks are off but steady, and a notice that says whose, and by how much.
#![allow(non_snake_case, clippy::panic, clippy::unwrap_used)]

mod simulated;

use simulated::{Host, WINDOW};
use tracegist_engine::summary::Summary;
use tracegist_simulate::case::Case;

const SECOND: i64 = 1_000_000_000;

/// A quiet system whose spans are those of both sides, and a service in it that others call, its clock so much ahead.
fn off(seed: u64, skew: i64) -> Option<(Case, String)> {
    let mut case = Case::quiet(seed, 1_200, 8_000.0);
    (case.system.style.clients, case.system.style.kinds) = (true, true);
    let system = &case.system;
    let called = |&service: &usize| {
        let callers = system.callers(service);
        let seen = |service: usize| system.services[service].seen;
        !callers.is_empty() && seen(service) && callers.into_iter().all(seen) && system.services[service].workers > 0
    };
    let service = (0..system.services.len()).find(called)?;
    for (at, each) in case.system.services.iter_mut().enumerate() {
        each.instances.iter_mut().for_each(|instance| instance.skew = if at == service { skew } else { 0 });
    }
    let name = case.system.services[service].name.clone();
    Some((case, name))
}

/// What is said of a host every four minutes, from the twelfth on.
fn minutes(case: &Case) -> Vec<Summary> {
    let mut host = Host::new(case);
    (12..=20)
        .step_by(4)
        .map(|minute| {
            host.until(minute * 60);
            host.summary(WINDOW, 4_000)
        })
        .collect()
}

#[test]
fn clocks__off_but_steady__no_verdict_that_was_not_there_and_who_is_off_is_said() {
    let (mut told, mut tried) = (0, 0);
    let clocks = [(0, -2), (0, -150), (1, 3), (2, 45), (2, -150)];
    for (seed, skew) in clocks.map(|(seed, seconds)| (seed, seconds * SECOND)) {
        let Some((case, name)) = off(seed, skew) else { continue };
        let plain = off(seed, 0).map(|(case, _)| minutes(&case)).unwrap();
        let wrong = |all: &[Summary]| all.iter().map(|summary| summary.verdicts.len()).sum::<usize>();
        let all = minutes(&case);
        let text = &all.last().unwrap().text;
        assert!(wrong(&all) <= wrong(&plain), "seed {seed}, {skew} ns: {}", {
            let bad = all.iter().find(|summary| !summary.verdicts.is_empty());
            bad.map_or("", |summary| &summary.text)
        });
        tried += 1;
        let clock = |summary: &Summary| {
            let facts = summary.facts.iter().filter(|fact| fact.measure == "clock");
            facts.filter(|fact| fact.service == name || fact.operation == name).map(|fact| fact.after).next()
        };
        let Some(ns) = clock(all.last().unwrap()) else { continue };
        told += 1;
        assert!((ns / skew.abs() as f64 - 1.0).abs() < 0.1, "{ns} for {skew}: {text}");
        assert!(text.lines().any(|line| line.starts_with("# clock of ")), "{text}");
    }
    assert!(told * 4 >= tried * 3, "{told} of {tried} are told");
}
