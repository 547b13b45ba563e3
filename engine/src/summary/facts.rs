//! Facts: every statement a summary of this window could make, each as one line.

use std::collections::BTreeSet;

use super::apart;
use super::boilerplate::Boilerplate;
use super::claims::{Claim, What};
use super::clocks;
use super::doing::{self, Doing, Told};
use super::news;
use super::once;
use super::path::{self, Roots};
use super::said::{approximate, measure, said};
use super::verdicts::Verdict;
use super::view::{SeriesView, View};
use super::words;
use crate::event::Kind;
use crate::state::account::Account;
use crate::state::series::SeriesId;
use crate::state::timeline::Seconds;

/// The parts of a summary, in the order in which they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Verdicts.
    Wrong,
    /// Operations that fail.
    Failing,
    /// What was usual and has become rare or silent.
    Stopped,
    /// What was not there before.
    New,
    /// Operations that have become slower.
    Slow,
    /// Operations by traffic.
    Busy,
    /// Operations that the calls from outside wait for.
    Path,
    /// Calls between services.
    Edges,
    /// Log messages.
    Logs,
    /// Attributes that set the bad events apart from the rest.
    Attributes,
    /// Services in which nothing has changed.
    Quiet,
}

impl Section {
    /// All of them, in order.
    pub const ALL: [Self; 11] = [
        Self::Wrong,
        Self::Failing,
        Self::Stopped,
        Self::New,
        Self::Slow,
        Self::Busy,
        Self::Path,
        Self::Edges,
        Self::Logs,
        Self::Attributes,
        Self::Quiet,
    ];

    /// Its heading, without `## `.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Failing => "failing",
            Self::Stopped => "stopped",
            Self::New => "new",
            Self::Slow => "slow",
            Self::Busy => "busy",
            Self::Path => "path",
            Self::Edges => "edges",
            Self::Logs => "logs",
            Self::Attributes => "attributes",
            Self::Quiet => "quiet",
        }
    }

    /// The section of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.name() == name)
    }

    /// What a fact of it is worth at most, against one of another section.
    pub(super) const fn worth(self) -> f64 {
        match self {
            Self::Wrong => 1000.0,
            Self::Failing => 60.0,
            Self::Stopped => 50.0,
            Self::New | Self::Slow => 40.0,
            Self::Attributes => 30.0,
            Self::Busy => 10.0,
            Self::Path => 9.0,
            Self::Logs => 8.0,
            Self::Edges => 6.0,
            Self::Quiet => 2.0,
        }
    }
}

/// One statement.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Where it stands.
    pub section: Section,
    /// Who it is about.
    pub service: String,
    /// What of it; may be empty.
    pub operation: String,
    /// What is measured: `self time`, `errors`, `rate`, `count` …
    pub measure: &'static str,
    /// In the baseline, in nanoseconds, a share or a count; `None` where nothing is compared.
    pub before: Option<f64>,
    /// In the window.
    pub after: f64,
    /// The second in which it began.
    pub since: Option<Seconds>,
    /// The number of its evidence; 0 if there is none.
    pub number: u32,
    /// What it is worth.
    pub weight: f64,
    /// The line that says it, with its newline.
    pub line: String,
}

/// Who is at fault, with what, since when and by how much.
fn opening(view: &View<'_>, place: usize, verdict: &Verdict<'_>, boilerplate: &Boilerplate<'_>) -> Option<String> {
    let lead = verdict.claims.first()?;
    let or = verdict.or.map_or_else(String::new, |other| format!(" or {}", words::name(other)));
    let service = words::name(verdict.service);
    let unheard = |claim: &Claim<'_>| claim.what == What::Stopped && claim.series.key.operation == verdict.service;
    let what = match lead.what {
        What::Failing if lead.series.key.service != verdict.service && verdict.claims.iter().any(unheard) => {
            "not answering"
        }
        What::Slow => "slow",
        What::Network => "slow on the network",
        What::Failing | What::Errors => "failing",
        What::Stopped if lead.series.key.kind == Kind::Edge && unheard(lead) => "silent",
        What::Stopped => "steps missing",
        What::New => "new message",
    };
    let since = lead.since.map_or_else(String::new, |second| format!(" since {}", moment(view, second)));
    Some(format!("{place} {service}{or}: {what}{since}. {}", said(lead, verdict.service, boilerplate)))
}

