//! Decode speed by format, in bytes a second on one core: `cargo bench -p tracegist-engine --bench decode`.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tracegist_engine::format::{Context, Format, Memory, Next, decode, next_record};

/// Marsaglia's xorshift: the same data on every run, with no dependency.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

const SERVICES: [&str; 8] =
    ["frontend", "checkout", "cart", "payment", "shipping", "productcatalog", "quote", "ledger"];
const START: u64 = 1_764_000_000_000_000_000;

/// Requests of up to 50 spans, grouped by service as the Collector groups them; about 670 bytes a span.
fn otlp(spans: usize) -> String {
    let mut random = Random(7);
    let mut out = String::new();
    let mut now = START;
    for _ in 0..spans / 48 {
        out.push_str(r#"{"resourceSpans":["#);
        for (i, service) in SERVICES.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            write!(out, r#"{comma}{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}},{{"key":"host.name","value":{{"stringValue":"trace-host-1"}}}},{{"key":"process.pid","value":{{"intValue":"{}"}}}}]}},"scopeSpans":[{{"scope":{{"name":"otel-sdk","version":"1.2"}},"spans":["#, 1000 + i).unwrap();
            for j in 0..6 {
                now += random.below(200_000);
                let comma = if j > 0 { "," } else { "" };
                let failed = random.below(100) == 0;
                let status = if failed {
                    format!(
                        r#"{{"code":2,"message":"upstream timeout after {}ms calling payment"}}"#,
                        random.below(3000)
                    )
                } else {
                    "{}".to_owned()
                };
                write!(out, r#"{comma}{{"traceId":"{:016x}{:016x}","spanId":"{:016x}","parentSpanId":"{:016x}","name":"GET /{service}/v1/query","kind":{},"startTimeUnixNano":"{now}","endTimeUnixNano":"{}","attributes":[{{"key":"http.request.method","value":{{"stringValue":"GET"}}}},{{"key":"url.path","value":{{"stringValue":"/{service}/item/{}"}}}},{{"key":"http.response.status_code","value":{{"intValue":"{}"}}}},{{"key":"net.peer.ip","value":{{"stringValue":"10.{}.{}.7"}}}},{{"key":"thread.id","value":{{"intValue":"{}"}}}}],"status":{status}}}"#,
                    random.next(), random.next(), random.next(), random.next(), 1 + random.below(3), now + random.below(50_000_000),
                    random.below(1_000_000), if failed { 500 } else { 200 }, random.below(256), random.below(256), random.below(64)).unwrap();
            }
            out.push_str("]}]}");
        }
        out.push_str("]}\n");
    }
    out
}

/// Log lines of a structured logger, about 200 bytes each.
fn json(lines: usize) -> String {
    let mut random = Random(7);
    let mut out = String::new();
    for i in 0..lines {
        let service = SERVICES[i % SERVICES.len()];
        writeln!(out, r#"{{"timestamp":"2026-11-24T23:{:02}:{:02}.{:06}Z","level":"{}","logger":"app.{service}","message":"request {} took {} ms","trace_id":"{:016x}{:016x}","user_id":{}}}"#,
            i / 60 % 60, i % 60, random.below(1_000_000), ["info", "info", "warning", "error"][i % 4],
            random.below(100_000), random.below(500), random.next(), random.next(), random.below(10_000)).unwrap();
    }
    out
}

/// Syslog, Java and access-log lines, about 110 bytes each.
fn text(lines: usize) -> String {
    let mut random = Random(7);
    let mut out = String::new();
    for i in 0..lines {
        let (minute, second) = (i / 60 % 60, i % 60);
        match i % 3 {
            0 => writeln!(out, "Nov 24 23:{minute:02}:{second:02} web-3 sshd[{}]: Failed password for invalid user admin from 10.0.{}.{} port 22 ssh2", random.below(30_000), random.below(256), random.below(256)),
            1 => writeln!(out, "2026-11-24 23:{minute:02}:{second:02},{:03} INFO  [http-{}] com.example.OrderService - order {} accepted for customer {}", random.below(1000), random.below(32), random.below(100_000), random.below(10_000)),
            _ => writeln!(out, "10.0.{}.{} - - [24/Nov/2026:23:{minute:02}:{second:02} +0000] \"GET /item/{} HTTP/1.1\" 200 {} \"-\" \"curl/8.5.0\"", random.below(256), random.below(256), random.below(100_000), random.below(50_000)),
        }.unwrap();
    }
    out
}

fn events(format: Format, data: &[u8]) -> usize {
    let context = Context::default();
    let mut memory = Memory::default();
    let mut events = Vec::with_capacity(256);
    let (mut at, mut count) = (0, 0);
    while let Next::Record(length) = next_record(Some(format), &data[at..]) {
        events.clear();
        decode(format, &data[at..at + length], &context, &mut memory, &mut events).unwrap();
        count += black_box(&events).len();
        at += length;
    }
    count
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for (format, data) in [(Format::Otlp, otlp(5_000)), (Format::Json, json(15_000)), (Format::Text, text(25_000))] {
        group.throughput(Throughput::Bytes(data.len() as u64));
        group.bench_function(format.name(), |bencher| bencher.iter(|| events(format, data.as_bytes())));
    }
    let data = otlp(5_000);
    group.throughput(Throughput::Bytes(data.len() as u64));
    group.bench_function("otlp, serde_json checking alone", |bencher| {
        bencher.iter(|| {
            for line in data.lines() {
                black_box(serde_json::from_str::<serde::de::IgnoredAny>(line).unwrap());
            }
        });
    });
    group.finish();
}

criterion_group!(decoders, benches);
criterion_main!(decoders);
