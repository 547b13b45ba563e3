//! Reads the parts of a snapshot from its bytes, one number after the other: what is only added to something that is here is
//! never made a value of its own.
//!
//! The encoding is postcard's, which writes them: whole numbers in groups of seven bits, the lowest first, the sign of signed
//! ones in the lowest bit; before what can be of any length, its length.

use serde::{Deserialize, Serialize};

/// The bytes that are still to be read. What is read from them is none where they are not what is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wire<'a>(&'a [u8]);

/// In each byte the bit that says that the number goes on.
const MORE: u64 = 0x8080_8080_8080_8080;

impl<'a> Wire<'a> {
    /// All of these bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Bytes that are left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.0.len()
    }

    /// A whole number.
    #[inline]
    pub fn number(&mut self) -> Option<u64> {
        let (&first, rest) = self.0.split_first()?;
        if first < 0x80 {
            self.0 = rest;
            return Some(first.into());
        }
        let (&second, rest) = rest.split_first()?;
        if second < 0x80 {
            self.0 = rest;
            return Some(u64::from(first & 0x7f) | u64::from(second) << 7);
        }
        self.long()
    }

    /// One of three bytes or more.
    fn long(&mut self) -> Option<u64> {
        let Some((&word, rest)) = self.0.split_first_chunk() else { return self.short() };
        let word = u64::from_le_bytes(word);
        let ends = !word & MORE;
        if ends != 0 {
            let (bits, bytes) = (ends.trailing_zeros(), ends.trailing_zeros() / 8 + 1);
            self.0 = &self.0[bytes as usize..];
            return Some(joined(word & (u64::MAX >> (63 - bits))));
        }
        let (&ninth, rest) = rest.split_first()?;
        let low = joined(word) | u64::from(ninth & 0x7f) << 56;
        if ninth < 0x80 {
            self.0 = rest;
            return Some(low);
        }
        let (&tenth, rest) = rest.split_first()?;
        self.0 = rest;
        (tenth <= 1).then(|| low | u64::from(tenth) << 63)
    }

    /// One of the last eight bytes.
    fn short(&mut self) -> Option<u64> {
        let last = self.0.iter().position(|&byte| byte < 0x80)?;
        let (number, rest) = self.0.split_at(last + 1);
        self.0 = rest;
        Some(number.iter().rev().fold(0, |high, &byte| high << 7 | u64::from(byte & 0x7f)))
    }

    /// A whole number with a sign.
    #[inline]
    pub fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// A whole number that is not beyond what its type holds.
    #[inline]
    pub fn small<T: TryFrom<u64>>(&mut self) -> Option<T> {
        T::try_from(self.number()?).ok()
    }

    /// What may be there or not.
    #[allow(clippy::option_option)] // the outer one is, as everywhere here, for bytes that are not what is asked for
    #[inline]
    pub fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.exactly()? {
            [0] => Some(None),
            [1] => read(self).map(Some),
            _ => None,
        }
    }

    /// As many bytes as that, as they are.
    #[inline]
    pub fn exactly<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (&bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(bytes)
    }

    /// So many of as many bytes.
    #[inline]
    pub fn many<const N: usize>(&mut self, count: usize) -> Option<&'a [[u8; N]]> {
        let (bytes, rest) = self.0.split_at_checked(count.checked_mul(N)?)?;
        self.0 = rest;
        Some(bytes.as_chunks().0)
    }

    /// Bytes of any length.
    #[inline]
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.small()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Whatever says itself how it is read.
    pub fn value<T: Deserialize<'a>>(&mut self) -> Option<T> {
        let (value, rest) = postcard::take_from_bytes(self.0).ok()?;
        self.0 = rest;
        Some(value)
    }
}

/// Append a value. A tuple is as its members one after the other, and a sequence as its length and its members.
pub fn put<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    // A vector takes everything.
    *out = postcard::to_extend(value, std::mem::take(out)).unwrap_or_default();
}

/// What bytes say, damage replaced.
#[must_use]
pub fn text(bytes: &[u8]) -> Box<str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes).into(), Box::from)
}

/// Puts the seven low bits of each byte together.
#[inline]
const fn joined(word: u64) -> u64 {
    let word = word & !MORE;
    let word = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let word = word & 0x0000_3fff_0000_3fff | (word & 0x3fff_0000_3fff_0000) >> 2;
    word & 0x0000_0000_0fff_ffff | (word & 0x0fff_ffff_0000_0000) >> 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Written = (u64, i64, Option<u16>, String, Vec<u8>, u32);

    fn any_number() -> impl Strategy<Value = u64> {
        (any::<u64>(), 0u32..64).prop_map(|(number, shift)| number >> shift)
    }

    proptest! {
        #[test]
        fn wire__what_postcard_writes__read_back(number in any_number(), sign in any::<bool>(), maybe in any::<Option<u16>>(), text in ".{0,12}", bytes in prop::collection::vec(any::<u8>(), 0..200), last in any::<u32>()) {
            let signed = if sign { -(number >> 1).cast_signed() } else { number.cast_signed() };
            let written: Written = (number, signed, maybe, text, bytes, last);
            let encoded = postcard::to_stdvec(&written).unwrap_or_default();
            let mut wire = Wire::new(&encoded);
            prop_assert_eq!(wire.number(), Some(written.0));
            prop_assert_eq!(wire.signed(), Some(written.1));
            prop_assert_eq!(wire.maybe(Wire::small::<u16>), Some(written.2));
            prop_assert_eq!(wire.bytes(), Some(written.3.as_bytes()));
            prop_assert_eq!(wire.bytes(), Some(written.4.as_slice()));
            prop_assert_eq!(wire.value::<u32>(), Some(written.5));
            prop_assert!(wire.left() == 0 && wire.number().is_none());
        }

        #[test]
        fn number__any_bytes__as_postcard_reads_them(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x80u8..], 0..14)) {
            let found = postcard::take_from_bytes::<u64>(&bytes).ok().map(|(number, rest)| (number, rest.len()));
            let mut wire = Wire::new(&bytes);
            prop_assert_eq!(wire.number().map(|number| (number, wire.0.len())), found);
        }
    }
}
