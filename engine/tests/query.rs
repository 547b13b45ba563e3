//! What an answer promises: within its budget, nothing lost between its pages, totals of everything.
#![allow(non_snake_case, clippy::unwrap_used, clippy::cast_possible_truncation)]

mod host;

use host::{RECEIVED, START, line, text};
use proptest::prelude::*;
use serde_json::{Value, json};
use tracegist_engine::engine::Engine;
use tracegist_engine::query::{Error, Request};
use tracegist_engine::state::Limits;
use tracegist_engine::tokens::Encoding;

fn ask(engine: &Engine, question: &Value) -> Result<Value, Error> {
    let request = Request::from_json(question.to_string().as_bytes())?;
    engine.query(&request).map(|answer| serde_json::to_value(answer).unwrap())
}

fn of(data: &[u8]) -> Engine {
    let engine = Engine::new(String::new(), Limits::default());
    engine.ingest("s", data, RECEIVED, None, None);
    engine
}

/// Questions of each kind.
fn question() -> impl Strategy<Value = Value> {
    let filters = prop::sample::select(vec![
        "",
        "service=s1",
        "-service=s0,s2",
        "kind=log",
        "\"order\"",
        "op*=x",
        "count>1",
        "level>=warn",
        "-source=s",
    ]);
    let groups = prop::sample::select(vec![
        None,
        Some("service"),
        Some("service,kind"),
        Some("time:1m"),
        Some("service,time:10s"),
        Some("template,service"),
        Some("status"),
        Some("level,time:1m"),
        Some("source,format"),
    ]);
    let selects =
        prop::sample::select(vec![None, Some("count"), Some("count,errors,error_share,rate,first,last,series")]);
    let times = prop::sample::select(vec![None, Some("all"), Some("10m")]);
    let compare = prop::sample::select(vec![None, Some("baseline"), Some("10m")]);
    let plain = (filters, groups, selects, times, compare).prop_map(|(filter, group_by, select, since, compare)| {
        json!({"where": filter, "group_by": group_by, "select": select, "since": since, "compare": compare})
    });
    let others = prop::sample::select(vec![
        json!({"what": "edges", "since": "all"}),
        json!({"what": "templates", "since": "all"}),
        json!({"what": "timeline", "since": "all"}),
        json!({"what": "diff"}),
        json!({"what": "diff", "of": "s0,s1", "since": "all"}),
        json!({"what": "facts"}),
        json!({"what": "sources"}),
        json!({"what": "evidence"}),
        json!({"what": "evidence", "of": "#1"}),
        json!({"what": "traces"}),
        json!({"what": "traces", "where": "status=error", "of": "1"}),
        json!({"what": "trace", "of": "1"}),
        json!({"what": "path", "of": "1"}),
        json!({"what": "path"}),
        json!({"what": "path", "compare": "baseline"}),
        json!({"what": "values", "of": "order <*> accepted"}),
        json!({"what": "attributes"}),
        json!({"what": "attributes", "where": "attribute.tenant=t1", "since": "all"}),
        json!({"group_by": "attribute.tenant", "since": "all"}),
        json!({"group_by": "service,attribute.tenant,time:1m", "select": "count,errors,error_share", "since": "all"}),
        json!({"where": "attribute.tenant!=t1", "group_by": "service,status", "select": "count,p95,max,sum"}),
        json!({"what": "templates", "where": "attribute.tenant=t0,t2", "since": "all"}),
        json!({"what": "evidence", "where": "attribute.tenant=t1"}),
        json!({"what": "traces", "where": "attribute.tenant=t1"}),
        json!({"group_by": "time:7s,status", "select": "count", "since": "all"}),
        json!({"format": "csv", "since": "all"}),
    ]);
    prop_oneof![plain, others]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn query__any_question_and_budget__within_it_and_pages_add_up(
        lines in prop::collection::vec(line(), 1..80),
        question in question(),
        budget in 50usize..400,
        limit in prop::option::of(1usize..9),
        encoding in prop::sample::select(vec!["o200k_base", "cl100k_base"]),
    ) {
        let engine = of(&text(&lines));
        let judge = Encoding::named(encoding).unwrap();
        let mut question = question;
        question["encoding"] = encoding.into();
        question["budget"] = 1_000_000.into();
        let Ok(whole) = ask(&engine, &question) else { return Ok(()) };
        question["budget"] = budget.into();
        question["limit"] = limit.into();
        let mut rows = Vec::new();
        loop {
            let answer = match ask(&engine, &question) {
                Ok(answer) => answer,
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            };
            let text = answer["text"].as_str().unwrap();
            prop_assert_eq!(judge.count(text), usize::try_from(answer["tokens"].as_u64().unwrap()).unwrap());
            prop_assert!(judge.count(text) <= budget, "{}", text);
            prop_assert_eq!(&answer["totals"], &whole["totals"]);
            prop_assert_eq!(answer["position"].as_u64().unwrap() as usize, rows.len());
            let page = answer["rows"].as_array().unwrap();
            prop_assert!(limit.is_none_or(|limit| page.len() <= limit));
            rows.extend(page.iter().cloned());
            let left = answer["left_out"].as_u64().unwrap() as usize;
            prop_assert_eq!(rows.len() + left, answer["total_rows"].as_u64().unwrap() as usize);
            if answer["cursor"].is_null() {
                break;
            }
            prop_assert!(!page.is_empty());
            prop_assert!(text.contains(answer["cursor"].as_str().unwrap()), "{}", text);
            question["cursor"] = answer["cursor"].clone();
        }
        prop_assert_eq!(&rows, whole["rows"].as_array().unwrap());
    }
}

