//! Events by how they ended.

use super::error::{Error, Written};
use super::words::Term;

/// How an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// That failed.
    Error,
    /// That did not.
    Ok,
}

impl Status {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Ok => "ok",
        }
    }

    /// That of an event.
    #[must_use]
    pub const fn of_failed(failed: bool) -> Self {
        if failed { Self::Error } else { Self::Ok }
    }

    /// What a term about the status asks for.
    ///
    /// # Errors
    /// [`Error::Word`] at a value that is no status, or if it leaves nothing out.
    pub fn of(written: Written<'_>, term: &Term) -> Result<Self, Error> {
        let value = &term.values[0];
        let found = match value.text.as_str() {
            "error" | "failed" => Self::Error,
            "ok" | "unset" => Self::Ok,
            word => return Err(written.unknown(value.at, word, "status", &["ok", "error"])),
        };
        if term.values.len() > 1 {
            return Err(written.wrong(value.at, value.length, "ok and error are all there are: leave the term out"));
        }
        Ok(match (found, term.negated) {
            (Self::Error, false) | (Self::Ok, true) => Self::Error,
            _ => Self::Ok,
        })
    }
}
