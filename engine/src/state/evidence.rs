//! Raw events kept as evidence: for each series the slowest, a failed one and one picked by chance, now and a while ago;
//! what the variables of its template held in a few more, now, a while ago and ever; and what a few more carried.
//!
//! Which one stays is decided by the events alone (the longest duration, the smallest hash of its bytes), never by the
//! order in which they came: bottom-k sampling with k = 1 (Cohen and Kaplan, 2007). So evidence merges like counts do.

use std::cell::LazyCell;

use serde::{Deserialize, Serialize};

use super::attributes::{Carried, Stretch};
use super::digest::Digest;
use super::pieces::{Piece, Pieces};
use super::timeline::Seconds;
use super::wire::{self, Wire};
use crate::event::{Event, TraceId};
use crate::templates::{self, Samples};
use crate::{redact, show};

/// Seconds of event time for which one set of events is collected; the set before it is kept too.
pub const EPOCH: Seconds = 300;

/// Bytes of a raw event that are kept; the rest is cut.
pub const RAW_LIMIT: usize = 2_048;

/// Messages of an epoch whose values are kept.
pub const RECENT_SAMPLES: usize = 16;

/// Messages of all times whose values are kept.
pub const SAMPLES: usize = 32;

/// Why an event was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// The longest.
    Worst,
    /// A failed one, by chance.
    Failed,
    /// Any one, by chance.
    Sample,
}

impl Role {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Worst => "worst",
            Self::Failed => "failed",
            Self::Sample => "sample",
        }
    }
}

/// A raw event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Exhibit {
    /// The smaller, the sooner it is kept.
    rank: u64,
    /// Nanoseconds since the epoch.
    pub time: i64,
    /// The stream it came from.
    pub stream: Box<str>,
    /// Where its record begins there.
    pub offset: u64,
    /// The trace it belongs to; zeros if to none.
    pub trace: TraceId,
    /// Its bytes, redacted, cut.
    pub raw: Box<[u8]>,
}

/// One as it stands in a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ExhibitImage<'a> {
    rank: u64,
    time: i64,
    stream: &'a [u8],
    offset: u64,
    trace: TraceId,
    raw: &'a [u8],
}

impl<'a> ExhibitImage<'a> {
    fn read(from: &mut Wire<'a>) -> Option<Self> {
        let (rank, time, stream) = (from.number()?, from.signed()?, from.bytes()?);
        let (offset, trace, raw) = (from.number()?, from.exactly()?, from.bytes()?);
        Some(Self { rank, time, stream, offset, trace, raw })
    }

    fn of(exhibit: &'a Exhibit) -> Self {
        let Exhibit { rank, time, ref stream, offset, trace, ref raw } = *exhibit;
        Self { rank, time, stream: stream.as_bytes(), offset, trace, raw }
    }

    fn copied(&self) -> Exhibit {
        let Self { rank, time, stream, offset, trace, raw } = *self;
        Exhibit { rank, time, stream: wire::text(stream), offset, trace, raw: raw.into() }
    }
}

/// The exhibits of one epoch.
#[derive(Clone, Debug, Default)]
struct Set {
    epoch: Seconds,
    exhibits: [Option<Exhibit>; 3],
    samples: Samples,
    carried: Carried,
}

impl Set {
    fn bytes(&self) -> usize {
        let raw = self.exhibits.iter().flatten().map(|exhibit| exhibit.raw.len() + exhibit.stream.len() + 64);
        raw.sum::<usize>() + self.samples.bytes() + self.carried.bytes()
    }
}

/// The evidence of one series: the set of the newest epoch it was seen in, and of the one before.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    sets: [Set; 2],
    samples: Samples,
}

const ROLES: [Role; 3] = [Role::Worst, Role::Failed, Role::Sample];

