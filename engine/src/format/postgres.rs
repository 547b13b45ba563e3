//! What `PostgreSQL` writes: lines that go on with the one before them, and statements with how long they took.

use std::borrow::Cow;

use super::{sql, value};
use crate::event::{Event, Kind};

/// Bytes of a line's head, process and session included.
const HEAD: usize = 160;

/// Whether what stands before a message ends as a severity of `PostgreSQL` does: `LOG:  `, with two spaces.
#[inline]
pub(super) fn is_head(front: &str) -> bool {
    let Some(before) = front.strip_suffix(":  ") else { return false };
    let word = before.rsplit([' ', ']']).next().unwrap_or(before);
    matches!(
        word,
        "LOG"
            | "ERROR"
            | "FATAL"
            | "PANIC"
            | "WARNING"
            | "NOTICE"
            | "INFO"
            | "DEBUG"
            | "DEBUG1"
            | "DEBUG2"
            | "DEBUG3"
            | "DEBUG4"
            | "DEBUG5"
    )
}

/// Whether a message goes on with the one before it: `[123] DETAIL:  …`.
pub(super) fn goes_on(message: &str) -> bool {
    let end = (0..=message.len().min(HEAD)).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
    let near = &message[..end];
    let Some(at) = near.find(":  ") else { return false };
    let word = near[..at].rsplit([' ', ']']).next().unwrap_or_default();
    matches!(word, "DETAIL" | "HINT" | "STATEMENT" | "CONTEXT" | "QUERY" | "LOCATION" | "BACKTRACE")
}

/// Make an event that says how long a statement took the statement's: `duration: 12.345 ms  statement: select 1`, or of the
/// extended protocol `execute <unnamed>: select 1`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn statement(event: &mut Event<'_>) {
    let Some(rest) = event.message.strip_prefix("duration: ") else { return };
    let Some((number, rest)) = rest.split_once(" ms") else { return };
    let Some(milliseconds) = value::float(number.as_bytes()).filter(|number| *number >= 0.0) else { return };
    // The cast saturates.
    event.duration = Some((milliseconds * 1e6).round() as u64);
    let rest = rest.trim_start();
    let (step, text) = rest.split_once(": ").unwrap_or_default();
    let word = step.split(' ').next().unwrap_or_default();
    if !matches!(word, "statement" | "execute" | "parse" | "bind" | "fastpath") {
        return;
    }
    // What is parsed or bound is not executed yet.
    let operation = match word {
        "parse" | "bind" => format!("{word} {}", sql::operation(text)),
        _ => sql::operation(text).into_owned(),
    };
    event.kind = Kind::Server;
    event.operation = Cow::Owned(operation);
    if event.service.is_empty() {
        event.service = Cow::Borrowed("postgresql");
    }
}
