//! What reading the state costs: a summary, settling, a snapshot, a merge. `cargo bench -p tracegist-engine --bench state`.
//!
//! The host has 10,000 series of calls and 5,000 templates of messages over an hour, in 24 services.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tracegist_engine::engine::Engine;
use tracegist_engine::snapshot;
use tracegist_engine::state::{Limits, State};
use tracegist_engine::summary::Request;

const START: u64 = 1_764_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;
const RECEIVED: i64 = 1_764_100_000_000_000_000;

fn word(mut n: u64) -> String {
    let mut word = String::new();
    while n > 0 || word.is_empty() {
        word.push(char::from(b'a' + u8::try_from(n % 26).unwrap()));
        n /= 26;
    }
    word
}

/// One call of each operation and one message of each template in each of `rounds` minutes.
fn host(rounds: u64, from: u64) -> String {
    let mut out = String::new();
    for round in 0..rounds {
        let now = START + (from + round) * 60 * SECOND;
        for i in 0..10_000_u64 {
            let (service, id) = (word(i % 24 + 26), (from + round) * 10_000 + i);
            let took = 1_000_000 * (1 + (id * 7_919) % 97);
            writeln!(
                out,
                r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{id:032x}","spanId":"{:016x}","name":"call {}","kind":2,"startTimeUnixNano":"{}","endTimeUnixNano":"{}","status":{{}}}}]}}]}}]}}"#,
                id + 1,
                word(i + 1_000),
                now + i * 1_000_000 - took,
                now + i * 1_000_000
            )
            .unwrap();
            if i % 2 == 0 {
                let time = now + i * 1_000_000;
                writeln!(
                    out,
                    r#"{{"time":{time},"level":"info","service":"{service}","msg":"{} of {} has {} after {took} ns"}}"#,
                    word(i * 31 + 7_000),
                    word(i * 17 + 900),
                    word(i + 50_000)
                )
                .unwrap();
            }
        }
    }
    out
}

fn limits() -> Limits {
    Limits { memory: 1 << 30, ..Limits::default() }
}

fn request() -> Request {
    Request {
        budget: 2_000,
        encoding: "o200k_base".to_owned(),
        window: 300,
        baseline: None,
        focus: None,
        sections: Vec::new(),
        now: None,
        notices: Vec::new(),
        host: String::new(),
    }
}

fn benches(criterion: &mut Criterion) {
    let (old, new) = (host(10, 0), host(1, 10));
    let engine = Engine::new("host".to_owned(), limits());
    engine.ingest("stream", old.as_bytes(), RECEIVED, None, None);
    let mut group = criterion.benchmark_group("state");
    group.sample_size(20).measurement_time(Duration::from_secs(10));
    group.bench_function("summary of 2,000 tokens, unchanged", |bencher| {
        bencher.iter(|| black_box(engine.summary(request()).unwrap()));
    });
    let bytes = engine.snapshot();
    group.bench_function("snapshot", |bencher| bencher.iter(|| black_box(engine.snapshot())));
    group.bench_function("restore", |bencher| {
        bencher.iter(|| black_box(snapshot::decode(&bytes, limits()).unwrap()));
    });
    group.bench_function("merge of two", |bencher| {
        let state = || snapshot::decode(&bytes, limits()).unwrap();
        bencher.iter_batched_ref(
            state,
            |state: &mut State| snapshot::merge(state, &bytes).unwrap(),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("settle 15,000 new spans and messages", |bencher| {
        let state = || {
            let mut state = snapshot::decode(&bytes, limits()).unwrap();
            state.ingest("stream", new.as_bytes(), RECEIVED, None, None);
            state
        };
        bencher.iter_batched_ref(state, State::settle, BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(state, benches);
criterion_main!(state);
