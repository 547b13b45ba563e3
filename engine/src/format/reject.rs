//! Why a record was rejected.

use std::fmt;

/// Why a record cannot be read: what was found, and where in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Reject {
    what: What,
    /// Saturates: with 32 bits a `Result` of a reader's step travels in registers.
    at: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Ends,
    Unexpected(u8),
    Depth,
    WrongType,
    Binary,
    Protobuf,
    Metrics,
    Profiles,
    Unclear,
    Totals,
    Many,
}

impl Reject {
    /// The kind of reason, for counting: one of a few.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self.what {
            What::Ends => "JSON ends early",
            What::Unexpected(_) => "not JSON",
            What::Depth => "JSON nested too deep",
            What::WrongType => "not OTLP",
            What::Binary => "binary",
            What::Protobuf => "not OTLP in protobuf",
            What::Metrics => "OTLP metrics",
            What::Profiles => "OTLP profiles",
            What::Unclear => "OTLP of no clear kind",
            What::Totals => "totals, not events",
            What::Many => "record of too many events",
        }
    }

    /// The byte of the record at which reading stopped, from 0.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.at as usize
    }

    fn new(what: What, at: usize) -> Self {
        Self { what, at: u32::try_from(at).unwrap_or(u32::MAX) }
    }

    pub(super) fn ends(at: usize) -> Self {
        Self::new(What::Ends, at)
    }

    pub(super) fn unexpected(at: usize, byte: u8) -> Self {
        Self::new(What::Unexpected(byte), at)
    }

    pub(super) fn depth(at: usize) -> Self {
        Self::new(What::Depth, at)
    }

    pub(super) fn wrong_type(at: usize) -> Self {
        Self::new(What::WrongType, at)
    }

    pub(super) fn binary(at: usize) -> Self {
        Self::new(What::Binary, at)
    }

    pub(super) fn protobuf(at: usize) -> Self {
        Self::new(What::Protobuf, at)
    }

    pub(super) fn metrics(at: usize) -> Self {
        Self::new(What::Metrics, at)
    }

    pub(super) fn profiles(at: usize) -> Self {
        Self::new(What::Profiles, at)
    }

    /// Whether it is OTLP that was rejected, for what it carries.
    pub(super) const fn is_otlp(self) -> bool {
        matches!(self.what, What::Metrics | What::Profiles | What::Unclear)
    }

    pub(super) fn unclear(at: usize) -> Self {
        Self::new(What::Unclear, at)
    }

    pub(super) fn many(at: usize) -> Self {
        Self::new(What::Many, at)
    }

    pub(super) const fn totals() -> Self {
        Self { what: What::Totals, at: 0 }
    }

    /// The same, for text that starts `by` bytes into the record.
    pub(super) fn shifted(self, by: usize) -> Self {
        Self::new(self.what, self.offset() + by)
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at;
        match self.what {
            What::Ends => write!(f, "JSON ends early, at byte {at}"),
            What::Unexpected(byte) if byte.is_ascii_graphic() || byte == b' ' => {
                write!(f, "not JSON: unexpected '{}' at byte {at}", char::from(byte))
            }
            What::Unexpected(byte) => write!(f, "not JSON: unexpected byte 0x{byte:02x} at byte {at}"),
            What::Depth => write!(f, "JSON nested too deep, at byte {at}"),
            What::WrongType => write!(f, "not OTLP: a value of another type at byte {at}"),
            What::Totals => f.write_str("totals, not events: a row of a table of sums or of a histogram"),
            What::Many => write!(f, "a record of more than {} events, at byte {at}", super::MOST_EVENTS),
            What::Binary => write!(f, "binary, first control byte at byte {at}"),
            What::Protobuf => write!(f, "not OTLP in protobuf: no field of it at byte {at}"),
            What::Metrics => f.write_str("OTLP metrics: only spans and log records are read"),
            What::Profiles => f.write_str("OTLP profiles: only spans and log records are read"),
            What::Unclear => {
                f.write_str("OTLP of no clear kind: nothing in it tells whether it holds spans or log records")
            }
        }
    }
}
