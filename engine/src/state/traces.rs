//! Open traces: spans wait here for their parents and children, and what the joins say is kept in the series.
//!
//! What a trace says (own time, edges, where errors begin) is a function of the spans of it that are here. It is entered
//! into the series when it is asked for ([`Traces::settle`]) and, when a further span of the trace arrives, taken back
//! and entered anew: an account is current at once and right in the end, in whatever order spans come. A trace is closed
//! when event time has moved on by the hold since its last span, or, oldest first, to stay within the limit.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::hint::black_box;

use foldhash::fast::RandomState;

use super::closed::Closed;
use super::joins::{Joins, OpenSpan};
use super::names::Name;
use super::places::{Place, Places};
use super::series::Table;
use super::timeline::{Clock, Seconds};
use crate::event::TraceId;

/// Seconds of event time in which traces grow old together: they are closed as one, so that order plays no part.
const GENERATION: Seconds = 10;

/// How many times [`GENERATION`] since the epoch.
type Generation = i32;

const NANOS: i64 = 1_000_000_000;

/// Spans of one trace that are joined with each other; a trace with more is cut into several.
///
/// A trace is entered anew whenever it grows, so its size bounds what a second of a hostile one can cost.
const TRACE_LIMIT: u32 = 10_000;

/// Traces that may wait to be settled although they are closed, beside as many as are open.
const SPARE: usize = 1_024;

/// Traces that are closed one after the other once their places have been looked at.
const NEAR: usize = 32;

/// No further span, no trace.
const END: u32 = u32::MAX;

/// The most credit there is for entering traces with their first span, and what is lost where that was in vain: entering
/// costs a fourth of what it costs to take back and enter anew.
const CREDIT: u32 = 4_096;
const REGRET: u32 = 4;

#[derive(Clone, Copy, Debug)]
pub(super) struct Trace {
    pub id: TraceId,
    /// Of a place that is free, the next that is.
    pub head: u32,
    /// Of a place that is free, 0.
    pub count: u32,
    /// Of the spans, how many (the oldest in the list) are entered in the series.
    pub entered: u32,
    pub generation: Generation,
    /// The one it is put to.
    listed: Generation,
    pub queued: bool,
    /// One of its events was kept as evidence.
    noted: bool,
}

/// Where a trace was found, or would be.
#[derive(Clone, Copy, Debug)]
pub struct Sought {
    part: u32,
    place: Option<Place>,
    /// A span of it is the first, and entered at once: its own time is to be counted with it.
    pub at_once: bool,
}

/// All open traces.
///
/// They lie in the order in which they came, and so do their spans; what refers to a trace names its place. So a generation
/// is closed in the order of memory, and only the index, which is small, is searched at random.
#[derive(Debug)]
pub struct Traces {
    index: Places,
    hasher: RandomState,
    pub(super) traces: Vec<Trace>,
    /// The place that was left last: places are used again.
    left: Place,
    pub(super) spans: Vec<(OpenSpan, u32)>,
    free: u32,
    open: usize,
    /// Traces by the generation they had when they were put here; those that have grown since are put on again. Of one that
    /// was cut the place stays here.
    by_generation: BTreeMap<Generation, Vec<Place>>,
    /// Traces with spans that are not entered yet.
    pub(super) changed: Vec<Place>,
    closed_before: Generation,
    /// While there is any, a trace is entered with its first span, while the series of that is at hand. It is lost where a
    /// further span comes and all has to be taken back, and gained by traces that close with one span.
    credit: u32,
    pub(super) joins: Joins,
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
            index: Places::default(),
            hasher: RandomState::default(),
            traces: Vec::new(),
            left: END,
            spans: Vec::new(),
            free: END,
            open: 0,
            by_generation: BTreeMap::new(),
            changed: Vec::new(),
            closed_before: Generation::MIN,
            credit: CREDIT,
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

    /// Look for a trace.
    #[must_use]
    pub fn look(&self, id: &TraceId) -> Sought {
        let part = self.part(id);
        let place = self.find(part, id);
        Sought { part, place, at_once: place.is_none() && self.credit > 0 }
    }

