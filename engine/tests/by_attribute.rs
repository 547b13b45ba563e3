//! Questions that tell events apart by what they carried: exact where all events are kept, else estimates that say how far
//! they may be off, and in either case rows that add up to the whole.
#![allow(non_snake_case, clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_precision_loss)]
#![allow(clippy::cast_sign_loss, clippy::cast_possible_wrap, clippy::float_cmp)]

use std::fmt::Write;

use serde_json::{Value, json};
use tracegist_engine::engine::Engine;
use tracegist_engine::query::{Error, Request};
use tracegist_engine::state::Limits;

const START: u64 = 1_700_000_100;
const NANOS: u64 = 1_000_000_000;

fn ask(engine: &Engine, question: &Value) -> Result<Value, Error> {
    let request = Request::from_json(question.to_string().as_bytes())?;
    engine.query(&request).map(|answer| serde_json::to_value(answer).unwrap())
}

/// A number that looks like chance, and is the same in every run.
fn chance(seed: u64, of: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % of
}

/// A call as it is made up: its tenant, how long it takes in milliseconds, and whether it fails.
fn call(seed: u64, number: u64) -> (&'static str, u64, bool) {
    let tenant = ["acme", "b", "b", "b", "c", "c", "c", "c", "c", "c"][chance(seed * 7 + number, 10) as usize];
    let took = 1 + chance(seed * 11 + number + 500_000, 100) * if tenant == "acme" { 3 } else { 1 };
    (tenant, took, chance(seed * 13 + number + 900_000, if tenant == "acme" { 4 } else { 50 }) == 0)
}