fn said(level: &str, service: &str, second: i64) -> String {
    let time = START + second * 1_000_000_000;
    format!(r#"{{"time":{time},"level":"{level}","service":"{service}","msg":"the queue is full"}}"#) + "\n"
}

#[test]
fn edges__of_a_trace__evidence_is_that_of_the_operation_that_calls() {
    let engine = traced();
    let answer = ask(&engine, &json!({"what": "edges", "since": "all", "order_by": "service,peer"})).unwrap();
    let rows = answer["rows"].as_array().unwrap();
    let at = answer["columns"].as_array().unwrap().len() - 1;
    let edges: Vec<String> = rows
        .iter()
        .filter(|row| row[1].is_string())
        .map(|row| {
            format!(
                "{} {} {} {}",
                row[0],
                row[1],
                row[2],
                engine.evidence(row[at].as_u64().unwrap() as u32).unwrap().operation
            )
        })
        .collect();
    let expected = [r#""pay" "charge" "bank" charge"#, r#""web" "GET /" "cart" GET /"#, r#""web" "GET /" "pay" GET /"#];
    assert_eq!(edges, expected, "{answer}");
}

#[test]
fn diff__of_less_than_the_usual_window__the_newer_half_against_the_older() {
    let data: String = (0..60).map(|n| said("info", if n < 30 { "old" } else { "new" }, n)).collect();
    let engine = of(data.as_bytes());
    let answer = ask(&engine, &json!({"what": "diff"})).unwrap();
    assert_eq!((&answer["window"]["seconds"], &answer["compared"]["seconds"]), (&json!(30), &json!(30)));
    let how: Vec<&str> = answer["rows"].as_array().unwrap().iter().map(|row| row[6].as_str().unwrap_or("")).collect();
    assert_eq!(how, ["new", "gone"], "{answer}");
    let answer = ask(&engine, &json!({"what": "diff", "of": "old,nwe"})).unwrap();
    assert!(answer["text"].as_str().unwrap().contains("no service is called nwe; did you mean new?"), "{answer}");
}

#[test]
fn query__by_level__every_record_once_and_in_time() {
    let levels = ["info", "warn", "warn", "error", "", "fatal"];
    let data: String = (0i64..60).zip(levels.into_iter().cycle()).map(|(n, level)| said(level, "s", n)).collect();
    let engine = of(data.as_bytes());
    let rows = |question: Value| ask(&engine, &question).unwrap()["rows"].clone();
    let by_level = rows(json!({"group_by": "level", "select": "count,errors", "order_by": "level"}));
    let counts: Vec<(&str, u64, u64)> = by_level
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row[0].as_str().unwrap_or(""), row[1].as_u64().unwrap(), row[2].as_u64().unwrap()))
        .collect();
    assert_eq!(counts, [("error", 10, 10), ("fatal", 10, 10), ("info", 10, 0), ("warn", 20, 0), ("", 10, 0)]);
    let listed =
        rows(json!({"where": ["level=warn", "service=s"], "group_by": ["service", "level"], "select": ["count"]}));
    assert_eq!(listed, json!([["s", "warn", 20, 2]]));
    for (filter, expected) in
        [("level>=warn", 40), ("level=warn", 20), ("level!=warn", 40), ("level<warn", 10), ("level=unset", 10)]
    {
        let found = rows(json!({"where": filter, "group_by": "service", "select": "count"}));
        assert_eq!(found[0][1], expected, "{filter}");
        let timed = rows(json!({"where": filter, "group_by": "time:10s", "select": "count"}));
        let sum: u64 = timed.as_array().unwrap().iter().map(|row| row[1].as_u64().unwrap()).sum();
        assert_eq!((sum, timed.as_array().unwrap().len() > 5), (expected, true), "{filter}");
    }
    // One template, whatever the level.
    assert_eq!(rows(json!({"what": "templates"})).as_array().unwrap().len(), 1);
}

