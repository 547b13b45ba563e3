//! Feeds files to the engine in blocks of 1 MiB, each file on a thread of its own, with nothing of Python around it: for
//! profilers, which then see the hot path alone, and for what several cores make of several streams.
//! `cargo run --release -p tracegist-engine --example ingest -- FILE…`; prints events and seconds.
#![allow(clippy::print_stdout)]

use std::fs::File;
use std::io::{self, Read};
use std::thread;
use std::time::Instant;

use tracegist_engine::engine::Engine;
use tracegist_engine::format::{boundary, detect};
use tracegist_engine::state::Limits;

const BLOCK: usize = 1 << 20;
const RECEIVED: i64 = 2_000_000_000_000_000_000;

fn feed(engine: &Engine, path: &str) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let (mut data, mut events, mut format) = (Vec::new(), 0, None);
    loop {
        let read = file.by_ref().take(BLOCK as u64).read_to_end(&mut data)?;
        format = format.or_else(|| detect(&data, read == 0));
        let length = if read == 0 { data.len() } else { boundary(format, &data) };
        events += engine.ingest(path, &data[..length], RECEIVED, None, None).events;
        data.drain(..length);
        if read == 0 {
            return Ok(events);
        }
    }
}

fn main() -> io::Result<()> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let engine = Engine::new("host".to_owned(), Limits::default());
    let start = Instant::now();
    let events: u64 = thread::scope(|scope| {
        let feeders: Vec<_> = paths.iter().map(|path| scope.spawn(|| feed(&engine, path))).collect();
        feeders.into_iter().map(|feeder| feeder.join().unwrap_or(Ok(0))).sum::<io::Result<u64>>()
    })?;
    let ingested = start.elapsed();
    let bytes = engine.snapshot().len();
    println!("{events} events in {ingested:?}, snapshot of {bytes} bytes after {:?}", start.elapsed());
    Ok(())
}
