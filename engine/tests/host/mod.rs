//! Made-up hosts: lines of spans, logs and rubbish, and how a source would cut them into blocks.
#![allow(dead_code, clippy::unwrap_used)]

use std::fmt::Write;

use proptest::prelude::*;
use tracegist_engine::format;

/// When the made-up events begin, in nanoseconds since the epoch.
pub const START: i64 = 1_700_000_000_000_000_000;

/// When they are received.
pub const RECEIVED: i64 = START + 1_000_000_000_000;

/// One line of a stream.
#[derive(Clone, Debug)]
pub enum Line {
    Span { trace: u8, span: u8, parent: u8, service: u8, operation: u8, at: u32, took: u32, failed: bool },
    Log { service: u8, at: u32, number: u16 },
    Broken(u8),
}

pub fn line() -> impl Strategy<Value = Line> {
    let span = (0u8..6, 1u8..9, 0u8..9, 0u8..4, 0u8..3, 0u32..900, 0u32..5_000_000, prop::bool::weighted(0.2))
        .prop_map(|(trace, span, parent, service, operation, at, took, failed)| Line::Span {
            trace,
            span,
            parent,
            service,
            operation,
            at,
            took,
            failed,
        });
    let log = (0u8..4, 0u32..900, any::<u16>()).prop_map(|(service, at, number)| Line::Log { service, at, number });
    prop_oneof![6 => span, 2 => log, 1 => (0u8..5).prop_map(Line::Broken)]
}

pub fn text(lines: &[Line]) -> Vec<u8> {
    let mut out = String::new();
    for line in lines {
        match line {
            Line::Span { trace, span, parent, service, operation, at, took, failed } => {
                let end = START + i64::from(*at) * 1_000_000_000;
                let start = end - i64::from(*took);
                let parent = if *parent == 0 { String::new() } else { format!("{parent:016x}") };
                let status = if *failed { r#"{"code":2,"message":"no answer after 17 ms"}"# } else { "{}" };
                write!(
                    out,
                    r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"s{service}"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"{:032x}","spanId":"{span:016x}","parentSpanId":"{parent}","name":"op{operation}","kind":2,"startTimeUnixNano":"{start}","endTimeUnixNano":"{end}","status":{status}}}]}}]}}]}}"#,
                    u128::from(*trace) + 1
                )
                .unwrap();
            }
            Line::Log { service, at, number } => {
                let at = START + i64::from(*at) * 1_000_000_000;
                let tenant = number % 3;
                write!(
                    out,
                    r#"{{"time":{at},"level":"info","service":"s{service}","msg":"order {number} accepted","tenant":"t{tenant}"}}"#
                )
                .unwrap();
            }
            Line::Broken(n) => out.push_str(
                ["{\"a\":", "{]", "{\"resourceSpans\":3}", "\u{0}\u{1}\u{2}\u{0}\u{1}", "plain words"]
                    [usize::from(*n) % 5],
            ),
        }
        out.push('\n');
    }
    out.into_bytes()
}

/// Cut into blocks of about `size` bytes that end at record boundaries, as a source does.
pub fn blocks(data: &[u8], size: usize) -> Vec<&[u8]> {
    let (mut out, mut from, mut to) = (Vec::new(), 0, 0);
    while from < data.len() {
        to = (to + size).min(data.len());
        let length = if to == data.len() { to - from } else { format::boundary(None, &data[from..to]) };
        if length > 0 {
            out.push(&data[from..from + length]);
            from += length;
        }
    }
    out
}
