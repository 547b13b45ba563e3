//! What a series' events carried: the attributes of a few of them, by which the bad ones may be told from the rest.
//!
//! Kept are some events picked by chance, some of the failed ones, and the slowest: which they are is decided by a hash of
//! each event and by its duration, so it matters neither in which order they come nor where (bottom-k sampling, Cohen and
//! Kaplan, 2007). From them any share can be told of any key, with the error of a sample of that size. An event that is not
//! kept costs a comparison, and one that is a number for each of its [`pieces`](super::pieces).

use super::digest::Digest;
use super::pieces::{NOTHING, Piece, Pieces};
use super::wire::{self, Wire};
use crate::event::Event;

/// Events picked by chance.
pub const ANY: usize = 96;

/// Of the failed ones.
pub const FAILED: usize = 32;

/// The slowest.
pub const SLOWEST: usize = 32;

/// Events that wait to be told apart from those that stay.
const WAITING: usize = 48;

/// What stands for no duration.
const NO_TIME: u64 = u64::MAX;

/// An event, as far as it is kept.
#[derive(Clone, Copy, Debug)]
struct Sampled {
    /// The greater, the sooner it is kept.
    rank: u64,
    /// Nanoseconds since the epoch.
    time: i64,
    /// Nanoseconds, or [`NO_TIME`].
    took: u64,
    /// Where its pieces are among those of all, and how many.
    from: u32,
    pieces: u8,
    failed: bool,
}

type Order = (u64, i64, u64, bool);

impl Sampled {
    const fn order(&self) -> Order {
        (self.rank, self.time, self.took, self.failed)
    }

    const fn slow(&self) -> Option<(u64, u64)> {
        if self.took == NO_TIME { None } else { Some((self.took, self.rank)) }
    }

    fn pieces<'a>(&self, all: &'a [Piece]) -> &'a [Piece] {
        let from = self.from as usize;
        &all[from..from + usize::from(self.pieces)]
    }
}

/// Attributes of a few of the events of a stretch of time.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// Events with attributes, and of them failed.
    seen: u64,
    failed: u64,
    /// What is ranked below is not kept: of any, and of the failed ones.
    floors: [u64; 2],
    /// The same of the slowest: nanoseconds, and the rank among those that took as long.
    slowest: (u64, u64),
    kept: Option<Box<Sample>>,
}

#[derive(Clone, Debug, Default)]
struct Sample {
    events: Vec<Sampled>,
    /// Of the first event, of the second …
    pieces: Vec<Piece>,
    /// Events came since it was put in order.
    new: bool,
}

/// Why an event is among those that are kept; one may be for several reasons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasons {
    /// By chance.
    pub any: bool,
    /// By chance, of the failed ones.
    pub failed: bool,
    /// It is one of the slowest.
    pub slowest: bool,
}

/// An event that was kept.
#[derive(Clone, Debug)]
pub struct Carrier<'a> {
    /// Nanoseconds since the epoch.
    pub time: i64,
    /// Nanoseconds.
    pub took: Option<u64>,
    /// Whether it failed.
    pub failed: bool,
    /// Why it was kept.
    pub reasons: Reasons,
    /// `key=value` of each of its attributes.
    pub pairs: Vec<&'a str>,
}

/// What is kept of one stretch of time, to be read.
#[derive(Clone, Debug)]
pub struct Stretch<'a> {
    /// Events that it was picked from.
    pub seen: u64,
    /// Of them, failed.
    pub failed: u64,
    /// The events kept.
    pub events: Vec<Carrier<'a>>,
}

impl Carried {
    /// Consider an event; `rank` is a hash of it. Returns by how many bytes what is kept has changed.
    #[inline]
    pub(crate) fn offer(&mut self, event: &Event<'_>, digest: &Digest, rank: u64, pieces: &mut Pieces) -> isize {
        if !digest.carries {
            return 0;
        }
        self.seen += 1;
        self.failed += u64::from(digest.failed);
        let by_chance = rank >= self.floors[0] || (digest.failed && rank >= self.floors[1]);
        if by_chance || digest.duration().is_some_and(|took| (took, rank) >= self.slowest) {
            return self.keep(event, digest, rank, pieces);
        }
        0
    }

    #[cold]
    fn keep(&mut self, event: &Event<'_>, digest: &Digest, rank: u64, pieces: &mut Pieces) -> isize {
        let before = self.bytes() + pieces.bytes();
        let sample = self.kept.get_or_insert_default();
        let from = u32::try_from(sample.pieces.len()).unwrap_or(u32::MAX);
        let of_it = pieces.of(event);
        sample.pieces.extend_from_slice(of_it);
        sample.events.push(Sampled {
            rank,
            time: digest.time,
            took: digest.duration().map_or(NO_TIME, |took| took.min(NO_TIME - 1)),
            from,
            pieces: u8::try_from(of_it.len()).unwrap_or(u8::MAX),
            failed: digest.failed,
        });
        sample.new = true;
        pieces.touched = true;
        if sample.events.len() >= (ANY + FAILED + SLOWEST + WAITING) >> pieces.halved {
            self.prune(pieces.halved);
            if self.kept.as_ref().is_some_and(|kept| kept.events.len() > (ANY + FAILED + SLOWEST) >> pieces.halved) {
                // The same events, over and over.
                pieces.read();
                pieces.touched = true;
                self.order(pieces);
            }
        }
        signed(self.bytes() + pieces.bytes()) - signed(before)
    }

