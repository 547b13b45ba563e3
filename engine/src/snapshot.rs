//! The state as bytes: versioned, checksummed, canonical.
//!
//! Layout: magic `TGSTATE`, schema (1 byte), length of the body (8 bytes, little-endian), CRC-32 of the body (4 bytes),
//! body (postcard). Names and series stand in the order of their texts and open traces in that of their ids, so that two
//! states that say the same are the same bytes, whatever hash tables held them.

use std::ops::Range;

use serde::Serialize;

use crate::event::{Kind, TraceId};
use crate::state::joins::OpenSpan;
use crate::state::ledger::Ledger;
use crate::state::names::Name;
use crate::state::open::{OpenTraces, SpanImage};
use crate::state::origins::Origins;
use crate::state::pieces::{Piece, Texts};
use crate::state::series::{Key, Record, SeriesId, Table};
use crate::state::streams::Streams;
use crate::state::wire::Wire;
use crate::state::{Limits, State};

const MAGIC: &[u8; 7] = b"TGSTATE";
const SCHEMA: u8 = 12;
const HEADER: usize = 20;

/// About how many bytes a span takes, with its part of its trace's.
const SPAN_SIZE: usize = SpanImage::SIZE + 8;

/// Why bytes are no snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It does not begin as one.
    #[error("not a tracegist snapshot: it does not begin with {:?}", String::from_utf8_lossy(MAGIC))]
    Magic,
    /// It is of another version.
    #[error(
        "the snapshot is of schema {0}, this version reads schema {SCHEMA}: use the tracegist that wrote it, or start afresh"
    )]
    Schema(u8),
    /// It ends early or goes on.
    #[error("the snapshot is torn: {found} bytes of state where its header says {said}")]
    Length {
        /// Bytes there.
        found: u64,
        /// Bytes announced.
        said: u64,
    },
    /// A bit is not what it was.
    #[error("the snapshot is damaged: its checksum is {found:08x} where its header says {said:08x}")]
    Checksum {
        /// Of the bytes there.
        found: u32,
        /// Announced.
        said: u32,
    },
    /// The checksum holds and yet it makes no sense.
    #[error("the snapshot is damaged: {0}")]
    Body(String),
}

type KeyImage = (u32, u32, u32, Kind);