#[test]
fn query__by_source__series_of_several_are_told_apart_and_said() {
    let engine = Engine::new(String::new(), Limits::default());
    let feed = |source: &str, stream: &str, data: &str| {
        engine.ingest_of(source, stream, data.as_bytes(), RECEIVED, None, None);
    };
    feed("logs", "a@1", &said("info", "one", 0));
    feed("logs", "a@2", &said("info", "one", 1));
    feed("", "other", &(said("info", "two", 2) + &said("info", "three", 2)));
    feed("logs", "a@2", &said("info", "three", 3));
    feed("", "plain", "Nov 14 22:13:20 host four: up\n");
    let check = |engine: &Engine| {
        let whole = |question: Value| ask(engine, &question).unwrap();
        let answer = whole(
            json!({"group_by": "source,service", "select": "count", "since": "all", "order_by": "source,service"}),
        );
        let rows: Vec<String> = answer["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| format!("{} {} {}", row[0].as_str().unwrap(), row[1].as_str().unwrap(), row[2]))
            .collect();
        assert_eq!(rows, ["(several) three 2", "logs one 2", "other two 1", "plain four 1"]);
        assert!(
            answer["text"].as_str().unwrap().contains("1 series with 33% of all events came from several"),
            "{answer}"
        );
        assert_eq!(answer["exactness"]["exact"], true);
        let logs = whole(json!({"where": "source=logs", "group_by": "service", "select": "count", "since": "all"}));
        assert_eq!((logs["total_rows"].clone(), logs["exactness"]["exact"].clone()), (json!(2), json!(false)));
        let text = whole(json!({"where": "format=text", "group_by": "service", "select": "count", "since": "all"}));
        assert_eq!((&text["rows"][0][0], &text["exactness"]["exact"]), (&json!("four"), &json!(true)));
        let read = whole(json!({"what": "sources"}));
        assert_eq!(
            read["rows"][0].as_array().unwrap()[..5],
            [json!("logs"), json!("json"), json!(2), json!(260), json!(3)]
        );
        let none = whole(json!({"where": "source=lgos", "since": "all"}));
        assert!(none["text"].as_str().unwrap().contains("did you mean logs?"), "{none}");
    };
    check(&engine);
    let again = Engine::new(String::new(), Limits::default());
    again.restore(&engine.snapshot()).unwrap();
    check(&again);
    let merged = Engine::new(String::new(), Limits::default());
    merged.merge(&engine.snapshot()).unwrap();
    check(&merged);
}

/// A trace of a page that asks its cart three times, one of them in vain, and then pays.
fn traced() -> Engine {
    let span = |id: u8, parent: u8, service: &str, name: &str, from: i64, to: i64, failed: bool| {
        let parent = if parent == 0 { String::new() } else { format!("{parent:016x}") };
        let status = if failed { r#"{"code":2,"message":"gone"}"# } else { "{}" };
        let [from, to] = [from, to].map(|ms| START + ms * 1_000_000);
        format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"{id:016x}","parentSpanId":"{parent}","name":"{name}","kind":2,"startTimeUnixNano":"{from}","endTimeUnixNano":"{to}","status":{status}}}]}}]}}]}}"#
        ) + "\n"
    };
    let lines = [
        span(1, 0, "web", "GET /", 0, 100, false),
        span(2, 1, "cart", "get", 10, 20, false),
        span(3, 1, "cart", "get", 20, 30, true),
        span(4, 1, "cart", "get", 25, 40, false),
        span(5, 1, "pay", "charge", 50, 90, false),
        span(6, 5, "bank", "debit", 55, 85, false),
    ];
    of(lines.concat().as_bytes())
}

