//! A summary of 2,000 tokens of a host with 10,000 series of calls and 5,000 templates of messages, over ten minutes.
//!
//! `cargo bench -p tracegist-engine --bench summary`; of a hundred it prints the 50th and the 99th percentile of the time on a
//! processor. No summary is asked for twice: an event comes before each, or a second passes and a hundred series do something.
#![allow(clippy::unwrap_used)]

mod hour;
mod processor;

use std::hint::black_box;

use hour::{RECEIVED, host, limits};
use tracegist_engine::engine::Engine;
use tracegist_engine::summary::Request;

/// The lines of a call and, every other time, a message; the series of them come in turn, a thousand a second.
fn lines(all: &str, second: usize, series: usize) -> String {
    all.lines().skip(second % 10 * 1_500).take(series).fold(String::new(), |lines, line| lines + line + "\n")
}

fn request() -> Request {
    Request { budget: 2_000, ..Request::default() }
}

fn main() {
    let engine = Engine::new("host".to_owned(), limits());
    engine.ingest("stream", host(10, 0).as_bytes(), RECEIVED, None, None);
    let measure = |label: &str, before: &dyn Fn(usize)| {
        let times = (0..100).map(|round| {
            before(round);
            processor::taken(|| black_box(engine.summary(request()).unwrap())).0
        });
        println!("{label}: {}", processor::percentiles(times.collect()));
    };
    let last = host(1, 9);
    let end: String = last.lines().rev().take(1).map(|line| format!("{line}\n")).collect();
    measure("an event since", &|_| _ = engine.ingest("stream", end.as_bytes(), RECEIVED, None, None));
    let minutes: Vec<String> = (10..20).map(|minute| host(1, minute)).collect();
    measure("a second later, a hundred series changed", &|round| {
        _ = engine.ingest("stream", lines(&minutes[round / 10], round, 100).as_bytes(), RECEIVED, None, None);
    });
}
