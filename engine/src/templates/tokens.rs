//! Shapes as rows of numbered tokens.

use std::borrow::Cow;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::VARIABLE;

pub(super) type Token = u32;

/// What a token looks like, which says how likely it is to be a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Punctuation,
    /// `<*>` alone.
    Variable,
    /// A number with its unit, `<*>ms`.
    Measure,
    /// A word with a variable in it.
    Mixed,
    /// `STARTED`: the name of a state or a constant.
    Capitals,
    /// A word of action (`started`, `closing`, `TimeoutException`), which says what happened.
    Action,
    /// Digits or joints inside: something has this name.
    Name,
    Plain,
}

impl Kind {
    /// Whether the token is a word of the message, constant as far as is known.
    pub(super) fn is_word(self) -> bool {
        !matches!(self, Kind::Punctuation | Kind::Variable | Kind::Measure)
    }
}

/// The distinct tokens. A token includes the space before it, so that a row of tokens is the text again.
pub(super) struct Tokens<'a> {
    texts: Vec<Cow<'a, str>>,
    kinds: Vec<Kind>,
    index: HashTable<Token>,
    hasher: FixedState,
}

impl<'a> Tokens<'a> {
    pub(super) fn new() -> Self {
        Self { texts: Vec::new(), kinds: Vec::new(), index: HashTable::new(), hasher: FixedState::with_seed(7) }
    }

    pub(super) fn text(&self, token: Token) -> &str {
        &self.texts[token as usize]
    }

    /// The text without the space before it.
    pub(super) fn body(&self, token: Token) -> &str {
        self.text(token).trim_start_matches(' ')
    }

    pub(super) fn kind(&self, token: Token) -> Kind {
        self.kinds[token as usize]
    }

    pub(super) fn intern(&mut self, text: Cow<'a, str>) -> Token {
        let hash = self.hasher.hash_one(&*text);
        if let Some(&token) = self.index.find(hash, |&token| self.texts[token as usize] == text) {
            return token;
        }
        let token = Token::try_from(self.texts.len()).unwrap_or(Token::MAX);
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.index.insert_unique(hash, token, |&token| hasher.hash_one(&*texts[token as usize]));
        self.kinds.push(kind(text.trim_start_matches(' ')));
        self.texts.push(text);
        token
    }

    /// The tokens of a shape: words, each mark of punctuation alone, dots at the end of a word apart from it.
    pub(super) fn split(&mut self, shape: &'a str, row: &mut Vec<Token>) {
        let bytes = shape.as_bytes();
        let mut from = 0;
        while from < bytes.len() {
            let mut to = from;
            while to < bytes.len() && bytes[to] == b' ' {
                to += 1;
            }
            let body = to;
            while to < bytes.len() && bytes[to] != b' ' {
                if bytes[to..].starts_with(VARIABLE.as_bytes()) {
                    to += VARIABLE.len();
                } else if is_punctuation(bytes[to]) {
                    break;
                } else {
                    to += 1;
                }
            }
            if to == body {
                to = (to + 1).min(bytes.len());
            }
            // Dots that fill a line, and the one that ends a sentence, stand for themselves.
            let mut at = body;
            while let Some(dots) = bytes[at..to].iter().position(|&b| b == b'.').map(|dot| at + dot) {
                let end = dots + bytes[dots..to].iter().take_while(|&&b| b == b'.').count();
                if dots > from.max(body) && (end == to || end - dots > 1) {
                    row.push(self.intern(Cow::Borrowed(&shape[from..dots])));
                    from = dots;
                }
                if end < to && end - dots > 1 {
                    row.push(self.intern(Cow::Borrowed(&shape[from..end])));
                    from = end;
                }
                at = end;
            }
            row.push(self.intern(Cow::Borrowed(&shape[from..to])));
            from = to;
        }
    }
}

fn is_punctuation(byte: u8) -> bool {
    byte.is_ascii_punctuation()
        && !matches!(byte, b'-' | b'_' | b'.' | b'/' | b'@' | b'#' | b'$' | b'+' | b'%' | b'\\' | b'~' | b'&')
}

fn kind(body: &str) -> Kind {
    if body == VARIABLE {
        return Kind::Variable;
    }
    if let Some(rest) = body.strip_prefix(VARIABLE)
        && (rest == "%" || super::words::is_unit(rest))
    {
        return Kind::Measure;
    }
    if body.contains(VARIABLE) {
        return Kind::Mixed;
    }
    if !body.chars().any(char::is_alphanumeric) {
        return Kind::Punctuation;
    }
    if body.len() >= 2 && body.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') {
        return Kind::Capitals;
    }
    if body.ends_with("Exception") || body.ends_with("Error") {
        return Kind::Action;
    }
    // Capitals within words are how code writes the names of its own parts.
    let coded = body.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    if body.bytes().any(|b| b.is_ascii_digit() || b"_.-$/@\\".contains(&b)) && (!coded || body.contains('-')) {
        return Kind::Name;
    }
    if body.len() >= 5 && (body.ends_with("ed") || body.ends_with("ing")) {
        return Kind::Action;
    }
    Kind::Plain
}