    /// Keep no more than what may be kept, halved so often. Returns the bytes set free.
    ///
    /// Where there are as many as may be, what comes after the last of them need not be looked at from now on.
    pub fn prune(&mut self, halved: u32) -> usize {
        let before = self.bytes();
        let Some(sample) = &mut self.kept else { return 0 };
        let events = &sample.events;
        let any = last(events.iter().map(|event| event.rank), ANY >> halved);
        let failed = last(events.iter().filter(|event| event.failed).map(|event| event.rank), FAILED >> halved);
        let slowest = last(events.iter().filter_map(Sampled::slow), SLOWEST >> halved);
        self.floors = [self.floors[0].max(any), self.floors[1].max(failed)];
        self.slowest = self.slowest.max(slowest);
        let ([any, failed], slowest) = (self.floors, self.slowest);
        sample.retain(|event| {
            event.rank >= any
                || (event.failed && event.rank >= failed)
                || event.slow().is_some_and(|slow| slow >= slowest)
        });
        before - self.bytes()
    }

    /// Let go what does not stay, of what has come since it was put in order. Returns the bytes set free.
    pub fn prune_new(&mut self) -> usize {
        if self.kept.as_ref().is_some_and(|kept| kept.new) { self.prune(0) } else { 0 }
    }

    /// Put what has come in order, once it is read. Returns the bytes set free.
    pub fn settle(&mut self, pieces: &Pieces) -> usize {
        if self.kept.as_ref().is_some_and(|kept| kept.new) { self.order(pieces) } else { 0 }
    }

    /// Put what is kept in order, and let go what is the same as the last that stays. Returns the bytes set free.
    fn order(&mut self, pieces: &Pieces) -> usize {
        let before = self.bytes();
        let Some(sample) = &mut self.kept else { return 0 };
        sample.sort(pieces);
        if sample.events.len() > ANY {
            let mut whys = reasons(&sample.events).into_iter();
            sample.retain(|_| whys.next().is_some_and(|why| why != Reasons::default()));
        }
        before - self.bytes()
    }

    /// Mark the pieces that are carried.
    pub fn mark(&self, carried: &mut [bool]) {
        for &piece in self.kept.iter().flat_map(|kept| &kept.pieces) {
            carried[piece as usize] = true;
        }
    }

    /// Bytes that what is kept takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| {
            size_of::<Sample>()
                + kept.events.capacity() * size_of::<Sampled>()
                + kept.pieces.capacity() * size_of::<Piece>()
        })
    }

    /// What is kept; settle first.
    #[must_use]
    pub fn read<'a>(&'a self, pieces: &'a Pieces) -> Stretch<'a> {
        let events = self.kept.iter().flat_map(|kept| {
            kept.events.iter().zip(reasons(&kept.events)).map(|(event, reasons)| Carrier {
                time: event.time,
                took: event.slow().map(|(took, _)| took),
                failed: event.failed,
                reasons,
                pairs: pieces.pairs(event.pieces(&kept.pieces)),
            })
        });
        Stretch { seen: self.seen, failed: self.failed, events: events.collect() }
    }
}

/// The last of the `most` greatest; what is less than everything if there are fewer.
fn last<T: Ord + Default>(all: impl Iterator<Item = T>, most: usize) -> T {
    if all.size_hint().1.is_some_and(|there| there < most) {
        return T::default();
    }
    let mut all: Vec<T> = all.collect();
    let Some(at) = all.len().checked_sub(most) else { return T::default() };
    std::mem::take(all.select_nth_unstable(at).1)
}

/// Why each event stays, of events in the order of their ranks.
fn reasons(events: &[Sampled]) -> Vec<Reasons> {
    let mut left = FAILED;
    let mut all: Vec<Reasons> = (0..)
        .zip(events)
        .map(|(at, event)| {
            let failed = event.failed && left > 0;
            left -= usize::from(failed);
            Reasons { any: at < ANY, failed, slowest: false }
        })
        .collect();
    let mut slowest: Vec<(u64, Order, usize)> =
        (0..).zip(events).filter_map(|(at, event)| Some((event.slow()?.0, event.order(), at))).collect();
    slowest.sort_unstable_by(|a, b| b.cmp(a));
    for (.., at) in slowest.into_iter().take(SLOWEST) {
        if let Some(why) = all.get_mut(at) {
            why.slowest = true;
        }
    }
    all
}

