//! OTLP/JSON as writers write it, and as they are allowed to.

use proptest::prelude::*;

use super::super::Format;
use super::{attributes, decoded, one};
use crate::event::{Event, Kind, Level};

fn span(body: &str) -> Event<'static> {
    let record = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{body}}}]}}]}}]}}"#);
    one(Format::Otlp, String::leak(record))
}

fn log(body: &str) -> Event<'static> {
    let record = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{{body}}}]}}]}}]}}"#);
    one(Format::Otlp, String::leak(record))
}

#[test]
fn a_span_is_decoded() {
    let event = span(
        r#""traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"eee19b7ec3c1b173",
        "name":"GET /cart","kind":2,"startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000",
        "attributes":[{"key":"http.route","value":{"stringValue":"/cart"}}],"status":{"code":2,"message":"boom"}"#,
    );
    assert_eq!(event.trace, 0x5b8e_fff7_9803_8103_d269_b633_813f_c60c_u128.to_be_bytes());
    assert_eq!((event.span, event.parent), (0xeee1_9b7e_c3c1_b174, 0xeee1_9b7e_c3c1_b173));
    assert_eq!((event.kind, &*event.operation, &*event.message), (Kind::Server, "GET /cart", "boom"));
    assert_eq!(
        (event.time, event.duration, event.failed),
        (Some(1_544_712_661_000_000_000), Some(1_000_000_000), true)
    );
    assert_eq!(attributes(&event), [("http.route".to_owned(), "\"/cart\"".to_owned())]);
    assert!(event.raw.starts_with(b"{\"traceId\"") && event.raw.ends_with(b"}"));
}

#[test]
fn what_protobufs_json_allows_is_read_alike() {
    let plain = span(
        r#""traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","kind":3,"startTimeUnixNano":"5","endTimeUnixNano":"9","status":{"code":2}"#,
    );
    let ways = [
        // Upper case, numbers, names.
        r#""traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","kind":"SPAN_KIND_CLIENT","startTimeUnixNano":5,"endTimeUnixNano":9,"status":{"code":"STATUS_CODE_ERROR"}"#,
        // Snake case, another order, nulls.
        r#""status":{"message":null,"code":2},"end_time_unix_nano":"9","start_time_unix_nano":"5","kind":3,"span_id":"eee19b7ec3c1b174","attributes":null,"name":null,"trace_id":"5b8efff798038103d269b633813fc60c""#,
        // Base64, padded and not; white space; a key that is not known.
        r#" "traceId" : "W47/95gDgQPSabYzgT/GDA==" , "spanId":"7uGbfsPBsXQ","kind":"3","startTimeUnixNano":5.0,"endTimeUnixNano":9e0,"new":[{}],"status":{"code":"2"}"#,
    ];
    for way in ways {
        let event = span(way);
        assert_eq!(Event { attributes: plain.attributes.clone(), raw: plain.raw, ..event }, plain, "{way}");
    }
}

#[test]
fn a_request_may_be_written_in_older_and_in_other_ways() {
    let ways = [
        r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}}]},"scopeSpans":[{"scope":{"name":"s"},"spans":[{"name":"op"}]}]}]}"#,
        // The resource comes last.
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"op"}],"scope":{"name":"s"}}],"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}}]}}]}"#,
        r#"{"resource_spans":[{"instrumentation_library_spans":[{"spans":[{"name":"op"}]}],"resource":{"attributes":[{"value":{"stringValue":"cart"},"key":"service.name"}]}}]}"#,
        r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}}]},"instrumentationLibrarySpans":[{"spans":[{"name":"op"}]}]}]}"#,
        // A part of a request alone, and a mark before it.
        "\u{FEFF}{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"cart\"}}]},\"scopeSpans\":[{\"spans\":[{\"name\":\"op\"}]}]}\r\n",
        r#"{"scopeSpans":[{"spans":[{"name":"op"}]}],"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}}]}}"#,
    ];
    for way in ways {
        for format in [Format::Otlp, Format::Json, Format::Text] {
            if format == Format::Text && way.starts_with('\u{FEFF}') {
                continue;
            }
            let event = one(format, way);
            assert_eq!((&*event.service, &*event.operation), ("cart", "op"), "{way}");
            assert_eq!(attributes(&event), [("service.name".to_owned(), "\"cart\"".to_owned())], "{way}");
        }
    }
}

