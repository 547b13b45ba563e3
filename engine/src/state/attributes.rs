//! What a series' events carried: the attributes of a few of them, by which the bad ones may be told from the rest.
//!
//! Kept are some events picked by chance, some of the failed ones, and the slowest: which they are is decided by a hash of
//! each event and by its duration, so it matters neither in which order they come nor where (bottom-k sampling, Cohen and
//! Kaplan, 2007). From them any share can be told of any key, with the error of a sample of that size. An event that is not
//! kept costs a comparison; the bytes of one that is are copied, and read when they are asked for, if it is kept by then.

use std::fmt::{Debug, Formatter, Result as Written};
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::digest::Digest;
use super::unread::{Form, Resources, Spare, Unread, read};
use super::wire::Wire;
use crate::event::Event;
use crate::format::is_field;

/// Events picked by chance.
pub const ANY: usize = 32;

/// Of the failed ones.
pub const FAILED: usize = 16;

/// The slowest.
pub const SLOWEST: usize = 16;

/// Events that wait to be told apart from those that stay.
const WAITING: usize = 32;

/// Attributes of one event that are kept, those of its resource among them.
pub const PAIRS: usize = 64;

/// Bytes of an event's attributes that are copied; those of a longer one are read at once.
const COPIED: usize = 4_096;

#[derive(Clone, Debug)]
enum Said {
    Unread(Box<Unread>),
    /// By their places among all that the sample has, in the order of the record.
    Pairs(Box<[u16]>),
}

/// An event, as far as it is kept.
#[derive(Clone, Debug)]
struct Sampled {
    /// The greater, the sooner it is kept.
    rank: u64,
    /// Nanoseconds since the epoch.
    time: i64,
    /// Nanoseconds; `None` of what takes no time.
    took: Option<u64>,
    failed: bool,
    said: Said,
}

type Order = (u64, i64, Option<u64>, bool);

impl Sampled {
    const fn order(&self) -> Order {
        (self.rank, self.time, self.took, self.failed)
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
            + 16
            + match &self.said {
                Said::Unread(unread) => unread.own.len() + size_of::<Unread>() + 16,
                Said::Pairs(pairs) => 2 * pairs.len(),
            }
    }
}

/// Attributes of a few of the events of a stretch of time.
#[derive(Clone, Default)]
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

#[derive(Clone, Default)]
struct Sample {
    events: Vec<Sampled>,
    /// `key=value`, each once; some may be left of events that are gone.
    pairs: Vec<Box<str>>,
    unread: bool,
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
    pub(crate) fn offer(&mut self, event: &Event<'_>, digest: &Digest, rank: u64, resources: &mut Resources) -> isize {
        if !digest.carries {
            return 0;
        }
        self.seen += 1;
        self.failed += u64::from(digest.failed);
        let by_chance = rank >= self.floors[0] || (digest.failed && rank >= self.floors[1]);
        if by_chance || digest.duration().is_some_and(|took| (took, rank) >= self.slowest) {
            return self.keep(event, digest.time, rank, resources);
        }
        0
    }

    #[cold]
    fn keep(&mut self, event: &Event<'_>, time: i64, rank: u64, resources: &mut Resources) -> isize {
        let Some(unread) = Unread::of(event, resources) else { return 0 };
        let long = unread.own.len() > COPIED;
        let said = Said::Unread(unread);
        let sampled = Sampled { rank, time, took: event.duration, failed: event.failed, said };
        let mut changed = signed(sampled.bytes());
        let sample = self.kept.get_or_insert_default();
        sample.events.push(sampled);
        sample.unread = true;
        if sample.events.len() >= (ANY + FAILED + SLOWEST + WAITING) >> resources.halved {
            changed -= signed(self.prune(resources.halved, &mut resources.spare));
            let most = (ANY + FAILED + SLOWEST) >> resources.halved;
            if self.kept.as_ref().is_some_and(|sample| sample.events.len() > most) {
                // The same events, over and over.
                changed += self.settle();
            }
        }
        if long {
            changed += self.settle();
        }
        changed
    }

