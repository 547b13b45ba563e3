//! The invariants of the design, on made-up hosts: whatever the batches, the interleaving, the restarts and the merges,
//! the state says the same as one pass over the same bytes.
#![allow(non_snake_case, clippy::unwrap_used)]

mod host;

use std::fmt::Write;
use std::ops::Range;

use host::{Line, RECEIVED, START, blocks, line, text};
use proptest::prelude::*;
use tracegist_engine::snapshot;
use tracegist_engine::state::{Limits, State};

fn state() -> State {
    State::new(Limits { trace_hold: 100_000_000_000_000, ..Limits::default() })
}

fn one_pass(streams: &[&[u8]]) -> Vec<u8> {
    let mut state = state();
    for (i, data) in streams.iter().enumerate() {
        state.ingest(&format!("stream{i}"), data, RECEIVED, None, None);
    }
    snapshot::encode(&mut state)
}

/// What a snapshot says of series, without what depends on the order of streams: `fed` and the numbers.
fn series(bytes: &[u8]) -> String {
    let state = snapshot::decode(bytes, state().limits).unwrap();
    let mut all: Vec<String> = state
        .table
        .iter()
        .map(|(_, key, record)| {
            format!(
                "{key:?} {} {} {:?} {:?} {:?} {:?}",
                record.count, record.errors, record.first, record.last, record.timeline, record.kept
            )
        })
        .collect();
    all.sort();
    let ledger = &state.ledger;
    format!(
        "{all:#?} {} {} {} {} {}",
        ledger.bytes, ledger.events, ledger.rejected, ledger.parsed_bytes, ledger.rejected_bytes
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn state__any_batches_and_restarts__same_bytes(lines in prop::collection::vec(line(), 1..60), size in 1usize..2_000, restart in 1usize..6) {
        let data = text(&lines);
        let mut batched = state();
        for (i, block) in blocks(&data, size).into_iter().enumerate() {
            batched.ingest("stream0", block, RECEIVED, None, None);
            if i % restart == 0 {
                let bytes = snapshot::encode(&mut batched);
                batched = snapshot::decode(&bytes, batched.limits).unwrap();
            }
        }
        prop_assert_eq!(snapshot::encode(&mut batched), one_pass(&[&data]));
    }

    #[test]
    fn state__any_interleaving__same_series(a in prop::collection::vec(line(), 1..40), b in prop::collection::vec(line(), 1..40), size in 1usize..3_000) {
        let (a, b) = (text(&a), text(&b));
        let mut mixed = state();
        let (left, right) = (blocks(&a, size), blocks(&b, size * 2));
        for i in 0..left.len().max(right.len()) {
            if let Some(block) = right.get(i) {
                mixed.ingest("stream1", block, RECEIVED, None, None);
            }
            mixed.settle();
            if let Some(block) = left.get(i) {
                mixed.ingest("stream0", block, RECEIVED, None, None);
            }
        }
        prop_assert_eq!(series(&snapshot::encode(&mut mixed)), series(&one_pass(&[&a, &b])));
    }

    #[test]
    fn state__merged__equals_together_in_any_order(a in prop::collection::vec(line(), 1..30), b in prop::collection::vec(line(), 1..30), c in prop::collection::vec(line(), 1..30)) {
        let (a, b, c) = (text(&a), text(&b), text(&c));
        let apart = |i: usize, data: &[u8]| {
            let mut state = state();
            state.ingest(&format!("stream{i}"), data, RECEIVED, None, None);
            snapshot::encode(&mut state)
        };
        let (x, y, z) = (apart(0, &a), apart(1, &b), apart(2, &c));
        let merged = |first: &[u8], second: &[u8]| {
            let mut state = snapshot::decode(first, state().limits).unwrap();
            snapshot::merge(&mut state, second).unwrap();
            snapshot::encode(&mut state)
        };
        prop_assert_eq!(series(&merged(&x, &y)), series(&merged(&y, &x)));
        prop_assert!(merged(&x, &y) == merged(&y, &x));
        prop_assert_eq!(merged(&merged(&x, &y), &z), merged(&x, &merged(&y, &z)));
        prop_assert_eq!(series(&merged(&merged(&x, &y), &z)), series(&one_pass(&[&a, &b, &c])));
    }

    #[test]
    fn ledger__anything__every_byte_accounted_for(data in prop::collection::vec(any::<u8>(), 0..400), lines in prop::collection::vec(line(), 0..10)) {
        let mut all = text(&lines);
        all.extend_from_slice(&data);
        let mut state = State::new(Limits { max_record: 300, ..Limits::default() });
        for block in blocks(&all, 64) {
            state.ingest("stream0", block, RECEIVED, None, None);
        }
        prop_assert_eq!(state.ledger.bytes, all.len() as u64);
        prop_assert_eq!(state.ledger.parsed_bytes + state.ledger.rejected_bytes, state.ledger.bytes);
        let series: u64 = state.table.iter().filter(|entry| (entry.1.kind as u8) < 6).map(|entry| entry.2.count).sum();
        prop_assert_eq!(series, state.ledger.events);
    }

    #[test]
    fn snapshot__damaged_anywhere__refused(lines in prop::collection::vec(line(), 1..20), at in any::<prop::sample::Index>(), bit in 0u8..8, cut in any::<prop::sample::Index>()) {
        let bytes = one_pass(&[&text(&lines)]);
        let mut flipped = bytes.clone();
        let at = at.index(bytes.len());
        flipped[at] ^= 1 << bit;
        prop_assert!(snapshot::decode(&flipped, state().limits).is_err());
        prop_assert!(snapshot::decode(&bytes[..cut.index(bytes.len())], state().limits).is_err());
        prop_assert!(snapshot::decode(&bytes, state().limits).is_ok());
    }
}

#[test]
fn state__more_series_than_the_limit__rest_under_other() {
    let mut state = State::new(Limits { max_series: 20, ..Limits::default() });
    let mut data = String::new();
    for i in 0..500 {
        writeln!(data, r#"{{"time":{START},"level":"info","service":"busy","msg":"{}"}}"#, "x".repeat(i + 1)).unwrap();
    }
    state.ingest("stream0", data.as_bytes(), RECEIVED, None, None);
    let other = state.table.iter().find(|entry| entry.1.operation == "(other)").unwrap();
    assert_eq!(other.2.count, state.table.overflow);
    assert_eq!(state.table.iter().map(|entry| entry.2.count).sum::<u64>(), 500);
    assert!(state.table.size() <= 23);
}

#[test]
fn state__more_open_spans_than_the_limit__oldest_let_go_and_told() {
    let mut state = State::new(Limits { max_open_spans: 50, ..Limits::default() });
    let lines: Vec<Line> = (0..250u32)
        .map(|i| Line::Span {
            trace: u8::try_from(i).unwrap(),
            span: 1,
            parent: 0,
            service: 0,
            operation: 0,
            at: i,
            took: 10,
            failed: false,
        })
        .collect();
    state.ingest("stream0", &text(&lines), RECEIVED, None, None);
    assert!(state.traces.open() <= 50);
    state.settle();
    let own: u64 = state
        .table
        .iter()
        .filter(|entry| entry.1.service == "s0")
        .flat_map(|entry| entry.2.timeline.between(i64::MIN, i64::MAX))
        .map(|slot| slot.own.count())
        .sum();
    assert_eq!(own, 250);
}

#[test]
fn state__one_endless_trace__cut_and_told() {
    let mut state = State::new(Limits::default());
    let lines: Vec<Line> = (0..10_050u32)
        .map(|i| Line::Span {
            trace: 1,
            span: 7,
            parent: 7,
            service: 0,
            operation: 0,
            at: i / 100,
            took: 10,
            failed: false,
        })
        .collect();
    state.ingest("stream0", &text(&lines), RECEIVED, None, None);
    assert_eq!(state.ledger.evicted_spans, 10_000);
    assert_eq!(state.traces.open(), 50);
}

#[test]
fn state__streams_at_their_end__hold_no_trace_open() {
    let span = |at: u32| Line::Span {
        trace: u8::try_from(at % 250).unwrap(),
        span: 1,
        parent: 0,
        service: 0,
        operation: 0,
        at: at / 10,
        took: 10,
        failed: false,
    };
    let mut state = State::new(Limits { trace_hold: 10_000_000_000, ..Limits::default() });
    let whole = |lines: Range<u32>| text(&lines.map(span).collect::<Vec<_>>());
    for file in 0..20 {
        state.ingest(&format!("file{file}"), &whole(file..file + 1), RECEIVED, None, None);
    }
    for at in (20..6_000).step_by(10) {
        state.ingest("live", &whole(at..at + 10), RECEIVED, None, None);
    }
    // Those of the last twenty seconds, as if there had never been another.
    assert!(state.traces.open() <= 250, "{}", state.traces.open());
    assert_eq!(state.ledger.evicted_spans, 0);
}

#[test]
fn state__streams_read_in_turns_of_minutes__spans_of_both_are_joined() {
    let span = |at: u32, called: bool| Line::Span {
        trace: u8::try_from(at / 2).unwrap(),
        span: u8::try_from(at % 2 * 2 + 1 + u32::from(called)).unwrap(),
        parent: if called { u8::try_from(at % 2 * 2 + 1).unwrap() } else { 0 },
        service: u8::from(called),
        operation: 0,
        at: at * 5,
        took: if called { 1_000 } else { 2_000 },
        failed: false,
    };
    let spans = |called: bool, range: &Range<u32>| text(&range.clone().map(|at| span(at, called)).collect::<Vec<_>>());
    let mut state = State::new(Limits::default());
    // Once it is known that there are both: three minutes of the callers, then those of the callees.
    for range in [0..1, 1..40, 40..80, 80..120, 120..160, 160..200, 200..240] {
        state.ingest("callers", &spans(false, &range), RECEIVED, None, None);
        state.ingest("callees", &spans(true, &range), RECEIVED, None, None);
    }
    state.settle();
    let joined: u64 = state
        .table
        .iter()
        .filter(|entry| entry.1.service == "s0" && entry.1.operation == "s1")
        .map(|entry| entry.2.count)
        .sum();
    assert_eq!(joined, 240);
    assert!(state.traces.open() < 120, "those that are over for both are closed");
}
