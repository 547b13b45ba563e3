//! The byte strings of an encoding and their ranks.
//!
//! Packed by `examples/pack_vocab.rs`: the number of tokens (4 bytes, little endian), a byte for the length of each, and
//! their bytes in the order of their ranks, all of it compressed by Brotli. Measured for `o200k_base`, 1,597,668 bytes,
//! on one core (size; time to decompress, pure Rust but for the first):
//!
//! ```text
//! zstd -22, C        846,038   2.8 ms        lz4 -12, lz4_flex   1,115,731   1.3 ms
//! zstd -22, ruzstd   846,038   8.8 ms        xz -9e, lzma-rust2    815,668  35.4 ms
//! deflate, miniz     989,345   6.0 ms        brotli 11             791,700   7.0 ms
//! ```

use std::hash::{BuildHasher, Hasher};
use std::io::Read;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// No rank is as large; marks what is not in the vocabulary.
pub(super) const NONE: u32 = u32::MAX;

/// Byte strings by rank, and ranks by byte string.
pub(super) struct Vocabulary {
    bytes: Vec<u8>,
    /// Where each token's bytes start, and where the last one's end.
    starts: Vec<u32>,
    by_bytes: HashTable<u32>,
    hasher: FixedState,
    /// Ranks of the strings of one byte.
    singles: [u32; 256],
    /// Ranks of the strings of two bytes, by both: most of what a merge asks first.
    pairs: Vec<u32>,
    longest: usize,
}

impl Vocabulary {
    /// # Panics
    ///
    /// If the packed vocabulary, which is part of the program, is damaged.
    #[expect(clippy::expect_used, reason = "the bytes are compiled in, and a test unpacks them")]
    pub(super) fn unpack(packed: &[u8]) -> Self {
        Self::read(packed).expect("the packed vocabulary is whole")
    }

    fn read(packed: &[u8]) -> std::io::Result<Self> {
        let mut unpacked = brotli_decompressor::Decompressor::new(packed, 1 << 16);
        let mut number = [0; 4];
        unpacked.read_exact(&mut number)?;
        let mut lengths = vec![0; u32::from_le_bytes(number) as usize];
        unpacked.read_exact(&mut lengths)?;
        let total = lengths.iter().map(|&length| usize::from(length)).sum();
        let mut bytes = vec![0; total];
        unpacked.read_exact(&mut bytes)?;
        Ok(Self::new(&lengths, bytes))
    }

    fn new(lengths: &[u8], bytes: Vec<u8>) -> Self {
        let mut vocabulary = Self {
            bytes,
            starts: Vec::with_capacity(lengths.len() + 1),
            by_bytes: HashTable::with_capacity(lengths.len()),
            hasher: FixedState::default(),
            singles: [NONE; 256],
            pairs: vec![NONE; 1 << 16],
            longest: lengths.iter().copied().max().map_or(0, usize::from),
        };
        let mut start = 0;
        vocabulary.starts.push(start);
        for (rank, &length) in (0..).zip(lengths) {
            let end = start + u32::from(length);
            vocabulary.starts.push(end);
            match vocabulary.bytes[start as usize..end as usize] {
                [byte] => vocabulary.singles[usize::from(byte)] = rank,
                [first, second] => vocabulary.pairs[pair(first, second)] = rank,
                ref longer => {
                    // Within the capacity, so nothing is hashed a second time.
                    vocabulary.by_bytes.insert_unique(hash(&vocabulary.hasher, longer), rank, |_| 0);
                }
            }
            start = end;
        }
        vocabulary
    }

    /// The rank of a byte string.
    #[inline]
    pub(super) fn rank(&self, bytes: &[u8]) -> Option<u32> {
        let rank = self.rank_or_none(bytes);
        (rank != NONE).then_some(rank)
    }

    /// The rank of a byte string, or [`NONE`].
    #[inline]
    pub(super) fn rank_or_none(&self, bytes: &[u8]) -> u32 {
        match *bytes {
            [byte] => self.single(byte),
            [first, second] => self.pair(first, second),
            _ if bytes.len() > self.longest => NONE,
            _ => {
                let hash = hash(&self.hasher, bytes);
                self.by_bytes.find(hash, |&rank| self.token(rank) == bytes).copied().unwrap_or(NONE)
            }
        }
    }

    /// The rank of a single byte: every byte is a token.
    #[inline]
    pub(super) fn single(&self, byte: u8) -> u32 {
        self.singles[usize::from(byte)]
    }

    /// The rank of two bytes, or [`NONE`].
    #[inline]
    pub(super) fn pair(&self, first: u8, second: u8) -> u32 {
        self.pairs[pair(first, second)]
    }

    /// Bytes of the longest token.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.starts.windows(2).map(|ends| &self.bytes[ends[0] as usize..ends[1] as usize])
    }

    #[inline]
    pub(super) fn token(&self, rank: u32) -> &[u8] {
        let rank = rank as usize;
        &self.bytes[self.starts[rank] as usize..self.starts[rank + 1] as usize]
    }
}

#[inline]
fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

#[inline]
fn hash(state: &FixedState, bytes: &[u8]) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(bytes);
    hasher.finish()
}