    /// Keep no more than what may be kept, halved so often. Returns the bytes set free.
    pub fn halve(&mut self, halved: u32) -> usize {
        self.prune(halved, &mut Spare::default())
    }

    /// Let go what does not stay; its room, as far as it is one, is to `spare`. Returns the bytes set free.
    ///
    /// Where there are as many as may be, what comes after the last of them need not be looked at from now on.
    fn prune(&mut self, halved: u32, spare: &mut Spare) -> usize {
        let Some(sample) = &mut self.kept else { return 0 };
        let events = &mut sample.events;
        let any = last(events.iter().map(|event| event.rank), ANY >> halved);
        let failed = last(events.iter().filter(|event| event.failed).map(|event| event.rank), FAILED >> halved);
        let slowest = last(events.iter().filter_map(|event| Some((event.took?, event.rank))), SLOWEST >> halved);
        self.floors = [self.floors[0].max(any), self.floors[1].max(failed)];
        self.slowest = self.slowest.max(slowest);
        let ([any, failed], slowest) = (self.floors, self.slowest);
        let goes = |event: &mut Sampled| {
            event.rank < any
                && (!event.failed || event.rank < failed)
                && event.took.is_none_or(|took| (took, event.rank) < slowest)
        };
        let mut freed = 0;
        for event in events.extract_if(.., goes) {
            freed += event.bytes();
            if let Said::Unread(room) = event.said
                && spare.len() < WAITING
            {
                spare.push(room);
            }
        }
        freed
    }

    /// Put what is kept in order, and let go what is the same as the last that stays. Returns the bytes set free.
    fn order(&mut self) -> usize {
        let Some(sample) = &mut self.kept else { return 0 };
        sample.sort();
        if sample.events.len() <= ANY {
            return 0;
        }
        let reasons = reasons(&sample.events);
        let (mut whys, mut freed) = (reasons.iter(), 0);
        sample.events.retain(|event| {
            let stays = whys.next().is_some_and(|why| *why != Reasons::default());
            freed += if stays { 0 } else { event.bytes() };
            stays
        });
        freed
    }

    /// Read what is yet to be read. Returns by how many bytes what is kept has changed.
    pub fn settle(&mut self) -> isize {
        if !self.kept.as_ref().is_some_and(|sample| sample.unread) {
            return 0;
        }
        let mut changed = -signed(self.prune(0, &mut Vec::new()));
        if let Some(sample) = &mut self.kept {
            let before = sample.bytes();
            sample.read();
            changed += signed(sample.bytes()) - signed(before);
        }
        changed - signed(self.order()) - signed(self.tidy())
    }

    /// Pass by what a snapshot holds of a stretch; none if it is not whole.
    pub fn check(from: &mut Wire<'_>) -> Option<()> {
        (0..2).try_for_each(|_| from.number().map(drop))?;
        let pairs = from.number()?;
        for _ in 0..pairs {
            std::str::from_utf8(from.bytes()?).ok()?;
        }
        for _ in 0..from.number()? {
            from.number()?;
            from.signed()?;
            from.maybe(Wire::number)?;
            from.exactly().filter(|&[failed]: &[u8; 1]| failed <= 1)?;
            for _ in 0..from.number()? {
                from.small::<u16>().filter(|&pair| u64::from(pair) < pairs)?;
            }
        }
        Some(())
    }

    /// Add what another has seen. Returns by how many bytes what is kept has changed.
    pub fn merge(&mut self, mut other: Self) -> isize {
        if self.seen == 0 {
            *self = other;
            return self.settle() + signed(self.bytes());
        }
        let mut changed = self.settle();
        other.settle();
        self.seen += other.seen;
        self.failed += other.failed;
        let Some(theirs) = other.kept else { return changed };
        let mine = self.kept.get_or_insert_default();
        let before = mine.bytes();
        mine.join(*theirs);
        changed += signed(mine.bytes()) - signed(before);
        changed - signed(self.prune(0, &mut Vec::new())) - signed(self.order()) - signed(self.tidy())
    }

    /// Forget attributes that no event carries. Returns the bytes set free.
    fn tidy(&mut self) -> usize {
        let Some(sample) = &mut self.kept else { return 0 };
        let before = sample.bytes();
        sample.tidy();
        before - sample.bytes()
    }