/// What the body says, in this order: whole as far as it is found, and what there is much of not read yet.
struct Image<'a> {
    watermark: Option<i64>,
    names: Vec<&'a str>,
    pieces: Vec<&'a str>,
    /// Of each where its [`Record`] begins.
    series: Vec<(KeyImage, Wire<'a>)>,
    /// The spans of each, as [`SpanImage::to_bytes`] gives them.
    traces: Vec<(TraceId, &'a [u8])>,
    streams: Streams,
    origins: Origins,
    ledger: Ledger,
    overflow: u64,
}

/// The state at one moment, copied. Making it is short, so that whoever waits for the state waits little; what is long,
/// putting it in order, is done to the copy.
#[derive(Debug)]
pub struct Capture {
    watermark: Option<i64>,
    names: Vec<Box<str>>,
    pieces: Texts,
    /// Series in which there is something, and where each ends in `records`, and in `carried`.
    series: Vec<(SeriesId, Key<Name>, [usize; 2])>,
    /// Encoded already: less to copy than the many small parts of a timeline.
    records: Vec<u8>,
    /// Where in `records` the numbers of pieces stand, and how many.
    carried: Vec<(usize, usize)>,
    size: usize,
    traces: OpenTraces,
    streams: Streams,
    origins: Origins,
    ledger: Ledger,
    overflow: u64,
}

/// The whole state as bytes.
#[must_use]
pub fn encode(state: &mut State) -> Vec<u8> {
    capture(state).encode()
}

/// Copy a state.
#[must_use]
pub fn capture(state: &mut State) -> Capture {
    state.settle();
    let (mut series, mut records, mut carried) = (Vec::new(), Vec::new(), Vec::new());
    for (id, key, record) in state.table.live() {
        record.write(&mut records, &mut carried);
        series.push((id, key, [records.len(), carried.len()]));
    }
    Capture {
        watermark: state.watermark,
        names: state.table.names.texts().to_vec(),
        pieces: state.pieces.texts(),
        series,
        records,
        carried,
        size: state.table.size(),
        traces: state.traces.export(),
        streams: state.streams.clone(),
        origins: state.origins.clone(),
        ledger: state.ledger.clone(),
        overflow: state.table.overflow,
    }
}

impl Capture {
    /// The whole state as bytes.
    #[must_use]
    pub fn encode(mut self) -> Vec<u8> {
        let text = |name: Name| &*self.names[name as usize];
        let texts = |key: &Key<Name>| Key {
            service: text(key.service),
            operation: text(key.operation),
            within: text(key.within),
            kind: key.kind,
        };
        let mut begin = [0; 2];
        let ranges = self.series.iter().map(|&(id, ref key, end)| {
            let [record, carried] = std::mem::replace(&mut begin, end);
            (id, texts(key), record..end[0], carried..end[1])
        });
        let mut live: Vec<_> = ranges.collect();
        live.sort_unstable_by_key(|entry: &(SeriesId, Key<&str>, Range<usize>, Range<usize>)| entry.1);
        let mut numbers = Numbers::of(&self.pieces);
        for &(at, count) in live.iter().flat_map(|entry| &self.carried[entry.3.clone()]) {
            numbers.renumber(self.records.get_mut(at..at + count * size_of::<Piece>()).unwrap_or_default());
        }
        let mut names: Vec<&str> =
            live.iter().flat_map(|(_, key, ..)| [key.service, key.operation, key.within]).collect();
        names.sort_unstable();
        names.dedup();
        let name = |text: &str| u32::try_from(names.binary_search(&text).unwrap_or_default()).unwrap_or(u32::MAX);
        let mut place = vec![u32::MAX; self.size];
        for (at, entry) in live.iter().enumerate() {
            place[entry.0 as usize] = u32::try_from(at).unwrap_or(u32::MAX);
        }
        self.streams.renumber(|series| place.get(series as usize).copied().filter(|&at| at != u32::MAX));

        let mut bytes = Vec::with_capacity(HEADER + self.records.len() + self.traces.spans() * SPAN_SIZE);
        bytes.extend_from_slice(MAGIC);
        bytes.push(SCHEMA);
        // The length and the checksum, once they are known.
        bytes.resize(HEADER, 0);
        bytes = put(&(self.watermark, &names, &numbers.texts, live.len()), bytes);
        for (_, key, range, _) in &live {
            bytes = put(&(name(key.service), name(key.operation), name(key.within), key.kind), bytes);
            bytes.extend_from_slice(&self.records[range.clone()]);
        }
        bytes = put(&self.traces.len(), bytes);
        let mut spans = Vec::new();
        for (id, of_trace) in self.traces.in_order() {
            spans.clear();
            spans.extend(of_trace.map(|span| span_image(&span, &place)));
            spans.sort_unstable();
            bytes = put(&(id, spans.len() * SpanImage::SIZE), bytes);
            spans.iter().for_each(|span| bytes.extend_from_slice(&span.to_bytes()));
        }
        bytes = put(&(&self.streams, &self.origins, &self.ledger, self.overflow), bytes);

        let (header, body) = bytes.split_at_mut(HEADER);
        header[8..16].copy_from_slice(&(body.len() as u64).to_le_bytes());
        header[16..20].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
        bytes
    }
}

/// Append a value. A tuple is as its members one after the other, and a sequence as its length and its members.
fn put<T: Serialize>(value: &T, bytes: Vec<u8>) -> Vec<u8> {
    // A vector takes everything.
    postcard::to_extend(value, bytes).unwrap_or_default()
}

/// The pieces that are carried, in the order in which they are.
struct Numbers<'a> {
    pieces: &'a Texts,
    texts: Vec<&'a str>,
    /// Of each piece its place among them, as far as it has one.
    places: Vec<Option<u32>>,
}

