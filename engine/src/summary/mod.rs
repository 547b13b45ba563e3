//! The summary: facts, ranked, chosen for a token budget, rendered as plain lines.
//!
//! In: a settled [`State`]. Out: the text with its exact token count, the verdicts and facts that stand in it, the ledger.

pub mod apart;
mod boilerplate;
pub mod calls;
pub mod claims;
mod clocks;
pub mod doing;
pub mod exposure;
pub mod facts;
pub mod groups;
mod header;
pub mod instances;
pub mod kin;
mod news;
mod once;
mod out;
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
mod yesterday;

use crate::state::State;
use crate::state::account::Account;
use crate::state::sums::Sums;
use crate::tokens::{Encoding, UnknownEncoding};
use boilerplate::Boilerplate;
use facts::{Fact, Found, Section};
use groups::Groups;
use header::Header;
pub use out::{AttributeOut, FactOut, LedgerOut, Summary, VerdictOut, WindowOut};
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

/// A window, looked at as a whole and, where there is enough of it, once more at its end and once more against the oldest of
/// what was before it.
struct Looks<'a> {
    whole: View<'a>,
    newest: Option<View<'a>>,
    oldest: Option<View<'a>>,
    state: &'a State,
    sums: &'a Sums,
    /// Nanoseconds since the epoch of the first event of all.
    earliest: Option<i64>,
}

impl<'a> Looks<'a> {
    fn of(state: &'a State, sums: &'a mut Sums, account: &mut Account, window: i64, baseline: i64) -> Self {
        let earliest = sums.look(&state.table);
        let span = Span::since(state, earliest, window, Some(baseline)).whole(state);
        let newest = span.newest().map(|span| span.whole(state));
        let oldest = span.oldest(state);
        let [before, now] = span.stretches(state);
        let parts = [newest.map(|span| span.stretches(state)[1]), oldest.map(|span| span.stretches(state)[0])];
        for stretch in [before, now].into_iter().chain(parts.into_iter().flatten()) {
            sums.update(&state.table, stretch, state.table.all());
        }
        sums.sort(&state.table, || Groups::of(state).order(&state.table));
        let [of_whole, of_newest, of_oldest] = &mut account.grown;
        let whole = View::over(state, sums, span, of_whole);
        let newest = newest.map(|span| View::over(state, sums, span, of_newest));
        let oldest = oldest.map(|span| View::over(state, sums, span, of_oldest));
        Self { whole, newest, oldest, state, sums, earliest }
    }

    /// What is wrong, and all that can be said.
    fn found(&self, boilerplate: &Boilerplate<'_>, account: &mut Account) -> (Vec<Verdict<'_>>, Found) {
        let looks = 1 + usize::from(self.newest.is_some()) + usize::from(self.oldest.is_some());
        let look = |view, other| verdicts::judge(view, &claims::claims(view), looks, other);
        let oldest = self.oldest.as_ref().map(|view| look(view, None));
        let claims = claims::claims(&self.whole);
        let whole = verdicts::judge(&self.whole, &claims, looks, oldest.as_ref());
        let unusual =
            |view: &View<'_>, verdicts| yesterday::unusual((self.state, self.sums), self.earliest, view.span, verdicts);
        let oldest = oldest.map(|oldest| unusual(&self.whole, oldest.verdicts));
        let newest = self.newest.as_ref().map(|view| {
            let of_end = |verdict| Verdict { newest: Some(view.span.to - view.span.from), ..verdict };
            unusual(view, look(view, None).verdicts).into_iter().map(of_end).collect()
        });
        let whole = unusual(&self.whole, whole.verdicts);
        let mut verdicts = verdicts::together([Some(whole), newest, oldest].into_iter().flatten());
        apart::explain(&self.whole, &mut verdicts);
        let certain = claims::certain(&self.whole);
        let claims: Vec<_> = claims.into_iter().filter(|claim| claim.nats > certain).collect();
        let facts = facts::facts(&self.whole, &claims, &verdicts, boilerplate, account);
        (verdicts, facts)
    }
}

/// An hour: what a window is compared with unless something else is asked for.
const BASELINE: i64 = 3_600;

