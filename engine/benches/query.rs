//! Questions answered, on a host of 10,000 series that each did something in fifty of the last 300 seconds.
//!
//! `cargo bench -p tracegist-engine --bench query`; of a hundred of each it prints the 50th and the 99th percentile of the time
//! on a processor, which other work on the machine changes little. Before each answer an event comes, so that none is given
//! twice. Behind `--` a word asks only the questions whose name has it, and a question as JSON that one.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;

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
                let took = i64::try_from(1_000_000 + (round * 7_919 + operation * 104_729) % 50_000_000).unwrap_or(0);
                let failed = (round + operation) % 31 == 0;
                data += &span(&name(service), &name(operation + 100), at, took, failed);
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

/// A span that ends at a second and took so many nanoseconds, in a line of its own.
fn span(service: &str, operation: &str, at: i64, took: i64, failed: bool) -> String {
    let status = if failed { ",\"status\":{\"code\":2}" } else { "" };
    format!(
        "{{\"resourceSpans\":[{{\"resource\":{{\"attributes\":[{{\"key\":\"service.name\",\"value\":{{\"stringValue\":\"service-{service}\"}}}}]}},\
         \"scopeSpans\":[{{\"spans\":[{{\"name\":\"{operation}\",\"kind\":2,\"startTimeUnixNano\":\"{}\",\"endTimeUnixNano\":\"{at}000000000\"{status}}}]}}]}}]}}\n",
        at * 1_000_000_000 - took,
    )
}

/// A word of letters for a number: an operation whose name has digits is one with an id.
fn name(number: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or(0));
    [number, number / 26, number / 676].into_iter().map(letter).chain("call".chars()).collect()
}

const QUESTIONS: [(&str, &str); 14] = [
    ("operations", "{}"),
    ("errors", r#"{"where":"status=error"}"#),
    ("failing", r#"{"where":"error_share>2%","order_by":"-error_share","select":"count,error_share"}"#),
    ("services", r#"{"group_by":"service","select":"count,errors,p50,p95,p99"}"#),
    ("service", r#"{"where":"service=service-baacall","select":"count,p95"}"#),
    ("text", r#"{"where":"\"bca\"","order_by":"-p95"}"#),
    ("slowest", r#"{"select":"p99,max,self_p95,mean","order_by":"-p99"}"#),
    ("time", r#"{"group_by":"time:10s"}"#),
    ("compare", r#"{"since":"1m","compare":"2m","group_by":"service"}"#),
    ("diff", r#"{"what":"diff","since":"1m","compare":"2m"}"#),
    ("edges", r#"{"what":"edges"}"#),
    ("templates", r#"{"what":"templates"}"#),
    ("timeline", r#"{"what":"timeline","group_by":"service"}"#),
    ("timelines", r#"{"what":"timeline"}"#),
];

fn main() {
    let engine = host();
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).unwrap_or_default();
    println!("{} series", engine.stats().sizes.series);
    let own = named.starts_with('{').then_some(("own", named.as_str()));
    for (label, question) in QUESTIONS.into_iter().filter(|(label, _)| label.contains(&named)).chain(own) {
        let Ok(request) = Request::from_json(question.as_bytes()) else { continue };
        let mut times: Vec<Duration> = (0..100)
            .map(|_| {
                engine.ingest(
                    "bench",
                    span(&name(0), &name(100), START + 299, 5_000_000, false).as_bytes(),
                    0,
                    None,
                    None,
                );
                let began = on_processor();
                let answer = engine.query(black_box(&request));
                let took = on_processor().saturating_sub(began);
                assert!(answer.is_ok_and(|answer| answer.total_rows > 0), "{label}");
                took
            })
            .collect();
        times.sort_unstable();
        println!("{label}: p50 {:.1?}, p99 {:.1?}", times[49], times[98]);
    }
}

/// Time that this thread has spent on a processor.
fn on_processor() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}
