//! The summary: facts, ranked, chosen for a token budget, rendered as plain lines.
//!
//! In: a settled [`State`]. Out: the text with its exact token count, the verdicts and facts that stand in it, the ledger.

pub mod apart;
mod boilerplate;
pub mod calls;
pub mod claims;
pub mod exposure;
pub mod facts;
pub mod groups;
mod header;
pub mod instances;
pub mod kin;
mod news;
mod path;
mod said;
pub mod select;
mod silent;
pub mod stats;
pub mod usual;
pub mod verdicts;
mod victims;
pub mod view;
pub mod words;

use serde::Serialize;

use crate::state::State;
use crate::state::lines::Lines;
use crate::state::sums::Sums;
use crate::tokens::{Encoding, UnknownEncoding};
use facts::{Fact, Section};
use groups::Groups;
use header::{Account, Header};
use select::Priced;
use verdicts::Verdict;
use view::{Span, View};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Tokens.
    pub budget: usize,
    /// Whose tokens.
    pub encoding: String,
    /// Seconds of the window.
    pub window: i64,
    /// Seconds of the baseline; `None` for all that is kept, up to an hour.
    pub baseline: Option<i64>,
    /// Only facts that contain this text in their service, operation or line.
    pub focus: Option<String>,
    /// Only these sections; empty for all.
    pub sections: Vec<Section>,
    /// Nanoseconds since the epoch, to tell the lag.
    pub now: Option<i64>,
    /// What the daemon has to say.
    pub notices: Vec<String>,
    /// The name in the header.
    pub host: String,
}

impl Default for Request {
    /// As a daemon that is not told otherwise has it: five minutes in a thousand tokens.
    fn default() -> Self {
        Self {
            budget: 1_000,
            encoding: "o200k_base".to_owned(),
            window: 300,
            baseline: None,
            focus: None,
            sections: Vec::new(),
            now: None,
            notices: Vec::new(),
            host: String::new(),
        }
    }
}

/// Why there is no summary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not even the header fits.
    #[error(
        "a budget of {budget} tokens is too small: the header and the ledger alone take {least}, the smallest budget for now"
    )]
    Budget {
        /// Asked for.
        budget: usize,
        /// Needed.
        least: usize,
    },
    /// No such encoding.
    #[error(transparent)]
    Encoding(#[from] UnknownEncoding),
}

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

/// A window, looked at as a whole and, where it is long enough, once more at its end.
struct Looks<'a> {
    whole: View<'a>,
    newest: Option<View<'a>>,
}

impl<'a> Looks<'a> {
    fn of(state: &'a State, sums: &'a mut Sums, window: i64, baseline: i64) -> Self {
        let span = Span::of(state, window, Some(baseline)).whole(state);
        let newest = span.newest().map(|span| span.whole(state));
        let [before, now] = span.stretches(state);
        for stretch in [before, now].into_iter().chain(newest.map(|span| span.stretches(state)[1])) {
            sums.update(&state.table, stretch, state.table.iter().map(|(id, ..)| id));
        }
        sums.sort(&state.table, || Groups::of(state).order(&state.table));
        let over = |span| View::over(state, sums, span);
        Self { whole: over(span), newest: newest.map(over) }
    }

    /// What is wrong, and all that can be said.
    fn found(&self, lines: &mut Lines) -> (Vec<Verdict<'_>>, Vec<Fact>) {
        let looks = 1 + usize::from(self.newest.is_some());
        let claims = claims::claims(&self.whole);
        let late = self.newest.iter().flat_map(|view| verdicts::verdicts(view, &claims::claims(view), looks)).collect();
        let mut verdicts = verdicts::together(verdicts::verdicts(&self.whole, &claims, looks), late);
        apart::explain(&self.whole, &mut verdicts);
        let certain = claims::certain(&self.whole);
        let claims: Vec<_> = claims.into_iter().filter(|claim| claim.nats > certain).collect();
        let facts = facts::facts(&self.whole, &claims, &verdicts, lines);
        (verdicts, facts)
    }
}

