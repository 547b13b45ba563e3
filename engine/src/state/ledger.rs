//! The ledger: what became of every byte read. `bytes = parsed + rejected`; what is pending is still with its source.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Reasons kept apart; the rest is counted together.
pub const REASONS: usize = 10;

/// The reason under which the rest is counted.
const REST: &str = "other reasons";

/// Bytes of a rejected record that are kept to be shown.
const SAMPLE: usize = 120;

/// One reason for rejecting records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Records.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Where the first one stood: the stream.
    pub stream: String,
    /// And the offset in it, in bytes.
    pub offset: u64,
    /// What was found there, in words.
    pub detail: String,
    /// Its first bytes, redacted.
    pub sample: String,
}

/// What never came in, for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// How often.
    pub times: u64,
    /// Bytes, as far as anybody knows.
    pub bytes: u64,
    /// Of them, lines.
    pub lines: u64,
}

/// Counts of everything that came in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Bytes handed to the engine.
    pub bytes: u64,
    /// Bytes of records that were read.
    pub parsed_bytes: u64,
    /// Bytes of records that could not be read.
    pub rejected_bytes: u64,
    /// Records read.
    pub records: u64,
    /// Events decoded: every span, log record, call or sample.
    pub events: u64,
    /// Records that could not be read.
    pub rejected: u64,
    /// Events that came after their time was no longer kept apart: counted, but in no window.
    pub late: u64,
    /// Events a day or more ahead of the time they were received: counted at that time.
    pub ahead: u64,
    /// Spans let go before the hold was over, to stay within the limit.
    pub evicted_spans: u64,
    /// Sets of evidence let go to stay within the limit.
    pub evicted_evidence: u64,
    /// Streams forgotten to stay within the limit.
    pub evicted_streams: u64,
    /// What decoders remembered of streams (names of processes, open calls) and let go to stay within the limits.
    pub evicted_memories: u64,
    /// Series counted under `(other)` from some time on, to stay within the limit.
    pub evicted_series: u64,
    /// Timelines that became coarser to stay within the limit; no count is lost by it.
    pub coarsened: u64,
    /// Calls of which only the beginning or the end was seen: they are no events.
    pub unpaired: u64,
    /// Reasons for rejecting.
    pub reasons: BTreeMap<String, Reason>,
    /// What was let go before it came here, or was gone, by reason.
    pub missed: BTreeMap<String, Missed>,
}

impl Ledger {
    /// Enter a record that was rejected.
    pub fn reject(&mut self, reason: &str, detail: &str, stream: &str, offset: u64, record: &[u8]) {
        self.rejected += 1;
        let bytes = record.len() as u64;
        self.rejected_bytes += bytes;
        let reason = apart(&self.reasons, reason);
        let entry = self.reasons.entry(reason.to_owned()).or_insert_with(|| Reason {
            stream: stream.to_owned(),
            offset,
            detail: detail.to_owned(),
            sample: crate::redact::plain(&String::from_utf8_lossy(&record[..record.len().min(SAMPLE)]), SAMPLE),
            ..Reason::default()
        });
        entry.count += 1;
        entry.bytes += bytes;
    }

    /// Enter what never came in.
    pub fn miss(&mut self, reason: &str, missed: &Missed) {
        let entry = self.missed.entry(apart(&self.missed, reason).to_owned()).or_default();
        entry.times += missed.times;
        entry.bytes += missed.bytes;
        entry.lines += missed.lines;
    }

    /// Add all of another.
    pub fn merge(&mut self, other: Self) {
        for (reason, missed) in &other.missed {
            self.miss(reason, missed);
        }
        self.bytes += other.bytes;
        self.parsed_bytes += other.parsed_bytes;
        self.rejected_bytes += other.rejected_bytes;
        self.records += other.records;
        self.events += other.events;
        self.rejected += other.rejected;
        self.late += other.late;
        self.ahead += other.ahead;
        self.evicted_spans += other.evicted_spans;
        self.evicted_evidence += other.evicted_evidence;
        self.evicted_streams += other.evicted_streams;
        self.evicted_memories += other.evicted_memories;
        self.evicted_series += other.evicted_series;
        self.coarsened += other.coarsened;
        self.unpaired += other.unpaired;
        for (reason, entry) in other.reasons {
            let mine = self.reasons.entry(apart(&self.reasons, &reason).to_owned()).or_default();
            // Of two first ones, the same stands whichever was merged into which.
            if mine.count == 0 || (&entry.stream, entry.offset) < (&mine.stream, mine.offset) {
                *mine = Reason { count: mine.count, bytes: mine.bytes, ..entry.clone() };
            }
            mine.count += entry.count;
            mine.bytes += entry.bytes;
        }
    }
}

/// The name a reason is counted under.
fn apart<'a, T>(known: &BTreeMap<String, T>, reason: &'a str) -> &'a str {
    if known.contains_key(reason) || known.len() < REASONS { reason } else { REST }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_adds_up_by_reason_and_merges() {
        let mut ledger = Ledger::default();
        for number in 0..30_u64 {
            ledger.miss(&format!("reason {}", number % 15), &Missed { times: 1, bytes: number, lines: 2 });
        }
        assert_eq!(ledger.missed.len(), REASONS + 1);
        assert_eq!(ledger.missed["reason 3"], Missed { times: 2, bytes: 21, lines: 4 });
        assert_eq!(ledger.missed[REST].times, 10);
        let mut merged = ledger.clone();
        merged.merge(ledger);
        assert_eq!((merged.missed["reason 3"].times, merged.missed[REST].lines), (4, 40));
    }

    #[test]
    fn ten_reasons_are_kept_apart_with_the_place_and_the_sample_of_the_first_and_the_rest_is_counted() {
        let mut ledger = Ledger::default();
        for number in 0..30_u64 {
            let record = format!("record {number} password=hunter2");
            ledger.reject(&format!("reason {}", number % 15), "what was found", "app.log", number, record.as_bytes());
        }
        assert_eq!(ledger.reasons.len(), REASONS + 1);
        assert_eq!((ledger.rejected, ledger.reasons[REST].count), (30, 10));
        let first = &ledger.reasons["reason 3"];
        assert_eq!((first.count, first.offset, first.stream.as_str()), (2, 3, "app.log"));
        assert!(first.sample.starts_with("record 3 ") && !first.sample.contains("hunter2"));
        assert_eq!(ledger.reasons.values().map(|reason| reason.bytes).sum::<u64>(), ledger.rejected_bytes);
        let mut merged = ledger.clone();
        merged.merge(ledger);
        assert_eq!((merged.reasons.len(), merged.reasons[REST].count), (REASONS + 1, 20));
    }
}
