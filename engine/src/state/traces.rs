//! Open traces: spans wait here for their parents and children, and what the joins say is kept in the series.
//!
//! What a trace says (own time, edges, where errors begin) is a function of the spans of it that are here. It is entered
//! into the series when it is asked for ([`Traces::settle`]) and, when a further span of the trace arrives, taken back
//! and entered anew: an account is current at once and right in the end, in whatever order spans come. A trace is closed
//! when event time has moved on by the hold since its last span, or, oldest first, to stay within the limit.

use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::hash_table::Entry;
use hashbrown::{HashMap, HashTable};
use serde::{Deserialize, Serialize};

use super::hist::bucket;
use super::names::Name;
use super::series::{Key, SeriesId, Table};
use super::timeline::{Clock, Delta, Seconds};
use crate::event::{Kind, SpanId, TraceId};

/// Seconds of event time in which traces grow old together: they are closed as one, so that order plays no part.
const GENERATION: Seconds = 10;

const NANOS: i64 = 1_000_000_000;

/// Spans of one trace that are joined with each other; a trace with more is cut into several.
///
/// A trace is entered anew whenever it grows, so its size bounds what a second of a hostile one can cost.
const TRACE_LIMIT: u32 = 10_000;

/// No further span.
const END: u32 = u32::MAX;

/// The caller of a span whose parent has not been seen.
pub const UNSEEN: &str = "?";

/// In the place of a parent's series: there is no parent.
const NONE: SeriesId = SeriesId::MAX;

/// In the place of a parent's series: there is one, but it has not been seen.
const NOT_SEEN: SeriesId = SeriesId::MAX - 1;

/// A span as far as joins need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenSpan {
    /// Nanoseconds since the epoch.
    pub start: i64,
    /// Nanoseconds since the epoch.
    pub end: i64,
    /// Its id; 0 if it has none.
    pub id: SpanId,
    /// The id of its parent; 0 at the root.
    pub parent: SpanId,
    /// The series it was counted in.
    pub series: SeriesId,
    /// Its service.
    pub service: Name,
    /// Whether it failed.
    pub failed: bool,
    /// A log record: it takes no time and is a step of the span it was written in, its `parent`.
    pub mark: bool,
}

impl OpenSpan {
    /// Nanoseconds from its start to its end.
    fn took(&self) -> u64 {
        self.end.saturating_sub(self.start).unsigned_abs()
    }

    /// What stands for the series of its parent, which is not here.
    fn caller(&self) -> SeriesId {
        if self.parent == 0 { NONE } else { NOT_SEEN }
    }
}

#[derive(Clone, Copy, Debug)]
struct Trace {
    head: u32,
    count: u32,
    /// Of the spans, how many (the oldest in the list) are entered in the series.
    entered: u32,
    generation: Seconds,
    queued: bool,
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
    scratch: Scratch,
    /// Spans kept open at most.
    pub limit: usize,
    /// Seconds of event time a trace is kept open after its last span.
    pub hold: Seconds,
}

/// Buffers that are kept between traces.
#[derive(Debug, Default)]
struct Scratch {
    spans: Vec<OpenSpan>,
    by_id: HashTable<u32>,
    parents: Vec<u32>,
    children: Vec<u32>,
    /// The edge or step of each pair of parent (`NONE`, `NOT_SEEN`) and child, by their series.
    links: HashMap<(SeriesId, SeriesId), SeriesId, RandomState>,
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
            scratch: Scratch::default(),
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

