//! The tree of a trace: spans that stand in the same place are one row, with how many they are.

use hashbrown::HashMap;

use super::error::{Error, Written};
use super::filter::Filter;
use super::request::{Request, What};
use super::table::{Column, Table, Unit, Value};
use super::trace::{Trace, named};
use crate::state::State;
use crate::state::series::SeriesId;
use crate::summary::groups::Groups;

/// Answer with the tree of a trace.
///
/// # Errors
/// As [`Trace::find`], or [`Error::Word`] at another word that makes no sense.
pub fn table(state: &State, groups: &Groups<'_>, request: &Request) -> Result<Table, Error> {
    let filter = Filter::of(&request.filter, request.what)?;
    filter.no_having(&request.filter)?;
    let trace = Trace::find(state, request.of.as_deref())?;
    let start = trace.extent().0;
    let mut rows = Vec::new();
    // Groups of spans that stand in the same place, and how deep that is; the last is the next.
    let mut walk: Vec<(Vec<usize>, u64)> =
        by_place(&trace, trace.roots()).into_iter().map(|spans| (spans, 0)).collect();
    walk.reverse();
    let (mut count, mut failed, mut own_sum) = (0u64, 0u64, 0u64);
    while let Some((spans, depth)) = walk.pop() {
        let first = &trace.spans[spans[0]];
        let (key, record) = (state.table.key(first.series), state.table.record(first.series));
        if filter.fits(key, record, groups, |_| true) {
            let longest = spans.iter().map(|&i| trace.spans[i].took()).max().unwrap_or(0);
            let own = spans.iter().map(|&i| if trace.spans[i].mark { 0 } else { trace.own(i) }).sum::<u64>();
            let bad = spans.iter().filter(|&&i| trace.spans[i].failed).count() as u64;
            if filter.takes(longest) && (filter.status.is_none() || (bad > 0) == filter.is_of_errors()) {
                let begun = spans.iter().map(|&i| trace.spans[i].start).min().unwrap_or(start);
                let [longest, own_shown] =
                    [longest, own].map(|ns| if first.mark { Value::Null } else { Value::Count(ns) });
                rows.push(vec![
                    Value::Count(depth),
                    Value::name(key.service),
                    named(state, groups, first.series),
                    Value::Line(key.kind.name().into()),
                    Value::Count(spans.len() as u64),
                    Value::Count((begun - start).unsigned_abs()),
                    longest,
                    own_shown,
                    Value::Count(bad),
                    Value::evidence(record.number),
                ]);
                count += spans.len() as u64;
                failed += bad;
                own_sum += own;
            }
        }
        let below = spans.iter().flat_map(|&i| trace.children[i].iter().copied()).collect();
        walk.extend(by_place(&trace, below).into_iter().rev().map(|spans| (spans, depth + 1)));
    }
    let columns = vec![
        Column::of("depth", Unit::Count),
        Column::key("service"),
        Column::key("operation"),
        Column::key("kind"),
        Column::sum("count", Unit::Count),
        Column::of("start", Unit::Nanoseconds),
        Column::of("longest", Unit::Nanoseconds),
        Column::sum("self", Unit::Nanoseconds),
        Column::sum("errors", Unit::Count),
        Column::of("evidence", Unit::Evidence),
    ];
    let (from, to) = trace.extent();
    fixed_order(request)?;
    let mut table = trace.table(What::Trace, columns, 4, rows);
    table.totals[4] = Value::Count(count);
    table.totals[6] = Value::Count(to.abs_diff(from));
    table.totals[7] = Value::Count(own_sum);
    table.totals[8] = Value::Count(failed);
    table.drop_kind();
    if table.rows.is_empty() {
        table.notes.push(format!("none of its {} spans is so", trace.spans.len()));
    }
    Ok(table)
}

/// Spans of the same series together, in the order of their beginnings.
fn by_place(trace: &Trace, spans: Vec<usize>) -> Vec<Vec<usize>> {
    let mut places: Vec<Vec<usize>> = Vec::new();
    let mut index: HashMap<(SeriesId, bool), usize> = HashMap::new();
    let mut spans = spans;
    spans.sort_unstable();
    for i in spans {
        let span = &trace.spans[i];
        let at = *index.entry((span.series, span.mark)).or_insert_with(|| {
            places.push(Vec::new());
            places.len() - 1
        });
        places[at].push(i);
    }
    places
}

/// The rows of a trace stand in its own order.
fn fixed_order(request: &Request) -> Result<(), Error> {
    match request.order_by.as_deref() {
        Some(text) => {
            let message = "the rows stand in the order of the trace: leave it out";
            Err(Written { field: "order_by", text }.wrong(0, text.len(), message))
        }
        None => Ok(()),
    }
}
