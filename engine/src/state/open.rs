//! Open traces as a snapshot takes them: copied as they lie, which is quick, and put in order when they are written.

use serde::{Deserialize, Serialize};

use super::joins::OpenSpan;
use crate::event::{SpanId, TraceId};

/// All open traces at one moment: copied as they lie, put in order later.
#[derive(Debug)]
pub struct OpenTraces {
    heads: Vec<(TraceId, u32)>,
    spans: Vec<(OpenSpan, u32)>,
}

impl OpenTraces {
    /// Each trace with the place of its first span; each span with the place of the next, which is none at the end.
    pub(super) const fn new(heads: Vec<(TraceId, u32)>, spans: Vec<(OpenSpan, u32)>) -> Self {
        Self { heads, spans }
    }

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
