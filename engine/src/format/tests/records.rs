//! Records end where they should, and it does not matter how a stream is cut.

use proptest::prelude::*;

use super::super::{Format, Next, boundary, detect, next_record};
use super::{CONTEXT, decoded};

/// The records of a stream; what is left at its end is one.
fn records(format: Option<Format>, data: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    let mut rest = data;
    while !rest.is_empty() {
        let length = match next_record(format, rest) {
            Next::Record(length) => length,
            Next::Incomplete => rest.len(),
        };
        let (record, after) = rest.split_at(length);
        records.push(record);
        rest = after;
    }
    records
}

fn texts(format: Format, data: &str) -> Vec<&str> {
    records(Some(format), data.as_bytes()).into_iter().map(|record| std::str::from_utf8(record).unwrap()).collect()
}

#[test]
fn a_pretty_printed_document_is_one_record() {
    let data = "{\n  \"a\": [\n    1,\n    \"} ]\"\n  ]\n}\n{\"b\":1}\n{\"c\": 1,\n \"d\": {\"e\": 1}}\nplain\n";
    assert_eq!(
        texts(Format::Json, data),
        ["{\n  \"a\": [\n    1,\n    \"} ]\"\n  ]\n}\n", "{\"b\":1}\n", "{\"c\": 1,\n \"d\": {\"e\": 1}}\n", "plain\n"]
    );
}

#[test]
fn a_truncated_line_takes_none_of_its_neighbours_with_it() {
    let data = "{\"a\":{\"b\":[\n{\"c\":1}\n{\"d\":\"x\n{\"e\":1,\n{\"f\":1}\n";
    assert_eq!(
        texts(Format::Json, data),
        ["{\"a\":{\"b\":[\n", "{\"c\":1}\n", "{\"d\":\"x\n", "{\"e\":1,\n", "{\"f\":1}\n"]
    );
}

#[test]
fn a_truncated_document_ends_where_the_next_one_starts() {
    let data = "{\n  \"a\": [\n    {\"b\": \"x\n{\n  \"c\": 1\n}\n";
    assert_eq!(texts(Format::Json, data), ["{\n  \"a\": [\n    {\"b\": \"x\n", "{\n  \"c\": 1\n}\n"]);
}

#[test]
fn lines_of_text_end_at_their_newline() {
    assert_eq!(texts(Format::Text, "{\n  a\n\n b"), ["{\n", "  a\n", "\n", " b"]);
}

#[test]
fn an_array_of_one_object_a_line_is_read_line_by_line() {
    let data = b"[\n{\"msg\":\"a\"},\n{\"msg\":\"b\"}\n,{\"msg\":\"c\"}\n]\n";
    let messages: Vec<_> = records(Some(Format::Json), data)
        .into_iter()
        .flat_map(|record| decoded(Format::Json, record).unwrap())
        .map(|event| event.message.into_owned())
        .collect();
    assert_eq!(messages, ["a", "b", "c"]);
}

#[test]
fn the_first_record_tells_the_format() {
    let cases: &[(&str, Format)] = &[
        ("{\"resourceSpans\":[]}", Format::Otlp),
        ("\u{FEFF}{\"resource_logs\":[]}", Format::Otlp),
        ("{\n  \"resourceSpans\": [\n    {\"resource\": {\"attr", Format::Otlp),
        ("{\"scopeSpans\":[]}", Format::Otlp),
        ("{\"level\":\"info\"}", Format::Json),
        ("{\"level\":\"in", Format::Json),
        ("[{\"level\":\"info\"}]", Format::Json),
        ("[\n", Format::Json),
        ("[2026-11-24 23:42:01] started", Format::Text),
        ("Nov 24 23:42:01 web-3 sshd[1]: hello", Format::Text),
        ("", Format::Text),
    ];
    for (record, format) in cases {
        assert_eq!(detect(record.as_bytes(), true), Some(*format), "{record}");
        let early = detect(record.as_bytes(), false);
        assert!(early.is_none_or(|early| early == *format), "{record}");
    }
}

#[test]
fn formats_are_known_by_their_names() {
    for format in Format::ALL {
        assert_eq!(Format::named(format.name()), Some(*format));
        assert_eq!(serde_json::to_string(format).unwrap(), format!("\"{}\"", format.name()));
    }
    assert_eq!(Format::named("nonsense"), None);
}

/// Where the last record ends, by all that come before it.
fn one_by_one(format: Option<Format>, data: &[u8]) -> usize {
    let mut end = 0;
    while let Next::Record(length) = next_record(format, &data[end..]) {
        end += length;
    }
    end
}

/// What a stream may hold, in pieces that go together badly.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "{\"msg\":\"a\"}\n", "{\n", "  \"msg\": \"b\",\n", "  \"x\": [\n", "]\n", "}\n", "[\n", "},\n", "{\"a\":\n", "\n", "\r\n",
            "plain text\n", "  indented\n", "\"key\": 1\n", "{\"msg\":\"cut", "\\", "\"", "\u{FEFF}", "\0\0", "[2026] x = {\n",
            "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"n\"}]}]}]}\n",
            "{\"traceEvents\":[", "{\"ph\":\"B\",\"ts\":1,\"name\":\"a\"}", ",", "],\"data\":[", "\"hits\": {", ": 12,", "{\"ph\":\"E\",\"ts\":2}",
            "\x0A\x02\x0A\x00", "\x0A\x0A\x0A\x08", "\0\0\0\x04\x0A\x02\x0A\x00",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A reader gets bytes in reads of any size, hands on what ends at a boundary and keeps the rest.
    #[test]
    fn a_stream_decodes_to_the_same_however_it_is_cut(
        data in stream(), format in prop::sample::select(Format::ALL), known in any::<bool>(),
        reads in prop::collection::vec(1_usize..40, 1..8),
    ) {
        let hint = known.then_some(format);
        let whole = records(hint, &data);
        let mut cut = Vec::new();
        let (mut start, mut end) = (0, 0);
        for read in reads.iter().cycle() {
            end = (end + read).min(data.len());
            let length = boundary(hint, &data[start..end]);
            prop_assert_eq!(length, one_by_one(hint, &data[start..end]));
            let chunk = &data[start..start + length];
            let complete = records(hint, chunk);
            prop_assert_eq!(complete.concat(), chunk);
            cut.extend(complete);
            start += length;
            if end == data.len() {
                break;
            }
        }
        if start < data.len() {
            cut.push(&data[start..]);
        }
        prop_assert_eq!(&cut, &whole);
        for (one, other) in cut.iter().zip(&whole) {
            prop_assert_eq!(decoded(format, one), decoded(format, other));
        }
    }

    /// A record is parsed or rejected as a whole, and its events are made of its own bytes.
    #[test]
    fn a_rejected_record_leaves_no_events(data in stream(), format in prop::sample::select(Format::ALL)) {
        for record in records(Some(format), &data) {
            let mut events = vec![crate::event::Event::default()];
            let result = super::decode(format, record, &CONTEXT, &mut super::Memory::default(), &mut events);
            prop_assert!(!events.is_empty());
            if let Err(reject) = result {
                prop_assert_eq!(events.len(), 1);
                prop_assert!(reject.offset() <= record.len());
            }
            for event in &events[1..] {
                prop_assert!(!event.raw.is_empty());
                prop_assert!(record.as_ptr_range().contains(&event.raw.as_ptr()));
            }
        }
    }
}
