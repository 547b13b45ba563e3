//! The one shape that every format decodes into.
//!
//! An [`Event`] borrows from the record it was read from: nothing is copied until the state keeps it.

use std::borrow::Cow;
use std::sync::Arc;

use crate::format::{Header, Table};

/// What an event is: a span by its role, a log record, a call or a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Kind {
    /// A span whose role its source does not say, or an operation inside a service.
    #[default]
    Internal = 0,
    /// The callee's side of a request.
    Server = 1,
    /// The caller's side of a request.
    Client = 2,
    /// The sender of a message.
    Producer = 3,
    /// The receiver of a message.
    Consumer = 4,
    /// A log record.
    Log = 5,
    /// Derived, never decoded: the message of failed spans.
    Failure = 6,
    /// Derived, never decoded: calls from an operation of one service to another service.
    Edge = 7,
    /// Derived, never decoded: an operation's steps, the spans below its own in the same service.
    Step = 8,
    /// Derived, never decoded: the calls that one instance of a service has answered.
    Instance = 9,
    /// Derived, never decoded: calls between services that by their clocks do not lie within the call that waited for them.
    Skew = 10,
}

impl Kind {
    /// Whether it is a span, by whichever role.
    #[must_use]
    pub const fn is_span(self) -> bool {
        matches!(self, Self::Internal | Self::Server | Self::Client | Self::Producer | Self::Consumer)
    }

    /// Whether it is what a source says, not what was derived from it.
    #[must_use]
    pub const fn is_decoded(self) -> bool {
        self.is_span() || matches!(self, Self::Log)
    }

    /// The word for it, as it stands in summaries, queries and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
            Self::Log => "log",
            Self::Failure => "failure",
            Self::Edge => "edge",
            Self::Step => "step",
            Self::Instance => "instance",
            Self::Skew => "skew",
        }
    }
}

/// How grave a log record says it is, on OpenTelemetry's six steps; `Unset` where it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Not said.
    #[default]
    Unset = 0,
    /// `SeverityNumber` 1 to 4.
    Trace = 1,
    /// `SeverityNumber` 5 to 8; syslog 7.
    Debug = 2,
    /// `SeverityNumber` 9 to 12; syslog 5 and 6.
    Info = 3,
    /// `SeverityNumber` 13 to 16; syslog 4.
    Warn = 4,
    /// `SeverityNumber` 17 to 20; syslog 3.
    Error = 5,
    /// `SeverityNumber` 21 to 24; syslog 0 to 2.
    Fatal = 6,
}

impl Level {
    /// The word for it, as it stands in summaries, queries and JSON; empty for `Unset`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unset => "",
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

/// A trace id: 16 bytes, all zero where there is none. Shorter ids are padded with zeros in front.
pub type TraceId = [u8; 16];

/// A span id: 8 bytes as a big-endian number, zero where there is none.
pub type SpanId = u64;

/// One span, log record, call or sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event<'a> {
    /// Span by role, or log record.
    pub kind: Kind,
    /// Nanoseconds since the Unix epoch: a span's end, a log record's own time; `None` where the record has none.
    pub time: Option<i64>,
    /// Nanoseconds a span took; `None` for what takes no time.
    pub duration: Option<u64>,
    /// Nanoseconds of it that were spent in no call below, where the source's nesting says so; elsewhere a trace's joins do.
    pub own: Option<u64>,
    /// Who did it (`service.name`, the program of a syslog line, the container …); empty where nothing says so.
    pub service: Cow<'a, str>,
    /// What was done: a span's name, a log record's logger; may be empty.
    pub operation: Cow<'a, str>,
    /// A log record's text, or the status message (else the exception's message) of a failed span.
    pub message: Cow<'a, str>,
    /// A log record's severity.
    pub level: Level,
    /// The span's status is an error, or the record's level is error or above.
    pub failed: bool,
    /// The trace it belongs to.
    pub trace: TraceId,
    /// Its own span id, or for a log record the span it was written in.
    pub span: SpanId,
    /// The span id of its parent.
    pub parent: SpanId,
    /// What else the record says, decoded when it is asked for.
    pub attributes: Attributes<'a>,
    /// The bytes of this event alone, for evidence: a span's object, a log line.
    pub raw: &'a [u8],
}

/// The attributes of an event as they stand in the record; `iter()` decodes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Attributes<'a> {
    /// None, or the format has no such thing.
    #[default]
    None,
    /// The text of two OTLP/JSON `KeyValue` arrays: the event's own and its resource's; either may be empty.
    OtlpJson {
        /// Of the span or log record.
        own: &'a [u8],
        /// Of the service, host or container that it came from.
        resource: &'a [u8],
    },
    /// Protobuf messages that have OTLP `KeyValue`s: the event, and its resource; either may be empty.
    OtlpProto {
        /// The span or log record.
        own: &'a [u8],
        /// The number of the field that holds its attributes.
        field: u32,
        /// The service, host or container that it came from.
        resource: &'a [u8],
    },
    /// The text of a JSON object; keys that the event's own fields came from may stand in it too.
    Json(&'a [u8]),
    /// Text with `key=value` pairs, as `logfmt` has them; the same holds for their keys.
    Pairs(&'a [u8]),
    /// The cells of a row and what the columns are called.
    Row {
        /// The header.
        table: Arc<Table>,
        /// The row.
        row: &'a [u8],
    },
    /// The fields of a delimited line and what the columns are called.
    Cells {
        /// The columns.
        header: Arc<Header>,
        /// The line.
        row: &'a [u8],
    },
    /// A line of an access log: client, method, target, status, size, referer and agent.
    Request(&'a [u8]),
    /// Groups of fields in braces, as babeltrace prints them.
    Lttng(&'a [u8]),
    /// A line of strace: process, error, result and path.
    Strace(&'a [u8]),
}
