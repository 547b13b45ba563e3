//! Access logs of web servers: whatever stands before the bracketed time, the request, the status.

use std::borrow::Cow;

use super::{Context, time};
use crate::event::{Event, Level};

/// Read a line of an access log whose time stands within the first `head` bytes. False if it is none.
pub(super) fn read<'a>(text: &'a str, head: usize, event: &mut Event<'a>, context: &Context) -> bool {
    let bytes = text.as_bytes();
    let near = bytes.get(..head).unwrap_or(bytes);
    let Some((found, end)) = memchr::memchr_iter(b'[', near).find_map(|at| {
        let inside = bytes.get(at + 1..)?;
        // Only `[24/Nov/2026:`: other times in brackets are of other lines.
        if inside.get(2) != Some(&b'/') {
            return None;
        }
        let (found, length) = time::prefix(inside, context)?;
        let end = at + 1 + length;
        (bytes.get(end) == Some(&b']')).then_some((found, end + 1))
    }) else {
        return false;
    };
    let Some(message) = text.get(end..) else { return false };
    event.time = Some(found);
    event.message = Cow::Borrowed(message.trim_start());
    if status(message).is_some_and(|status| status >= 500) {
        event.failed = true;
        event.level = Level::Error;
    }
    true
}

/// The status: the number after the request, which is in quotes.
fn status(text: &str) -> Option<u16> {
    let (_, request) = text.split_once('"')?;
    // Quotes within the request are escaped by every server.
    let (_, after) = request.split_once("\" ")?;
    let digits = after.split(' ').next()?;
    (digits.len() == 3).then(|| digits.parse().ok())?
}
