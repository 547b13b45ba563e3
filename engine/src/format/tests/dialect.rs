//! How a source writes what its format leaves open.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::{Attribute, Context, Dialect, Format, Memory, Wrong, decode};
use super::{Event, NOW};
use crate::event::{Kind, Level};

const HOUR: i64 = 3_600_000_000_000;

fn berlin() -> Dialect {
    Dialect::default().in_zone(Some("Europe/Berlin")).unwrap()
}

/// The events of lines, as one stream.
fn read<'a>(format: Format, lines: &[&'a str], dialect: Dialect) -> Vec<Event<'a>> {
    let mut context = Context { last_time: None, received: NOW, order: None, dialect: Some(Arc::new(dialect)) };
    let mut memory = Memory::default();
    let mut all = Vec::new();
    for line in lines {
        decode(format, line.as_bytes(), &context, &mut memory, &mut all).unwrap();
        context.last_time = all.last().and_then(|event| event.time).or(context.last_time);
    }
    all
}

fn time(line: &str, dialect: Dialect) -> i64 {
    read(Format::Text, &[line], dialect)[0].time.unwrap()
}

#[test]
fn a_time_without_a_zone_is_in_that_of_the_source() {
    // Winter, summer, a time of day alone, no year; what says its zone keeps it.
    assert_eq!(time("2026-11-25 00:42:01 INFO x", berlin()), NOW);
    assert_eq!(time("2026-07-25 00:42:01 INFO x", berlin()), time("2026-07-24T22:42:01Z INFO x", Dialect::default()));
    assert_eq!(time("Nov 25 00:42:01 web-3 sshd[1]: x", berlin()), NOW);
    assert_eq!(time("2026-11-24T23:42:01Z x", berlin()), NOW);
    assert_eq!(time("2026-11-24 18:42:01 -0500 x", berlin()), NOW);
    assert_eq!(time("1795563721 x", berlin()), NOW);
    let json = read(Format::Json, &[r#"{"time":"2026-11-25 00:42:01","msg":"x"}"#], berlin());
    assert_eq!(json[0].time, Some(NOW));
    let fixed = Dialect::default().in_zone(Some("EST5EDT,M3.2.0,M11.1.0")).unwrap();
    assert_eq!(time("2026-11-24 18:42:01 x", fixed), NOW);
}

#[test]
fn when_clocks_are_put_back_time_does_not_leap() {
    let lines = [
        "2026-10-25 01:59:59 a",
        "2026-10-25 02:30:00 b",
        "2026-10-25 02:59:59 c",
        "2026-10-25 02:00:01 d",
        "2026-10-25 02:40:00 e",
        "2026-10-25 03:00:01 f",
    ];
    let times: Vec<i64> = read(Format::Text, &lines, berlin()).iter().map(|event| event.time.unwrap()).collect();
    assert!(times.is_sorted());
    assert_eq!(times[5] - times[0], 2 * HOUR + 2_000_000_000);
    // Nobody's clock shows this.
    assert_eq!(time("2026-03-29 02:30:00 x", berlin()), time("2026-03-29T01:30:00Z x", Dialect::default()));
}

#[test]
fn fields_are_found_under_the_names_that_the_dialect_gives_them() {
    let dialect = Dialect::default()
        .with_field("time", "@t.when", Some("ms"))
        .and_then(|dialect| dialect.with_field("duration", "perf.elapsed", Some("us")))
        .and_then(|dialect| dialect.with_field("service", "app", None))
        .and_then(|dialect| dialect.with_field("operation", "route", None))
        .and_then(|dialect| dialect.with_field("status", "code", None))
        .and_then(|dialect| dialect.with_field("trace", "tid", None))
        .and_then(|dialect| dialect.with_field("message", "say", None))
        .unwrap();
    let nested = r#"{"@t":{"when":1795563721000.5},"perf":{"elapsed":12.5},"app":"shop","service":"x","route":"/buy","code":503,"tid":"00000000000000000000000000000abc","say":"no stock"}"#;
    let flat = nested.replace(r#""@t":{"when":1795563721000.5}"#, r#""@t.when":1795563721000.5"#);
    let flat = flat.replace(r#""perf":{"elapsed":12.5}"#, r#""perf.elapsed":"12.5""#);
    for line in [nested, &flat] {
        let event = &read(Format::Json, &[line], dialect.clone())[0];
        assert_eq!((event.kind, event.time, event.duration), (Kind::Internal, Some(NOW + 500_000), Some(12_500)));
        assert_eq!((&*event.service, &*event.operation, &*event.message), ("shop", "/buy", "no stock"));
        assert!(event.failed && event.trace[14..] == [0xA, 0xBC]);
    }
    // In logfmt and in text around JSON too.
    let event = &read(Format::Text, &["app=shop route=/buy perf.elapsed=7 code=200 say=bought"], dialect.clone())[0];
    assert_eq!(
        (&*event.service, &*event.operation, event.duration, event.failed),
        ("shop", "/buy", Some(7_000), false)
    );
    let event = &read(Format::Text, &[r#"2026-11-24 23:42:01 {"app":"shop","say":"hi"}"#], dialect)[0];
    assert_eq!((&*event.service, &*event.message, event.time), ("shop", "hi", Some(NOW)));
}

#[test]
fn what_starts_and_lasts_ends_later() {
    let dialect = Dialect::default().with_field("start", "begin", None).unwrap();
    let dialect = dialect.with_field("duration", "tookMs", None).unwrap().with_field("operation", "op", None).unwrap();
    let event = &read(Format::Json, &[r#"{"begin":1795563721,"tookMs":250,"op":"x"}"#], dialect)[0];
    assert_eq!((event.time, event.duration), (Some(NOW + 250_000_000), Some(250_000_000)));
}

#[test]
fn delimited_lines_are_read_by_their_columns() {
    let lines = [
        "ts,route,elapsed_ms,code,msg\r\n",
        "2026-11-24 23:42:01,\"/a,\"\"b\"\"\",12,200,\n",
        "2026-11-24 23:42:02,/c,,500,\"out, of stock\"\n",
        "ts,route,elapsed_ms,code,msg\n",
        "free text\n",
    ];
    let dialect = Dialect::default().with_field("operation", "route", None).unwrap();
    let dialect =
        dialect.with_field("duration", "elapsed_ms", None).unwrap().with_field("status", "code", None).unwrap();
    for dialect in [dialect.clone(), dialect.delimited(",", Vec::new()).unwrap()] {
        let events = read(Format::Delimited, &lines, dialect);
        assert_eq!(events.len(), 3);
        assert_eq!(
            (&*events[0].operation, events[0].kind, events[0].duration),
            ("/a,\"b\"", Kind::Internal, Some(12_000_000))
        );
        assert_eq!((&*events[1].operation, &*events[1].message, events[1].failed), ("/c", "out, of stock", true));
        assert_eq!(events[1].time, Some(NOW + 1_000_000_000));
        let expected =
            [("ts", r#""2026-11-24 23:42:02""#), ("route", r#""/c""#), ("code", "500"), ("msg", r#""out, of stock""#)];
        assert_eq!(super::attributes(&events[1]), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(&*events[2].message, "free text");
    }
    let named = ["time", "level", "message"].map(str::to_owned).to_vec();
    let tabs = Dialect::default().delimited("\t", named).unwrap();
    let events = read(Format::Delimited, &["1795563721\tERROR\t\n", "\t\tall that is said\n"], tabs);
    assert_eq!((events[0].time, events[0].level), (Some(NOW), Level::Error));
    assert_eq!(&*events[1].message, "all that is said");
}

#[test]
fn what_is_wrong_with_a_dialect_is_said() {
    let plain = Dialect::default;
    let of = |wrong: Result<Dialect, Wrong>| wrong.unwrap_err().to_string();
    assert_eq!(
        of(plain().in_zone(Some("Europe/Berlim"))),
        r#"unknown time zone "Europe/Berlim"; did you mean "Europe/Berlin"?"#
    );
    assert_eq!(of(plain().in_zone(Some("berlin"))), r#"unknown time zone "berlin"; did you mean "Europe/Berlin"?"#);
    assert!(of(plain().in_zone(Some("nowhere at all"))).ends_with("use a name such as Europe/Berlin or UTC"));
    assert_eq!(
        of(plain().with_field("durations", "x", None)),
        r#"unknown field "durations"; did you mean "duration"?"#
    );
    assert!(of(plain().with_field("colour", "x", None)).contains("it is one of time, start, duration"));
    for name in ["elapsed", "items", "params", "cases"] {
        assert!(of(plain().with_field("duration", name, None)).contains("say whether it is ns, us, ms or s"), "{name}");
    }
    for name in ["took_ms", "tookMs", "a.elapsed-us", "latencySeconds", "time_taken_s", "durationNanos", "ms"] {
        assert!(plain().with_field("duration", name, None).is_ok(), "{name}");
    }
    assert!(of(plain().with_field("duration", "x", Some("h"))).contains("ns, us, ms, s"));
    assert!(of(plain().with_field("service", "x", Some("ms"))).contains("service has no unit"));
    assert!(of(plain().with_field("time", "", None)).contains("give it the name"));
    for delimiter in ["", "ab", "a", "\"", "\n", "é"] {
        assert!(plain().delimited(delimiter, Vec::new()).is_err(), "{delimiter:?}");
    }
}

proptest! {
    #[test]
    fn what_a_spreadsheet_writes_comes_back(rows in prop::collection::vec(prop::collection::vec("[ -~é]{0,12}", 4), 1..6), at in 0_usize..5) {
        let delimiter = [",", ";", "\t", "|", " "][at];
        let quote = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
        let lines: Vec<String> = rows.iter().map(|row| row.iter().map(quote).collect::<Vec<_>>().join(delimiter)).collect();
        let names = ["w", "x1", "y1", "z1"].map(str::to_owned).to_vec();
        let dialect = Dialect::default().delimited(delimiter, names.clone()).unwrap();
        let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
        for (event, row) in read(Format::Delimited, &texts, dialect).iter().zip(&rows) {
            let found: Vec<(String, String)> = event
                .attributes
                .iter()
                .map(|(key, value)| match value {
                    Attribute::Text(text) => (key.into_owned(), text.into_owned()),
                    // Numbers are compared as what they are.
                    other => (key.into_owned(), format!("{other:?}")),
                })
                .collect();
            let number = |cell: &str| cell.ends_with(|c: char| c.is_ascii_digit()) && cell.parse::<f64>().is_ok();
            let expected: Vec<&String> = row.iter().filter(|cell| !cell.is_empty()).collect();
            prop_assert_eq!(found.len(), expected.len());
            for ((_, text), cell) in found.iter().zip(expected) {
                prop_assert!(number(cell) || text == cell, "{text:?} of {cell:?}");
            }
        }
    }
}