#[test]
fn trace__spans_in_the_same_place__one_row_with_their_sums() {
    for by in ["5b8efff7", "#1", "5b8efff798038103d269b633813fc60c"] {
        let answer = ask(&traced(), &json!({"what": "trace", "of": by})).unwrap();
        let expected = "\
# trace 5b8efff7 at 2023-11-14T22:13:20Z, 100ms, 6 spans of 4 services by service operation: count start longest self errors
# all are server
web GET /: 1 0ns 100ms 30ms 0 #1
  cart get: 3 10ms 15ms 35ms 1 #2
  pay charge: 1 50ms 40ms 10ms 0 #4
    bank debit: 1 55ms 30ms 30ms 0 #5
# all 4 rows: 6 - 100ms 110ms 1
";
        assert_eq!(answer["text"], expected);
    }
}

#[test]
fn path__of_a_trace__what_it_waited_for_adds_up_to_all_of_it() {
    let answer = ask(&traced(), &json!({"what": "path", "of": "#1"})).unwrap();
    let expected = "\
# trace 5b8efff7 at 2023-11-14T22:13:20Z, 100ms, 6 spans of 4 services by service operation: times start time share
# all are server
bank debit: 1 55ms 30ms 30% #5
cart get: 1 10ms 30ms 30% #2
web GET /: 3 0ns 30ms 30% #1
pay charge: 2 50ms 10ms 10% #4
# all 4 rows: - - 100ms 100%
";
    assert_eq!(answer["text"], expected);
}

#[test]
fn path__of_no_trace__what_all_of_them_waited_for() {
    let answer = ask(&traced(), &json!({"what": "path", "since": "all"})).unwrap();
    let expected = "\
# 22:13:20-22:13:21Z, 1s by service operation: path count
# all are server
bank debit: 30ms 1 #5
cart get: 30ms 3 #2
web GET /: 30ms 1 #1
pay charge: 10ms 1 #4
# all 4 rows: 100ms 6
";
    assert_eq!(answer["text"], expected);
    let edges =
        ask(&traced(), &json!({"what": "edges", "select": "path", "where": "caller=web", "since": "all"})).unwrap();
    assert_eq!(edges["totals"][3], 70_000_000, "{edges}");
}

#[test]
fn traces__like_one__those_that_do_the_same() {
    let answer =
        ask(&traced(), &json!({"what": "traces", "where": "status=error service=cart duration>50ms"})).unwrap();
    assert_eq!(answer["rows"][0][0], "5b8efff798038103d269b633813fc60c");
    assert_eq!(answer["total_rows"], 1);
    assert_eq!(ask(&traced(), &json!({"what": "traces", "of": "#1"})).unwrap()["total_rows"], 0);
    let gone = ask(&traced(), &json!({"what": "trace", "of": "abcdef01"})).unwrap_err();
    assert!(matches!(gone, Error::Missing(_)), "{gone}");
}

