//! Spans of Jaeger and of Zipkin, and the calls of function tracers, as writers write them.

use super::super::{Format, Reader, detect};
use super::{CONTEXT, attributes, decoded, one};
use crate::event::{Event, Kind, TraceId};

fn trace(number: u128) -> TraceId {
    number.to_be_bytes()
}

/// Services, operations and durations of a stream whose format is told by what is in it.
fn stream(text: &str, format: Format) -> Vec<(String, String, Option<u64>)> {
    let (mut reader, mut context) = (Reader::default(), CONTEXT);
    let (mut rest, mut all, mut events) = (text.as_bytes(), Vec::new(), Vec::new());
    loop {
        events.clear();
        let Some(record) = reader.next(rest, None, &mut context, usize::MAX, &mut events) else { break };
        assert!(record.found.is_ok(), "{:?} of {text}", record.found);
        rest = &rest[record.bytes.len()..];
        all.extend(events.iter().map(|event: &Event<'_>| {
            (event.service.clone().into_owned(), event.operation.clone().into_owned(), event.duration)
        }));
    }
    assert_eq!(reader.format, Some(format), "{text}");
    all
}

fn pretty(text: &str) -> String {
    serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(text).unwrap()).unwrap()
}

const JAEGER: &str = r#"{"traceID":"a1","spanID":"b2","operationName":"GET /cart","references":[{"refType":"FOLLOWS_FROM","traceID":"a1","spanID":"c9"},{"refType":"CHILD_OF","traceID":"a1","spanID":"c3"}],"startTime":1700000000000000,"duration":2500,"processID":"p1","tags":[{"key":"span.kind","type":"string","value":"server"},{"key":"http.status_code","type":"int64","value":503}],"logs":[{"timestamp":1,"fields":[{"key":"event","value":"error"},{"key":"message","value":"no stock"}]}],"warnings":null}"#;

