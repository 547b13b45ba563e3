//! A summary as a program reads it: what `summarize --format json` prints.

use serde::Serialize;

use super::facts::Fact;
use super::verdicts::Verdict;
use super::view::Span;
use super::{apart, words};
use crate::state::State;

/// A rendered account, as `summarize --format json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The lines.
    pub text: String,
    /// Tokens of the text.
    pub tokens: usize,
    /// Tokens allowed.
    pub budget: usize,
    /// Whose tokens.
    pub encoding: String,
    /// From when to when, and against what.
    pub window: WindowOut,
    /// What is wrong, in order of severity.
    pub verdicts: Vec<VerdictOut>,
    /// The facts that stand in the text, in order.
    pub facts: Vec<FactOut>,
    /// Facts that found no room.
    pub left_out: usize,
    /// What became of every byte.
    pub ledger: LedgerOut,
}

/// The stretch a summary speaks of.
#[derive(Clone, Debug, Serialize)]
pub struct WindowOut {
    /// RFC 3339, UTC.
    pub since: String,
    /// RFC 3339, UTC.
    pub until: String,
    /// Seconds.
    pub seconds: i64,
    /// Seconds of the baseline; 0 where there is nothing to compare with.
    pub baseline_seconds: i64,
}

/// A verdict, as JSON has it.
#[derive(Clone, Debug, Serialize)]
pub struct VerdictOut {
    /// The service at fault.
    pub service: String,
    /// Another that explains it about as well; `None` where the evidence tells.
    pub alternative: Option<String>,
    /// The operation, message or callee that shows it most.
    pub operation: String,
    /// `slow`, `network`, `failing`, `errors`, `stopped` or `new`.
    pub kind: &'static str,
    /// RFC 3339, UTC; `None` where it cannot be told.
    pub since: Option<String>,
    /// 0 to 1.
    pub severity: f64,
    /// 0 to 1.
    pub confidence: f64,
    /// Nanoseconds for `slow` and `network`, a share for `failing`, events a call for the others.
    pub before: f64,
    /// The same, in the window.
    pub after: f64,
    /// The numbers of its evidence, without `#`.
    pub evidence: Vec<u32>,
    /// Services that suffer with it.
    pub victims: Vec<String>,
    /// What most of its bad calls have in common, and few of the others; `None` where nothing tells them apart.
    pub attribute: Option<AttributeOut>,
}

/// An attribute that sets bad calls apart from the rest, as JSON has it.
#[derive(Clone, Debug, Serialize)]
pub struct AttributeOut {
    /// What is bad of the calls: `failing` or `slow`.
    pub bad: &'static str,
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// `key=value` of others that the same calls have.
    pub also: Vec<String>,
    /// Its share among the bad calls: 0 to 1.
    pub of_bad: f64,
    /// Its share among all.
    pub of_all: f64,
    /// The bad calls that were looked at to tell.
    pub looked_at: usize,
    /// Whether all calls were, bad or not; else the shares are within about `1 / sqrt(looked_at)`.
    pub exact: bool,
}

impl WindowOut {
    /// That of a span.
    pub(super) fn of(span: &Span) -> Self {
        Self {
            since: words::timestamp(span.from),
            until: words::timestamp(span.to),
            seconds: span.to - span.from,
            baseline_seconds: span.from - span.base,
        }
    }
}

impl VerdictOut {
    /// A verdict; there is none without a claim.
    pub(super) fn of(verdict: &Verdict<'_>) -> Option<Self> {
        let lead = verdict.claims.first()?;
        let mut evidence: Vec<u32> =
            verdict.claims.iter().map(|claim| claim.series.number).filter(|&number| number > 0).collect();
        evidence.dedup();
        Some(Self {
            service: words::whole(verdict.service),
            alternative: verdict.or.map(words::whole),
            operation: words::whole(lead.series.key.operation),
            kind: lead.what.name(),
            since: lead.since.map(words::timestamp),
            severity: verdict.severity,
            confidence: verdict.confidence,
            before: lead.before,
            after: lead.after,
            evidence,
            victims: verdict.victims.iter().map(|name| words::whole(name)).collect(),
            attribute: verdict.attribute.as_ref().map(AttributeOut::of),
        })
    }
}