/// An hour: what a window is compared with unless something else is asked for.
const BASELINE: i64 = 3_600;

/// Everything that a summary of a settled state chooses from, section by section, the weightiest first. `window` and
/// `baseline` are in seconds.
#[must_use]
pub fn statements(state: &State, sums: &mut Sums, window: i64, baseline: i64) -> Vec<Fact> {
    let mut lines = std::mem::take(&mut sums.lines);
    let mut facts = Looks::of(state, sums, window, baseline).found(&mut lines).1;
    lines.turn();
    sums.lines = lines;
    facts.sort_by(|a, b| {
        a.section.cmp(&b.section).then(b.weight.total_cmp(&a.weight)).then_with(|| a.line.cmp(&b.line))
    });
    facts
}

/// Render the best account of a state that fits the budget.
///
/// # Errors
/// If the encoding is unknown, or if the header and the ledger alone are over the budget.
pub fn summarize(state: &mut State, request: &Request) -> Result<Summary, Error> {
    let encoding = Encoding::named(&request.encoding)?;
    state.read(|state, sums| {
        let mut lines = std::mem::take(&mut sums.lines);
        let looks = Looks::of(state, sums, request.window, request.baseline.unwrap_or(BASELINE));
        let summary = render(&looks, &mut lines, request, encoding);
        lines.turn();
        sums.lines = lines;
        summary
    })
}

fn render(looks: &Looks<'_>, lines: &mut Lines, request: &Request, encoding: &Encoding) -> Result<Summary, Error> {
    let (verdicts, facts) = looks.found(lines);
    let view = &looks.whole;
    let wanted = |fact: &Fact| {
        let focused = request.focus.as_deref().is_none_or(|focus| {
            fact.service.contains(focus) || fact.operation.contains(focus) || fact.line.contains(focus)
        });
        focused && (request.sections.is_empty() || request.sections.contains(&fact.section))
    };
    let mut briefs = facts::briefs(view, &verdicts).into_iter();
    let price = |fact: Fact| {
        // Verdicts stand before all else, in their order.
        let brief = if fact.section == Section::Wrong { briefs.next() } else { None };
        let brief = brief.filter(|brief| *brief != fact.line).map(|line| (encoding.count(&line), line));
        let mut tokens = |line: &str| lines.tokens(&request.encoding, line, || encoding.count(line));
        wanted(&fact).then(|| Priced { tokens: tokens(&fact.line), brief, fact })
    };
    let priced: Vec<Priced> = facts.into_iter().filter_map(price).collect();
    let header = Header::of(view, request, !verdicts.is_empty(), encoding);
    let account = header.fit(&priced, request.budget, encoding)?;
    Ok(output(view, request, &verdicts, &priced, account))
}

fn output(
    view: &View<'_>,
    request: &Request,
    verdicts: &[Verdict<'_>],
    priced: &[Priced],
    account: Account,
) -> Summary {
    let facts = account.stands.iter().map(|&(i, ref line, tokens)| {
        let fact = &priced[i].fact;
        FactOut {
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
    });
    Summary {
        facts: facts.collect(),
        left_out: priced.len() - account.stands.len(),
        text: account.text,
        tokens: account.tokens,
        budget: request.budget,
        encoding: request.encoding.clone(),
        window: WindowOut {
            since: words::timestamp(view.span.from),
            until: words::timestamp(view.span.to),
            seconds: view.span.to - view.span.from,
            baseline_seconds: view.span.from - view.span.base,
        },
        verdicts: verdicts.iter().filter_map(verdict).collect(),
        ledger: LedgerOut::of(view.state),
    }
}

fn verdict(verdict: &Verdict<'_>) -> Option<VerdictOut> {
    let lead = verdict.claims.first()?;
    let mut evidence: Vec<u32> =
        verdict.claims.iter().map(|claim| claim.series.number).filter(|&number| number > 0).collect();
    evidence.dedup();
    Some(VerdictOut {
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
