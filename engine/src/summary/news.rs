//! What is new, by service: a service that was not there before, or whose log was not, is one piece of news and not fifty.

use std::collections::BTreeMap;

use super::facts::{Fact, Section, end, moment};
use super::view::View;
use super::words;

/// Pieces of news of one service from which on they are told together.
const MANY: usize = 4;

/// Of those told together, the ones that are named.
const NAMED: usize = 3;

/// Put one fact in front of those of a service that has much news, and make the others worth less.
pub fn group(view: &View<'_>, facts: &mut Vec<Fact>) {
    let mut by_service: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, fact) in facts.iter().enumerate().filter(|(_, fact)| fact.section == Section::New) {
        by_service.entry(fact.service.clone()).or_default().push(at);
    }
    by_service.retain(|_, news| news.len() >= MANY);
    for (service, mut news) in by_service {
        news.sort_by(|&a, &b| {
            facts[b].weight.total_cmp(&facts[a].weight).then_with(|| facts[a].line.cmp(&facts[b].line))
        });
        let known = view.series.iter().any(|series| series.key.service == service && series.before.count > 0);
        let since = news.iter().filter_map(|&at| facts[at].since).min();
        let since = since.map_or_else(String::new, |second| format!(" since {}", moment(view, second)));
        let messages = news.iter().filter(|&&at| facts[at].line.contains('"')).count();
        let what = [(messages, "messages"), (news.len() - messages, "operations")];
        let what: Vec<String> = what.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        let what = if known { what.join(" and ") } else { format!("the whole service, {}", what.join(" and ")) };
        let said = |at: &usize| {
            let line = facts[*at].line.trim_end();
            let line = line.rsplit_once(" #").map_or(line, |(line, _)| line);
            let line = line.strip_prefix(&*words::name(&service)).unwrap_or(line);
            let line = line.split(" since ").next().unwrap_or(line);
            line.trim_start_matches([':', ' ']).trim_start_matches("new ").replace("\" new (", "\" (")
        };
        let named: Vec<String> = news.iter().take(NAMED).map(said).collect();
        let line = format!("{}: new{since}, {what}; {}", words::name(&service), named.join("; "));
        let (weight, number) = (facts[news[0]].weight * 1.5, facts[news[0]].number);
        for &at in &news {
            facts[at].weight *= 0.2;
        }
        #[allow(clippy::cast_precision_loss)]
        facts.push(Fact {
            section: Section::New,
            service,
            operation: String::new(),
            measure: "count",
            before: None,
            after: news.len() as f64,
            since: None,
            number,
            weight,
            line: end(line, number),
        });
    }
}
