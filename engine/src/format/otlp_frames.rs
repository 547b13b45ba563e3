//! Where OTLP/protobuf requests begin and end in a stream.
//!
//! Three ways are told apart record by record, by what stands inside: a length as varint before each request (protobuf's
//! usual delimiting), a length in four bytes, the highest first (the Collector's file exporter), or a request alone, of
//! which each `ResourceSpans` is a record (requests one after the other are one request, so protobuf has it). Every request
//! starts with field 1, whose message starts with a resource or a scope: [`LOOK`] bytes of it tell.

use super::records::Next;
use super::wire::varint;

/// Bytes of a request by which it is recognised.
const LOOK: usize = 32;

/// Behind bytes that are no record only one of that many bytes is searched for. It is more than it takes to recognise
/// one, so that a record ends at the same place whether or not it is known what follows it.
const SEARCHED: usize = LOOK + 8;

/// What a record's first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// A length of so many bytes, then a request of so many.
    Prefixed(usize, usize),
    /// A `ResourceSpans` with its tag, so many bytes in all.
    Bare(usize),
    /// No OTLP.
    No,
    /// It takes more bytes to tell.
    More,
}

impl Start {
    /// Bytes of the whole record, if it is one.
    pub(super) const fn length(self) -> Option<usize> {
        match self {
            Self::Prefixed(prefix, length) => Some(prefix + length),
            Self::Bare(length) => Some(length),
            Self::No | Self::More => None,
        }
    }
}

/// The next record of a stream: a request, or what stands before the next one.
pub(super) fn next_record(data: &[u8]) -> Next {
    match start(data) {
        Start::More => Next::Incomplete,
        Start::No => {
            for at in 1..data.len() {
                match start(&data[at..]) {
                    Start::No => {}
                    Start::More => return Next::Incomplete,
                    found if found.length().is_some_and(|length| length >= SEARCHED) => return Next::Record(at),
                    _ => {}
                }
            }
            Next::Incomplete
        }
        found => match found.length() {
            Some(length) if length <= data.len() => Next::Record(length),
            _ => Next::Incomplete,
        },
    }
}

/// What the first bytes of a record say.
///
/// The order matters: each answer is found in bytes of the record itself. A request of 10 bytes, which has no room for a
/// span, is the only one whose length could be taken for a tag.
pub(super) fn start(data: &[u8]) -> Start {
    let Some(&first) = data.first() else { return Start::More };
    match varint(data) {
        Some((0, _)) => {}
        Some((length, prefix)) => match bounded(length).map(|length| (length, request(&data[prefix..], length))) {
            Some((length, Check::Yes)) => return Start::Prefixed(prefix, length),
            Some((_, Check::More)) => return Start::More,
            _ => {}
        },
        None if data.len() < 5 => return Start::More,
        None => return Start::No,
    }
    if first == 0x0A {
        return match data.get(1..).map(|rest| (varint(rest), rest)) {
            Some((Some((length, prefix)), rest)) => match bounded(length) {
                Some(length) => match resource_part(&rest[prefix..], length) {
                    Check::Yes => Start::Bare(1 + prefix + length),
                    Check::No => Start::No,
                    Check::More => Start::More,
                },
                None => Start::No,
            },
            Some((None, rest)) if rest.len() >= 5 => Start::No,
            _ => Start::More,
        };
    }
    if first >= 0x80 {
        return Start::No;
    }
    let Some(prefix) = data.first_chunk::<4>() else { return Start::More };
    match u32::from_be_bytes(*prefix) as usize {
        0 => Start::No,
        length => match request(&data[4..], length) {
            Check::Yes => Start::Prefixed(4, length),
            Check::No => Start::No,
            Check::More => Start::More,
        },
    }
}

/// Lengths that a message can have: protobuf allows 2 GiB.
fn bounded(length: u64) -> Option<usize> {
    usize::try_from(length).ok().filter(|length| *length < 1 << 31)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    Yes,
    No,
    More,
}

/// What may stand in a message, by the tag of a field.
#[derive(Clone, Copy)]
enum Schema {
    Request,
    /// `ResourceSpans` and its like.
    Part,
    Resource,
    KeyValue,
    /// `ScopeSpans` and its like.
    Scope,
    Any,
}

impl Schema {
    /// What stands in the field of a tag; `None` if there is no such field.
    const fn field(self, tag: u64) -> Option<Self> {
        Some(match (self, tag) {
            (Self::Request, 0x0A) => Self::Part,
            (Self::Part, 0x0A) => Self::Resource,
            // Field 1000: how the first versions of OTLP named the scopes.
            (Self::Part, 0x12 | 0x1F42) => Self::Scope,
            (Self::Resource, 0x0A) => Self::KeyValue,
            (Self::Part | Self::Resource, 0x1A) | (Self::KeyValue | Self::Scope, 0x0A | 0x12 | 0x1A) => Self::Any,
            _ => return None,
        })
    }
}

fn request(data: &[u8], length: usize) -> Check {
    // One without anything in it does not start.
    if length == 0 { Check::No } else { check(data, length, Schema::Request) }
}

fn resource_part(data: &[u8], length: usize) -> Check {
    check(data, length, Schema::Part)
}

/// Whether a message of `length` bytes may start so, and the messages that it starts with.
fn check(data: &[u8], mut length: usize, mut schema: Schema) -> Check {
    let mut rest = &data[..data.len().min(LOOK)];
    // What is looked at ends where `LOOK` is reached, and then nothing speaks against it; or more bytes will come.
    let cut = if data.len() >= LOOK { Check::Yes } else { Check::More };
    while length > 0 {
        if matches!(schema, Schema::Any) {
            return Check::Yes;
        }
        let whole = rest.len() >= length;
        rest = &rest[..rest.len().min(length)];
        let missing = if whole { Check::No } else { cut };
        let Some((tag, tag_length)) = varint(rest) else { return missing };
        if matches!(schema, Schema::Resource) && tag == 0x10 {
            return Check::Yes;
        }
        let Some(inner) = schema.field(tag) else { return Check::No };
        rest = &rest[tag_length..];
        let Some((claimed, size)) = varint(rest) else { return missing };
        let room = length - tag_length - size;
        match bounded(claimed) {
            Some(claimed) if claimed <= room => length = claimed,
            _ => return Check::No,
        }
        rest = &rest[size..];
        schema = inner;
    }
    Check::Yes
}
