//! Tables of spans, requests and log records whose header nobody foresaw: told by the names of their columns.
#![allow(clippy::needless_raw_string_hashes)] // Lines are put in as they are.

use super::super::{Format, detect};
use super::samples::{Sample, compare};

/// A table, lines of it, and what they say.
const TABLES: &[Sample] = &[
    (
        "spans of pods",
        "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration
4bf92f3577b34da6a3ce929d0e0e4736,00f067aa0ba902b7,a3ce929d0e0e4736,cart-7d9f,/cart.Get,1795563721000000000,1795563721250000000,250000000
",
        r#"internal 0.25 took 0.25 by cart-7d9f in /cart.Get trace 4736 span 02b7 below 4736 | "#,
    ),
    (
        "log records",
        r#"timestamp,level,service,message
2026-11-24T23:42:01.5Z,ERROR,pay,"card ""4242"" declined, again"
2026-11-24T23:42:02Z,info,pay,ok
"#,
        r#"log 0.5 error failed by pay | card "4242" declined, again
log 1 info by pay | ok"#,
    ),
    (
        "requests, by semicolons",
        "start_time;duration_ms;url;method;status\r\n2026-11-24 23:42:01;250;/cart;GET;503\r\n",
        r#"server 0.25 failed took 0.25 in GET /cart | 503 Service Unavailable"#,
    ),
    (
        "log records, by tabs, their names in quotes",
        "\"Time Generated\"\t\"Severity\"\t\"Message\"\n2026-11-24T23:42:01Z\tWarning\tdisk is full\n",
        r#"log 0 warn | disk is full"#,
    ),
];

#[test]
fn tables_of_events_are_told_by_the_names_of_their_columns() {
    compare(TABLES, Some(Format::Delimited));
}

#[test]
fn what_is_no_table_of_events_is_text() {
    let lines = [
        "product,region,usage,cost\nvm,eu,12,3.50\n",
        "time,was,short\n",
        "Time, level and message: all of them matter\n",
        "name,age,city\nann,42,Bonn\n",
        "2026-11-24T23:42:01Z,ERROR,pay,no header\n",
        "timestamp,timestamp,level,message\n",
    ];
    for line in lines {
        assert_eq!(detect(line.as_bytes(), true), Some(Format::Text), "{line}");
    }
}

#[test]
fn a_header_that_has_not_ended_is_waited_for() {
    let header = b"timestamp,level,service,message\n2026-11-24T23:42:01Z,ERROR,pay,x\n".repeat(4);
    for length in 1..header.len() {
        let told = detect(&header[..length], false);
        assert!(matches!(told, None | Some(Format::Delimited)), "{length} {told:?}");
    }
    assert_eq!(detect(&header, false), Some(Format::Delimited));
}
