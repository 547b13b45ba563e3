//! Who did what, by small numbers. They are given where events are decoded and their texts are at hand, so that where they
//! are counted a series is a place in a list, and nothing of what was read on another processor has to be looked at.
//!
//! In: events. Out: a number for each service, operation and kind of spans, and one for each resource ([`Subjects`]); what
//! those numbers are in the table of series is kept by who counts ([`Series`]). Both are bounded, and forgotten as one.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};

use super::instances::resource;
use super::series::SeriesId;
use crate::event::{Event, Kind};

/// No number: what it stands for is looked up by its texts.
pub(crate) const NONE: u32 = u32::MAX;

/// Subjects that are remembered, and the bytes of their texts; resources likewise.
const MOST: usize = 8_192;
const TEXT: usize = 512 << 10;

/// Numbers for what events are of.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    /// With a part of the hash: of two different ones hardly ever the same.
    index: HashTable<(u32, u32)>,
    subjects: Vec<Subject>,
    /// The operations, one behind the other.
    text: String,
    services: HashMap<Box<str>, u32, RandomState>,
    resources: HashMap<u64, u32, RandomState>,
    hasher: RandomState,
    /// Where the latest service and the latest resource lie, and their numbers.
    service: (usize, usize, u32),
    resource: (usize, usize, u32),
    /// Events that found no number because there was no room.
    refused: usize,
    age: u64,
}

#[derive(Clone, Copy, Debug)]
struct Subject {
    service: u32,
    kind: Kind,
    start: u32,
    length: u32,
}

impl Subjects {
    /// A block begins: other bytes may lie where the latest texts lay. What came to be known long ago and is of no more use
    /// is forgotten.
    pub(super) fn begin(&mut self) {
        (self.service, self.resource) = ((0, 0, NONE), (0, 0, NONE));
        if self.refused >= MOST {
            self.index.clear();
            self.subjects.clear();
            self.text.clear();
            self.services.clear();
            self.resources.clear();
            self.refused = 0;
            self.age += 1;
        }
    }

    /// While it is the same, so is what each number stands for.
    pub(super) const fn age(&self) -> u64 {
        self.age
    }

    /// The number of a span's service, operation and kind; [`NONE`] for what is no span, or if there is no room.
    #[inline]
    pub(super) fn of(&mut self, event: &Event<'_>) -> u32 {
        if !event.kind.is_span() {
            return NONE;
        }
        let service = self.service_of(event);
        let operation = &*event.operation;
        let mut state = self.hasher.build_hasher();
        state.write_u64(u64::from(service) << 8 | event.kind as u64);
        state.write(operation.as_bytes());
        // The upper half, as in the index of traces.
        let part = (state.finish() >> 32) as u32;
        let Self { subjects, text, .. } = self;
        let is_it = |&(other, number): &(u32, u32)| {
            other == part && {
                let Subject { service: by, kind, start, length } = subjects[number as usize];
                let known = &text.as_bytes()[start as usize..][..length as usize];
                (by, kind) == (service, event.kind) && known == operation.as_bytes()
            }
        };
        if let Some(&(_, number)) = self.index.find(spread(part), is_it) {
            return number;
        }
        if service == NONE || self.subjects.len() >= MOST || self.text.len() + operation.len() > TEXT {
            self.refused += 1;
            return NONE;
        }
        let (number, start) = (number(self.subjects.len()), number(self.text.len()));
        self.text.push_str(operation);
        self.subjects.push(Subject { service, kind: event.kind, start, length: self::number(operation.len()) });
        self.index.insert_unique(spread(part), (part, number), |&(part, _)| spread(part));
        number
    }

    #[inline]
    fn service_of(&mut self, event: &Event<'_>) -> u32 {
        let name = &event.service;
        let (at, length, known) = self.service;
        let place = (name.as_ptr().addr(), name.len());
        if known != NONE && (at, length) == place {
            return known;
        }
        let found = self.services.get(&**name).copied().unwrap_or_else(|| {
            if self.services.len() >= MOST || self.text.len() + name.len() > TEXT {
                return NONE;
            }
            let new = number(self.services.len());
            self.services.insert((**name).into(), new);
            new
        });
        // What an event owns is gone with it, and other text may come to lie there.
        self.service = if matches!(name, Cow::Borrowed(_)) { (place.0, place.1, found) } else { (0, 0, NONE) };
        found
    }

