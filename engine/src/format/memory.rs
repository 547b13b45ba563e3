//! What a stream's decoder remembers from one record for the records after it.
//!
//! A record is decoded by its own bytes and by this: the header row that names its columns, the names of processes, the
//! calls that were entered and not left yet. It is part of the stream, is kept in snapshots, and its size is bounded.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Format;
use super::anchor::Anchor;
use super::bounded::Bounded;
use super::delimited::Header;
use super::header::Headed;
use super::multiline::Multiline;
use super::stacks::Stacks;
use super::table::Table;
use super::{ftrace, strace};

/// Of one stream. A rejected record leaves it as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The format that a record has told for the stream (a header row, say), where its first one did not.
    pub(super) told: Option<Format>,
    /// What the first line said of delimited ones that follow.
    pub(super) header: Option<Arc<Header>>,
    /// The outputs of a container whose latest line goes on in the next record, as bits.
    pub(super) cut: u8,
    /// What was said once and holds for records to come, by what it is of: the name of a process, a base time.
    pub(super) notes: BTreeMap<String, String>,
    /// Where a clock that counts from another time than the epoch has its zero.
    pub(super) anchor: Anchor,
    /// What the last header row of a tool says of the rows below it.
    pub(super) table: Option<Arc<Table>>,
    /// Calls by the lanes that they are nested in.
    pub(super) stacks: Stacks,
    /// Names of processes and threads.
    pub(super) lanes: Bounded<(u64, u64), String>,
    /// What tasks have begun, by the kernel's tracer.
    pub(super) ftrace: ftrace::Traced,
    /// What the header of a log says of the lines below it.
    pub(super) headed: Headed,
    /// What lines of text say of those behind them.
    pub(super) multiline: Multiline,
    /// Programs and open calls of strace.
    pub(super) strace: strace::Traced,
}

impl Memory {
    /// How much that was to be remembered had to be forgotten, to stay within bounds.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.strace.forgotten() + self.ftrace.forgotten() + self.lanes.forgotten()
    }

    /// Ends of calls without their beginning, and beginnings whose end is not waited for any longer.
    #[must_use]
    pub const fn unpaired(&self) -> u64 {
        self.stacks.unpaired()
    }
}
