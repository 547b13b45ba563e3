//! OTLP/protobuf says what OTLP/JSON says, in each of its framings; and no framing is taken for another.

use proptest::prelude::*;

use super::super::otlp_frames::{self, Start};
use super::super::{Format, Memory, Next, Reader, decode, detect, next_record};
use super::{CONTEXT, attributes, decoded};
use crate::event::Event;

/// A protobuf message being written.
#[derive(Clone, Debug, Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn fixed(&mut self, field: u64, value: u64) {
        self.varint(field << 3 | 1);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }

    fn message(&mut self, field: u64, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(field, &inner.0);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value of OTLP, written in both ways.
#[derive(Clone, Debug)]
enum Any {
    Text(String),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(Vec<u8>),
    Array(Vec<Any>),
    Map(Vec<(String, Any)>),
}

impl Any {
    fn json(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Self::Text(text) => json!({ "stringValue": text }),
            Self::Bool(value) => json!({ "boolValue": value }),
            Self::Int(value) => json!({ "intValue": value.to_string() }),
            Self::Double(value) => json!({ "doubleValue": value }),
            Self::Bytes(bytes) => json!({ "bytesValue": super::super::id::to_base64(bytes) }),
            Self::Array(list) => json!({ "arrayValue": { "values": list.iter().map(Self::json).collect::<Vec<_>>() } }),
            Self::Map(map) => json!({ "kvlistValue": { "values": pairs_json(map) } }),
        }
    }

    fn proto(&self, out: &mut Writer) {
        match self {
            Self::Text(text) => out.bytes(1, text.as_bytes()),
            Self::Bool(value) => out.number(2, u64::from(*value)),
            Self::Int(value) => out.number(3, value.cast_unsigned()),
            Self::Double(value) => out.fixed(4, value.to_bits()),
            Self::Bytes(bytes) => out.bytes(7, bytes),
            Self::Array(list) => out.message(5, |out| list.iter().for_each(|any| out.message(1, |out| any.proto(out)))),
            Self::Map(map) => out.message(6, |out| pairs_proto(map, 1, out)),
        }
    }
}

type Pairs = Vec<(String, Any)>;

fn pairs_json(pairs: &Pairs) -> serde_json::Value {
    pairs.iter().map(|(key, value)| serde_json::json!({ "key": key, "value": value.json() })).collect()
}

fn pairs_proto(pairs: &Pairs, field: u64, out: &mut Writer) {
    for (key, value) in pairs {
        out.message(field, |out| {
            out.bytes(1, key.as_bytes());
            out.message(2, |out| value.proto(out));
        });
    }
}

/// What a span and a log record have alike, and either's own.
#[derive(Clone, Debug)]
struct Item {
    trace: [u8; 16],
    span: [u8; 8],
    parent: [u8; 8],
    text: String,
    number: u64,
    time: u64,
    took: u64,
    attributes: Pairs,
    body: Any,
    failed: bool,
}

impl Item {
    fn json(&self, logs: bool) -> serde_json::Value {
        if logs {
            return serde_json::json!({
                "timeUnixNano": self.time.to_string(), "severityNumber": self.number, "severityText": self.text,
                "body": self.body.json(), "attributes": pairs_json(&self.attributes), "traceId": hex(&self.trace),
                "spanId": hex(&self.span),
            });
        }
        serde_json::json!({
            "traceId": hex(&self.trace), "spanId": hex(&self.span), "parentSpanId": hex(&self.parent),
            "name": self.text, "kind": self.number % 7, "startTimeUnixNano": self.time.to_string(),
            "endTimeUnixNano": (self.time + self.took).to_string(), "attributes": pairs_json(&self.attributes),
            "events": [{ "name": "exception", "attributes": [{ "key": "exception.message", "value": self.body.json() }] }],
            "status": { "code": if self.failed { 2 } else { 0 } },
        })
    }

