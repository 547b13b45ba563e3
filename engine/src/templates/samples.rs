//! What the variables of one shape held: the values of a few messages, kept by chance.
//!
//! Which messages is decided by a hash of each event alone, so that it matters neither in which order they come nor where:
//! bottom-k sampling (Cohen and Kaplan, 2007). Of few messages all are kept, and what is said of them is exact; of many the
//! shares of values are those in the sample, within 1/sqrt(k) or so. A message that is not kept costs a comparison.

use std::cmp::Ordering;

use serde::Serialize;

use super::fill::{fill, folded};
use super::shape::VARIABLE;
use crate::redact::redact_text;
use crate::state::wire::{self, Wire};

/// Bytes of one value that are kept.
pub const VALUE_LIMIT: usize = 80;

/// Variables of one message that are kept.
pub const SLOTS: usize = 32;

/// Stands between the values of one message; no value has it.
const BETWEEN: char = '\u{1f}';

/// The values of one message, or of several that are the same event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Sample {
    /// The greater, the sooner it is kept.
    rank: u64,
    times: u32,
    values: Box<str>,
}

/// What [`values`] finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// The shape has no variables.
    Constant,
    /// The message is not of the shape.
    Misfit,
    /// The values, one after the other.
    Found(Box<str>),
}

/// Values of the variables of one shape.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Samples {
    /// Messages looked at.
    seen: u64,
    /// In the order of their ranks, the greatest first, then of their values.
    kept: Vec<Sample>,
    /// What is ranked below is not kept; remembered, not known to snapshots.
    #[serde(skip)]
    floor: u64,
}

impl Samples {
    /// Look at a message. `rank` is a hash of its event, `values` gives what [`values`] does, where they are to be kept;
    /// `most` are kept. Returns by how many bytes what is kept has changed.
    #[inline]
    pub fn offer(&mut self, rank: u64, most: usize, values: impl FnOnce() -> Values) -> isize {
        self.seen += 1;
        if rank < self.floor { 0 } else { self.keep(rank, most, values) }
    }

    #[cold]
    #[inline(never)]
    fn keep(&mut self, rank: u64, most: usize, values: impl FnOnce() -> Values) -> isize {
        match values() {
            Values::Constant => self.floor = u64::MAX,
            Values::Misfit => {}
            Values::Found(values) => return self.insert(Sample { rank, times: 1, values }) - self.trim(most),
        }
        0
    }

    fn insert(&mut self, sample: Sample) -> isize {
        match self.kept.binary_search_by(|kept| kept.order(sample.rank, sample.values.as_bytes())) {
            Ok(at) => {
                self.kept[at].times = self.kept[at].times.saturating_add(sample.times);
                0
            }
            Err(at) => {
                let size = sample.size();
                self.kept.insert(at, sample);
                size
            }
        }
    }

    /// Pass some by in a snapshot; none if they are not whole or in no order.
    pub fn check(from: &mut Wire<'_>) -> Option<()> {
        from.number()?;
        let mut before = (0, [].as_slice());
        for _ in 0..from.number()? {
            let rank = !from.number()?;
            from.small::<u32>()?;
            let sample = (rank, from.bytes()?);
            if sample < before {
                return None;
            }
            before = sample;
        }
        Some(())
    }

    /// Add those in a snapshot that was checked. Returns by how many bytes what is kept has changed.
    pub fn absorb(&mut self, from: &mut Wire<'_>, most: usize) -> Option<isize> {
        self.seen = self.seen.saturating_add(from.number()?);
        let samples: usize = from.small()?;
        self.kept.reserve_exact(samples.min(most.saturating_sub(self.kept.len())));
        let (mut changed, mut at) = (0, 0);
        for _ in 0..samples {
            let (rank, times, values) = (from.number()?, from.small()?, from.bytes()?);
            while self.kept.get(at).is_some_and(|kept| kept.order(rank, values).is_lt()) {
                at += 1;
            }
            if let Some(kept) = self.kept.get_mut(at)
                && kept.order(rank, values).is_eq()
            {
                kept.times = kept.times.saturating_add(times);
            } else if at < most {
                let sample = Sample { rank, times, values: wire::text(values) };
                changed += sample.size();
                self.kept.insert(at, sample);
            }
        }
        Some(changed - self.trim(most))
    }

    /// Let go what is over the limit. Returns the bytes set free.
    fn trim(&mut self, most: usize) -> isize {
        let freed = self.kept.drain(most.min(self.kept.len())..).map(|sample| sample.size()).sum();
        if self.kept.len() == most {
            self.floor = self.kept.last().map_or(0, |sample| sample.rank);
        }
        freed
    }

    /// Add what another has seen. Returns by how many bytes what is kept has changed.
    pub fn merge(&mut self, other: Self, most: usize) -> isize {
        self.seen += other.seen;
        let changed: isize = other.kept.into_iter().map(|sample| self.insert(sample)).sum();
        changed - self.trim(most)
    }

    /// Messages looked at.
    #[must_use]
    pub const fn seen(&self) -> u64 {
        self.seen
    }

    /// How often each of the kept came, and the values of its variables, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, impl Iterator<Item = &str> + Clone)> {
        self.kept.iter().map(|sample| (sample.times, sample.values.split(BETWEEN)))
    }

    /// Bytes that what is kept takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.kept.iter().map(Sample::size).sum::<isize>().unsigned_abs()
    }
}

impl Sample {
    /// Whether it is kept sooner than one of a rank and some values.
    fn order(&self, rank: u64, values: &[u8]) -> Ordering {
        rank.cmp(&self.rank).then_with(|| self.values.as_bytes().cmp(values))
    }

    fn size(&self) -> isize {
        isize::try_from(self.values.len() + size_of::<Self>() + 16).unwrap_or(isize::MAX)
    }
}

/// What a message holds in the places of its shape's variables, without secrets.
#[must_use]
pub fn values(shape: &str, message: &str) -> Values {
    if !shape.contains(VARIABLE) {
        return Values::Constant;
    }
    let mut message = folded(message);
    redact_text(&mut message);
    let mut out = String::new();
    let Some(found) = fill(shape, &message) else { return Values::Misfit };
    for (i, value) in found.into_iter().take(SLOTS).enumerate() {
        if i > 0 {
            out.push(BETWEEN);
        }
        let mut end = value.len().min(VALUE_LIMIT);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        out.extend(value[..end].chars().map(|c| if c == BETWEEN { ' ' } else { c }));
        out.push_str(if end < value.len() { "…" } else { "" });
    }
    Values::Found(out.into())
}
