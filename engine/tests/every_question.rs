//! Every kind of question with every term, dimension and measure: rows that are right, or words that say why there are none.
#![allow(non_snake_case, clippy::unwrap_used)]

use std::fmt::Write;

use serde_json::{Value, json};
use tracegist_engine::engine::Engine;
use tracegist_engine::query::{Error, Request};
use tracegist_engine::state::Limits;

const START: i64 = 1_700_000_100_000_000_000;

/// An event as it is made up.
#[derive(Clone, Copy)]
struct Made {
    service: &'static str,
    operation: &'static str,
    kind: &'static str,
    level: &'static str,
    failed: bool,
    ms: i64,
    tenant: &'static str,
    source: &'static str,
}

/// Pages that ask a cart, which fails for one tenant, and what they log.
fn events() -> (Vec<Made>, Engine) {
    let (mut made, mut spans, mut logs) = (Vec::new(), String::new(), String::new());
    for n in 0..12i64 {
        let tenant = ["acme", "beta", ""][usize::try_from(n % 3).unwrap()];
        let failed = tenant == "acme" && n % 2 == 0;
        let begin = START + n * 5_000_000_000;
        let places = [
            ("web", "GET /", "server", 0, 0, 100),
            ("web", "ask cart", "client", 1, 10, 60),
            ("cart", "get", "server", 2, 15, 40),
            ("cart", "read db", "internal", 3, 20, 10 + n),
        ];
        for (service, operation, kind, parent, from, ms) in places {
            let failed = failed && operation != "read db";
            let status = if failed { r#"{"code":2,"message":"gone"}"# } else { "{}" };
            let attributes = if tenant.is_empty() {
                String::new()
            } else {
                format!(r#"{{"key":"tenant","value":{{"stringValue":"{tenant}"}}}}"#)
            };
            let [from, to] = [from, from + ms].map(|ms| begin + ms * 1_000_000);
            let number = ["internal", "server", "client"].iter().position(|name| *name == kind).unwrap() + 1;
            writeln!(
                spans,
                r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{:032x}","spanId":"{:016x}","parentSpanId":"{}","name":"{operation}","kind":{number},"startTimeUnixNano":"{from}","endTimeUnixNano":"{to}","attributes":[{attributes}],"status":{status}}}]}}]}}]}}"#,
                n + 1,
                n * 8 + parent + 1,
                if parent == 0 { String::new() } else { format!("{:016x}", n * 8 + parent) },
            )
            .unwrap();
            made.push(Made { service, operation, kind, level: "", failed, ms, tenant, source: "spans" });
        }
        let level = ["info", "warn", "error"][usize::try_from(n % 3).unwrap()];
        writeln!(logs, r#"{{"time":{begin},"level":"{level}","service":"cart","msg":"looked up"}}"#).unwrap();
        made.push(Made {
            service: "cart",
            operation: "looked up",
            kind: "log",
            level,
            failed: level == "error",
            ms: -1,
            tenant: "",
            source: "logs",
        });
    }
    let engine = Engine::new(String::new(), Limits::default());
    engine.ingest("spans", spans.as_bytes(), START, None, None);
    engine.ingest("logs", logs.as_bytes(), START, None, None);
    (made, engine)
}

type Meant = fn(&Made) -> bool;

/// Terms, and the events that they mean; none where rows decide and not events.
const TERMS: [(&str, Option<Meant>); 41] = [
    ("", Some(|_| true)),
    ("service=cart", Some(|made| made.service == "cart")),
    ("service=c*", Some(|made| made.service == "cart")),
    ("-service=cart", Some(|made| made.service != "cart")),
    ("service=cartt", Some(|_| false)),
    ("operation=get", Some(|made| made.operation == "get")),
    ("operation~CART", Some(|made| made.operation == "ask cart")),
    ("kind=client", Some(|made| made.kind == "client")),
    ("kind=span", Some(|made| made.kind != "log")),
    ("kind=log", Some(|made| made.kind == "log")),
    ("-kind=log", Some(|made| made.kind != "log")),
    ("kind=edge", None),
    ("kind=failure", None),
    ("kind=step", None),
    ("kind=instance", None),
    ("status=error", Some(|made| made.failed)),
    ("status=ok", Some(|made| !made.failed)),
    ("level=warn", Some(|made| made.level == "warn")),
    ("level>=warn", Some(|made| matches!(made.level, "warn" | "error"))),
    ("level=fatal", Some(|_| false)),
    ("source=logs", Some(|made| made.source == "logs")),
    ("source=lgos", Some(|_| false)),
    ("format=otlp", Some(|made| made.source == "spans")),
    ("-format=otlp", Some(|made| made.source != "spans")),
    ("template~looked", Some(|made| made.kind == "log")),
    ("peer=cart", Some(|_| false)),
    ("caller=web", Some(|_| false)),
    ("step=*db*", Some(|_| false)),
    ("\"cart\"", Some(|made| made.service == "cart" || made.operation == "ask cart")),
    ("#1", None),
    ("#999", Some(|_| false)),
    ("duration>35ms", Some(|made| made.ms > 35)),
    ("duration>10h", Some(|_| false)),
    ("count>1", None),
    ("count>1000000", None),
    ("error_share>=0", None),
    ("attribute.tenant=acme", Some(|made| made.tenant == "acme")),
    ("attribute.tenant!=acme", Some(|made| made.tenant != "acme")),
    ("attribute.tenant=acne", Some(|_| false)),
    ("trace=1", None),
    ("section=slow", None),
];

const GROUPS: [Option<&str>; 16] = [
    None,
    Some("service"),
    Some("operation,kind"),
    Some("template"),
    Some("peer"),
    Some("step"),
    Some("level"),
    Some("source"),
    Some("format"),
    Some("status"),
    Some("time:10s"),
    Some("service,time:1m,status"),
    Some("attribute.tenant"),
    Some("attribute:tenant,service,status"),
    Some("level,peer,step"),
    Some("attribute.tennant"),
];

const SELECTS: [Option<&str>; 8] = [
    None,
    Some("count"),
    Some("count,errors"),
    Some("rate,error_share"),
    Some("p95,max,mean"),
    Some("self_p95,self_mean"),
    Some("origins"),
    Some("series,distinct:level,distinct:source,first"),
];

const WHATS: [&str; 13] = [
    "series",
    "edges",
    "templates",
    "diff",
    "timeline",
    "facts",
    "evidence",
    "traces",
    "trace",
    "path",
    "values",
    "attributes",
    "sources",
];

fn ask(engine: &Engine, question: &Value) -> Result<Value, Error> {
    let request = Request::from_json(question.to_string().as_bytes())?;
    engine.query(&request).map(|answer| serde_json::to_value(answer).unwrap())
}

/// What the rows have in a column together, if there is one.
fn sum(answer: &Value, name: &str) -> Option<u64> {
    let at = answer["columns"].as_array().unwrap().iter().position(|column| column["name"] == name)?;
    Some(answer["rows"].as_array().unwrap().iter().map(|row| row[at].as_u64().unwrap_or(0)).sum())
}

/// An answer has rows that say something under each column that was asked for, or says what is missing.
fn check(question: &Value, answer: &Value) {
    let notes = answer["exactness"]["notes"].as_array().unwrap();
    let notes: String = notes.iter().map(|note| note.as_str().unwrap().to_owned() + "\n").collect();
    let rows = answer["rows"].as_array().unwrap();
    assert_eq!(rows.len() as u64, answer["total_rows"].as_u64().unwrap(), "{question}");
    if rows.is_empty() {
        assert!(!notes.trim().is_empty(), "in silence: {question}\n{answer}");
        return;
    }
    let asked = |field: &str| question[field].as_str().unwrap_or_default().to_owned();
    let (by, select) = (asked("group_by"), asked("select"));
    for (at, column) in answer["columns"].as_array().unwrap().iter().enumerate() {
        let name = column["name"].as_str().unwrap();
        let is = |text: &str| text.split(',').any(|word| word.replace(':', ".").starts_with(name));
        if (is(&by) || is(&select)) && rows.iter().all(|row| row[at].is_null()) {
            assert!(notes.contains(name) || notes.contains("too few"), "nothing under {name}: {question}\n{answer}");
        }
    }
}

#[test]
fn every_question__measured__the_events_that_are_meant_or_why_not() {
    let (made, engine) = events();
    let (mut answered, mut refused) = (0, 0);
    for what in &WHATS[..5] {
        for (term, meant) in TERMS {
            for by in GROUPS {
                for select in SELECTS {
                    let question = json!({
                        "what": what, "where": term, "group_by": by, "select": select, "since": "all", "budget": 1_000_000,
                        "compare": if *what == "diff" { Some("2023-11-14T22:15:00Z..2023-11-14T22:15:20Z") } else { None },
                    });
                    let answer = match ask(&engine, &question) {
                        Ok(answer) => answer,
                        Err(error) => {
                            let text = error.to_string();
                            assert!(text.len() > 40 && matches!(error, Error::Word(_)), "{question}: {text}");
                            refused += 1;
                            continue;
                        }
                    };
                    answered += 1;
                    check(&question, &answer);
                    let (true, Some(meant)) = (matches!(*what, "series" | "timeline"), meant) else { continue };
                    let meant = || made.iter().filter(|made| meant(made));
                    for (name, all) in
                        [("count", meant().count()), ("errors", meant().filter(|made| made.failed).count())]
                    {
                        let Some(found) = sum(&answer, name) else { continue };
                        assert_eq!(found, all as u64, "{name} of {question}\n{answer}");
                        let at = answer["columns"].as_array().unwrap().iter().position(|column| column["name"] == name);
                        let total = answer["totals"][at.unwrap()].as_u64().unwrap_or(0);
                        assert!(total == found || found == 0, "{name} of {question}\n{answer}");
                    }
                }
            }
        }
    }
    assert!(answered > 3_000 && refused > 1_000, "{answered} answered, {refused} refused");
}

#[test]
fn every_question__of_other_kinds__rows_or_why_not() {
    let (_, engine) = events();
    let alone = [
        json!({}),
        json!({"group_by": "service"}),
        json!({"select": "count"}),
        json!({"compare": "baseline"}),
        json!({"since": "1m"}),
        json!({"until": "now"}),
        json!({"order_by": "nothing"}),
        json!({"order_by": "service"}),
    ];
    for what in &WHATS[5..] {
        let of = match *what {
            "trace" | "path" => Some("1"),
            "values" => Some("looked up"),
            _ => None,
        };
        for (term, _) in TERMS {
            for more in &alone {
                let mut question = more.clone();
                let fields = json!({"what": what, "where": term, "of": of, "budget": 1_000_000});
                question.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
                match ask(&engine, &question) {
                    Ok(answer) => check(&question, &answer),
                    Err(error) => assert!(error.to_string().len() > 30, "{question}: {error}"),
                }
            }
        }
    }
    for (what, of) in [
        ("trace", "#1"),
        ("trace", "nothing"),
        ("traces", "1"),
        ("diff", "web,cart"),
        ("diff", "web,crat"),
        ("values", "no"),
        ("evidence", "#1"),
        ("attributes", "tenant"),
        ("attributes", "tennant"),
        ("facts", "x"),
        ("sources", "x"),
    ] {
        let question = json!({"what": what, "of": of, "budget": 1_000_000});
        match ask(&engine, &question) {
            Ok(answer) => check(&question, &answer),
            Err(error) => assert!(error.to_string().len() > 30, "{question}: {error}"),
        }
    }
    let empty = Engine::new(String::new(), Limits::default());
    for what in WHATS {
        let question = json!({"what": what});
        match ask(&empty, &question) {
            Ok(answer) => check(&question, &answer),
            Err(error) => assert!(error.to_string().len() > 30, "{question}: {error}"),
        }
    }
}
