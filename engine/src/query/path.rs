//! The path that a trace's time was spent on: what it waited for, from its beginning to its end.

use hashbrown::HashMap;

use super::error::{Error, Written};
use super::request::{Request, What};
use super::table::{Column, Table, Unit, Value};
use super::trace::{Trace, named};
use crate::state::State;
use crate::state::series::SeriesId;
use crate::summary::groups::Groups;

/// Answer with what a trace waited for, from its beginning to its end.
///
/// The path is walked from the end: of the children of a span that were running, the one that ended last is what it waited
/// for, and what ran before that one began, what that one waited for (the critical path of Jaeger and of `CRISP`, Uber 2022).
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
    // A span, until when it is followed, and its children that are still to come, those that end last at the end.
    let open = |i: usize, until: i64| {
        let mut children: Vec<usize> =
            trace.children[i].iter().copied().filter(|&child| !trace.spans[child].mark).collect();
        children.sort_unstable_by_key(|&child| (trace.spans[child].end, child));
        (i, until, children)
    };
    let mut walk = vec![open(root, trace.spans[root].end)];
    while let Some((i, until, children)) = walk.last_mut() {
        let (i, start) = (*i, trace.spans[*i].start);
        let Some(child) = children.pop() else {
            if *until > start {
                parts.push((i, start, *until));
            }
            walk.pop();
            continue;
        };
        let span = &trace.spans[child];
        let (from, to) = (span.start.max(start), span.end.min(*until));
        if to <= from {
            continue;
        }
        if *until > to {
            parts.push((i, to, *until));
        }
        *until = from;
        walk.push(open(child, to));
    }
    parts.reverse();
    parts
}
