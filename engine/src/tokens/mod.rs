//! Tokens, counted exactly as tiktoken's `encode_ordinary` counts them; text in, numbers or a prefix out.
//!
//! An [`Encoding`] cuts text into pieces ([`split`], by the Unicode [`class`] of each character) and looks each piece up
//! in its [`vocabulary`]; a piece that is not there is put together from its bytes by the ranks of pairs ([`merge`]).
//! The vocabularies are built in, unpacked at first use, and never downloaded.
//!
//! # Counting is additive over lines
//!
//! For lines that each end in their only `\n`, start with neither `/` nor white space, and hold no `\r`, the tokens of
//! the lines joined are the tokens of the lines one after another: [`is_additive`] tells such a line. Thus a fact carries
//! its count, and a selection of facts is a sum. Why it holds: a piece reaches past a `\n` only to more of white space
//! or, in `o200k_base`, to a `/`; and no piece that starts at the head of a line looks back.
//!
//! Text such as `<|endoftext|>` is ordinary text here and counts as such.

mod class;
mod merge;
mod split;
#[cfg(test)]
mod tests;
mod truncate;
mod vocabulary;

use std::sync::OnceLock;

use class::Classes;
use split::Pieces;
use vocabulary::Vocabulary;

/// The name of an encoding that is not shipped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown encoding {0:?}; there are: {known}", known = Encoding::names().join(", "))]
pub struct UnknownEncoding(pub String);

/// A byte-pair encoding that tiktoken publishes: how text is cut into pieces, and the ranks of the pieces' parts.
pub struct Encoding {
    name: &'static str,
    split: split::Rule,
    classes: &'static Classes,
    vocabulary: Vocabulary,
}

/// What stands for an encoding before its first use.
struct Shipped {
    name: &'static str,
    split: split::Rule,
    packed: &'static [u8],
    loaded: OnceLock<Encoding>,
}

static SHIPPED: [Shipped; 2] = [
    Shipped {
        name: "o200k_base",
        split: split::o200k_base,
        packed: include_bytes!("../../vocab/o200k_base.br"),
        loaded: OnceLock::new(),
    },
    Shipped {
        name: "cl100k_base",
        split: split::cl100k_base,
        packed: include_bytes!("../../vocab/cl100k_base.br"),
        loaded: OnceLock::new(),
    },
];

static NAMES: [&str; SHIPPED.len()] = [SHIPPED[0].name, SHIPPED[1].name];

impl Encoding {
    /// The encoding of this name, unpacked at its first use (12 ms).
    ///
    /// # Errors
    ///
    /// [`UnknownEncoding`], whose message lists the names there are.
    pub fn named(name: &str) -> Result<&'static Self, UnknownEncoding> {
        let shipped =
            SHIPPED.iter().find(|shipped| shipped.name == name).ok_or_else(|| UnknownEncoding(name.to_owned()))?;
        Ok(shipped.loaded.get_or_init(|| Self {
            name: shipped.name,
            split: shipped.split,
            classes: Classes::get(),
            vocabulary: Vocabulary::unpack(shipped.packed),
        }))
    }

    /// Names of the encodings that are shipped; the first is the default.
    #[must_use]
    pub fn names() -> &'static [&'static str] {
        &NAMES
    }

    /// This encoding's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Tokens of `text`.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        self.pieces(text).map(|piece| self.count_piece(piece)).sum()
    }

    /// Tokens of `line` together with the `\n` that ends it, whether or not `line` holds that already.
    ///
    /// The sum over lines that are [additive](is_additive) is the count of the lines written one after another.
    #[must_use]
    pub fn count_line(&self, line: &str) -> usize {
        if line.ends_with('\n') {
            return self.count(line);
        }
        let mut ended = String::with_capacity(line.len() + 1);
        ended.push_str(line);
        ended.push('\n');
        self.count(&ended)
    }

    /// Whether `text` takes at most `budget` tokens; stops counting once it does not.
    #[must_use]
    pub fn fits(&self, text: &str, budget: usize) -> bool {
        self.pieces(text).try_fold(budget, |left, piece| self.spend(piece, left)).is_some()
    }

    /// The token ids of `text`.
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 4 + 1);
        for piece in self.pieces(text) {
            match self.vocabulary.rank(piece.as_bytes()) {
                Some(id) => ids.push(id),
                None => merge::merge(&self.vocabulary, piece.as_bytes(), |id| ids.push(id)),
            }
        }
        ids
    }

    /// The longest prefix of `text` that takes at most `budget` tokens, cut before white space where some is near.
    ///
    /// Longest is meant exactly: no longer prefix fits, unless the budget ends inside a word, or a run of punctuation or
    /// white space, of more than 256 bytes; such a one is cut after one of its tokens. "Near" is 16 bytes.
    #[must_use]
    pub fn truncate<'a>(&self, text: &'a str, budget: usize) -> &'a str {
        truncate::truncate(self, text, budget)
    }

    /// The byte strings of all tokens, in the order of their ranks.
    #[must_use]
    pub fn vocabulary(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.vocabulary.iter()
    }

    fn pieces<'a>(&self, text: &'a str) -> Pieces<'a> {
        Pieces::new(text, self.split, self.classes)
    }

    /// What is left of a number of tokens after a piece; none if the piece takes more.
    fn spend(&self, piece: &str, left: usize) -> Option<usize> {
        // No need to merge a piece that is too long for any tokens.
        if piece.len() > left.saturating_mul(self.vocabulary.longest()) {
            return None;
        }
        left.checked_sub(self.count_piece(piece))
    }

    fn count_piece(&self, piece: &str) -> usize {
        if self.vocabulary.rank(piece.as_bytes()).is_some() {
            return 1;
        }
        let mut tokens = 0;
        merge::merge(&self.vocabulary, piece.as_bytes(), |_| tokens += 1);
        tokens
    }
}

impl std::fmt::Debug for Encoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Encoding").field(&self.name).finish()
    }
}

/// Whether `line` counts the same wherever it stands among lines of this kind: it ends in its only `\n`, starts with
/// neither `/` nor white space (so that it is no blank line), and holds no `\r`.
#[must_use]
pub fn is_additive(line: &str) -> bool {
    let Some(body) = line.strip_suffix('\n') else { return false };
    !body.contains(['\n', '\r']) && body.chars().next().is_some_and(|first| first != '/' && !first.is_whitespace())
}
