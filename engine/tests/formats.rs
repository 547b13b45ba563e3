//! Real files, decoded: each is compared with what was reviewed by eye and stands beside it.
//!
//! `UPDATE=1 cargo test -p tracegist-engine --test formats` writes anew what is expected; review it before you commit.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tracegist_engine::event::Event;
use tracegist_engine::format::{Context, Format, Next, decode, detect, next_record};

/// 2026-11-24 23:42:01 UTC: what is read without a year or a day was received then.
const RECEIVED: i64 = 1_795_563_721_000_000_000;

/// Events of a file that are written out; the others are counted.
const SHOWN: usize = 30;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/formats")
}

/// An event in a line: only what it says.
fn describe(event: &Event<'_>) -> String {
    let mut line = event.kind.name().to_owned();
    if let Some(time) = event.time {
        write!(line, " {}.{:09}", time.div_euclid(1_000_000_000), time.rem_euclid(1_000_000_000)).unwrap();
    }
    for (name, text) in [("service", &event.service), ("operation", &event.operation)] {
        if !text.is_empty() {
            write!(line, " {name}={text:?}").unwrap();
        }
    }
    if !event.level.name().is_empty() {
        write!(line, " {}", event.level.name()).unwrap();
    }
    if event.failed {
        line.push_str(" failed");
    }
    if let Some(duration) = event.duration {
        write!(line, " took={duration}").unwrap();
    }
    if event.trace != [0; 16] {
        write!(line, " trace={:032x}", u128::from_be_bytes(event.trace)).unwrap();
    }
    for (name, id) in [("span", event.span), ("parent", event.parent)] {
        if id != 0 {
            write!(line, " {name}={id:016x}").unwrap();
        }
    }
    let message: String = event.message.chars().take(120).collect();
    write!(line, " {message:?} attributes={}", event.attributes.iter().count()).unwrap();
    line
}

/// What a stream decodes to.
fn report(stream: &[u8]) -> String {
    let mut out = String::new();
    let mut format: Option<Format> = None;
    let mut context = Context { last_time: None, received: RECEIVED };
    let (mut at, mut count, mut rejected) = (0, 0, 0);
    let mut events = Vec::new();
    while at < stream.len() {
        let length = match next_record(format, &stream[at..]) {
            Next::Record(length) => length,
            Next::Incomplete => stream.len() - at,
        };
        let record = &stream[at..at + length];
        at += length;
        if format.is_none() && record.trim_ascii().is_empty() {
            continue;
        }
        let format = *format.get_or_insert_with(|| {
            let format = detect(record);
            writeln!(out, "format {}", format.name()).unwrap();
            format
        });
        events.clear();
        if let Err(reject) = decode(format, record, &context, &mut events) {
            rejected += 1;
            writeln!(out, "rejected: {reject}").unwrap();
        }
        for event in &events {
            count += 1;
            context.last_time = event.time.or(context.last_time);
            if count <= SHOWN {
                writeln!(out, "{}", describe(event)).unwrap();
            }
        }
    }
    writeln!(out, "{count} events, {rejected} rejected").unwrap();
    out
}

#[test]
fn real_files_are_decoded_as_reviewed() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut files: Vec<PathBuf> = fs::read_dir(data())
        .unwrap()
        .flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            !name.starts_with("LICENSE") && !name.starts_with("SOURCE") && !name.ends_with(".expected")
        })
        .collect();
    files.sort();
    assert!(files.len() > 20, "the files are missing");
    let mut wrong = Vec::new();
    for path in files {
        let mut beside = path.clone().into_os_string();
        beside.push(".expected");
        let found = report(&fs::read(&path).unwrap());
        if update {
            fs::write(&beside, &found).unwrap();
        } else if found != fs::read_to_string(&beside).unwrap_or_default() {
            wrong.push(format!("== {}\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "decoded otherwise than expected:\n{}", wrong.join("\n"));
}
