//! A mergeable sketch of durations with a bounded relative error.
//!
//! The buckets are log-linear as in `HdrHistogram` (Tene): 32 steps to each power of two, so that the middle of a bucket
//! is within 1/64 (1.6 %) of every value in it, and below 64 ns each value has a bucket of its own. Counts are integers:
//! adding, merging and taking back are exact and commute.

use serde::Serialize;
use smallvec::SmallVec;

use super::wire::Wire;

/// Number of buckets that `u64` nanoseconds fall into.
pub const BUCKETS: usize = 1920;

/// The bucket of a duration in nanoseconds.
#[inline]
#[must_use]
#[allow(clippy::cast_possible_truncation)] // at most 58 * 32 + 63
pub fn bucket(ns: u64) -> u16 {
    let shift = (64 - ns.leading_zeros()).saturating_sub(6);
    (u64::from(shift * 32) + (ns >> shift)) as u16
}

/// The middle of a bucket, in nanoseconds.
#[must_use]
pub fn middle(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    if bucket < 64 {
        return bucket;
    }
    let shift = bucket / 32 - 1;
    let low = (32 + bucket % 32) << shift;
    low + ((1 << shift) >> 1)
}

/// Bytes of a bucket that is in use.
pub const ENTRY: usize = size_of::<(u16, u32)>();

/// Counts by bucket, sorted, none of them zero.
///
/// Two stand in the sketch itself: most seconds of most series have no more, and who adds up many of them then reads memory
/// from front to back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hist(SmallVec<[(u16, u32); 2]>);

const _: () =
    assert!(size_of::<Hist>() == size_of::<Vec<u8>>(), "what stands in it takes no more than a pointer would");

impl Hist {
    /// Add `n` durations to a bucket, or take them back. Says whether that took room outside of it.
    #[inline]
    pub fn add(&mut self, bucket: u16, n: i32) -> bool {
        match self.0.binary_search_by_key(&bucket, |entry| entry.0) {
            Ok(at) => {
                let count = self.0[at].1.saturating_add_signed(n);
                if count == 0 {
                    self.0.remove(at);
                } else {
                    self.0[at].1 = count;
                }
            }
            Err(at) if n > 0 => {
                self.0.insert(at, (bucket, n.unsigned_abs()));
                return self.0.spilled();
            }
            Err(_) => {}
        }
        false
    }

    /// An empty one with room for as much.
    #[must_use]
    pub fn alike(&self) -> Self {
        Self(SmallVec::with_capacity(self.0.len()))
    }

    /// Forget all of it, but for the room it took.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Give back the room that is not used.
    pub fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// Look at where its buckets lie, from end to end; for who wants them near.
    #[inline]
    #[must_use]
    pub fn approach(&self) -> (Option<u16>, Option<u16>) {
        (self.0.first().map(|entry| entry.0), self.0.last().map(|entry| entry.0))
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn bytes(&self) -> usize {
        if self.0.spilled() { self.0.capacity() * ENTRY } else { 0 }
    }

    /// Add all of another.
    pub fn merge(&mut self, other: &Self) {
        for &(bucket, n) in &other.0 {
            match self.0.binary_search_by_key(&bucket, |entry| entry.0) {
                Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(n),
                Err(at) => self.0.insert(at, (bucket, n)),
            }
        }
    }

    /// Take all of another back that was added. False, and what is left says nothing, if it cannot have been: a count was
    /// at its limit.
    #[must_use]
    pub fn take_back(&mut self, other: &Self) -> bool {
        other.0.iter().all(|&(bucket, n)| {
            let Ok(at) = self.0.binary_search_by_key(&bucket, |entry| entry.0) else { return false };
            let count = self.0[at].1;
            match count.checked_sub(n) {
                Some(0) if count < u32::MAX => _ = self.0.remove(at),
                Some(left) if count < u32::MAX => self.0[at].1 = left,
                _ => return false,
            }
            true
        })
    }

    /// Become another, in the room there is.
    pub fn copy(&mut self, other: &Self) {
        self.0.clear();
        self.0.extend_from_slice(&other.0);
    }

    /// Pass one by in a snapshot; none if it is not whole, or its buckets are none or in no order.
    pub fn check(from: &mut Wire<'_>) -> Option<()> {
        let mut lowest = 0;
        for _ in 0..from.number()? {
            let (bucket, n) = (from.small::<u16>()?, from.small::<u32>()?);
            if bucket < lowest || usize::from(bucket) >= BUCKETS || n == 0 {
                return None;
            }
            lowest = bucket + 1;
        }
        Some(())
    }

    /// Add all of one in a snapshot that was checked.
    pub fn absorb(&mut self, from: &mut Wire<'_>) -> Option<()> {
        let entries = from.small()?;
        if self.0.is_empty() && entries > self.0.capacity() {
            self.0.reserve_exact(entries);
        }
        let mut at = 0;
        for _ in 0..entries {
            let (bucket, n) = (from.small::<u16>()?, from.small::<u32>()?);
            while self.0.get(at).is_some_and(|entry| entry.0 < bucket) {
                at += 1;
            }
            match self.0.get_mut(at) {
                Some(entry) if entry.0 == bucket => entry.1 = entry.1.saturating_add(n),
                Some(_) => self.0.insert(at, (bucket, n)),
                None => self.0.push((bucket, n)),
            }
        }
        Some(())
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The buckets and their counts, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u32)> + '_ {
        self.0.iter().copied()
    }

