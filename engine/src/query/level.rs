//! Terms about the level of log records: `level=warn`, `level>=warn`, `level<info`.

use super::dimension::Dimension;
use super::error::{Error, Written};
use super::subject::{Pattern, Subject, Test};
use super::words::{Op, Term};
use crate::event::Level;

/// The levels in their order, and the word for records that say none.
const NAMES: [&str; 7] = ["unset", "trace", "debug", "info", "warn", "error", "fatal"];

/// How else loggers call them; none of these is a level of its own.
const ALIKE: [(&str, &str); 11] = [
    ("none", "unset"),
    ("verbose", "trace"),
    ("information", "info"),
    ("informational", "info"),
    ("notice", "info"),
    ("warning", "warn"),
    ("err", "error"),
    ("severe", "error"),
    ("critical", "fatal"),
    ("crit", "fatal"),
    ("panic", "fatal"),
];

/// The level as a series of log records is keyed by it, from the word for it.
fn keyed(place: usize) -> &'static str {
    if place == 0 { Level::Unset.name() } else { NAMES[place] }
}

/// Understand a term about levels. What says none is neither above nor below one.
///
/// # Errors
/// [`Error::Word`] at a value that is no level.
pub fn test(written: Written<'_>, term: &Term) -> Result<Test, Error> {
    let mut patterns = Vec::new();
    for value in &term.values {
        if !value.quoted && value.text.contains(['*', '?']) && matches!(term.op, Op::Is | Op::Has) {
            patterns.push(Pattern::Glob(value.text.to_ascii_lowercase()));
            continue;
        }
        let lower = value.text.to_ascii_lowercase();
        let word = ALIKE.iter().find(|(other, _)| *other == lower).map_or(lower.as_str(), |(_, name)| name);
        let word = if word.is_empty() { NAMES[0] } else { word };
        let Some(place) = NAMES.iter().position(|name| *name == word) else {
            return Err(written.unknown(value.at, &value.text, "level", &NAMES));
        };
        let ordered = !matches!(term.op, Op::Is | Op::Has);
        if ordered && (place == 0 || term.values.len() > 1) {
            let message = "levels are compared with one of them, such as level>=warn";
            return Err(written.wrong(value.at, value.length, message));
        }
        let meant = |other: &usize| match term.op {
            Op::Is | Op::Has => *other == place,
            Op::More => *other > place,
            Op::Least => *other >= place,
            Op::Less => (1..place).contains(other),
            Op::Most => (1..=place).contains(other),
        };
        patterns.extend((0..NAMES.len()).filter(meant).map(|other| Pattern::Exactly(keyed(other).to_owned())));
    }
    let said = term.said(written);
    Ok(Test { negated: term.negated, subject: Subject::Dimension(Dimension::Level), patterns, said })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::words::terms;

    fn meant(text: &str) -> Result<Vec<&'static str>, Error> {
        let written = Written { field: "where", text };
        let test = test(written, &terms(written)?[0])?;
        Ok((0..NAMES.len()).filter(|&at| test.wants(keyed(at), "")).map(|at| NAMES[at]).collect())
    }

    #[test]
    fn level__each_operator__the_levels_that_are_meant() {
        for (text, expected) in [
            ("level=warn", &["warn"][..]),
            ("level=WARNING,err", &["warn", "error"]),
            ("level>=warn", &["warn", "error", "fatal"]),
            ("level>warn", &["error", "fatal"]),
            ("level<info", &["trace", "debug"]),
            ("level<=info", &["trace", "debug", "info"]),
            ("level=unset", &["unset"]),
            ("level=\"\"", &["unset"]),
            ("level=*a*", &["trace", "warn", "fatal"]),
        ] {
            assert_eq!(meant(text).unwrap(), expected, "{text}");
        }
        for names in ALIKE {
            assert!(NAMES.contains(&names.1), "{names:?}");
        }
        assert_eq!(NAMES[4], Level::Warn.name());
    }

    #[test]
    fn level__no_level__the_nearest_that_is() {
        let said = meant("level=wran").unwrap_err().to_string();
        assert!(said.contains("did you mean warn?"), "{said}");
        assert!(meant("level>=unset").is_err());
        assert!(meant("level>=info,warn").is_err());
    }
}