    fn proto(&self, logs: bool, out: &mut Writer) {
        if logs {
            out.fixed(1, self.time);
            out.number(2, self.number);
            out.bytes(3, self.text.as_bytes());
            out.message(5, |out| self.body.proto(out));
            pairs_proto(&self.attributes, 6, out);
            out.bytes(9, &self.trace);
            out.bytes(10, &self.span);
            return;
        }
        out.bytes(1, &self.trace);
        out.bytes(2, &self.span);
        out.bytes(4, &self.parent);
        out.bytes(5, self.text.as_bytes());
        out.number(6, self.number % 7);
        out.fixed(7, self.time);
        out.fixed(8, self.time + self.took);
        pairs_proto(&self.attributes, 9, out);
        out.message(11, |out| pairs_proto(&vec![("exception.message".to_owned(), self.body.clone())], 3, out));
        out.message(15, |out| {
            if self.failed {
                out.number(3, 2);
            }
        });
    }
}

/// A request: of each resource its attributes, and its spans or log records.
#[derive(Clone, Debug)]
struct Request {
    logs: bool,
    resources: Vec<(Pairs, Vec<Item>)>,
}

impl Request {
    fn json(&self) -> String {
        let [parts, scopes, items] = if self.logs {
            ["resourceLogs", "scopeLogs", "logRecords"]
        } else {
            ["resourceSpans", "scopeSpans", "spans"]
        };
        let resources: serde_json::Value = self
            .resources
            .iter()
            .map(|(resource, list)| {
                let list: serde_json::Value = list.iter().map(|item| item.json(self.logs)).collect();
                serde_json::json!({ "resource": { "attributes": pairs_json(resource) }, scopes: [{ "scope": { "name": "sdk" }, items: list }] })
            })
            .collect();
        serde_json::json!({ parts: resources }).to_string()
    }

    fn proto(&self) -> Vec<u8> {
        let mut out = Writer::default();
        for (resource, list) in &self.resources {
            out.message(1, |out| {
                out.message(1, |out| pairs_proto(resource, 1, out));
                out.message(2, |out| {
                    out.message(1, |out| out.bytes(1, b"sdk"));
                    list.iter().for_each(|item| out.message(2, |out| item.proto(self.logs, out)));
                });
            });
        }
        out.0
    }
}

fn delimited(request: &[u8]) -> Vec<u8> {
    let mut out = Writer::default();
    out.varint(request.len() as u64);
    out.0.extend(request);
    out.0
}

fn sized(request: &[u8]) -> Vec<u8> {
    [&u32::try_from(request.len()).unwrap().to_be_bytes(), request].concat()
}

fn any() -> impl Strategy<Value = Any> {
    let leaf = prop_oneof![
        ".{0,12}".prop_map(Any::Text),
        prop::bool::ANY.prop_map(Any::Bool),
        prop::num::i64::ANY.prop_map(Any::Int),
        // In JSON a whole number does not say that it is one by chance.
        (-1_000_000_i32..1_000_000).prop_map(|number| Any::Double(f64::from(number) + 0.5)),
        prop::collection::vec(prop::num::u8::ANY, 0..6).prop_map(Any::Bytes),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Any::Array),
            prop::collection::vec(("[a-z\"]{1,4}", inner), 0..3).prop_map(Any::Map),
        ]
    })
}

fn pairs() -> impl Strategy<Value = Pairs> {
    let name = ("service\\.name|k8s\\.pod\\.name", ".{0,12}".prop_map(Any::Text));
    prop::collection::vec(prop_oneof![name, ("[a-z]{1,6}", any())], 0..4)
}

prop_compose! {
    fn item()(
        trace in prop::num::u128::ANY, span in prop::num::u64::ANY, parent in prop::num::u64::ANY, text in ".{0,12}|error|INFO",
        number in 0_u64..30, time in 1_u64..4_000_000_000_000_000_000, took in 0_u64..1_000_000_000_000, attributes in pairs(), body in any(),
        failed in prop::bool::ANY,
    ) -> Item {
        Item { trace: trace.to_be_bytes(), span: span.to_be_bytes(), parent: parent.to_be_bytes(), text, number, time, took, attributes, body, failed }
    }
}

