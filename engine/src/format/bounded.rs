//! A map of a size that is bounded: what was put in longest ago goes first, and is counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Keys and values, each with the turn in which it was put in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bounded<K: Ord, V> {
    entries: BTreeMap<K, (u64, V)>,
    turn: u64,
    forgotten: u64,
}

impl<K: Ord, V> Default for Bounded<K, V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), turn: 0, forgotten: 0 }
    }
}

impl<K: Ord, V> Bounded<K, V> {
    /// Put a value in, in place of the one that was there. A map that has `limit` entries makes room first.
    pub(super) fn insert(&mut self, key: K, value: V, limit: usize) {
        if self.entries.len() >= limit && !self.entries.contains_key(&key) {
            self.make_room();
        }
        self.entries.insert(key, (self.turn, value));
        self.turn += 1;
    }

    /// Let the oldest eighth go at once, so that a map that is always full is seldom searched.
    fn make_room(&mut self) {
        let mut turns: Vec<u64> = self.entries.values().map(|(turn, _)| *turn).collect();
        if turns.is_empty() {
            return;
        }
        let last = turns.len() / 8;
        let (_, &mut oldest, _) = turns.select_nth_unstable(last);
        let before = self.entries.len();
        self.entries.retain(|_, (turn, _)| *turn > oldest);
        self.forgotten += (before - self.entries.len()) as u64;
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    /// The value of a key, made if it is new; it has its turn again.
    pub(super) fn entry(&mut self, key: K, limit: usize) -> &mut V
    where
        V: Default,
    {
        if self.entries.len() >= limit && !self.entries.contains_key(&key) {
            self.make_room();
        }
        self.turn += 1;
        let (turn, value) = self.entries.entry(key).or_default();
        *turn = self.turn;
        value
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key).map(|(_, value)| value)
    }

    /// In the order of the keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, (_, value))| (key, value))
    }

    /// How many had to go.
    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_first_and_are_counted() {
        let mut map = Bounded::default();
        for key in (0..100_u64).rev() {
            map.insert(key, key, 16);
        }
        assert_eq!(map.iter().count() as u64 + map.forgotten(), 100);
        assert!(map.iter().count() <= 16);
        assert_eq!(map.get(&0), Some(&0), "the newest");
        assert_eq!(map.get(&99), None, "the oldest");
    }

    #[test]
    fn a_limit_of_nothing_is_no_panic() {
        let mut map = Bounded::default();
        map.insert(1, (), 0);
        map.insert(2, (), 0);
    }
}
