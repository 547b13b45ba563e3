//! Log lines of the loggers that people use.

use super::super::{Context, Format, Memory, decode};
use super::{attributes, decoded, one};
use crate::event::{Event, Kind, Level};

fn line(text: &str) -> Event<'_> {
    one(Format::Json, text)
}

/// 2026-11-24 23:42:01.123 UTC.
const AT: i64 = 1_795_563_721_123_000_000;

#[test]
#[allow(clippy::too_many_lines)] // A table.
fn loggers_are_understood() {
    let lines: &[(&str, &str, &str, Level, &str)] = &[
        // structlog
        (
            r#"{"event":"started","level":"info","logger":"app.main","timestamp":"2026-11-24T23:42:01.123Z"}"#,
            "",
            "app.main",
            Level::Info,
            "started",
        ),
        // pino
        (
            r#"{"level":40,"time":1795563721123,"pid":7,"hostname":"web-3","name":"cart","msg":"slow"}"#,
            "cart",
            "",
            Level::Warn,
            "slow",
        ),
        // bunyan
        (
            r#"{"name":"cart","hostname":"web-3","pid":7,"level":50,"msg":"failed","time":"2026-11-24T23:42:01.123Z","v":0}"#,
            "cart",
            "",
            Level::Error,
            "failed",
        ),
        // zap
        (
            r#"{"level":"error","ts":1795563721.123,"logger":"store","caller":"x.go:1","msg":"failed","error":"disk full"}"#,
            "",
            "store",
            Level::Error,
            "failed",
        ),
        // logback and ECS, flat and nested
        (
            r#"{"@timestamp":"2026-11-24T23:42:01.123Z","log.level":"WARN","message":"slow","service.name":"cart","log.logger":"c.e.Cart","ecs.version":"1.2.0"}"#,
            "cart",
            "c.e.Cart",
            Level::Warn,
            "slow",
        ),
        (
            r#"{"@timestamp":"2026-11-24T23:42:01.123Z","log":{"level":"WARN","logger":"c.e.Cart"},"message":"slow","service":{"name":"cart"}}"#,
            "cart",
            "c.e.Cart",
            Level::Warn,
            "slow",
        ),
        (
            r#"{"@timestamp":"2026-11-24T23:42:01.123Z","level":"ERROR","level_value":40000,"logger_name":"c.e.Cart","thread_name":"main","message":"failed"}"#,
            "",
            "c.e.Cart",
            Level::Error,
            "failed",
        ),
        // Google Cloud
        (
            r#"{"severity":"CRITICAL","timestamp":"2026-11-24T23:42:01.123Z","jsonPayload":{"message":"down"},"resource":{"labels":{"container_name":"cart"}}}"#,
            "cart",
            "",
            Level::Fatal,
            "down",
        ),
        (
            r#"{"severity":"NOTICE","timestamp":{"seconds":1795563721,"nanos":123000000},"message":"up"}"#,
            "",
            "",
            Level::Info,
            "up",
        ),
        // MongoDB
        (
            r#"{"t":{"$date":"2026-11-24T23:42:01.123+00:00"},"s":"W","c":"NETWORK","id":22944,"ctx":"conn7","msg":"Connection ended"}"#,
            "",
            "NETWORK",
            Level::Warn,
            "Connection ended",
        ),
        // Serilog
        (
            r#"{"@t":"2026-11-24T23:42:01.123Z","@m":"order 5 lost","@mt":"order {Id} lost","@l":"Error"}"#,
            "",
            "",
            Level::Error,
            "order 5 lost",
        ),
        // GELF
        (
            r#"{"version":"1.1","host":"web-3","short_message":"failed","timestamp":1795563721.123,"level":3}"#,
            "",
            "",
            Level::Error,
            "failed",
        ),
        // tracing
        (
            r#"{"timestamp":"2026-11-24T23:42:01.123Z","level":"DEBUG","fields":{"message":"tick"},"target":"app::clock","spans":[{"name":"x"}]}"#,
            "",
            "app::clock",
            Level::Debug,
            "tick",
        ),
        // python-json-logger
        (
            r#"{"asctime":"2026-11-24 23:42:01,123","name":"app.orders","levelname":"ERROR","message":"lost"}"#,
            "",
            "app.orders",
            Level::Error,
            "lost",
        ),
    ];
    for (text, service, operation, level, message) in lines {
        let event = line(text);
        assert_eq!(
            (&*event.service, &*event.operation, event.level, &*event.message),
            (*service, *operation, *level, *message),
            "{text}"
        );
        assert_eq!(event.time, Some(AT), "{text}");
        assert_eq!(event.failed, *level >= Level::Error, "{text}");
    }
}