fn request() -> impl Strategy<Value = Request> {
    let resources = prop::collection::vec((pairs(), prop::collection::vec(item(), 1..4)), 1..4);
    (prop::bool::ANY, resources).prop_map(|(logs, resources)| Request { logs, resources })
}

/// An event without its bytes, and its attributes.
type Said = (Event<'static>, Vec<(String, String)>);

/// What an event says, whatever bytes it stands in.
fn said(event: &Event<'_>) -> Said {
    let owned = |text: &str| std::borrow::Cow::Owned(text.to_owned());
    let alone = Event {
        service: owned(&event.service),
        operation: owned(&event.operation),
        message: owned(&event.message),
        attributes: crate::event::Attributes::None,
        raw: &[],
        ..*event
    };
    (alone, attributes(event))
}

/// The events of a stream whose format is not known, and the records it was cut into.
fn read(stream: &[u8]) -> (Vec<Said>, usize) {
    let (mut reader, mut context) = (Reader::default(), CONTEXT);
    let (mut rest, mut events, mut all, mut records) = (stream, Vec::new(), Vec::new(), 0);
    loop {
        events.clear();
        let Some(record) = reader.next(rest, None, &mut context, usize::MAX, &mut events) else { break };
        assert!(record.found.is_ok(), "{:?}", record.found);
        rest = &rest[record.bytes.len()..];
        records += 1;
        all.extend(events.iter().map(said));
    }
    assert_eq!(reader.format, Some(Format::OtlpProto));
    (all, records)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_request_in_protobuf_says_what_it_says_in_json(requests in prop::collection::vec(request(), 1..4)) {
        let json: Vec<String> = requests.iter().map(Request::json).collect();
        let expected: Vec<_> =
            json.iter().flat_map(|text| decoded(Format::Otlp, text.as_bytes()).unwrap()).map(|event| said(&event)).collect();
        let protos: Vec<Vec<u8>> = requests.iter().map(Request::proto).collect();
        let resources: usize = requests.iter().map(|request| request.resources.len()).sum();
        for (frame, count) in
            [(delimited as fn(&[u8]) -> Vec<u8>, requests.len()), (sized, requests.len()), (<[u8]>::to_vec, resources)]
        {
            let stream: Vec<u8> = protos.iter().flat_map(|proto| frame(proto)).collect();
            let (events, records) = read(&stream);
            prop_assert_eq!(&events, &expected);
            prop_assert_eq!(records, count);
        }
    }

    /// Bytes that are no request are rejected alone.
    #[test]
    fn damage_between_requests_harms_no_request(
        request in request(), damage in prop::collection::vec(prop::num::u8::ANY, 1..30), way in 0..3,
    ) {
        let frame = |proto: &[u8]| match way {
            0 => delimited(proto),
            1 => sized(proto),
            _ => proto.to_vec(),
        };
        let framed = frame(&request.proto());
        let stream = [&framed[..], &damage, &framed].concat();
        let expected = decoded(Format::OtlpProto, &delimited(&request.proto())).map(|events| events.len()).unwrap();
        let (mut rest, mut found) = (&stream[..], 0);
        while !rest.is_empty() {
            let length = match next_record(Some(Format::OtlpProto), rest) {
                Next::Record(length) => length,
                Next::Incomplete => rest.len(),
            };
            let mut events = Vec::new();
            decode(Format::OtlpProto, &rest[..length], &CONTEXT, &mut Memory::default(), &mut events).ok();
            found += events.len();
            rest = &rest[length..];
        }
        // Damage may look like a request that takes in what follows: the first one is whole in any case.
        prop_assert!(found >= expected);
    }

    /// What is said of the first bytes stands when there are more of them, and so does the format.
    #[test]
    fn more_bytes_change_no_answer(
        request in request(), noise in prop::collection::vec(prop::sample::select(&b"\n\n\n\x12\x1a\x08 {[a\0\x01\x80\x10"[..]), 0..60),
        framed in 0..4, at in 0_usize..80,
    ) {
        let bytes = match framed {
            0 => delimited(&request.proto()),
            1 => sized(&request.proto()),
            2 => request.proto(),
            _ => noise,
        };
        let head = &bytes[..at.min(bytes.len())];
        let early = otlp_frames::start(head);
        prop_assert!(early == Start::More || early == otlp_frames::start(&bytes));
        let early = detect(head, false);
        prop_assert!(early.is_none() || early == detect(&bytes, true));
    }
}

fn span_message(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut out = Writer::default();
    out.message(1, |out| out.message(2, |out| out.message(2, write)));
    out.0
}

#[test]
fn what_holds_no_spans_and_no_log_records_is_rejected_for_what_it_is() {
    let reason = |request: &[u8]| decoded(Format::OtlpProto, request).unwrap_err().reason();
    // A gauge: name, description and data.
    let metrics = span_message(|out| {
        out.bytes(1, b"system.cpu.load1");
        out.bytes(2, b"The load");
        out.message(5, |out| out.message(1, |out| out.fixed(3, 5)));
        out.message(7, |_| {});
    });
    assert_eq!(reason(&metrics), "OTLP metrics");
    assert_eq!(detect(&metrics, true), Some(Format::OtlpProto));
    let profiles = span_message(|out| {
        out.message(1, |out| out.number(1, 5));
        out.fixed(3, 5);
    });
    assert_eq!(reason(&profiles), "OTLP profiles");
    // Only a name, of a span or of a metric.
    assert_eq!(reason(&span_message(|out| out.bytes(5, b"op"))), "OTLP of no clear kind");
    assert_eq!(reason(&span_message(|out| out.fixed(2, 7))[..6]), "not OTLP in protobuf");
    assert_eq!(reason(b"nonsense"), "not OTLP in protobuf");
}

#[test]
fn requests_without_anything_in_them_have_no_events() {
    for empty in [&b"\0"[..], b"\0\0\0\0", b"\x0A\0", b"\x02\x0A\0", b"\x0A\x02\x0A\0"] {
        assert_eq!(decoded(Format::OtlpProto, empty).map(|events| events.len()), Ok(0), "{empty:?}");
    }
    assert!(decoded(Format::OtlpProto, b"\0\0\0\0\0").is_err());
}

#[test]
fn a_request_over_the_limit_is_refused_to_its_end() {
    let big = span_message(|out| {
        out.bytes(1, &[1; 16]);
        out.bytes(5, &[b'\n'; 5000]);
        out.fixed(7, 5);
    });
    let small = span_message(|out| out.fixed(7, 5));
    let stream = [delimited(&big), delimited(&small)].concat();
    let (mut reader, mut context) = (Reader::default(), CONTEXT);
    let (mut at, mut events, mut refused) = (0, Vec::new(), 0);
    // In blocks, as a source hands on what is over the limit.
    for end in [1200, 2400, stream.len()] {
        while let Some(record) = reader.next(&stream[at..end], Some(Format::OtlpProto), &mut context, 1000, &mut events)
        {
            at += record.bytes.len();
            refused += usize::from(record.found.is_err());
        }
    }
    assert_eq!((events.len(), refused), (1, 3));
}

#[test]
fn text_is_not_taken_for_a_request() {
    for text in [
        "\n~\nz\nx\nv\nt and so on, over many lines of which the last one is the longest of all and makes up for the others.\n",
        "\n\n\n\n\n\n\n\n\n\n\n\n",
        "{\n  \"a\": 1\n}\n",
        "\n \n\x1a\n",
        "2026\nabc",
        "\0\0\0\0",
    ] {
        let found = detect(text.as_bytes(), true);
        assert_ne!(found, Some(Format::OtlpProto), "{text:?}");
    }
}
