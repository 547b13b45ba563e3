//! What happens every day at this hour is no fault, and what does not is one.
#![allow(non_snake_case, clippy::unwrap_used)]

use std::fmt::Write;

use tracegist_engine::state::{Limits, State};
use tracegist_engine::summary::{Request, Summary, summarize};

const NANOS: u64 = 1_000_000_000;
const START: u64 = 1_700_000_000;
const DAY: u64 = 86_400;

/// Twenty minutes of each day in which a report is made.
fn reporting(second: u64) -> bool {
    (4_000..5_200).contains(&(second % DAY))
}

fn span(out: &mut String, number: u64, service: &str, at: u64, took: u64, failed: bool) {
    let status = if failed { r#"{"code":2,"message":"disk full"}"# } else { "{}" };
    let at = (START + at) * NANOS;
    writeln!(
        out,
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{number:032x}","spanId":"{number:016x}","name":"get","kind":2,"startTimeUnixNano":"{at}","endTimeUnixNano":"{}","status":{status}}}]}}]}}]}}"#,
        at + took * 1_000_000 + number * 7_919 % 900_000
    )
    .unwrap();
}

/// A call of each of two services every four seconds from a second on until ten minutes into the report of the second day.
/// While a report is made the one is slow; then, for once, the other fails.
fn summary(from: u64, fails: bool) -> Summary {
    let mut state = State::new(Limits::default());
    let now = DAY + 4_600;
    for second in (from..now).step_by(4) {
        let mut out = String::new();
        span(&mut out, second * 2 + 1, "store", second, if reporting(second) { 400 } else { 20 }, false);
        span(&mut out, second * 2 + 2, "post", second, 10, fails && second + 300 >= now);
        let received = i64::try_from((START + second + 1) * NANOS).unwrap();
        state.ingest("spans", out.as_bytes(), received, None, None);
    }
    summarize(&mut state, &Request { window: 300, ..Request::default() }).unwrap()
}

fn accused(summary: &Summary) -> Vec<&str> {
    summary.verdicts.iter().map(|verdict| &*verdict.service).collect()
}

#[test]
fn verdict__slow_as_yesterday_at_this_hour__none() {
    let told = summary(0, false);
    assert!(told.verdicts.is_empty(), "{}", told.text);
    // It stands there all the same, as what it is.
    assert!(told.text.contains("store get"), "{}", told.text);
}

#[test]
fn verdict__nothing_is_known_of_yesterday__slow() {
    let told = summary(DAY, false);
    assert_eq!(accused(&told), ["store"], "{}", told.text);
}

#[test]
fn verdict__failing_at_this_hour_for_once__who_fails() {
    let told = summary(0, true);
    assert_eq!(accused(&told), ["post"], "{}", told.text);
}
