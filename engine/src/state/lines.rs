//! Lines made for the account before this one, and their tokens: most of them say the same again.
//!
//! They are known by a hash of what they say, with a seed of this process. A cache, as the sums are.

use std::hash::{BuildHasher, Hash};

use foldhash::quality::RandomState;
use hashbrown::HashMap;

/// Bytes of a line, its hash and its place, about.
const LINE: usize = 120;

/// What was made for the last reading and what has been for this one.
#[derive(Debug)]
struct Kept<T> {
    last: HashMap<u64, T>,
    now: HashMap<u64, T>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { last: HashMap::new(), now: HashMap::new() }
    }
}

impl<T: Clone> Kept<T> {
    fn get(&mut self, hash: u64, make: impl FnOnce() -> T) -> T {
        let last = &mut self.last;
        self.now.entry(hash).or_insert_with(|| last.remove(&hash).unwrap_or_else(make)).clone()
    }

    fn turn(&mut self) {
        self.last = std::mem::take(&mut self.now);
        self.now.reserve(self.last.len());
    }
}

/// Lines and their tokens.
#[derive(Debug, Default)]
pub struct Lines {
    made: Kept<String>,
    counted: Kept<usize>,
    hasher: RandomState,
}

impl Lines {
    /// The line that says something, made if it was not before.
    pub fn line(&mut self, said: &impl Hash, make: impl FnOnce() -> String) -> String {
        self.made.get(self.hasher.hash_one(said), make)
    }

    /// The tokens of a line by an encoding.
    pub fn tokens(&mut self, encoding: &str, line: &str, count: impl FnOnce() -> usize) -> usize {
        self.counted.get(self.hasher.hash_one((encoding, line)), count)
    }

    /// An account is made: what it did without is forgotten.
    pub fn turn(&mut self) {
        self.made.turn();
        self.counted.turn();
    }

    /// About how many bytes they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        (self.made.last.len() + self.made.now.len()) * LINE + (self.counted.last.len() + self.counted.now.len()) * 32
    }
}
