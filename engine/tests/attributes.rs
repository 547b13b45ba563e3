//! What a few events of each series carried: the same however they came, bounded, without secrets.
#![allow(non_snake_case, clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::fmt::Write;

use proptest::prelude::*;
use tracegist_engine::snapshot;
use tracegist_engine::state::attributes::{ANY, FAILED, SLOWEST, Stretch};
use tracegist_engine::state::{Limits, State};

const NANOS: u64 = 1_000_000_000;
const START: u64 = 1_700_000_100 * NANOS;
const RECEIVED: i64 = 1_700_001_000_000_000_000;

/// A call of a tenant, as a line of OTLP.
fn call(out: &mut String, number: u64, tenant: &str, took: u64, failed: bool) {
    let (end, status) = (START + number * NANOS / 100, if failed { r#"{"code":2}"# } else { "{}" });
    writeln!(
        out,
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"cart"}}}},{{"key":"service.version","value":{{"stringValue":"2.4.{}"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{:032x}","spanId":"{:016x}","name":"GET /cart","kind":2,"startTimeUnixNano":"{}","endTimeUnixNano":"{end}","attributes":[{{"key":"tenant","value":{{"stringValue":"{tenant}"}}}},{{"key":"request.id","value":{{"stringValue":"7f3a{number:016x}"}}}},{{"key":"db.password","value":{{"stringValue":"hunter{number}"}}}},{{"key":"retry","value":{{"intValue":"{}"}}}}],"status":{status}}}]}}]}}]}}"#,
        number % 2,
        number + 1,
        number * 7_919 + 1,
        end - took,
        number % 3,
    )
    .unwrap();
}

fn read(data: &[u8], block: usize, settles: bool) -> State {
    let mut state = State::new(Limits::default());
    let mut lines = data.split_inclusive(|&byte| byte == b'\n').peekable();
    while lines.peek().is_some() {
        let block: Vec<u8> = lines.by_ref().take(block).flatten().copied().collect();
        state.ingest("spans", &block, RECEIVED, None, None);
        if settles {
            state.settle();
        }
    }
    state.settle();
    state
}

fn stretches(state: &State) -> Vec<Stretch<'_>> {
    state
        .table
        .iter()
        .filter(|entry| entry.1.operation == "GET /cart")
        .flat_map(|entry| entry.2.kept.carried(&state.pieces))
        .collect()
}

/// All that is kept, as text.
fn kept(state: &State) -> String {
    format!("{:#?}", stretches(state))
}

#[test]
fn attributes__more_events_than_are_kept__a_sample_of_each_kind() {
    let mut text = String::new();
    (0..20_000).for_each(|i| call(&mut text, i, ["acme", "b", "c", "d"][i as usize % 4], 1_000 + i, i % 100 == 4));
    let state = read(text.as_bytes(), 5_000, false);
    let all = stretches(&state);
    let stretch = all.iter().find(|stretch| stretch.seen > 0).unwrap();
    assert_eq!((stretch.seen, stretch.failed), (20_000, 200));
    let count = |is: &dyn Fn(&tracegist_engine::state::attributes::Carrier<'_>) -> bool| {
        stretch.events.iter().filter(|event| is(event)).count()
    };
    assert_eq!(count(&|event| event.reasons.any), ANY);
    assert_eq!(count(&|event| event.reasons.failed && event.failed), FAILED);
    assert_eq!(
        count(&|event| event.reasons.slowest && event.took.unwrap() >= 1_000 + 20_000 - SLOWEST as u64),
        SLOWEST
    );
    let said: Vec<&str> = stretch.events.iter().flat_map(|event| event.pairs.iter().copied()).collect();
    assert!(said.contains(&"tenant=acme") && said.contains(&"service.version=2.4.1") && said.contains(&"retry=2"));
    assert!(!said.iter().any(|pair| pair.contains("hunter") || pair.contains("request.id")), "{said:?}");
    let acme = count(&|event| event.reasons.failed && event.pairs.contains(&"tenant=acme"));
    assert_eq!(acme, FAILED, "those that fail are all of acme");
}

#[test]
fn attributes__of_log_lines__what_the_event_is_not_made_of() {
    let line = |i: u64| {
        format!(
            "{{\"time\":{},\"level\":\"error\",\"service\":\"shop\",\"msg\":\"no stock of {i}\",\"kubernetes\":{{\"pod\":\"shop-{}\"}},\"beta\":true,\"took\":1.{i}}}\n",
            1_700_000_000 + i,
            i % 2
        )
    };
    let mut state = State::new(Limits::default());
    state.ingest("logs", (0..50).map(line).collect::<String>().as_bytes(), RECEIVED, None, None);
    state.settle();
    let record = state.table.iter().find(|entry| entry.1.service == "shop").unwrap().2;
    let mut said: Vec<&str> =
        record.kept.carried(&state.pieces).flat_map(|stretch| stretch.events).flat_map(|event| event.pairs).collect();
    said.sort_unstable();
    said.dedup();
    assert_eq!(said, ["beta=true", "kubernetes.pod=shop-0", "kubernetes.pod=shop-1"]);
}

#[test]
fn attributes__short_of_room__let_go_and_said() {
    let mut text = String::new();
    (0..3_000).for_each(|i| call(&mut text, i, "acme", 1_000 + i, false));
    let mut state = State::new(Limits { max_evidence: 2_000, ..Limits::default() });
    state.ingest("spans", text.as_bytes(), RECEIVED, None, None);
    state.settle();
    assert!(state.evidence_bytes <= 2_000, "{}", state.evidence_bytes);
    assert!(state.ledger.evicted_evidence > 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn attributes__any_order_batches_and_merges__the_same(
        calls in prop::collection::vec((0..40_000u64, 0..6usize, 0..50u64, prop::bool::weighted(0.2)), 1..900),
        block in 1usize..200,
        cut in any::<prop::sample::Index>(),
    ) {
        let lines: Vec<String> = calls.iter().map(|&(number, tenant, took, failed)| {
            let mut line = String::new();
            call(&mut line, number, ["a", "b", "c", "d", "e", "f"][tenant], took, failed);
            line
        }).collect();
        let text = lines.concat();
        let whole = read(text.as_bytes(), usize::MAX, false);
        let batched = read(text.as_bytes(), block, true);
        prop_assert_eq!(kept(&whole), kept(&batched));
        // Two streams apart and merged, or one after the other in either order.
        let (a, b) = text.split_at(lines[..cut.index(lines.len())].iter().map(String::len).sum());
        let together = |order: [(&str, &str); 2]| {
            let mut state = State::new(Limits::default());
            order.iter().for_each(|(name, data)| _ = state.ingest(name, data.as_bytes(), RECEIVED, None, None));
            state.settle();
            kept(&state)
        };
        let forwards = together([("a", a), ("b", b)]);
        prop_assert_eq!(&forwards, &together([("b", b), ("a", a)]));
        let apart = |name: &str, data: &str| {
            let mut state = State::new(Limits::default());
            state.ingest(name, data.as_bytes(), RECEIVED, None, None);
            snapshot::encode(&mut state)
        };
        let mut merged = snapshot::decode(&apart("b", b), Limits::default()).unwrap();
        snapshot::merge(&mut merged, &apart("a", a)).unwrap();
        merged.settle();
        prop_assert_eq!(&forwards, &kept(&merged));
    }
}
