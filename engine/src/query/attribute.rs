//! Attributes of events in a question: `attribute.tenant=acme` in `where`, `attribute.tenant` in `group_by`.

use super::error::{Error, Written};
use super::request::What;
use super::subject::Pattern;
use super::words::{Op, Term};
use crate::state::pairs::VALUE;

/// What stands before a key; `attribute.` is how it is written, the others are understood.
const PREFIXES: [&str; 4] = ["attribute.", "attribute:", "attributes.", "attributes:"];

/// Stands for the value of an attribute that an event does not have.
pub const NONE: &str = "(none)";

/// A key as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// The field of the question that it stands in.
    pub field: &'static str,
    /// Where, in bytes, and how many.
    pub place: (usize, usize),
}

impl Key {
    /// The key of a word such as `attribute.tenant` at its place; none if the word is no such one.
    ///
    /// # Errors
    /// [`Error::Word`] if it has no key, or one by which attributes are not kept.
    pub fn of(written: Written<'_>, at: usize, word: &str) -> Option<Result<Self, Error>> {
        let rest = PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix))?;
        let name = rest.trim_matches(['"', '\'']);
        Some(match name {
            "" => Err(written.wrong(at, word.len(), "no key behind it, as in attribute.tenant")),
            "service.name" => {
                Err(written.wrong(at, word.len(), "service.name is what service says: ask for service instead"))
            }
            _ => Ok(Self { name: name.to_owned(), field: written.field, place: (at, word.len()) }),
        })
    }

    /// The value that an event has, among `key=value` of all that it carries.
    #[must_use]
    pub fn value<'p>(&self, pairs: &[&'p str]) -> Option<&'p str> {
        self.values(pairs).next()
    }

    fn values<'p>(&self, pairs: &[&'p str]) -> impl Iterator<Item = &'p str> {
        pairs.iter().filter_map(|pair| pair.strip_prefix(self.name.as_str())?.strip_prefix('='))
    }
}

/// The length of what stands before a key at the beginning of a text, if something does.
#[must_use]
pub fn prefix(text: &str) -> Option<usize> {
    PREFIXES.iter().find(|prefix| text.starts_with(**prefix)).map(|prefix| prefix.len())
}

/// A term about an attribute.
#[derive(Clone, Debug)]
pub struct Carries {
    /// Whose value is looked at.
    pub key: Key,
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    /// It is like any of these.
    Like(Vec<Pattern>),
    /// It is a number, and compares so.
    Number(Op, f64),
}

impl Carries {
    /// Understand a term whose name is that of an attribute.
    ///
    /// # Errors
    /// [`Error::Word`] at a key or a value that makes no sense.
    pub fn of(written: Written<'_>, key: Key, term: &Term) -> Result<Self, Error> {
        let negated = term.negated;
        if !matches!(term.op, Op::Is | Op::Has) {
            let value = &term.values[0];
            let number = value.text.parse::<f64>().ok().filter(|number| number.is_finite() && term.values.len() == 1);
            let number = number.ok_or_else(|| {
                written.wrong(value.at, value.length, "no number to compare with, as in attribute.status_code>=500")
            })?;
            return Ok(Self { key, negated, test: Test::Number(term.op, number) });
        }
        let pattern = |value: &super::words::Value| match (term.op, !value.quoted && value.text.contains(['*', '?'])) {
            (Op::Has, false) => Pattern::Contains(value.text.to_ascii_lowercase()),
            (Op::Has, true) => Pattern::Glob(format!("*{}*", value.text)),
            (_, true) => Pattern::Glob(value.text.clone()),
            (_, false) => Pattern::Exactly(cut(&value.text)),
        };
        Ok(Self { key, negated, test: Test::Like(term.values.iter().map(pattern).collect()) })
    }