    /// Bytes that what is kept takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.kept.as_ref().map_or(0, |sample| sample.bytes())
    }

    /// What is kept; settle first.
    #[must_use]
    pub fn read(&self) -> Stretch<'_> {
        let (seen, failed) = (self.seen, self.failed);
        let Some(sample) = &self.kept else { return Stretch { seen, failed, events: Vec::new() } };
        let text = |&pair: &u16| sample.pairs.get(usize::from(pair)).map(|text| &**text);
        let carrier = |(event, reasons): (&Sampled, Reasons)| {
            let Said::Pairs(pairs) = &event.said else { return None };
            Some(Carrier {
                time: event.time,
                took: event.took,
                failed: event.failed,
                reasons,
                pairs: pairs.iter().filter_map(text).collect(),
            })
        };
        let events = sample.events.iter().zip(reasons(&sample.events)).filter_map(carrier).collect();
        Stretch { seen, failed, events }
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
        (0..).zip(events).filter_map(|(at, event)| Some((event.took?, event.order(), at))).collect();
    slowest.sort_unstable_by(|a, b| b.cmp(a));
    for (.., at) in slowest.into_iter().take(SLOWEST) {
        if let Some(why) = all.get_mut(at) {
            why.slowest = true;
        }
    }
    all
}

impl Sample {
    fn bytes(&self) -> usize {
        let pairs: usize = self.pairs.iter().map(|pair| pair.len() + 32).sum();
        self.events.iter().map(Sampled::bytes).sum::<usize>() + pairs
    }

    /// By their ranks, the greatest first; what is the same but for its attributes, by these.
    fn sort(&mut self) {
        let pairs = &self.pairs;
        let texts = |said: &Said| match said {
            Said::Pairs(places) => places.iter().map(|&at| pairs.get(usize::from(at))).collect(),
            Said::Unread(_) => Vec::new(),
        };
        self.events.sort_by(|a, b| b.order().cmp(&a.order()).then_with(|| texts(&a.said).cmp(&texts(&b.said))));
    }

    fn read(&mut self) {
        self.unread = false;
        let Self { events, pairs, .. } = self;
        let hasher = RandomState::default();
        let mut places: HashTable<u16> = HashTable::with_capacity(2 * pairs.len());
        for (at, pair) in (0..).zip(pairs.iter()) {
            places.insert_unique(hasher.hash_one(&**pair), at, |&at| hasher.hash_one(&*pairs[usize::from(at)]));
        }
        let mut place = |pair: &str| {
            let hash = hasher.hash_one(pair);
            if let Some(&known) = places.find(hash, |&at| &*pairs[usize::from(at)] == pair) {
                return Some(known);
            }
            let new = u16::try_from(pairs.len()).ok()?;
            pairs.push(pair.into());
            places.insert_unique(hash, new, |&at| hasher.hash_one(&*pairs[usize::from(at)]));
            Some(new)
        };
        for event in events {
            let Said::Unread(unread) = &event.said else { continue };
            let mut found: Vec<u16> = Vec::new();
            let mut add = |pair: &str| {
                if found.len() < PAIRS
                    && let Some(place) = place(pair)
                    && !found.contains(&place)
                {
                    found.push(place);
                }
            };
            let is_line = matches!(unread.form, Form::Json | Form::Pairs);
            read(&unread.attributes(), true, &mut |pair| {
                let key = pair.split_once('=').map_or(pair, |(key, _)| key);
                if !(is_line && is_field(key)) {
                    add(pair);
                }
            });
            unread.resource.iter().flat_map(|resource| resource.iter()).for_each(|pair| add(pair));
            event.said = Said::Pairs(found.into());
        }
    }

