//! The engine as its users meet it: one state behind a lock, every call safe from any thread.

use std::collections::HashSet;
use std::num::NonZero;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard, mpsc};
use std::thread;

use serde::Serialize;

use crate::format::{Dialect, Format};
use crate::query::page::Answer;
use crate::query::whole::Whole;
use crate::query::{self, Pages};
use crate::snapshot::{self, Capture, Damage};
use crate::state::intake::{Batch, EVENTS, Intake};
use crate::state::ledger::Missed;
use crate::state::series::Record;
use crate::state::streams::Stream;
use crate::state::{Limits, Outcome, State};
use crate::summary::{self, Error, LedgerOut, Request, Summary, words};
use crate::values::{self, Held};

/// Bytes of a block from which on it is worth a thread to decode what comes next while what came before is counted.
const AHEAD: usize = 64 << 10;

/// Events of a block that are decoded before a thread is started for the others.
const FIRST: usize = 128;

/// Batches that may be decoded and not yet counted.
const BATCHES: usize = 4;

/// State of everything ingested so far.
#[derive(Debug)]
pub struct Engine {
    host: String,
    limits: Limits,
    cores: usize,
    state: Mutex<State>,
    /// Streams of which a block is being read, each by one thread.
    reading: Mutex<HashSet<String>>,
    read: Condvar,
    /// Held together by those who read, and alone by who copies or replaces the state.
    turn: RwLock<()>,
    pages: Mutex<Pages>,
    /// Beside the lock, so that asking whether there is news never waits for the work.
    generation: AtomicU64,
    /// `i64::MIN` before the first event.
    watermark: AtomicI64,
}

/// The raw events behind a number.
#[derive(Debug, Serialize)]
pub struct Evidence {
    /// The number, without `#`.
    pub id: u32,
    /// Who.
    pub service: String,
    /// What.
    pub operation: String,
    /// Span by role, log record, or derived.
    pub kind: &'static str,
    /// Events in all.
    pub count: u64,
    /// Those that were kept.
    pub events: Vec<ExhibitOut>,
}

/// One raw event.
#[derive(Debug, Serialize)]
pub struct ExhibitOut {
    /// Why it was kept: `worst`, `failed` or `sample`.
    pub role: &'static str,
    /// RFC 3339, UTC.
    pub time: String,
    /// The stream it came from.
    pub source: String,
    /// Its bytes, redacted and cut at 2 KiB; bytes that are not UTF-8 replaced.
    pub raw: String,
}

/// The ledger, the streams and the sizes.
#[derive(Debug, Serialize)]
pub struct Stats {
    /// What became of every byte.
    pub ledger: LedgerOut,
    /// What is known of each stream.
    pub streams: Vec<StreamOut>,
    /// How much is held.
    pub sizes: Sizes,
    /// Nanoseconds since the epoch of the newest event.
    pub watermark: Option<i64>,
    /// The same as RFC 3339, UTC.
    pub last_event: Option<String>,
}

/// One stream.
#[derive(Debug, Serialize)]
pub struct StreamOut {
    /// Its name.
    pub name: String,
    /// How its bytes become events.
    pub format: Option<&'static str>,
    /// Bytes taken.
    pub bytes: u64,
    /// Events decoded.
    pub events: u64,
    /// Records rejected.
    pub rejected: u64,
    /// RFC 3339, UTC, of its newest event.
    pub last_event: Option<String>,
}

/// How much is held.
#[derive(Debug, Serialize)]
pub struct Sizes {
    /// Series.
    pub series: usize,
    /// Open spans.
    pub open_spans: usize,
    /// Bytes of evidence.
    pub evidence_bytes: usize,
}