    /// Put a span to its trace.
    pub fn add(&mut self, id: TraceId, span: OpenSpan) {
        let generation = span.end.div_euclid(NANOS * GENERATION);
        let new = self.traces.len();
        let trace =
            self.traces.entry(id).or_insert(Trace { head: END, count: 0, entered: 0, generation, queued: false });
        let next = trace.head;
        let at = if self.free == END {
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

    /// Enter a span that belongs to no trace: it has no parent and no children.
    pub fn alone(&mut self, span: OpenSpan, table: &mut Table, clock: &Clock) {
        self.scratch.spans.clear();
        self.scratch.spans.push(span);
        self.scratch.enter(1, 1, table, clock);
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
        self.scratch.spans.clear();
        let mut at = head;
        while at != END {
            let (span, next) = self.spans[at as usize];
            self.scratch.spans.push(span);
            at = next;
        }
        // The list runs from the newest to the oldest.
        self.scratch.spans.reverse();
        if entered > 0 {
            self.scratch.enter(entered as usize, -1, table, clock);
        }
        self.scratch.enter(count as usize, 1, table, clock);
    }

    /// All open traces in a fixed order, for a snapshot. Settle first.
    #[must_use]
    pub fn export(&self) -> Vec<(TraceId, Vec<OpenSpan>)> {
        let mut all: Vec<_> = self.traces.iter().map(|(&id, trace)| (id, self.spans_of(trace))).collect();
        all.sort_unstable();
        all
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
                    self.scratch.spans.clone_from(part);
                    self.scratch.enter(part.len(), -1, table, clock);
                }
            }
            spans.into_iter().for_each(|span| self.add(id, span));
            if let Some(trace) = self.traces.get_mut(&id) {
                trace.entered = if shared { 0 } else { trace.count };
            }
        }
    }
}

impl Scratch {
    /// Enter into the series what the first `count` spans say together (`sign` 1), or take it back (`sign` -1).
    fn enter(&mut self, count: usize, sign: i32, table: &mut Table, clock: &Clock) {
        if count == 1 && self.spans[0].mark {
            return;
        }
        if count == 1 {
            // Most traces of a host that sees one service of many: no need for an index.
            let span = self.spans[0];
            add(table, clock, &span, span.took(), span.failed, sign);
            return self.link(span.caller(), &span, None, sign, table, clock);
        }
        self.join(count);
        for i in 0..count {
            let span = self.spans[i];
            if span.mark {
                if self.parents[i] != END {
                    let parent = self.spans[self.parents[i] as usize].series;
                    self.link(parent, &span, None, sign, table, clock);
                }
                continue;
            }
            let children: &[u32] = self.children_of(i);
            let waited = covered(&self.spans, children, &span);
            let own = span.took().saturating_sub(waited);
            let origin = span.failed && !children.iter().any(|&child| self.spans[child as usize].failed);
            // The own time of a span that wraps one call to another service is the way there and back: the edge's.
            let wraps = matches!(*children, [child] if self.spans[child as usize].service != span.service);
            if wraps {
                let record = table.record_mut(span.series);
                record.timeline.add(
                    second(span.end),
                    clock,
                    &Delta { origins: i32::from(origin) * sign, ..Delta::default() },
                );
            } else {
                add(table, clock, &span, own, origin, sign);
            }
            let parent = self.parents[i];
            if parent == END {
                self.link(span.caller(), &span, None, sign, table, clock);
            } else {
                let caller = self.spans[parent as usize];
                let alone = caller.service != span.service && self.children_of(parent as usize).len() == 1;
                let gap = alone.then(|| caller.took().saturating_sub(span.took()));
                self.link(caller.series, &span, gap, sign, table, clock);
            }
        }
    }

    /// Find the parent of each of the first `count` spans, and line up the children by parent.
    fn join(&mut self, count: usize) {
        let Self { spans, by_id, parents, children, .. } = self;
        by_id.clear();
        let hash = |id: SpanId| id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for (i, span) in spans[..count].iter().enumerate().filter(|(_, span)| span.id != 0) {
            // Of spans that share an id (the two sides of a call in Zipkin's old form), the least stands for it.
            match by_id.entry(hash(span.id), |&p| spans[p as usize].id == span.id, |&p| hash(spans[p as usize].id)) {
                Entry::Occupied(mut entry) if *span < spans[*entry.get() as usize] => *entry.get_mut() = index(i),
                Entry::Occupied(_) => {}
                Entry::Vacant(entry) => {
                    entry.insert(index(i));
                }
            }
        }
        parents.clear();
        for (i, span) in spans[..count].iter().enumerate() {
            let found = by_id.find(hash(span.parent), |&p| spans[p as usize].id == span.parent && p as usize != i);
            parents.push(found.copied().unwrap_or(END));
        }
        children.clear();
        children.extend((0..index(count)).filter(|&i| parents[i as usize] != END && !spans[i as usize].mark));
        children.sort_unstable_by_key(|&i| (parents[i as usize], spans[i as usize].start));
    }

