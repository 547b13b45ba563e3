//! What speaks of the same thing again is worth half as much each time: of the same operation of a service, the weightiest
//! statement counts in full.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::facts::{Found, Section};
use super::view::View;
use crate::state::lines::Lines;

/// Halve the weights.
pub fn once(view: &View<'_>, found: &mut Found, lines: &Lines) {
    let name = |at: usize| {
        let key = found.doing[at].series(view).key;
        (key.service, key.operation)
    };
    // What is not in the order of the series, by what it speaks of.
    let mut known: HashMap<(&str, &str), Vec<usize>, RandomState> = HashMap::default();
    for (at, fact) in found.facts.iter().enumerate() {
        if !fact.operation.is_empty() && fact.section != Section::Wrong {
            known.entry((&fact.service, &fact.operation)).or_default().push(at);
        }
    }
    let (facts, edges) = (found.facts.len(), found.doing.partition_point(|doing| !doing.is_edge(view)));
    for at in edges..found.doing.len() {
        known.entry(name(at)).or_default().push(facts + at);
    }
    let mut several: Vec<Vec<usize>> = Vec::new();
    let mut begin = 0;
    while begin < edges {
        let alike = (begin..edges).take_while(|&at| at == begin || name(at) == name(begin)).count();
        let places = facts + begin..facts + begin + alike;
        match known.get_mut(&name(begin)) {
            Some(others) => others.extend(places),
            None if alike > 1 => several.push(places.collect()),
            None => {}
        }
        begin += alike;
    }
    several.extend(known.into_values().filter(|others| others.len() > 1));
    let said = |at: usize| {
        let fact = found.facts.get(at).map(|fact| (fact.weight, &*fact.line, fact.operation.is_empty()));
        fact.unwrap_or_else(|| {
            let doing = &found.doing[at - facts];
            (doing.weight, lines.line(doing.id), doing.series(view).key.operation.is_empty())
        })
    };
    several.retain(|others| others.first().is_some_and(|&at| !said(at).2));
    for others in &mut several {
        others.sort_by(|&a, &b| said(b).0.total_cmp(&said(a).0).then_with(|| said(a).1.cmp(said(b).1)));
    }
    for others in several {
        for (times, at) in (0..).zip(others) {
            let weight = match found.facts.get_mut(at) {
                Some(fact) => &mut fact.weight,
                None => &mut found.doing[at - facts].weight,
            };
            *weight *= 0.5f64.powi(times);
        }
    }
}