#[test]
fn each_resource_names_the_service_of_its_own_spans() {
    let record = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{"name":"b"}]}],"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"one"}}]}},{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"two"}}]},"scopeSpans":[{"spans":[{"name":"c"}]}]},{"scopeSpans":[{"spans":[{"name":"d"}]}]}]}"#;
    let events = decoded(Format::Otlp, record.as_bytes()).unwrap();
    let services: Vec<_> = events.iter().map(|event| (&*event.operation, &*event.service)).collect();
    assert_eq!(services, [("a", "one"), ("b", "one"), ("c", "two"), ("d", "")]);
}

#[test]
fn a_service_without_a_name_is_known_by_what_runs_it() {
    let service = |attributes: &str| {
        let record = format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{attributes}]}},"scopeSpans":[{{"spans":[{{}}]}}]}}]}}"#
        );
        one(Format::Otlp, String::leak(record)).service.into_owned()
    };
    let text = |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
    assert_eq!(service(&text("k8s.pod.name", "cart-1")), "cart-1");
    assert_eq!(service(&[text("k8s.pod.name", "cart-1"), text("k8s.deployment.name", "cart")].join(",")), "cart");
    assert_eq!(
        service(&[text("service.name", "unknown_service:java"), text("container.name", "cart")].join(",")),
        "cart"
    );
    assert_eq!(service(&text("service.name", "unknown_service")), "unknown_service");
    assert_eq!(service(&text("host.name", "web-3")), "");
    assert_eq!(service(r#"{"key":"service.name","value":{"intValue":"5"}}"#), "");
}

#[test]
fn times_that_are_missing_or_wrong_harm_nothing() {
    let times = |body: &str| {
        let event = span(body);
        (event.time, event.duration)
    };
    assert_eq!(times(""), (None, None));
    assert_eq!(times(r#""startTimeUnixNano":"7""#), (Some(7), None));
    assert_eq!(times(r#""endTimeUnixNano":"7""#), (Some(7), None));
    assert_eq!(times(r#""startTimeUnixNano":"9","endTimeUnixNano":"7""#), (Some(7), Some(0)));
    assert_eq!(times(r#""startTimeUnixNano":"0","endTimeUnixNano":"7""#), (Some(7), None));
    assert_eq!(times(r#""startTimeUnixNano":"x","endTimeUnixNano":"18446744073709551615""#), (None, None));
}

#[test]
fn a_failed_span_without_a_message_says_what_its_exception_says() {
    let exception = r#""events":[{"name":"exception","attributes":[{"key":"exception.type","value":{"stringValue":"IOError"}},{"key":"exception.message","value":{"stringValue":"disk \"a\" full"}}]}]"#;
    assert_eq!(span(&format!(r#"{exception},"status":{{"code":2}}"#)).message, "disk \"a\" full");
    assert_eq!(span(&format!(r#"{exception},"status":{{"code":2,"message":"own"}}"#)).message, "own");
    assert_eq!(span(&format!(r#"{exception},"status":{{"code":1}}"#)).message, "");
    let bare = exception.replace("exception.message", "exception.other");
    assert_eq!(span(&format!(r#"{bare},"status":{{"code":2}}"#)).message, "IOError");
}

#[test]
fn a_log_record_is_decoded() {
    let event = log(
        r#""timeUnixNano":"5","observedTimeUnixNano":"9","severityNumber":17,"severityText":"Error","body":{"stringValue":"disk full"},
        "traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","eventName":"disk""#,
    );
    assert_eq!((event.kind, event.time, event.level, event.failed), (Kind::Log, Some(5), Level::Error, true));
    assert_eq!((&*event.message, &*event.operation), ("disk full", "disk"));
    assert_eq!(event.span, 0xeee1_9b7e_c3c1_b174);
    assert_eq!(log(r#""observedTimeUnixNano":"9","timeUnixNano":"0""#).time, Some(9));
    assert_eq!(log(r#""severityNumber":"SEVERITY_NUMBER_WARN2""#).level, Level::Warn);
    assert_eq!(log(r#""severityText":"critical""#).level, Level::Fatal);
}

#[test]
fn a_body_of_any_type_is_a_message() {
    let body = |body: &str| log(&format!(r#""severityNumber":9,"body":{body}"#)).message.into_owned();
    assert_eq!(
        body(
            r#"{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"1"}},{"key":"b","value":{"arrayValue":{"values":[{"boolValue":true},{"stringValue":"x\"y"},{}]}}}]}}"#
        ),
        r#"{"a":1,"b":[true,"x\"y",null]}"#
    );
    assert_eq!(body(r#"{"doubleValue":1.5}"#), "1.5");
    assert_eq!(body(r#"{"bytesValue":"aGk="}"#), "aGk=");
    assert_eq!(body(r#""plain""#), "plain");
    assert_eq!(body("null"), "");
}

#[test]
fn a_body_that_says_its_level_is_believed_where_the_record_does_not() {
    let read = |record: &str| {
        let event = log(record);
        (event.level, event.message.into_owned())
    };
    let said = |body: &str| read(&format!(r#""severityNumber":0,"body":{{"stringValue":{body:?}}}"#));
    assert_eq!(said("ERROR disk full"), (Level::Error, "disk full".to_owned()));
    assert_eq!(said("level=warn msg=\"disk nearly full\""), (Level::Warn, "disk nearly full".to_owned()));
    assert_eq!(said(r#"{"severity":"info","message":"started"}"#), (Level::Info, "started".to_owned()));
    assert_eq!(said("17:03:11.532 INFO  v.c.Verify#54 checked"), (Level::Info, "checked".to_owned()));
    assert_eq!(said("an ERROR in the midst"), (Level::Unset, "an ERROR in the midst".to_owned()));
    assert_eq!(read(r#""severityNumber":9,"body":{"stringValue":"ERROR is a word"}"#).0, Level::Info);
}

#[test]
fn attributes_of_every_type_are_decoded() {
    let event = span(
        r#""attributes":[{"key":"s","value":{"stringValue":"a\tb"}},{"key":"i","value":{"intValue":"-7"}},{"key":"j","value":{"intValue":7}},{"key":"d","value":{"doubleValue":2}},{"key":"n","value":{"doubleValue":"NaN"}},{"key":"b","value":{"boolValue":false}},{"key":"a","value":{"arrayValue":{"values":[{"intValue":"1"}]}}},{"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}}},{"key":"e","value":{}},{"key":"u"}]"#,
    );
    let expected = [
        ("s", r#""a\tb""#),
        ("i", "-7"),
        ("j", "7"),
        ("d", "2"),
        ("n", r#""NaN""#),
        ("b", "false"),
        ("a", "[1]"),
        ("m", r#"{"k":"v"}"#),
        ("e", "null"),
        ("u", "null"),
    ];
    assert_eq!(attributes(&event), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[test]
fn metrics_are_read_and_have_no_events() {
    assert_eq!(decoded(Format::Otlp, br#"{"resourceMetrics":[{"scopeMetrics":[]}]}"#), Ok(vec![]));
}

#[test]
fn a_request_that_is_damaged_is_rejected_as_a_whole() {
    let reason = |record: &str| decoded(Format::Otlp, record.as_bytes()).unwrap_err().reason();
    assert_eq!(reason(r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{"name":"b"#), "JSON ends early");
    assert_eq!(reason(r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},}]}]}]}"#), "not JSON");
    assert_eq!(reason(r#"{"resourceSpans":{"scopeSpans":5}}"#), "not OTLP");
    assert_eq!(reason(r#"{"resourceSpans":[{"scopeSpans":[{"spans":["text"]}]}]}"#), "not OTLP");
}

#[test]
fn a_record_without_a_time_has_that_of_its_neighbours_whatever_its_text_says() {
    let record = |text: &str, time: &str| format!(r#"{{"body":{{"stringValue":"{text}"}},"timeUnixNano":"{time}"}}"#);
    let request = |records: &[String]| {
        format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{}]}}]}}]}}"#, records.join(","))
    };
    let times = |text: &str| -> Vec<Option<i64>> {
        decoded(Format::Otlp, text.as_bytes()).unwrap().iter().map(|event| event.time).collect()
    };
    let (clock, none) = ("07:20:29.299 ERROR lost", "-6795364578871345152");
    let mixed = request(&[record(clock, none), record("first", "1000"), record(clock, none), record("next", "2000")]);
    assert_eq!(times(&mixed), [Some(1000), Some(1000), Some(1000), Some(2000)]);
    let alone = request(&[record(clock, none), record("no clock", none)]);
    assert!(matches!(times(&alone)[..], [Some(1_795_500_000_000_000_000..), None]), "{:?}", times(&alone));
}

/// The same JSON with blanks: nothing in it stands in the form that is compared with.
fn spaced(json: &str) -> String {
    let (mut out, mut inside, mut escaped) = (String::new(), false, false);
    for c in json.chars() {
        inside ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        out.push(c);
        if !inside && matches!(c, '{' | '}' | '[' | ']' | ',' | ':' | '"') {
            out.push(' ');
        }
    }
    out
}

proptest! {
    #[test]
    fn span__in_the_usual_form_and_in_another__read_alike(
        (trace, id, parent) in ("[0-9a-fA-F]{32}|[0-9a-g\"]{30,34}", "[0-9a-f]{16}|[0-9a-zA-Z\u{e9}]{14,18}", "[0-9a-f]{16}|[/-:@-G`-g]{16}|"),
        (name, service, message) in ("[a-z\\\\\"/ ]{0,70}", "[a-z\"\\\\]{0,8}", "\\PC{0,6}"),
        (kind, code) in ("[0-9]|[0-9]{2}|[0-9]\\.0|[0-9]e0", 0..4),
        (start, end) in ("[0-9]{17,21}|1[0-9]{18}", "1[0-9]{18}|[0-9:/]{19}"),
        pairs in prop::collection::vec(("[a-z.\"]{0,6}", "\\PC{0,5}|[0-9]{1,5}|[a-z]{5,40}", 0..5), 0..6),
    ) {
        let json = |text: &str| serde_json::to_string(text).unwrap();
        let pair = |(key, value, form): &(String, String, i32)| {
            let (key, number) = (json(key), value.bytes().all(|byte| byte.is_ascii_digit()));
            match form {
                0 => format!(r#"{{"key":{key},"value":{{"boolValue":true}}}}"#),
                1 if number => format!(r#"{{"key":{key},"value":{{"intValue":"{value}"}}}}"#),
                2 => format!(r#"{{"value":{{"stringValue":{}}},"key":{key}}}"#, json(value)),
                _ => format!(r#"{{"key":{key},"value":{{"stringValue":{}}}}}"#, json(value)),
            }
        };
        let attributes_of: Vec<String> = pairs.iter().map(pair).collect();
        // As a number, unless it could be none.
        let kind = if kind.starts_with('0') { "0" } else { &kind };
        let status = if code == 0 { "{}".to_owned() } else { format!(r#"{{"code":{code},"message":{}}}"#, json(&message)) };
        let record = format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":{}}}}}]}},"scopeSpans":[{{"scope":{{"name":"sdk"}},"spans":[{{"traceId":{},"spanId":{},"parentSpanId":{},"name":{},"kind":{kind},"startTimeUnixNano":"{start}","endTimeUnixNano":"{end}","attributes":[{}],"status":{status}}}]}}]}}]}}"#,
            json(&service), json(&trace), json(&id), json(&parent), json(&name), attributes_of.join(",")
        );
        let usual = one(Format::Otlp, String::leak(record.clone()));
        let other = one(Format::Otlp, String::leak(spaced(&record)));
        prop_assert_eq!(&*usual.operation, &*name);
        prop_assert_eq!(attributes(&usual), attributes(&other));
        prop_assert_eq!(Event { attributes: usual.attributes.clone(), raw: usual.raw, ..other }, usual);
    }
}
