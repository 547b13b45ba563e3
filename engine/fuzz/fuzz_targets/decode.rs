//! Any bytes as a stream in any format: nothing panics, records add up to the stream however it is cut, a rejected record
//! leaves no events, and no object that `serde_json` reads is rejected.
//!
//! How to run it is said in `CONTRIBUTING.md`; `decode_seed_corpus.zip` has a thousand small inputs that earlier runs found.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use tracegist_engine::format::{Context, Format, Next, Reader, Refusal, boundary, next_record};

fn length(format: Option<Format>, data: &[u8]) -> usize {
    match next_record(format, data) {
        Next::Record(length) => length,
        Next::Incomplete => data.len(),
    }
}

fuzz_target!(|input: &[u8]| {
    let [first, second, data @ ..] = input else { return };
    // Bit 2 says whether the stream has had an event; the others choose the format, of none or all.
    let choice = usize::from(first & 3 | first >> 3 << 2) % (Format::ALL.len() + 1);
    let hint = choice.checked_sub(1).map(|index| Format::ALL[index]);
    // A cut anywhere moves no boundary.
    let cut = boundary(hint, &data[..usize::from(*second).min(data.len())]);
    let mut at = 0;
    while at < cut {
        at += length(hint, &data[at..]);
    }
    assert_eq!(at, cut);

    let mut reader = Reader::default();
    reader.last = (first & 4 != 0).then_some(1_764_000_000_000_000_000);
    let mut context = Context::default();
    let mut events = Vec::new();
    let mut rest = data;
    loop {
        events.clear();
        let Some(record) = reader.next(rest, hint, &mut context, 1 << 20, &mut events) else { break };
        rest = &rest[record.bytes.len()..];
        for event in &events {
            assert!(record.bytes.as_ptr_range().contains(&event.raw.as_ptr()));
            event.attributes.iter().for_each(drop);
        }
        if let Err(Refusal::Rejected(reject)) = record.found {
            assert!(events.is_empty() && reject.offset() <= record.bytes.len() && !reject.to_string().is_empty());
            let object = record.bytes.trim_ascii_start().starts_with(b"{");
            // Deeper nesting than ours, and OTLP of wrong types, are well-formed and rejected.
            if object && matches!(reject.reason(), "not JSON" | "JSON ends early") {
                assert!(serde_json::from_slice::<IgnoredAny>(record.bytes).is_err());
            }
        }
    }
});