    /// Whether an event is meant, by `key=value` of all that it carries. Without the attribute it is like `""` alone.
    #[must_use]
    pub fn fits(&self, pairs: &[&str]) -> bool {
        let mut values = self.key.values(pairs).peekable();
        let found = match (&self.test, values.peek()) {
            (Test::Like(patterns), None) => {
                patterns.iter().any(|pattern| matches!(pattern, Pattern::Exactly(text) if text.is_empty()))
            }
            (Test::Like(patterns), _) => values.any(|value| patterns.iter().any(|pattern| pattern.fits(value))),
            (&Test::Number(op, bound), _) => {
                values.filter_map(|value| value.parse::<f64>().ok()).any(|value| match op {
                    Op::More => value > bound,
                    Op::Least => value >= bound,
                    Op::Less => value < bound,
                    _ => value <= bound,
                })
            }
        };
        found != self.negated
    }

    /// The values that were asked for exactly.
    pub fn exact(&self) -> impl Iterator<Item = &str> {
        let patterns = match &self.test {
            Test::Like(patterns) if !self.negated => patterns.as_slice(),
            _ => &[],
        };
        patterns.iter().filter_map(|pattern| match pattern {
            Pattern::Exactly(text) if !text.is_empty() => Some(text.as_str()),
            _ => None,
        })
    }
}

/// A value as one that is kept would be: cut where it is too long.
fn cut(text: &str) -> String {
    if text.len() <= VALUE {
        return text.to_owned();
    }
    let end = (0..=VALUE).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    format!("{}…", &text[..end])
}

/// Why a question of this kind takes no attributes, and what does; nothing of those that do.
#[must_use]
pub const fn refused(what: What) -> Option<&'static str> {
    Some(match what {
        What::Series | What::Templates | What::Evidence | What::Traces | What::Attributes => return None,
        What::Edges => {
            "calls between services are told from traces and have no attributes: what=series with kind=client tells calls by \
             what they carried"
        }
        What::Diff => {
            "what has changed is told of exact counts, and attributes are kept of samples: ask what=series twice, with since \
             and until"
        }
        What::Timeline => {
            "a line is of exact counts, and attributes are kept of samples: ask what=series with group_by=time:1m for numbers \
             that say how far they may be off"
        }
        What::Facts => "statements of a summary have no attributes: what=attributes tells which stand out",
        What::Trace | What::Path => {
            "the spans of a trace are kept without attributes: what=evidence shows raw ones, what=traces takes attributes"
        }
        What::Values => "variables of messages are no attributes: what=attributes tells values of attributes",
        What::Sources => "sources have no attributes: ask what=series with source and an attribute",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::words::terms;

    fn fits(text: &str, pairs: &[&str]) -> bool {
        let written = Written { field: "where", text };
        let term = &terms(written).unwrap()[0];
        let key = Key::of(written, term.at, &term.name).unwrap().unwrap();
        Carries::of(written, key, term).unwrap().fits(pairs)
    }

    #[test]
    fn carries__each_operator__the_events_meant() {
        let pairs = ["tenant=acme", "http.status_code=503", "a b=c=d", "url=/x?y=1"];
        for (text, expected) in [
            ("attribute.tenant=acme", true),
            ("attribute:tenant=acme", true),
            ("attributes.tenant=b,acme", true),
            ("attribute.tenant=ac*", true),
            ("attribute.tenant=\"ac*\"", false),
            ("attribute.tenant~CM", true),
            ("attribute.tenant!=acme", false),
            ("-attribute.tenant=b", true),
            ("attribute.http.status_code>=500", true),
            ("attribute.http.status_code<500", false),
            ("attribute.tenant>1", false),
            ("attribute.\"a b\"=c=d", true),
            ("attribute.url=/x?y=1", true),
            ("attribute.region=*", false),
            ("attribute.region=\"\"", true),
            ("attribute.region!=x", true),
            ("attribute.tenant=\"\"", false),
            ("attribute.ten=acme", false),
        ] {
            assert_eq!(fits(text, &pairs), expected, "{text}");
        }
        let long = format!("note={}…", "x".repeat(VALUE));
        assert!(fits(&format!("attribute.note={}", "x".repeat(200)), &[&long]));
    }
}
