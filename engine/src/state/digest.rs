//! An event in as few bytes as counting it takes: one line of the processor's cache, where the event itself has four, which
//! another processor has written.

use super::pairs;
use super::subjects::Subjects;
use crate::event::{Event, Kind, SpanId, TraceId};

/// What is counted of an event.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Digest {
    /// Nanoseconds since the epoch at which it is counted.
    pub time: i64,
    /// Nanoseconds it took, if `timed`.
    duration: u64,
    pub trace: TraceId,
    pub span: SpanId,
    pub parent: SpanId,
    /// Who did what, by the numbers of the block's [`Subjects`].
    pub subject: u32,
    /// The resource it came from, likewise.
    pub resource: u32,
    pub kind: Kind,
    pub failed: bool,
    timed: bool,
    /// Its source says how long it was in no call below.
    pub nested: bool,
    /// It has attributes that may tell it from others.
    pub carries: bool,
}

const _: () = assert!(size_of::<Digest>() == 64, "one line");

impl Digest {
    pub(super) fn of(event: &Event<'_>, time: i64, subjects: &mut Subjects) -> Self {
        Self {
            time,
            duration: event.duration.unwrap_or(0),
            trace: event.trace,
            span: event.span,
            parent: event.parent,
            subject: subjects.of(event),
            resource: subjects.resource_of(event),
            kind: event.kind,
            failed: event.failed,
            timed: event.duration.is_some(),
            nested: event.own.is_some(),
            carries: pairs::has_any(&event.attributes),
        }
    }

    /// Nanoseconds it took; `None` for what takes no time.
    #[inline]
    pub(crate) fn duration(&self) -> Option<u64> {
        self.timed.then_some(self.duration)
    }
}
