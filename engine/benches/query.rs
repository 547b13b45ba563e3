//! Questions answered, on a host of 10,000 series that each did something in fifty of the last 300 seconds.
//!
//! `cargo bench -p tracegist-engine --bench query`; of a hundred of each it prints the 50th and the 99th percentile of the time
//! on a processor. No answer is given twice: an event comes before each, or a second passes and a hundred series do something.
//! Behind `--` a word asks only the questions whose name has it, and a question as JSON that one.

mod processor;

use std::fmt::Write;
use std::hint::black_box;

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

/// What comes before an answer.
#[derive(Clone, Copy)]
enum Since {
    /// An event.
    Event,
    /// A second, in which a hundred series do something.
    Second,
}

impl Since {
    fn lines(self, round: usize) -> String {
        let at = START + 299;
        match self {
            Self::Event => span(&name(0), &name(100), at, 5_000_000, false),
            Self::Second => (0..100)
                .map(|i| {
                    let at = at + 1 + i64::try_from(round).unwrap_or(0);
                    span(&name(i), &name((round * 7 + i) % OPERATIONS + 100), at, 5_000_000, false)
                })
                .collect(),
        }
    }
}

fn main() {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).unwrap_or_default();
    let own = named.starts_with('{').then_some(("own", named.as_str()));
    for (label, question) in QUESTIONS.into_iter().filter(|(label, _)| label.contains(&named)).chain(own) {
        let Ok(request) = Request::from_json(question.as_bytes()) else { continue };
        let engine = host();
        let measure = |since: Since| {
            let times = (0..100).map(|round| {
                engine.ingest("bench", since.lines(round).as_bytes(), 0, None, None);
                let (took, answer) = processor::taken(|| engine.query(black_box(&request)));
                assert!(answer.is_ok_and(|answer| answer.total_rows > 0), "{label}");
                took
            });
            processor::percentiles(times.collect())
        };
        println!("{label}: an event since {}", measure(Since::Event));
        println!("{label}: a second later {}", measure(Since::Second));
    }
}
