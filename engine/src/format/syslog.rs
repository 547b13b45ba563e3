//! Headers of syslog: RFC 3164 as daemons write it to files, RFC 5424, and the same with ISO timestamps.

use std::borrow::Cow;

use super::{Context, time};
use crate::event::Event;

/// How the stamp before a host is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `Nov 24 23:42:01`: a host follows.
    Old,
    /// `2026-11-24T23:42:01.123456+01:00`: a host follows, or anything else.
    Iso,
    /// Not as syslog has it.
    No,
}

/// What follows the length of a message, as it stands before each in a stream over TCP: `123 <34>1 …` (RFC 6587).
#[inline]
pub(super) fn counted(text: &str) -> Option<&str> {
    if !text.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let digits = text.bytes().take(7).take_while(u8::is_ascii_digit).count();
    text.get(digits + 1..).filter(|rest| rest.starts_with('<') && text.as_bytes().get(digits) == Some(&b' '))
}

/// The number in `<34>`, and what follows.
pub(super) fn priority(text: &str) -> Option<(u64, &str)> {
    let (digits, after) = text.strip_prefix('<')?.split_once('>')?;
    let number = super::value::unsigned(digits.as_bytes())?;
    (digits.len() <= 3 && number < 192).then_some((number, after))
}

/// Read `1 TIME HOST APP PROCID MSGID STRUCTURED-DATA ` (RFC 5424) into an event; gives the message.
pub(super) fn header_5424<'a>(text: &'a str, event: &mut Event<'a>, context: &Context) -> Option<&'a str> {
    let mut rest = text.strip_prefix("1 ")?;
    let mut word = || {
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = after;
        word
    };
    let stamp = word();
    let _host = word();
    let program = word();
    let _process = word();
    let _message_id = word();
    event.time = time::prefix(stamp.as_bytes(), context).map(|found| found.0);
    if program != "-" {
        event.service = Cow::Borrowed(program);
    }
    let rest = match rest.strip_prefix('-') {
        Some(after) => after,
        None => structured_data(rest)?,
    };
    let rest = rest.trim_start_matches(' ');
    Some(rest.strip_prefix('\u{FEFF}').unwrap_or(rest))
}

/// What follows `[id key="value"][id …]`.
fn structured_data(text: &str) -> Option<&str> {
    let (mut quoted, mut inside, mut escaped) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' if !quoted => inside = true,
            b']' if !quoted => inside = false,
            _ if !inside => return text.get(at..),
            _ => {}
        }
    }
    (!inside).then_some("")
}

/// Read `HOST PROGRAM[PID]: ` into an event; gives the message. After an ISO stamp the program must have a pid or stand
/// right after the host, with a colon: other lines begin so too.
pub(super) fn host_and_program<'a>(text: &'a str, style: Style, event: &mut Event<'a>) -> Option<&'a str> {
    if style == Style::No {
        return None;
    }
    let (host, after) = text.split_once(' ')?;
    // Some daemons leave the host out.
    if let Some((program, message)) = program(text, style == Style::Old) {
        event.service = Cow::Borrowed(program);
        return Some(message);
    }
    let plausible = !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':'))
        && super::level::free_word(host.as_bytes()) == crate::event::Level::Unset;
    if !plausible {
        return None;
    }
    match program(after.trim_start_matches(' '), true) {
        Some((program, message)) => {
            event.service = Cow::Borrowed(program);
            Some(message)
        }
        // `last message repeated 2 times`: of this host, of no program.
        None if style == Style::Old => Some(after),
        None => None,
    }
}

/// `sshd[123]: message` or `kernel: message`; the former only, unless `bare`.
fn program(text: &str, bare: bool) -> Option<(&str, &str)> {
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '@');
    let end = text.find(|c| !name(c)).filter(|end| (1..64).contains(end))?;
    let (program, mut after) = text.split_at(end);
    // sshd(pam_unix)[123]:
    if let Some(module) = after.strip_prefix('(') {
        after = module.split_once(')')?.1;
    }
    let mut pid = false;
    if let Some(inner) = after.strip_prefix('[') {
        let (number, tail) = inner.split_once(']')?;
        pid = number.bytes().all(|byte| byte.is_ascii_digit());
        after = tail;
    }
    let message = after.strip_prefix(':')?;
    let ends = message.is_empty() || message.starts_with([' ', '\t']);
    let known = super::level::free_word(program.as_bytes()) == crate::event::Level::Unset;
    (ends && known && (pid || bare)).then(|| (program, message.trim_start()))
}
