//! What stands in a text in the places of a template's variables.

use super::shape::{VARIABLE, first_line, shape};

/// Places where a constant that follows a variable may stand in the text, of which the best is taken.
const CHOICES: usize = 8;

/// The values of a template's variables in a text that fits it, in their order. None if it does not fit.
///
/// Where a variable may end in more than one place, it ends in the first that leaves it a value as a whole
/// (`10.0.0.1:80` before `: `), else in the first.
#[must_use]
pub fn fill<'t>(template: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut parts = template.split(VARIABLE);
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut values = Vec::new();
    let mut parts = parts.peekable();
    let mut seen = String::new();
    while let Some(constant) = parts.next() {
        let (value, behind) = if parts.peek().is_none() {
            (rest.strip_suffix(constant)?, "")
        } else {
            let at = end(rest, constant, &mut seen)?;
            (&rest[..at], &rest[at + constant.len()..])
        };
        values.push(value);
        rest = behind;
    }
    (!values.is_empty() || rest.is_empty()).then_some(values)
}

/// Where in the text a variable ends that is followed by a constant and by more.
fn end(text: &str, constant: &str, seen: &mut String) -> Option<usize> {
    // A variable is seldom empty: only where it is in the template for what other messages have there.
    let from = text.chars().next().map_or(0, char::len_utf8);
    let places = || text[from..].match_indices(constant).map(|(at, _)| from + at).take(CHOICES);
    let first = places().next();
    let mut whole = || {
        places().find(|&at| {
            shape(&text[..at], seen);
            seen == VARIABLE
        })
    };
    // Mostly there is one place, and nothing to choose.
    let best = if places().nth(1).is_some() { whole().or(first) } else { first };
    best.or_else(|| text.starts_with(constant).then_some(0))
}

/// A message as its shape reads it: its first line, each run of white space one space.
pub(super) fn folded(message: &str) -> String {
    let blank = |c: char| matches!(c, '\t' | '\n' | '\x0b' | '\x0c' | '\r' | ' ');
    let mut out = String::new();
    for word in first_line(message).split(blank).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}