    fn children_of(&self, parent: usize) -> &[u32] {
        let parent = index(parent);
        let from = self.children.partition_point(|&i| self.parents[i as usize] < parent);
        let to = self.children.partition_point(|&i| self.parents[i as usize] <= parent);
        &self.children[from..to]
    }

    /// Enter a span as a call of its parent's: an edge to another service, or a step within its own.
    fn link(
        &mut self,
        parent: SeriesId,
        span: &OpenSpan,
        gap: Option<u64>,
        sign: i32,
        table: &mut Table,
        clock: &Clock,
    ) {
        let id = if let Some(&id) = self.links.get(&(parent, span.series)) {
            id
        } else {
            let id = link(parent, span.series, table);
            self.links.insert((parent, span.series), id);
            id
        };
        let failed = i32::from(span.failed) * sign;
        let delta = Delta {
            count: sign,
            errors: failed,
            origins: 0,
            duration: (!span.mark).then(|| (bucket(span.took()), sign)),
            own: gap.map(|gap| (bucket(gap), sign)),
        };
        let record = table.record_mut(id);
        record.count = record.count.saturating_add_signed(sign.into());
        record.errors = record.errors.saturating_add_signed(failed.into());
        record.timeline.add(second(span.end), clock, &delta);
    }
}

/// The series of the calls from a parent's series to a child's.
fn link(parent: SeriesId, child: SeriesId, table: &mut Table) -> SeriesId {
    let callee = table.key(child);
    let (service, operation, is_mark) =
        (callee.service.to_owned(), callee.operation.to_owned(), callee.kind == Kind::Log);
    let outside = match parent {
        NONE => Some(""),
        NOT_SEEN => Some(UNSEEN),
        _ => None,
    };
    if let Some(caller) = outside {
        return table.find(&Key { service: caller, operation: &service, within: "", kind: Kind::Edge });
    }
    let caller = table.key(parent);
    let (from, within) = (caller.service.to_owned(), caller.operation.to_owned());
    if from == service {
        table.find(&Key { service: &from, operation: &operation, within: &within, kind: Kind::Step })
    } else if is_mark {
        // Written by another service than the span's: what it is a step of cannot be said.
        table.find(&Key { service: &service, operation: &operation, within: "", kind: Kind::Step })
    } else {
        table.find(&Key { service: &from, operation: &service, within: &within, kind: Kind::Edge })
    }
}

fn add(table: &mut Table, clock: &Clock, span: &OpenSpan, own: u64, origin: bool, sign: i32) {
    let delta = Delta { origins: i32::from(origin) * sign, own: Some((bucket(own), sign)), ..Delta::default() };
    table.record_mut(span.series).timeline.add(second(span.end), clock, &delta);
}

/// Nanoseconds of a span that its children, sorted by start, cover together.
fn covered(spans: &[OpenSpan], children: &[u32], span: &OpenSpan) -> u64 {
    let (mut total, mut until) = (0, span.start);
    for &child in children {
        let child = &spans[child as usize];
        let (from, to) = (child.start.max(until), child.end.min(span.end));
        if to > from {
            total += to.abs_diff(from);
            until = to;
        }
    }
    total
}

fn second(ns: i64) -> Seconds {
    ns.div_euclid(NANOS)
}

fn index(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(END)
}

/// A span of an open trace as a snapshot holds it: its series by the snapshot's own numbering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