    /// Durations recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().map(|entry| u64::from(entry.1)).sum()
    }

    /// The duration in nanoseconds that a share `q` of all does not exceed, within 1.6 %; 0 if there are none.
    #[must_use]
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn quantile(&self, q: f64) -> u64 {
        let count = self.count();
        let rank = (q * count.saturating_sub(1) as f64).round() as u64;
        if rank > count / 2 {
            // Nearer to the end: the first bucket from there with which as many lie above the rank as there are.
            let (mut above, from) = (0, count.saturating_sub(rank));
            let is_there = |&&(_, n): &&(u16, u32)| {
                above += u64::from(n);
                above >= from
            };
            return self.0.iter().rev().find(is_there).map_or(0, |entry| middle(entry.0));
        }
        let mut below = 0;
        for &(bucket, n) in &self.0 {
            below += u64::from(n);
            if below > rank {
                return middle(bucket);
            }
        }
        0
    }

    /// The sum of all durations in nanoseconds, within 1.6 %.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn sum(&self) -> f64 {
        self.0.iter().map(|&(bucket, n)| middle(bucket) as f64 * f64::from(n)).sum()
    }

    /// The mean in nanoseconds; 0 if there are none.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn mean(&self) -> f64 {
        match self.count() {
            0 => 0.0,
            n => self.sum() / n as f64,
        }
    }
}

/// The durations of ascending ranks, counted from 0, in two sketches together, in nanoseconds, within 1.6 %; the greatest of
/// all for a rank that there is none of.
#[must_use]
pub fn ranked<const N: usize>(hists: [&Hist; 2], ranks: [u64; N]) -> [u64; N] {
    let [mut a, mut b] = hists.map(|hist| hist.0.iter().peekable());
    let (mut found, mut at, mut below) = ([0; N], 0, 0);
    while at < N {
        let next = match (a.peek(), b.peek()) {
            (Some(one), Some(other)) if one.0 <= other.0 => a.next(),
            (Some(_), None) => a.next(),
            _ => b.next(),
        };
        let Some(&(bucket, n)) = next else { break };
        below += u64::from(n);
        while at < N && below > ranks[at] {
            found[at] = middle(bucket);
            at += 1;
        }
        if at < N {
            found[at] = middle(bucket);
        }
    }
    for place in at + 1..N {
        found[place] = found[at];
    }
    found
}

/// Adds up many sketches: a place for every bucket, so that each entry costs one addition and no search.
#[derive(Debug)]
pub struct Adder {
    counts: Box<[u32; BUCKETS]>,
    low: usize,
    high: usize,
}

impl Default for Adder {
    fn default() -> Self {
        Self { counts: Box::new([0; BUCKETS]), low: BUCKETS, high: 0 }
    }
}

impl Adder {
    /// Add a sketch.
    pub fn add(&mut self, hist: &Hist) {
        if let (Some(first), Some(last)) = (hist.0.first(), hist.0.last()) {
            self.low = self.low.min(usize::from(first.0));
            self.high = self.high.max(usize::from(last.0) + 1);
        }
        for &(bucket, n) in &hist.0 {
            if let Some(count) = self.counts.get_mut(usize::from(bucket)) {
                *count = count.saturating_add(n);
            }
        }
    }

    /// The sum so far; begins anew.
    pub fn take(&mut self) -> Hist {
        let mut sum = Hist::default();
        self.take_into(&mut sum);
        sum
    }

    /// The same, in the place of what a sketch held: its room is used again.
    pub fn take_into(&mut self, sum: &mut Hist) {
        let (low, high) = (std::mem::replace(&mut self.low, BUCKETS), std::mem::take(&mut self.high));
        sum.0.clear();
        let Some(counts) = self.counts.get_mut(low..high) else { return };
        let buckets = u16::try_from(low).unwrap_or(u16::MAX)..;
        for (bucket, count) in buckets.zip(counts).filter(|(_, count)| **count > 0) {
            sum.0.push((bucket, std::mem::take(count)));
        }
    }
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn hist__any_duration__bucket_within_two_percent(ns in any::<u64>()) {
            let found = middle(bucket(ns));
            prop_assert!(found.abs_diff(ns) as f64 <= ns as f64 / 64.0 + 0.5, "{ns} came back as {found}");
            prop_assert!(usize::from(bucket(ns)) < BUCKETS);
        }

        #[test]
        fn hist__merged_in_any_order__equals_one_pass(a in prop::collection::vec(any::<u64>(), 0..60), b in prop::collection::vec(any::<u64>(), 0..60)) {
            let of = |values: &[u64]| {
                let mut hist = Hist::default();
                values.iter().for_each(|&ns| _ = hist.add(bucket(ns), 1));
                hist
            };
            let (mut left, mut right) = (of(&a), of(&b));
            left.merge(&of(&b));
            right.merge(&of(&a));
            prop_assert_eq!(&left, &of(&[a.clone(), b.clone()].concat()));
            prop_assert_eq!(&left, &right);
            let (mut adder, mut sum) = (Adder::default(), Hist::default());
            for _ in 0..2 {
                adder.add(&of(&a));
                adder.add(&of(&b));
                adder.take_into(&mut sum);
                prop_assert_eq!(&sum, &left);
            }
            prop_assert!(right.take_back(&of(&b)));
            prop_assert_eq!(&right, &of(&a));
            b.iter().for_each(|&ns| _ = left.add(bucket(ns), -1));
            prop_assert_eq!(left, of(&a));
        }
    }
}