#[test]
fn a_journal_is_understood() {
    let event = line(
        r#"{"__REALTIME_TIMESTAMP":"1795563721123000","PRIORITY":"6","MESSAGE":"level=error msg=\"disk full\"","_SYSTEMD_UNIT":"cart.service","SYSLOG_IDENTIFIER":"cartd","_COMM":"cartd","_PID":"7"}"#,
    );
    assert_eq!(
        (event.time, event.level, &*event.service, &*event.message),
        (Some(AT), Level::Error, "cart", "disk full")
    );
    let event = line(
        r#"{"PRIORITY":"4","MESSAGE":[99,97,102,233],"SYSLOG_IDENTIFIER":"sshd","_SYSTEMD_UNIT":"session-3.scope"}"#,
    );
    assert_eq!((event.level, &*event.service, &*event.message), (Level::Warn, "sshd", "caf\u{FFFD}"));
    let event =
        line(r#"{"PRIORITY":"3","MESSAGE":["first","second"],"_SYSTEMD_UNIT":"user@1000.service","_COMM":"bash"}"#);
    assert_eq!((event.level, &*event.service, &*event.message), (Level::Error, "bash", "first"));
}

#[test]
fn a_containers_log_says_what_its_lines_say() {
    let docker = |log: &str| format!(r#"{{"log":{log:?},"stream":"stdout","time":"2026-11-24T23:42:01.123Z"}}"#);
    let said = |text: &str| {
        let event = one(Format::Json, text);
        assert_eq!(event.time, Some(AT));
        (event.level, event.message.into_owned())
    };
    assert_eq!(said(&docker("plain\n")), (Level::Unset, "plain".to_owned()));
    assert_eq!(said(&docker("17:03:11.532 ERROR lost\n")), (Level::Error, "lost".to_owned()));
    assert_eq!(said(&docker("{\"level\":\"warn\",\"msg\":\"slow\"}\n")), (Level::Warn, "slow".to_owned()));
}

#[test]
fn a_duration_counts_where_its_unit_is_clear() {
    let duration = |field: &str| line(&String::leak(format!(r#"{{"msg":"x",{field}}}"#))[..]).duration;
    assert_eq!(duration(r#""duration_ms":12.5"#), Some(12_500_000));
    assert_eq!(duration(r#""durationMs":"12""#), Some(12_000_000));
    assert_eq!(duration(r#""latency":"1.5s""#), Some(1_500_000_000));
    assert_eq!(duration(r#""elapsed":"1m2.5s""#), Some(62_500_000_000));
    assert_eq!(duration(r#""took":"250µs""#), Some(250_000));
    assert_eq!(duration(r#""event":{"duration":5000}"#), Some(5000));
    assert_eq!(duration(r#""duration":12"#), None);
    assert_eq!(duration(r#""took":"soon""#), None);
    assert_eq!(duration(r#""duration_ms":-1"#), None);
}

#[test]
fn a_log_line_is_joined_to_its_trace() {
    let ids = |field: &str| {
        let event = line(String::leak(format!(r#"{{"msg":"x",{field}}}"#)));
        (u128::from_be_bytes(event.trace), event.span)
    };
    let trace = 0x5b8e_fff7_9803_8103_d269_b633_813f_c60c;
    let text = "5b8efff798038103d269b633813fc60c";
    assert_eq!(ids(&format!(r#""trace_id":"{text}","span_id":"00000000000000ff""#)), (trace, 255));
    assert_eq!(ids(&format!(r#""traceId":"{text}","spanId":"ff""#)), (trace, 255));
    assert_eq!(ids(&format!(r#""trace":{{"id":"{text}"}},"span":{{"id":"ff"}}"#)), (trace, 255));
    assert_eq!(ids(&format!(r#""traceparent":"00-{text}-00000000000000ff-01""#)), (trace, 255));
    assert_eq!(ids(&format!(r#""logging.googleapis.com/trace":"projects/p/traces/{text}""#)), (trace, 0));
    assert_eq!(ids(r#""dd.trace_id":"256","dd.span_id":255"#), (256, 255));
    assert_eq!(ids(r#""trace_id":"req-17""#), (0, 0));
}

#[test]
fn a_request_without_words_was_served() {
    let event = line(r#"{"method":"GET","url":"/cart?n=1","status":503,"response_time_ms":7}"#);
    assert_eq!((event.kind, &*event.operation, event.duration), (Kind::Server, "GET /cart", Some(7_000_000)));
    assert_eq!((&*event.message, event.failed), ("503 Service Unavailable", true));
    // What was written within a span is a record of it, and so is what has words of its own.
    let event = line(
        r#"{"method":"GET","url":"/cart","status":503,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7"}"#,
    );
    assert_eq!((event.kind, &*event.message, event.failed), (Kind::Log, "GET /cart 503", true));
    let event = line(r#"{"method":"GET","url":"/cart","status":200,"msg":"asked the cart"}"#);
    assert_eq!((event.kind, &*event.message), (Kind::Log, "asked the cart"));
}

#[test]
fn fields_are_decoded_as_attributes() {
    let text = r#"{"msg":"x","user":"a\"b","n":5,"f":1.50,"o":{"p":[1]},"z":null}"#;
    let expected =
        [("msg", r#""x""#), ("user", r#""a\"b""#), ("n", "5"), ("f", "1.5"), ("o", r#"{"p":[1]}"#), ("z", "null")];
    assert_eq!(attributes(&line(text)), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[test]
fn streams_are_mixed() {
    // Text among JSON.
    assert_eq!(one(Format::Otlp, "Starting up").message, "Starting up");
    assert_eq!(one(Format::Json, "[2026-11-24 23:42:01] ERROR x").level, Level::Error);
    // JSON among text, whole and cut.
    assert_eq!(one(Format::Text, r#"{"msg":"a","level":"warn"}"#).message, "a");
    assert_eq!(one(Format::Text, r#"{"msg":"a","level":"#).message, r#"{"msg":"a","level":"#);
    // Several objects in a row.
    assert_eq!(decoded(Format::Json, br#"{"msg":"a"}{"msg":"b"} {"msg":"c"}"#).unwrap().len(), 3);
    assert_eq!(decoded(Format::Json, br#"[{"msg":"a"},{"msg":"b"}]"#).unwrap().len(), 2);
    // Nothing at all.
    for blank in ["", "\n", " \t\r\n", "\u{FEFF}", "{}", "[]", "]"] {
        assert_eq!(decoded(Format::Json, blank.as_bytes()), Ok(vec![]), "{blank:?}");
    }
}

#[test]
fn a_line_that_is_cut_is_rejected() {
    let reject = decoded(Format::Json, br#"  {"msg":"a","level":"er"#).unwrap_err();
    assert_eq!((reject.reason(), reject.offset()), ("JSON ends early", 24));
    assert_eq!(decoded(Format::Json, br#"{"msg":"a"} trailing"#).unwrap_err().reason(), "not JSON");
}

#[test]
fn lines_wrapped_many_times_come_to_an_end() {
    let mut text = "ERROR lost".to_owned();
    for _ in 0..20 {
        text = serde_json::json!({ "log": text }).to_string();
    }
    let mut events = Vec::new();
    decode(Format::Json, text.as_bytes(), &Context::default(), &mut Memory::default(), &mut events).unwrap();
    assert_eq!(events.len(), 1);
}
