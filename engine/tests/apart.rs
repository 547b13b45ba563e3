//! Attributes that set the bad events apart from the rest are told, and no others.
#![allow(non_snake_case, clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::fmt::Write;

use tracegist_engine::state::{Limits, State};
use tracegist_engine::summary::{Request, Summary, summarize};

const NANOS: u64 = 1_000_000_000;
const START: u64 = 1_700_000_000 * NANOS;
const RECEIVED: i64 = 1_700_001_000_000_000_000;

/// What becomes of a call.
#[derive(Clone, Copy, Default)]
struct Fate {
    times: u64,
    failed: bool,
}

/// A call as attributes tell it: tenant, region and version.
struct Call {
    tenant: &'static str,
    region: &'static str,
    version: &'static str,
}

const TENANTS: [&str; 8] = ["acme", "blue", "cyan", "dune", "echo", "fox", "gulf", "hill"];

/// Ten minutes of twenty calls a second of two operations, the last two minutes as told.
fn summary(fate: impl Fn(&Call) -> Fate) -> Summary {
    let mut text = String::new();
    for number in 0..12_000_u64 {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let call = Call {
            tenant: TENANTS[mixed as usize % 8],
            region: ["north", "south"][mixed as usize / 8 % 2],
            version: ["2.4.0", "2.4.1", "2.4.0"][mixed as usize / 16 % 3],
        };
        let Fate { times, failed } =
            if number >= 9_600 { fate(&call) } else { Fate { times: 1, failed: number % 500 == 7 } };
        let at = START + number * NANOS / 20;
        let took = (4_000_000 + number * 7_919 % 2_000_000) * times.max(1);
        let status = if failed { r#"{"code":2,"message":"no"}"# } else { "{}" };
        let route = ["/cart", "/pay"][number as usize % 2];
        writeln!(
            text,
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"shop"}}}},{{"key":"service.version","value":{{"stringValue":"{}"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{:032x}","spanId":"{:016x}","name":"POST {route}","kind":2,"startTimeUnixNano":"{}","endTimeUnixNano":"{at}","attributes":[{{"key":"http.route","value":{{"stringValue":"{route}"}}}},{{"key":"tenant","value":{{"stringValue":"{}"}}}},{{"key":"region","value":{{"stringValue":"{}"}}}},{{"key":"http.response.status_code","value":{{"intValue":"{}"}}}}],"status":{status}}}]}}]}}]}}"#,
            call.version,
            number + 1,
            number * 7_919 + 1,
            at - took,
            call.tenant,
            call.region,
            if failed { 500 } else { 200 },
        )
        .unwrap();
    }
    let mut state = State::new(Limits::default());
    state.ingest("spans", text.as_bytes(), RECEIVED, None, None);
    let request = Request { window: 120, ..Request::default() };
    summarize(&mut state, &request).unwrap()
}

#[test]
fn verdict__one_tenant_fails__named_with_its_shares() {
    let summary = summary(|call| Fate { failed: call.tenant == "acme", ..Fate::default() });
    let attribute = summary.verdicts[0].attribute.as_ref().unwrap_or_else(|| panic!("{}", summary.text));
    assert_eq!((&*attribute.key, &*attribute.value, attribute.bad), ("tenant", "acme", "failing"), "{}", summary.text);
    assert!(attribute.of_bad > 0.99 && (0.06..0.25).contains(&attribute.of_all), "{attribute:?}");
    assert!(summary.text.contains("; mostly tenant=acme (~100% of failing calls, ~1"), "{}", summary.text);
}

#[test]
fn verdict__a_version_is_slow__named_with_its_shares() {
    let summary = summary(|call| Fate { times: if call.version == "2.4.1" { 9 } else { 1 }, failed: false });
    let attribute = summary.verdicts[0].attribute.as_ref().unwrap_or_else(|| panic!("{}", summary.text));
    assert_eq!((&*attribute.key, &*attribute.value, attribute.bad), ("service.version", "2.4.1", "slow"));
    assert!(attribute.of_bad > 0.95 && (0.2..0.5).contains(&attribute.of_all), "{attribute:?}");
}

#[test]
fn verdict__all_fail_or_are_slow_alike__no_attribute_is_named() {
    for fate in [Fate { times: 8, failed: false }, Fate { times: 1, failed: true }, Fate::default()] {
        let summary = summary(|_| fate);
        assert!(summary.verdicts.iter().all(|verdict| verdict.attribute.is_none()), "{}", summary.text);
        assert!(!summary.text.contains("## attributes"), "{}", summary.text);
    }
}

#[test]
fn fact__one_operation_fails__its_route_sets_nothing_apart() {
    let mut number = 0_u64;
    let failing = std::cell::RefCell::new(&mut number);
    let summary = summary(|_| {
        **failing.borrow_mut() += 1;
        Fate { times: 1, failed: **failing.borrow() % 8 == 2 }
    });
    assert!(!summary.text.contains("http.route"), "{}", summary.text);
}

#[test]
fn fact__failing_lines__what_they_have_in_common() {
    let line = |i: u64| {
        let (level, zone, said) = if i.is_multiple_of(10) {
            ("error", "eu-west", "cannot reach stock")
        } else {
            ("info", ["eu-west", "us-east", "us-west", "ap"][i as usize % 4], "order paid")
        };
        format!(
            "{{\"time\":{},\"level\":\"{level}\",\"service\":\"shop\",\"msg\":\"{said}\",\"zone\":\"{zone}\",\"n\":{i}}}\n",
            1_700_000_000 + i / 4
        )
    };
    let mut state = State::new(Limits::default());
    let text: String = (0..1_600).map(line).collect();
    state.ingest("logs", text.as_bytes(), RECEIVED, None, None);
    let request = Request { window: 120, ..Request::default() };
    let summary = summarize(&mut state, &request).unwrap();
    let fact =
        summary.facts.iter().find(|fact| fact.section == "attributes").unwrap_or_else(|| panic!("{}", summary.text));
    assert_eq!((&*fact.service, &*fact.operation), ("shop", "zone=eu-west"), "{}", summary.text);
    assert!(fact.after > 0.99 && (0.2..0.45).contains(&fact.before.unwrap()), "{}", summary.text);
}
