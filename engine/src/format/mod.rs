//! How a source's bytes become events.
//!
//! In come the bytes of a stream from a record boundary on, out come [`Event`]s that borrow from them, or the reason why
//! a record cannot be read. What a record means is a function of its bytes, its stream's format, the [`Context`], and what the stream's [`Memory`] holds of the records before it; so it does not matter
//! how a stream is cut into chunks.
//!
//! A format is one file: `otlp`, `json`, `text`. The format of a stream is a hint and the record decides, because real
//! streams are mixed: a banner stands above JSON lines, and a JSON line in the middle of text. A record may also tell the
//! format of those that follow it ([`Memory::told`]).

mod access;
mod anchor;
mod any_value;
mod atrace;
mod attributes;
mod body;
mod bounded;
mod calendar;
mod calls;
mod chrome;
mod columns;
mod comm;
mod compose;
mod container;
mod correlate;
mod cursor;
mod delimited;
mod dialect;
mod duration;
mod elements;
mod fields;
mod ftrace;
mod ftrace_events;
mod ftrace_graph;
mod head;
mod header;
mod id;
mod jaeger;
mod json;
mod level;
mod lines;
mod logfmt;
mod lttng;
mod memory;
mod multiline;
mod names;
mod objects;
mod otlp;
mod otlp_frames;
mod otlp_proto;
mod perf;
mod postgres;
mod prefixes;
mod proto_value;
mod proxy;
mod reader;
mod records;
mod reject;
mod reports;
mod scan;
mod slow_query;
mod sql;
mod stacks;
mod strace;
mod symbol;
mod syscalls;
mod syslog;
mod table;
mod tai;
mod tasks;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod uftrace;
mod value;
mod wire;
mod zipkin;

pub use attributes::{Attribute, Iter};
pub(crate) use attributes::{elements, key_values};
pub use calendar::Order;
pub use delimited::Header;
pub use dialect::{Dialect, Wrong};
pub use memory::Memory;
pub use names::is_field;
pub use reader::{Reader, Record, Refusal};
pub use records::{Next, boundary, next_record};
pub use reject::Reject;
pub use table::Table;

use std::sync::Arc;

use objects::Told;

use crate::event::Event;

/// How the bytes of a source are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// OTLP/JSON requests, as the OpenTelemetry Collector's file exporter writes them.
    Otlp,
    /// A JSON object to a log record.
    Json,
    /// A line to a log record.
    Text,
    /// The output of strace.
    Strace,
    /// A line to a record, its fields parted by a character; their names stand in the first line or in the dialect.
    Delimited,
    /// OTLP/protobuf requests: delimited by their lengths, or one alone.
    #[serde(rename = "otlp_proto")]
    OtlpProto,
    /// A table with a header row, as the tools of BCC and bpftrace print them.
    Table,
    /// Trace Event Format, as Chrome and many others write it.
    Chrome,
    /// Jaeger's spans, as its query service or its storage writes them.
    Jaeger,
    /// Zipkin's spans.
    Zipkin,
    /// What function tracers write when a function is entered and left.
    Calls,
    /// The text of the kernel's tracer: ftrace, trace-cmd, systrace.
    Ftrace,
    /// The output of `perf script`.
    Perf,
    /// What `uftrace replay` and `uftrace dump` print.
    Uftrace,
    /// What babeltrace prints of a trace of `LTTng`.
    Lttng,
}

impl Format {
    /// Whether its records are lines, whatever is in them.
    #[must_use]
    pub const fn is_lines(self) -> bool {
        !matches!(
            self,
            Self::Otlp
                | Self::Json
                | Self::OtlpProto
                | Self::Perf
                | Self::Chrome
                | Self::Jaeger
                | Self::Zipkin
                | Self::Calls
        )
    }

    /// Every format.
    pub const ALL: &[Self] = &[
        Self::Otlp,
        Self::Json,
        Self::Text,
        Self::Strace,
        Self::Delimited,
        Self::OtlpProto,
        Self::Table,
        Self::Chrome,
        Self::Jaeger,
        Self::Zipkin,
        Self::Calls,
        Self::Ftrace,
        Self::Perf,
        Self::Uftrace,
        Self::Lttng,
    ];

    /// The word for it, as it stands in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Otlp => "otlp",
            Self::Json => "json",
            Self::Text => "text",
            Self::Strace => "strace",
            Self::Delimited => "delimited",
            Self::OtlpProto => "otlp_proto",
            Self::Table => "table",
            Self::Chrome => "chrome",
            Self::Jaeger => "jaeger",
            Self::Zipkin => "zipkin",
            Self::Calls => "calls",
            Self::Ftrace => "ftrace",
            Self::Perf => "perf",
            Self::Uftrace => "uftrace",
            Self::Lttng => "lttng",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.name() == name)
    }
}

/// What a record does not say and its stream knows.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Nanoseconds since the epoch: the time of the stream's previous event that had one. Times without a year or a day
    /// are taken to be as near to it as they can.
    pub last_time: Option<i64>,
    /// Nanoseconds since the epoch: when the record was received. Stands in for `last_time` where there is none: the
    /// latest time that is not in the future.
    pub received: i64,
    /// The order of day, month and year in the numbers of the stream's dates, once one of them can be of no other.
    pub order: Option<Order>,
    /// How its source writes what the format leaves open; None for the plain way.
    pub dialect: Option<Arc<Dialect>>,
}

