//! Floods of names, traces and streams: the state stays within its memory, those who did not flood it keep what they have
//! counted, and nothing is lost of what came in. `tests/bench/memory.py` does the same on a large scale, to a whole process.
#![allow(non_snake_case, clippy::unwrap_used)]

use std::fmt::Write;

use tracegist_engine::event::Kind;
use tracegist_engine::snapshot;
use tracegist_engine::state::{Limits, State};

const SECOND: u64 = 1_000_000_000;
const START: u64 = 1_764_000_000 * SECOND;
const RECEIVED: i64 = 1_764_100_000 * 1_000_000_000;
const MEMORY: usize = 8 << 20;

fn state() -> State {
    State::new(Limits { memory: MEMORY, ..Limits::default() })
}

fn span(out: &mut String, trace: u128, service: &str, name: &str, end: u64, took: u64) {
    write!(
        out,
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{trace:032x}","spanId":"{:016x}","parentSpanId":"{:016x}","name":"{name}","kind":2,"startTimeUnixNano":"{}","endTimeUnixNano":"{end}"}}]}}]}}]}}"#,
        trace | 1,
        trace >> 3 & 0xffff | 1,
        end - took
    )
    .unwrap();
    out.push('\n');
}

/// Feed rounds of a flood, with ten calls of a service that has nothing to do with it in each; say how large it became.
fn flooded(rounds: u64, flood: impl FnMut(u64, &mut String)) -> (State, usize) {
    flooded_in(MEMORY, rounds, flood)
}

fn flooded_in(memory: usize, rounds: u64, mut flood: impl FnMut(u64, &mut String)) -> (State, usize) {
    let (mut state, mut largest) = (State::new(Limits { memory, ..Limits::default() }), 0);
    for round in 0..rounds {
        let mut data = String::new();
        for call in 0..10 {
            let n = u128::from(round * 10 + call);
            span(&mut data, n << 64 | 7, "shop", "GET /cart", START + round * SECOND / 4, 1_000_000 + call);
        }
        flood(round, &mut data);
        state.ingest("flood", data.as_bytes(), RECEIVED, None, None);
        if round % 16 == 0 {
            largest = largest.max(snapshot::encode(&mut state).len());
        }
    }
    (state, largest)
}

/// Of all series that were decoded, the events; and those of the service that has nothing to do with the flood.
fn counted(state: &State) -> (u64, u64) {
    let decoded = || state.table.iter().filter(|(_, key, _)| key.kind.is_decoded());
    let shop = decoded().filter(|(_, key, _)| key.service == "shop" && key.operation == "GET /cart");
    (decoded().map(|(.., record)| record.count).sum(), shop.map(|(.., record)| record.count).sum())
}

/// All is counted, the shop's calls exactly, and it fits.
fn check(state: &State, largest: usize, rounds: u64) {
    let (all, shop) = counted(state);
    assert_eq!(shop, rounds * 10);
    assert_eq!(all, state.ledger.events);
    assert!(largest < MEMORY, "{largest} bytes of snapshot");
}

#[test]
fn flood__distinct_operations__counted_under_other_and_the_rest_exact() {
    let (mut state, largest) = flooded(200, |round, data| {
        for i in 0..100 {
            let id = round * 100 + i;
            let word: String = id.to_string().bytes().map(|digit| char::from(b'a' + digit - b'0')).collect();
            span(data, u128::from(id) << 64 | 1, "evil", &format!("call {word}"), START + round * SECOND / 4, 999 * i);
        }
    });
    check(&state, largest, 200);
    assert!(state.table.measure() < MEMORY / 2);
    assert!(state.table.overflow > 10_000 && state.ledger.evicted_series > 0);
    let other = state.table.iter().filter(|(_, key, _)| key.operation == "(other)" && key.kind == Kind::Server);
    assert!(other.map(|(.., record)| record.count).sum::<u64>() > 10_000);
}

#[test]
fn flood__distinct_services__counted_under_other_and_a_service_that_comes_late_has_its_place() {
    let mut late = 0_u64;
    let (state, largest) = flooded(200, |round, data| {
        for i in 0..100 {
            let id = round * 100 + i;
            let word: String = id.to_string().bytes().map(|digit| char::from(b'a' + digit - b'0')).collect();
            span(data, u128::from(id) << 64 | 1, &format!("evil{word}"), "call", START + round * SECOND / 4, 999 * i);
        }
        if round >= 150 {
            for i in 0..20 {
                late += 1;
                span(data, u128::from(late) << 64 | 3, "late", "POST /pay", START + round * SECOND / 4, 55 * i);
            }
        }
    });
    check(&state, largest, 200);
    let found = state.table.iter().find(|(_, key, _)| key.service == "late" && key.kind == Kind::Server).unwrap();
    assert!(found.2.count * 2 > late, "{} of {late} under its own name", found.2.count);
}

