//! Why an answer has no rows, or nothing under a column: no question is answered with silence.

use super::dimension::Dimension;
use super::measure::{Measure, Time};
use super::members::Members;
use super::series::Question;
use super::sheet::Sheet;
use super::subject::{Subject, Test};
use super::table::Value;
use crate::event::Kind;
use crate::state::State;
use crate::summary::groups::Groups;
use crate::summary::words;

/// Of what there is a dimension, where it is not of all.
const fn of(subject: Subject) -> Option<&'static str> {
    Some(match subject {
        Subject::Dimension(Dimension::Level) => "log records have a level",
        Subject::Dimension(Dimension::Template) => "log records and failures have a template",
        Subject::Dimension(Dimension::Peer) | Subject::Caller => "edges have a peer and a caller: what=edges",
        Subject::Dimension(Dimension::Step) => "steps have a step: kind=step",
        Subject::Dimension(Dimension::Source | Dimension::Format) => {
            "spans and log records have a source and a format, what is derived from traces has none"
        }
        _ => return None,
    })
}

/// Why no series, or nothing of those that are meant, makes a row.
#[must_use]
pub fn why(
    question: &Question,
    state: &State,
    groups: &Groups<'_>,
    kinds: fn(Kind) -> bool,
    members: &Members<'_>,
) -> String {
    let all = || state.table.iter().filter(|(_, _, record)| !record.is_empty());
    if all().next().is_none() {
        return "no events have been read".to_owned();
    }
    if members.all().is_empty() {
        let filter = &question.filter;
        let of_kind = || all().filter(|(_, key, _)| filter.names_kinds || kinds(key.kind));
        if of_kind().next().is_none() {
            return "there is nothing of the kind yet: edges, failures and steps come from traces, templates from log records".to_owned();
        }
        let alone = |test: &&Test| !of_kind().any(|(_, key, record)| test.fits(key, record, groups));
        return match filter.tests().iter().find(alone) {
            Some(test) => {
                let says = of(test.subject).map_or_else(String::new, |says| format!(": {says}"));
                format!("nothing that is asked for is {}{says}", test.said)
            }
            None => "each term holds for something, all together for nothing".to_owned(),
        };
    }
    let window = question.windows.now;
    let (mut events, mut last) = (0, None);
    for record in members.all().iter().map(|&id| state.table.record(id)) {
        events += record.timeline.between(window.from, window.to).map(|slot| slot.count).sum::<u64>();
        last = last.max(record.last);
    }
    let series = members.all().len();
    if events == 0 {
        let last = last.map_or_else(String::new, |ns| {
            format!(", the last came at {}", words::timestamp(ns.div_euclid(1_000_000_000)))
        });
        return format!("{series} series are meant, with no events then{last}");
    }
    format!(
        "{series} series with {} events are meant, none of which is as status, duration or a measure has to be",
        words::count(events)
    )
}

/// By which of these dimensions no row is told apart.
pub fn keys(dimensions: impl Iterator<Item = Dimension>, rows: &Sheet) -> Vec<String> {
    let none = |(at, dimension): (usize, Dimension)| {
        let says = match dimension {
            Dimension::Service | Dimension::Operation => "calls from outside are of none, and what names none",
            _ => of(Subject::Dimension(dimension))?,
        };
        (!rows.is_empty() && is_empty(rows, at)).then(|| format!("no row has a {}: {says}", dimension.name()))
    };
    dimensions.enumerate().filter_map(none).collect()
}

/// Which of the measures of a question come to nothing in any row.
#[must_use]
pub fn measures(question: &Question, rows: &Sheet) -> Vec<String> {
    let columns = if question.windows.before.is_some() || question.is_sampled() { 2 } else { 1 };
    let none = |(at, measure): (usize, &Measure)| {
        let says = match (measure, measure.time()) {
            (Measure::First | Measure::Last, _) => "of what is derived from traces it is not kept when it was seen",
            (_, Some(Time::Duration)) if question.is_sampled() => "nothing here takes time, or it is not kept how long",
            (_, Some(Time::Duration)) => "nothing here takes time",
            (_, Some(Time::Own)) => "own times are of spans in a trace, or nested",
            _ => return None,
        };
        let first = question.dimensions.len() + at * columns;
        let empty = !rows.is_empty() && (first..first + columns).all(|at| is_empty(rows, at));
        empty.then(|| format!("no {measure}: {says}"))
    };
    question.measures.iter().enumerate().filter_map(none).collect()
}

fn is_empty(rows: &Sheet, at: usize) -> bool {
    rows.iter().all(|row| row.get(at).is_none_or(|value| *value == Value::Null))
}