impl Context {
    /// How the source writes what the format leaves open.
    #[inline]
    pub(super) fn dialect(&self) -> &Dialect {
        self.dialect.as_deref().unwrap_or(Dialect::PLAIN)
    }
}

/// Events of one record; a record with more is rejected. Decoded, an event may be a hundred times as large as its text, and
/// those of a record are held together: a span that says anything takes 128 bytes of the largest record there is by default.
pub const MOST_EVENTS: usize = 131_072;

/// Err if a record has as many events as it may have.
#[inline]
fn room(events: &[Event<'_>], at: usize) -> Result<(), Reject> {
    if events.len() < MOST_EVENTS { Ok(()) } else { Err(Reject::many(at)) }
}

/// What a record was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Its events were pushed; there may be none in it.
    Events,
    /// It goes on with the record before it: a line of a stack trace, say.
    Continuation,
}

/// Bytes by which the format of a stream can be told in any case.
pub const ENOUGH: usize = 64 << 10;

/// The format of a stream, judged by its first bytes; `whole` if they are all there will be for now. None if it takes more
/// of them: with more, the answer is the same or there is one.
#[must_use]
pub fn detect(head: &[u8], whole: bool) -> Option<Format> {
    let decided = whole || head.len() >= ENOUGH;
    let head = &head[..head.len().min(ENOUGH)];
    match otlp_proto::detect(head, decided) {
        Some(true) => return Some(Format::OtlpProto),
        Some(false) => {}
        None => return None,
    }
    let (start, body) = trim(head);
    match body.first() {
        Some(b'{') => {}
        Some(b'[') if json::starts_array(body) => {}
        None => return decided.then_some(Format::Text),
        _ => {
            let line = memchr::memchr(b'\n', body).map(|end| &body[..end]);
            match line.or_else(|| whole.then_some(body)) {
                Some(line) if delimited::is_header(line) => return Some(Format::Delimited),
                // It may yet become one.
                None if !decided && delimited::is_names(body) => return None,
                _ => return perf::detect(&head[start..], decided),
            }
        }
    }
    // The record may be cut or ill-formed: what its first keys are called is enough.
    if otlp::looks_like_request(body) {
        return Some(Format::Otlp);
    }
    match objects::told(head, decided) {
        Told::Is(format) => return Some(format),
        Told::No => {}
        Told::More if decided => {}
        Told::More => return None,
    }
    let complete = || matches!(next_record(None, &head[start..]), Next::Record(_));
    (decided || complete()).then_some(Format::Json)
}

/// Decode one record: all of its events are pushed, or none and the reason is returned. A blank record has no events.
///
/// # Errors
/// What was found in the record and where, if it cannot be read.
pub fn decode<'a>(
    format: Format,
    record: &'a [u8],
    context: &Context,
    memory: &mut Memory,
    events: &mut Vec<Event<'a>>,
) -> Result<Found, Reject> {
    let before = events.len();
    if format == Format::OtlpProto {
        return otlp_proto::record(record, context, events)
            .map(|()| Found::Events)
            .inspect_err(|_| events.truncate(before));
    }
    if let Some(read) = objects::record(format, record, context, memory, events) {
        return read.inspect_err(|_| events.truncate(before));
    }
    let (start, body) = trim(record);
    let Some(&first) = body.first() else {
        // Nothing but white space, or what a crash leaves at the end of a file: a run of NULs.
        return match memchr::memchr(0, record) {
            Some(at) => Err(Reject::binary(at)),
            None => Ok(Found::Events),
        };
    };
    if format == Format::Perf && perf::record(body, context, memory, events) {
        return Ok(Found::Events);
    }
    if format == Format::Delimited && delimited::row(unended(record), context, memory, events) {
        return Ok(Found::Events);
    }
    let indented = start > 0 && matches!(record[start - 1], b' ' | b'\t');
    let json = match (format, first) {
        (Format::Otlp | Format::Json, b'{') => true,
        (_, b'{') => json::whole_object(body),
        (Format::Otlp | Format::Json, b'[') => json::starts_array(body),
        (Format::Otlp | Format::Json, b']' | b',') => json::between(body),
        _ => false,
    };
    let read = match (format, json) {
        (_, false) => lines::read(format, body, indented, context, memory, events),
        (Format::Otlp, true) => json::documents(body, true, context, memory, events),
        (Format::Json, true) => json::documents(body, false, context, memory, events),
        (_, true) => json::documents(body, false, context, memory, events).or_else(|_| {
            events.truncate(before);
            lines::read(format, body, indented, context, memory, events)
        }),
    };
    read.map_err(|reject| {
        events.truncate(before);
        reject.shifted(start)
    })
}

/// The record without its byte order mark and its line end: blanks at either end may part fields.
fn unended(record: &[u8]) -> &[u8] {
    let body = record.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(record);
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    body.strip_suffix(b"\r").unwrap_or(body)
}

/// The record without its byte order mark, the white space around it and the NULs that a crash may have left before it;
/// and how many bytes were taken off in front.
fn trim(record: &[u8]) -> (usize, &[u8]) {
    let body = record.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(record);
    let blank = |byte: &&u8| byte.is_ascii_whitespace() || **byte == 0;
    let front = body.iter().take_while(blank).count();
    let back = body[front..].iter().rev().take_while(blank).count();
    (record.len() - body.len() + front, &body[front..body.len() - back])
}