/// Everything that a summary of a settled state chooses from, section by section, the weightiest first. `window` and
/// `baseline` are in seconds.
#[must_use]
pub fn statements(state: &State, sums: &mut Sums, window: i64, baseline: i64) -> Vec<Fact> {
    let mut account = std::mem::take(&mut sums.account);
    let looks = Looks::of(state, sums, &mut account, window, baseline);
    let found = looks.found(&Boilerplate::of(&looks.whole), &mut account).1;
    let mut facts = found.facts;
    facts.extend(found.doing.iter().map(|doing| doing.fact(&looks.whole, &account.lines)));
    account.lines.turn();
    sums.account = account;
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
        let mut account = std::mem::take(&mut sums.account);
        let looks = Looks::of(state, sums, &mut account, request.window, request.baseline.unwrap_or(BASELINE));
        let summary = render(&looks, &mut account, request, encoding);
        account.lines.turn();
        sums.account = account;
        summary
    })
}

/// A statement, by where it is found.
#[derive(Clone, Copy)]
enum Which {
    Fact(usize),
    Doing(usize),
}

fn render(looks: &Looks<'_>, account: &mut Account, request: &Request, encoding: &Encoding) -> Result<Summary, Error> {
    let view = &looks.whole;
    let boilerplate = Boilerplate::of(view);
    let (verdicts, found) = looks.found(&boilerplate, account);
    let lines = &mut account.lines;
    let wanted = |section: Section, texts: [&str; 3]| {
        let focused = request.focus.as_deref().is_none_or(|focus| texts.into_iter().any(|text| text.contains(focus)));
        focused && (request.sections.is_empty() || request.sections.contains(&section))
    };
    lines.count_by(&request.encoding);
    let mut stated: Vec<(Which, usize)> = Vec::with_capacity(found.facts.len() + found.doing.len());
    for (i, fact) in found.facts.iter().enumerate() {
        if wanted(fact.section, [&fact.service, &fact.operation, &fact.line]) {
            stated.push((Which::Fact(i), lines.tokens_of(&fact.line, |line| encoding.count(line))));
        }
    }
    for (i, doing) in found.doing.iter().enumerate() {
        let key = doing.series(view).key;
        if wanted(doing.section, [key.service, key.operation, lines.line(doing.id)]) {
            stated.push((Which::Doing(i), lines.tokens(doing.id, |line| encoding.count(line))));
        }
    }
    // Verdicts stand before all else, in their order.
    let briefs = facts::briefs(view, &verdicts, &boilerplate);
    let priced = |&(which, tokens): &(Which, usize)| match which {
        Which::Fact(i) => {
            let fact = &found.facts[i];
            let brief = briefs.get(i).filter(|brief| fact.section == Section::Wrong && **brief != fact.line);
            let brief = brief.map(|line| (encoding.count(line), line.clone()));
            Priced { section: fact.section, weight: fact.weight, line: &fact.line, tokens, brief }
        }
        Which::Doing(i) => {
            let doing = &found.doing[i];
            let line = lines.line(doing.id);
            Priced { section: doing.section, weight: doing.weight, line, tokens, brief: None }
        }
    };
    let priced: Vec<Priced<'_>> = stated.iter().map(priced).collect();
    let header = Header::of(view, request, !verdicts.is_empty(), encoding);
    let account = header.fit(&priced, request.budget, encoding)?;
    let fact = |&(i, ref line, tokens): &(usize, String, usize)| match stated[i].0 {
        Which::Fact(i) => FactOut::of(&found.facts[i], line, tokens),
        Which::Doing(i) => FactOut::of(&found.doing[i].fact(view, lines), line, tokens),
    };
    Ok(Summary {
        facts: account.stands.iter().map(fact).collect(),
        left_out: priced.len() - account.stands.len(),
        text: account.text,
        tokens: account.tokens,
        budget: request.budget,
        encoding: request.encoding.clone(),
        window: WindowOut::of(&view.span),
        verdicts: verdicts.iter().filter_map(VerdictOut::of).collect(),
        ledger: LedgerOut::of(view.state),
    })
}
