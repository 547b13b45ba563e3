//! Who is to blame for calls that are missing: who does not answer, or who no longer makes them.
#![allow(non_snake_case, clippy::unwrap_used)]

use std::fmt::Write;

use tracegist_engine::state::{Limits, State};
use tracegist_engine::summary::{Request, Summary, summarize};

const NANOS: u64 = 1_000_000_000;
const START: u64 = 1_700_000_000 * NANOS;

/// What an order does: the services it calls, and the message it fails with, if it does.
struct Order {
    calls: &'static [&'static str],
    fails: Option<&'static str>,
}

fn span(
    out: &mut String,
    (trace, id, parent): (u64, u64, u64),
    name: (&str, &str),
    at: (u64, u64),
    fails: Option<&str>,
) {
    let parent = if parent == 0 { String::new() } else { format!("{parent:016x}") };
    let status = fails.map_or_else(|| "{}".to_owned(), |text| format!(r#"{{"code":2,"message":"{text}"}}"#));
    writeln!(
        out,
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{}"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{trace:032x}","spanId":"{id:016x}","parentSpanId":"{parent}","name":"{}","kind":2,"startTimeUnixNano":"{}","endTimeUnixNano":"{}","status":{status}}}]}}]}}]}}"#,
        name.0,
        name.1,
        at.0,
        at.0 + at.1
    )
    .unwrap();
}

/// Ten minutes of two orders a second, the last two minutes as told; `mail` is asked by others too.
fn summary(order: &Order) -> Summary {
    let usual = Order { calls: &["stock", "mail"], fails: None };
    let mut out = String::new();
    for number in 0..1_200u64 {
        let (at, trace) = (START + number * NANOS / 2, number + 1);
        let now = if number >= 960 { order } else { &usual };
        let took = 6_000_000 * now.calls.len() as u64 + 8_000_000 + number * 7_919 % 2_000_000;
        span(&mut out, (trace, 1, 0), ("shop", "POST /order"), (at, took), now.fails);
        for (place, callee) in (0u64..).zip(now.calls) {
            let start = at + (1 + place * 6) * 1_000_000;
            span(&mut out, (trace, place + 2, 1), (callee, "handle"), (start, 4_000_000), None);
        }
        span(&mut out, (trace + 10_000, 1, 0), ("desk", "GET /inbox"), (at, 9_000_000), None);
        span(&mut out, (trace + 10_000, 2, 1), ("mail", "handle"), (at + 1_000_000, 4_000_000), None);
    }
    let mut state = State::new(Limits::default());
    state.ingest("spans", out.as_bytes(), 1_700_001_000_000_000_000, None, None);
    let request = Request { window: 120, ..Request::default() };
    summarize(&mut state, &request).unwrap()
}

fn accused(calls: &'static [&'static str], fails: Option<&'static str>) -> (Vec<String>, String) {
    let summary = summary(&Order { calls, fails });
    (summary.verdicts.iter().map(|verdict| verdict.service.clone()).collect(), summary.text)
}

#[test]
fn verdict__calls_refused__the_callee_that_nobody_hears_alone() {
    for words in ["dial tcp 10.0.0.7:80: connect: connection refused", "14 UNAVAILABLE: no connection established"] {
        let (accused, text) = accused(&[], Some(words));
        assert_eq!(accused, ["stock"], "{text}");
    }
}

#[test]
fn verdict__fails_by_itself_before_its_calls__the_caller() {
    let (accused, text) = accused(&[], Some("index 7 out of range"));
    assert_eq!(accused.first().map(|name| &**name), Some("shop"), "{text}");
}

#[test]
fn verdict__a_call_is_made_no_more__the_caller() {
    let (accused, text) = accused(&["mail"], None);
    assert_eq!(accused, ["shop"], "{text}");
    assert!(text.contains("POST /order's calls to stock 1 > 0 a call"), "{text}");
}
