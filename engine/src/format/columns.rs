//! What the columns of the tools of BCC and bpftrace are called, and what they say: the one place for such names.

use serde::{Deserialize, Serialize};

use super::{Context, time};

/// What a column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Role {
    /// When: a time of day.
    Clock,
    /// When: since the tool was started, in units of so many nanoseconds.
    Start(u64),
    /// Which program: its name may have blanks in it.
    Comm,
    /// Which program did it to another, or started it.
    Parent,
    /// How long it took, in units of so many nanoseconds.
    Duration(u64),
    /// The number of an error; 0 is none.
    Errno,
    /// What was returned: less than 0 is an error.
    Returned,
    /// How a process ended.
    Exit,
    /// What was done: a function, a call, the state it was in.
    Call,
    /// What was done, in a letter.
    Letter,
    /// A number.
    Number,
    /// A number of many events.
    Total,
    /// A word that is known and says none of these.
    Word,
    /// Anything, up to the end of the line if it is the last one.
    Text,
    /// Not known.
    Other,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) role: Role,
}

const SECOND: u64 = 1_000_000_000;
const MILLI: u64 = 1_000_000;
const MICRO: u64 = 1_000;

/// Names and what they say. Sorted.
const NAMES: &[(&str, Role)] = &[
    ("%", Role::Total),
    ("->", Role::Word),
    (">", Role::Word),
    ("ACTION", Role::Call),
    ("ADDR", Role::Word),
    ("AGE(ms)", Role::Duration(MILLI)),
    ("AGE(s)", Role::Duration(SECOND)),
    ("ARGS", Role::Text),
    ("ARGs", Role::Text),
    ("BYTES", Role::Number),
    ("C-COMM", Role::Comm),
    ("C-PID", Role::Number),
    ("CALL", Role::Call),
    ("CALLS", Role::Total),
    ("CAP", Role::Number),
    ("CMD", Role::Comm),
    ("COMM", Role::Comm),
    ("COMMAND", Role::Text),
    ("COUNT", Role::Total),
    ("CPU", Role::Number),
    ("D", Role::Letter),
    ("DADDR", Role::Word),
    ("DADDR:DPORT", Role::Word),
    ("DELTA(ms)", Role::Duration(MILLI)),
    ("DELTA(us)", Role::Duration(MICRO)),
    ("DEV", Role::Word),
    ("DEVICE", Role::Word),
    ("DISK", Role::Word),
    ("DPORT", Role::Number),
    ("DURATION(ms)", Role::Duration(MILLI)),
    ("DURATION(us)", Role::Duration(MICRO)),
    ("ERR", Role::Errno),
    ("EXIT_CODE", Role::Exit),
    ("FD", Role::Number),
    ("FILE", Role::Text),
    ("FILENAME", Role::Text),
    ("FLAGS", Role::Word),
    ("FNAME", Role::Text),
    ("FUNC", Role::Call),
    ("HITS", Role::Total),
    ("HOST", Role::Text),
    ("IF", Role::Word),
    ("IP", Role::Number),
    ("LABEL", Role::Word),
    ("LADDR", Role::Word),
    ("LADDR:LPORT", Role::Word),
    ("LAT(ms)", Role::Duration(MILLI)),
    ("LAT(ns)", Role::Duration(1)),
    ("LAT(s)", Role::Duration(SECOND)),
    ("LAT(us)", Role::Duration(MICRO)),
    ("LATms", Role::Duration(MILLI)),
    ("LATus", Role::Duration(MICRO)),
    ("LPORT", Role::Number),
    ("MISSES", Role::Total),
    ("MNT_NS", Role::Number),
    ("MODE", Role::Word),
    ("MS", Role::Duration(MILLI)),
    ("NAME", Role::Word),
    ("NEWSTATE", Role::Word),
    ("NODE", Role::Number),
    ("OFF_KB", Role::Number),
    ("OLDSTATE", Role::Call),
    ("OPTS", Role::Word),
    ("ORDER", Role::Word),
    ("PAGES", Role::Number),
    ("PATH", Role::Text),
    ("PCOMM", Role::Parent),
    ("PID", Role::Number),
    ("PORT", Role::Number),
    ("PPID", Role::Number),
    ("PROT", Role::Word),
    ("QUE(ms)", Role::Number),
    ("QUERY", Role::Text),
    ("RADDR", Role::Word),
    ("RADDR:RPORT", Role::Word),
    ("READS", Role::Total),
    ("RESULT", Role::Returned),
    ("RET", Role::Returned),
    ("RPORT", Role::Number),
    ("RVAL", Role::Word),
    ("RX_KB", Role::Number),
    ("SADDR", Role::Word),
    ("SADDR:SPORT", Role::Word),
    ("SECONDS", Role::Duration(SECOND)),
    ("SECTOR", Role::Number),
    ("SIG", Role::Number),
    ("SIZE", Role::Number),
    ("SKADDR", Role::Word),
    ("SOCKET", Role::Word),
    ("SPORT", Role::Number),
    ("STATE", Role::Word),
    ("STATUS", Role::Word),
    ("SYS", Role::Call),
    ("SYSCALL", Role::Call),
    ("T", Role::Letter),
    ("T>", Role::Word),
    ("TGID", Role::Number),
    ("TID", Role::Number),
    ("TIME", Role::Clock),
    ("TIME(ms)", Role::Start(MILLI)),
    ("TIME(s)", Role::Start(SECOND)),
    ("TIME(us)", Role::Start(MICRO)),
    ("TIME-UTC", Role::Clock),
    ("TOTAL_ns", Role::Total),
    ("TOTAL_usecs", Role::Total),
    ("TPID", Role::Number),
    ("TX_KB", Role::Number),
    ("UID", Role::Number),
    ("ZONE", Role::Word),
    ("calls", Role::Total),
    ("ms", Role::Duration(MILLI)),
    ("seconds", Role::Total),
    ("syscall", Role::Call),
    ("usecs/call", Role::Total),
];

