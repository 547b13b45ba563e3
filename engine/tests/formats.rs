//! Real files, decoded: each is compared with what was reviewed by eye and stands beside it.
//!
//! `UPDATE=1 cargo test -p tracegist-engine --test formats` writes anew what is expected; review it before you commit.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tracegist_engine::event::Event;
use tracegist_engine::format::{Context, ENOUGH, Format, Reader, boundary, detect};

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
    if let Some(own) = event.own {
        write!(line, " own={own}").unwrap();
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

/// What a stream decodes to, handed on in blocks.
fn report(blocks: &[&[u8]]) -> String {
    let mut out = String::new();
    let mut reader = Reader::default();
    let mut context = Context { received: RECEIVED, ..Context::default() };
    let (mut count, mut rejected, mut told) = (0, 0, None);
    let mut events = Vec::new();
    for block in blocks {
        let mut rest = *block;
        loop {
            events.clear();
            let Some(record) = reader.next(rest, None, &mut context, usize::MAX, &mut events) else { break };
            rest = &rest[record.bytes.len()..];
            if reader.format != told {
                told = reader.format;
                writeln!(out, "format {}", told.map_or("unknown", Format::name)).unwrap();
            }
            if let Err(refusal) = record.found {
                rejected += 1;
                writeln!(out, "rejected: {refusal}").unwrap();
            }
            for event in &events {
                count += 1;
                reader.last = event.time.or(reader.last);
                if count <= SHOWN {
                    writeln!(out, "{}", describe(event)).unwrap();
                }
            }
        }
    }
    writeln!(out, "{count} events, {rejected} rejected").unwrap();
    out
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(data())
        .unwrap()
        .flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            !name.starts_with("LICENSE")
                && !name.starts_with("NOTICE")
                && !name.starts_with("SOURCE")
                && !name.ends_with(".expected")
        })
        .collect();
    files.sort();
    assert!(files.len() > 20, "the files are missing");
    files
}

#[test]
fn real_files_say_the_same_however_they_are_cut() {
    for path in files() {
        let stream = fs::read(&path).unwrap();
        let format = detect(&stream, true);
        for length in (0..stream.len().min(ENOUGH)).step_by(1 + stream.len() / 61) {
            let early = detect(&stream[..length], false);
            assert!(early.is_none() || early == format, "{early:?} by {length} bytes of {}", path.display());
        }
        // As a source hands on what it reads in blocks.
        let size = 1 + stream.len() / 7;
        let (mut start, mut end, mut blocks) = (0, 0, Vec::new());
        while end < stream.len() {
            end = (end + size).min(stream.len());
            let length = if end == stream.len() { end - start } else { boundary(format, &stream[start..end]) };
            blocks.push(&stream[start..start + length]);
            start += length;
        }
        assert_eq!(report(&blocks), report(&[&stream]), "{}", path.display());
    }
}

#[test]
fn real_files_are_decoded_as_reviewed() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for path in files() {
        let mut beside = path.clone().into_os_string();
        beside.push(".expected");
        let found = report(&[&fs::read(&path).unwrap()]);
        if update {
            fs::write(&beside, &found).unwrap();
        } else if found != fs::read_to_string(&beside).unwrap_or_default() {
            wrong.push(format!("== {}\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "decoded otherwise than expected:\n{}", wrong.join("\n"));
}
