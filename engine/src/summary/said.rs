//! What a claim says, in words and numbers.

use super::boilerplate::Boilerplate;
use super::claims::{Claim, What};
use super::view::SeriesView;
use super::words;
use crate::event::Kind;

/// What a claim says, without its service where that was said already.
#[must_use]
pub fn said(claim: &Claim<'_>, service: &str, boilerplate: &Boilerplate<'_>) -> String {
    let series = claim.series;
    let subject = match series.key.kind {
        Kind::Edge if series.key.within.is_empty() => {
            format!("calls {} > {}", words::name(series.key.service), words::name(series.key.operation))
        }
        Kind::Edge => format!("{}'s calls to {}", words::name(series.key.within), words::name(series.key.operation)),
        Kind::Step if series.key.operation.contains(' ') => {
            format!("{}'s step {}", words::name(series.key.within), boilerplate.quote(series.key))
        }
        Kind::Step => format!("{}'s step {}", words::name(series.key.within), words::name(series.key.operation)),
        Kind::Log => boilerplate.quote(series.key),
        Kind::Instance => format!("instance {}", words::name(series.key.operation)),
        _ => step(series),
    };
    let named = series.key.kind == Kind::Edge && series.key.within.is_empty();
    let subject = if named || series.key.service == service {
        subject
    } else {
        format!("{} {subject}", words::name(series.key.service))
    };
    let calls = words::count(series.now.count);
    match claim.what {
        What::Slow if series.key.kind == Kind::Instance => {
            format!(
                "{subject} mean {} > {} ({calls} calls)",
                words::duration(claim.before),
                words::duration(claim.after)
            )
        }
        What::Slow => format!("{subject} self time {} ({calls} calls)", grown(series)),
        What::Network => format!("{subject} gap {} ({calls} calls)", grown(series)),
        What::Failing => format!(
            "{subject} errors {} > {} ({})",
            words::percent(claim.before),
            words::percent(claim.after),
            words::count(if series.key.kind == Kind::Instance { series.now.errors } else { series.now.origins })
        ),
        What::Errors | What::New if series.before.count == 0 => format!("{subject} new ({calls})"),
        What::Errors | What::New | What::Stopped => {
            format!("{subject} {} > {} a call", words::number(claim.before), words::number(claim.after))
        }
    }
}

/// An operation, told apart from the callee's side of the same name.
#[must_use]
pub fn step(series: &SeriesView<'_>) -> String {
    let name = words::name(series.key.operation);
    match series.key.kind {
        Kind::Client | Kind::Producer | Kind::Consumer => format!("{name} ({})", series.key.kind.name()),
        _ => name,
    }
}

#[must_use]
pub const fn measure(claim: &Claim<'_>) -> &'static str {
    match claim.what {
        What::Slow | What::Failing if matches!(claim.series.key.kind, Kind::Instance) => "of an instance",
        What::Slow => "self time",
        What::Network => "gap",
        What::Failing => "errors",
        What::Errors | What::New | What::Stopped => "rate",
    }
}

/// How the own time grew, by the quantile that is read the most of those that show it.
fn grown(series: &SeriesView<'_>) -> String {
    let pair = |q: f64| [&series.before.own, &series.now.own].map(|hist| approximate(hist.quantile(q)));
    let shows = |&(_, q): &(&str, f64)| pair(q)[1] >= pair(q)[0] * 1.5;
    let (name, q) =
        [("p95", 0.95), ("p50", 0.5), ("p99", 0.99), ("max", 1.0)].into_iter().find(shows).unwrap_or(("p95", 0.95));
    let [before, now] = pair(q).map(words::duration);
    format!("{name} {before} > {now}")
}

#[allow(clippy::cast_precision_loss)]
pub(super) const fn approximate(ns: u64) -> f64 {
    ns as f64
}
