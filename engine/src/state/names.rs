//! Interned names: each distinct text once, known by a small number.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// The number of a name; 0 is the empty one.
pub type Name = u32;

/// What the allocator adds to a text, about.
const ALLOCATION: usize = 16;

/// All names in use. The hash has a random seed, so that nobody can choose names that collide.
#[derive(Debug)]
pub struct Names {
    table: HashTable<Name>,
    texts: Vec<Box<str>>,
    hasher: RandomState,
}

impl Default for Names {
    fn default() -> Self {
        let mut names = Self { table: HashTable::new(), texts: Vec::new(), hasher: RandomState::default() };
        names.intern("");
        names
    }
}

impl Names {
    /// The number of a text, if it has one.
    #[must_use]
    pub fn get(&self, text: &str) -> Option<Name> {
        self.table.find(self.hasher.hash_one(text), |&name| &*self.texts[name as usize] == text).copied()
    }

    /// The number of a text, given now if it is new.
    pub fn intern(&mut self, text: &str) -> Name {
        let hash = self.hasher.hash_one(text);
        let texts = &self.texts;
        if let Some(&name) = self.table.find(hash, |&name| &*texts[name as usize] == text) {
            return name;
        }
        // Series bound the names long before there are four thousand million.
        let name = Name::try_from(self.texts.len()).unwrap_or(Name::MAX);
        self.texts.push(text.into());
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.table.insert_unique(hash, name, |&name| hasher.hash_one(&*texts[name as usize]));
        name
    }

    /// All texts, each at the place of its number.
    #[must_use]
    pub fn texts(&self) -> &[Box<str>] {
        &self.texts
    }

    /// Bytes they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.texts.iter().map(|text| text.len() + ALLOCATION).sum::<usize>()
            + self.texts.capacity() * size_of::<Box<str>>()
            + self.table.capacity() * (size_of::<Name>() + 2)
    }

    /// The text of a name.
    #[must_use]
    pub fn text(&self, name: Name) -> &str {
        &self.texts[name as usize]
    }
}
