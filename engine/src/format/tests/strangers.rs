//! Lines of ordinary loggers are never taken for those of a tool.

use proptest::prelude::*;

use super::super::{Format, Reader};
use super::{CONTEXT, stream};
use crate::event::Kind;

/// Lines that look a little like a tool's.
const LINES: &[&str] = &[
    "2026-11-24 23:42:01,123 INFO [main] com.example.Orders - order(17) = accepted <0.5>",
    "23:42:01 compute(3, 4) = 7",
    "12:00:01.123456 connect(host) = ok",
    "1234 open(door) = yes",
    "compute(3, 4) = 7",
    "retry(attempt=3) = 0 <0.000012>",
    "I1124 23:42:01.123456    1 server.go:12] started [001] 12.345678: done",
    "Nov 24 23:42:01 web-3 sshd[123]: Accepted publickey for root from 10.0.0.1 port 22",
    "[  12.345678] usb 1-1: new high-speed USB device number 2",
    "kernel: [12345.678901] oom-killer: gfp_mask=0x1",
    "127.0.0.1 - - [24/Nov/2026:23:42:01 +0000] \"GET / HTTP/1.1\" 200 12",
    "[pid 12] worker started",
    "--- starting ---",
    "+++ done +++",
    "> quoted text",
    "TIME TO GO",
    "PID file written",
    "ERROR FATAL PID COMM",
    "worker-1 [001] started: ok",
    "app-12 [000] 12.5: ready",
    "GET /a,b,c 200",
    "a,b,c",
    "time,was,short",
    "bash 1234 exited: 1 status: ok",
    "[15:31:49.123] (main) provider:event: { }",
    "[15:31:49.123456789] (+1 more) something { a = 1 }",
    "0) first item",
    " 1)   0.5 done",
    "@here: 12",
    "[1, 2) is an interval",
    "1 -> 2 : moved",
    "TIME -> AA",
];

/// The format that a line tells, and how many events of it are neither log records nor requests.
fn format_of(line: &str) -> (Option<Format>, usize) {
    let (mut reader, mut events) = (Reader::default(), Vec::new());
    reader.next(line.as_bytes(), None, &mut { CONTEXT }, usize::MAX, &mut events);
    (reader.format, events.iter().filter(|event| !matches!(event.kind, Kind::Log | Kind::Server)).count())
}

#[test]
fn ordinary_lines_are_text() {
    for line in LINES {
        assert_eq!(format_of(line), (Some(Format::Text), 0), "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Whatever stamp, level, logger and words a line is made of.
    #[test]
    fn lines_of_loggers_are_text(
        stamp in prop::sample::select(vec![
            "", "2026-11-24T23:42:01.123456Z ", "2026-11-24 23:42:01,123 ", "23:42:01.123456 ", "1795563721.123456 ", "[12345.678901] ",
            "Nov 24 23:42:01 web-3 ", "24/Nov/2026:23:42:01 +0000 ", "I1124 23:42:01.123456 ", "12345 ", "[pid 7] ", "[23:42:01.123456789] ",
        ]),
        head in prop::sample::select(vec![
            "", "INFO ", "[info] ", "ERROR: ", "[main] ", "(worker-3) ", "sshd[123]: ", "kernel: ", "app.orders - ", "web-1  | ", "PID ", "TIME ",
        ]),
        words in prop::collection::vec(
            prop_oneof![
                "[a-z]{1,9}", "[A-Z]{2,6}", "[0-9]{1,6}", "[a-z]{2,6}=[0-9]{1,4}", "[0-9]{1,4}\\.[0-9]{1,6}", "[a-z]{3,7}\\([a-z0-9, ]{0,9}\\)",
                "\\[[0-9]{3}\\]", "[a-z]{2,5}-[0-9]{1,4}", "[a-z]{2,6}:", "->", "=", "\\|", "\\{", "\\}", "0x[0-9a-f]{4,12}", "<[0-9]\\.[0-9]{3}>",
            ],
            1..12,
        ),
    ) {
        let line = format!("{stamp}{head}{}", words.join(" "));
        let (format, others) = format_of(&line);
        prop_assume!(!line.starts_with('{'));
        prop_assert_eq!(format, Some(Format::Text), "{}", line);
        prop_assert_eq!(others, 0);
        prop_assert!(stream(&line).len() <= 1);
    }
}
