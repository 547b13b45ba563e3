//! Lines of text as daemons and loggers write them.

use proptest::prelude::*;

use super::super::{Context, Format};
use super::{NOW, attributes, decoded, one};
use crate::event::{Event, Kind, Level};

const ESCAPE: char = '\u{1b}';

fn line(text: &str) -> Event<'_> {
    one(Format::Text, text)
}

#[test]
#[allow(clippy::too_many_lines)] // A table.
fn loggers_are_understood() {
    let lines: &[(&str, &str, &str, Level, &str)] = &[
        ("Nov 24 23:42:01 web-3 sshd[123]: Accepted password", "sshd", "", Level::Unset, "Accepted password"),
        ("Nov 24 23:42:01 web-3 kernel: ERROR: out of memory", "kernel", "", Level::Error, "out of memory"),
        ("<11>Nov 24 23:42:01 web-3 su(pam_unix)[9]: failed", "su", "", Level::Error, "failed"),
        ("<165>1 2026-11-24T23:42:01Z web-3 cart 8 ID47 [a@1 b=\"]\"][c] slow", "cart", "", Level::Info, "slow"),
        (
            "<34>1 2026-11-24T23:42:01.000Z web-3 su - - - \u{FEFF}'su root' failed",
            "su",
            "",
            Level::Fatal,
            "'su root' failed",
        ),
        ("2026-11-24T23:42:01.000000+00:00 web-3 cartd[7]: level=warn msg=\"slow\"", "cartd", "", Level::Warn, "slow"),
        ("2026-11-24 23:42:01,000 - app.orders - ERROR - lost", "", "app.orders", Level::Error, "lost"),
        (
            "2026-11-24 23:42:01.000  INFO 12345 --- [main] c.e.Orders    : accepted",
            "",
            "c.e.Orders",
            Level::Info,
            "accepted",
        ),
        ("2026-11-24 23:42:01,000 [main] WARN  c.e.Orders - slow", "", "c.e.Orders", Level::Warn, "slow"),
        (
            "[2026-11-24 23:42:01,000] INFO [Broker 0]: started (kafka.server)",
            "",
            "kafka.server",
            Level::Info,
            "[Broker 0]: started",
        ),
        ("2026/11/24 23:42:01 [error] 7#0: *1 open() failed", "", "", Level::Error, "7#0: *1 open() failed"),
        ("[Tue Nov 24 23:42:01.000000 2026] [core:error] [pid 7] failed", "", "", Level::Error, "[pid 7] failed"),
        ("2026-11-24T23:42:01.000Z\terror\tqueue full", "", "", Level::Error, "queue full"),
        ("2026-11-24T23:42:01Z stderr F ERROR lost", "", "", Level::Error, "lost"),
        ("I1124 23:42:01.000000       1 server.go:12] ready", "", "server.go", Level::Info, "ready"),
        ("2026-11-24 23:42:01.000 UTC [7] LOG:  ready", "", "", Level::Info, "ready"),
        ("26/11/24 23:42:01 INFO spark.SecurityManager: ready", "", "spark.SecurityManager", Level::Info, "ready"),
        ("261124 234201 148 INFO dfs.DataNode$X: ready", "", "dfs.DataNode$X", Level::Info, "ready"),
        ("7:M 24 Nov 2026 23:42:01.000 * Ready", "", "", Level::Info, "Ready"),
        ("time=2026-11-24T23:42:01Z level=info msg=ready component=x", "", "x", Level::Info, "ready"),
        ("1795563721.000 ready", "", "", Level::Unset, "ready"),
        // Syslog over TCP, with a year, of the kernel, of Cisco's devices.
        ("64 <11>1 2026-11-24T23:42:01Z web-3 cart 8 - - lost", "cart", "", Level::Error, "lost"),
        ("Nov 24 2026 23:42:01 web-3 cartd: slow", "cartd", "", Level::Unset, "slow"),
        (
            "Nov 24 23:42:01 web-3 kernel: [12345.678901] usb 1-1: new device",
            "kernel",
            "",
            Level::Unset,
            "usb 1-1: new device",
        ),
        ("Nov 24 2026 23:42:01: %ASA-6-302013: Built outbound", "", "ASA-6-302013", Level::Info, "Built outbound"),
        ("Nov 24 23:42:01 fw1 %ASA-3-710003: denied", "", "ASA-3-710003", Level::Error, "denied"),
        (
            "<187>42: *Nov 24 23:42:01.000: %LINK-3-UPDOWN: Interface down",
            "",
            "LINK-3-UPDOWN",
            Level::Error,
            "Interface down",
        ),
        // Loggers.
        ("[2026-11-24T23:42:01Z INFO  shop::orders] accepted", "", "shop::orders", Level::Info, "accepted"),
        ("2026-11-24T23:42:01.000000Z  WARN shop::orders: slow id=7", "", "shop::orders", Level::Warn, "slow id=7"),
        (
            "2026-11-24T23:42:01.000000Z ERROR request{id=1}:query{t=2}: shop::db: lost",
            "",
            "shop::db",
            Level::Error,
            "lost",
        ),
        (
            "[2026-11-24T23:42:01,000][WARN ][o.e.n.Node               ] [node-1] slow",
            "",
            "o.e.n.Node",
            Level::Warn,
            "[node-1] slow",
        ),
        (
            "2026-11-24 23:42:01,000 - INFO  [main:QuorumPeerConfig@124] - Reading",
            "",
            "QuorumPeerConfig",
            Level::Info,
            "Reading",
        ),
        (
            "24-Nov-2026 23:42:01.000 SEVERE [main] org.apache.catalina.core.StandardService.start lost",
            "",
            "org.apache.catalina.core.StandardService.start",
            Level::Error,
            "lost",
        ),
        (
            "2026-11-24T23:42:01.000Z\terror\tcart/main.go:12\tqueue full\t{\"size\": 7}",
            "",
            "cart/main.go",
            Level::Error,
            "queue full",
        ),
        ("2026-11-24T23:42:01.000Z\tinfo\tcart\tcart/main.go:12\tready", "", "cart", Level::Info, "ready"),
        (
            "2026-11-24 23:42:01 [info     ] order accepted                 order=7",
            "",
            "",
            Level::Info,
            "order accepted                 order=7",
        ),
        (
            "2026-11-24T23:42:01.000000Z 0 [Note] [MY-010116] [Server] starting",
            "",
            "",
            Level::Info,
            "[MY-010116] [Server] starting",
        ),
        ("2026-11-24T23:42:01.000+0000 W NETWORK  [conn1] slow", "", "NETWORK", Level::Warn, "[conn1] slow"),
        ("2026-11-24 23:42:01, Error                 CBS    Failed", "", "", Level::Error, "CBS    Failed"),
        (
            "11-24 23:42:01.000  1234  5678 E ActivityManager: ANR in shop",
            "",
            "ActivityManager",
            Level::Error,
            "ANR in shop",
        ),
        ("W20261124 23:42:01.000000 7 server.cc:12] slow", "", "server.cc", Level::Warn, "slow"),
        (
            "[24-Nov-2026 23:42:01 UTC] PHP Fatal error:  Uncaught Exception: lost",
            "",
            "",
            Level::Error,
            "Uncaught Exception: lost",
        ),
        (
            "2026-11-24T23:42:01.0000000Z ##[error]Process completed with exit code 1.",
            "",
            "",
            Level::Error,
            "Process completed with exit code 1.",
        ),
        (
            "type=SYSCALL msg=audit(1795563721.000:24287): arch=c000003e success=yes",
            "auditd",
            "SYSCALL",
            Level::Unset,
            "arch=c000003e success=yes",
        ),
        ("@400000006b0620ee00000000 ready", "", "", Level::Unset, "ready"),
        ("2026-11-24 23:42:01 ready", "", "", Level::Unset, "ready"),
    ];
    for (text, service, operation, level, message) in lines {
        let event = line(text);
        assert_eq!(
            (&*event.service, &*event.operation, event.level, &*event.message),
            (*service, *operation, *level, *message),
            "{text}"
        );
        assert_eq!(event.time, Some(NOW), "{text}");
        assert_eq!(event.failed, *level >= Level::Error, "{text}");
        assert_eq!(event.raw, text.as_bytes());
    }
}

