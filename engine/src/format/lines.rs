//! Lines: each decoder of tools that write lines is asked in turn, and a line that is none of theirs is text.
//!
//! A tool's line tells the format of the stream ([`Memory::told`]), which is then asked first and believes more easily.

use super::reject::Reject;
use super::{Context, Format, Found, Memory, container, ftrace, lttng, strace, table, text, uftrace};
use crate::event::Event;

/// Decode a line; `indented` if white space stood before it.
pub(super) fn read<'a>(
    format: Format,
    line: &'a [u8],
    indented: bool,
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) -> Result<Found, Reject> {
    if let Some(found) = strace::line(line, format == Format::Strace, context, memory, events) {
        return Ok(found);
    }
    if let Some(found) = ftrace::line(line, format == Format::Ftrace, context, memory, events) {
        return Ok(found);
    }
    if let Some(found) = uftrace::line(line, format == Format::Uftrace, context, memory, events) {
        return Ok(found);
    }
    if lttng::line(line, context, memory, events) {
        return Ok(Found::Events);
    }
    if let Some(found) = table::line(line, format == Format::Table, context, memory, events) {
        return found;
    }
    if let Some(piece) = container::cri(line)
        && container::goes_on(memory, piece)
    {
        return Ok(Found::Continuation);
    }
    text::line(line, indented, context, memory, events)
}
