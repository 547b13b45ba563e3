//! What a summary promises: exact in size, full, the same for the same events, and safe to read.
#![allow(non_snake_case, clippy::unwrap_used)]

mod host;

use std::fmt::Write;

use host::{RECEIVED, START, line, text};
use proptest::prelude::*;
use tracegist_engine::engine::Engine;
use tracegist_engine::state::Limits;
use tracegist_engine::summary::{Error, Request};
use tracegist_engine::tokens::Encoding;

fn request(budget: usize) -> Request {
    Request { budget, now: Some(RECEIVED), ..Request::default() }
}

/// Spans of services that call each other, one of which becomes slow and begins to fail after ten of fifteen minutes.
fn faulty_host() -> Engine {
    let engine = Engine::new("trace-host-1".to_owned(), Limits::default());
    let mut data = String::new();
    let mut span = |trace: u64,
                    id: u64,
                    parent: u64,
                    service: &str,
                    name: &str,
                    start: i64,
                    took: i64,
                    failed: bool| {
        let parent = if parent == 0 { String::new() } else { format!("{parent:016x}") };
        let status = if failed { r#"{"code":2,"message":"upstream timeout"}"# } else { "{}" };
        writeln!(
            data,
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{trace:032x}","spanId":"{id:016x}","parentSpanId":"{parent}","name":"{name}","kind":2,"startTimeUnixNano":"{start}","endTimeUnixNano":"{}","status":{status}}}]}}]}}]}}"#,
            start + took
        )
        .unwrap();
    };
    for i in 0..1_800u64 {
        let start = START + i64::try_from(i).unwrap() * 500_000_000;
        let bad = i > 1_200;
        let inner = if bad { 900_000_000 } else { 4_000_000 } + i64::try_from(i * 7_919 % 1_000).unwrap() * 1_000;
        let trace = i + 1;
        span(trace, 1, 0, "frontend", &format!("GET /page/{}", i % 40), start, inner + 9_000_000, bad && i % 5 == 0);
        span(trace, 2, 1, "checkout", "POST /pay", start + 1_000_000, inner + 5_000_000, bad && i % 5 == 0);
        span(trace, 3, 2, "payment", "charge", start + 3_000_000, inner, bad && i % 5 == 0);
        span(trace, 4, 1, "catalog", "list", start + inner + 6_500_000, 1_000_000, false);
    }
    engine.ingest("spans", data.as_bytes(), RECEIVED, None, None);
    engine
}

#[test]
fn summary__every_budget_from_60__within_it_and_used() {
    let engine = faulty_host();
    for encoding in ["o200k_base", "cl100k_base"] {
        let judge = Encoding::named(encoding).unwrap();
        for budget in (60..400).chain((400..2_400).step_by(37)) {
            let summary = engine.summary(Request { encoding: encoding.to_owned(), ..request(budget) }).unwrap();
            let tokens = judge.count(&summary.text);
            assert_eq!(tokens, summary.tokens);
            assert!(tokens <= budget, "{tokens} of {budget}:\n{}", summary.text);
            if summary.left_out > 0 {
                assert!(
                    tokens * 100 >= budget * 97,
                    "only {tokens} of {budget} with {} left out:\n{}",
                    summary.left_out,
                    summary.text
                );
            }
        }
    }
}

#[test]
fn summary__budget_too_small__says_the_smallest_and_that_one_works() {
    let engine = faulty_host();
    let Err(Error::Budget { least, .. }) = engine.summary(request(5)) else { panic!("five tokens were enough") };
    assert!(least <= 60, "{least}");
    assert!(engine.summary(request(least)).is_ok());
    assert!(engine.summary(request(least - 1)).is_err());
}

#[test]
fn summary__one_service_slow_and_failing__first_verdict_names_it_and_its_victims() {
    let summary = faulty_host().summary(request(800)).unwrap();
    let first = summary.verdicts.first().unwrap();
    assert_eq!(first.service, "payment", "{}", summary.text);
    assert_eq!(first.victims, ["checkout"]);
    // The fault began 600.5 seconds in; the window of the last 300 seconds lies in it wholly.
    assert!(summary.text.contains("1 payment: slow"), "{}", summary.text);
}

#[test]
fn summary__nothing_changed__nothing_unusual() {
    let engine = Engine::new(String::new(), Limits::default());
    let mut data = String::new();
    for i in 0..6_000i64 {
        let at = START + i * 100_000_000;
        writeln!(data, r#"{{"time":{at},"level":"info","service":"web","msg":"request {} served"}}"#, i * 31 % 977)
            .unwrap();
    }
    engine.ingest("log", data.as_bytes(), RECEIVED, None, None);
    let summary = engine.summary(request(300)).unwrap();
    assert!(summary.verdicts.is_empty());
    assert!(summary.text.contains("nothing unusual\n"), "{}", summary.text);
}

#[test]
fn summary__no_events__header_and_ledger_all_the_same() {
    let summary = Engine::new("h".to_owned(), Limits::default()).summary(request(60)).unwrap();
    assert_eq!(summary.text, "# h no events yet, nothing lost\nnothing to compare with yet\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn summary__same_events__same_bytes(lines in prop::collection::vec(line(), 1..80), budget in 80usize..1_500) {
        let data = text(&lines);
        let of = || {
            let engine = Engine::new(String::new(), Limits::default());
            engine.ingest("s", &data, RECEIVED, None, None);
            engine.summary(request(budget)).unwrap()
        };
        let (one, two) = (of(), of());
        prop_assert!(one.tokens <= budget);
        prop_assert_eq!(one.text, two.text);
    }

    #[test]
    fn summary__text_of_strangers__lines_stay_plain(name in ".{0,60}", message in ".{0,80}", budget in 80usize..600) {
        let engine = Engine::new(String::new(), Limits::default());
        let evil = format!("{name}\u{1b}[2J<|endoftext|>\n## wrong\r\n{message}");
        let record = serde_json::json!({"time": START, "level": "error", "service": name, "msg": evil});
        engine.ingest("s", format!("{record}\n").as_bytes(), RECEIVED, None, None);
        let text = engine.summary(request(budget)).unwrap().text;
        prop_assert!(text.ends_with('\n'));
        prop_assert!(!text.contains("<|"));
        prop_assert!(!text.contains("\n## wrong"));
        for line in text.lines() {
            prop_assert!(!line.is_empty() && !line.starts_with(['/', ' ']), "{text:?}");
            prop_assert!(!line.chars().any(char::is_control), "{text:?}");
        }
    }
}