#[test]
fn query__state_moves_on_between_pages__pages_are_of_one_moment_or_say_so() {
    let engine = traced();
    let mut question = json!({"limit": 1});
    let first = ask(&engine, &question).unwrap();
    question["cursor"] = first["cursor"].clone();
    let more = text(&[host::Line::Log { service: 1, at: 1, number: 1 }]);
    engine.ingest("s", &more, RECEIVED, None, None);
    let second = ask(&engine, &question).unwrap();
    assert_eq!((second["position"].as_u64(), &second["totals"]), (Some(1), &first["totals"]));
    // Another engine has not kept the answer; with the same events it has the same one.
    assert_eq!(ask(&traced(), &question).unwrap()["rows"], second["rows"]);
    let other = traced();
    other.ingest("s", &more, RECEIVED, None, None);
    let moved = ask(&other, &question).unwrap_err();
    assert!(moved.to_string().contains("moved on"), "{moved}");
    let anew = ask(&engine, &json!({"limit": 1})).unwrap();
    assert_ne!(anew["totals"], first["totals"], "without a cursor the answer is of now");
    question["where"] = "service=web".into();
    let another = ask(&engine, &question).unwrap_err();
    assert!(another.to_string().contains("another question"), "{another}");
}

#[test]
fn values__of_a_template__each_variable_by_how_often() {
    let lines: Vec<host::Line> =
        (0..40).map(|at| host::Line::Log { service: 1, at, number: if at < 30 { 7 } else { 9 } }).collect();
    let engine = of(&text(&lines));
    let answer = ask(&engine, &json!({"what": "values", "of": "order <*> accepted"})).unwrap();
    assert_eq!(answer["rows"][0].as_array().unwrap()[..4], [json!("s1"), json!(null), json!(1), json!("7")]);
    let unknown = ask(&engine, &json!({"what": "values", "of": "order <*>"})).unwrap_err();
    assert!(
        matches!(&unknown, Error::Missing(text) if text.contains("did you mean \"order <*> accepted\"?")),
        "{unknown}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn query__totals__those_of_one_pass_over_the_same_bytes(lines in prop::collection::vec(line(), 1..80)) {
        let data = text(&lines);
        let engine = of(&data);
        let mut expected: std::collections::BTreeMap<String, (u64, u64)> = std::collections::BTreeMap::new();
        for shown in tracegist_engine::show::lines(&data, None, RECEIVED, None).split(|&byte| byte == b'\n') {
            let Ok(event) = serde_json::from_slice::<Value>(shown) else { continue };
            if event.get("rejected").is_some() {
                continue;
            }
            let entry = expected.entry(event["service"].as_str().unwrap_or_default().to_owned()).or_default();
            entry.0 += 1;
            entry.1 += u64::from(event["failed"].as_bool().unwrap_or_default());
        }
        let question = json!({"group_by": "service", "select": "count,errors", "since": "all", "budget": 100_000});
        let answer = ask(&engine, &question).unwrap();
        let found: std::collections::BTreeMap<String, (u64, u64)> = answer["rows"].as_array().unwrap().iter().map(|row| {
            let name = row[0].as_str().unwrap_or_default().to_owned();
            (name, (row[1].as_u64().unwrap(), row[2].as_u64().unwrap()))
        }).collect();
        prop_assert_eq!(&found, &expected);
        for by in ["time:10s", "time:1m,service", "status", "kind,time:1s", "template,status"] {
            let question = json!({"group_by": by, "select": "count,errors", "since": "all", "budget": 1_000_000});
            let parts = ask(&engine, &question).unwrap();
            let columns = parts["columns"].as_array().unwrap().len();
            for column in [columns - 3, columns - 2] {
                let sum: u64 = parts["rows"].as_array().unwrap().iter().map(|row| row[column].as_u64().unwrap()).sum();
                prop_assert_eq!(Some(sum), parts["totals"][column].as_u64(), "{}", by);
                prop_assert_eq!(Some(sum), answer["totals"][column + 3 - columns + 1].as_u64(), "{}", by);
            }
        }
        prop_assert_eq!(answer["totals"][1].as_u64(), Some(expected.values().map(|entry| entry.0).sum()).filter(|_| !expected.is_empty()).or(Some(0)));
    }

    #[test]
    fn evidence__every_number_in_a_summary__resolves(lines in prop::collection::vec(line(), 1..80)) {
        let engine = of(&text(&lines));
        let request = tracegist_engine::summary::Request { budget: 5_000, ..tracegist_engine::summary::Request::default() };
        let summary = engine.summary(request).unwrap();
        let told = summary.facts.iter().filter_map(|fact| fact.evidence);
        for number in told.chain(summary.verdicts.iter().flat_map(|verdict| verdict.evidence.clone())) {
            let events = engine.evidence(number);
            prop_assert!(events.is_some(), "#{} is not there", number);
            let answer = ask(&engine, &json!({"what": "evidence", "of": format!("#{number}"), "budget": 10_000})).unwrap();
            prop_assert_eq!(answer["total_rows"].as_u64().unwrap() as usize, events.unwrap().events.len());
        }
        let answer = ask(&engine, &json!({"what": "evidence", "of": "#999999"}));
        prop_assert!(matches!(answer, Err(Error::Missing(_))));
    }
}

