//! Questions answered, on a host of 10,000 series that each did something in fifty of the last 300 seconds.
//!
//! `cargo bench -p tracegist-engine --bench query`; of a hundred of each it prints the 50th and the 99th percentile of the time
//! on a processor, which other work on the machine changes little, and then measures them.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use tracegist_engine::engine::Engine;
use tracegist_engine::query::Request;
use tracegist_engine::state::Limits;

const START: i64 = 1_700_000_000;
const SERVICES: usize = 100;
const OPERATIONS: usize = 90;
const MESSAGES: usize = 10;
const ROUNDS: usize = 50;

/// Spans of 9,000 series and messages of 1,000.
fn host() -> Engine {
    let engine = Engine::new("bench".to_owned(), Limits::default());
    for round in 0..ROUNDS {
        let mut data = String::new();
        for service in 0..SERVICES {
            let at = START + i64::try_from(round * 6 + service % 6).unwrap_or(0);
            for operation in 0..OPERATIONS {
                let took = 1_000_000 + (round * 7_919 + operation * 104_729) % 50_000_000;
                let failed = (round + operation) % 31 == 0;
                let status = if failed { ",\"status\":{\"code\":2}" } else { "" };
                let _ = writeln!(
                    data,
                    "{{\"resourceSpans\":[{{\"resource\":{{\"attributes\":[{{\"key\":\"service.name\",\"value\":{{\"stringValue\":\"service-{}\"}}}}]}},\
                     \"scopeSpans\":[{{\"spans\":[{{\"name\":\"{}\",\"kind\":2,\"startTimeUnixNano\":\"{}\",\"endTimeUnixNano\":\"{at}000000000\"{status}}}]}}]}}]}}",
                    name(service),
                    name(operation + 100),
                    at * 1_000_000_000 - i64::try_from(took).unwrap_or(0),
                );
            }
            for message in 0..MESSAGES {
                let word = name(message + 300);
                let _ = writeln!(
                    data,
                    "{{\"time\":{at},\"level\":\"info\",\"service\":\"service-{}\",\"msg\":\"{word} of order {round} {word}\"}}",
                    name(service)
                );
            }
        }
        engine.ingest("bench", data.as_bytes(), (START + 1_000) * 1_000_000_000, None, None);
    }
    engine
}

/// A word of letters for a number: an operation whose name has digits is one with an id.
fn name(number: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or(0));
    [number, number / 26, number / 676].into_iter().map(letter).chain("call".chars()).collect()
}

const QUESTIONS: [(&str, &str); 9] = [
    ("all", "{}"),
    ("errors", r#"{"where":"status=error"}"#),
    ("by_service", r#"{"group_by":"service","select":"count,errors,p50,p95,p99"}"#),
    ("one_service", r#"{"where":"service=service-baacall","select":"count,p95"}"#),
    ("text", r#"{"where":"\"bca\"","order_by":"-p95"}"#),
    ("by_time", r#"{"group_by":"time:10s"}"#),
    ("compare", r#"{"since":"1m","compare":"2m","group_by":"service"}"#),
    ("templates", r#"{"what":"templates"}"#),
    ("timeline", r#"{"what":"timeline","group_by":"service"}"#),
];

fn query(criterion: &mut Criterion) {
    let engine = host();
    eprintln!("{} series", engine.stats().sizes.series);
    let mut group = criterion.benchmark_group("query");
    group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(1));
    for (label, question) in QUESTIONS {
        let Ok(request) = Request::from_json(question.as_bytes()) else { continue };
        let mut times: Vec<Duration> = (0..100)
            .map(|_| {
                let began = on_processor();
                let answer = engine.query(&request);
                assert!(answer.is_ok(), "{label}");
                on_processor().saturating_sub(began)
            })
            .collect();
        times.sort_unstable();
        eprintln!("{label}: p50 {:?}, p99 {:?}", times[50], times[98]);
        group.bench_function(label, |bencher| bencher.iter(|| engine.query(black_box(&request)).is_ok()));
    }
    group.finish();
}

/// Time that this thread has spent on a processor.
fn on_processor() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}

criterion_group!(benches, query);
criterion_main!(benches);
