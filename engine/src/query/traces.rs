//! The traces that are here: the slowest, those that failed, those like another.

use foldhash::fast::RandomState;
use hashbrown::HashSet;

use super::error::Error;
use super::filter::Filter;
use super::looked;
use super::raw::Raws;
use super::request::Request;
use super::table::{Column, Table, Unit, Value};
use super::trace::{Trace, hex};
use super::window::Windows;
use crate::event::TraceId;
use crate::state::State;
use crate::state::series::SeriesId;
use crate::summary::groups::Groups;

/// How much of what two traces do they must have in common to be alike.
const ALIKE: f64 = 0.5;

/// Answer with a row for each trace that is here and of which a span is meant. With `of`, those like that one.
///
/// # Errors
/// [`Error::Word`] at a word that makes no sense, [`Error::Missing`] if the trace of `of` is not here.
pub fn table(state: &State, groups: &Groups<'_>, request: &Request) -> Result<Table, Error> {
    let filter = Filter::of(&request.filter, request.what)?;
    filter.no_having(&request.filter)?;
    let model = match request.of.as_deref() {
        Some(of) => Some(Trace::find(state, Some(of))?),
        None => None,
    };
    let like = model.as_ref().map(|trace| (trace.id, series_of(trace)));
    let since = request.since.as_deref().or(Some("all"));
    let windows = Windows::of(state, since, request.until.as_deref(), None)?;
    let wanted: HashSet<SeriesId, RandomState> = state
        .table
        .iter()
        .filter(|(_, key, record)| filter.fits(*key, record, groups, |_| true))
        .map(|(id, _, _)| id)
        .collect();
    let carrying = carrying(state, groups, &filter);
    let (mut rows, mut failed, mut spans, mut here) = (Vec::new(), 0u64, 0u64, 0u64);
    for id in state.traces.ids() {
        here += 1;
        if carrying.as_ref().is_some_and(|ids| !ids.contains(id)) || !filter.takes_trace(&hex(id)) {
            continue;
        }
        if like.as_ref().is_some_and(|(other, _)| other == id) {
            continue;
        }
        let trace = Trace::of(state, *id);
        if filter.names_series() && !trace.spans.iter().any(|span| wanted.contains(&span.series)) {
            continue;
        }
        let likeness = like.as_ref().map(|(_, series)| likeness(series, &series_of(&trace)));
        if likeness.is_some_and(|likeness| likeness < ALIKE) {
            continue;
        }
        let (start, end) = trace.extent();
        let bad = trace.failed() as u64;
        let in_time = (windows.now.from..windows.now.to).contains(&end.div_euclid(1_000_000_000));
        let of_status = filter.status.is_none() || (bad > 0) == filter.is_of_errors();
        if !in_time || !of_status || !filter.takes(end.abs_diff(start)) {
            continue;
        }
        let Some(root) = trace.root() else { continue };
        let key = state.table.key(root.series);
        let count = trace.spans.iter().filter(|span| !span.mark).count() as u64;
        let mut row = vec![
            Value::Id(hex(id).into()),
            Value::name(key.service),
            Value::name(key.operation),
            Value::Time(start),
            Value::Count(end.abs_diff(start)),
            Value::Count(count),
            Value::Count(trace.services() as u64),
            Value::Count(bad),
        ];
        row.extend(likeness.map(Value::Number));
        row.push(Value::evidence(state.table.record(root.series).number));
        rows.push(row);
        failed += bad;
        spans += count;
    }
    let mut columns = vec![
        Column::of("trace", Unit::Trace),
        Column::key("service"),
        Column::key("operation"),
        Column::of("start", Unit::Time),
        Column::of("duration", Unit::Nanoseconds),
        Column::sum("spans", Unit::Count),
        Column::of("services", Unit::Count),
        Column::sum("errors", Unit::Count),
    ];
    let mut usual = vec![(4, true)];
    if like.is_some() {
        usual.insert(0, (columns.len(), true));
        columns.push(Column::of("likeness", Unit::Share));
    }
    columns.push(Column::of("evidence", Unit::Evidence));
    let mut table = Table::of(request.what, windows, columns, 3, rows).sorted(request.order_by.as_deref(), &usual)?;
    table.totals[5] = Value::Count(spans);
    table.totals[7] = Value::Count(failed);
    table.notes.push("of the traces still here: those open, and those that evidence was kept of".to_owned());
    if !filter.carries.is_empty() {
        if table.rows.is_empty() {
            looked::known(state, filter.carries.iter().map(|term| &term.key), request)?;
        }
        table.notes.push("by what the raw events carried that are kept of them: others are not looked at".to_owned());
    }
    table.notes.extend(table.rows.is_empty().then(|| nothing(here, like.is_some())));
    Ok(table)
}

/// The traces of raw events that carried what is asked for; none if nothing is.
fn carrying(state: &State, groups: &Groups<'_>, filter: &Filter) -> Option<HashSet<TraceId, RandomState>> {
    if filter.carries.is_empty() {
        return None;
    }
    let mut ids: HashSet<TraceId, RandomState> = HashSet::default();
    for (_, key, record) in state.table.iter().filter(|(_, key, record)| filter.fits(*key, record, groups, |_| true)) {
        let raws = Raws::of(state, key.kind, record);
        let meant =
            record.kept.iter().filter(|(role, exhibit)| raws.read(*role, exhibit).carries(filter) == Some(true));
        ids.extend(meant.map(|(_, exhibit)| exhibit.trace));
    }
    Some(ids)
}

/// Why there are no rows, of so many traces that are here.
fn nothing(here: u64, alike: bool) -> String {
    match here {
        0 => "no trace is here: events belong to none, or their traces were let go".to_owned(),
        _ if alike => format!("none of {} other traces here does as much of the same", here.saturating_sub(1)),
        _ => format!("none of {here} traces here is so, or has such a span"),
    }
}

fn series_of(trace: &Trace) -> Vec<SeriesId> {
    let mut series: Vec<SeriesId> = trace.spans.iter().map(|span| span.series).collect();
    series.sort_unstable();
    series.dedup();
    series
}

/// What two have in common, as a share of what either has (Jaccard, 1901).
fn likeness(one: &[SeriesId], other: &[SeriesId]) -> f64 {
    let common = one.iter().filter(|series| other.binary_search(series).is_ok()).count();
    common as f64 / (one.len() + other.len() - common).max(1) as f64
}