/// Words that questions are made of, and others.
fn words() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "service=s1",
        "attribute.tenant=t1",
        "attribute:",
        "attribute.",
        "attribute.\"",
        "attribute.a>1",
        "trace=1",
        "status=error",
        "duration>1ms",
        "count>=1",
        "p95<2s",
        "time:1m",
        "time:0s",
        "time:99999999999d",
        "count",
        "p95",
        "self_p99",
        "all",
        "now",
        "baseline",
        "5m",
        "00:00",
        "99999999999999999999d",
        "2023-11-14T22:13:20Z",
        "-1s",
        "1..2",
        "all..now",
        "#1",
        "#0",
        "1",
        "s0,s1",
        "-count",
        "+time",
        "order <*> accepted",
        "1-000000-000000",
        "18446744073709551615-1-1",
        "\"",
        "*",
        "-",
        ",",
    ]);
    let word = prop_oneof![3 => known.prop_map(str::to_owned), 1 => ".{0,12}"];
    prop::collection::vec(word, 0..3).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn query__whatever_is_asked__an_answer_within_its_budget_or_what_is_wrong(
        what in prop::sample::select(vec!["series", "edges", "templates", "diff", "timeline", "facts", "evidence", "traces", "trace", "path", "values", "attributes"]),
        fields in prop::collection::btree_map(
            prop::sample::select(vec!["where", "of", "since", "until", "group_by", "select", "order_by", "compare", "cursor"]), words(), 0..4),
        budget in prop_oneof![Just(1u64), 30..500u64, Just(u64::MAX)],
        limit in prop_oneof![Just(None), Just(Some(1u64)), Just(Some(u64::MAX))],
        empty in any::<bool>(),
    ) {
        let mut question = serde_json::to_value(fields).unwrap();
        question["what"] = what.into();
        question["budget"] = budget.into();
        question["limit"] = limit.into();
        let engine = if empty { Engine::new(String::new(), Limits::default()) } else { traced() };
        match ask(&engine, &question) {
            Ok(answer) => prop_assert!(answer["tokens"].as_u64().unwrap() <= budget),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn attributes__of_a_service__their_shares_among_all_and_the_failed() {
    let line = |i: u32| {
        let (tenant, level) =
            if i.is_multiple_of(4) { ("acme", "error") } else { (["b", "c"][i as usize % 2], "info") };
        let second = 1_700_000_000 + i;
        format!(
            "{{\"time\":{second},\"level\":\"{level}\",\"service\":\"shop\",\"msg\":\"order seen\",\"tenant\":\"{tenant}\"}}\n"
        )
    };
    let engine = of((0..48).map(line).collect::<String>().as_bytes());
    let answer = ask(&engine, &json!({"what": "attributes", "of": "tenant", "order_by": "value"})).unwrap();
    let rows = answer["rows"].as_array().unwrap();
    let acme = rows.iter().find(|row| row[2] == "acme").unwrap();
    assert_eq!((&acme[0], &acme[1]), (&json!("shop"), &json!("tenant")), "{answer}");
    assert_eq!((acme[3].as_u64(), acme[4].as_f64(), acme[5].as_f64()), (Some(12), Some(0.25), Some(1.0)), "{answer}");
    let failed = ask(&engine, &json!({"what": "attributes", "where": "status=error"})).unwrap();
    assert_eq!(failed["rows"].as_array().unwrap().len(), 1, "{failed}");
    ask(&engine, &json!({"what": "attributes", "where": "duration>1s"})).unwrap_err();
}
