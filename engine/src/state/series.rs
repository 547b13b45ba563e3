//! The table of series: all events of one (service, operation, kind), found by their texts without allocating.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::changes::Changes;
use super::evidence::Kept;
use super::names::{Name, Names};
use super::origins::CameFrom;
use super::pieces::Piece;
use super::sums::Sums;
use super::timeline::{Clock, Delta, Seconds, Timeline};
use super::wire::{self, Wire};
use crate::event::Kind;

/// The number of a series within one engine; never shown.
pub type SeriesId = u32;

/// The operation that counts what found no place of its own.
pub const OTHER: &str = "(other)";

/// Bytes of a series, besides what it refers to.
const SERIES: usize = size_of::<Record>() + size_of::<Key<Name>>() + 8;

/// What a series is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key<T> {
    /// Who: the service; for an edge the caller, empty for callers outside, `?` for those not seen.
    pub service: T,
    /// What: a span's name, a message's shape; for an edge the callee, for a step the span below.
    pub operation: T,
    /// The operation that a failure message, an edge or a step belongs to; of log records their level; else empty.
    pub within: T,
    /// Span by role, log record, or derived.
    pub kind: Kind,
}

/// One series.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The number it is asked for by, as in `#12`: given in the order of the first events; 0 for what is only derived.
    pub number: u32,
    /// Events since the beginning, also those whose time is no longer kept apart.
    pub count: u64,
    /// Of them, failed.
    pub errors: u64,
    /// Nanoseconds since the epoch of the earliest event; `None` before there is one.
    pub first: Option<i64>,
    /// Nanoseconds since the epoch of the latest event.
    pub last: Option<i64>,
    /// What happened when.
    pub timeline: Timeline,
    /// Raw events.
    pub kept: Kept,
    /// Which sources the events came from.
    pub came_from: CameFrom,
}

impl Record {
    /// Whether nothing is left in it, as when a join was taken back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.timeline.is_empty()
    }

    /// Append it to a snapshot; of pieces, as [`Carried::write`](super::attributes::Carried::write) does.
    pub fn write(&self, out: &mut Vec<u8>, pieces: &mut Vec<(usize, usize)>) {
        wire::put(&(self.number, self.count, self.errors, self.first, self.last, &self.timeline), out);
        self.kept.write(out, pieces);
        wire::put(&self.came_from, out);
    }

    /// Pass one by in a snapshot of so many pieces; none if it is not whole.
    pub fn check(from: &mut Wire<'_>, pieces: usize) -> Option<()> {
        from.small::<u32>()?;
        (0..2).try_for_each(|_| from.number().map(drop))?;
        (0..2).try_for_each(|_| from.maybe(Wire::signed).map(drop))?;
        Timeline::check(from)?;
        Kept::check(from, pieces)?;
        from.value::<CameFrom>().map(drop)
    }

    /// Add all of one in a snapshot that was checked; `pieces` are as in [`Kept::absorb`], with how often what is kept was
    /// halved. Returns about how many bytes the timeline has grown by, and by how many what is kept of events has changed.
    pub fn absorb(
        &mut self,
        from: &mut Wire<'_>,
        clock: &Clock,
        (pieces, halved): (&[Piece], u32),
    ) -> Option<(usize, isize)> {
        self.number = self.number.max(from.small()?);
        self.count = self.count.saturating_add(from.number()?);
        self.errors = self.errors.saturating_add(from.number()?);
        let times = [from.maybe(Wire::signed)?, from.maybe(Wire::signed)?];
        times.into_iter().flatten().for_each(|time| self.seen(time));
        let (grown, changed) = (self.timeline.absorb(from, clock)?, self.kept.absorb(from, pieces, halved)?);
        self.came_from.merge(&from.value()?);
        Some((grown, changed))
    }

    /// Widen the first and last time.
    pub fn seen(&mut self, time: i64) {
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
    }
}

