//! The path that one trace's time was spent on, as [`Walk`] finds it.

use hashbrown::HashMap;

use super::error::{Error, Written};
use super::request::{Request, What};
use super::table::{Column, Table, Unit, Value};
use super::trace::{Trace, named};
use crate::state::State;
use crate::state::path::{Met, Walk};
use crate::state::series::SeriesId;
use crate::summary::groups::Groups;

/// Answer with what a trace waited for, from its beginning to its end.
///
/// # Errors
/// As [`Trace::find`].
pub fn table(state: &State, groups: &Groups<'_>, request: &Request) -> Result<Table, Error> {
    let trace = Trace::find(state, request.of.as_deref())?;
    let text = request.filter.as_str();
    if !text.trim().is_empty() {
        return Err(Written { field: "where", text }.wrong(0, text.len(), "a path is whole: leave it out"));
    }
    let whole = trace
        .roots()
        .into_iter()
        .filter(|&i| !trace.spans[i].mark)
        .max_by_key(|&i| (trace.spans[i].took(), std::cmp::Reverse(i)));
    let total = whole.map_or(0, |root| trace.spans[root].took());
    let parts = whole.map(|root| waits(&trace, root)).unwrap_or_default();
    let begin = trace.extent().0;
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut places: HashMap<SeriesId, usize> = HashMap::new();
    let mut last = None;
    for (i, from, to) in parts {
        let series = trace.spans[i].series;
        let at = *places.entry(series).or_insert_with(|| {
            let key = state.table.key(series);
            rows.push(vec![
                Value::name(key.service),
                named(state, groups, series),
                Value::Line(key.kind.name().into()),
                Value::Count(0),
                Value::Count(from.abs_diff(begin)),
                Value::Count(0),
                Value::Null,
                Value::evidence(state.table.record(series).number),
            ]);
            rows.len() - 1
        });
        rows[at][3].add(&Value::Count(u64::from(last != Some(series))));
        rows[at][5].add(&Value::Count(to.abs_diff(from)));
        last = Some(series);
    }
    for row in &mut rows {
        row[6] = row[5].number().map_or(Value::Null, |ns| Value::Number(ns / total.max(1) as f64));
    }
    let columns = vec![
        Column::key("service"),
        Column::key("operation"),
        Column::key("kind"),
        Column::sum("times", Unit::Count),
        Column::of("start", Unit::Nanoseconds),
        Column::sum("time", Unit::Nanoseconds),
        Column::sum("share", Unit::Share),
        Column::of("evidence", Unit::Evidence),
    ];
    let mut table = trace.table(What::Path, columns, 3, rows).sorted(request.order_by.as_deref(), &[(5, true)])?;
    table.totals[5] = Value::Count(total);
    table.totals[6] = Value::Number(if table.rows.is_empty() { 0.0 } else { 1.0 });
    table.drop_kind();
    Ok(table)
}

/// The stretches of the path through a span, in time: which span, from when, to when.
fn waits(trace: &Trace, root: usize) -> Vec<(usize, i64, i64)> {
    let mut parts = Vec::new();
    let below = |span: u32, found: &mut Vec<u32>| {
        let children = trace.children[span as usize].iter().copied().filter(|&child| !trace.spans[child].mark);
        found.extend(children.filter_map(|child| u32::try_from(child).ok()));
    };
    Walk::default().walk(&trace.spans, &trace.shifts, u32::try_from(root).unwrap_or_default(), below, |met| {
        if let Met::Own(span, from, to) = met {
            parts.push((span as usize, from, to));
        }
    });
    parts.reverse();
    parts
}
