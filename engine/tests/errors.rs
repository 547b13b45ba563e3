//! Error messages, against the calls of the operations that write them.
#![allow(non_snake_case, clippy::unwrap_used)]

use std::fmt::Write;

use tracegist_engine::state::{Limits, State};
use tracegist_engine::summary::{Request, Summary, summarize};

const NANOS: u64 = 1_000_000_000;
const START: u64 = 1_700_000_000 * NANOS;

fn call(out: &mut String, (trace, operation): (u64, &str), at: u64, error: Option<&str>) {
    writeln!(
        out,
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"fares"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{trace:032x}","spanId":"{trace:016x}","name":"{operation}","kind":2,"startTimeUnixNano":"{at}","endTimeUnixNano":"{}"}}]}}]}}]}}"#,
        at + 4_000_000 + trace * 7_919 % 900_000
    )
    .unwrap();
    if let Some(text) = error {
        writeln!(
            out,
            r#"{{"time":{},"level":"error","service":"fares","trace_id":"{trace:032x}","span_id":"{trace:016x}","msg":"{text}"}}"#,
            at + 1_000_000
        )
        .unwrap();
    }
}

/// Half a minute of a quote and two lists a second, then forty seconds in which every fourth of one of them writes an error.
fn summary(failing: &str) -> Summary {
    let mut out = String::new();
    for second in 0..70u64 {
        for (place, operation) in (0u64..).zip(["POST /quote", "GET /fares", "GET /fares"]) {
            let bad = second >= 30 && operation == failing && place < 2 && second % 4 == 0;
            let at = START + second * NANOS + place * 300_000_000;
            call(&mut out, (second * 3 + place + 1, operation), at, bad.then_some("no price for route"));
        }
    }
    let mut state = State::new(Limits::default());
    state.ingest("both", out.as_bytes(), 1_700_001_000_000_000_000, None, None);
    summarize(&mut state, &Request { window: 40, ..Request::default() }).unwrap()
}

#[test]
fn verdict__as_many_errors_in_a_rare_operation__surer_than_in_a_frequent_one() {
    let [rare, frequent] = ["POST /quote", "GET /fares"].map(|operation| {
        let told = summary(operation);
        assert!(told.text.contains("\"no price for route\" new (10)"), "{}", told.text);
        assert_eq!(told.verdicts.len(), 1, "{}", told.text);
        told.verdicts[0].confidence
    });
    assert!(rare > 0.25 && frequent < 0.1, "{rare} {frequent}");
}
