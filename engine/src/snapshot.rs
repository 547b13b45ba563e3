//! The state as bytes: versioned, checksummed, canonical.
//!
//! Layout: magic `TGSTATE`, schema (1 byte), length of the body (8 bytes, little-endian), CRC-32 of the body (4 bytes),
//! body (postcard). Names and series stand in the order of their texts and open traces in that of their ids, so that two
//! states that say the same are the same bytes, whatever hash tables held them.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::event::{Kind, TraceId};
use crate::state::joins::OpenSpan;
use crate::state::ledger::Ledger;
use crate::state::names::Name;
use crate::state::open::{OpenTraces, SpanImage};
use crate::state::origins::Origins;
use crate::state::series::{Key, Record, SeriesId};
use crate::state::streams::Streams;
use crate::state::{Limits, State};

const MAGIC: &[u8; 7] = b"TGSTATE";
const SCHEMA: u8 = 10;
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

/// What the body says, in this order; [`Capture::encode`] writes it without having it in one piece.
#[derive(Deserialize)]
struct Image<'a> {
    watermark: Option<i64>,
    names: Vec<String>,
    series: Vec<(KeyImage, Record)>,
    /// The spans of each, as [`SpanImage::to_bytes`] gives them.
    #[serde(borrow)]
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
    /// Series in which there is something, and where each ends in `records`.
    series: Vec<(SeriesId, Key<Name>, usize)>,
    /// Encoded already: less to copy than the many small parts of a timeline.
    records: Vec<u8>,
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
    let (mut series, mut records) = (Vec::new(), Vec::new());
    for (id, key, record) in state.table.live() {
        records = put(record, records);
        series.push((id, key, records.len()));
    }
    Capture {
        watermark: state.watermark,
        names: state.table.names.texts().to_vec(),
        series,
        records,
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
        let mut begin = 0;
        let ranges =
            self.series.iter().map(|&(id, ref key, end)| (id, texts(key), std::mem::replace(&mut begin, end)..end));
        let mut live: Vec<(SeriesId, Key<&str>, Range<usize>)> = ranges.collect();
        live.sort_unstable_by_key(|entry| entry.1);
        let mut names: Vec<&str> =
            live.iter().flat_map(|(_, key, _)| [key.service, key.operation, key.within]).collect();
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
        bytes = put(&(self.watermark, &names, live.len()), bytes);
        for (_, key, range) in &live {
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
    let image = open(bytes)?;
    state.settle();
    absorb(state, image, false)
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
    let image: Image<'_> = postcard::from_bytes(body).map_err(|error| Damage::Body(error.to_string()))?;
    let names = u32::try_from(image.names.len()).unwrap_or(u32::MAX);
    let mut keys = image.series.iter().map(|(key, _)| key);
    if keys.any(|key| key.0.max(key.1).max(key.2) >= names) {
        return Err(Damage::Body("a series has a name that is not there".to_owned()));
    }
    let series = u32::try_from(image.series.len()).unwrap_or(u32::MAX);
    for (_, spans) in &image.traces {
        let Some(mut spans) = SpanImage::all(spans) else {
            return Err(Damage::Body("a trace ends in the middle of a span".to_owned()));
        };
        if spans.any(|span| span.series >= series) {
            return Err(Damage::Body("a span has a series that is not there".to_owned()));
        }
    }
    Ok(image)
}

/// Take in an image: as it is where the state is `fresh`, else within the limits.
fn absorb(state: &mut State, image: Image<'_>, fresh: bool) -> Result<(), Damage> {
    if let Some(watermark) = image.watermark {
        state.watermark = state.watermark.max(Some(watermark));
        state.clock.advance(watermark.div_euclid(1_000_000_000));
    }
    let names = &image.names;
    let text = |&(service, operation, within, kind): &KeyImage| Key {
        service: names[service as usize].as_str(),
        operation: names[operation as usize].as_str(),
        within: names[within as usize].as_str(),
        kind,
    };
    let mut ids = Vec::with_capacity(image.series.len());
    let mut changed = 0;
    for (key, theirs) in image.series {
        let key = text(&key);
        let id = match state.table.get(&key) {
            Some(_) if fresh => return Err(Damage::Body("a series stands there twice".to_owned())),
            Some(id) => id,
            None if fresh => state.table.insert(&key),
            None => state.table.find(&key),
        };
        ids.push(id);
        let mine = state.table.record_mut(id);
        mine.number = mine.number.max(theirs.number);
        mine.count += theirs.count;
        mine.errors += theirs.errors;
        mine.came_from.merge(&theirs.came_from);
        theirs.first.into_iter().chain(theirs.last).for_each(|time| mine.seen(time));
        mine.timeline.merge(theirs.timeline, &state.clock);
        changed += mine.kept.merge(theirs.kept);
    }
    let spans = |span: SpanImage| {
        let series = ids[span.series as usize];
        let service = state.table.service(series);
        OpenSpan {
            start: span.start,
            end: span.end,
            id: span.id,
            parent: span.parent,
            series,
            service,
            failed: span.failed,
            mark: span.mark,
        }
    };
    let all = |bytes| SpanImage::all(bytes).into_iter().flatten().map(spans).collect();
    let traces = image.traces.into_iter().map(|(id, bytes)| (id, all(bytes))).collect();
    state.traces.import(traces, &mut state.table, &state.clock);
    let mut streams = image.streams;
    streams.renumber(|at| ids.get(at as usize).copied());
    state.ledger.evicted_streams += state.streams.merge(streams, state.limits.max_streams);
    state.origins.merge(image.origins, state.limits.max_streams);
    state.ledger.merge(image.ledger);
    state.table.overflow += image.overflow;
    state.evidence_changed(changed);
    state.settle();
    if fresh {
        state.table.resume_numbers();
    } else {
        state.table.renumber();
    }
    state.fit();
    if let Some(watermark) = state.watermark {
        let second = watermark.div_euclid(1_000_000_000);
        state.traces.resume(second);
        state.ledger.evicted_spans += state.traces.close(&mut state.table, &state.clock, second);
    }
    Ok(())
}