#[test]
fn jaegers_documents_say_the_same_in_any_form() {
    let processes = r#"{"p1":{"serviceName":"cart","tags":[{"key":"hostname","type":"string","value":"web-3"}]}}"#;
    let trace = format!(r#"{{"traceID":"a1","spans":[{JAEGER}],"processes":{processes},"warnings":null}}"#);
    let document = format!(r#"{{"data":[{trace},{trace}],"total":0,"limit":0,"offset":0,"errors":null}}"#);
    let stored = JAEGER.replace("\"processID\":\"p1\"", "\"process\":{\"serviceName\":\"cart\",\"tags\":[]}");
    let hit = format!(r#"{{"_index":"jaeger-span-2023-11-14","_id":"x","_source":{stored}}}"#);
    let search = format!(
        r#"{{"took":5,"timed_out":false,"hits":{{"total":{{"value":2}},"max_score":null,"hits":[{hit},{hit}]}},"aggregations":{{"a":1}}}}"#
    );
    for form in [
        document.clone(),
        pretty(&document),
        format!("{trace}\n{trace}\n"),
        format!("{stored}\n{stored}\n"),
        format!("[{stored},{stored}]"),
        format!("{hit}\n{hit}"),
        search.clone(),
        pretty(&search),
        format!("{{\"spans\":[{stored},{stored}]}}"),
    ] {
        let expected = ("cart".to_owned(), "GET /cart".to_owned(), Some(2_500_000));
        assert_eq!(stream(&form, Format::Jaeger), [expected.clone(), expected], "{form}");
    }
}

#[test]
fn a_block_without_a_trace_tells_the_format_as_well() {
    assert_eq!(detect(b"{\"data\":[", true), Some(Format::Jaeger));
    assert_eq!(detect(b"{\"data\":[", false), None);
    assert_eq!(detect(b"{\"took\":1,\"hits\":{\"total\":1,\"hits\":[\n", true), Some(Format::Jaeger));
    assert_eq!(detect(b"{\"data\":[{\"msg\":\"a\"}]}", true), Some(Format::Json));
}

#[test]
fn a_span_of_jaeger_is_decoded() {
    let text = JAEGER.replace(
        "\"processID\":\"p1\"",
        "\"process\":{\"serviceName\":\"cart\",\"tags\":[{\"key\":\"h\",\"value\":\"w\"}]}",
    );
    let event = one(Format::Jaeger, &text);
    assert_eq!((event.kind, event.failed, &*event.message), (Kind::Server, true, "no stock"));
    assert_eq!(event.time, Some(1_700_000_000_002_500_000));
    assert_eq!((event.trace, event.span, event.parent), (trace(0xa1), 0xb2, 0xc3));
    let names: Vec<_> = attributes(&event).into_iter().map(|(key, _)| key).collect();
    assert_eq!(names, ["span.kind", "http.status_code", "h"]);
    let said = |tags: &str| {
        let text = format!(r#"{{"traceID":"1","spanID":"2","operationName":"o","startTime":5,"tags":[{tags}]}}"#);
        let event = one(Format::Jaeger, String::leak(text));
        (event.failed, event.message.into_owned())
    };
    assert_eq!(said(r#"{"key":"error","type":"bool","value":true}"#), (true, String::new()));
    assert_eq!(said(r#"{"key":"error","type":"bool","value":"false"}"#), (false, String::new()));
    assert_eq!(
        said(r#"{"key":"otel.status_code","value":"ERROR"},{"key":"otel.status_description","value":"bad"}"#),
        (true, "bad".to_owned())
    );
    assert_eq!(said(r#"{"key":"http.status_code","value":"404"}"#), (false, String::new()));
    // Tags as fields, as storage may be told to keep them.
    let text = r#"{"traceID":"1","spanID":"2","operationName":"o","startTimeMillis":5,"tags":[],"tag":{"span@kind":"client","error":true}}"#;
    let event = one(Format::Jaeger, text);
    assert_eq!((event.kind, event.failed, event.time), (Kind::Client, true, Some(5_000_000)));
    assert_eq!(attributes(&event).len(), 2);
    // Of another trace, it is no parent here.
    let text = r#"{"traceID":"1","spanID":"2","operationName":"o","references":[{"refType":"CHILD_OF","traceID":"9","spanID":"9"},{"traceID":"1","spanID":"7","refType":"FOLLOWS_FROM"}]}"#;
    assert_eq!(one(Format::Jaeger, text).parent, 7);
}

const ZIPKIN: &str = r#"{"traceId":"5af7183fb1d4cf5f","parentId":"6b221d5bc9e6496c","id":"352bff9a74ca9ad2","kind":"CLIENT","name":"get /api","timestamp":1556604172355737,"duration":1431,"localEndpoint":{"serviceName":"backend","ipv4":"192.168.99.1","port":3306},"remoteEndpoint":{"serviceName":"db"},"tags":{"http.method":"GET","error":"timeout"}}"#;

#[test]
fn zipkins_spans_say_the_same_in_any_form() {
    for form in [
        format!("[{ZIPKIN},{ZIPKIN}]"),
        format!("[[{ZIPKIN}],[{ZIPKIN}]]\n"),
        pretty(&format!("[[{ZIPKIN}],[],[{ZIPKIN}]]")),
        format!("{ZIPKIN}\n{ZIPKIN}\n"),
        format!("[{ZIPKIN}]\n[{ZIPKIN}]"),
    ] {
        let expected = ("backend".to_owned(), "get /api".to_owned(), Some(1_431_000));
        assert_eq!(stream(&form, Format::Zipkin), [expected.clone(), expected], "{form}");
    }
}

#[test]
fn a_span_of_zipkin_is_decoded() {
    let event = one(Format::Zipkin, ZIPKIN);
    assert_eq!((event.kind, event.failed, &*event.message), (Kind::Client, true, "timeout"));
    assert_eq!(event.time, Some(1_556_604_172_357_168_000));
    assert_eq!(
        (event.trace, event.span, event.parent),
        (trace(0x5af7_183f_b1d4_cf5f), 0x352b_ff9a_74ca_9ad2, 0x6b22_1d5b_c9e6_496c)
    );
    assert_eq!(attributes(&event).len(), 2);
    let times = |text: &str| {
        let text = format!(r#"{{"traceId":"1","id":"2","name":"n"{text}}}"#);
        let event = one(Format::Zipkin, String::leak(text));
        (event.time, event.duration)
    };
    assert_eq!(times(""), (None, None));
    assert_eq!(times(r#","timestamp":5"#), (Some(5_000), None));
    assert_eq!(times(r#","timestamp":0,"duration":7"#), (None, Some(7_000)));
    assert_eq!(times(r#","timestamp":5,"duration":0"#), (Some(5_000), None));
    let shared = one(Format::Zipkin, r#"{"traceId":"1","id":"2","parentId":"3","kind":"SERVER","shared":true}"#);
    assert_eq!((shared.span, shared.parent), (2, 2));
}

#[test]
fn zipkins_first_version_says_by_annotations_what_the_second_has_fields_for() {
    let text = r#"{"traceId":"1","id":"2","parentId":"3","name":"query","timestamp":100,"duration":50,"annotations":[{"timestamp":100,"value":"cs","endpoint":{"serviceName":"front"}},{"timestamp":150,"value":"cr","endpoint":{"serviceName":"front"}}],"binaryAnnotations":[{"key":"sa","value":true,"endpoint":{"serviceName":"db"}},{"key":"error","value":"gone","endpoint":{"serviceName":"front"}}]}"#;
    let event = one(Format::Zipkin, text);
    assert_eq!((event.kind, &*event.service, event.failed, &*event.message), (Kind::Client, "front", true, "gone"));
    let text = r#"{"traceId":"1","id":"2","name":"query","annotations":[{"timestamp":110,"value":"sr","endpoint":{"serviceName":"db"}},{"timestamp":130,"value":"ss","endpoint":{"serviceName":"db"}}],"binaryAnnotations":[]}"#;
    let event = one(Format::Zipkin, text);
    assert_eq!((event.kind, &*event.service), (Kind::Server, "db"));
    assert_eq!((event.time, event.duration), (Some(130_000), Some(20_000)));
    assert_eq!(detect(text.as_bytes(), true), Some(Format::Zipkin));
}

#[test]
fn log_lines_with_ids_are_no_spans() {
    for text in [
        r#"{"traceId":"1","id":"2","timestamp":"2026-11-24T23:42:01Z","message":"m"}"#,
        r#"{"level":"info","traceId":"1","spanId":"2","id":"3","name":"app","timestamp":1}"#,
        r#"{"traceID":"1","msg":"m"}"#,
        r#"{"data":[{"a":1}]}"#,
        r#"{"event":"start","thread":"main","timestamp":"2026-11-24T23:42:01Z"}"#,
        r#"{"type":"call","level":"info","msg":"m"}"#,
        r#"{"timestamp":1,"thread_id":2,"event_type":"thread_exit"}"#,
    ] {
        assert_eq!(detect(text.as_bytes(), true), Some(Format::Json), "{text}");
    }
    // In the midst of spans, what is none is a log record.
    let events = decoded(Format::Zipkin, br#"{"level":"info","msg":"hello"}"#).unwrap();
    assert_eq!((events[0].kind, &*events[0].message), (Kind::Log, "hello"));
}

/// Service, operation, duration and own time in nanoseconds of each call.
fn calls(text: &str) -> Vec<(String, String, u64, u64, bool)> {
    let (mut reader, mut context) = (Reader::default(), CONTEXT);
    let (mut rest, mut all, mut events) = (text.as_bytes(), Vec::new(), Vec::new());
    while let Some(record) = reader.next(rest, None, &mut context, usize::MAX, &mut events) {
        assert!(record.found.is_ok(), "{:?}", record.found);
        rest = &rest[record.bytes.len()..];
        all.extend(events.drain(..).map(|event| {
            let (service, operation) = (event.service.into_owned(), event.operation.into_owned());
            (service, operation, event.duration.unwrap(), event.own.unwrap(), event.failed)
        }));
    }
    assert_eq!(reader.format, Some(Format::Calls), "{text}");
    all
}

#[test]
fn calls_are_nested_by_thread() {
    let text = r#"{"timestamp":1700000000.000001,"thread_id":1,"event_type":"enter","data":{"function":"main","args":[1]}}
{"timestamp":1700000000.000002,"thread_id":2,"event_type":"enter","data":{"function":"poll"}}
{"timestamp":1700000000.000003,"thread_id":1,"event_type":"enter","data":{"function":"read"}}
{"timestamp":1700000000.000007,"thread_id":1,"event_type":"leave","data":{"function":"read","error":"EIO"}}
{"timestamp":1700000000.000012,"thread_id":2,"event_type":"leave","data":{}}
{"timestamp":1700000000.000011,"thread_id":1,"event_type":"leave","data":{"function":"main"}}
"#;
    let call = |name: &str, took, own, failed| (String::new(), name.to_owned(), took, own, failed);
    let expected =
        [call("read", 4_000, 4_000, true), call("poll", 10_000, 10_000, false), call("main", 10_000, 6_000, false)];
    assert_eq!(calls(text), expected);
    assert_eq!(calls(&format!("[{}]", text.trim().replace('\n', ","))), expected);
    assert_eq!(calls(&text.replace("enter", "ENTRY").replace("leave", "function_exit")), expected);
    assert_eq!(calls(&text.replace("enter", "FunctionEnter").replace("leave", "Leave")), expected);
    assert_eq!(calls(&text.replace("enter", "span.open").replace("leave", "span.close")), expected);
    assert_eq!(calls(&text.replace("enter", "call").replace("leave", "return")), expected);
    assert_eq!(calls(&text.replace("\"function\"", "\"name\"").replace("event_type", "type")), expected);
}

#[test]
fn calls_are_timed_by_any_clock() {
    let pair = |times: [&str; 2], key: &str| {
        let line = |time: &str, way: &str| {
            format!("{{\"{key}\":{time},\"tid\":1,\"event_type\":\"{way}\",\"data\":\"f\",\"process\":\"app\"}}\n")
        };
        let found = calls(&(line(times[0], "call") + &line(times[1], "return")));
        assert_eq!((&*found[0].0, &*found[0].1), ("app", "f"));
        found[0].2
    };
    assert_eq!(pair(["1700000000000000000", "1700000000000000250"], "timestamp"), 250);
    assert_eq!(pair(["1795563721000000", "1795563721000002"], "ts"), 2_000);
    assert_eq!(pair(["\"2026-11-24T23:42:01.000001Z\"", "\"2026-11-24T23:42:01.000004Z\""], "time"), 3_000);
    // Since some other moment: seconds if there is a point, or else nanoseconds.
    assert_eq!(pair(["12.5", "12.500001"], "timestamp"), 1_000);
    assert_eq!(pair(["86400000000000", "86400000000009"], "timestamp"), 9);
    assert_eq!(pair(["86400000", "86400009"], "ts_us"), 9_000);
    assert_eq!(pair(["1000", "1900"], "timestamp"), 900);
}

/// Name, duration, own time and time after the first of each.
fn traced(text: &str) -> Vec<(String, u64, Option<u64>, Option<i64>)> {
    let (mut reader, mut context) = (Reader::default(), CONTEXT);
    let (mut rest, mut all, mut events) = (text.as_bytes(), Vec::new(), Vec::new());
    while let Some(record) = reader.next(rest, None, &mut context, usize::MAX, &mut events) {
        assert!(record.found.is_ok(), "{:?}", record.found);
        rest = &rest[record.bytes.len()..];
        all.extend(events.drain(..).map(|event| {
            let at = event.time.map(|time| time - CONTEXT.received);
            (event.operation.into_owned(), event.duration.unwrap(), event.own, at)
        }));
    }
    assert_eq!(reader.format, Some(Format::Uftrace), "{text}");
    all
}

#[test]
fn uftrace_prints_calls_in_two_ways() {
    let call = |name: &str, took, own, at| (name.to_owned(), took, Some(own), at);
    let replay = "# DURATION     TID     FUNCTION
 138.494 us [  1234] | __cxa_atexit();
            [  1234] | main() {
            [  1235] | ns::Pool<int>::run() {
            [  1234] |   a() {
   3.880 us [  1234] |     c();
   6.448 us [  1234] |   } /* a */
            [  1234] |   /* linux:task-name (comm=t-abc) */

   1.002 ms [  1235] | } /* ns::Pool<int>::run */
   8.631 us [  1234] | } /* main */
";
    assert_eq!(
        traced(replay),
        [
            call("__cxa_atexit", 138_494, 138_494, None),
            call("c", 3_880, 3_880, None),
            call("a", 6_448, 2_568, None),
            call("ns::Pool<int>::run", 1_002_000, 1_002_000, None),
            call("main", 8_631, 2_183, None),
        ]
    );
    let timed = "#     TIMESTAMP      DURATION    TID     FUNCTION
502716.387320101   0.289 us [ 6126] |   fgets();
502716.387320584            [ 6126] |   get_values_from() {
502716.387320709   0.245 us [ 6126] |     strdup();
502716.387322389   1.805 us [ 6126] |   } /* get_values_from */
";
    assert_eq!(
        traced(timed),
        [
            call("fgets", 289, 289, Some(0)),
            call("strdup", 245, 245, Some(564)),
            call("get_values_from", 1_805, 1_560, Some(1_999)),
        ]
    );
    let dump = "uftrace file header: magic         = 4674726163652100
uftrace file header: features      = 0x63 (PLTHOOK | TASK_SESSION | SYM_REL_ADDR | MAX_STACK)

reading 23043.dat
105430.415353833  23043: [entry] main(400512) depth: 0
105430.415353992  23043: [entry] operator new(4006b2) depth: 1
105430.415355943  23043: [exit ] operator new(4006b2) depth: 1
105430.415356109  23043: [exit ] main(400512) depth: 0
";
    assert_eq!(traced(dump), [call("operator new", 1_951, 1_951, Some(0)), call("main", 2_276, 325, Some(166))]);
}
