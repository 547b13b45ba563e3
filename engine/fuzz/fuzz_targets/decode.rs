//! Any bytes as a stream in any format: nothing panics, records add up to the stream however it is cut, a rejected record
//! leaves no events, and no object that `serde_json` reads is rejected.
//!
//! `cargo +nightly fuzz run decode fuzz/corpus/decode ../tests/data/formats/{otlp,bunyan,lnav}` from `engine/`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use tracegist_engine::format::{Context, Format, Next, boundary, decode, detect, next_record};

fn length(format: Option<Format>, data: &[u8]) -> usize {
    match next_record(format, data) {
        Next::Record(length) => length,
        Next::Incomplete => data.len(),
    }
}

fuzz_target!(|input: &[u8]| {
    let [first, second, data @ ..] = input else { return };
    let hints = [None, Some(Format::Otlp), Some(Format::Json), Some(Format::Text)];
    let hint = hints[usize::from(first % 4)];
    let context = Context { last_time: (first & 4 != 0).then_some(1_764_000_000_000_000_000), received: 0 };

    // A cut anywhere moves no boundary.
    let cut = boundary(hint, &data[..usize::from(*second).min(data.len())]);
    let mut at = 0;
    while at < cut {
        at += length(hint, &data[at..]);
    }
    assert_eq!(at, cut);

    let mut events = Vec::new();
    let mut rest = data;
    while !rest.is_empty() {
        let (record, after) = rest.split_at(length(hint, rest));
        rest = after;
        let format = hint.unwrap_or_else(|| detect(record));
        events.clear();
        match decode(format, record, &context, &mut events) {
            Ok(()) => {
                for event in &events {
                    assert!(record.as_ptr_range().contains(&event.raw.as_ptr()));
                    event.attributes.iter().for_each(drop);
                }
            }
            Err(reject) => {
                assert!(events.is_empty() && reject.offset() <= record.len() && !reject.to_string().is_empty());
                let object = record.trim_ascii_start().starts_with(b"{");
                // Deeper nesting than ours, and OTLP of wrong types, are well-formed and rejected.
                if object && matches!(reject.reason(), "not JSON" | "JSON ends early") {
                    assert!(serde_json::from_slice::<IgnoredAny>(record).is_err());
                }
            }
        }
    }
});
