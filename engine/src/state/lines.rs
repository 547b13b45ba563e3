//! Lines made for the account before this one, and their tokens: most of them say the same again.
//!
//! What is said of a series has its place by the number of the series; what is said of others is known by a hash. Both are
//! made anew where the hash of what is to be said is another, with a seed of this process. A cache, as the sums are.

use std::hash::{BuildHasher, Hash};

use foldhash::quality::RandomState;
use hashbrown::HashMap;

use super::series::SeriesId;

/// Bytes of a hash and its count, about.
const COUNT: usize = 32;

/// The line of one series.
#[derive(Clone, Debug, Default)]
struct Told {
    /// The hash of what it says; none if it is not told.
    said: u64,
    line: Box<str>,
    /// Tokens; 0 where they were not counted.
    tokens: u32,
    /// The account it was made or used for last.
    turn: u32,
}

/// Lines and their tokens.
#[derive(Debug, Default)]
pub struct Lines {
    /// By series.
    told: Vec<Told>,
    /// Bytes of their lines.
    bytes: usize,
    /// Whose tokens are counted.
    encoding: String,
    /// Tokens of other lines: those of the last account, and of this one.
    last: HashMap<u64, usize, RandomState>,
    now: HashMap<u64, usize, RandomState>,
    turn: u32,
    hasher: RandomState,
}

impl Lines {
    /// Have the line that says something of a series, made if it was not before.
    pub fn tell(&mut self, id: SeriesId, said: &impl Hash, make: impl FnOnce() -> String) {
        let (at, said) = (id as usize, self.hasher.hash_one(said));
        if self.told.len() <= at {
            self.told.resize_with(at + 1, Told::default);
        }
        let told = &mut self.told[at];
        if told.said != said || told.line.is_empty() {
            let line = make().into_boxed_str();
            self.bytes += line.len();
            self.bytes -= told.line.len();
            *told = Told { said, line, tokens: 0, turn: 0 };
        }
        told.turn = self.turn;
    }

    /// The line of a series that was told.
    #[must_use]
    pub fn line(&self, id: SeriesId) -> &str {
        self.told.get(id as usize).map_or("", |told| &told.line)
    }

    /// The tokens of the line of a series that was told.
    pub fn tokens(&mut self, id: SeriesId, count: impl FnOnce(&str) -> usize) -> usize {
        let Some(told) = self.told.get_mut(id as usize) else { return 0 };
        if told.tokens == 0 {
            told.tokens = u32::try_from(count(&told.line)).unwrap_or(u32::MAX);
        }
        told.tokens as usize
    }

    /// The tokens of any other line.
    pub fn tokens_of(&mut self, line: &str, count: impl FnOnce(&str) -> usize) -> usize {
        let (hash, last) = (self.hasher.hash_one(line), &mut self.last);
        *self.now.entry(hash).or_insert_with(|| last.remove(&hash).unwrap_or_else(|| count(line)))
    }

    /// Tokens are asked for by an encoding from now on.
    pub fn count_by(&mut self, encoding: &str) {
        if self.encoding != encoding {
            encoding.clone_into(&mut self.encoding);
            self.told.iter_mut().for_each(|told| told.tokens = 0);
            (self.last, self.now) = (HashMap::default(), HashMap::default());
        }
    }

    /// An account is made: what it did without is forgotten.
    pub fn turn(&mut self) {
        for told in self.told.iter_mut().filter(|told| told.turn != self.turn && !told.line.is_empty()) {
            self.bytes -= told.line.len();
            *told = Told::default();
        }
        self.last = std::mem::take(&mut self.now);
        self.turn = self.turn.wrapping_add(1);
    }

    /// About how many bytes they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.told.capacity() * size_of::<Told>() + self.bytes + (self.last.len() + self.now.len()) * COUNT
    }
}
