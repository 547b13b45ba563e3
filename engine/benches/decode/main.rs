//! Decode speed of every format, in bytes and events a second of one core: `cargo bench -p tracegist-engine --bench decode`.
//!
//! It is the processor's time that is measured, so that what else runs on the host takes little away.
#![allow(clippy::unwrap_used)]

mod inputs;

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use tracegist_engine::format::{Context, Format, Reader};

fn events(format: Format, data: &[u8]) -> usize {
    let mut context = Context { received: 1_800_000_000_000_000_000, ..Context::default() };
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

criterion_group!(name = decoders; config = Criterion::default().with_measurement(Processor); targets = benches);
criterion_main!(decoders);
