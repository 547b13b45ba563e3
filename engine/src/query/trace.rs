//! One trace: its tree, spans that stand in the same place as one row, and the path that its time was spent on.
//!
//! A trace is here while it is open, and after that as long as there is room, if one of its events was kept as evidence.

use hashbrown::HashMap;

use super::error::{Error, Written};
use super::exhibits;
use super::filter::Filter;
use super::order;
use super::request::{Request, What};
use super::table::{Column, SHOWN, Table, Unit, Value};
use super::window::{Window, Windows};
use crate::event::{Kind, TraceId};
use crate::state::State;
use crate::state::joins::{Joins, OpenSpan};
use crate::state::series::SeriesId;
use crate::summary::groups::Groups;
use crate::summary::words;

/// Digits of an id that are shown, and needed at the least to find it.
pub const DIGITS: usize = 8;

const NANOS: i64 = 1_000_000_000;

/// A trace and how its spans hang together.
pub struct Trace {
    /// Its id.
    pub id: TraceId,
    /// Its spans, the earliest first.
    pub spans: Vec<OpenSpan>,
    parents: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
}

impl Trace {
    /// Find it by its id, the beginning of that, or a number of evidence.
    ///
    /// # Errors
    /// [`Error::Word`] if it is neither, or more than one begins so; [`Error::Missing`] if it is not here.
    pub fn find(state: &State, of: Option<&str>) -> Result<Self, Error> {
        let text = of.unwrap_or_default().trim();
        let written = Written { field: "of", text };
        if text.starts_with('#') {
            return Self::of_evidence(state, text);
        }
        let is_hex = !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex {
            let message = "no trace: write its id, or the beginning of it, or #12 for the trace of that evidence";
            return Err(written.wrong(0, text.len(), message));
        }
        let wanted = text.to_ascii_lowercase();
        // Ids of eight bytes stand with zeros in front.
        let fits = |id: &TraceId| {
            let id = hex(id);
            id.starts_with(&wanted) || id.trim_start_matches('0').starts_with(&wanted)
        };
        let whole = |id: &&TraceId| hex(id).trim_start_matches('0') == wanted.trim_start_matches('0');
        let mut found: Vec<&TraceId> = state.traces.ids().filter(|id| fits(id)).collect();
        if let Some(id) = found.iter().copied().find(whole) {
            found = vec![id];
        }
        match found.as_slice() {
            [] => Err(Error::Missing(format!(
                "no trace {text} is here: traces are kept while they are open, and of those closed the ones that evidence was \
                 kept of, as long as there is room; what=traces lists them"
            ))),
            [id] => Ok(Self::of(state, **id)),
            _ => Err(written.wrong(0, text.len(), "more than one trace begins so: write more of the id")),
        }
    }

    fn of_evidence(state: &State, text: &str) -> Result<Self, Error> {
        let number = exhibits::number(text)?;
        let record = state.table.iter().find(|(_, _, record)| record.number == number).map(|(_, _, record)| record);
        let kept = record.into_iter().flat_map(|record| record.kept.iter());
        let ids: Vec<TraceId> = kept.map(|(_, exhibit)| exhibit.trace).filter(|id| *id != [0; 16]).collect();
        let here = ids.iter().map(|&id| Self::of(state, id)).find(|trace| !trace.spans.is_empty());
        here.ok_or_else(|| {
            Error::Missing(if ids.is_empty() {
                format!("the evidence #{number} belongs to no trace, was never given, or has expired")
            } else {
                format!("the traces of the evidence #{number} are not here any more: there was no room for them")
            })
        })
    }

    /// The trace of an id, which may have no spans here.
    #[must_use]
    pub fn of(state: &State, id: TraceId) -> Self {
        let spans = state.traces.spans_in(&id);
        let mut parents = Joins::parents(&spans);
        let mut children = vec![Vec::new(); spans.len()];
        for (i, parent) in parents.iter().enumerate() {
            if let Some(parent) = *parent {
                children[parent].push(i);
            }
        }
        // Spans that are each other's parents hang on none: the earliest is a root.
        let mut reached = vec![false; spans.len()];
        let mut walk: Vec<usize> = (0..spans.len()).filter(|&i| parents[i].is_none()).collect();
        let mut next = 0;
        loop {
            while let Some(i) = walk.pop() {
                if !std::mem::replace(&mut reached[i], true) {
                    walk.extend(&children[i]);
                }
            }
            let Some(i) = (next..spans.len()).find(|&i| !reached[i]) else { break };
            next = i;
            if let Some(parent) = parents[i].take() {
                children[parent].retain(|&child| child != i);
            }
            walk.push(i);
        }
        Self { id, spans, parents, children }
    }

    fn roots(&self) -> Vec<usize> {
        (0..self.spans.len()).filter(|&i| self.parents[i].is_none()).collect()
    }

