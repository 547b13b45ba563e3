//! The shapes as a table of rows, which the rules of joining rewrite until no two of them can be joined.

use std::borrow::Cow;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};

use super::VARIABLE;
use super::tokens::{Token, Tokens};

pub(super) type Map<K, V> = HashMap<K, V, FixedState>;

pub(super) fn map<K, V>() -> Map<K, V> {
    Map::with_hasher(FixedState::with_seed(11))
}

pub(super) struct Table<'a> {
    pub(super) tokens: Tokens<'a>,
    /// `<*>`, and the same after a space.
    pub(super) any: [Token; 2],
    pub(super) rows: Vec<Vec<Token>>,
    /// The row of each shape.
    pub(super) of: Vec<u32>,
    /// Words that were values where there was no doubt.
    pub(super) values: HashSet<String, FixedState>,
}

impl<'a> Table<'a> {
    pub(super) fn new(shapes: &[&'a str]) -> Self {
        let mut tokens = Tokens::new();
        let any = [tokens.intern(Cow::Borrowed(VARIABLE)), tokens.intern(Cow::Owned(format!(" {VARIABLE}")))];
        let rows = shapes
            .iter()
            .map(|shape| {
                let mut row = Vec::new();
                tokens.split(shape, &mut row);
                row
            })
            .collect();
        let of = (0..u32::try_from(shapes.len()).unwrap_or(u32::MAX)).collect();
        let mut table = Self { tokens, any, rows, of, values: HashSet::with_hasher(FixedState::with_seed(13)) };
        table.fold();
        table
    }

    /// Makes one row of equal rows.
    pub(super) fn fold(&mut self) {
        let mut first: Map<&[Token], u32> = map();
        let mut kept: Vec<usize> = Vec::new();
        let to: Vec<u32> = self
            .rows
            .iter()
            .enumerate()
            .map(|(i, row)| {
                *first.entry(row).or_insert_with(|| {
                    kept.push(i);
                    u32::try_from(kept.len() - 1).unwrap_or(u32::MAX)
                })
            })
            .collect();
        if kept.len() == self.rows.len() {
            return;
        }
        drop(first);
        self.rows = kept.iter().map(|&i| std::mem::take(&mut self.rows[i])).collect();
        for row in &mut self.of {
            *row = to[*row as usize];
        }
    }

    /// `<*>` in the place of a token.
    pub(super) fn variable(&self, token: Token) -> Token {
        self.any[usize::from(self.tokens.text(token).starts_with(' '))]
    }

    /// What stands for any token where it stands: only the space before it matters.
    pub(super) fn blank(&self, token: Token) -> Token {
        Token::MAX - Token::from(self.tokens.text(token).starts_with(' '))
    }
}

pub(super) fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A hash of a token in its place; those of a row add up, so that one can be taken out again.
pub(super) fn mix(at: usize, token: Token) -> u64 {
    let mut x = ((at as u64) << 32 | u64::from(token)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
