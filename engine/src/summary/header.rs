//! The frame of a summary: the header and the ledger, always there, and the last line, which says what was left out.

use std::collections::BTreeMap;

use super::clocks;
use super::facts::Section;
use super::select::{self, Priced};
use super::view::View;
use super::{Error, Request, words};
use crate::state::ledger::{Missed, Reason};
use crate::tokens::Encoding;

/// Bytes of a host's name or a notice that are shown.
const NAME: usize = 60;

/// Hundredths of the budget that may stay unused where there is more to say.
const UNUSED: usize = 3;

/// Tokens to a multiple of which the header is reckoned, where that is little against what may stay unused.
const STEP: usize = 8;

/// Bytes of a notice that are shown.
const NOTICE: usize = 160;

/// The frame, from its fullest form to its shortest.
pub struct Header {
    forms: Vec<String>,
    verdicts: bool,
}

/// A finished account.
pub struct Account {
    /// All lines.
    pub text: String,
    /// Tokens of the text.
    pub tokens: usize,
    /// The facts that stand in it: index, line, tokens.
    pub stands: Vec<(usize, String, usize)>,
}

impl Header {
    /// The frame of a view.
    #[must_use]
    pub fn of(view: &View<'_>, request: &Request, verdicts: bool, encoding: &Encoding) -> Self {
        let clocks = clocks::notice(view).map_or_else(String::new, |line| format!("# {line}\n"));
        let whole = lead(view, request, true) + &ledger(view, true) + &clocks + &notices(request, NOTICE);
        let short = lead(view, request, false) + &ledger(view, false) + &notices(request, 24);
        let none = if verdicts {
            ""
        } else if view.span.compares() {
            "nothing unusual\n"
        } else {
            "nothing to compare with yet\n"
        };
        let mut forms = vec![whole + none, short + none];
        forms.sort_by_key(|form| std::cmp::Reverse(encoding.count(form)));
        Self { forms, verdicts }
    }

