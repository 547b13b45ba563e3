//! Lines of containers that were cut into pieces because they were long: Docker's json-file and the container runtime
//! interface (CRI) cut at 16 KiB. The first piece is the event, and those behind it go on with it.

use super::Memory;
use super::fields::Fields;
use super::names::Field;
use super::value::{Text, Value};

/// A piece of a line, or a whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// A bit for the output that it was written to.
    output: u8,
    /// Whether the line ends with it.
    ends: bool,
}

const STDOUT: u8 = 1;
const STDERR: u8 = 2;

/// What a record of Docker's json-file is, if it is one.
pub(super) fn docker(fields: &Fields<'_>) -> Option<Piece> {
    let output = match fields.stream.value.plain()? {
        b"stdout" => STDOUT,
        b"stderr" => STDERR,
        _ => return None,
    };
    match (fields.message.field, fields.message.value) {
        (Field::Output, Value::String(Text { raw })) => Some(Piece { output, ends: raw.ends_with(b"\\n") }),
        _ => None,
    }
}

/// What a line as CRI writes it is: `2026-11-24T23:42:01.123456789Z stdout P text`.
pub(super) fn cri(line: &[u8]) -> Option<Piece> {
    if line.get(10) != Some(&b'T') {
        return None;
    }
    let space = memchr::memchr(b' ', line.get(..40)?)?;
    let output = match line.get(space + 1..space + 8)? {
        b"stdout " => STDOUT,
        b"stderr " => STDERR,
        _ => return None,
    };
    match line.get(space + 8..space + 10)? {
        b"P " => Some(Piece { output, ends: false }),
        b"F " => Some(Piece { output, ends: true }),
        _ => None,
    }
}

/// Take note of a piece; true if it goes on with the one before.
pub(super) const fn goes_on(memory: &mut Memory, piece: Piece) -> bool {
    let open = memory.cut & piece.output != 0;
    memory.cut &= !piece.output;
    if !piece.ends {
        memory.cut |= piece.output;
    }
    open
}
