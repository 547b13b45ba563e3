//! Everything a section of the summary could say, whatever its budget.

use super::error::Error;
use super::filter::Filter;
use super::request::Request;
use super::table::{Column, Table, Unit, Value};
use super::window::Windows;
use crate::state::State;
use crate::state::sums::Sums;
use crate::summary::{self, facts::Fact};

/// Answer with the statements a summary chooses from, in its order. The window is the last five minutes or since when is
/// asked, up to the newest event; the baseline what compares with, or the hour before.
///
/// # Errors
/// [`Error::Word`] at a word that makes no sense.
pub fn table(state: &State, sums: &mut Sums, request: &Request) -> Result<Table, Error> {
    let filter = Filter::of(&request.filter, request.what)?;
    let compare = request.compare.as_deref().unwrap_or("baseline");
    // What the summary compares with ends where its window begins; a state too young to compare has none.
    let windows = Windows::of(state, request.since.as_deref(), None, Some(compare))
        .or_else(|_| Windows::of(state, request.since.as_deref(), None, None))?;
    let alone = windows.before.is_none();
    let baseline = windows.before.map_or(0, |before| windows.now.from - before.from);
    let facts = summary::statements(state, sums, windows.now.seconds(), baseline);
    let mut notes = Vec::new();
    if alone {
        notes.push("nothing before it to compare with: a later since leaves something".to_owned());
    }
    let rows: Vec<Vec<Value>> = facts.iter().filter(|fact| filter.fits_fact(fact)).map(row).collect();
    let columns = vec![
        Column::key("section"),
        Column::key("service"),
        Column::key("operation"),
        Column::of("measure", Unit::Text),
        Column::of("before", Unit::Number),
        Column::of("after", Unit::Number),
        Column::of("since", Unit::Time),
        Column::of("weight", Unit::Number),
        Column::of("text", Unit::Text),
        Column::of("evidence", Unit::Evidence),
    ];
    if rows.is_empty() {
        notes.push(match facts.len() {
            0 => "a summary has nothing to say of this".to_owned(),
            all => format!("none of {all} statements is so: they are of the sections {}", sections(&facts)),
        });
    }
    let table = Table::of(request.what, windows, columns, 3, rows).sorted(request.order_by.as_deref(), &[])?;
    Ok(Table { notes, error: super::filter::ERROR, ..table })
}

fn sections(facts: &[Fact]) -> String {
    let mut names: Vec<&str> = facts.iter().map(|fact| fact.section.name()).collect();
    names.dedup();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn row(fact: &Fact) -> Vec<Value> {
    vec![
        Value::Line(fact.section.name().into()),
        Value::name(&fact.service),
        Value::name(&fact.operation),
        Value::Line(fact.measure.into()),
        fact.before.map_or(Value::Null, Value::Number),
        Value::Number(fact.after),
        fact.since.map_or(Value::Null, |second| Value::Time(second * 1_000_000_000)),
        Value::Number(fact.weight),
        Value::Line(fact.line.trim_end().into()),
        Value::evidence(fact.number),
    ]
}
