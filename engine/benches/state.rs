//! What moving the state costs: settling, a snapshot, a merge. `cargo bench -p tracegist-engine --bench state`.
#![allow(clippy::unwrap_used)]

mod hour;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use hour::{RECEIVED, host, limits};
use tracegist_engine::engine::Engine;
use tracegist_engine::snapshot;
use tracegist_engine::state::State;

fn benches(criterion: &mut Criterion) {
    let (old, new) = (host(10, 0), host(1, 10));
    let engine = Engine::new("host".to_owned(), limits());
    engine.ingest("stream", old.as_bytes(), RECEIVED, None, None);
    let mut group = criterion.benchmark_group("state");
    group.sample_size(20).measurement_time(Duration::from_secs(10));
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