    /// The number of the resource an event came from; [`NONE`] if it has none, or if there is no room.
    #[inline]
    pub(super) fn resource_of(&mut self, event: &Event<'_>) -> u32 {
        let Some(resource) = resource(&event.attributes).filter(|resource| !resource.is_empty()) else { return NONE };
        let (at, length, known) = self.resource;
        let place = (resource.as_ptr().addr(), resource.len());
        if known != NONE && (at, length) == place {
            return known;
        }
        let hash = self.hasher.hash_one(resource);
        let found = self.resources.get(&hash).copied().unwrap_or_else(|| {
            if self.resources.len() >= MOST {
                self.refused += 1;
                return NONE;
            }
            let new = number(self.resources.len());
            self.resources.insert(hash, new);
            new
        });
        self.resource = (place.0, place.1, found);
        found
    }
}

/// The series that subjects and resources were found to be.
#[derive(Debug, Default)]
pub(crate) struct Series {
    /// The age of the subjects, and the turn of the table, that it is of.
    of: (u64, u64),
    subjects: Vec<SeriesId>,
    instances: Vec<SeriesId>,
}

impl Series {
    /// Forget what was found if the numbers have another meaning by now.
    pub(super) fn renew(&mut self, age: u64, turn: u64) {
        if self.of != (age, turn) {
            self.subjects.clear();
            self.instances.clear();
            self.of = (age, turn);
        }
    }

    /// The series of a subject, if it was found before.
    #[inline]
    pub(super) fn subject(&self, number: u32) -> Option<SeriesId> {
        self.subjects.get(number as usize).copied().filter(|&id| id != NONE)
    }

    /// The series of the instance that a resource names, if it was found before.
    #[inline]
    pub(super) fn instance(&self, number: u32) -> Option<SeriesId> {
        self.instances.get(number as usize).copied().filter(|&id| id != NONE)
    }

    /// The series of a subject has been found.
    pub(super) fn found(&mut self, number: u32, id: SeriesId) {
        put(&mut self.subjects, number, id);
    }

    /// The series of an instance has been found.
    pub(super) fn found_instance(&mut self, number: u32, id: SeriesId) {
        put(&mut self.instances, number, id);
    }
}

fn put(list: &mut Vec<SeriesId>, number: u32, id: SeriesId) {
    if number == NONE {
        return;
    }
    let at = number as usize;
    if list.len() <= at {
        list.resize(at + 1, NONE);
    }
    list[at] = id;
}

fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

/// The hash that the index goes by, of the part of it that is kept there.
#[inline]
fn spread(part: u32) -> u64 {
    u64::from(part).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event<'a>(service: &'a str, operation: &'a str, kind: Kind) -> Event<'a> {
        Event { kind, service: service.into(), operation: operation.into(), ..Event::default() }
    }

    proptest! {
        #[test]
        fn subjects__any_events__one_number_for_each_service_operation_and_kind(events in prop::collection::vec(("[ab]{0,2}", "[ab]{0,3}", any::<bool>(), any::<bool>()), 1..80)) {
            let mut subjects = Subjects::default();
            subjects.begin();
            let number = |(service, operation, server, owned): &(String, String, bool, bool)| {
                let mut event = event(service, operation, if *server { Kind::Server } else { Kind::Client });
                if *owned {
                    event.service = Cow::Owned(service.clone());
                }
                subjects.of(&event)
            };
            let numbers: Vec<u32> = events.iter().map(number).collect();
            for (a, one) in events.iter().zip(&numbers) {
                for (b, other) in events.iter().zip(&numbers) {
                    prop_assert_eq!((&a.0, &a.1, a.2) == (&b.0, &b.1, b.2), one == other);
                }
            }
        }
    }

    #[test]
    fn subjects__more_than_there_is_room_for__the_others_have_none_and_all_are_forgotten_in_time() {
        let mut subjects = Subjects::default();
        subjects.begin();
        let names: Vec<String> = (0..2 * MOST).map(|i| format!("GET /{i}")).collect();
        let given = names.iter().filter(|name| subjects.of(&event("shop", name, Kind::Server)) != NONE).count();
        assert_eq!((given, subjects.age()), (MOST, 0));
        subjects.begin();
        assert_eq!(subjects.age(), 1);
        assert_eq!(subjects.of(&event("shop", &names[MOST], Kind::Server)), 0);
        let long = "x".repeat(TEXT);
        assert_eq!(subjects.of(&event("shop", &long, Kind::Server)), NONE);
    }

    #[test]
    fn series__table_or_subjects_of_another_turn__nothing_known() {
        let mut series = Series::default();
        for of in [(0, 0), (0, 1), (1, 1)] {
            series.renew(of.0, of.1);
            assert_eq!((series.subject(3), series.instance(0)), (None, None));
            series.found(3, 7);
            series.found_instance(0, 8);
            series.found(NONE, 9);
            series.renew(of.0, of.1);
            assert_eq!((series.subject(3), series.instance(0)), (Some(7), Some(8)));
            assert_eq!((series.subject(0), series.subject(NONE)), (None, None));
        }
    }
}