impl<'a> Numbers<'a> {
    fn of(pieces: &'a Texts) -> Self {
        Self { pieces, texts: Vec::new(), places: vec![None; pieces.count()] }
    }

    /// Write in the place of each piece's number its place here.
    fn renumber(&mut self, numbers: &mut [u8]) {
        for number in numbers.as_chunks_mut().0 {
            let piece = u32::from_le_bytes(*number) as usize;
            let place = *self.places[piece].get_or_insert_with(|| {
                self.texts.push(self.pieces.get(piece));
                u32::try_from(self.texts.len() - 1).unwrap_or(u32::MAX)
            });
            *number = place.to_le_bytes();
        }
    }
}

fn span_image(span: &OpenSpan, place: &[u32]) -> SpanImage {
    SpanImage {
        start: span.start,
        end: span.end,
        id: span.id,
        parent: span.parent,
        series: place[span.series as usize],
        failed: span.failed,
        mark: span.mark,
    }
}

/// A state from bytes, under limits of its own.
///
/// # Errors
/// If the bytes are no whole, undamaged snapshot of a schema that is known.
pub fn decode(bytes: &[u8], limits: Limits) -> Result<State, Damage> {
    let mut state = State::new(limits);
    absorb(&mut state, open(bytes)?, true)?;
    Ok(state)
}

/// Add the state that bytes hold to another.
///
/// # Errors
/// If the bytes are no whole, undamaged snapshot of a schema that is known; the state is then as it was.
pub fn merge(state: &mut State, bytes: &[u8]) -> Result<(), Damage> {
    absorb(state, open(bytes)?, false)
}

fn open(bytes: &[u8]) -> Result<Image<'_>, Damage> {
    let Some((header, body)) = bytes.split_at_checked(HEADER) else {
        return Err(if bytes.starts_with(MAGIC) { Damage::Length { found: 0, said: 0 } } else { Damage::Magic });
    };
    if !header.starts_with(MAGIC) {
        return Err(Damage::Magic);
    }
    if header[7] != SCHEMA {
        return Err(Damage::Schema(header[7]));
    }
    let said = u64::from_le_bytes(header[8..16].try_into().unwrap_or_default());
    if said != body.len() as u64 {
        return Err(Damage::Length { found: body.len() as u64, said });
    }
    let (found, said) = (crc32fast::hash(body), u32::from_le_bytes(header[16..20].try_into().unwrap_or_default()));
    if found != said {
        return Err(Damage::Checksum { found, said });
    }
    Image::read(body).map_err(|what| Damage::Body(what.to_owned()))
}

