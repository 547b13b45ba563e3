//! Records of several lines: which line goes on with the one before it, and which waits for the one behind it.
//!
//! A stack trace is one event, and so is a message that is wrapped. Where a report begins with lines that say less than
//! those behind them (Python's traceback, the header of a slow query), these have no event of their own: what they say is
//! kept until the line comes that does.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::reports::{self, Part};
use super::{Order, slow_query, time};
use crate::event::{Event, Level};

/// Bytes of a line that wait for the next.
const HELD: usize = 4 << 10;

/// Lines that may stand between the place and the exception that nobody caught.
const SOURCE: u8 = 12;

/// What the decoder of text remembers of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Multiline {
    /// The order of day, month and year in the stream's dates.
    pub(super) order: Option<Order>,
    /// The latest event.
    last: Option<Last>,
    /// The report that the latest line is part of.
    block: Block,
    /// The latest line, to which the next belongs.
    pub(super) held: String,
    /// What the header of a slow query said.
    pub(super) query: slow_query::Header,
}

/// The latest event, as far as lines may go on with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)] // Each is of its own.
struct Last {
    /// It began with a time.
    stamped: bool,
    /// It said how grave it is.
    levelled: bool,
    /// It is a warning or graver.
    grave: bool,
    /// It is an exception, the report of one, or said in an indented line: what is indented goes on with it.
    exception: bool,
    /// It is of `PostgreSQL`.
    postgres: bool,
    /// Whose it is.
    key: u64,
}

/// A report that has begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Block {
    #[default]
    None,
    /// Up to the exception of Python's traceback, which is an event of its own if `open`.
    Python { open: bool, key: u64 },
    /// The same, within the frame around a group of exceptions.
    Group { open: bool, key: u64 },
    /// The goroutines of a Go panic.
    Go { key: u64 },
    /// The message of a Rust panic.
    Rust { key: u64 },
    /// Source text, up to the exception of JavaScript.
    Source { lines: u8 },
    /// The message of .NET's console logger.
    Category,
    /// The second line of `java.util.logging`.
    Jul,
}

impl Block {
    /// Whose it is; None if there is none.
    const fn key(self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Python { key, .. } | Self::Group { key, .. } | Self::Go { key } | Self::Rust { key } => Some(key),
            Self::Source { .. } | Self::Category | Self::Jul => Some(PLAIN),
        }
    }
}

/// What a line is to the lines around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An event.
    Own,
    /// The event of an exception.
    Exception,
    /// It goes on with the event before it.
    Continuation,
    /// Its event comes with a later line.
    Waits,
    /// An event together with what waited for it.
    Ends(Ending),
}

/// What a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// A Rust panic.
    Panic,
    /// A message of .NET's console logger.
    Category,
    /// A record of `java.util.logging`.
    Jul,
}

/// Whose a line is: lines of several programs may be in one stream. The lowest bit is left to [`BEHIND`].
fn key(event: &Event<'_>) -> u64 {
    if event.service.is_empty() {
        return PLAIN;
    }
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(event.service.as_bytes());
    hasher.finish() & !BEHIND
}

/// Of lines that have nothing around their text.
const PLAIN: u64 = 0;

/// Of reports whose lines stand behind something: a time, a program, a container.
const BEHIND: u64 = 1;

impl Multiline {
    /// What a line is that has nothing around its text, before it is read.
    #[inline]
    pub(super) fn place(&mut self, text: &str, indented: bool) -> Place {
        if !indented && self.block == Block::None && reports::is_plain(text) {
            return Place::Own;
        }
        self.told(text, indented)
    }

    fn told(&mut self, text: &str, indented: bool) -> Place {
        if begins_with_time(text) {
            // A report goes on in such a line only if all of it stands behind times.
            if self.block.key() == Some(PLAIN) {
                self.block = Block::None;
            }
            return Place::Own;
        }
        match self.in_block(text, indented, PLAIN) {
            Place::Own => {}
            place => return place,
        }
        if let Some(part) = reports::part(text)
            && let Some(place) = self.of_part(part, text, PLAIN)
        {
            return place;
        }
        let Some(last) = self.last else { return Place::Own };
        let goes_on = if indented {
            last.stamped || last.exception
        } else {
            match text.as_bytes() {
                // Markup that was logged, but for `<34>` of syslog.
                [b'<', next, ..] => last.stamped && !next.is_ascii_digit() && text.ends_with('>'),
                [b'}' | b']' | b')', ..] => {
                    (last.stamped || last.exception) && text.bytes().all(|byte| b"}]),;".contains(&byte))
                }
                _ if text.starts_with("[SQL: ") || text.starts_with("[parameters: ") => last.grave || last.exception,
                _ if text.starts_with("(Background on this error at: ") => last.grave || last.exception,
                // JavaScript's plainest error has no name that would tell.
                _ if text.starts_with("Error: ") => last.stamped && last.grave && last.key == PLAIN,
                _ => last.stamped && last.grave && last.key == PLAIN && reports::go_function(text),
            }
        };
        if goes_on { Place::Continuation } else { Place::Own }
    }

