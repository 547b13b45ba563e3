//! What is wrong with a query: the word at fault, where it stands, and what would do instead.

use std::fmt;

use crate::tokens::UnknownEncoding;

/// Characters of a field that are shown around the word at fault.
const SHOWN: usize = 100;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A word of the query.
    #[error("{0}")]
    Word(Box<Wrong>),
    /// Not even one row fits.
    #[error("a budget of {budget} tokens is too small for an answer to this query: {least} would do")]
    Budget {
        /// Asked for.
        budget: usize,
        /// Needed.
        least: usize,
    },
    /// No such encoding.
    #[error(transparent)]
    Encoding(#[from] UnknownEncoding),
    /// What was asked for is not there, or not any more.
    #[error("{0}")]
    Missing(String),
}

/// A word that cannot be understood, or asks for what was never kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The field of the query that it stands in.
    pub field: &'static str,
    /// All of that field.
    pub text: String,
    /// Where the word begins in it, in characters.
    pub at: usize,
    /// Its length in characters.
    pub length: usize,
    /// What was found and what to do.
    pub message: String,
    /// The nearest known word, where one is near.
    pub suggestion: Option<String>,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; did you mean {suggestion}?")?;
        }
        if self.text.is_empty() {
            return Ok(());
        }
        let from = self.at.saturating_sub(SHOWN / 2);
        let plain = |c: char| if c.is_control() || c.is_whitespace() { ' ' } else { c };
        let shown: String = self.text.chars().skip(from).take(SHOWN).map(plain).collect();
        let caret = "^".repeat(self.length.clamp(1, (SHOWN + from).saturating_sub(self.at).max(1)));
        write!(f, "\n  {}\n  {}{caret}", shown.trim_end(), " ".repeat(self.at - from))
    }
}

/// A field of the query as it was written, to point into it.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// Its name.
    pub field: &'static str,
    /// Its text.
    pub text: &'a str,
}

impl Written<'_> {
    /// The word at these bytes is wrong.
    pub fn wrong(self, at: usize, length: usize, message: impl Into<String>) -> Error {
        self.suggest(at, length, message, None)
    }

    /// The same, with the word that may have been meant.
    pub fn suggest(self, at: usize, length: usize, message: impl Into<String>, suggestion: Option<&str>) -> Error {
        let characters = |to: usize| self.text.get(..to.min(self.text.len())).unwrap_or(self.text).chars().count();
        Error::Word(Box::new(Wrong {
            field: self.field,
            text: self.text.to_owned(),
            at: characters(at),
            length: characters(at + length).saturating_sub(characters(at)),
            message: message.into(),
            suggestion: suggestion.map(str::to_owned),
        }))
    }

    /// The word is none of the known ones.
    #[must_use]
    pub fn unknown(self, at: usize, word: &str, what: &str, known: &[&str]) -> Error {
        let word = crate::redact::plain(word, 60);
        let message = format!("unknown {what} {word:?}: it is one of {}", known.join(", "));
        self.suggest(at, word.len(), message, nearest(&word, known.iter().copied()))
    }
}

/// What others call what is asked for here, each with the names that may be meant.
const SYNONYMS: [(&str, &[&str]); 18] = [
    ("latency", &["duration", "p95"]),
    ("elapsed", &["duration", "p95"]),
    ("response_time", &["duration", "p95"]),
    ("median", &["p50"]),
    ("average", &["mean"]),
    ("throughput", &["rate"]),
    ("rps", &["rate"]),
    ("qps", &["rate"]),
    ("calls", &["count", "edges"]),
    ("failures", &["errors"]),
    ("failed", &["status", "errors", "error"]),
    ("fail", &["error"]),
    ("endpoint", &["operation"]),
    ("minute", &["time:1m"]),
    ("tree", &["trace"]),
    ("spans", &["trace", "span"]),
    ("logs", &["templates", "log"]),
    ("dependencies", &["edges", "peer"]),
];

/// The known word nearest to one, if it is near enough to have been meant: a few letters away, another word for it, or the
/// shortest of which it is a part.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let length = lower.chars().count();
    let most = (length / 3).clamp(1, 3);
    let meant = SYNONYMS.iter().find(|(other, _)| *other == lower).map_or(&[][..], |(_, names)| names);
    known
        .filter_map(|name| {
            let theirs = name.to_lowercase();
            let distance = distance(&lower, &theirs);
            let rank = if meant.contains(&name) {
                0
            } else if distance <= most {
                distance
            } else if length >= 3 && theirs.contains(&lower) {
                usize::from(!theirs.starts_with(&lower)) + 10
            } else {
                return None;
            };
            Some((rank, name.len(), name))
        })
        .min()
        .map(|(.., name)| name)
}

/// Edits (insert, delete, replace, swap two neighbours) between two words (Damerau; optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    if a.len().abs_diff(b.len()) > 3 {
        return usize::MAX;
    }
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(rows[i - 2][j - 2] + 1);
            }
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error__word_within_a_field__caret_below_it_and_nearest_name() {
        let written = Written { field: "where", text: "service=päy servce=x" };
        let error = written.unknown(13, "servce", "name", &["service", "status"]);
        assert_eq!(
            error.to_string(),
            "where: unknown name \"servce\": it is one of service, status; did you mean service?\n  \
             service=päy servce=x\n              ^^^^^^"
        );
    }

    #[test]
    fn nearest__swapped_letters_and_far_words__meant_or_none() {
        let known = || ["payment", "checkout", "cart"].into_iter();
        assert_eq!(nearest("paymnet", known()), Some("payment"));
        assert_eq!(nearest("Chekout", known()), Some("checkout"));
        assert_eq!(nearest("frontend", known()), None);
        assert_eq!(nearest("pay", known()), Some("payment"));
        assert_eq!(nearest("latency", ["duration", "count"].into_iter()), Some("duration"));
    }
}
