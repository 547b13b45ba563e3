//! Decode speed of every format, in bytes and events a second of one core: `cargo bench -p tracegist-engine --bench decode`;
//! and of OTLP/JSON decoded and counted, beside a parser that does nothing else: `… -- spans`.
//!
//! It is the processor's time that is measured, so that what else runs on the host takes little away.
#![allow(clippy::unwrap_used)]

mod inputs;

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use simd_json::Buffers;
use tracegist_engine::format::{Context, Format, Reader, boundary};
use tracegist_engine::state::{Limits, State};

const RECEIVED: i64 = 1_800_000_000_000_000_000;

/// Bytes of a block, as files are read.
const BLOCK: usize = 2 << 20;

fn events(format: Format, data: &[u8]) -> usize {
    let mut context = Context { received: RECEIVED, ..Context::default() };
    let mut reader = Reader::default();
    let mut events = Vec::with_capacity(256);
    let (mut at, mut count) = (0, 0);
    while let Some(record) = reader.next(&data[at..], Some(format), &mut context, 1 << 24, &mut events) {
        record.found.unwrap();
        at += record.bytes.len();
        count += black_box(&events).len();
        events.clear();
    }
    count
}

/// Time of the processor.
struct Processor;

static WALL: WallTime = WallTime;

impl Measurement for Processor {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
    }

    fn end(&self, start: Duration) -> Duration {
        self.start().saturating_sub(start)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WALL.formatter()
    }
}

fn benches(criterion: &mut Criterion<Processor>) {
    let mut group = criterion.benchmark_group("decode");
    for &format in Format::ALL {
        let data = inputs::of(format);
        let elements = events(format, &data) as u64;
        assert!(elements > 1_000, "{} has {elements} events", format.name());
        group.throughput(Throughput::ElementsAndBytes { elements, bytes: data.len() as u64 });
        group.bench_function(format.name(), |bencher| bencher.iter(|| events(format, &data)));
    }
    let data = inputs::otlp(5_000);
    group.throughput(Throughput::Bytes(data.len() as u64));
    group.bench_function("otlp, serde_json checking alone", |bencher| {
        bencher.iter(|| {
            for line in data.lines() {
                black_box(serde_json::from_str::<serde::de::IgnoredAny>(line).unwrap());
            }
        });
    });
    group.finish();
}

/// What the engine makes of a file on one thread.
fn counted(data: &str) -> State {
    let mut state = State::new(Limits::default());
    let mut rest = data.as_bytes();
    while !rest.is_empty() {
        let block = &rest[..BLOCK.min(rest.len())];
        let length = if block.len() == rest.len() { block.len() } else { boundary(Some(Format::Otlp), block) };
        state.ingest("load.jsonl", &rest[..length], RECEIVED, None, None);
        rest = &rest[length..];
    }
    state
}

fn whole(criterion: &mut Criterion<Processor>) {
    let spans = 100_000;
    let data = inputs::otlp(spans);
    let mut group = criterion.benchmark_group("spans");
    group.sample_size(10).throughput(Throughput::Bytes(data.len() as u64));
    // What is made is taken down apart.
    group.bench_function("decoded and counted", |bencher| {
        bencher.iter_batched(|| (), |()| counted(&data), BatchSize::PerIteration);
    });
    group.bench_function("decoded", |bencher| bencher.iter(|| events(Format::Otlp, data.as_bytes())));
    group.bench_function("parsed by simd-json, onto a tape", |bencher| {
        let (mut line, mut buffers) = (Vec::new(), Buffers::new(1 << 16));
        let mut tape = Some(simd_json::Tape::null());
        bencher.iter(|| {
            for text in data.lines() {
                // It writes into what it reads.
                line.clear();
                line.extend_from_slice(text.as_bytes());
                let mut filled = tape.take().unwrap().reset();
                simd_json::fill_tape(&mut line, &mut buffers, &mut filled).unwrap();
                black_box(&filled);
                tape = Some(filled.reset());
            }
        });
    });
    group.bench_function("parsed by simd-json, into values", |bencher| {
        let (mut line, mut buffers) = (Vec::new(), Buffers::new(1 << 16));
        bencher.iter(|| {
            for text in data.lines() {
                line.clear();
                line.extend_from_slice(text.as_bytes());
                black_box(simd_json::to_borrowed_value_with_buffers(&mut line, &mut buffers).unwrap());
            }
        });
    });
    group.finish();
}

criterion_group!(name = decoders; config = Criterion::default().with_measurement(Processor); targets = benches, whole);
criterion_main!(decoders);