#[test]
fn lines_without_a_time_are_understood() {
    let lines: &[(&str, &str, Level, &str)] = &[
        ("ERROR: disk full", "", Level::Error, "disk full"),
        ("[warn] slow", "", Level::Warn, "slow"),
        ("WARNING:root:slow", "", Level::Warn, "slow"),
        ("E/ActivityManager( 585): lost", "", Level::Error, "lost"),
        ("Error: no such file", "", Level::Error, "Error: no such file"),
        ("INFO:     127.0.0.1 - ready", "", Level::Info, "127.0.0.1 - ready"),
        ("web-1  | \u{1b}[31mERROR\u{1b}[0m lost", "web-1", Level::Error, "lost"),
        ("[   12.345678] usb 1-1: new device", "", Level::Unset, "usb 1-1: new device"),
        ("information is power", "", Level::Unset, "information is power"),
        ("Got ERROR from server", "", Level::Unset, "Got ERROR from server"),
        ("a = b", "", Level::Unset, "a = b"),
        ("https://example.com/?q=1", "", Level::Unset, "https://example.com/?q=1"),
        ("192.168.0.1 connected", "", Level::Unset, "192.168.0.1 connected"),
        ("2026-11-24-backup.tar done", "", Level::Unset, "2026-11-24-backup.tar done"),
        ("caf\u{e9} ouvert", "", Level::Unset, "caf\u{e9} ouvert"),
    ];
    for (text, service, level, message) in lines {
        let event = line(text);
        assert_eq!(
            (&*event.service, event.level, &*event.message, event.time),
            (*service, *level, *message, None),
            "{text}"
        );
    }
}

