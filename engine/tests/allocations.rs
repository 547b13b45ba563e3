//! An event that falls into a known series allocates nothing: what is left is what a block takes, whatever is in it, and
//! what grows by the logarithm of the events.
#![allow(non_snake_case, clippy::unwrap_used)]

use std::fmt::Write;

use allocation_counter::measure;
use tracegist_engine::state::{Limits, State};

const START: u64 = 1_764_000_000;
const RECEIVED: i64 = 1_764_100_000_000_000_000;
const EVENTS: u64 = 5_000;

/// Allocations for each of the events of a block, when the state has seen as many of their kind before.
fn allocations(mut write: impl FnMut(&mut String, u64)) -> f64 {
    let mut block = |from: u64| {
        let mut data = String::new();
        (from..from + EVENTS).for_each(|i| write(&mut data, i));
        data
    };
    // Twice as many first, so that tables have room.
    let blocks: Vec<String> = (0..4).map(|i| block(i * EVENTS)).collect();
    let mut state = State::new(Limits::default());
    for data in &blocks[..3] {
        state.ingest("stream", data.as_bytes(), RECEIVED, None, None);
        state.settle();
    }
    let before = state.ledger.events;
    let allocated = measure(|| {
        state.ingest("stream", blocks[3].as_bytes(), RECEIVED, None, None);
    });
    let events = state.ledger.events - before;
    assert!(events >= EVENTS);
    allocated.count_total as f64 / events as f64
}

/// A duration that is one of few, and a second that is one of few.
fn took(i: u64) -> u64 {
    i * 7_919 % 16 * 1_000_000
}

#[test]
fn otlp__known_series__no_allocation_for_an_event() {
    let each = allocations(|out, i| {
        let end = START * 1_000_000_000 + i % 7;
        writeln!(
            out,
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"shop"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{:032x}","spanId":"{i:016x}","parentSpanId":"","name":"GET /cart/{i}","kind":2,"startTimeUnixNano":"{}","endTimeUnixNano":"{end}","attributes":[{{"key":"n","value":{{"intValue":"{i}"}}}}],"status":{{}}}}]}}]}}]}}"#,
            i / 4 + 1,
            end - took(i)
        )
        .unwrap();
    });
    assert!(each < 0.05, "{each} allocations an event");
}

#[test]
fn json__known_series__no_allocation_for_an_event() {
    let each = allocations(|out, i| {
        writeln!(
            out,
            r#"{{"time":{START},"level":"info","service":"shop","msg":"order {} paid in {} ms","n":{i}}}"#,
            i * 7_919,
            took(i)
        )
        .unwrap();
    });
    assert!(each < 0.05, "{each} allocations an event");
}

#[test]
fn text__known_series__no_allocation_for_an_event() {
    let each = allocations(|out, i| {
        writeln!(out, "2025-11-24T16:00:00Z INFO shop: order {} paid in {} ms", i * 7_919, took(i)).unwrap();
    });
    assert!(each < 0.05, "{each} allocations an event");
}