/// All series, and the names they are made of.
#[derive(Debug, Default)]
pub struct Table {
    /// The texts of all keys.
    pub names: Names,
    index: HashTable<SeriesId>,
    keys: Vec<Key<Name>>,
    records: Vec<Record>,
    hasher: RandomState,
    /// Series kept apart at most; the rest is counted under `(other)`.
    pub limit: usize,
    /// Events counted under `(other)`.
    pub overflow: u64,
    numbered: u32,
    /// Places that series have left.
    free: Vec<SeriesId>,
    /// About how many bytes it has grown by since it was measured.
    grown: usize,
    turn: u64,
    changes: Changes,
    /// The reading up to which all raw events have been looked through.
    seen_through: u32,
    /// What series come to over the stretches that were read last.
    sums: Option<Sums>,
    /// By which clock all timelines have been rolled.
    rolled: Option<Clock>,
}

impl Table {
    /// A table that keeps at most `limit` series apart.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    fn hash(hasher: &RandomState, key: &Key<&str>) -> u64 {
        let mut state = hasher.build_hasher();
        key.service.hash(&mut state);
        key.operation.hash(&mut state);
        key.within.hash(&mut state);
        (key.kind as u8).hash(&mut state);
        state.finish()
    }

    /// The series of a key, made now if it is new and there is room; else the `(other)` of its service, or of all.
    pub fn find(&mut self, key: &Key<&str>) -> SeriesId {
        if let Some(id) = self.get(key) {
            return id;
        }
        // A service may have its `(other)` in an eighth more; past that, one for each kind is all there is.
        let taken = self.records.len() - self.free.len();
        if taken < self.limit || (key.operation == OTHER && taken < self.limit + self.limit / 8) {
            return self.insert(key);
        }
        if key.operation != OTHER {
            self.overflow += 1;
            return self.find(&Key { operation: OTHER, within: "", ..*key });
        }
        let last = Key { service: OTHER, operation: OTHER, within: "", kind: key.kind };
        self.get(&last).unwrap_or_else(|| self.insert(&last))
    }

    /// Whether one more series may be kept apart.
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.records.len() - self.free.len() < self.limit
    }

    /// The series of a key, if there is one.
    #[must_use]
    pub fn get(&self, key: &Key<&str>) -> Option<SeriesId> {
        self.index.find(Self::hash(&self.hasher, key), |&id| self.key(id) == *key).copied()
    }

    /// The same, where the numbers of its names are known.
    #[must_use]
    pub fn get_named(&self, key: &Key<&str>, named: Key<Name>) -> Option<SeriesId> {
        self.index.find(Self::hash(&self.hasher, key), |&id| self.keys[id as usize] == named).copied()
    }

    /// Make room for some more series.
    pub fn reserve(&mut self, more: usize) {
        self.keys.reserve_exact(more);
        self.records.reserve_exact(more);
        let (hasher, keys, names) = (&self.hasher, &self.keys, &self.names);
        self.index.reserve(more, |&id| Self::hash(hasher, &texts(names, keys[id as usize])));
    }

    /// A new series, whatever the limit; the key must not be there yet.
    pub fn insert(&mut self, key: &Key<&str>) -> SeriesId {
        let named = Key {
            service: self.names.intern(key.service),
            operation: self.names.intern(key.operation),
            within: self.names.intern(key.within),
            kind: key.kind,
        };
        self.insert_named(key, named)
    }

    /// The same, where its names have their numbers.
    pub fn insert_named(&mut self, key: &Key<&str>, named: Key<Name>) -> SeriesId {
        self.grown += SERIES;
        let id = if let Some(id) = self.free.pop() {
            self.keys[id as usize] = named;
            self.changes.note(id);
            id
        } else {
            self.keys.push(named);
            self.records.push(Record::default());
            self.changes.push();
            SeriesId::try_from(self.records.len() - 1).unwrap_or(SeriesId::MAX)
        };
        let (hasher, keys, names) = (&self.hasher, &self.keys, &self.names);
        self.index
            .insert_unique(Self::hash(hasher, key), id, |&id| Self::hash(hasher, &texts(names, keys[id as usize])));
        id
    }

    /// While it is the same, so is what the numbers of series and names stand for.
    #[must_use]
    pub const fn turn(&self) -> u64 {
        self.turn
    }

    /// Give a series its number, if it has none yet.
    pub fn number(&mut self, id: SeriesId) {
        let record = &mut self.records[id as usize];
        if record.number == 0 {
            self.numbered += 1;
            record.number = self.numbered;
        }
    }

    /// Go on numbering behind the highest number there is.
    pub fn resume_numbers(&mut self) {
        self.numbered = self.records.iter().map(|record| record.number).max().unwrap_or(0);
    }

    /// Number anew, by the time of the first event and then by the texts: the same for the same series, however they met.
    pub fn renumber(&mut self) {
        self.changes.touch_all();
        self.changes.note_all();
        let numbered = |record: &Record| record.number > 0 && !record.is_empty();
        let mut order: Vec<(Option<i64>, SeriesId)> = (0..)
            .zip(&self.records)
            .filter(|(_, record)| numbered(record))
            .map(|(id, record)| (record.first, id))
            .collect();
        // Texts lie far away: they are only looked at where times are the same.
        order.sort_unstable();
        for same in order.chunk_by_mut(|one, other| one.0 == other.0).filter(|same| same.len() > 1) {
            same.sort_unstable_by_key(|&(_, id)| self.key(id));
        }
        for (number, (_, id)) in (1..).zip(order) {
            self.records[id as usize].number = number;
        }
        self.resume_numbers();
    }

    /// The texts of a series' key.
    #[must_use]
    pub fn key(&self, id: SeriesId) -> Key<&str> {
        texts(&self.names, self.keys[id as usize])
    }

    /// What the events of a series are.
    #[must_use]
    pub fn kind(&self, id: SeriesId) -> Kind {
        self.keys[id as usize].kind
    }

    /// The name of a series' service.
    #[must_use]
    pub fn service(&self, id: SeriesId) -> Name {
        self.keys[id as usize].service
    }

    /// A series.
    #[must_use]
    pub fn record(&self, id: SeriesId) -> &Record {
        &self.records[id as usize]
    }

    /// A series, to change it.
    pub fn record_mut(&mut self, id: SeriesId) -> &mut Record {
        self.changes.touch_all();
        self.record_mut_but_when(id)
    }

    /// A series, to change all but its timeline.
    pub fn record_mut_but_when(&mut self, id: SeriesId) -> &mut Record {
        self.changes.note(id);
        &mut self.records[id as usize]
    }

    /// A series, to add to it at a second, and the texts of its key.
    pub fn record_and_key<'a>(
        &'a mut self,
        id: SeriesId,
        second: Seconds,
    ) -> (&'a mut Record, impl Fn() -> Key<&'a str>) {
        let (names, key, record) = (&self.names, self.keys[id as usize], &mut self.records[id as usize]);
        self.changes.enter(id, second, &record.timeline);
        (record, move || texts(names, key))
    }

    /// A timeline has grown by so many bytes, about.
    pub const fn grew(&mut self, bytes: usize) {
        self.grown += bytes;
    }

    /// Add to what a series did at a second.
    pub fn enter(&mut self, id: SeriesId, second: Seconds, clock: &Clock, delta: &Delta) {
        let timeline = &mut self.records[id as usize].timeline;
        self.changes.enter(id, second, timeline);
        self.grown += timeline.add(second, clock, delta);
    }

    /// About how many bytes it has grown by since [`Table::measure`].
    #[must_use]
    pub const fn grown(&self) -> usize {
        self.grown
    }

    /// Bytes it takes, evidence aside.
    pub fn measure(&mut self) -> usize {
        self.grown = 0;
        let timelines: usize = self.records.iter().map(|record| record.timeline.bytes()).sum();
        self.records.capacity() * SERIES + self.names.bytes() + timelines
    }

    /// Count what a series has counted under another, and give its place to whoever comes next. Returns what it was.
    pub fn fold(&mut self, id: SeriesId, into: SeriesId, clock: &Clock) -> Record {
        let hash = Self::hash(&self.hasher, &self.key(id));
        if let Ok(entry) = self.index.find_entry(hash, |&other| other == id) {
            entry.remove();
        }
        self.free.push(id);
        self.turn += 1;
        self.changes.note(id);
        self.changes.note(into);
        self.changes.touch_all();
        let mut gone = std::mem::take(&mut self.records[id as usize]);
        let other = &mut self.records[into as usize];
        other.count += gone.count;
        other.errors += gone.errors;
        other.came_from.merge(&gone.came_from);
        gone.first.into_iter().chain(gone.last).for_each(|time| other.seen(time));
        other.timeline.merge(std::mem::take(&mut gone.timeline), clock);
        gone
    }

    /// Forget the names that no series has. Returns what each name is now.
    pub fn rename(&mut self) -> Vec<Name> {
        let old = std::mem::take(&mut self.names);
        self.turn += 1;
        let mut free = vec![false; self.keys.len()];
        self.free.iter().for_each(|&id| free[id as usize] = true);
        let mut now = vec![0; old.texts().len()];
        for (key, _) in self.keys.iter_mut().zip(free).filter(|(_, free)| !free) {
            for name in [&mut key.service, &mut key.operation, &mut key.within] {
                let renamed = self.names.intern(old.text(*name));
                now[*name as usize] = renamed;
                *name = renamed;
            }
        }
        now
    }

    /// All series in which there is something, with their keys.
    pub fn iter(&self) -> impl Iterator<Item = (SeriesId, Key<&str>, &Record)> {
        self.live().map(|(id, key, record)| (id, texts(&self.names, key), record))
    }

    /// The same, with the names in their keys as numbers.
    pub fn live(&self) -> impl Iterator<Item = (SeriesId, Key<Name>, &Record)> {
        (0..)
            .zip(self.keys.iter().zip(&self.records))
            .filter_map(|(id, (&key, record))| (!record.is_empty()).then_some((id, key, record)))
    }

    /// The raw events of all series, to let some go.
    pub fn kept_mut(&mut self) -> impl Iterator<Item = &mut Kept> {
        self.records.iter_mut().map(|record| &mut record.kept)
    }

    /// The raw events of the series that may have changed since all were looked through.
    pub fn kept_since_mut(&mut self) -> impl Iterator<Item = &mut Kept> {
        let changed = self.changes.since(self.seen_through);
        self.records.iter_mut().zip(changed).filter(|(_, changed)| *changed).map(|(record, _)| &mut record.kept)
    }

    /// All raw events have been looked through.
    pub const fn looked_through(&mut self) {
        self.seen_through = self.changes.reading();
    }

    /// Move what the clock has left behind in all timelines.
    pub fn roll(&mut self, clock: &Clock) {
        // What came since the last time has found its place by the same clock.
        if self.rolled.is_some_and(|rolled| rolled.begins_as(clock)) {
            return;
        }
        for (id, record) in (0..).zip(&mut self.records) {
            record.timeline.roll_and_tell(clock, |from, to| {
                if let Some(sums) = &mut self.sums {
                    sums.moved(id, from, to);
                }
            });
        }
        self.rolled = Some(*clock);
    }

    /// While it is the same, so are the keys of all series.
    #[must_use]
    pub const fn keys(&self) -> (u64, usize) {
        (self.turn, self.records.len() - self.free.len())
    }

    /// How many series have been given a number of evidence.
    #[must_use]
    pub const fn numbered(&self) -> u32 {
        self.numbered
    }

    /// When its series have changed.
    #[must_use]
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }

    /// What series came to when they were read last, for a further reading: [`Table::keep_sums`] has it back.
    pub fn lend_sums(&mut self) -> Sums {
        let sums = self.sums.take().unwrap_or_default();
        if self.changes.read() {
            return sums;
        }
        self.seen_through = 0;
        Sums::default()
    }

    /// Keep what series came to for the next reading.
    pub fn keep_sums(&mut self, sums: Sums) {
        self.sums = Some(sums);
    }

    /// The series in the table, empty ones too.
    #[must_use]
    pub fn occupied(&self) -> Vec<SeriesId> {
        let mut free = vec![false; self.records.len()];
        self.free.iter().for_each(|&id| free[id as usize] = true);
        (0..).zip(free).filter(|(_, free)| !free).map(|(id, _)| id).collect()
    }

    /// The numbers of all series, and of places that some have left.
    pub fn all(&self) -> impl Iterator<Item = SeriesId> + use<> {
        (0..).take(self.records.len())
    }

    /// Places for series in the table, taken or left.
    #[must_use]
    pub fn size(&self) -> usize {
        self.records.len()
    }
}

fn texts(names: &Names, key: Key<Name>) -> Key<&str> {
    Key {
        service: names.text(key.service),
        operation: names.text(key.operation),
        within: names.text(key.within),
        kind: key.kind,
    }
}
