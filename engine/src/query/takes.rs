//! Which fields a question of each kind takes: one that would be passed over in silence is said to be of no use.

use super::error::{Error, Written};
use super::request::{Request, What};

/// Refuse a field that says nothing to a question of this kind.
///
/// # Errors
/// [`Error::Word`] at the first such field, with what it is for.
pub fn check(request: &Request) -> Result<(), Error> {
    // The path of no trace is that of all of them, told as series are.
    let what = if request.what == What::Path && request.of.is_none() { What::Series } else { request.what };
    let given = [
        ("of", &request.of),
        ("group_by", &request.group_by),
        ("select", &request.select),
        ("compare", &request.compare),
        ("since", &request.since),
        ("until", &request.until),
    ];
    for (field, text) in given {
        let Some(text) = text.as_deref() else { continue };
        // What is told as a whole is so anyway.
        if matches!((field, text.trim()), ("since", "all") | ("until", "now")) {
            continue;
        }
        if let Some(says) = refused(what, field) {
            let message = format!("what={} takes no {field}: {says}", what.name());
            return Err(Written { field, text }.wrong(0, text.len(), message));
        }
    }
    Ok(())
}

/// Why a field says nothing to a question of a kind; nothing if it does.
const fn refused(what: What, field: &str) -> Option<&'static str> {
    let is_measured = matches!(what, What::Series | What::Edges | What::Templates | What::Diff | What::Timeline);
    match field.as_bytes() {
        b"of" if matches!(what, What::Facts | What::Sources) => Some("where says what it is about"),
        b"group_by" | b"select" if !is_measured => {
            Some("its rows and columns are its own; what=series is grouped and measured as asked")
        }
        b"compare" if !is_measured && !matches!(what, What::Facts) => {
            Some("it is of one stretch of time; what=series, diff and facts compare")
        }
        b"since" | b"until" if matches!(what, What::Trace | What::Path) => Some("a trace is told as a whole"),
        b"since" | b"until" if matches!(what, What::Sources) => {
            Some("it is of all that was read; what=series with group_by=source is of a stretch of time")
        }
        b"until" if matches!(what, What::Facts | What::Values) => Some("it is told up to the newest event"),
        _ => None,
    }
}
