//! Open traces: spans wait here for their parents and children, and what the joins say is kept in the series.
//!
//! What a trace says (own time, edges, where errors begin) is a function of the spans of it that are here. It is entered
//! into the series when it is asked for ([`Traces::settle`]) and, when a further span of the trace arrives, taken back
//! and entered anew: an account is current at once and right in the end, in whatever order spans come. A trace is closed
//! when event time has moved on by the hold since its last span, or, oldest first, to stay within the limit.

use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::closed::Closed;
use super::joins::{Joins, OpenSpan};
use super::names::Name;
use super::series::Table;
use super::timeline::{Clock, Seconds};
use crate::event::{SpanId, TraceId};

/// Seconds of event time in which traces grow old together: they are closed as one, so that order plays no part.
const GENERATION: Seconds = 10;

const NANOS: i64 = 1_000_000_000;

/// Spans of one trace that are joined with each other; a trace with more is cut into several.
///
/// A trace is entered anew whenever it grows, so its size bounds what a second of a hostile one can cost.
const TRACE_LIMIT: u32 = 10_000;

/// Traces that may wait to be settled although they are closed, beside as many as are open.
const SPARE: usize = 1_024;

/// No further span.
const END: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Trace {
    head: u32,
    count: u32,
    /// Of the spans, how many (the oldest in the list) are entered in the series.
    entered: u32,
    generation: Seconds,
    queued: bool,
    /// One of its events was kept as evidence.
    noted: bool,
}

/// All open traces.
#[derive(Debug)]
pub struct Traces {
    traces: HashMap<TraceId, Trace, RandomState>,
    spans: Vec<(OpenSpan, u32)>,
    free: u32,
    open: usize,
    /// Traces by the generation they had when they were put here; those that have grown since are put on again.
    by_generation: BTreeMap<Seconds, Vec<TraceId>>,
    /// Traces with spans that are not entered yet.
    changed: Vec<TraceId>,
    closed_before: Seconds,
    joins: Joins,
    closed: Closed,
    /// Spans kept open at most.
    pub limit: usize,
    /// Seconds of event time a trace is kept open after its last span.
    pub hold: Seconds,
}

impl Traces {
    /// A table for at most `limit` open spans, each trace held for `hold` seconds.
    #[must_use]
    pub fn new(limit: usize, hold: Seconds) -> Self {
        Self {
            traces: HashMap::default(),
            spans: Vec::new(),
            free: END,
            open: 0,
            by_generation: BTreeMap::new(),
            changed: Vec::new(),
            closed_before: Seconds::MIN,
            joins: Joins::default(),
            closed: Closed::default(),
            limit,
            hold,
        }
    }

    /// Spans that are open.
    #[must_use]
    pub const fn open(&self) -> usize {
        self.open
    }

    /// Whether a trace takes no further span: close it with [`Traces::cut`] first.
    #[must_use]
    pub fn is_full(&self, id: &TraceId) -> bool {
        self.traces.get(id).is_some_and(|trace| trace.count >= TRACE_LIMIT)
    }

    /// Close one trace early. Returns its spans.
    pub fn cut(&mut self, id: TraceId, table: &mut Table, clock: &Clock) -> u64 {
        let spans = self.traces.get(&id).map_or(0, |trace| u64::from(trace.count));
        self.enter(id, table, clock);
        self.forget(id);
        spans
    }

    /// Put a span to its trace; `noted` if it was kept as evidence.
    pub fn add(&mut self, id: TraceId, span: OpenSpan, noted: bool) {
        let generation = span.end.div_euclid(NANOS * GENERATION);
        let new = self.traces.len();
        let trace = self.traces.entry(id).or_insert(Trace {
            head: END,
            count: 0,
            entered: 0,
            generation,
            queued: false,
            noted,
        });
        trace.noted |= noted;
        let next = trace.head;
        let at = if self.free == END {
            if self.spans.len() == self.spans.capacity() {
                // A quarter more: twice as much would be half unused when there may be no more.
                self.spans.reserve_exact(self.spans.len() / 4 + 64);
            }
            self.spans.push((span, next));
            u32::try_from(self.spans.len() - 1).unwrap_or(END)
        } else {
            let at = self.free;
            self.free = self.spans[at as usize].1;
            self.spans[at as usize] = (span, next);
            at
        };
        trace.head = at;
        trace.count += 1;
        trace.generation = trace.generation.max(generation);
        if !trace.queued {
            trace.queued = true;
            self.changed.push(id);
        }
        self.open += 1;
        if self.traces.len() > new {
            self.by_generation.entry(generation).or_default().push(id);
        }
    }

