//! What groups of series came to in each stretch of a window, kept from one reading to the next.
//!
//! Most of a window's stretches are over: nothing happens in them any more, whatever the series are that they add up. Only those in
//! which something has changed are added up anew, and those that the window has moved into or out of.

use super::frame::Frame;
use super::series::{SeriesId, Table};
use super::sums::SlotAdder;
use super::timeline::{Seconds, Slot};

/// Stretches of all groups of a question that are kept at most; each takes as much as a slot and its durations.
const PARTS: usize = 20_000;

/// Questions remembered.
const KEPT: usize = 4;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'q> {
    /// Of when.
    pub frame: Frame,
    /// The series of all groups.
    pub series: &'q [SeriesId],
    /// Where those of each end.
    pub ends: &'q [usize],
    /// Which times: durations, and own times.
    pub times: [bool; 2],
}

/// What a group came to in one stretch.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Its sums; the start says nothing.
    pub sum: Slot,
    /// How many series did something.
    pub series: u64,
    /// How much the busiest of them did of which there is evidence.
    pub busiest: u64,
    /// The number of that evidence; 0 if there is none.
    pub number: u32,
}

impl Part {
    /// A series that added so much, and has evidence of a number.
    fn see(&mut self, count: u64, number: impl Fn() -> u32) {
        if count == 0 {
            return;
        }
        self.series += 1;
        if count > self.busiest {
            let number = number();
            if number > 0 {
                (self.busiest, self.number) = (count, number);
            }
        }
    }
}

/// The parts of one question's groups.
#[derive(Debug)]
pub struct Spread {
    /// The reading in which they were added up.
    seen: u32,
    /// What names and numbers of series there were.
    named: ((u64, usize), u32),
    frame: Frame,
    series: Vec<SeriesId>,
    ends: Vec<usize>,
    times: [bool; 2],
    /// Group by group, each with places for as many stretches.
    parts: Vec<Part>,
    places: usize,
}

impl Spread {
    /// What a group came to in each stretch.
    #[must_use]
    pub fn parts(&self, group: usize) -> &[Part] {
        let begin = group * self.places;
        &self.parts[begin..begin + self.frame.number()]
    }

    fn is_of(&self, asked: Asked<'_>) -> bool {
        self.frame.width == asked.frame.width
            && self.times == asked.times
            && self.ends == asked.ends
            && self.series == asked.series
    }

    fn bytes(&self) -> usize {
        let durations: usize = self.parts.iter().map(|part| part.sum.duration.bytes() + part.sum.own.bytes()).sum();
        self.parts.capacity() * size_of::<Part>() + self.series.capacity() * size_of::<SeriesId>() + durations
    }

    /// Which stretches have to be added up anew once all parts have moved on to a window.
    fn move_on(&mut self, table: &Table, frame: Frame) -> Vec<usize> {
        let own = std::mem::replace(&mut self.frame, frame);
        let Some(shift) = frame.moved_from(&own) else { return (0..frame.number()).collect() };
        for parts in self.parts.chunks_exact_mut(self.places).filter(|_| shift > 0) {
            parts.rotate_left(shift);
        }
        let is_new = |&place: &usize| {
            let now = frame.stretch(place);
            place + shift >= own.number()
                || own.stretch(place + shift) != now
                || table.changes().first_since(self.seen, now.from, now.to) < now.to
        };
        (0..frame.number()).filter(is_new).collect()
    }

    /// Add up some stretches of a group, which are in order.
    fn add_up(
        &mut self,
        table: &Table,
        group: usize,
        places: &[usize],
        adders: &mut [SlotAdder],
        number: &impl Fn(SeriesId) -> u32,
    ) {
        let frame = self.frame;
        let begin = group.checked_sub(1).map_or(0, |before| self.ends[before]);
        let parts = &mut self.parts[group * self.places..(group + 1) * self.places];
        places.iter().for_each(|&place| parts[place] = Part::default());
        for &id in &self.series[begin..self.ends[group]] {
            let timeline = &table.record(id).timeline;
            let mut at = 0;
            // Stretches that follow each other are read as one.
            for run in places.chunk_by(|one, next| one + 1 == *next) {
                let (Some(&first), Some(&last)) = (run.first(), run.last()) else { continue };
                // The stretch that is being added to, where it ends, and what it came to before this series.
                let mut now: Option<(usize, Seconds, u64)> = None;
                for slot in timeline.between(frame.stretch(first).from, frame.stretch(last).to) {
                    let (place, ..) = match now {
                        Some(now) if slot.start < now.1 => now,
                        before => {
                            if let Some((place, _, count)) = before {
                                parts[place].see(parts[place].sum.count - count, || number(id));
                            }
                            let place = frame.place(slot.start);
                            *now.insert((place, frame.start(place + 1), parts[place].sum.count))
                        }
                    };
                    adders[at + place - first].add(&mut parts[place].sum, slot, self.times);
                }
                if let Some((place, _, count)) = now {
                    parts[place].see(parts[place].sum.count - count, || number(id));
                }
                at += run.len();
            }
        }
        for (&place, adder) in places.iter().zip(adders) {
            adder.end(&mut parts[place].sum);
        }
    }
}

/// The parts of the questions that were asked last; the one used last is the last.
#[derive(Debug, Default)]
pub struct Spreads {
    kept: Vec<Spread>,
    bytes: usize,
}

impl Spreads {
    /// Bring what is asked for up to date, if it is not too much; `number` is that of a series' evidence.
    pub fn update(&mut self, table: &Table, asked: Asked<'_>, number: impl Fn(SeriesId) -> u32) {
        let places = asked.frame.most();
        if asked.ends.len().saturating_mul(places) > PARTS {
            return;
        }
        let named = (table.keys(), table.numbered());
        let known = self.kept.iter().position(|kept| kept.is_of(asked)).map(|at| self.kept.remove(at));
        let known = known.filter(|kept| kept.named == named && kept.places == places);
        let (mut spread, anew) = match known {
            Some(mut kept) => {
                let anew = kept.move_on(table, asked.frame);
                (kept, anew)
            }
            None => (Spread::new(named, asked), (0..asked.frame.number()).collect()),
        };
        let mut adders: Vec<SlotAdder> = anew.iter().map(|_| SlotAdder::default()).collect();
        for group in 0..asked.ends.len() {
            spread.add_up(table, group, &anew, &mut adders, &number);
        }
        spread.seen = table.changes().reading();
        if self.kept.len() >= KEPT {
            self.kept.remove(0);
        }
        self.kept.push(spread);
        self.bytes = self.kept.iter().map(Spread::bytes).sum();
    }

    /// What was asked for, if it was brought up to date in the last reading.
    #[must_use]
    pub fn get(&self, table: &Table, asked: Asked<'_>) -> Option<&Spread> {
        let fresh = |kept: &&Spread| kept.seen == table.changes().reading() && kept.frame == asked.frame;
        self.kept.last().filter(fresh).filter(|kept| kept.is_of(asked))
    }

    /// Bytes they take.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Spread {
    /// Of what is asked for, nothing added up yet.
    fn new(named: ((u64, usize), u32), asked: Asked<'_>) -> Self {
        let places = asked.frame.most();
        Self {
            seen: 0,
            named,
            frame: asked.frame,
            series: asked.series.to_vec(),
            ends: asked.ends.to_vec(),
            times: asked.times,
            parts: vec![Part::default(); asked.ends.len() * places],
            places,
        }
    }
}
