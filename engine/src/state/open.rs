//! Open traces as a snapshot takes them, copied as they lie, which is quick, and put in order when they are written; and as
//! they are taken in from one.

use super::joins::OpenSpan;
use super::series::Table;
use super::timeline::Clock;
use super::traces::{Traces, generation};
use crate::event::{SpanId, TraceId};

/// Traces that are looked at side by side: few enough for the nearest cache to hold them.
const TOUCHED: usize = 64;

/// All open traces at one moment: copied as they lie, put in order later.
#[derive(Debug)]
pub struct OpenTraces {
    /// Each trace with the place of its first span.
    heads: Vec<(TraceId, u32)>,
    /// Each span with the place of the next, which is none at the end.
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
        let spans = self.spans.as_slice();
        let mut at = Vec::with_capacity(TOUCHED);
        self.heads.chunks(TOUCHED).flat_map(move |heads| {
            // They lie anywhere in memory: looked at side by side first, they are waited for all at once.
            at.extend(heads.iter().map(|&(_, head)| head));
            while !at.is_empty() {
                at.retain_mut(|at| {
                    let next = spans.get(*at as usize).map(|&(_, next)| next);
                    *at = next.unwrap_or(*at);
                    next.is_some()
                });
            }
            heads.iter().map(move |&(id, head)| {
                let at = move |at: u32| spans.get(at as usize);
                let list = std::iter::successors(at(head), move |&&(_, next)| at(next));
                (id, list.map(|&(span, _)| span))
            })
        })
    }
}

/// Pairs of spans that are looked at to tell whether two parts of a trace have to do with each other.
const PAIRS: usize = 256;

impl Traces {
    /// A copy of all open traces, for a snapshot. Settle first.
    #[must_use]
    pub fn export(&self) -> OpenTraces {
        let heads = self.all().map(|(_, trace)| (trace.id, trace.head)).collect();
        OpenTraces { heads, spans: self.spans.clone() }
    }

    /// Take in the open traces of a snapshot, whose joins its series already hold.
    ///
    /// Where a trace is open on both sides, what both parts say together is what each says alone, unless a span of one is
    /// the parent of a span of the other: then what either said is taken back, and it is settled anew from all its spans.
    pub fn import<T>(&mut self, traces: impl Iterator<Item = (TraceId, T)>, table: &mut Table, clock: &Clock)
    where
        T: Iterator<Item = OpenSpan>,
    {
        let mut theirs = Vec::new();
        for (id, spans) in traces {
            theirs.clear();
            theirs.extend(spans);
            let Some(newest) = theirs.iter().map(generation).max() else { continue };
            let part = self.part(&id);
            let mine = self.find(part, &id);
            let mut anew = false;
            if let Some(place) = mine {
                self.enter(place, table, clock);
                let trace = self.traces[place as usize];
                anew =
                    trace.count as usize * theirs.len() > PAIRS || self.list(&trace).any(|mine| meets(mine, &theirs));
                if anew {
                    let mine = self.spans_of(&trace);
                    for part in [&mine, &theirs] {
                        self.joins.spans.clone_from(part);
                        self.joins.enter(part.len(), -1, table, clock);
                    }
                    self.changed.push(place);
                }
            }
            let place = mine.unwrap_or_else(|| self.begin(part, id, newest));
            theirs.iter().for_each(|&span| self.put(place, span));
            let trace = &mut self.traces[place as usize];
            trace.generation = trace.generation.max(newest);
            trace.entered = if anew { 0 } else { trace.count };
            trace.queued = anew;
        }
    }
}

/// Whether a span is the parent of one of some others, or one of them its parent.
fn meets(span: &OpenSpan, others: &[OpenSpan]) -> bool {
    let is_parent = |one: &OpenSpan, of: &OpenSpan| of.parent != 0 && of.parent == one.id;
    others.iter().any(|other| is_parent(span, other) || is_parent(other, span))
}

/// A span of an open trace as a snapshot holds it: its series by the snapshot's own numbering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

impl SpanImage {
    /// Bytes that one takes: there are millions of them, and what has its place needs no looking at each byte.
    pub const SIZE: usize = 37;

    /// Its fields one after the other, numbers little-endian, and both truths in the last byte.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(&self.start.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.end.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.id.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.parent.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.series.to_le_bytes());
        bytes[36] = u8::from(self.failed) | u8::from(self.mark) << 1;
        bytes
    }

    /// Those that bytes hold; none if they are not whole spans.
    #[must_use]
    pub fn all(bytes: &[u8]) -> Option<impl Iterator<Item = Self>> {
        let (spans, rest) = bytes.as_chunks::<{ Self::SIZE }>();
        rest.is_empty().then(|| spans.iter().map(Self::of))
    }

    fn of(bytes: &[u8; Self::SIZE]) -> Self {
        let number = |at: usize| std::array::from_fn(|place| bytes[at + place]);
        Self {
            start: i64::from_le_bytes(number(0)),
            end: i64::from_le_bytes(number(8)),
            id: SpanId::from_le_bytes(number(16)),
            parent: SpanId::from_le_bytes(number(24)),
            series: u32::from_le_bytes(std::array::from_fn(|place| bytes[32 + place])),
            failed: bytes[36] & 1 != 0,
            mark: bytes[36] & 2 != 0,
        }
    }
}