    /// Close the traces that have spans in series that go. Returns their spans.
    pub fn close_of(&mut self, gone: &[bool], table: &mut Table, clock: &Clock) -> u64 {
        let is_of = |trace: &Trace| {
            let mut at = trace.head;
            while at != END {
                let (span, next) = self.spans[at as usize];
                if gone[span.series as usize] {
                    return true;
                }
                at = next;
            }
            false
        };
        let mut ids: Vec<TraceId> = self.traces.iter().filter(|(_, trace)| is_of(trace)).map(|(&id, _)| id).collect();
        // In an order that no hash decides.
        ids.sort_unstable();
        let closed = ids.into_iter().map(|id| self.cut(id, table, clock)).sum();
        self.closed.forget_of(gone);
        closed
    }

    /// Which of `size` series open spans, what is kept of closed ones, or the links between them are of.
    pub fn used(&mut self, size: usize) -> Vec<bool> {
        let mut used = vec![false; size];
        for trace in self.traces.values() {
            let mut at = trace.head;
            while at != END {
                let (span, next) = self.spans[at as usize];
                used[span.series as usize] = true;
                at = next;
            }
        }
        self.joins.used_links(&mut used);
        for span in self.closed.all() {
            used[span.series as usize] = true;
        }
        used
    }

    /// Call the services of all spans by what their names are now.
    pub fn rename(&mut self, now: &[Name]) {
        let closed = self.closed.all_mut();
        for span in self.spans.iter_mut().map(|(span, _)| span).chain(closed) {
            span.service = now.get(span.service as usize).copied().unwrap_or_default();
        }
    }

    /// Pairs of parent and child that are remembered.
    #[must_use]
    pub fn links(&self) -> usize {
        self.joins.links()
    }

    /// Enter a span that belongs to no trace: it has no parent and no children.
    pub fn alone(&mut self, span: OpenSpan, table: &mut Table, clock: &Clock) {
        self.joins.spans.clear();
        self.joins.spans.push(span);
        self.joins.enter(1, 1, table, clock);
    }

    /// Go on as one that has seen events up to `second`: nothing is closed before time moves on, as it would not have been.
    pub fn resume(&mut self, second: Seconds) {
        self.closed_before = self.closed_before.max((second - self.hold).div_euclid(GENERATION));
    }

    /// Close what the hold has passed, and the oldest beyond the limit. Returns the spans that had to go early.
    pub fn close(&mut self, table: &mut Table, clock: &Clock, second: Seconds) -> u64 {
        let before = (second - self.hold).div_euclid(GENERATION);
        if before > self.closed_before {
            self.closed_before = before;
            while let Some((&generation, _)) = self.by_generation.first_key_value()
                && generation < before
            {
                self.close_generation(generation, table, clock);
            }
        }
        let mut evicted = 0;
        while self.open > self.limit
            && let Some((&generation, _)) = self.by_generation.first_key_value()
        {
            evicted += self.close_generation(generation, table, clock);
        }
        if self.changed.len() > self.traces.len() / 4 * 5 + SPARE {
            // Closed since they were put here, many of them.
            self.changed.retain(|id| self.traces.get(id).is_some_and(|trace| trace.queued));
            self.changed.shrink_to(self.traces.len() / 4 * 5 + SPARE);
        }
        evicted
    }

    fn close_generation(&mut self, generation: Seconds, table: &mut Table, clock: &Clock) -> u64 {
        let mut spans = 0;
        for id in self.by_generation.remove(&generation).unwrap_or_default() {
            let Some(trace) = self.traces.get(&id).copied() else { continue };
            if trace.generation > generation {
                self.by_generation.entry(trace.generation).or_default().push(id);
                continue;
            }
            self.enter(id, table, clock);
            spans += u64::from(trace.count);
            self.forget(id);
        }
        spans
    }

    fn forget(&mut self, id: TraceId) {
        let Some(trace) = self.traces.remove(&id) else { return };
        if trace.noted {
            self.closed.keep(id, trace.generation, self.spans_of(&trace), self.limit);
        }
        let mut at = trace.head;
        while at != END {
            let next = self.spans[at as usize].1;
            self.spans[at as usize].1 = self.free;
            self.free = at;
            at = next;
        }
        self.open -= trace.count as usize;
    }

    /// Enter into the series what has come since the last time.
    pub fn settle(&mut self, table: &mut Table, clock: &Clock) {
        for id in std::mem::take(&mut self.changed) {
            self.enter(id, table, clock);
        }
    }