/// The lines of verdicts without all that a small budget has no room for, in order.
#[must_use]
pub fn briefs(view: &View<'_>, verdicts: &[Verdict<'_>], boilerplate: &Boilerplate<'_>) -> Vec<String> {
    let brief = |(i, verdict): (usize, &Verdict<'_>)| {
        let newest = verdict.newest.map_or_else(String::new, |s| format!(", in the last {}", words::span(s)));
        let number = verdict.claims.first()?.series.number;
        Some(end(opening(view, i + 1, verdict, boilerplate)? + &newest, number))
    };
    verdicts.iter().enumerate().filter_map(brief).collect()
}

/// What stands in the `wrong` section for a verdict.
#[must_use]
pub fn verdict(view: &View<'_>, place: usize, verdict: &Verdict<'_>, boilerplate: &Boilerplate<'_>) -> Option<Fact> {
    let lead = verdict.claims.first()?;
    let mut line = opening(view, place, verdict, boilerplate)?;
    if let Some(second) = verdict.claims.iter().skip(1).find(|claim| claim.what != lead.what) {
        line += "; also ";
        line += &said(second, verdict.service, boilerplate);
    }
    if let Some(seconds) = verdict.newest {
        line += &format!(", in the last {}", words::span(seconds));
    }
    if let Some(attribute) = &verdict.attribute {
        line += &format!("; mostly {}", attribute.said("calls"));
    }
    if !verdict.victims.is_empty() {
        let names: Vec<String> = verdict.victims.iter().take(3).map(|name| words::name(name)).collect();
        let more = verdict.victims.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let verb = if verdict.victims.len() == 1 { "waits" } else { "wait" };
        line += &format!("; {}{more} {verb} on it", names.join(", "));
    }
    Some(Fact {
        section: Section::Wrong,
        service: verdict.service.to_owned(),
        operation: operation(lead.series),
        measure: measure(lead),
        before: Some(lead.before),
        after: lead.after,
        since: lead.since,
        number: lead.series.number,
        // In the order of the verdicts, which is not that of their severity alone.
        weight: Section::Wrong.worth() / approximate(place as u64),
        line: end(line, lead.series.number),
    })
}

/// All that can be said of a view: what a series is doing is put into words in the lines kept for it, and is no fact yet.
#[derive(Debug, Default)]
pub struct Found {
    /// Statements of any kind.
    pub facts: Vec<Fact>,
    /// What each series is doing of which nothing else is said, in their order.
    pub doing: Vec<Doing>,
}

/// All facts of a view, those that speak of what a verdict has said already left out.
#[must_use]
pub fn facts<'v>(
    view: &View<'v>,
    claims: &[Claim<'_>],
    verdicts: &[Verdict<'_>],
    boilerplate: &Boilerplate<'v>,
    account: &mut Account,
) -> Found {
    let mut facts: Vec<Fact> =
        verdicts.iter().enumerate().filter_map(|(i, each)| verdict(view, i + 1, each, boilerplate)).collect();
    let mut told: BTreeSet<SeriesId> =
        verdicts.iter().filter_map(|verdict| Some(verdict.claims.first()?.series.id)).collect();
    let mut changed: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict.service).collect();
    for claim in claims {
        changed.insert(claim.series.key.service);
        if told.insert(claim.series.id) {
            facts.push(of_claim(view, claim, boilerplate));
        }
    }
    let scale = Scale::of(view);
    let mut found = Found { facts, doing: Vec::with_capacity(view.series.len()) };
    for (at, series) in view.series.iter().chain(&view.edges).enumerate() {
        // Edges are told as those of all operations together.
        let apart = at >= view.series.len() || !matches!(series.key.kind, Kind::Edge | Kind::Step);
        if !apart || told.contains(&series.id) {
            continue;
        }
        match doing::of(view, (at, series), &scale, boilerplate, account) {
            Some(Told::Silent(fact)) => {
                changed.insert(series.key.service);
                found.facts.push(fact);
            }
            // What is new is told together where there is much of it.
            Some(Told::Doing(doing)) if doing.section == Section::New => {
                changed.insert(series.key.service);
                found.facts.push(doing.fact(view, &account.lines));
            }
            Some(Told::Doing(doing)) => found.doing.push(doing),
            None => {}
        }
    }
    found.facts.extend(apart::facts(view, claims, verdicts));
    found.facts.extend(path::facts(view, &scale.roots));
    found.facts.extend(clocks::facts(view));
    found.facts.extend(quiet(view, &changed));
    news::group(view, &mut found.facts);
    once::once(view, &mut found, &account.lines);
    found
}

