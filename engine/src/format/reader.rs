//! Reads a stream record by record: where one ends, in which format it is, what it says.

use serde::{Deserialize, Serialize};

use super::elements::{self, Inside, Layout};
use super::records::claimed;
use super::{Context, Format, Found, Memory, Next, Reject, decode, detect, next_record};
use crate::event::Event;

/// Bytes up to which a record has fewer events than one may have, whatever it is.
const LARGE: usize = super::MOST_EVENTS / 2;

/// Why a record was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It cannot be read.
    Rejected(Reject),
    /// It is longer than the limit, in bytes.
    Long(usize),
    /// It is the rest of one that was.
    Rest,
}

/// A record taken off the front of a block.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// Its bytes, newline included.
    pub bytes: &'a [u8],
    /// What came of it.
    pub found: Result<Found, Refusal>,
    /// How it was read.
    pub format: Format,
}

/// How far a stream has been read, and what reading on takes. Kept in snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    /// How its bytes become events; told by its first record, by a later one, or by the configuration.
    pub format: Option<Format>,
    /// Bytes taken so far.
    pub offset: u64,
    /// Nanoseconds since the epoch of its latest event in the order of its bytes; set by who decides on event times.
    pub last: Option<i64>,
    skipping: Skip,
    memory: Memory,
}

impl Reader {
    /// Take one record off the front of `rest`, which starts at a record boundary and ends at one; its events are pushed.
    /// None if nothing is left.
    ///
    /// `forced` is the format if it need not be told by content, `context` says when `rest` was received and how its
    /// source writes (its `last_time` is set here), `limit` the bytes of the longest record that is decoded.
    pub fn next<'a>(
        &mut self,
        rest: &'a [u8],
        forced: Option<Format>,
        context: &mut Context,
        limit: usize,
        events: &mut Vec<Event<'a>>,
    ) -> Option<Record<'a>> {
        if rest.is_empty() {
            return None;
        }
        if let Some(length) = self.skipping.rest(rest) {
            return Some(self.taken(&rest[..length], Err(Refusal::Rest)));
        }
        if forced.is_none() && self.format.is_none() {
            self.format = detect(rest, true);
        }
        let format = forced.or(self.format);
        let bytes = match next_record(format, rest) {
            Next::Record(length) => &rest[..length],
            Next::Incomplete => rest,
        };
        if bytes.len() > limit {
            self.skipping = Skip::behind(format, bytes);
            return Some(self.taken(bytes, Err(Refusal::Long(limit))));
        }
        context.last_time = self.last;
        context.order = self.memory.multiline.order;
        let read = format.unwrap_or(Format::Text);
        let found = if bytes.len() > LARGE {
            // Apart from those before it: how many events a record may have is counted from none.
            let mut own = Vec::new();
            let found = decode(read, bytes, context, &mut self.memory, &mut own);
            events.append(&mut own);
            found
        } else {
            decode(read, bytes, context, &mut self.memory, events)
        };
        if let Some(told) = self.memory.told.take() {
            self.format = Some(told);
        }
        Some(Record { format: read, ..self.taken(bytes, found.map_err(Refusal::Rejected)) })
    }

    /// What this stream's memory holds.
    #[must_use]
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Forget what records have told for those behind them.
    pub(crate) fn forget(&mut self) {
        self.memory = Memory::default();
    }

    /// What it says of the stream, for those who look at it while it is read on.
    #[must_use]
    pub(crate) fn without_memory(&self) -> Self {
        Self { format: self.format, offset: self.offset, last: self.last, ..Self::default() }
    }

    fn taken<'a>(&mut self, bytes: &'a [u8], found: Result<Found, Refusal>) -> Record<'a> {
        self.offset += bytes.len() as u64;
        Record { bytes, found, format: Format::Text }
    }
}

/// What is still to be refused of a record that is over the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Skip {
    /// Nothing.
    #[default]
    No,
    /// Up to the next line.
    Line,
    /// So many bytes.
    Bytes(u64),
    /// Up to the end of an element.
    Element(Inside),
}

impl Skip {
    /// What is left of a record of which these bytes were refused.
    fn behind(format: Option<Format>, bytes: &[u8]) -> Self {
        if Layout::of(format).is_some() {
            let mut inside = Inside::default();
            let ended = inside.read(&bytes[elements::between(bytes)..]).is_some();
            return if ended { Self::No } else { Self::Element(inside) };
        }
        match claimed(format, bytes) {
            Some(length) => match length.saturating_sub(bytes.len()) {
                0 => Self::No,
                left => Self::Bytes(left as u64),
            },
            None if bytes.ends_with(b"\n") => Self::No,
            None => Self::Line,
        }
    }

    /// How much of `rest` is to be refused, if any.
    fn rest(&mut self, rest: &[u8]) -> Option<usize> {
        let length = match self {
            Self::No => return None,
            Self::Element(inside) => inside.read(rest),
            Self::Line => memchr::memchr(b'\n', rest).map(|newline| newline + 1),
            Self::Bytes(left) => usize::try_from(*left).ok().filter(|left| *left <= rest.len()),
        };
        *self = match (*self, length) {
            (_, Some(_)) => Self::No,
            (Self::Bytes(left), None) => Self::Bytes(left - rest.len() as u64),
            (other, None) => other,
        };
        Some(length.unwrap_or(rest.len()))
    }
}

impl Refusal {
    /// The kind of reason, for counting.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Rejected(reject) => reject.reason(),
            Self::Long(_) | Self::Rest => "record over the limit",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rejected(reject) => reject.fmt(f),
            Self::Long(limit) => write!(f, "a record of more than {limit} bytes, the limit engine.max_record"),
            Self::Rest => f.write_str("the rest of a record over the limit"),
        }
    }
}
