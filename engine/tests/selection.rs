//! Whatever there is to say and however little room: the verdicts first, the budget used, and little of worth left out.
#![allow(non_snake_case, clippy::unwrap_used, clippy::cast_precision_loss)]

use std::fmt::Write;

use proptest::prelude::*;
use tracegist_engine::summary::facts::Section;
use tracegist_engine::summary::select::{Priced, heading, select};
use tracegist_engine::tokens::Encoding;

const WORDS: [&str; 12] = [
    "checkout",
    "payment",
    "GET /api/carts/{id}",
    "usually 2.5k/min,",
    "p50 12ms",
    "p95 40ms",
    "errors .2% > 7.1%",
    "(571)",
    "\"upstream timeout after <*>ms\"",
    "new",
    "since 14:03:20",
    "#1290",
];

/// Facts of all sections, of which some are verdicts, with lines of 3 to 60 tokens.
fn facts() -> impl Strategy<Value = Vec<(Section, f64, String)>> {
    let line = prop::collection::vec(0..WORDS.len(), 1..9);
    prop::collection::vec((0..Section::ALL.len() * 4, line, 1u32..1_000), 0..900).prop_map(|all| {
        let mut verdicts = 0;
        let fact = |(i, (section, words, worth)): (usize, (usize, Vec<usize>, u32))| {
            // Few of them are verdicts, and at most five.
            let mut section = Section::ALL.get(section).copied().unwrap_or(Section::ALL[1 + section % 8]);
            if section == Section::Wrong && verdicts == 5 {
                section = Section::Busy;
            }
            verdicts += usize::from(section == Section::Wrong);
            let mut line = format!("service-{i}");
            words.iter().for_each(|&word| write!(line, " {}", WORDS[word]).unwrap());
            line.push('\n');
            let weight = if section == Section::Wrong { 1_000.0 / verdicts as f64 } else { f64::from(worth) / 25.0 };
            (section, weight, line)
        };
        all.into_iter().enumerate().map(fact).collect()
    })
}

/// The worth of all that could stand in a budget, were lines divisible and headings free.
fn bound(priced: &[Priced<'_>], budget: usize) -> f64 {
    let mut all: Vec<(f64, f64)> = priced.iter().map(|each| (each.weight, each.tokens as f64)).collect();
    all.sort_by(|a, b| (b.0 / b.1).total_cmp(&(a.0 / a.1)));
    let mut left = budget as f64;
    let mut worth = 0.0;
    for (weight, tokens) in all {
        let part = (left / tokens).clamp(0.0, 1.0);
        worth += weight * part;
        left -= tokens * part;
    }
    worth
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn select__any_facts_and_budget__verdicts_first_and_the_budget_used(facts in facts(), budget in 100usize..32_000, small in 100usize..400) {
        let encoding = Encoding::named("o200k_base").unwrap();
        let priced: Vec<Priced<'_>> = facts
            .iter()
            .map(|&(section, weight, ref line)| {
                let brief = line.split(' ').take(3).collect::<Vec<_>>().join(" ").trim_end().to_owned() + "\n";
                let brief = (section == Section::Wrong && brief != *line).then(|| (encoding.count(&brief), brief));
                Priced { section, weight, line, tokens: encoding.count(line), brief }
            })
            .collect();
        for budget in [budget, small] {
            let slack = budget * 3 / 100;
            let chosen = select(&priced, budget, slack, encoding);
            let mut text = String::new();
            let mut last = None;
            for (i, line, tokens) in &chosen.lines {
                let section = priced[*i].section;
                prop_assert!(last <= Some(section), "sections stand in their order");
                if last != Some(section) {
                    text += &heading(section);
                }
                last = Some(section);
                prop_assert_eq!(*tokens, encoding.count(line));
                text += line;
            }
            prop_assert_eq!(chosen.tokens, encoding.count(&text));
            prop_assert!(chosen.tokens <= budget);
            if chosen.lines.len() < priced.len() {
                // A few tokens that no cut hits are for the last line of a small summary, which has a form for each length.
                prop_assert!(chosen.tokens + slack.max(6) >= budget, "{} of {budget} used", chosen.tokens);
            }
            let cuts = chosen.lines.iter().filter(|line| line.1.ends_with("…\n")).count();
            prop_assert!(cuts <= 2, "{cuts} lines are cut");
            // Verdicts stand from the first on, and the first always does.
            let mut verdicts: Vec<usize> = (0..priced.len()).filter(|&i| priced[i].section == Section::Wrong).collect();
            verdicts.sort_by(|&a, &b| priced[b].weight.total_cmp(&priced[a].weight));
            let stand: Vec<usize> =
                chosen.lines.iter().map(|line| line.0).filter(|&i| priced[i].section == Section::Wrong).collect();
            prop_assert_eq!(&stand[..], &verdicts[..stand.len()]);
            prop_assert!(verdicts.is_empty() || !stand.is_empty());
            if budget >= 1_000 {
                let worth: f64 = chosen.lines.iter().map(|line| priced[line.0].weight).sum();
                let most = bound(&priced, budget);
                prop_assert!(worth >= 0.9 * most, "{worth} of {most} in {budget}");
            }
        }
    }
}