impl<'a> Image<'a> {
    fn read(body: &'a [u8]) -> Result<Self, &'static str> {
        let mut from = Wire::new(body);
        let (watermark, names, pieces) =
            from.value::<(Option<i64>, Vec<&str>, Vec<&str>)>().ok_or("its names are not whole")?;
        let count: usize = from.small().ok_or("it does not say how many series there are")?;
        let mut series = Vec::with_capacity(count.min(from.left()));
        for _ in 0..count {
            let key: KeyImage = from.value().ok_or("a series is not whole")?;
            if key.0.max(key.1).max(key.2) as usize >= names.len() {
                return Err("a series has a name that is not there");
            }
            series.push((key, from));
            Record::check(&mut from, pieces.len()).ok_or("a series is not whole")?;
        }
        let traces: Vec<(TraceId, &[u8])> = from.value().ok_or("its open traces are not whole")?;
        for (_, spans) in &traces {
            let mut spans = SpanImage::all(spans).ok_or("a trace ends in the middle of a span")?;
            if spans.any(|span| span.series as usize >= series.len()) {
                return Err("a span has a series that is not there");
            }
        }
        let (streams, origins, ledger, overflow) =
            from.value().ok_or("its streams, origins or ledger are not whole")?;
        Ok(Self { watermark, names, pieces, series, traces, streams, origins, ledger, overflow })
    }
}

/// Take in an image: as it is where the state is `fresh`, else within the limits.
fn absorb(state: &mut State, image: Image<'_>, fresh: bool) -> Result<(), Damage> {
    if let Some(watermark) = image.watermark {
        state.watermark = state.watermark.max(Some(watermark));
        state.clock.advance(watermark.div_euclid(1_000_000_000));
    }
    state.settle();
    let mut names = Names::of(&image.names, &state.table);
    let before = state.pieces.bytes();
    let pieces: Vec<Piece> = image.pieces.iter().map(|text| state.pieces.said(text)).collect();
    let carried = (&*pieces, state.pieces.halved);
    state.evidence_bytes += state.pieces.bytes() - before;
    state.pieces.touched = true;
    let mut ids = Vec::with_capacity(image.series.len());
    let mut changed = 0;
    if fresh {
        state.table.reserve(image.series.len());
    }
    for (key, mut record) in image.series {
        let (id, is_new) = names.series(key, &mut state.table, fresh);
        if fresh && !is_new {
            return Err(Damage::Body("a series stands there twice".to_owned()));
        }
        ids.push(id);
        if let Some((grown, kept)) = state.table.record_mut(id).absorb(&mut record, &state.clock, carried) {
            state.table.grew(grown);
            changed += kept;
        }
    }
    let table = &state.table;
    let services: Vec<Name> = ids.iter().map(|&id| table.service(id)).collect();
    let open = |span: SpanImage| OpenSpan {
        start: span.start,
        end: span.end,
        id: span.id,
        parent: span.parent,
        series: ids[span.series as usize],
        service: services[span.series as usize],
        failed: span.failed,
        mark: span.mark,
    };
    let spans = |bytes| SpanImage::all(bytes).into_iter().flatten().map(open);
    let traces = image.traces.into_iter().map(|(id, bytes)| (id, spans(bytes)));
    state.traces.import(traces, &mut state.table, &state.clock);
    let mut streams = image.streams;
    streams.renumber(|at| ids.get(at as usize).copied());
    state.ledger.evicted_streams += state.streams.merge(streams, state.limits.max_streams);
    state.origins.merge(image.origins, state.limits.max_streams);
    state.ledger.merge(image.ledger);
    state.table.overflow += image.overflow;
    state.evidence_changed(changed);
    state.traces.settle(&mut state.table, &state.clock);
    if fresh {
        state.table.resume_numbers();
    } else {
        state.table.renumber();
    }
    state.fit(fresh);
    if let Some(watermark) = state.watermark {
        let second = watermark.div_euclid(1_000_000_000);
        state.traces.resume(second);
        state.ledger.evicted_spans += state.traces.close(&mut state.table, &state.clock, second);
    }
    Ok(())
}

/// The names of an image: their texts, and the numbers they have in the table as far as they are there.
struct Names<'a> {
    texts: &'a [&'a str],
    numbers: Vec<Option<Name>>,
}

impl<'a> Names<'a> {
    fn of(texts: &'a [&'a str], table: &Table) -> Self {
        Self { texts, numbers: texts.iter().map(|text| table.names.get(text)).collect() }
    }

    /// The series of a key, and whether it was made now: in any case where the table is `fresh`, else if there is room.
    fn series(&mut self, key: KeyImage, table: &mut Table, fresh: bool) -> (SeriesId, bool) {
        let [service, operation, within] = [key.0, key.1, key.2].map(|name| name as usize);
        let texts = Key {
            service: self.texts[service],
            operation: self.texts[operation],
            within: self.texts[within],
            kind: key.3,
        };
        if let (Some(service), Some(operation), Some(within)) =
            (self.numbers[service], self.numbers[operation], self.numbers[within])
            && let Some(id) = table.get_named(&texts, Key { service, operation, within, kind: key.3 })
        {
            return (id, false);
        }
        if !(fresh || table.has_room()) {
            return (table.find(&texts), false);
        }
        let mut named = |name: usize| *self.numbers[name].get_or_insert_with(|| table.names.intern(self.texts[name]));
        let named = Key { service: named(service), operation: named(operation), within: named(within), kind: key.3 };
        (table.insert_named(&texts, named), true)
    }
}
