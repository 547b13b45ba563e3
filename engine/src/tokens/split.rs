//! Text into pieces, as the regular expressions of `tiktoken_ext/openai_public.py` cut it.
//!
//! Written by hand, since the expressions need look-ahead, and an engine that has it spends most of tiktoken's time and
//! overflows its stack on a million spaces. A match depends on what stands at and after its start alone, so a rule is
//! a function from the start of a piece to its end; every rule takes at least one character. The tests hold
//! them against the expressions themselves, run by the engine that tiktoken uses.

use super::class::{Class, Classes};

/// Where the piece that starts at a byte ends; the start lies before the end of the text.
pub(super) type Rule = fn(&Classes, &str, usize) -> usize;

/// The pieces of a text, in order and without gaps.
pub(super) struct Pieces<'a> {
    text: &'a str,
    at: usize,
    rule: Rule,
    classes: &'static Classes,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(text: &'a str, rule: Rule, classes: &'static Classes) -> Self {
        Self { text, at: 0, rule, classes }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        if self.at >= self.text.len() {
            return None;
        }
        let end = (self.rule)(self.classes, self.text, self.at);
        let piece = &self.text[self.at..end];
        self.at = end;
        Some(piece)
    }
}

/// ```text
/// '(?i:[sdmt]|ll|ve|re)
/// |[^\r\n\p{L}\p{N}]?+\p{L}++
/// |\p{N}{1,3}+
/// | ?[^\s\p{L}\p{N}]++[\r\n]*+
/// |\s++$|\s*[\r\n]|\s+(?!\S)|\s
/// ```
pub(super) fn cl100k_base(classes: &Classes, text: &str, start: usize) -> usize {
    let Some((first, next)) = classes.at(text, start) else { return text.len() };
    if let Some(end) = contraction(text, start) {
        return end;
    }
    if first.is_letter() {
        return classes.run(text, next, Class::is_letter);
    }
    if first == Class::Number {
        return number(classes, text, next);
    }
    let second = classes.at(text, next);
    if first != Class::Newline
        && let Some((class, after)) = second
        && class.is_letter()
    {
        return classes.run(text, after, Class::is_letter);
    }
    if let Some(end) = symbols(classes, text, start, first, b"\r\n") {
        return end;
    }
    let run = white_space(classes, text, start);
    if run.end == text.len() { run.end } else { run.piece() }
}

/// ```text
/// [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
/// |[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
/// |\p{N}{1,3}
/// | ?[^\s\p{L}\p{N}]+[\r\n/]*
/// |\s*[\r\n]+|\s+(?!\S)|\s+
/// ```
pub(super) fn o200k_base(classes: &Classes, text: &str, start: usize) -> usize {
    let Some((first, next)) = classes.at(text, start) else { return text.len() };
    if first == Class::Number {
        return number(classes, text, next);
    }
    if let Some(end) = word(classes, text, start, first, next) {
        return contraction(text, end).unwrap_or(end);
    }
    if let Some(end) = symbols(classes, text, start, first, b"\r\n/") {
        return end;
    }
    white_space(classes, text, start).piece()
}

/// The first two alternatives of `o200k_base`, without the contraction.
fn word(classes: &Classes, text: &str, start: usize, first: Class, next: usize) -> Option<usize> {
    if first.is_letter() {
        let word = Word::at(classes, text, start);
        return word.cased.or(word.upper);
    }
    if first == Class::Newline {
        return None;
    }
    // One character of another kind may lead the word. A mark is both such a character and part of words, hence the
    // second attempt, without a leading character, before the second alternative gets its turn.
    let led = Word::at(classes, text, next);
    led.cased.or_else(|| if first == Class::Mark { Word::at(classes, text, start).cased } else { None }).or(led.upper)
}

/// How far the two alternatives of a word reach from a start.
struct Word {
    /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+`
    cased: Option<usize>,
    /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+`; what may follow it in the expression cannot, or `cased` had matched.
    upper: Option<usize>,
}

impl Word {
    fn at(classes: &Classes, text: &str, start: usize) -> Self {
        let mut at = start;
        // The upper-case run is greedy, so unless a lower-case letter follows it, it gives back characters until the last
        // that counts as lower case too: the match then ends with that one.
        let mut last_both = None;
        while let Some((class, next)) = classes.at(text, at) {
            match class {
                Class::Upper => {}
                Class::Caseless | Class::Mark => last_both = Some(next),
                Class::Lower => {
                    let end =
                        classes.run(text, next, |class| matches!(class, Class::Lower | Class::Caseless | Class::Mark));
                    return Self { cased: Some(end), upper: None };
                }
                _ => break,
            }
            at = next;
        }
        Self { cased: last_both, upper: (at > start).then_some(at) }
    }
}

/// `'(?i:[sdmt]|ll|ve|re)`; without regard to case, `s` is also the long s, U+017F.
fn contraction(text: &str, start: usize) -> Option<usize> {
    let after = text.as_bytes().get(start..)?.strip_prefix(b"'")?;
    let length = match *after {
        [b's' | b'S' | b'd' | b'D' | b'm' | b'M' | b't' | b'T', ..] => 1,
        [b'l' | b'L', b'l' | b'L', ..] | [b'v' | b'V' | b'r' | b'R', b'e' | b'E', ..] | [0xc5, 0xbf, ..] => 2,
        _ => return None,
    };
    Some(start + 1 + length)
}

/// `\p{N}{1,3}`, the first of which ends at `next`.
fn number(classes: &Classes, text: &str, next: usize) -> usize {
    let mut end = next;
    for _ in 0..2 {
        match classes.at(text, end) {
            Some((Class::Number, after)) => end = after,
            _ => break,
        }
    }
    end
}

/// ` ?[^\s\p{L}\p{N}]+`, and all of `tail` that follows.
fn symbols(classes: &Classes, text: &str, start: usize, first: Class, tail: &[u8]) -> Option<usize> {
    let bytes = text.as_bytes();
    let from = if first.is_symbol() {
        start
    } else if bytes[start] == b' ' && classes.at(text, start + 1).is_some_and(|(class, _)| class.is_symbol()) {
        start + 1
    } else {
        return None;
    };
    let end = classes.run(text, from, Class::is_symbol);
    Some(end + bytes[end..].iter().take_while(|byte| tail.contains(byte)).count())
}

/// A run of white space.
struct WhiteSpace {
    start: usize,
    end: usize,
    /// Where its last `\r` or `\n` ends.
    newline: Option<usize>,
    /// Where its last character starts.
    last: usize,
    /// Whether the text ends with it.
    at_end: bool,
}

impl WhiteSpace {
    /// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line break; or else the run without its last character, which goes with
    /// what follows; or else, if nothing follows or it is but one character, the run.
    fn piece(&self) -> usize {
        match self.newline {
            Some(end) => end,
            None if self.at_end || self.last == self.start => self.end,
            None => self.last,
        }
    }
}

fn white_space(classes: &Classes, text: &str, start: usize) -> WhiteSpace {
    let mut run = WhiteSpace { start, end: start, newline: None, last: start, at_end: false };
    while let Some((class, next)) = classes.at(text, run.end)
        && class.is_space()
    {
        if class == Class::Newline {
            run.newline = Some(next);
        }
        run.last = run.end;
        run.end = next;
    }
    run.at_end = run.end == text.len();
    run
}