impl Sample {
    /// Let those events go that are not to stay.
    fn retain(&mut self, mut stays: impl FnMut(&Sampled) -> bool) {
        let Self { events, pieces, .. } = self;
        let mut kept = 0;
        events.retain_mut(|event| {
            let stays = stays(event);
            if stays {
                let (from, many) = (event.from as usize, usize::from(event.pieces));
                pieces.copy_within(from..from + many, kept);
                event.from = u32::try_from(kept).unwrap_or(u32::MAX);
                kept += many;
            }
            stays
        });
        pieces.truncate(kept);
    }

    /// By their ranks, the greatest first; what is the same but for its attributes, by these. Each piece is then the one that
    /// says it.
    fn sort(&mut self, pieces: &Pieces) {
        self.new = false;
        let all = &self.pieces;
        let texts = |event: &Sampled| event.pieces(all).iter().map(|&piece| pieces.text(piece));
        self.events.sort_by(|a, b| b.order().cmp(&a.order()).then_with(|| texts(a).cmp(texts(b))));
        let mut sorted: Vec<Piece> = Vec::with_capacity(all.len());
        for event in &mut self.events {
            let from = sorted.len();
            for piece in event.pieces(all).iter().map(|&piece| pieces.same(piece)) {
                if piece != NOTHING && !sorted[from..].contains(&piece) {
                    sorted.push(piece);
                }
            }
            event.from = u32::try_from(from).unwrap_or(u32::MAX);
            event.pieces = u8::try_from(sorted.len() - from).unwrap_or(u8::MAX);
        }
        self.pieces = sorted;
    }
}

fn signed(bytes: usize) -> isize {
    isize::try_from(bytes).unwrap_or(isize::MAX)
}

/// In a snapshot: how many events were seen, failed and are kept; of each its rank, time and duration, how many pieces it has
/// and whether it failed; and the pieces of all, by their places in the snapshot.
impl Carried {
    /// Append it. The pieces are by their numbers here; where they stand in `out`, and how many there are, is told.
    pub fn write(&self, out: &mut Vec<u8>, pieces: &mut Vec<(usize, usize)>) {
        let (events, all) = self.kept.as_ref().map_or((&[][..], &[][..]), |kept| (&*kept.events, &*kept.pieces));
        wire::put(&(self.seen, self.failed, events.len()), out);
        for event in events {
            out.extend_from_slice(&event.rank.to_le_bytes());
            out.extend_from_slice(&event.time.to_le_bytes());
            out.extend_from_slice(&event.took.to_le_bytes());
            out.extend_from_slice(&[event.pieces, u8::from(event.failed)]);
        }
        if !all.is_empty() {
            pieces.push((out.len(), all.len()));
        }
        all.iter().for_each(|piece| out.extend_from_slice(&piece.to_le_bytes()));
    }

    /// Pass by one in a snapshot that has so many pieces; none if it is not whole.
    pub fn check(from: &mut Wire<'_>, pieces: usize) -> Option<()> {
        let [_, _, events] = [from.number()?, from.number()?, from.number()?];
        let events: &[[u8; EVENT]] = from.many(events.try_into().ok()?)?;
        let count = events.iter().map(|event| usize::from(event[EVENT - 2])).sum();
        if events.iter().any(|event| event[EVENT - 1] > 1) {
            return None;
        }
        from.many(count)?.iter().all(|&piece| (u32::from_le_bytes(piece) as usize) < pieces).then_some(())
    }

    /// Add what one in a snapshot that was checked has seen; `numbers` are those that its pieces have here. Returns by how
    /// many bytes what is kept has changed.
    pub fn absorb(&mut self, from: &mut Wire<'_>, numbers: &[Piece], halved: u32) -> Option<isize> {
        let [seen, failed, events] = [from.number()?, from.number()?, from.number()?];
        self.seen = self.seen.saturating_add(seen);
        self.failed = self.failed.saturating_add(failed);
        let events: &[[u8; EVENT]] = from.many(events.try_into().ok()?)?;
        let count = events.iter().map(|event| usize::from(event[EVENT - 2])).sum();
        let pieces: &[[u8; 4]] = from.many(count)?;
        if events.is_empty() {
            return Some(0);
        }
        let before = self.bytes();
        let (begun, sample) = (self.kept.is_some(), self.kept.get_or_insert_default());
        let mut at = sample.pieces.len();
        sample.pieces.extend(pieces.iter().map(|&piece| numbers[u32::from_le_bytes(piece) as usize]));
        sample.events.extend(events.iter().map(|event| {
            let number = |from: usize| u64::from_le_bytes(event[from..from + 8].try_into().unwrap_or_default());
            let sampled = Sampled {
                rank: number(0),
                time: number(8).cast_signed(),
                took: number(16),
                from: u32::try_from(at).unwrap_or(u32::MAX),
                pieces: event[EVENT - 2],
                failed: event[EVENT - 1] > 0,
            };
            at += usize::from(sampled.pieces);
            sampled
        }));
        // Alone they are in order.
        sample.new |= begun;
        if sample.events.len() > ANY >> halved {
            self.prune(halved);
        }
        Some(signed(self.bytes()) - signed(before))
    }
}

/// Bytes of an event in a snapshot, its pieces aside.
const EVENT: usize = 26;
