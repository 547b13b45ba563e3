//! The slow query log of `MySQL`, `MariaDB` and Percona Server: a header in comments, and a statement.
//!
//! ```text
//! # Time: 2026-11-24T23:42:01.123456Z
//! # User@Host: shop[shop] @ localhost []  Id:     8
//! # Query_time: 2.003210  Lock_time: 0.000012 Rows_sent: 1  Rows_examined: 900000
//! use shop;
//! SET timestamp=1795563719;
//! select count(*) from orders
//!   where state = 'open';
//! ```
//!
//! The event is the statement's, and ends when it was logged.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Context, sql, time};
use crate::event::{Event, Kind};

/// What a header said of the statement to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    state: State,
    time: Option<i64>,
    duration: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    /// Outside of such a log.
    #[default]
    Out,
    /// In a header.
    Header,
    /// In a statement.
    Statement,
}

/// What a line was.
pub(super) enum Line<'a> {
    /// Of a header.
    Header,
    /// Of the statement that began before.
    Statement,
    /// The first of a statement.
    Event(Box<Event<'a>>),
}

impl Header {
    /// Read a line; None if it is none of a slow query.
    #[inline]
    pub(super) fn line<'a>(&mut self, text: &'a str, context: &Context) -> Option<Line<'a>> {
        if self.state == State::Out && !text.starts_with("# ") {
            return None;
        }
        self.told(text, context)
    }

    fn told<'a>(&mut self, text: &'a str, context: &Context) -> Option<Line<'a>> {
        if let Some(stamp) = text.strip_prefix("# Time: ") {
            let time = time::parse(stamp.as_bytes(), context);
            time?;
            *self = Self { state: State::Header, time, duration: None };
        } else if text.starts_with("# User@Host: ") {
            if self.state == State::Statement {
                // Older servers write the time only where it changes.
                *self = Self { duration: None, ..*self };
            }
            self.state = State::Header;
        } else if let Some(numbers) = text.strip_prefix("# Query_time: ") {
            self.state = State::Header;
            self.duration = numbers.split(' ').next().and_then(seconds);
        } else if text.ends_with("started with:") && text.contains(", Version: ") {
            *self = Self::default();
            return None;
        } else {
            return match self.state {
                State::Out => None,
                State::Statement => Some(Line::Statement),
                State::Header => Some(self.statement(text, context)),
            };
        }
        Some(Line::Header)
    }

    /// Read a line below the header.
    fn statement<'a>(&mut self, text: &'a str, context: &Context) -> Line<'a> {
        let administrator = text.strip_prefix("# administrator command: ");
        if text.starts_with("# ") && administrator.is_none() || text.starts_with("use ") {
            return Line::Header;
        }
        if let Some(number) = text.strip_prefix("SET timestamp=") {
            // When it began; what the header says is when it ended.
            let begin = time::epoch(number.trim_end_matches(';').as_bytes());
            let end = begin.map(|begin| begin.saturating_add_unsigned(self.duration.unwrap_or(0)));
            self.time = self.time.or(end);
            return Line::Header;
        }
        self.state = State::Statement;
        let operation = match administrator {
            Some(command) => Cow::Borrowed(command.trim_end_matches(';')),
            None => sql::operation(text),
        };
        Line::Event(Box::new(Event {
            kind: Kind::Server,
            time: self.time.or(context.last_time),
            duration: self.duration,
            service: Cow::Borrowed("mysql"),
            operation,
            message: Cow::Borrowed(text),
            ..Event::default()
        }))
    }
}

/// Seconds with a fraction, in nanoseconds.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn seconds(text: &str) -> Option<u64> {
    let seconds = super::value::float(text.as_bytes()).filter(|seconds| *seconds >= 0.0)?;
    // The cast saturates.
    Some((seconds * 1e9).round() as u64)
}