#[test]
fn flood__distinct_messages__counted_under_other_and_the_rest_exact() {
    let (mut state, largest) = flooded(150, |round, data| {
        for i in 0..100 {
            let id = round * 100 + i;
            let word: String = id.to_string().bytes().map(|digit| char::from(b'a' + digit - b'0')).collect();
            let time = START + round * SECOND / 4;
            writeln!(
                data,
                r#"{{"time":{time},"level":"info","service":"evil","msg":"a {word} of {word} has {word}"}}"#
            )
            .unwrap();
        }
    });
    check(&state, largest, 150);
    assert!(state.table.measure() < MEMORY / 2);
}

#[test]
fn flood__many_durations_in_few_series__timelines_become_coarser_and_counts_stay() {
    let (mut state, largest) = flooded_in(MEMORY / 4, 400, |round, data| {
        for i in 0..60 {
            let took = (round * 60 + i) * 7_919 % 1_000 * 10_u64.pow(u32::try_from(i % 7).unwrap());
            let id = u128::from(round * 60 + i) << 64;
            span(data, id, &format!("evil{}", i % 3), &format!("call {}", i % 20), START + round * SECOND, took);
        }
    });
    check(&state, largest, 400);
    assert!(state.table.measure() < MEMORY / 2);
    assert!(state.ledger.coarsened > 0);
    let shop = state.table.iter().find(|(_, key, _)| key.service == "shop" && key.kind == Kind::Server).unwrap();
    assert_eq!(shop.2.timeline.coarse(), 0, "who takes little keeps his seconds");
}

#[test]
fn flood__distinct_traces__spans_let_go_and_told() {
    let (state, largest) = flooded(100, |round, data| {
        for i in 0..500 {
            let id = u128::from(round * 500 + i) << 64 | 0xdead;
            span(data, id, "evil", "call", START + round * SECOND / 4, 5_000);
        }
    });
    check(&state, largest, 100);
    assert!(state.traces.open() <= MEMORY / 50 * 21 / 150);
    assert!(state.ledger.evicted_spans > 10_000);
}

#[test]
fn flood__names_of_a_mebibyte__cut() {
    let (mut state, largest) = flooded(20, |round, data| {
        let long = format!("{round} {}", "x".repeat(1 << 20));
        span(data, u128::from(round) << 64 | 1, &long, &long, START + round * SECOND, 1_000);
    });
    check(&state, largest, 20);
    assert!(state.table.measure() < MEMORY / 8);
}

#[test]
fn flood__a_record_of_a_million_spans__rejected_and_told() {
    let mut state = state();
    let spans = vec!["{}"; 1_000_000].join(",");
    let data = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#);
    let outcome = state.ingest("flood", data.as_bytes(), RECEIVED, None, None);
    assert_eq!((outcome.events, outcome.rejected), (0, 1));
    assert!(outcome.reason.contains("more than 131072 events"), "{}", outcome.reason);
    assert_eq!(state.ledger.rejected_bytes, data.len() as u64);
}

#[test]
fn flood__streams_with_much_to_remember__those_forget_of_which_most_is_remembered() {
    let mut state = state();
    let header: String = (0..900).map(|i| format!("{}{i},", "column".repeat(20))).collect();
    for i in 0..100 {
        let format = Some(tracegist_engine::format::Format::Delimited);
        let dialect = tracegist_engine::format::Dialect::default().delimited(",", Vec::new()).unwrap();
        let rows = format!("{header}message\n1,2,3\n");
        state.ingest(&format!("stream{i}"), rows.as_bytes(), RECEIVED, format, Some(&dialect.into()));
    }
    assert!(snapshot::encode(&mut state).len() < MEMORY / 8);
    assert!(state.ledger.evicted_memories > 10);
}

#[test]
fn flood__times_a_year_apart_and_clocks_that_jump__within_memory() {
    let (mut state, largest) = flooded(100, |round, data| {
        for i in 0..100 {
            let back = (round * 100 + i) * 7_919 % 40_000;
            let id = u128::from(round * 100 + i) << 64 | 0xbeef;
            span(data, id, "evil", "call", START - back * 86_400 * SECOND / 100, 5_000);
        }
    });
    assert!(largest < MEMORY, "{largest}");
    assert_eq!(counted(&state), (state.ledger.events, 1_000));
    assert!(state.table.measure() < MEMORY / 2);
}