    /// Put a span to its trace, which was looked for just now; `noted` if it was kept as evidence. A trace that is full is
    /// closed before. Of a span that is entered at once, the own time is counted already, unless it is a mark. Returns the
    /// spans of the trace that was closed.
    pub fn add(
        &mut self,
        id: TraceId,
        sought: Sought,
        span: OpenSpan,
        noted: bool,
        table: &mut Table,
        clock: &Clock,
    ) -> u64 {
        let generation = generation(&span);
        let Sought { part, mut place, at_once } = sought;
        let mut cut = 0;
        if let Some(full) = place
            && self.traces[full as usize].count >= TRACE_LIMIT
        {
            cut = self.cut(full, table, clock);
            place = None;
        }
        let new = place.is_none();
        let place = place.unwrap_or_else(|| self.begin(part, id, generation));
        self.put(place, span);
        let trace = &mut self.traces[place as usize];
        trace.noted |= noted;
        trace.generation = trace.generation.max(generation);
        if at_once {
            trace.entered = 1;
            if !span.mark {
                self.joins.enter_call(&span, 1, table, clock);
            }
        } else if new && self.credit > 0 {
            trace.entered = 1;
            self.joins.enter_alone(&span, 1, table, clock);
        } else if !trace.queued {
            let regretted = trace.count == 2 && trace.entered == 1;
            self.credit -= if regretted { REGRET.min(self.credit) } else { 0 };
            trace.queued = true;
            self.changed.push(place);
        }
        cut
    }

    /// Put a span at the head of the list of its trace.
    pub(super) fn put(&mut self, place: Place, span: OpenSpan) {
        let trace = &mut self.traces[place as usize];
        let at = if self.free == END {
            grow(&mut self.spans);
            self.spans.push((span, trace.head));
            index(self.spans.len() - 1)
        } else {
            let at = self.free;
            self.free = self.spans[at as usize].1;
            self.spans[at as usize] = (span, trace.head);
            at
        };
        trace.head = at;
        trace.count += 1;
        self.open += 1;
    }

    /// A part of the hash of an id.
    #[inline]
    pub(super) fn part(&self, id: &TraceId) -> u32 {
        // As one number it is mixed in one step.
        (self.hasher.hash_one(u128::from_ne_bytes(*id)) >> 32) as u32
    }

    /// Look at where in the index a trace is or would be.
    #[inline]
    #[must_use]
    pub fn approach(&self, id: &TraceId) -> Option<u32> {
        self.index.approach(self.part(id))
    }

    #[inline]
    pub(super) fn find(&self, part: u32, id: &TraceId) -> Option<Place> {
        self.index.find(part, |place| self.traces[place as usize].id == *id)
    }

    /// A place for a new trace.
    pub(super) fn begin(&mut self, part: u32, id: TraceId, generation: Generation) -> Place {
        let (listed, queued, noted) = (generation, false, false);
        let trace = Trace { id, head: END, count: 0, entered: 0, generation, listed, queued, noted };
        let place = if self.left == END {
            grow(&mut self.traces);
            self.traces.push(trace);
            index(self.traces.len() - 1)
        } else {
            let place = self.left;
            self.left = self.traces[place as usize].head;
            self.traces[place as usize] = trace;
            place
        };
        self.index.insert(part, place);
        self.by_generation.entry(generation).or_default().push(place);
        place
    }

    /// Close one trace early. Returns its spans.
    fn cut(&mut self, place: Place, table: &mut Table, clock: &Clock) -> u64 {
        self.enter(place, table, clock);
        self.forget(place)
    }

    /// The traces that are open, and their places.
    pub(super) fn all(&self) -> impl Iterator<Item = (Place, &Trace)> {
        (0..).zip(&self.traces).filter(|(_, trace)| trace.count > 0)
    }

    /// The spans of a trace, the newest first.
    pub(super) fn list(&self, trace: &Trace) -> impl Iterator<Item = &OpenSpan> {
        let at = |at: u32| self.spans.get(at as usize);
        std::iter::successors(at(trace.head), move |&&(_, next)| at(next)).map(|(span, _)| span)
    }

    /// Close the traces that have spans in series that go. Returns their spans.
    pub fn close_of(&mut self, gone: &[bool], table: &mut Table, clock: &Clock) -> u64 {
        let is_of = |trace: &Trace| self.list(trace).any(|span| gone[span.series as usize]);
        let mut all: Vec<(TraceId, Place)> =
            self.all().filter(|(_, trace)| is_of(trace)).map(|(place, trace)| (trace.id, place)).collect();
        // In an order that no place decides.
        all.sort_unstable();
        let closed = all.into_iter().map(|(_, place)| self.cut(place, table, clock)).sum();
        self.closed.forget_of(gone);
        closed
    }

