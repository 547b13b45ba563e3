//! One of several instances that does worse than the others is found; instances are kept apart within their bound.
#![allow(non_snake_case, clippy::unwrap_used)]

use std::fmt::Write;

use tracegist_engine::event::Kind;
use tracegist_engine::state::{Limits, State};
use tracegist_engine::summary::{Request, Summary, summarize};

const NANOS: u64 = 1_000_000_000;
const START: u64 = 1_700_000_000 * NANOS;
const RECEIVED: i64 = 1_700_001_000_000_000_000;

/// A call that an instance answered, as a line of OTLP.
fn call(out: &mut String, number: u64, instance: &str, at: u64, took: u64, failed: bool) {
    let (start, status) = (at - took, if failed { r#"{"code":2}"# } else { "{}" });
    writeln!(
        out,
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"cart"}}}},{{"key":"host.name","value":{{"stringValue":"all-on-one"}}}},{{"key":"service.instance.id","value":{{"stringValue":"{instance}"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{:032x}","spanId":"{:016x}","name":"GET /cart","kind":2,"startTimeUnixNano":"{start}","endTimeUnixNano":"{at}","status":{status}}}]}}]}}]}}"#,
        number + 1,
        number + 1,
    )
    .unwrap();
}

/// Ten minutes of three instances that take turns, ten calls a second, the last two minutes as told.
fn summary(worse: impl Fn(u64) -> (u64, bool)) -> Summary {
    let mut text = String::new();
    for number in 0..6_000 {
        let instance = number % 3;
        let usual = 4_000_000 + number * 7_919 % 2_000_000;
        let (times, failed) = if number >= 4_800 { worse(instance) } else { (1, false) };
        call(&mut text, number, ["a", "b", "c"][instance as usize], START + number * NANOS / 10, usual * times, failed);
    }
    let mut state = State::new(Limits::default());
    state.ingest("spans", text.as_bytes(), RECEIVED, None, None);
    let request = Request { window: 120, ..Request::default() };
    summarize(&mut state, &request).unwrap()
}

#[test]
fn verdict__one_of_three_is_slow_or_fails__is_named() {
    let slow = summary(|instance| (if instance == 1 { 8 } else { 1 }, false));
    assert_eq!(slow.verdicts.first().map(|verdict| &*verdict.service), Some("cart"), "{}", slow.text);
    assert!(slow.text.contains("instance b mean 5ms > 40ms (400 calls)"), "{}", slow.text);
    let failing = summary(|instance| (1, instance == 2));
    assert_eq!(failing.verdicts.first().map(|verdict| &*verdict.service), Some("cart"), "{}", failing.text);
    assert!(failing.text.contains("instance c errors 0% > 100% (400)"), "{}", failing.text);
}

#[test]
fn verdict__all_are_alike__no_instance_is_named() {
    for worse in [(8, false), (1, true), (1, false)] {
        let text = summary(|_| worse).text;
        assert!(!text.contains("instance"), "{text}");
    }
}

#[test]
fn state__more_instances_than_their_part__calls_are_counted_all_the_same() {
    let mut text = String::new();
    (0..2_000).for_each(|number| call(&mut text, number, &format!("pod-{number:x}"), START + number, 100, false));
    let mut state = State::new(Limits { max_series: 160, ..Limits::default() });
    state.ingest("spans", text.as_bytes(), RECEIVED, None, None);
    let of = |kind: Kind| state.table.iter().filter(move |entry| entry.1.kind == kind);
    assert_eq!(of(Kind::Instance).count(), 10);
    assert_eq!(of(Kind::Server).map(|entry| entry.2.count).sum::<u64>(), 2_000);
    assert_eq!(state.table.overflow, 0);
}