impl Kept {
    /// Consider an event; `said` gives the shape it is counted by, and its text. With `pieces`, what it carries counts too.
    /// Returns by how many bytes what is kept has changed, and whether the event is kept itself.
    #[inline]
    pub(crate) fn offer<'a>(
        &mut self,
        event: &Event<'_>,
        digest: &Digest,
        stream: &str,
        offset: u64,
        pieces: Option<&mut Pieces>,
        said: impl FnOnce() -> (&'a str, &'a str),
    ) -> (isize, bool) {
        let Digest { time, failed, .. } = *digest;
        let epoch = time.div_euclid(1_000_000_000 * EPOCH);
        let hash = mix(event, digest.span);
        // Lines without a time may be equal and are events apart all the same.
        let rank = splitmix(hash ^ offset);
        let found = LazyCell::new(|| {
            let (shape, text) = said();
            templates::values(shape, text)
        });
        let (mut changed, mut kept) = (self.samples.offer(rank, SAMPLES, || (*found).clone()), false);
        let Some(set) = self.set(epoch, &mut changed) else { return (changed, false) };
        changed += set.samples.offer(rank, RECENT_SAMPLES, || (*found).clone());
        if let Some(pieces) = pieces {
            changed += set.carried.offer(event, digest, rank, pieces);
        }
        let mut raw: Option<Box<[u8]>> = None;
        let ranks = [digest.duration().map(|ns| u64::MAX - ns), failed.then_some(hash), Some(hash)];
        for (slot, rank) in set.exhibits.iter_mut().zip(ranks) {
            let Some(rank) = rank else { continue };
            // Ordinary events end here.
            if slot.as_ref().is_none_or(|kept| rank <= kept.rank) {
                let found = Found { event, digest, stream, offset };
                let grown = found.keep(slot, rank, &mut raw);
                changed += grown.unwrap_or(0);
                kept |= grown.is_some();
            }
        }
        (changed, kept)
    }

    /// Look at what an event is compared with; for who wants it near.
    #[inline]
    #[must_use]
    pub(crate) fn approach(&self) -> (Seconds, [Option<u64>; 3]) {
        let [set, _] = &self.sets;
        (set.epoch, set.exhibits.each_ref().map(|slot| slot.as_ref().map(|exhibit| exhibit.rank)))
    }

    /// Add a record to the events that the record at an offset of a stream gave, as far as they are kept and short. Returns
    /// by how many bytes what is kept has changed.
    pub fn go_on(&mut self, stream: &str, offset: u64, record: &[u8]) -> isize {
        let mut changed = 0;
        for exhibit in self.sets.iter_mut().flat_map(|set| &mut set.exhibits).flatten() {
            let room = RAW_LIMIT.saturating_sub(exhibit.raw.len());
            if exhibit.offset == offset && *exhibit.stream == *stream && room > 0 {
                let more = redact::redact(&record[..record.len().min(room)]);
                let raw = [&exhibit.raw, &*more].concat();
                changed += isize::try_from(more.len()).unwrap_or(0);
                exhibit.raw = raw.into();
            }
        }
        changed
    }

    fn set(&mut self, epoch: Seconds, changed: &mut isize) -> Option<&mut Set> {
        if epoch > self.sets[0].epoch {
            let empty = Set { epoch, ..Set::default() };
            let before = std::mem::replace(&mut self.sets[0], empty);
            let dropped = std::mem::replace(&mut self.sets[1], before);
            *changed -= isize::try_from(dropped.bytes()).unwrap_or(0);
            return Some(&mut self.sets[0]);
        }
        if epoch == self.sets[0].epoch {
            return Some(&mut self.sets[0]);
        }
        if epoch > self.sets[1].epoch {
            let dropped = std::mem::replace(&mut self.sets[1], Set { epoch, ..Set::default() });
            *changed -= isize::try_from(dropped.bytes()).unwrap_or(0);
        }
        (epoch == self.sets[1].epoch).then_some(&mut self.sets[1])
    }

    /// Append it to a snapshot; of pieces, as [`Carried::write`] does.
    pub fn write(&self, out: &mut Vec<u8>, pieces: &mut Vec<(usize, usize)>) {
        for set in &self.sets {
            wire::put(&(set.epoch, &set.exhibits, &set.samples), out);
            set.carried.write(out, pieces);
        }
        wire::put(&self.samples, out);
    }

    /// Pass by what a snapshot of so many pieces holds of a series; none if it is not whole.
    pub fn check(from: &mut Wire<'_>, pieces: usize) -> Option<()> {
        for _ in 0..2 {
            from.signed()?;
            (0..3).try_for_each(|_| from.maybe(ExhibitImage::read).map(drop))?;
            Samples::check(from)?;
            Carried::check(from, pieces)?;
        }
        Samples::check(from)
    }

    /// Add what a snapshot that was checked holds of a series, by the same rules as if its events had been offered here;
    /// `numbers` are those that its pieces have here. Returns by how many bytes what is kept has changed.
    pub fn absorb(&mut self, from: &mut Wire<'_>, numbers: &[Piece], halved: u32) -> Option<isize> {
        let mut changed = 0;
        for _ in 0..2 {
            let epoch = from.signed()?;
            let exhibits =
                [from.maybe(ExhibitImage::read)?, from.maybe(ExhibitImage::read)?, from.maybe(ExhibitImage::read)?];
            let any = exhibits.iter().any(Option::is_some);
            let Some(mine) = any.then(|| self.set(epoch, &mut changed)).flatten() else {
                Samples::check(from)?;
                Carried::check(from, numbers.len())?;
                continue;
            };
            changed += mine.samples.absorb(from, RECENT_SAMPLES)?;
            changed += mine.carried.absorb(from, numbers, halved)?;
            for (slot, exhibit) in mine.exhibits.iter_mut().zip(exhibits) {
                if let Some(exhibit) = exhibit
                    && slot.as_ref().is_none_or(|kept| exhibit < ExhibitImage::of(kept))
                {
                    let exhibit = exhibit.copied();
                    changed += size(Some(&exhibit)) - size(slot.as_ref());
                    *slot = Some(exhibit);
                }
            }
        }
        changed += self.samples.absorb(from, SAMPLES)?;
        Some(changed)
    }

    /// What is kept, newest set first.
    pub fn iter(&self) -> impl Iterator<Item = (Role, &Exhibit)> {
        self.sets.iter().flat_map(|set| {
            ROLES.into_iter().zip(&set.exhibits).filter_map(|(role, slot)| Some((role, slot.as_ref()?)))
        })
    }

    /// What its variables held in events of all times.
    #[must_use]
    pub const fn samples(&self) -> &Samples {
        &self.samples
    }

    /// What its variables held in events since a time, in nanoseconds since the epoch, and a while before it: of the five
    /// minutes it lies in, and of those that follow.
    #[must_use]
    pub fn recent_samples(&self, since: i64) -> Samples {
        let epoch = since.div_euclid(1_000_000_000 * EPOCH);
        let mut all = Samples::default();
        for set in self.sets.iter().filter(|set| set.epoch >= epoch) {
            all.merge(set.samples.clone(), 2 * RECENT_SAMPLES);
        }
        all
    }

    /// What a few events carried, of the newest five minutes and of the five before.
    pub fn carried<'a>(&'a self, pieces: &'a Pieces) -> impl Iterator<Item = Stretch<'a>> {
        self.sets.iter().map(|set| set.carried.read(pieces))
    }

    /// The same, each with the second since the epoch at which its five minutes begin.
    pub fn sampled<'a>(&'a self, pieces: &'a Pieces) -> impl Iterator<Item = (Seconds, Stretch<'a>)> {
        self.sets.iter().map(|set| set.epoch.saturating_mul(EPOCH)).zip(self.carried(pieces))
    }

    /// Let go what of the new events does not stay for what it carries. Returns the bytes set free.
    pub fn prune_carried(&mut self) -> usize {
        self.sets.iter_mut().map(|set| set.carried.prune_new()).sum()
    }

    /// Put what the new events carry in order, once it is read. Returns the bytes set free.
    pub fn settle(&mut self, pieces: &Pieces) -> usize {
        self.sets.iter_mut().map(|set| set.carried.settle(pieces)).sum()
    }

    /// Mark the pieces that events carry.
    pub fn mark(&self, carried: &mut [bool]) {
        self.sets.iter().for_each(|set| set.carried.mark(carried));
    }

    /// Bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.sets.iter().map(Set::bytes).sum::<usize>() + self.samples.bytes()
    }

    /// Keep no more of what events carried than what may be kept, halved so often. Returns the bytes set free.
    pub fn halve_carried(&mut self, halved: u32) -> usize {
        self.sets.iter_mut().map(|set| set.carried.prune(halved)).sum()
    }

    /// Let go what the variables held. Returns the bytes set free.
    pub fn shed_samples(&mut self) -> usize {
        let all = self.sets.iter_mut().map(|set| &mut set.samples).chain([&mut self.samples]);
        all.map(|samples| std::mem::take(samples).bytes()).sum()
    }

    /// Let the older set go. Returns the bytes set free.
    pub fn shed_older(&mut self) -> usize {
        std::mem::take(&mut self.sets[1]).bytes()
    }

    /// Let everything go. Returns the bytes set free.
    pub fn shed_all(&mut self) -> usize {
        std::mem::take(self).bytes()
    }
}

