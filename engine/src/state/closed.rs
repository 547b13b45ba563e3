//! Closed traces that evidence was kept of: for who asks for the whole of which an event was a part.
//!
//! They are as many spans as an eighth of the open ones may be, the oldest let go first, and no part of a snapshot: what the
//! state promises does not rest on them.

use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::joins::OpenSpan;
use super::timeline::Seconds;
use crate::event::TraceId;

/// Spans of closed traces, as a part of those that may be open.
const PART: usize = 8;

/// The traces.
#[derive(Debug, Default)]
pub struct Closed {
    traces: HashMap<TraceId, Vec<OpenSpan>, RandomState>,
    /// In the order in which they are let go.
    by_generation: BTreeMap<Seconds, Vec<TraceId>>,
    spans: usize,
}

impl Closed {
    /// Keep a trace of a generation, and let the oldest go beyond what `limit` open spans allow.
    pub fn keep(&mut self, id: TraceId, generation: Seconds, spans: Vec<OpenSpan>, limit: usize) {
        self.spans += spans.len();
        if let Some(kept) = self.traces.get_mut(&id) {
            kept.extend(spans);
        } else {
            self.traces.insert(id, spans);
            self.by_generation.entry(generation).or_default().push(id);
        }
        while self.spans > limit / PART
            && let Some((_, oldest)) = self.by_generation.pop_first()
        {
            for id in oldest {
                self.spans -= self.traces.remove(&id).map_or(0, |spans| spans.len());
            }
        }
    }

    /// The spans of a trace.
    #[must_use]
    pub fn get(&self, id: &TraceId) -> &[OpenSpan] {
        self.traces.get(id).map_or(&[], Vec::as_slice)
    }

    /// Forget the traces that have spans in series that go.
    pub fn forget_of(&mut self, gone: &[bool]) {
        let spans = &mut self.spans;
        self.traces.retain(|_, kept| {
            let keep = !kept.iter().any(|span| gone[span.series as usize]);
            *spans -= if keep { 0 } else { kept.len() };
            keep
        });
    }

    /// The spans of all.
    pub fn all(&self) -> impl Iterator<Item = &OpenSpan> {
        self.traces.values().flatten()
    }

    /// The spans of all, to change them.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut OpenSpan> {
        self.traces.values_mut().flatten()
    }

    /// The ids of all.
    pub fn ids(&self) -> impl Iterator<Item = &TraceId> {
        self.traces.keys()
    }

    /// Spans of all.
    #[must_use]
    pub const fn spans(&self) -> usize {
        self.spans
    }
}