    /// The span that it began with: the first that has no parent at all, else the first.
    #[must_use]
    pub fn root(&self) -> Option<&OpenSpan> {
        let roots = || self.spans.iter().filter(|span| !span.mark);
        roots().find(|span| span.parent == 0).or_else(|| roots().next()).or(self.spans.first())
    }

    /// Nanoseconds since the epoch of its beginning and of its end.
    #[must_use]
    pub fn extent(&self) -> (i64, i64) {
        let start = self.spans.iter().map(|span| span.start).min().unwrap_or(0);
        (start, self.spans.iter().map(|span| span.end).max().unwrap_or(0))
    }

    /// Spans that failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.spans.iter().filter(|span| span.failed).count()
    }

    /// Services that took part.
    #[must_use]
    pub fn services(&self) -> usize {
        let mut services: Vec<u32> = self.spans.iter().map(|span| span.service).collect();
        services.sort_unstable();
        services.dedup();
        services.len()
    }

    /// Nanoseconds of a span that none of its children covers.
    fn own(&self, i: usize) -> u64 {
        let span = &self.spans[i];
        let mut children: Vec<&OpenSpan> = self.children[i].iter().map(|&child| &self.spans[child]).collect();
        children.retain(|child| !child.mark);
        children.sort_unstable_by_key(|child| child.start);
        let (mut covered, mut until) = (0, span.start);
        for child in children {
            let (from, to) = (child.start.max(until), child.end.min(span.end));
            if to > from {
                covered += to.abs_diff(from);
                until = to;
            }
        }
        span.took().saturating_sub(covered)
    }

    fn title(&self) -> String {
        let (start, end) = self.extent();
        let second = start.div_euclid(NANOS);
        let count = self.spans.iter().filter(|span| !span.mark).count();
        let some = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        format!(
            "trace {} at {}, {}, {} of {}",
            short(&hex(&self.id)),
            words::timestamp(second),
            words::duration((end - start) as f64),
            some(count, "span"),
            some(self.services(), "service")
        )
    }

    fn windows(&self) -> Windows {
        let (start, end) = self.extent();
        let (from, to) = (start.div_euclid(NANOS), end.div_euclid(NANOS) + 1);
        Windows { now: Window { from, to, step: 1 }, before: None }
    }
}

/// An id in hexadecimal digits.
#[must_use]
pub fn hex(id: &TraceId) -> String {
    format!("{:032x}", u128::from_be_bytes(*id))
}

/// The part of an id that is shown: its beginning, without the zeros of one that is short.
#[must_use]
pub fn short(id: &str) -> &str {
    let digits = id.strip_prefix("0000000000000000").map_or(id, |rest| rest.trim_start_matches('0'));
    digits.get(..DIGITS).unwrap_or(digits)
}

/// Answer with the tree of a trace.
///
/// # Errors
/// As [`Trace::find`], or [`Error::Word`] at another word that makes no sense.
pub fn tree(state: &State, groups: &Groups<'_>, request: &Request) -> Result<Table, Error> {
    let filter = Filter::of(&request.filter, request.what)?;
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
    let mut totals = vec![Value::Null; columns.len()];
    totals[4] = Value::Count(count);
    totals[6] = Value::Count(to.abs_diff(from));
    totals[7] = Value::Count(own_sum);
    totals[8] = Value::Count(failed);
    fixed_order(request)?;
    Ok(table(What::Trace, &trace, columns, rows, totals))
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

/// Answer with what a trace waited for, from its beginning to its end.
///
/// The path is walked from the end: of the children of a span that were running, the one that ended last is what it waited
/// for, and what ran before that one began, what that one waited for (the critical path of Jaeger and of `CRISP`, Uber 2022).
///
/// # Errors
/// As [`Trace::find`].
pub fn path(state: &State, groups: &Groups<'_>, request: &Request) -> Result<Table, Error> {
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
    let order = order::order(request.order_by.as_deref(), &columns, 3, &[(5, true)])?;
    order::sort(&mut rows, &order);
    let mut totals = vec![Value::Null; columns.len()];
    totals[5] = Value::Count(total);
    totals[6] = Value::Number(if rows.is_empty() { 0.0 } else { 1.0 });
    Ok(table(What::Path, &trace, columns, rows, totals))
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

fn named(state: &State, groups: &Groups<'_>, series: SeriesId) -> Value {
    let key = state.table.key(series);
    if key.kind == Kind::Log {
        Value::Message(groups.template(key).operation.into())
    } else {
        Value::name(key.operation)
    }
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

fn table(what: What, trace: &Trace, columns: Vec<Column>, rows: Vec<Vec<Value>>, totals: Vec<Value>) -> Table {
    let mut table = Table {
        what: what.name(),
        title: Some(trace.title()),
        windows: trace.windows(),
        keys: if what == What::Trace { 4 } else { 3 },
        columns,
        rows,
        totals,
        notes: Vec::new(),
        error: 0.0,
        shown: SHOWN,
    };
    table.drop_kind();
    table
}
