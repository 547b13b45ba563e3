//! Blocks are decoded on one thread and counted on another, and several streams are read at once: the state says the same
//! as one pass on one thread, at every moment.
#![allow(non_snake_case, clippy::unwrap_used)]

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tracegist_engine::engine::Engine;
use tracegist_engine::snapshot;
use tracegist_engine::state::{Limits, State};

const START: u64 = 1_764_000_000;
const RECEIVED: i64 = 1_764_100_000_000_000_000;

fn limits() -> Limits {
    Limits { trace_hold: 100_000_000_000_000, ..Limits::default() }
}

/// Log records and now and then something that is none, over half an hour; more than is read in one batch, and in one block.
fn log(service: &str) -> String {
    let mut data = String::new();
    for i in 0..6_000_u64 {
        if i % 500 == 7 {
            data.push_str("{\"time\": broken\n");
        }
        let (second, order) = (START + i / 4, i * 7919 % 10_007);
        writeln!(
            data,
            r#"{{"time":{second},"level":"info","service":"{service}","msg":"order {order} paid by customer {}"}}"#,
            order % 97
        )
        .unwrap();
    }
    data
}

/// What snapshots of the same streams have in common, whichever came first: all but the numbers and the turns.
fn series(bytes: &[u8]) -> Vec<String> {
    let state = snapshot::decode(bytes, limits()).unwrap();
    let mut all: Vec<String> = state
        .table
        .iter()
        .map(|(_, key, record)| format!("{key:?} {} {:?} {:?}", record.count, record.timeline, record.kept))
        .collect();
    all.sort();
    let ledger = &state.ledger;
    all.push(format!("{} {} {} {}", ledger.bytes, ledger.parsed_bytes, ledger.events, ledger.rejected));
    all
}

#[test]
fn engine__large_block__same_bytes_as_one_pass() {
    let data = log("shop");
    assert!(data.len() > 256 << 10, "large enough to be decoded ahead");
    let engine = Engine::new("host".to_owned(), limits());
    let outcome = engine.ingest("shop.log", data.as_bytes(), RECEIVED, None, None);
    let mut state = State::new(limits());
    assert_eq!(state.ingest("shop.log", data.as_bytes(), RECEIVED, None, None), outcome);
    assert_eq!((outcome.events, outcome.rejected), (6_000, 12));
    assert!(engine.snapshot() == snapshot::encode(&mut state));
}

#[test]
fn engine__several_streams_on_several_threads__same_series_and_every_byte_in_the_ledger_meanwhile() {
    let logs: Vec<String> = (0..4).map(|i| log(&format!("shop{}", i % 3))).collect();
    let mut state = State::new(limits());
    for (i, data) in logs.iter().enumerate() {
        state.ingest(&format!("stream{i}"), data.as_bytes(), RECEIVED, None, None);
    }
    let engine = Engine::new("host".to_owned(), limits());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let ledger = engine.stats().ledger;
                assert_eq!(ledger.bytes, ledger.parsed_bytes + ledger.rejected_bytes);
                snapshot::decode(&engine.snapshot(), limits()).unwrap();
            }
        });
        let readers: Vec<_> = logs
            .iter()
            .enumerate()
            .map(|(i, data)| {
                let engine = &engine;
                scope.spawn(move || {
                    let middle = data[..data.len() / 2].rfind('\n').unwrap() + 1;
                    for block in [&data[..middle], &data[middle..]] {
                        engine.ingest(&format!("stream{i}"), block.as_bytes(), RECEIVED, None, None);
                    }
                })
            })
            .collect();
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(series(&engine.snapshot()), series(&snapshot::encode(&mut state)));
}