/// So many calls, within four minutes.
fn calls(seed: u64, number: u64) -> Engine {
    let mut text = String::new();
    for i in 0..number {
        let (tenant, took, failed) = call(seed, i);
        let end = START * NANOS + i * 240 * NANOS / number;
        let status = if failed { r#"{"code":2}"# } else { "{}" };
        writeln!(
            text,
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"shop"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{:032x}","spanId":"{:016x}","name":"op{}","kind":2,"startTimeUnixNano":"{}","endTimeUnixNano":"{end}","attributes":[{{"key":"tenant","value":{{"stringValue":"{tenant}"}}}},{{"key":"http.status_code","value":{{"intValue":"{}"}}}}],"status":{status}}}]}}]}}]}}"#,
            i + 1,
            chance(seed + i * 31 + 17, u64::MAX) | 1,
            i % 2,
            end - took * 1_000_000,
            if failed { 503 } else { 200 },
        )
        .unwrap();
    }
    let engine = Engine::new(String::new(), Limits::default());
    engine.ingest("spans", text.as_bytes(), (START * NANOS) as i64, None, None);
    engine
}

/// Of a row, by the name of its column.
fn value(answer: &Value, row: &Value, name: &str) -> f64 {
    let columns = answer["columns"].as_array().unwrap();
    columns.iter().position(|column| column["name"] == name).and_then(|at| row[at].as_f64()).unwrap_or(0.0)
}

fn rows(answer: &Value) -> &[Value] {
    answer["rows"].as_array().unwrap()
}

#[test]
fn by_attribute__all_events_are_kept__exact() {
    let engine = calls(1, 30);
    let question = json!({"group_by": "attribute.tenant", "select": "count,errors,error_share,p50,max"});
    let answer = ask(&engine, &question).unwrap();
    assert_eq!(answer["exactness"]["exact"], true, "{answer}");
    for row in rows(&answer) {
        let tenant = row[0].as_str().unwrap();
        let mine: Vec<_> = (0..30).map(|i| call(1, i)).filter(|call| call.0 == tenant).collect();
        let failed = mine.iter().filter(|call| call.2).count();
        assert_eq!((row[1].as_u64(), row[2].as_u64()), (Some(mine.len() as u64), Some(failed as u64)), "{answer}");
        let longest = mine.iter().map(|call| call.1 * 1_000_000).max();
        assert_eq!(value(&answer, row, "max") as u64, longest.unwrap(), "{answer}");
    }
    let count = |filter: &str| {
        let answer = ask(&engine, &json!({"where": filter, "group_by": "service", "select": "count"})).unwrap();
        rows(&answer).first().map_or(0, |row| row[1].as_u64().unwrap())
    };
    let real =
        |is: &dyn Fn(&(&str, u64, bool)) -> bool| (0..30).map(|i| call(1, i)).filter(|call| is(call)).count() as u64;
    assert_eq!(count("attribute.tenant=b"), real(&|call| call.0 == "b"));
    assert_eq!(count("attribute:tenant!=b"), real(&|call| call.0 != "b"));
    assert_eq!(count("attribute.tenant=b,c attribute.http.status_code<500"), real(&|call| call.0 != "acme" && !call.2));
    assert_eq!(
        count("attribute.tenant=a* status=ok duration>50ms"),
        real(&|call| call.0 == "acme" && !call.2 && call.1 > 50)
    );
    assert_eq!(count("attribute.tenant=nobody"), 0);
}

#[test]
fn by_attribute__of_a_sample__near_the_truth_as_often_as_is_said_and_whole_together() {
    let (mut held, mut asked) = (0, 0);
    for seed in 0..12 {
        let engine = calls(seed, 4_000);
        let question = json!({"group_by": "attribute.tenant", "select": "count,errors,error_share,p50,p95,mean,sum"});
        let answer = ask(&engine, &question).unwrap();
        assert_eq!(answer["exactness"]["exact"], false);
        let all: Vec<_> = (0..4_000).map(|i| call(seed, i)).collect();
        for (name, whole) in [("count", 4_000), ("errors", all.iter().filter(|call| call.2).count())] {
            let sum: f64 = rows(&answer).iter().map(|row| value(&answer, row, name)).sum();
            assert_eq!((sum as usize, value(&answer, &answer["totals"], name) as usize), (whole, whole), "{answer}");
        }
        for tenant in ["acme", "b", "c"] {
            let mut mine: Vec<_> = all.iter().filter(|call| call.0 == tenant).collect();
            mine.sort_by_key(|call| call.1);
            let count = mine.len() as f64;
            let failed = mine.iter().filter(|call| call.2).count() as f64;
            let time = |q: f64| mine[(q * (count - 1.0)).round() as usize].1 as f64 * 1e6;
            let sum = mine.iter().map(|call| call.1 as f64 * 1e6).sum::<f64>();
            let row = rows(&answer).iter().find(|row| row[0] == tenant).unwrap();
            for (name, truth) in [
                ("count", count),
                ("errors", failed),
                ("error_share", failed / count),
                ("p50", time(0.5)),
                ("p95", time(0.95)),
                ("mean", sum / count),
                ("sum", sum),
            ] {
                let off = (value(&answer, row, name) - truth).abs();
                asked += 1;
                held += u32::from(off <= value(&answer, row, &format!("{name}_within")) + 1e-9);
            }
        }
    }
    assert!(f64::from(held) >= 0.93 * f64::from(asked), "{held} of {asked} within what was said");
    assert!(held < asked || asked < 100, "it says less than it knows");
}

#[test]
fn by_attribute__keys_and_values_that_are_not_there__the_nearest_and_how_often() {
    let engine = calls(3, 2_000);
    let wrong = ask(&engine, &json!({"where": "service=shop attribute.tennant=acme"})).unwrap_err().to_string();
    assert!(wrong.contains("tenant (100%)") && wrong.contains("did you mean attribute.tenant?"), "{wrong}");
    assert!(wrong.contains("\n               ^^^^^^^^^^^^^^^^^"), "{wrong}");
    let wrong = ask(&engine, &json!({"group_by": "service,attribute.tennant"})).unwrap_err().to_string();
    assert!(wrong.starts_with("group_by: ") && wrong.contains("        ^^^^^"), "{wrong}");
    let ordered = ask(&engine, &json!({"group_by": "attribute.tenant", "order_by": "attribute:tenant"})).unwrap();
    assert_eq!(ordered["rows"][0][0], "acme", "{ordered}");
    let none = ask(&engine, &json!({"where": "attribute.tenant=acmee", "budget": 2000})).unwrap();
    let text = none["text"].as_str().unwrap();
    assert!(text.contains("at most") && text.contains("did you mean acme?"), "{text}");
    let exact = ask(&calls(3, 20), &json!({"where": "attribute.tenant=nobody"})).unwrap();
    assert!(exact["text"].as_str().unwrap().contains("exact: none of all 20 events"), "{exact}");
    for (question, says) in [
        (json!({"where": "attribute.tenant=b", "select": "self_p95"}), "not kept: self_p95 by attribute"),
        (json!({"where": "attribute.tenant=b", "compare": "baseline"}), "ask twice"),
        (json!({"what": "edges", "where": "attribute.tenant=b"}), "kind=client"),
        (json!({"what": "timeline", "group_by": "attribute.tenant"}), "what=series"),
        (json!({"where": "attribute.service.name=b"}), "ask for service"),
        (json!({"where": "attribute.=b"}), "no key"),
        (json!({"where": "attribute:tenant"}), "attribute.tenant"),
        (json!({"where": "http.status_code=503"}), "attribute in front"),
        (json!({"where": "attribute.tenant>x"}), "no number"),
        (json!({"group_by": "attribute.tenant,attribute:tenant"}), "twice"),
    ] {
        let wrong = ask(&engine, &question).unwrap_err().to_string();
        assert!(wrong.contains(says), "{question}: {wrong}");
    }
}

#[test]
fn by_attribute__older_than_samples_or_in_time__every_event_in_some_row() {
    let mut text = String::new();
    for i in 0..3_600u64 {
        let tenant = if i % 3 == 0 { "a" } else { "b" };
        let more = if i % 2 == 0 { format!(r#","tenant":"{tenant}""#) } else { String::new() };
        writeln!(text, r#"{{"time":{},"level":"info","service":"s","msg":"seen"{more}}}"#, START + i / 2).unwrap();
    }
    let engine = Engine::new(String::new(), Limits::default());
    engine.ingest("logs", text.as_bytes(), (START * NANOS) as i64, None, None);
    for group_by in
        ["attribute.tenant", "attribute.tenant,time:5m", "time:1m,attribute.tenant,status", "level,attribute:tenant"]
    {
        for since in ["all", "5m", "7m"] {
            let question = json!({"group_by": group_by, "select": "count", "since": since, "budget": 100_000});
            let answer = ask(&engine, &question).unwrap();
            let whole = ask(&engine, &json!({"group_by": "service", "select": "count", "since": since})).unwrap();
            let sum: f64 = rows(&answer).iter().map(|row| value(&answer, row, "count")).sum();
            assert_eq!(sum, value(&whole, &whole["rows"][0], "count"), "{group_by} {since}: {answer}");
            assert_eq!(sum, value(&answer, &answer["totals"], "count"), "{group_by} {since}");
        }
    }
    let answer = ask(&engine, &json!({"group_by": "attribute.tenant", "select": "count", "since": "all"})).unwrap();
    let names: Vec<&str> = rows(&answer).iter().filter_map(|row| row[0].as_str()).collect();
    assert!(names.contains(&"(not kept)") && names.contains(&"(none)") && names.contains(&"b"), "{answer}");
    let answer = ask(&engine, &json!({"where": "attribute.tenant=b", "select": "count", "since": "all"})).unwrap();
    assert!(answer["text"].as_str().unwrap().contains("more events are not counted"), "{answer}");
}

#[test]
fn by_attribute__of_raw_events_and_traces__those_that_carried_it() {
    let engine = calls(1, 400);
    let raw = |filter: &str| {
        let answer = ask(&engine, &json!({"what": "evidence", "where": filter, "budget": 100_000})).unwrap();
        let at = answer["columns"].as_array().unwrap().iter().position(|column| column["name"] == "raw").unwrap();
        rows(&answer).iter().map(|row| row[at].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = raw("");
    for (filter, meant) in [
        ("attribute.tenant=acme", Box::new(|raw: &str| raw.contains("acme")) as Box<dyn Fn(&str) -> bool>),
        ("attribute.tenant!=acme", Box::new(|raw: &str| !raw.contains("acme"))),
        ("attribute.http.status_code>=500", Box::new(|raw: &str| raw.contains("503"))),
        ("status=ok", Box::new(|raw: &str| !raw.contains(r#""code":2"#))),
        ("status=error", Box::new(|raw: &str| raw.contains(r#""code":2"#))),
    ] {
        let expected: Vec<&String> = all.iter().filter(|raw| meant(raw)).collect();
        assert_eq!(raw(filter).iter().collect::<Vec<_>>(), expected, "{filter}");
    }
    assert!(raw("duration>1ms").len() > raw("duration>100ms").len());
    let first: Value = serde_json::from_str(&all[0]).unwrap();
    let id = first["traceId"].as_str().unwrap();
    let (mine, others) = (raw(&format!("trace={id}")), raw(&format!("trace!={id}")));
    assert!(
        mine.contains(&all[0]) && mine.iter().all(|raw| raw.contains(id)) && !others.iter().any(|raw| raw.contains(id))
    );
    assert_eq!(mine.len() + others.len(), all.len());
    let wrong = ask(&engine, &json!({"what": "evidence", "where": "attribute.tennant=acme"})).unwrap_err().to_string();
    assert!(wrong.contains("did you mean attribute.tenant?"), "{wrong}");
    let traces = |filter: &str| ask(&engine, &json!({"what": "traces", "where": filter, "budget": 100_000})).unwrap();
    let acme = traces("attribute.tenant=acme");
    assert_eq!(rows(&acme).len(), all.iter().filter(|raw| raw.contains("acme")).count(), "{acme}");
    assert!(rows(&acme).len() < rows(&traces("")).len());
}