impl FactOut {
    /// A fact that stands with a line of so many tokens.
    pub(super) fn of(fact: &Fact, line: &str, tokens: usize) -> Self {
        Self {
            section: fact.section.name(),
            service: words::whole(&fact.service),
            operation: words::whole(&fact.operation),
            measure: fact.measure,
            before: fact.before,
            after: fact.after,
            since: fact.since.map(words::timestamp),
            weight: fact.weight,
            evidence: (fact.number > 0).then_some(fact.number),
            tokens,
            text: line.trim_end().to_owned(),
        }
    }
}

impl AttributeOut {
    fn of(apart: &apart::Apart) -> Self {
        let mut pairs = apart.pairs.iter().map(|pair| words::whole(pair));
        let first = pairs.next().unwrap_or_default();
        let (key, value) = first.split_once('=').unwrap_or((&first, ""));
        Self {
            bad: apart.bad.name(),
            key: key.to_owned(),
            value: value.to_owned(),
            also: pairs.collect(),
            of_bad: apart.of_bad,
            of_all: apart.of_all,
            looked_at: apart.looked_at,
            exact: apart.exact,
        }
    }
}

/// A fact, as JSON has it.
#[derive(Clone, Debug, Serialize)]
pub struct FactOut {
    /// The section it stands in.
    pub section: &'static str,
    /// Who it is about.
    pub service: String,
    /// What of it.
    pub operation: String,
    /// What is measured.
    pub measure: &'static str,
    /// In the baseline.
    pub before: Option<f64>,
    /// In the window.
    pub after: f64,
    /// RFC 3339, UTC.
    pub since: Option<String>,
    /// What it is worth against others.
    pub weight: f64,
    /// The number of its evidence, without `#`.
    pub evidence: Option<u32>,
    /// Tokens of its line.
    pub tokens: usize,
    /// Its line.
    pub text: String,
}

/// The ledger, as JSON has it.
#[derive(Clone, Debug, Serialize)]
pub struct LedgerOut {
    /// Bytes read: `parsed_bytes` + `rejected_bytes`.
    pub bytes: u64,
    /// Bytes of records that were read.
    pub parsed_bytes: u64,
    /// Bytes of records that could not be read.
    pub rejected_bytes: u64,
    /// Records read.
    pub records: u64,
    /// Every span, log record, call or sample decoded.
    pub events: u64,
    /// Records that could not be read.
    pub rejected: u64,
    /// Lines let go unread, as far as anybody knows; the engine itself drops none.
    pub dropped: u64,
    /// Spans, sets of evidence, series, streams and what was remembered of them let go to stay within the limits.
    pub evicted: u64,
    /// Times that a timeline became coarser to stay within the limits.
    pub coarsened: u64,
    /// Calls of which only the beginning or the end was seen.
    pub unpaired: u64,
    /// Events counted under `(other)` because there was no room for a series of their own.
    pub other: u64,
    /// Events that came after their time was no longer kept apart.
    pub late: u64,
    /// Events ahead of the time they were received by more than a day.
    pub ahead: u64,
    /// Why records were rejected.
    pub reasons: std::collections::BTreeMap<String, crate::state::ledger::Reason>,
    /// What never came in, and why: let go for want of room, damaged, or taken away by somebody.
    pub missed: std::collections::BTreeMap<String, crate::state::ledger::Missed>,
}

impl LedgerOut {
    /// The ledger of a state.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let ledger = &state.ledger;
        Self {
            bytes: ledger.bytes,
            parsed_bytes: ledger.parsed_bytes,
            rejected_bytes: ledger.rejected_bytes,
            records: ledger.records,
            events: ledger.events,
            rejected: ledger.rejected,
            dropped: ledger.missed.values().map(|missed| missed.lines).sum(),
            evicted: ledger.evicted_spans
                + ledger.evicted_evidence
                + ledger.evicted_streams
                + ledger.evicted_memories
                + ledger.evicted_series,
            coarsened: ledger.coarsened,
            unpaired: ledger.unpaired,
            other: state.table.overflow,
            late: ledger.late,
            ahead: ledger.ahead,
            reasons: ledger.reasons.clone(),
            missed: ledger.missed.clone(),
        }
    }
}