    /// What the message of a line is that has something in front of it: a time, a program, a container. `gap` is how many
    /// spaces stand before it.
    pub(super) fn place_of_message(&mut self, event: &Event<'_>, gap: usize) -> Place {
        let key = key(event) | BEHIND;
        let indented = gap > 1;
        match self.in_block(&event.message, indented, key) {
            Place::Own => {}
            place => return place,
        }
        match reports::part(&event.message) {
            Some(part) => self.of_part(part, &event.message, key).unwrap_or(Place::Own),
            None => Place::Own,
        }
    }

    /// What a line is within the report that has begun; if it is none of it, the report ends.
    fn in_block(&mut self, text: &str, indented: bool, of: u64) -> Place {
        let block = self.block;
        if block.key() != Some(of) {
            return Place::Own;
        }
        self.block = Block::None;
        match block {
            Block::Python { open, .. } => {
                if indented || reports::part(text) == Some(Part::Frame) {
                    self.block = block;
                    return if open { Place::Waits } else { Place::Continuation };
                }
                if open { Place::Exception } else { Place::Continuation }
            }
            Block::Group { open, key } => {
                let Some(inner) = text.strip_prefix(['|', '+']) else { return Place::Own };
                let named = reports::exception(inner.trim_start()) || inner.trim_start().starts_with("ExceptionGroup");
                self.block = Block::Group { open: open && !named, key };
                match (open, named) {
                    (true, true) => Place::Exception,
                    (true, false) => Place::Waits,
                    (false, _) => Place::Continuation,
                }
            }
            Block::Go { .. } if reports::of_panic(text, indented) => {
                self.block = block;
                Place::Continuation
            }
            Block::Rust { .. } => Place::Ends(Ending::Panic),
            Block::Source { lines } => {
                if reports::exception(text) || text.starts_with("Error: ") {
                    return Place::Exception;
                }
                if lines > 0 {
                    self.block = Block::Source { lines: lines - 1 };
                }
                Place::Waits
            }
            Block::Category if indented => Place::Ends(Ending::Category),
            Block::Jul if !indented => Place::Ends(Ending::Jul),
            _ => Place::Own,
        }
    }

    /// What a line is that opens a report or is part of one.
    fn of_part(&mut self, part: Part, text: &str, key: u64) -> Option<Place> {
        let last = self.last.filter(|last| last.key == key & !BEHIND);
        let levelled = last.is_some_and(|last| last.levelled && last.stamped);
        let place = match part {
            Part::Traceback | Part::Group => {
                // With a level in front, the traceback belongs to the message; but what is said in passing fails nobody.
                let open = !last.is_some_and(|last| last.grave || last.exception);
                self.block = match part {
                    Part::Group => Block::Group { open, key },
                    _ => Block::Python { open, key },
                };
                if open { Place::Waits } else { Place::Continuation }
            }
            Part::Goroutine => {
                self.block = Block::Go { key };
                if last.is_some() { Place::Continuation } else { Place::Own }
            }
            Part::Panic => {
                self.block = Block::Go { key };
                Place::Exception
            }
            Part::Panicked if text.ends_with(':') => {
                self.block = Block::Rust { key };
                self.hold(text);
                Place::Waits
            }
            Part::Place if key == PLAIN => {
                self.block = Block::Source { lines: SOURCE };
                Place::Waits
            }
            Part::Category if key == PLAIN => {
                self.block = Block::Category;
                self.hold(text);
                Place::Waits
            }
            Part::Exception if levelled => Place::Continuation,
            Part::Exception | Part::Uncaught | Part::Panicked => Place::Exception,
            Part::Frame | Part::Chained if last.is_some() => Place::Continuation,
            _ => return None,
        };
        Some(place)
    }

    fn hold(&mut self, text: &str) {
        let end = (0..=text.len().min(HELD)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        self.held.clear();
        self.held.push_str(&text[..end]);
    }

    /// Keep the first line of `java.util.logging`: its record goes on in the next.
    pub(super) fn hold_jul(&mut self, text: &str) {
        self.block = Block::Jul;
        self.hold(text);
    }

    /// Take note of an event of the stream that lines may go on with.
    #[inline]
    pub(super) fn saw(&mut self, event: &Event<'_>, exception: bool, postgres: bool) {
        self.last = Some(Last {
            stamped: event.time.is_some(),
            levelled: event.level != Level::Unset,
            grave: event.level >= Level::Warn,
            exception,
            postgres,
            key: key(event),
        });
    }

    /// An event of its own ends the report that its program has begun.
    pub(super) fn ends(&mut self, event: &Event<'_>) {
        if self.block.key().is_some_and(|of| of & !BEHIND == key(event)) {
            self.block = Block::None;
        }
    }

    /// Whether the latest event is of `PostgreSQL`.
    pub(super) fn after_postgres(&self) -> bool {
        self.last.is_some_and(|last| last.postgres)
    }
}

fn begins_with_time(text: &str) -> bool {
    let text = text.strip_prefix(['[', '(']).unwrap_or(text);
    time::prefix(text.as_bytes(), &super::Context::default()).is_some()
}