    /// Which of `size` series open spans, what is kept of closed ones, or the links between them are of.
    pub fn used(&mut self, size: usize) -> Vec<bool> {
        let mut used = vec![false; size];
        for (_, trace) in self.all() {
            self.list(trace).for_each(|span| used[span.series as usize] = true);
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

    /// Enter a span that belongs to no trace: it has no parent and no children. Its own time is counted already.
    pub fn alone(&mut self, span: &OpenSpan, table: &mut Table, clock: &Clock) {
        if !span.mark {
            self.joins.enter_call(span, 1, table, clock);
        }
    }

    /// Go on as one that has seen events up to `second`: nothing is closed before time moves on, as it would not have been.
    pub fn resume(&mut self, second: Seconds) {
        self.closed_before = self.closed_before.max(generation_of(second - self.hold));
    }

    /// Close what the hold has passed, and the oldest beyond the limit. Returns the spans that had to go early.
    pub fn close(&mut self, table: &mut Table, clock: &Clock, second: Seconds) -> u64 {
        let before = generation_of(second - self.hold);
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
        if self.changed.len() > self.index.len() / 4 * 5 + SPARE {
            // Closed since they were put here, many of them.
            let traces = &mut self.traces;
            self.changed.retain(|&place| std::mem::take(&mut traces[place as usize].queued));
            self.changed.iter().for_each(|&place| traces[place as usize].queued = true);
            self.changed.shrink_to(self.index.len() / 4 * 5 + SPARE);
        }
        evicted
    }

    fn close_generation(&mut self, generation: Generation, table: &mut Table, clock: &Clock) -> u64 {
        let mut spans = 0;
        let places = self.by_generation.remove(&generation).unwrap_or_default();
        for (number, &place) in places.iter().enumerate() {
            if number % NEAR == 0 {
                // Where they lie in the index, for all of these at once.
                for &place in places[number..].iter().take(NEAR) {
                    black_box(self.approach(&self.traces[place as usize].id));
                }
            }
            let trace = &mut self.traces[place as usize];
            if trace.count == 0 || trace.listed != generation {
                continue;
            }
            if trace.generation > generation {
                trace.listed = trace.generation;
                self.by_generation.entry(trace.generation).or_default().push(place);
                continue;
            }
            spans += self.cut(place, table, clock);
        }
        spans
    }

    /// Returns the spans it had.
    fn forget(&mut self, place: Place) -> u64 {
        let trace = self.traces[place as usize];
        self.index.remove(self.part(&trace.id), place);
        if trace.noted {
            self.closed.keep(trace.id, trace.generation.into(), self.spans_of(&trace), self.limit);
        }
        let mut at = trace.head;
        while at != END {
            let next = self.spans[at as usize].1;
            self.spans[at as usize].1 = self.free;
            self.free = at;
            at = next;
        }
        let spans = trace.count;
        self.credit = (self.credit + u32::from(spans == 1)).min(CREDIT);
        self.open -= spans as usize;
        self.traces[place as usize] = Trace { head: self.left, count: 0, entered: 0, queued: false, ..trace };
        self.left = place;
        spans.into()
    }

    /// Enter into the series what has come since the last time.
    pub fn settle(&mut self, table: &mut Table, clock: &Clock) {
        for place in std::mem::take(&mut self.changed) {
            self.enter(place, table, clock);
        }
    }

    pub(super) fn enter(&mut self, place: Place, table: &mut Table, clock: &Clock) {
        let trace = &mut self.traces[place as usize];
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

    /// The spans of a trace that are here, in order; of a closed one those are kept that evidence was kept of.
    #[must_use]
    pub fn spans_in(&self, id: &TraceId) -> Vec<OpenSpan> {
        let place = self.find(self.part(id), id);
        let mut spans = place.map(|place| self.spans_of(&self.traces[place as usize])).unwrap_or_default();
        spans.extend_from_slice(self.closed.get(id));
        spans.sort_unstable();
        spans
    }

    /// The ids of the traces that are here, open or closed, in no order.
    pub fn ids(&self) -> impl Iterator<Item = &TraceId> {
        let closed = self.closed.ids().filter(|id| self.find(self.part(id), id).is_none());
        self.all().map(|(_, trace)| &trace.id).chain(closed)
    }

    /// Spans of closed traces that are here.
    #[must_use]
    pub const fn closed(&self) -> usize {
        self.closed.spans()
    }

    pub(super) fn spans_of(&self, trace: &Trace) -> Vec<OpenSpan> {
        let mut spans = Vec::with_capacity(trace.count as usize);
        spans.extend(self.list(trace));
        spans.sort_unstable();
        spans
    }
}

pub(super) fn generation(span: &OpenSpan) -> Generation {
    generation_of(span.end.div_euclid(NANOS))
}

#[inline]
fn generation_of(second: Seconds) -> Generation {
    let number = second.div_euclid(GENERATION);
    Generation::try_from(number).unwrap_or(if number < 0 { Generation::MIN } else { Generation::MAX })
}

fn grow<T>(places: &mut Vec<T>) {
    if places.len() == places.capacity() {
        // A quarter more: twice as much would be half unused when there may be no more.
        places.reserve_exact(places.len() / 4 + 64);
    }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(END)
}
