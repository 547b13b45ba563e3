//! What was worked out for the account before this one, and holds for this one where nothing has changed: a cache beside the
//! sums, and the first of them to go.

use super::found::Found;
use super::lines::Lines;

/// Two times, each in nanoseconds and with how far it may be from the truth, as a factor.
pub type Times = [(f64, f64); 2];

/// What is kept from one account to the next.
#[derive(Debug, Default)]
pub struct Account {
    /// What was said.
    pub lines: Lines,
    /// Whether own times have grown: in the whole window, at its end, and against the oldest of what was before it.
    pub grown: [Found<bool>; 3],
    /// Which times are usual, if any are.
    pub times: Found<Option<Times>>,
}

impl Account {
    /// Bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let grown: usize = self.grown.iter().map(Found::bytes).sum();
        self.lines.bytes() + grown + self.times.bytes()
    }
}