impl Engine {
    /// An empty engine. `host` stands in the header of summaries.
    #[must_use]
    pub fn new(host: String, limits: Limits) -> Self {
        Self {
            host,
            limits,
            cores: std::thread::available_parallelism().map_or(1, NonZero::get),
            state: Mutex::new(State::new(limits)),
            reading: Mutex::default(),
            read: Condvar::new(),
            turn: RwLock::new(()),
            pages: Mutex::default(),
            generation: AtomicU64::new(0),
            watermark: AtomicI64::new(i64::MIN),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in another thread has been reported there; the state is counts and stays readable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alone(&self) -> RwLockWriteGuard<'_, ()> {
        self.turn.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Let everybody know that the state is another.
    fn moved_on(&self, state: &State) {
        self.watermark.store(state.watermark.unwrap_or(i64::MIN), Ordering::Relaxed);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Split, decode and aggregate a block that ends at a record boundary. `received` is in nanoseconds since the epoch.
    ///
    /// `dialect` says how the source writes what its format leaves open.
    pub fn ingest(
        &self,
        stream: &str,
        data: &[u8],
        received: i64,
        format: Option<Format>,
        dialect: Option<&Arc<Dialect>>,
    ) -> Outcome {
        self.ingest_of("", stream, data, received, format, dialect)
    }

    /// The same of a stream that is one of several of a source; without a name it is a source of its own.
    pub fn ingest_of(
        &self,
        source: &str,
        stream: &str,
        data: &[u8],
        received: i64,
        format: Option<Format>,
        dialect: Option<&Arc<Dialect>>,
    ) -> Outcome {
        // What replaces or copies the state waits for blocks that are half counted, and those that come wait for it.
        let _together = self.turn.read().unwrap_or_else(PoisonError::into_inner);
        let turn = Turn::wait(self, stream);
        let (reader, subjects, mut series) = self.lock().begin(stream, source);
        let mut intake = Intake::new(reader, subjects, data, received, format, dialect, self.limits.max_record);
        let mut outcome = Outcome::default();
        let mut count = |batch: &Batch<'_>| self.lock().take(stream, batch, &mut series, &mut outcome);
        let ahead = data.len() >= AHEAD && self.cores > 1;
        if !(ahead && side_by_side(&mut intake, &mut count)) {
            let mut batch = Batch::default();
            while intake.fill(&mut batch, EVENTS) {
                count(&batch);
            }
        }
        let mut state = self.lock();
        let (reader, subjects) = intake.end();
        state.end(stream, reader, subjects, series);
        self.moved_on(&state);
        drop(state);
        drop(turn);
        outcome
    }

    /// Enter in the ledger what never came here: let go for want of room, damaged, or taken away by somebody.
    pub fn missed(&self, reason: &str, bytes: u64, lines: u64) {
        let mut state = self.lock();
        state.ledger.miss(reason, &Missed { times: 1, bytes, lines });
        self.moved_on(&state);
    }

    /// Render the best account that fits the budget.
    ///
    /// # Errors
    /// If the encoding is unknown, or if the header and the ledger alone are over the budget.
    pub fn summary(&self, mut request: Request) -> Result<Summary, Error> {
        request.host.clone_from(&self.host);
        summary::summarize(&mut self.lock(), &request)
    }

    /// Answer a question within its budget. Pages of one answer are of one moment.
    ///
    /// # Errors
    /// If the question makes no sense, asks for what was never kept or is not there, or if not even one row fits.
    pub fn query(&self, request: &query::Request) -> Result<Answer, query::Error> {
        let pages = || self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(whole) = pages().get(request, self.generation())? {
            return query::page(&whole, request);
        }
        let (table, generation) = {
            let mut state = self.lock();
            (query::table(&mut state, request)?, self.generation())
        };
        let whole = Arc::new(Whole::of(table));
        let answer = query::page(&whole, request)?;
        pages().keep(request, generation, whole);
        Ok(answer)
    }

    /// The raw events behind `#number`; `None` if it was never given or they have all been let go.
    #[must_use]
    pub fn evidence(&self, number: u32) -> Option<Evidence> {
        let state = self.lock();
        let (_, key, record) = state.table.iter().find(|(_, _, record)| number > 0 && record.number == number)?;
        let events = exhibits(record);
        (!events.is_empty()).then(|| Evidence {
            id: number,
            service: words::whole(key.service),
            operation: words::whole(key.operation),
            kind: key.kind.name(),
            count: record.count,
            events,
        })
    }

    /// What the variables of a template held: of one service, or of each that has it. `most` values are told of each.
    #[must_use]
    pub fn values(&self, template: &str, service: Option<&str>, most: usize) -> Vec<Held> {
        values::of(&self.lock(), template, service, most)
    }

    /// The ledger, the streams and the sizes.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let state = self.lock();
        Stats {
            ledger: LedgerOut::of(&state),
            streams: state.streams.iter().map(stream).collect(),
            sizes: Sizes {
                series: state.table.iter().count(),
                open_spans: state.traces.open(),
                evidence_bytes: state.evidence_bytes,
            },
            watermark: state.watermark,
            last_event: state.watermark.map(instant),
        }
    }

    /// Nanoseconds since the epoch of the newest event of a stream, or of all.
    #[must_use]
    pub fn watermark(&self, stream: Option<&str>) -> Option<i64> {
        let Some(name) = stream else {
            return Some(self.watermark.load(Ordering::Relaxed)).filter(|&ns| ns > i64::MIN);
        };
        self.lock().streams.get(name).and_then(|stream| stream.newest)
    }

    /// Grows whenever something was ingested, merged or restored.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The whole state as bytes.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        self.capture().encode()
    }

    /// The whole state as it is now, to be encoded while the engine goes on.
    #[must_use]
    pub fn capture(&self) -> Capture {
        let _alone = self.alone();
        snapshot::capture(&mut self.lock())
    }

    /// Replace the state.
    ///
    /// # Errors
    /// If the bytes are no whole, undamaged snapshot of a schema that is known; the state is then as it was.
    pub fn restore(&self, bytes: &[u8]) -> Result<(), Damage> {
        let state = snapshot::decode(bytes, self.limits)?;
        let _alone = self.alone();
        let mut current = self.lock();
        *current = state;
        self.moved_on(&current);
        Ok(())
    }

    /// Add a snapshot's state to this one.
    ///
    /// # Errors
    /// If the bytes are no whole, undamaged snapshot of a schema that is known; the state is then as it was.
    pub fn merge(&self, bytes: &[u8]) -> Result<(), Damage> {
        let _alone = self.alone();
        let mut state = self.lock();
        snapshot::merge(&mut state, bytes)?;
        self.moved_on(&state);
        Ok(())
    }
}

/// Decode on another thread, batch by batch, and count here what it has decoded. False if there can be no further thread.
fn side_by_side<'a>(intake: &mut Intake<'a>, count: &mut impl FnMut(&Batch<'_>)) -> bool {
    // Something to count while the thread starts.
    let mut first = Batch::default();
    if !intake.fill(&mut first, FIRST) {
        return true;
    }
    thread::scope(|scope| {
        let (full, decoded) = mpsc::sync_channel::<Batch<'a>>(BATCHES);
        let (empty, used) = mpsc::channel::<Batch<'a>>();
        let decode = move || {
            loop {
                let mut batch = used.try_recv().unwrap_or_default();
                if !intake.fill(&mut batch, EVENTS) || full.send(batch).is_err() {
                    return;
                }
            }
        };
        if thread::Builder::new().name("decode".to_owned()).spawn_scoped(scope, decode).is_err() {
            count(&first);
            return false;
        }
        let mut counted = |batch: Batch<'a>| {
            count(&batch);
            // When all is decoded, nobody takes it any more.
            let _ = empty.send(batch);
        };
        counted(first);
        decoded.into_iter().for_each(counted);
        true
    })
}