    /// Add the events of another; both are read.
    fn join(&mut self, other: Self) {
        let mut places: HashMap<&str, u16, RandomState> = HashMap::default();
        places.extend(self.pairs.iter().map(|pair| &**pair).zip(0..));
        let mut new: Vec<Box<str>> = Vec::new();
        let mut next = self.pairs.len();
        let now: Vec<Option<u16>> = other
            .pairs
            .iter()
            .map(|pair| {
                places.get(&**pair).copied().or_else(|| {
                    let place = u16::try_from(next).ok()?;
                    next += 1;
                    new.push(pair.clone());
                    Some(place)
                })
            })
            .collect();
        drop(places);
        self.pairs.extend(new);
        self.events.extend(other.events.into_iter().map(|event| {
            let said = match &event.said {
                Said::Pairs(pairs) => {
                    Said::Pairs(pairs.iter().filter_map(|&pair| *now.get(usize::from(pair))?).collect())
                }
                Said::Unread(_) => event.said.clone(),
            };
            Sampled { said, ..event }
        }));
    }

    /// Forget what no event carries, once that is as much as what they do.
    fn tidy(&mut self) {
        let (places, live) = self.places();
        if self.pairs.len() <= 2 * live.len() + 16 {
            return;
        }
        self.pairs = live.into_iter().map(|at| std::mem::take(&mut self.pairs[usize::from(at)])).collect();
        for event in &mut self.events {
            if let Said::Pairs(pairs) = &mut event.said {
                pairs.iter_mut().for_each(|pair| *pair = places[usize::from(*pair)]);
            }
        }
    }

    /// Where each pair would be if they stood in the order in which the events have them, and the pairs in that order.
    fn places(&self) -> (Vec<u16>, Vec<u16>) {
        let mut places = vec![u16::MAX; self.pairs.len()];
        let mut live: Vec<u16> = Vec::new();
        for event in &self.events {
            let Said::Pairs(pairs) = &event.said else { continue };
            for &pair in pairs {
                let place = &mut places[usize::from(pair)];
                if *place == u16::MAX {
                    *place = u16::try_from(live.len()).unwrap_or(u16::MAX);
                    live.push(pair);
                }
            }
        }
        (places, live)
    }
}

/// An event as a snapshot holds it.
type EventImage = (u64, i64, Option<u64>, bool, Vec<u16>);

/// All of it, in an order that what was kept before does not decide.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Image<'a>(u64, u64, Vec<&'a str>, Vec<EventImage>);

impl Carried {
    fn image(&self) -> Image<'_> {
        let Some(sample) = &self.kept else { return Image(self.seen, self.failed, Vec::new(), Vec::new()) };
        let (places, live) = sample.places();
        let text = |&at: &u16| &*sample.pairs[usize::from(at)];
        let event = |event: &Sampled| {
            let Said::Pairs(pairs) = &event.said else { return None };
            let pairs = pairs.iter().map(|&pair| places[usize::from(pair)]).collect();
            Some((event.rank, event.time, event.took, event.failed, pairs))
        };
        let events = sample.events.iter().filter_map(event).collect();
        Image(self.seen, self.failed, live.iter().map(text).collect(), events)
    }
}

impl Debug for Carried {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        self.image().fmt(f)
    }
}

impl PartialEq for Carried {
    fn eq(&self, other: &Self) -> bool {
        self.image() == other.image()
    }
}

impl Eq for Carried {}

impl Serialize for Carried {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.image().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Carried {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (seen, failed, pairs, events): (u64, u64, Vec<Box<str>>, Vec<EventImage>) =
            Deserialize::deserialize(deserializer)?;
        if events.iter().flat_map(|event| &event.4).any(|&pair| usize::from(pair) >= pairs.len()) {
            return Err(D::Error::custom("an event has an attribute that is not there"));
        }
        let event = |(rank, time, took, failed, pairs): EventImage| Sampled {
            rank,
            time,
            took,
            failed,
            said: Said::Pairs(pairs.into()),
        };
        let events: Vec<Sampled> = events.into_iter().map(event).collect();
        let kept = (!events.is_empty()).then(|| Box::new(Sample { events, pairs, unread: false }));
        let mut carried = Self { seen, failed, kept, ..Self::default() };
        carried.prune(0, &mut Vec::new());
        Ok(carried)
    }
}

fn signed(bytes: usize) -> isize {
    isize::try_from(bytes).unwrap_or(isize::MAX)
}
