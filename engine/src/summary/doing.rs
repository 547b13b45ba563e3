//! What a series is doing: most of what a summary chooses from, and little of it is chosen. So it is no more than a place, a
//! weight and a line that is kept from one reading to the next.

use super::boilerplate::Boilerplate;
use super::facts::{Fact, Scale, Section, end, operation};
use super::said::{approximate, step};
use super::silent;
use super::usual::{self, Usual};
use super::view::{SeriesView, View};
use super::words;
use crate::event::Kind;
use crate::state::account::Account;
use crate::state::joins::UNSEEN;
use crate::state::lines::Lines;
use crate::state::series::SeriesId;
use crate::state::timeline::Slot;

/// What a series is doing.
#[derive(Clone, Copy, Debug)]
pub struct Doing {
    /// Its place among the series of a view, and behind them its edges.
    at: usize,
    /// The series, by which its line is kept.
    pub id: SeriesId,
    /// Where it stands.
    pub section: Section,
    /// Events in the window, or the share that fails.
    after: f64,
    /// What it is worth.
    pub weight: f64,
}

/// What is said of a series.
pub(super) enum Told {
    /// What it does.
    Doing(Doing),
    /// That it does nothing any more.
    Silent(Fact),
}

impl Doing {
    /// The series, in the view it is of.
    #[must_use]
    pub fn series<'s, 'v>(&self, view: &'s View<'v>) -> &'s SeriesView<'v> {
        view.series.get(self.at).unwrap_or_else(|| &view.edges[self.at - view.series.len()])
    }

    /// Whether it is of an edge.
    #[must_use]
    pub const fn is_edge(&self, view: &View<'_>) -> bool {
        self.at >= view.series.len()
    }

    /// All of it.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn fact(&self, view: &View<'_>, lines: &Lines) -> Fact {
        let series = self.series(view);
        Fact {
            section: self.section,
            service: series.key.service.to_owned(),
            operation: operation(series),
            measure: "count",
            before: view.span.compares().then_some(series.before.count as f64),
            after: self.after,
            since: None,
            number: series.number,
            weight: self.weight,
            line: lines.line(self.id).to_owned(),
        }
    }
}

/// What a series is doing, whether or not it has changed: its usual numbers if it has not, else those of the window.
#[allow(clippy::cast_precision_loss)]
pub(super) fn of(
    view: &View<'_>,
    (at, series): (usize, &SeriesView<'_>),
    scale: &Scale,
    boilerplate: &Boilerplate<'_>,
    account: &mut Account,
) -> Option<Told> {
    let now = &series.now;
    let usual = Usual::of(&view.span, series, &mut account.times);
    if usual.is_none() {
        let silent = silent::fact(view, series, scale.busiest);
        if silent.is_some() || now.count == 0 {
            return silent.map(Told::Silent);
        }
    }
    let share = usual.map_or_else(|| now.errors as f64 / now.count as f64, |usual| usual.failing());
    let count = usual.map_or(now.count as f64, |usual| usual.events(view.span.seconds()));
    let traffic = (1.0 + count).ln() / (1.0 + scale.busiest).ln();
    let new = view.span.compares()
        && series.before.count == 0
        && series.first.is_some_and(|ns| ns.div_euclid(1_000_000_000) >= view.span.from);
    let mut part = 0.0;
    let (section, after, weight) = match series.key.kind {
        Kind::Edge if series.key.service.is_empty() => return None,
        // The caller of what has just been called may yet say so.
        Kind::Edge if series.key.service == UNSEEN && series.before.count == 0 => return None,
        Kind::Edge => {
            part = match series.key.service {
                UNSEEN => orphans(view, series, usual.is_some()),
                _ => scale.roots.of_edge(series, usual.as_ref()),
            };
            (Section::Edges, now.count as f64, traffic.max(part))
        }
        Kind::Log | Kind::Failure => {
            let section = if new { Section::New } else { Section::Logs };
            (section, now.count as f64, if share > 0.5 { 0.5 + 0.5 * traffic } else { 0.5 * traffic })
        }
        _ if share > 0.0 => (Section::Failing, share, 0.2 * (share + traffic)),
        _ => (if new { Section::New } else { Section::Busy }, now.count as f64, traffic),
    };
    let times = usual.is_none().then(|| [0.5, 0.95].map(|q| now.duration.quantile(q)));
    let said = (
        (series.key.service, series.key.operation, series.key.within, series.key.kind as u8, series.number),
        (
            usual.map(|usual| usual.said()),
            times.map(|times| (times, now.count, now.errors)),
            [share, part].map(f64::to_bits),
            new,
        ),
        boilerplate.beginning(series.key),
    );
    account
        .lines
        .tell(series.id, &said, || end(doing(series, usual.as_ref(), [share, part], new, boilerplate), series.number));
    Some(Told::Doing(Doing { at, id: series.id, section, after, weight: section.worth() * weight }))
}

/// What a series is doing, in words.
fn doing(
    series: &SeriesView<'_>,
    usual: Option<&Usual>,
    [share, part]: [f64; 2],
    new: bool,
    boilerplate: &Boilerplate<'_>,
) -> String {
    let service = words::name(series.key.service);
    match series.key.kind {
        Kind::Edge => {
            let caller = if series.key.service == UNSEEN { "(unseen)" } else { &service };
            let whole = if series.key.service == UNSEEN { "its calls" } else { "root time" };
            let of_whole = if part >= 0.05 { format!(", {} of {whole}", words::percent(part)) } else { String::new() };
            let callee = words::name(series.key.operation);
            format!("{caller} > {callee}: {}{of_whole}", calls(&series.now, usual, share))
        }
        Kind::Log | Kind::Failure => {
            let level = if share > 0.5 { "error " } else { "" };
            let within = if series.key.within.is_empty() {
                String::new()
            } else {
                format!(" {}", words::name(series.key.within))
            };
            let mark = if new { "new " } else { "" };
            let who = if service.is_empty() { within } else { format!("{service}{within}: ") };
            let often =
                usual.map_or_else(|| words::count(series.now.count), |usual| format!("usually {}", usual.rate()));
            format!("{who}{mark}{level}{} {often}", boilerplate.quote(series.key))
        }
        _ => format!("{service} {}: {}", step(series), calls(&series.now, usual, share)),
    }
}

/// The share of a service's calls whose caller has not been seen, as it is said: their parents are missing.
fn orphans(view: &View<'_>, edge: &SeriesView<'_>, steady: bool) -> f64 {
    let count = |edge: &SeriesView<'_>| if steady { edge.before.count + edge.now.count } else { edge.now.count };
    let all: u64 = view.edges.iter().filter(|other| other.key.operation == edge.key.operation).map(count).sum();
    let share = approximate(count(edge)) / approximate(all.max(1));
    if steady { usual::part(share, count(edge)) } else { share }
}

/// How many calls there are, how long they take and which share of them fails.
fn calls(now: &Slot, usual: Option<&Usual>, share: f64) -> String {
    let failed = if share > 0.0 { format!(", {} failed", words::percent(share)) } else { String::new() };
    if let Some(usual) = usual {
        return format!("usually {}, {}{failed}", usual.rate(), usual.times());
    }
    let [p50, p95] = [0.5, 0.95].map(|q| words::duration(approximate(now.duration.quantile(q))));
    let failures = if share > 0.0 { format!(" ({})", words::count(now.errors)) } else { String::new() };
    format!("{} calls, p50 {p50} p95 {p95}{failed}{failures}", words::count(now.count))
}
