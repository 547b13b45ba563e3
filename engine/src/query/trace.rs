//! One trace: found by its id or by evidence, and how its spans hang together.
//!
//! A trace is here while it is open, and after that as long as there is room, if one of its events was kept as evidence.

use super::error::{Error, Written};
use super::exhibits;
use super::request::What;
use super::table::{Column, Table, Value};
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
    /// By span, how many nanoseconds later it would be by its parent's clock.
    pub shifts: Vec<i64>,
    /// By span, those below it.
    pub children: Vec<Vec<usize>>,
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
        let (mut parents, shifts) = Joins::parents(&spans, &state.table);
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
        Self { id, spans, parents, shifts, children }
    }

    /// Spans below no other.
    #[must_use]
    pub fn roots(&self) -> Vec<usize> {
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
    #[must_use]
    pub fn own(&self, i: usize) -> u64 {
        let span = &self.spans[i];
        let children = self.children[i].iter().filter(|&&child| !self.spans[child].mark);
        let times = |&child: &usize| {
            let (child, shift) = (&self.spans[child], self.shifts[child]);
            [child.start, child.end].map(|time| time.saturating_add(shift))
        };
        let mut children: Vec<[i64; 2]> = children.map(times).collect();
        children.sort_unstable();
        let (mut covered, mut until) = (0, span.start);
        for [start, end] in children {
            let (from, to) = (start.max(until), end.min(span.end));
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

    /// An answer about it, of these rows, told apart by the first `keys` columns.
    #[must_use]
    pub fn table(&self, what: What, columns: Vec<Column>, keys: usize, rows: Vec<Vec<Value>>) -> Table {
        Table { title: Some(self.title()), ..Table::of(what, self.windows(), columns, keys, rows) }
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

/// What a series is called: the template of a message, or its operation.
#[must_use]
pub fn named(state: &State, groups: &Groups<'_>, series: SeriesId) -> Value {
    let key = state.table.key(series);
    if key.kind == Kind::Log {
        Value::Message(groups.template(key).operation.into())
    } else {
        Value::name(key.operation)
    }
}
