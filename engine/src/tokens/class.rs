//! What the splitting rules want to know of a character, by its Unicode general category.
//!
//! tiktoken asks the `regex` crate, whose tables are of Unicode 16. A crate of categories would follow Unicode at a pace
//! of its own and change counts in silence, so the classes are packed from the tables of `regex-syntax` itself (by
//! `examples/pack_vocab.rs`, 7 KB), and a test compares them with that crate for every character.

use std::sync::OnceLock;

/// The class of a character; the numbers are those of the packed table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    /// Neither white space, letter, number nor mark: punctuation, symbols, controls, unassigned.
    Other = 0,
    /// `\s` (`White_Space`), but for the two of the next.
    Space = 1,
    /// `\r` and `\n`.
    Newline = 2,
    /// `\p{N}`.
    Number = 3,
    /// `\p{Lu}` and `\p{Lt}`.
    Upper = 4,
    /// `\p{Ll}`.
    Lower = 5,
    /// `\p{Lm}` and `\p{Lo}`: letters that go with upper and lower case alike.
    Caseless = 6,
    /// `\p{M}`.
    Mark = 7,
}

impl Class {
    /// `\p{L}`.
    pub(super) fn is_letter(self) -> bool {
        matches!(self, Self::Upper | Self::Lower | Self::Caseless)
    }

    /// `\s`.
    pub(super) fn is_space(self) -> bool {
        matches!(self, Self::Space | Self::Newline)
    }

    /// `[^\s\p{L}\p{N}]`.
    pub(super) fn is_symbol(self) -> bool {
        matches!(self, Self::Other | Self::Mark)
    }

    fn from_packed(number: u8) -> Self {
        match number {
            1 => Self::Space,
            2 => Self::Newline,
            3 => Self::Number,
            4 => Self::Upper,
            5 => Self::Lower,
            6 => Self::Caseless,
            7 => Self::Mark,
            _ => Self::Other,
        }
    }
}

const BLOCK: usize = 256;

/// The classes of all characters: blocks of 256, equal ones kept once (40 kB for the 0x110000 characters).
pub(super) struct Classes {
    ascii: [Class; 128],
    block_of: Vec<u8>,
    blocks: Vec<[Class; BLOCK]>,
}

impl Classes {
    pub(super) fn get() -> &'static Self {
        static CLASSES: OnceLock<Classes> = OnceLock::new();
        CLASSES.get_or_init(|| Self::unpack(include_bytes!("../../vocab/classes.bin")))
    }

    /// Reads runs of characters: a byte for the class, and the length of the run in LEB128.
    fn unpack(packed: &[u8]) -> Self {
        let mut classes = Self { ascii: [Class::Other; 128], block_of: Vec::new(), blocks: Vec::new() };
        let mut block = [Class::Other; BLOCK];
        let mut filled = 0;
        let mut bytes = packed.iter();
        while let Some(&number) = bytes.next() {
            let class = Class::from_packed(number);
            let mut run = 0_usize;
            for (place, &byte) in bytes.by_ref().take(4).enumerate() {
                run |= usize::from(byte & 0x7f) << (7 * place);
                if byte < 0x80 {
                    break;
                }
            }
            while run > 0 {
                let part = run.min(BLOCK - filled);
                block[filled..filled + part].fill(class);
                filled += part;
                run -= part;
                if filled == BLOCK {
                    // Most characters stand in runs of many blocks, which are looked up once.
                    let more = if part == BLOCK { run / BLOCK } else { 0 };
                    let number = classes.number_of(&block);
                    classes.block_of.extend(std::iter::repeat_n(number, 1 + more));
                    run -= more * BLOCK;
                    filled = 0;
                }
            }
        }
        classes.ascii.copy_from_slice(&classes.blocks[0][..128]);
        classes
    }

    fn number_of(&mut self, block: &[Class; BLOCK]) -> u8 {
        let known = self.blocks.iter().position(|other| other == block);
        let number = known.unwrap_or_else(|| {
            self.blocks.push(*block);
            self.blocks.len() - 1
        });
        u8::try_from(number).unwrap_or(0)
    }

    /// The class of the character that starts at byte `at`, and where the next one starts; none at the end.
    #[inline]
    pub(super) fn at(&self, text: &str, at: usize) -> Option<(Class, usize)> {
        let byte = *text.as_bytes().get(at)?;
        if byte < 0x80 {
            return Some((self.ascii[usize::from(byte)], at + 1));
        }
        let char = text.get(at..)?.chars().next()?;
        let code = char as usize;
        let block = usize::from(self.block_of[code / BLOCK]);
        Some((self.blocks[block][code % BLOCK], at + char.len_utf8()))
    }

    /// Where the run of characters that `of` holds for ends, starting at byte `from`.
    #[inline]
    pub(super) fn run(&self, text: &str, from: usize, of: impl Fn(Class) -> bool) -> usize {
        let mut at = from;
        while let Some((class, next)) = self.at(text, at)
            && of(class)
        {
            at = next;
        }
        at
    }
}