#[test]
fn an_access_log_is_understood() {
    let event = line(r#"10.0.0.1 - frank [24/Nov/2026:23:42:01 +0000] "GET /cart HTTP/1.1" 503 7 "-" "curl""#);
    assert_eq!((event.kind, event.time, event.failed, event.level), (Kind::Server, Some(NOW), true, Level::Unset));
    assert_eq!((&*event.operation, &*event.message), ("GET /cart", "503 Service Unavailable"));
    let found = attributes(&event);
    let expected = [
        ("client.address", r#""10.0.0.1""#),
        ("http.request.method", r#""GET""#),
        ("url.path", r#""/cart""#),
        ("http.response.status_code", "503"),
        ("http.response.body.size", "7"),
        ("user_agent.original", r#""curl""#),
    ];
    assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let event = line(r#"10.0.0.1 - - [24/Nov/2026:23:42:01 +0000] "GET /a\"b HTTP/1.1" 200 500"#);
    assert!(!event.failed);
}

#[test]
fn ids_in_the_words_of_a_line_join_it_to_its_trace() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";
    for text in [
        format!("2026-11-24 23:42:01 INFO shop.orders - accepted trace_id={TRACE} span_id={SPAN}"),
        format!("2026-11-24 23:42:01 INFO [traceId={TRACE}, spanId={SPAN}] accepted"),
        format!("INFO accepted traceparent=00-{TRACE}-{SPAN}-01"),
        format!("2026-11-24 23:42:01.000  INFO [shop,{TRACE},{SPAN}] 7 --- [main] c.e.Orders : accepted"),
        format!("accepted {{\"trace_id\": \"{TRACE}\", \"span_id\": \"{SPAN}\"}}"),
        "ready dd.trace_id=6602883420137264439 dd.span_id=67667974448284343".to_owned(),
        "ready X-Amzn-Trace-Id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736".to_owned(),
    ] {
        let event = line(&text);
        let decimal = text.contains("dd.");
        let trace = if decimal { 6_602_883_420_137_264_439 } else { u128::from_str_radix(TRACE, 16).unwrap() };
        assert_eq!(u128::from_be_bytes(event.trace), trace, "{text}");
        let span = if decimal { 67_667_974_448_284_343 } else { u64::from_str_radix(SPAN, 16).unwrap() };
        assert_eq!(event.span, if text.contains("Root") { 0 } else { span }, "{text}");
    }
    for text in ["the trace of a race", "trace: on", "traceroute to 10.0.0.1", "trace_id=none", "stack trace=full"] {
        assert_eq!(line(text).trace, [0; 16], "{text}");
    }
}

#[test]
fn pairs_are_decoded_as_attributes() {
    let event = line(r#"level=info msg="a \"b\"" took=12ms, free words n=5"#);
    assert_eq!((&*event.message, event.duration), ("a \"b\"", Some(12_000_000)));
    let expected = [("level", r#""info""#), ("msg", r#""a \"b\"""#), ("took", r#""12ms""#), ("n", r#""5""#)];
    assert_eq!(attributes(&event), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[test]
fn a_year_or_a_day_that_is_missing_is_chosen_near_the_previous_event() {
    let time = |text: &str, last: Option<i64>| {
        let mut events = Vec::new();
        let context = Context { last_time: last, received: NOW, order: None, dialect: None };
        super::decode(Format::Text, text.as_bytes(), &context, &mut super::Memory::default(), &mut events).unwrap();
        events[0].time.unwrap()
    };
    let stamp = |text: &str| time(text, None);
    let last = |text: &str| Some(stamp(text));
    // Without a previous event: the latest that is not in the future.
    assert_eq!(stamp("Nov 24 23:42:01 h p: x"), NOW);
    assert_eq!(stamp("Dec 24 23:42:01 h p: x"), stamp("2025-12-24 23:42:01 x"));
    // Over New Year, in either direction.
    assert_eq!(time("Jan  1 00:00:01 h p: x", last("2020-12-31 23:59:59 x")), stamp("2021-01-01 00:00:01 x"));
    assert_eq!(time("Dec 31 23:59:59 h p: x", last("2021-01-01 00:00:01 x")), stamp("2020-12-31 23:59:59 x"));
    assert_eq!(time("Feb 29 12:00:00 h p: x", last("2020-03-01 00:00:00 x")), stamp("2020-02-29 12:00:00 x"));
    // Over midnight.
    assert_eq!(time("00:00:01 x", last("2020-12-31 23:59:59 x")), stamp("2021-01-01 00:00:01 x"));
    assert_eq!(time("23:59:59 x", last("2021-01-01 00:00:01 x")), stamp("2020-12-31 23:59:59 x"));
}

#[test]
fn rubbish_is_rejected_and_odd_text_is_not() {
    let reason = |record: &[u8]| decoded(Format::Text, record).err().map(|reject| reject.reason());
    assert_eq!(reason(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xed\xbd\x07\x60"), Some("binary"));
    assert_eq!(reason(b"\0\0\0\0\n"), Some("binary"));
    assert_eq!(reason(b"\xff\xfea\0b\0c\0"), Some("binary"));
    assert_eq!(reason(b"\xcf\xf0\xe8\xe2\xe5\xf2"), None);
    assert_eq!(reason(b"one bell\x07 in a long line of text"), None);
    assert_eq!(one(Format::Text, "\0\0\0\0after the crash\n").message, "after the crash");
    assert_eq!(one(Format::Text, "windows\r\n").message, "windows");
}

proptest! {
    /// What loggers write, with the stamps, zones and levels that they know, comes back as it was meant.
    #[test]
    fn what_a_logger_writes_comes_back(
        second in 1_500_000_000_i64..2_000_000_000,
        milli in 0_i64..1000,
        zone in -14_i64..=14,
        stamp in 0..6,
        logger in 0..7,
        level in prop::sample::select(vec![
            (Level::Debug, "DEBUG"), (Level::Info, "INFO"), (Level::Warn, "WARN"), (Level::Warn, "WARNING"), (Level::Error, "ERROR"),
        ]),
        name in "[a-z]{2,6}\\.[a-z]{2,6}(\\.[A-Z][a-z]{2,6})?",
        message in "[a-z]{3,9}( [a-z]{1,9}| [0-9]{1,5}){1,5}",
    ) {
        let shown = second + zone * 3600;
        let (y, m, d) = super::time::calendar(shown.div_euclid(86_400));
        let (hour, minute, s) = (shown / 3600 % 24, shown / 60 % 60, shown % 60);
        let sign = if zone < 0 { '-' } else { '+' };
        let hours = zone.abs();
        let date = format!("{y}-{m:02}-{d:02}");
        let clock = format!("{hour:02}:{minute:02}:{s:02}");
        let time = match stamp {
            0 => format!("{date}T{clock}.{milli:03}{sign}{hours:02}:00"),
            1 => format!("{date} {clock},{milli:03}{sign}{hours:02}00"),
            2 => format!("{date} {clock}.{milli:03} {sign}{hours:02}00"),
            3 => format!("{second}.{milli:03}"),
            4 => format!("{second}{milli:03}"),
            _ => format!("{y}/{m:02}/{d:02} {clock}.{milli:03} {sign}{hours:02}00"),
        };
        let (level, word) = level;
        let line_of = match logger {
            0 => format!("{time} {word} [main] {name} - {message}"),
            1 => format!("{time} - {name} - {word} - {message}"),
            2 => format!("[{time}] {word:>5} {name}: {message}"),
            3 => format!("{time}  {word} 7 --- [main] {name} : {message}"),
            4 => format!("time=\"{time}\" level={} logger={name} msg=\"{message}\"", word.to_lowercase()),
            5 => format!("{time} | {word:<8} | {name}:42 - {message}"),
            _ => format!("[{time}][{word:<5}][{name:<25}] {message}"),
        };
        let event = line(&line_of);
        prop_assert_eq!(event.time, Some(second * 1_000_000_000 + milli * 1_000_000), "{}", line_of);
        prop_assert_eq!((event.level, &*event.operation, &*event.message), (level, &*name, &*message), "{}", line_of);
        prop_assert_eq!(event.failed, level >= Level::Error);
    }

    /// Whatever a line is, decoding ends, and a message is text without control over a terminal.
    #[test]
    fn any_line_is_decoded_or_rejected(text in prop_oneof![
        any::<String>(),
        "(<[0-9]{1,3}>)?(1 )?[A-Z][a-z]{2} [ 0-9]{1,2} [0-9:.,]{4,12} [a-z]{1,5} ?[a-z(]{1,5}[\\[(]?[0-9]{0,3}\\]?:? .{0,20}",
        "[\\[(]?[0-9/.: T,+Z-]{4,30}[\\])]? (\\[|\\(|<)?(INFO|warn|Error|E|LOG)?(\\]|:|-)? .{0,20}",
        "([a-z.]{1,8}=(\"[^\"]{0,9}\"?|[a-z0-9]{0,5}) ?){0,5}",
    ]) {
        for format in Format::ALL {
            if let Ok(events) = decoded(*format, text.as_bytes()) {
                for event in &events {
                    prop_assert!(!event.raw.is_empty());
                    prop_assert!(!event.message.contains(ESCAPE));
                    prop_assert_eq!(attributes(event).len(), event.attributes.iter().count());
                }
            }
        }
    }
}
