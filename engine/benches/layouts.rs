//! What the layout of a summary costs: `cargo bench -p tracegist-engine --bench layouts -- [hosts=8]`.
//!
//! All that is said of simulated hosts with a fault is written in several layouts, with the same words and numbers; a row is
//! a layout, with the tokens that a fact takes in it, its share of headings included.

#[allow(clippy::panic, clippy::unwrap_used)]
#[path = "../tests/simulated/mod.rs"]
mod simulated;

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Map, Value};
use simulated::{case, summaries};
use tracegist_engine::summary::FactOut;
use tracegist_engine::tokens::Encoding;
use tracegist_simulate::fault::Kind;

/// A fact in its parts: section, service, operation, how often, p50, p95, the share that fails, other words, evidence.
type Parts<'f> = [&'f str; COLUMNS.len()];

const COLUMNS: [&str; 9] = ["section", "service", "operation", "rate", "p50", "p95", "failed", "says", "evidence"];

fn parts(fact: &FactOut) -> Parts<'_> {
    let (line, evidence) = fact.text.rsplit_once(" #").unwrap_or((&fact.text, ""));
    // What is measured of calls has a place of its own; all else is words.
    let Some((subject, rest)) = line.split_once(": ").filter(|(_, rest)| rest.contains(", p50 ")) else {
        let named = line.strip_prefix(&fact.service).filter(|_| !fact.service.is_empty());
        let (service, says) = named.map_or(("", line), |says| (&line[..fact.service.len()], says));
        return [fact.section, service, "", "", "", "", "", says.trim_start_matches([':', ' ']), evidence];
    };
    let (service, operation) = subject.split_once(' ').unwrap_or((subject, ""));
    let mut words = rest.splitn(2, ", ");
    let (rate, rest) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (times, failed) = rest.split_once(", ").unwrap_or((rest, ""));
    let (p50, p95) = times.split_once(" p95 ").unwrap_or((times, ""));
    let failed = failed.trim_end_matches(" failed");
    [fact.section, service, operation, rate, p50.trim_start_matches("p50 "), p95, failed, "", evidence]
}

/// How facts are written.
type Layout = fn(&[FactOut]) -> String;

/// As a summary has it: lines under the headings of their sections.
fn sections(facts: &[FactOut]) -> String {
    under(facts, |fact| fact.section.to_owned(), |fact| fact.text.clone())
}

/// Every line says what it belongs to.
fn flat(facts: &[FactOut]) -> String {
    facts.iter().fold(String::new(), |text, fact| format!("{text}{}: {}\n", fact.section, fact.text))
}

/// The sections as headings, and in each the services as headings of their own.
fn services_in_sections(facts: &[FactOut]) -> String {
    under(facts, |fact| format!("{} {}", fact.section, parts(fact)[1]).trim_end().to_owned(), without_service)
}

/// The services as headings, and in each line the section that it is of.
fn services(facts: &[FactOut]) -> String {
    let mut sorted: Vec<&FactOut> = facts.iter().collect();
    sorted.sort_by_key(|fact| parts(fact)[1].to_owned());
    under(sorted, |fact| parts(fact)[1].to_owned(), |fact| format!("{} {}", fact.section, without_service(fact)))
}

fn without_service(fact: &FactOut) -> String {
    let rest = fact.text.strip_prefix(parts(fact)[1]).unwrap_or(&fact.text);
    rest.trim_start_matches([':', ' ']).to_owned()
}

fn under<'f>(
    facts: impl IntoIterator<Item = &'f FactOut>,
    heading: impl Fn(&FactOut) -> String,
    line: impl Fn(&FactOut) -> String,
) -> String {
    let (mut text, mut open) = (String::new(), String::new());
    for fact in facts {
        let now = heading(fact);
        if now != open {
            let _ = writeln!(text, "## {now}");
            open = now;
        }
        let _ = writeln!(text, "{}", line(fact));
    }
    text
}

/// An object a line, without what is empty.
fn json(facts: &[FactOut]) -> String {
    let object = |fact| {
        let pairs = COLUMNS.into_iter().zip(parts(fact)).filter(|pair| !pair.1.is_empty());
        Value::Object(pairs.map(|(name, value)| (name.to_owned(), value.into())).collect::<Map<_, _>>()).to_string()
    };
    facts.iter().fold(String::new(), |text, fact| text + &object(fact) + "\n")
}

/// The same, indented.
fn pretty(facts: &[FactOut]) -> String {
    let lines = json(facts);
    let objects = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    objects.fold(String::new(), |text, object| text + &format!("{object:#}\n"))
}

/// Columns, as wide as their widest.
fn table(facts: &[FactOut]) -> String {
    let rows: Vec<Parts<'_>> = std::iter::once(COLUMNS).chain(facts.iter().map(parts)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let line = |row: &Parts<'_>| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join(" ").trim_end().to_owned()
    };
    rows.iter().fold(String::new(), |text, row| text + &line(row) + "\n")
}

/// Values with commas between them.
fn csv(facts: &[FactOut]) -> String {
    let quoted = |cell: &str| {
        if cell.contains([',', '"']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
    };
    let line = |row: Parts<'_>| row.map(quoted).join(",");
    std::iter::once(COLUMNS).chain(facts.iter().map(parts)).fold(String::new(), |text, row| text + &line(row) + "\n")
}

#[allow(clippy::cast_precision_loss)]
fn main() {
    let words: Vec<String> = std::env::args().collect();
    let hosts = words.iter().find_map(|word| word.strip_prefix("hosts=")?.parse().ok()).unwrap_or(8);
    let layouts: [(&str, Layout); 8] = [
        ("lines under sections", sections),
        ("flat lines", flat),
        ("services in sections", services_in_sections),
        ("lines under services", services),
        ("CSV", csv),
        ("aligned table", table),
        ("JSON, an object a line", json),
        ("JSON, indented", pretty),
    ];
    let encodings = ["o200k_base", "cl100k_base"].map(Encoding::named);
    let mut tokens: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut all = 0;
    for (seed, kind) in (0..hosts).zip(Kind::ALL.into_iter().cycle()) {
        let said = summaries(&case(seed, kind, 60_000.0).0, &[32_000]);
        let facts = &said.summaries[0].facts;
        all += facts.len();
        for (at, (_, layout)) in layouts.iter().enumerate() {
            let text = layout(facts);
            for (which, encoding) in encodings.iter().enumerate() {
                *tokens.entry((at, which)).or_default() +=
                    encoding.as_ref().map_or(0, |encoding| encoding.count(&text));
            }
        }
    }
    println!("{all} facts of {hosts} hosts       o200k  cl100k  tokens a fact");
    for (at, (name, _)) in layouts.iter().enumerate() {
        let [one, other] = [0, 1].map(|which| tokens[&(at, which)] as f64 / all as f64);
        println!("{name:24} {one:10.1} {other:7.1}");
    }
}