/// The right to read a stream, given back when it is dropped.
struct Turn<'a> {
    engine: &'a Engine,
    stream: &'a str,
}

impl<'a> Turn<'a> {
    /// Wait until nobody reads the stream. Threads that wait for the same one go on in no certain order.
    fn wait(engine: &'a Engine, stream: &'a str) -> Self {
        let mut reading = engine.reading.lock().unwrap_or_else(PoisonError::into_inner);
        while reading.contains(stream) {
            reading = engine.read.wait(reading).unwrap_or_else(PoisonError::into_inner);
        }
        reading.insert(stream.to_owned());
        Self { engine, stream }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.engine.reading.lock().unwrap_or_else(PoisonError::into_inner).remove(self.stream);
        self.engine.read.notify_all();
    }
}

fn exhibits(record: &Record) -> Vec<ExhibitOut> {
    let mut all: Vec<ExhibitOut> = Vec::new();
    for (role, exhibit) in record.kept.iter() {
        let raw = String::from_utf8_lossy(&exhibit.raw).into_owned();
        if !all.iter().any(|other| other.raw == raw) {
            all.push(ExhibitOut {
                role: role.name(),
                time: instant(exhibit.time),
                source: exhibit.stream.to_string(),
                raw,
            });
        }
    }
    all
}

fn stream((name, stream): (&str, &Stream)) -> StreamOut {
    StreamOut {
        name: name.to_owned(),
        format: stream.reader.format.map(Format::name),
        bytes: stream.reader.offset,
        events: stream.events,
        rejected: stream.rejected,
        last_event: stream.newest.map(instant),
    }
}

fn instant(ns: i64) -> String {
    words::timestamp(ns.div_euclid(1_000_000_000))
}