    /// Fill the frame.
    ///
    /// # Errors
    /// If its shortest form is over the budget.
    pub fn fit(&self, priced: &[Priced<'_>], budget: usize, encoding: &Encoding) -> Result<Account, Error> {
        let least_footer =
            if priced.is_empty() { 0 } else { encoding.count(&footer(0, priced.len(), budget, Section::Slow)) };
        let prices: Vec<usize> = self.forms.iter().map(|form| encoding.count(form)).collect();
        // The full form where it leaves most of the budget to the facts, else the short one.
        let Some(form) = (0..prices.len())
            .find(|&i| prices[i] * 3 <= budget)
            .or_else(|| (0..prices.len()).rfind(|&i| prices[i] + least_footer <= budget))
        else {
            let least = prices.last().copied().unwrap_or(0) + least_footer;
            return Err(Error::Budget { budget, least });
        };
        let room = budget - prices[form];
        let slack = budget * UNUSED / 100;
        let selection = if everything(priced, encoding) <= room {
            select::select(priced, room, slack, encoding)
        } else {
            let last = if budget >= 200 { FOOTERS - 1 } else { 0 };
            let reserve = encoding.count(&footer(last, priced.len(), budget, Section::Slow));
            // A token more or less in the header is not to change what stands below it.
            let step = if slack >= 2 * STEP { STEP } else { 1 };
            let spare = prices[form].next_multiple_of(step) - prices[form];
            select::select(priced, room.saturating_sub(reserve + spare), slack - spare.min(slack), encoding)
        };
        let mut stands = selection.lines;
        loop {
            let left_out = priced.len() - stands.len();
            let body = self.body(form, priced, &stands);
            let section = next_section(priced, &stands);
            let last = (0..FOOTERS).rev().map(|i| footer(i, left_out, budget, section));
            let texts = last.map(|last| if left_out == 0 { body.clone() } else { format!("{body}{last}") });
            // The whole is counted once more, as what is published: sums are not trusted with the promise.
            for text in texts {
                let tokens = encoding.count(&text);
                if tokens <= budget {
                    return Ok(Account { text, tokens, stands });
                }
            }
            if stands.pop().is_none() {
                let least = prices[form] + least_footer;
                return Err(Error::Budget { budget, least });
            }
        }
    }

    fn body(&self, form: usize, priced: &[Priced<'_>], stands: &[(usize, String, usize)]) -> String {
        let mut body = self.forms[form].clone();
        let mut open: Option<Section> = None;
        debug_assert!(self.verdicts || !stands.iter().any(|stand| priced[stand.0].section == Section::Wrong));
        for (i, line, _) in stands {
            let section = priced[*i].section;
            if open != Some(section) {
                body += &select::heading(section);
                open = Some(section);
            }
            body += line;
        }
        body
    }
}

/// Tokens of all facts and their headings.
fn everything(priced: &[Priced<'_>], encoding: &Encoding) -> usize {
    let stands = |section: &Section| priced.iter().any(|each| each.section == *section);
    let headings = Section::ALL.into_iter().filter(stands).map(|section| encoding.count(&select::heading(section)));
    headings.sum::<usize>() + priced.iter().map(|each| each.tokens).sum::<usize>()
}

/// Where to go on: the section of the weightiest fact that is left out.
fn next_section(priced: &[Priced<'_>], stands: &[(usize, String, usize)]) -> Section {
    let mut here = vec![false; priced.len()];
    stands.iter().for_each(|stand| here[stand.0] = true);
    let left = || priced.iter().zip(&here).filter(|(_, here)| !**here).map(|(each, _)| each);
    let most = left().map(|each| each.weight).max_by(f64::total_cmp);
    let weightiest = || left().filter(|each| Some(each.weight) == most);
    let Some(section) = weightiest().next().map(|each| each.section) else { return Section::Busy };
    if weightiest().all(|each| each.section == section) {
        return section;
    }
    // Lines lie anywhere: they are only looked at where it matters.
    weightiest().min_by(|a, b| a.line.cmp(b.line)).map_or(section, |each| each.section)
}

const FOOTERS: usize = 9;

/// The last line, from its shortest form (0) to its fullest: about a token more each time, so that one fits what is left.
fn footer(form: usize, left_out: usize, budget: usize, section: Section) -> String {
    let count = words::count(left_out as u64);
    match form {
        0 => format!("# {count} more\n"),
        1 => format!("# {count} more facts\n"),
        2 => format!("# {count} more facts left\n"),
        3 => format!("# {count} more facts left out\n"),
        4 => format!("# {count} more facts are left out\n"),
        5 => format!("# {count} more facts fit no {budget} tokens\n"),
        6 => format!("# {count} more facts fit no budget of {budget}\n"),
        7 => format!("# {count} more facts fit no budget of {budget} tokens\n"),
        _ => format!("# {count} more facts fit no budget of {budget}: tracegist query --section {}\n", section.name()),
    }
}

fn lead(view: &View<'_>, request: &Request, full: bool) -> String {
    let span = view.span;
    let host = words::name(&request.host);
    let host = if host.is_empty() || (!full && host.len() > 20) {
        String::new()
    } else {
        format!("{} ", &crate::redact::plain(&host, NAME))
    };
    let seconds = span.to - span.from < 600;
    let today = request.now.is_some_and(|now| now.div_euclid(86_400_000_000_000) == span.to.div_euclid(86_400));
    let day = if today || !full {
        String::new()
    } else {
        format!("{} ", words::timestamp(span.from).split('T').next().unwrap_or_default())
    };
    let events: u64 =
        view.series.iter().filter(|series| series.key.kind.is_decoded()).map(|series| series.now.count).sum();
    let length = words::span(span.to - span.from);
    if view.state.watermark.is_none() {
        return format!("# {host}no events yet");
    }
    let times = format!("{}-{}Z", words::clock(span.from, seconds), words::clock(span.to, seconds));
    if !full {
        return format!("# {host}{times}, {length}. {} events", words::count(events));
    }
    let mut services: Vec<&str> = view
        .series
        .iter()
        .filter(|series| series.now.count > 0 && series.key.kind.is_decoded())
        .map(|series| series.key.service)
        .collect();
    services.dedup();
    let services = match services.len() {
        1 => "1 service".to_owned(),
        n => format!("{n} services"),
    };
    let against = if span.compares() {
        format!(" against the {} before", words::span(span.from - span.base))
    } else {
        String::new()
    };
    #[allow(clippy::cast_precision_loss)]
    let lag = request
        .now
        .zip(view.state.watermark)
        .map_or_else(String::new, |(now, newest)| format!(", lag {}", words::duration((now - newest).max(0) as f64)));
    format!("# {host}{day}{times}, {length}{against}. {} events, {services}{lag}", words::count(events))
}

/// What became of every byte, in words.
fn ledger(view: &View<'_>, full: bool) -> String {
    let ledger = super::LedgerOut::of(view.state);
    let mut parts = Vec::new();
    let mut say = |count: u64, what: &str| {
        if count > 0 {
            parts.push(format!("{} {what}", words::count(count)));
        }
    };
    say(ledger.rejected, "records rejected");
    say(ledger.other, "events in (other)");
    say(ledger.evicted, "evicted");
    say(ledger.unpaired, "unpaired calls");
    say(ledger.late, "late");
    say(ledger.ahead, "from the future");
    missed(&ledger.missed, full, &mut parts);
    if parts.is_empty() {
        return ", nothing lost\n".to_owned();
    }
    if !full {
        return format!(", {}\n", parts.join(", "));
    }
    let mut reasons: Vec<(&String, &Reason)> = ledger.reasons.iter().collect();
    reasons.sort_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(b.0)));
    let counts: Vec<String> =
        reasons.iter().take(3).map(|(reason, entry)| format!("{reason} {}", words::count(entry.count))).collect();
    let reasons = reasons.first().map_or_else(String::new, |(_, first)| {
        let place = words::name(first.stream.rsplit('/').next().unwrap_or_default());
        format!(" ({}; the first in {place} at byte {})", counts.join(", "), first.offset)
    });
    format!("\n# {}{reasons}\n", parts.join(", "))
}

/// What never came in, the most first: lines if they are known, else bytes, else how often.
fn missed(ledger: &BTreeMap<String, Missed>, full: bool, parts: &mut Vec<String>) {
    let mut reasons: Vec<(&String, &Missed)> = ledger.iter().collect();
    reasons.sort_by(|a, b| (b.1.lines, b.1.bytes).cmp(&(a.1.lines, a.1.bytes)).then_with(|| a.0.cmp(b.0)));
    for (reason, missed) in reasons.iter().take(if full { 3 } else { 1 }) {
        let how = match (missed.lines, missed.bytes) {
            (0, 0) => format!("{} missing", words::count(missed.times)),
            (0, bytes) => format!("{} bytes missing", words::count(bytes)),
            (lines, _) => format!("{} lines dropped", words::count(lines)),
        };
        parts.push(if full { format!("{how} ({})", crate::redact::plain(reason, NAME)) } else { how });
    }
}

fn notices(request: &Request, limit: usize) -> String {
    request.notices.iter().map(|notice| format!("# {}\n", crate::redact::plain(notice, limit))).collect()
}