/// An event that may be kept.
struct Found<'a> {
    event: &'a Event<'a>,
    digest: &'a Digest,
    stream: &'a str,
    offset: u64,
}

impl Found<'_> {
    /// Put it in a slot, unless what is there comes first. Returns by how many bytes that has changed what is kept.
    #[cold]
    #[inline(never)]
    fn keep(&self, slot: &mut Option<Exhibit>, rank: u64, raw: &mut Option<Box<[u8]>>) -> Option<isize> {
        let Self { event, stream, offset, .. } = *self;
        let Digest { time, trace, .. } = *self.digest;
        // Equal ranks are told apart by where they stand, and by their bytes only in the end.
        if slot.as_ref().is_some_and(|kept| {
            (kept.rank, kept.time, &*kept.stream, kept.offset, kept.trace) < (rank, time, stream, offset, trace)
        }) {
            return None;
        }
        // What is the slowest is often picked by chance too, above all while there are few.
        let raw = raw.get_or_insert_with(|| {
            let said = show::evidence(event);
            redact::redact(&said[..said.len().min(RAW_LIMIT)]).into()
        });
        let exhibit = Exhibit { rank, time, stream: stream.into(), offset, trace, raw: raw.clone() };
        if slot.as_ref().is_some_and(|kept| *kept <= exhibit) {
            return None;
        }
        let changed = size(Some(&exhibit)) - size(slot.as_ref());
        *slot = Some(exhibit);
        Some(changed)
    }
}

fn size(exhibit: Option<&Exhibit>) -> isize {
    exhibit.map_or(0, |exhibit| isize::try_from(exhibit.raw.len() + exhibit.stream.len() + 64).unwrap_or(0))
}

/// A hash that is the same on every host and in every run, unlike those of the tables: it decides what is kept.
#[inline]
fn mix(event: &Event<'_>, span: u64) -> u64 {
    let seed = if span == 0 { u64::from(crc32fast::hash(event.raw)) } else { span };
    splitmix(seed)
}

/// `SplitMix64` (Steele, Lea and Flood, 2014).
#[inline]
const fn splitmix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
