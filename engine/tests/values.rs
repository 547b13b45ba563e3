//! What the variables of a service's templates held, in a whole engine.
#![allow(non_snake_case, clippy::unwrap_used)]

use tracegist_engine::engine::Engine;
use tracegist_engine::state::Limits;

const START: i64 = 1_700_000_000;

/// Log lines a second apart: first those of alice for half an hour, then those of bob.
fn lines() -> String {
    (0..2_400)
        .map(|i| {
            let user = if i < 1_800 { "alice" } else { "bob" };
            let (time, took) = (START + i, i % 100);
            format!("{{\"time\":{time},\"service\":\"shop\",\"msg\":\"order {i} of {user} took {took} ms\"}}\n")
        })
        .collect()
}

fn engine(limits: Limits) -> Engine {
    let engine = Engine::new(String::new(), limits);
    engine.ingest("shop.log", lines().as_bytes(), (START + 2_400) * 1_000_000_000, None, None);
    engine
}

#[test]
fn values__of_a_template__ever_and_recently() {
    let engine = engine(Limits::default());
    let held = engine.values("order <*> of bob took <*> ms", Some("shop"), 3);
    assert_eq!(held.len(), 1);
    let held = &held[0];
    assert_eq!((held.service.as_str(), held.kind, held.ever.messages), ("shop", "log", 600));
    assert_eq!((held.ever.sampled, held.ever.slots.len()), (32, 2));
    let orders = held.ever.slots[0].range.unwrap();
    assert!(orders.min >= 1_800.0 && orders.max < 2_400.0, "{orders:?}");
    let recent = held.recent.slots[0].range.unwrap();
    assert!(recent.min >= 1_800.0 && held.recent.messages < 600, "{recent:?}");
    assert!(held.ever.slots[1].range.unwrap().max < 100.0);
    // Alice's orders are long over.
    let alice = &engine.values("order <*> of alice took <*> ms", None, 3)[0];
    assert_eq!((alice.ever.messages, alice.recent.messages), (1_800, 0));
    assert_eq!(engine.values("no such template", None, 3), []);
    assert_eq!(engine.values("order <*> of bob took <*> ms", Some("other"), 3), []);
}

#[test]
fn values__of_operations_named_with_ids__told() {
    let engine = Engine::new(String::new(), Limits::default());
    let span = |i: u32| {
        format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"web"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{i:032x}","spanId":"{i:016x}","name":"GET /users/{i}","kind":2,"startTimeUnixNano":"{START}000000000","endTimeUnixNano":"{START}500000000","status":{{"code":2,"message":"no user {i}"}}}}]}}]}}]}}"#
        ) + "\n"
    };
    let data: String = (1..=20).map(span).collect();
    engine.ingest("spans", data.as_bytes(), (START + 10) * 1_000_000_000, None, None);
    let operation = &engine.values("GET /users/<*>", None, 1)[0];
    assert_eq!((operation.kind, operation.ever.sampled), ("server", 20));
    assert_eq!(
        operation.ever.slots[0].range.map(|range| (range.min, range.median, range.max)),
        Some((1.0, 10.0, 20.0))
    );
    let failure = &engine.values("no user <*>", None, 1)[0];
    assert_eq!(
        (failure.kind, failure.within.as_str(), failure.ever.slots[0].distinct),
        ("failure", "GET /users/<*>", 20)
    );
}

#[test]
fn values__restored_and_merged__the_same() {
    let whole = engine(Limits::default());
    let template = "order <*> of bob took <*> ms";
    let restored = Engine::new(String::new(), Limits::default());
    restored.restore(&whole.snapshot()).unwrap();
    assert_eq!(restored.values(template, None, 9), whole.values(template, None, 9));
    // Two hosts that saw the same: twice as many, in the same shares.
    restored.merge(&whole.snapshot()).unwrap();
    let (once, twice) = (&whole.values(template, None, 9)[0].ever, &restored.values(template, None, 9)[0].ever);
    assert_eq!((twice.messages, &twice.slots), (2 * once.messages, &once.slots));
}

#[test]
fn values__over_the_limit_of_evidence__let_go_and_counted() {
    let engine = engine(Limits { max_evidence: 2_000, ..Limits::default() });
    let stats = engine.stats();
    assert!(stats.sizes.evidence_bytes <= 2_000);
    assert!(stats.ledger.evicted > 0);
}
