//! The clocks of two hosts, as a call between them tells of their difference.

use super::joins::OpenSpan;

/// Nanoseconds by which the clock of a callee's host is ahead of its caller's; none if the call lies within the span of the
/// caller, as one does whose clocks agree, or may have been meant to outlive it.
///
/// What is not within is thought to be in the middle, the way there being as long as the way back: the offset of NTP (RFC 5905), as
/// Jaeger adjusts skew. A callee that took longer than its caller was given up or not waited for, and tells only that it
/// cannot have begun before it was called. So does one that its caller is not known to have waited for: `waits`.
#[must_use]
pub fn ahead(caller: &OpenSpan, callee: &OpenSpan, waits: impl FnOnce() -> bool) -> Option<i64> {
    let (early, late) = (callee.start < caller.start, callee.end > caller.end);
    if !early && !late {
        return None;
    }
    let start = callee.start.saturating_sub(caller.start);
    if callee.took() > caller.took() {
        return early.then_some(start);
    }
    let off = || start.midpoint(callee.end.saturating_sub(caller.end));
    (early || waits()).then(off)
}
