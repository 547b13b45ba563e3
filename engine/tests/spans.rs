//! Formats of spans and calls, from their bytes to the state: joins by their ids, what is remembered across restarts, and
//! what the ledger says.
#![allow(non_snake_case, clippy::unwrap_used)]

use tracegist_engine::engine::Engine;
use tracegist_engine::event::Kind;
use tracegist_engine::format::{Format, boundary, detect};
use tracegist_engine::snapshot;
use tracegist_engine::state::{Limits, State};

const RECEIVED: i64 = 1_795_563_721_000_000_000;

fn read(data: &str) -> State {
    let mut state = State::new(Limits::default());
    state.ingest("s", data.as_bytes(), RECEIVED, None, None);
    state.settle();
    state
}

/// Whom each operation of a service calls, within or outside it.
fn links(state: &State, kind: Kind) -> Vec<(String, String, String, u64)> {
    let mut found: Vec<_> = state
        .table
        .iter()
        .filter(|(_, key, record)| key.kind == kind && record.count > 0)
        .map(|(_, key, record)| (key.service.to_owned(), key.within.to_owned(), key.operation.to_owned(), record.count))
        .collect();
    found.sort();
    found
}

fn link(service: &str, within: &str, operation: &str) -> (String, String, String, u64) {
    (service.to_owned(), within.to_owned(), operation.to_owned(), 1)
}

#[test]
fn zipkin__sides_of_a_call_share_an_id__callee_keeps_its_children() {
    let span = |service: &str, id: &str, parent: &str, kind: &str, name: &str, from: u64, took: u64, more: &str| {
        format!(
            r#"{{"traceId":"a","id":"{id}","parentId":"{parent}","kind":"{kind}","name":"{name}","timestamp":{},"duration":{took},"localEndpoint":{{"serviceName":"{service}"}}{more}}}"#,
            1_795_563_000_000_000 + from
        )
    };
    let spans = [
        span("front", "1", "", "SERVER", "get /", 0, 1000, ""),
        span("front", "2", "1", "CLIENT", "get cart", 100, 800, ""),
        // By its own clock, the callee begins before it is called.
        span("cart", "2", "1", "SERVER", "get cart", 50, 700, ",\"shared\":true"),
        span("cart", "3", "2", "", "load", 200, 100, ""),
        span("cart", "4", "2", "CLIENT", "select", 400, 200, ""),
    ];
    let document = |order: &[usize]| format!("[{}]", order.iter().map(|&i| &*spans[i]).collect::<Vec<_>>().join(","));
    for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]] {
        let state = read(&document(&order));
        assert_eq!(links(&state, Kind::Edge), [link("", "", "front"), link("front", "get cart", "cart")]);
        assert_eq!(
            links(&state, Kind::Step),
            [link("cart", "get cart", "load"), link("cart", "get cart", "select"), link("front", "get /", "get cart")]
        );
    }
}

#[test]
fn jaeger__document__services_and_edges() {
    let span = |id: &str, parent: &str, process: &str, name: &str| {
        let references = if parent.is_empty() {
            String::new()
        } else {
            format!(r#"{{"refType":"CHILD_OF","traceID":"a","spanID":"{parent}"}}"#)
        };
        format!(
            r#"{{"traceID":"a","spanID":"{id}","operationName":"{name}","references":[{references}],"startTime":1795563000000000,"duration":50,"processID":"{process}","tags":[]}}"#
        )
    };
    let document = format!(
        r#"{{"data":[{{"traceID":"a","spans":[{},{}],"processes":{{"p1":{{"serviceName":"front"}},"p2":{{"serviceName":"cart"}}}}}}]}}"#,
        span("1", "", "p1", "get"),
        span("2", "1", "p2", "load")
    );
    let state = read(&document);
    assert_eq!(links(&state, Kind::Edge), [link("", "", "front"), link("front", "get", "cart")]);
}

#[test]
fn chrome__any_batches_and_restarts__same_bytes() {
    let mut document = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n".to_owned();
    document += "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"app\"}}";
    for at in 0..40 {
        let (ts, tid) = (at * 10, at % 3);
        document += &format!(",\n{{\"ph\":\"B\",\"pid\":1,\"tid\":{tid},\"ts\":{ts},\"name\":\"f{}\"}}", at % 4);
        document += &format!(",{{\"ph\":\"X\",\"pid\":1,\"tid\":{tid},\"ts\":{},\"dur\":2,\"name\":\"x\"}}", ts + 1);
        document += &format!(",\n{{\"ph\":\"E\",\"pid\":1,\"tid\":{tid},\"ts\":{}}}", ts + 9 + at % 7);
    }
    document += "],\"metadata\":{\"a\":1}}\n";
    let format = detect(document.as_bytes(), true);
    assert_eq!(format, Some(Format::Chrome));
    let mut whole = State::new(Limits::default());
    whole.ingest("s", document.as_bytes(), RECEIVED, format, None);
    assert_eq!(whole.ledger.events, 80);
    let whole = snapshot::encode(&mut whole);
    for size in [60, 97, 500] {
        let mut state = State::new(Limits::default());
        let mut rest = document.as_bytes();
        let mut wanted = size;
        while !rest.is_empty() {
            let block = &rest[..wanted.min(rest.len())];
            let length = if block.len() == rest.len() { block.len() } else { boundary(format, block) };
            if length == 0 {
                wanted *= 2;
                continue;
            }
            wanted = size;
            state.ingest("s", &block[..length], RECEIVED, format, None);
            rest = &rest[length..];
            let bytes = snapshot::encode(&mut state);
            state = snapshot::decode(&bytes, state.limits).unwrap();
        }
        assert_eq!(snapshot::encode(&mut state), whole);
    }
}

#[test]
fn calls__halves_without_the_other__told_in_the_ledger() {
    let line = |way: &str, name: &str, at: u64| {
        format!("{{\"timestamp\":{at},\"thread_id\":1,\"event_type\":\"{way}\",\"data\":\"{name}\"}}\n")
    };
    let text = line("leave", "early", 1)
        + &line("enter", "main", 2)
        + &line("enter", "lost", 3)
        + &line("enter", "inner", 4)
        + &line("leave", "inner", 5)
        + &line("leave", "main", 9)
        + &line("enter", "main", 10)
        + &line("leave", "main", 12);
    let state = read(&text);
    assert_eq!((state.ledger.events, state.ledger.unpaired, state.ledger.rejected), (3, 1, 0));
    let state = read(&(text + &line("enter", "outer", 20) + &line("leave", "outer", 21) + &line("leave", "main", 22)));
    assert_eq!((state.ledger.events, state.ledger.unpaired), (4, 2));
}

#[test]
fn otlp_proto__evidence__is_text() {
    let field = |number: u8, bytes: &[u8]| [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let time = |number: u8, ns: i64| [&[number << 3 | 1][..], &ns.to_le_bytes()].concat();
    let span =
        [field(1, &[1; 16]), field(2, &[2; 8]), field(5, b"GET /"), time(7, RECEIVED), time(8, RECEIVED + 5)].concat();
    let request = field(1, &field(2, &field(2, &span)));
    let engine = Engine::new("web-3".to_owned(), Limits::default());
    assert_eq!(engine.ingest("s", &request, RECEIVED, None, None).events, 1);
    let evidence = engine.evidence(1).unwrap();
    let said: serde_json::Value = serde_json::from_str(&evidence.events[0].raw).unwrap();
    assert_eq!(
        (&said["operation"], &said["span"], &said["duration"]),
        (&"GET /".into(), &"0202020202020202".into(), &5.into())
    );
}