    fn enter(&mut self, id: TraceId, table: &mut Table, clock: &Clock) {
        let Some(trace) = self.traces.get_mut(&id) else { return };
        trace.queued = false;
        let (head, count, entered) = (trace.head, trace.count, trace.entered);
        if entered == count {
            return;
        }
        trace.entered = count;
        self.joins.spans.clear();
        let mut at = head;
        while at != END {
            let (span, next) = self.spans[at as usize];
            self.joins.spans.push(span);
            at = next;
        }
        // The list runs from the newest to the oldest.
        self.joins.spans.reverse();
        if entered > 0 {
            self.joins.enter(entered as usize, -1, table, clock);
        }
        self.joins.enter(count as usize, 1, table, clock);
    }

    /// A copy of all open traces, for a snapshot. Settle first.
    #[must_use]
    pub fn export(&self) -> OpenTraces {
        let heads = self.traces.iter().map(|(&id, trace)| (id, trace.head)).collect();
        OpenTraces { heads, spans: self.spans.clone() }
    }

    /// The spans of a trace that are here, in order; of a closed one those are kept that evidence was kept of.
    #[must_use]
    pub fn spans_in(&self, id: &TraceId) -> Vec<OpenSpan> {
        let mut spans = self.traces.get(id).map(|trace| self.spans_of(trace)).unwrap_or_default();
        spans.extend_from_slice(self.closed.get(id));
        spans.sort_unstable();
        spans
    }

    /// The ids of the traces that are here, open or closed, in no order.
    pub fn ids(&self) -> impl Iterator<Item = &TraceId> {
        self.traces.keys().chain(self.closed.ids().filter(|id| !self.traces.contains_key(*id)))
    }

    /// Spans of closed traces that are here.
    #[must_use]
    pub const fn closed(&self) -> usize {
        self.closed.spans()
    }

    fn spans_of(&self, trace: &Trace) -> Vec<OpenSpan> {
        let (mut spans, mut at) = (Vec::with_capacity(trace.count as usize), trace.head);
        while at != END {
            let (span, next) = self.spans[at as usize];
            spans.push(span);
            at = next;
        }
        spans.sort_unstable();
        spans
    }

    /// Take in the open traces of a snapshot, whose joins its series already hold.
    ///
    /// Where a trace is open on both sides, what either said of it is taken back, and it is settled anew from all its spans.
    pub fn import(&mut self, traces: Vec<(TraceId, Vec<OpenSpan>)>, table: &mut Table, clock: &Clock) {
        for (id, spans) in traces {
            let shared = self.traces.contains_key(&id);
            if shared {
                self.enter(id, table, clock);
                let mine = self.traces.get(&id).map(|trace| self.spans_of(trace)).unwrap_or_default();
                for part in [&mine, &spans] {
                    self.joins.spans.clone_from(part);
                    self.joins.enter(part.len(), -1, table, clock);
                }
            }
            spans.into_iter().for_each(|span| self.add(id, span, false));
            if let Some(trace) = self.traces.get_mut(&id) {
                trace.entered = if shared { 0 } else { trace.count };
            }
        }
    }
}

/// All open traces at one moment: copied as they lie, put in order later.
#[derive(Debug)]
pub struct OpenTraces {
    heads: Vec<(TraceId, u32)>,
    spans: Vec<(OpenSpan, u32)>,
}

impl OpenTraces {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// About how many spans they have together.
    #[must_use]
    pub const fn spans(&self) -> usize {
        self.spans.len()
    }

    /// The traces by their ids, each with its spans in no particular order.
    pub fn in_order(&mut self) -> impl Iterator<Item = (TraceId, impl Iterator<Item = OpenSpan>)> {
        self.heads.sort_unstable();
        self.heads.iter().map(|&(id, head)| {
            let at = |at: u32| self.spans.get(at as usize);
            let list = std::iter::successors(at(head), move |&&(_, next)| at(next));
            (id, list.map(|&(span, _)| span))
        })
    }
}

/// A span of an open trace as a snapshot holds it: its series by the snapshot's own numbering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SpanImage {
    /// Nanoseconds since the epoch.
    pub start: i64,
    /// Nanoseconds since the epoch.
    pub end: i64,
    /// Its id.
    pub id: SpanId,
    /// Its parent's.
    pub parent: SpanId,
    /// The position of its series in the snapshot.
    pub series: u32,
    /// Whether it failed.
    pub failed: bool,
    /// Whether it is a log record.
    pub mark: bool,
}