fn of_claim(view: &View<'_>, claim: &Claim<'_>, boilerplate: &Boilerplate<'_>) -> Fact {
    let series = claim.series;
    let section = match claim.what {
        What::Slow | What::Network => Section::Slow,
        What::Failing | What::Errors => Section::Failing,
        What::Stopped => Section::Stopped,
        What::New => Section::New,
    };
    let since = claim.since.map_or_else(String::new, |second| format!(" since {}", moment(view, second)));
    let both_named = series.key.kind == Kind::Edge && series.key.within.is_empty();
    let subject = if both_named || series.key.service.is_empty() {
        String::new()
    } else {
        format!("{} ", words::name(series.key.service))
    };
    let line = format!("{subject}{}{since}", said(claim, series.key.service, boilerplate));
    Fact {
        section,
        service: series.key.service.to_owned(),
        operation: operation(series),
        measure: measure(claim),
        before: Some(claim.before),
        after: claim.after,
        since: claim.since,
        number: series.number,
        weight: section.worth() * (0.2 + 0.8 * claim.effect.clamp(0.0, 1.0)),
        line: end(line, series.number),
    }
}

/// What facts of a view are measured by.
pub(super) struct Scale {
    /// Events of the busiest series in the window.
    pub(super) busiest: f64,
    /// The time that the calls from outside took.
    pub(super) roots: Roots,
}

impl Scale {
    fn of(view: &View<'_>) -> Self {
        let most = view.series.iter().map(|series| series.now.count).max().unwrap_or(0);
        // To the next power of two: what everything is weighed by is not to move with one number.
        Self { busiest: approximate(most.next_power_of_two()), roots: Roots::of(view) }
    }
}

/// Services of which nothing was claimed, eight to a line at most. Lines break where they would if nothing was claimed of any:
/// one that drops out changes its own line alone.
#[allow(clippy::cast_precision_loss)]
fn quiet(view: &View<'_>, changed: &BTreeSet<&str>) -> Vec<Fact> {
    if !view.span.compares() {
        return Vec::new();
    }
    let here = |series: &SeriesView<'_>| series.key.kind.is_decoded() && !series.key.service.is_empty();
    let names = |is: &dyn Fn(&SeriesView<'_>) -> bool| -> Vec<&str> {
        let services = view.by_service().filter(|all| all.iter().any(|series| here(series) && is(series)));
        services.map(|all| all[0].key.service).collect()
    };
    let (all, active) = (names(&|_| true), names(&|series| series.now.count > 0));
    let fact = |names: &[&str]| {
        let names: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| active.binary_search(name).is_ok() && !changed.contains(name))
            .collect();
        let line = names.iter().map(|name| words::name(name)).collect::<Vec<_>>().join(", ");
        (!names.is_empty()).then(|| Fact {
            section: Section::Quiet,
            service: names.join(" "),
            operation: String::new(),
            measure: "services",
            before: None,
            after: names.len() as f64,
            since: None,
            number: 0,
            weight: Section::Quiet.worth(),
            line: end(line, 0),
        })
    };
    let lines = all.len().div_ceil(8).max(1);
    all.chunks(all.len().div_ceil(lines).max(1)).filter_map(fact).collect()
}

pub(super) fn operation(series: &SeriesView<'_>) -> String {
    series.key.operation.to_owned()
}

/// When something began: to the second in a window of some minutes, else to the minute.
pub(super) fn moment(view: &View<'_>, second: Seconds) -> String {
    words::clock(second, view.span.to - view.span.from < 1_200)
}

/// The line with its evidence and its newline, in the form in which token counts add up: it begins with neither `/` nor a blank.
pub(super) fn end(line: String, number: u32) -> String {
    let line = if line.starts_with(|c: char| c == '/' || c.is_whitespace()) {
        format!("- {}", line.trim_start())
    } else {
        line
    };
    if number > 0 { format!("{line} #{number}\n") } else { format!("{line}\n") }
}