/// The column of a word of a header; None if no header has such a word.
pub(super) fn column(word: &str) -> Option<Column> {
    let role = if let Ok(index) = NAMES.binary_search_by_key(&word, |(name, _)| name) {
        NAMES[index].1
    } else {
        let shape = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"()_:%#>-/".contains(&byte);
        let lower = word.strip_suffix("(ms)").or_else(|| word.strip_suffix("(us)")).unwrap_or(word);
        // What strace's own summary has, and only that, is in small letters.
        if word != "errors" && !lower.bytes().all(shape) {
            return None;
        }
        Role::Other
    };
    Some(Column { name: word.to_owned(), role })
}

/// Whether the rows stand for many events each.
pub(super) fn is_totals(columns: &[Column]) -> bool {
    let has = |name: &str| columns.iter().any(|column| column.name == name);
    // tcptop counts over an interval what tcplife counts over the life of a connection.
    columns.iter().any(|column| column.role == Role::Total) || has("RX_KB") && !has("MS")
}

/// What the rows of a table are, told by the columns that it has. Empty if nothing is known, or if a column says it.
pub(super) fn operation(columns: &[Column]) -> &'static str {
    const TOOLS: &[(&[&str], &str)] = &[
        (&["DISK", "SECTOR"], "block"),
        (&["FD", "PATH"], "open"),
        (&["FD", "FNAME"], "open"),
        (&["RET", "ERR", "PATH"], "stat"),
        (&["RET", "ERR", "FNAME"], "stat"),
        (&["RET", "ARGS"], "exec"),
        (&["PID", "PPID", "ARGS"], "exec"),
        (&["SIG", "TPID"], "kill"),
        (&["T>"], "retransmit"),
        (&["SADDR:SPORT", "STATE"], "drop"),
        (&["LADDR", "RADDR", "TX_KB"], "connection"),
        (&["SADDR", "DADDR", "DPORT"], "connect"),
        (&["RADDR", "RPORT", "LADDR", "LPORT"], "accept"),
        (&["PROT", "PORT"], "bind"),
        (&["HOST"], "resolve"),
        (&["QUERY"], "query"),
        (&["EXIT_CODE"], "exit"),
        (&["AGE(s)", "FILE"], "unlink"),
        (&["ORDER", "STATUS"], "compaction"),
        (&["PAGES", "LAT(ms)"], "reclaim"),
        (&["CAP"], "capability"),
        (&["COMMAND"], "command"),
        (&["FILE"], "lookup"),
        (&["LAT(us)"], "run queue"),
        (&["DEVICE"], "flush"),
    ];
    if columns.iter().any(|column| column.role == Role::Call) {
        return "";
    }
    let has = |name: &&str| columns.iter().any(|column| column.name == *name);
    TOOLS.iter().find(|(names, _)| names.iter().all(has)).map_or("", |(_, operation)| operation)
}

/// What a letter of a column T or D stands for, in a table of such rows.
pub(super) fn letter(operation: &str, letter: &str) -> Option<&'static str> {
    Some(match (operation, letter.as_bytes().first()?) {
        ("block", b'R') => "block read",
        ("block", b'W') => "block write",
        ("block", b'D') => "block discard",
        ("block", b'F') => "block flush",
        ("connect", b'C') => "connect",
        ("connect", b'A') => "accept",
        ("connect", b'X') => "close",
        ("", b'R') => "read",
        ("", b'W') => "write",
        ("", b'O') => "open",
        ("", b'S') => "fsync",
        ("", b'F') => "flush",
        _ => return None,
    })
}

impl Role {
    /// Whether a cell can stand in such a column.
    pub(super) fn holds(self, cell: &[u8], context: &Context) -> bool {
        match self {
            Self::Clock => time::prefix(cell, context).is_some_and(|(_, length)| length == cell.len()),
            Self::Number | Self::Start(_) | Self::Duration(_) | Self::Total | Self::Errno | Self::Returned => {
                let number = cell.strip_prefix(b"-").unwrap_or(cell);
                // Addresses are returned in hexadecimal digits.
                let digit = |byte: &u8| {
                    byte.is_ascii_digit() || *byte == b'.' || self == Self::Returned && byte.is_ascii_hexdigit()
                };
                matches!(cell, b"-" | b"?") || !number.is_empty() && number.iter().all(digit)
            }
            _ => true,
        }
    }

    /// Whether it tells a row from any other text.
    pub(super) const fn is_checked(self) -> bool {
        !matches!(
            self,
            Self::Comm | Self::Parent | Self::Exit | Self::Call | Self::Letter | Self::Word | Self::Text | Self::Other
        )
    }

    /// Whether its cell has the rest of the line, if it is the last one.
    pub(super) const fn is_free(self) -> bool {
        matches!(self, Self::Comm | Self::Exit | Self::Call | Self::Text | Self::Other | Self::Word)
    }
}

#[cfg(test)]
mod tests {
    use super::NAMES;

    #[test]
    fn names_are_sorted() {
        assert!(NAMES.is_sorted_by_key(|(name, _)| name));
    }
}
