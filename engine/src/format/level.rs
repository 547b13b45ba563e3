//! How grave a record is, from the words, letters and numbers that loggers use for it.

use crate::event::Level;

/// OpenTelemetry's `SeverityNumber`, 1 to 24.
#[must_use]
pub(super) const fn otlp(number: u64) -> Level {
    match number {
        1..=4 => Level::Trace,
        5..=8 => Level::Debug,
        9..=12 => Level::Info,
        13..=16 => Level::Warn,
        17..=20 => Level::Error,
        21..=24 => Level::Fatal,
        _ => Level::Unset,
    }
}

/// A severity of syslog (RFC 5424), 0 to 7.
#[must_use]
pub(super) const fn syslog(number: u64) -> Level {
    match number {
        0..=2 => Level::Fatal,
        3 => Level::Error,
        4 => Level::Warn,
        5 | 6 => Level::Info,
        7 => Level::Debug,
        _ => Level::Unset,
    }
}

/// A level of bunyan and pino, 10 to 60. Their users add levels between the steps.
#[must_use]
pub(super) const fn bunyan(number: u64) -> Level {
    match number {
        10..=19 => Level::Trace,
        20..=29 => Level::Debug,
        30..=39 => Level::Info,
        40..=49 => Level::Warn,
        50..=59 => Level::Error,
        60..=69 => Level::Fatal,
        _ => Level::Unset,
    }
}

/// A level of Python's `logging`, 10 to 50.
#[must_use]
pub(super) const fn python(number: u64) -> Level {
    match number {
        1..=9 => Level::Trace,
        10..=19 => Level::Debug,
        20..=29 => Level::Info,
        30..=39 => Level::Warn,
        40..=49 => Level::Error,
        50..=59 => Level::Fatal,
        _ => Level::Unset,
    }
}

/// A level of logback in numbers, 5,000 to 40,000.
#[must_use]
pub(super) const fn logback(number: u64) -> Level {
    match number {
        5_000 => Level::Trace,
        10_000 => Level::Debug,
        20_000 => Level::Info,
        30_000 => Level::Warn,
        40_000 => Level::Error,
        _ => Level::Unset,
    }
}

/// A level of PHP's monolog, 100 to 600.
#[must_use]
pub(super) const fn monolog(number: u64) -> Level {
    match number {
        100 => Level::Debug,
        200 | 250 => Level::Info,
        300 => Level::Warn,
        400 => Level::Error,
        500 | 550 | 600 => Level::Fatal,
        _ => Level::Unset,
    }
}

/// A level of Nextcloud, 0 to 4.
#[must_use]
pub(super) const fn nextcloud(number: u64) -> Level {
    match number {
        0 => Level::Debug,
        1 => Level::Info,
        2 => Level::Warn,
        3 => Level::Error,
        4 => Level::Fatal,
        _ => Level::Unset,
    }
}

/// The number in a field called `level` that does not say on which scale it is.
///
/// Scales that go up from 0 or 1 are as common as syslog's, which goes down and hardly ever sees its two gravest: so
/// 0 and 1 say nothing, and 3, an error on most scales of either kind, is one.
#[must_use]
pub(super) const fn number(number: u64) -> Level {
    match number {
        2..=7 => syslog(number),
        10..=69 => bunyan(number),
        100..=600 => monolog(number),
        _ => logback(number),
    }
}

/// A word or letter, in any case: `WARNING`, `warn`, `W`.
#[must_use]
pub(super) fn word(text: &[u8]) -> Level {
    let text = text.trim_ascii();
    let mut lower = [0; 13];
    let Some(lower) = lower.get_mut(..text.len()) else { return Level::Unset };
    lower.copy_from_slice(text);
    lower.make_ascii_lowercase();
    match &*lower {
        b"trace" | b"trc" | b"finest" | b"finer" | b"verbose" | b"vrb" | b"t" | b"v" | b"silly" => Level::Trace,
        b"debug" | b"dbg" | b"fine" | b"config" | b"d" | b"debug1" | b"debug2" | b"debug3" | b"debug4" | b"debug5"
        | b"d1" | b"d2" | b"d3" | b"d4" | b"d5" => Level::Debug,
        b"info" | b"information" | b"informational" | b"inf" | b"notice" | b"note" | b"log" | b"i" | b"n"
        | b"success" | b"http" | b"default" => Level::Info,
        b"warn" | b"warning" | b"wrn" | b"w" => Level::Warn,
        b"error" | b"err" | b"severe" | b"failure" | b"e" | b"eror" => Level::Error,
        b"fatal" | b"critical" | b"crit" | b"crt" | b"alert" | b"emergency" | b"emerg" | b"panic" | b"dpanic"
        | b"ftl" | b"f" | b"c" | b"a" => Level::Fatal,
        _ => Level::Unset,
    }
}

/// A word that stands free in a line, where only words that mean a level and nothing else are taken for one.
#[must_use]
pub(super) fn free_word(text: &[u8]) -> Level {
    let plain = text.len() >= 3
        && !matches!(text.len(), 4 if text.eq_ignore_ascii_case(b"http") || text.eq_ignore_ascii_case(b"note"))
        && ![&b"log"[..], b"success", b"default", b"config", b"failure"].iter().any(|w| text.eq_ignore_ascii_case(w));
    if plain { word(text) } else { Level::Unset }
}
