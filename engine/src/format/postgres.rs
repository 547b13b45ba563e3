//! What `PostgreSQL` writes: lines that go on with the one before them, and statements with how long they took.

use std::borrow::Cow;

use super::{level, sql, value};
use crate::event::{Event, Kind, Level};

/// Bytes of a line's head, process and session included.
const HEAD: usize = 160;

/// Whether what stands before a message ends as a severity of `PostgreSQL` does: `LOG:  `, with two spaces, or has it as
/// its log in comma-separated values does.
#[inline]
pub(super) fn is_head(front: &str) -> bool {
    let Some(before) = front.strip_suffix(":  ") else {
        return front.ends_with(",\"") && front.rsplit(',').nth(2).is_some_and(is_severity);
    };
    is_severity(before.rsplit([' ', ']']).next().unwrap_or(before))
}

fn is_severity(word: &str) -> bool {
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

/// Behind the time and the process, with whatever `log_line_prefix` says of the session: `[123]: [4-1] user=app,db=shop
/// LOG:  message`. The severity and the message.
pub(super) fn prefixed(text: &str) -> Option<(Level, &str)> {
    if !text.starts_with(['[', '(']) && !text.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let (before, message) = text.split_once(":  ")?;
    let word = before.rsplit([' ', ']']).next().unwrap_or(before);
    (before.len() < HEAD && is_severity(word)).then(|| (level::word(word.as_bytes()), message))
}

/// Behind the time in a log of comma-separated values: user, database (with their commas taken off, where there are none),
/// process, client, session, line, command, start, two of the transaction, severity, state, message. The severity and the
/// message, as far as the line has it.
pub(super) fn separated(text: &str) -> Option<(Level, Cow<'_, str>)> {
    let mut rest = text;
    let mut severity = "";
    let named = !text.as_bytes().first().is_some_and(u8::is_ascii_digit);
    for field in if named { 0 } else { 2 }..12 {
        let end = match rest.strip_prefix('"') {
            Some(quoted) => quoted.find('"')? + 2,
            None => rest.find(',')?,
        };
        let (cell, after) = rest.split_at_checked(end)?;
        match field {
            2 if cell.is_empty() || !cell.bytes().all(|byte| byte.is_ascii_digit()) => return None,
            10 => severity = cell,
            _ => {}
        }
        rest = after.strip_prefix(',')?;
    }
    let message = rest.strip_prefix('"')?;
    if !is_severity(severity) {
        return None;
    }
    // A quote within it stands there twice.
    let mut end = 0;
    while let Some(at) = message[end..].find('"') {
        end += at;
        if !message[end..].starts_with("\"\"") {
            break;
        }
        end += 2;
    }
    let message = if message[end..].starts_with('"') { &message[..end] } else { message };
    let message = if message.contains('"') { message.replace("\"\"", "\"").into() } else { message.into() };
    Some((level::word(severity.as_bytes()), message))
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
