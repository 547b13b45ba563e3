//! Exposure: how often a service, or an operation, was called. Counts are taken against it, so that one that merely lost its
//! callers is not accused.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::view::{SeriesView, View};
use crate::event::Kind;

/// How often a service was called: the exposure that its counts are measured against.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exposure {
    /// In the baseline.
    pub before: f64,
    /// In the window.
    pub now: f64,
}

impl Exposure {
    /// The window's over the baseline's.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        if self.before > 0.0 { self.now / self.before } else { 0.0 }
    }
}

/// How often everything was called.
pub struct Exposures<'a> {
    /// By service: the calls that came in.
    pub services: HashMap<&'a str, Exposure, RandomState>,
    view: &'a View<'a>,
    /// By service and operation: its spans; found when they are asked for.
    operations: OnceCell<Vec<((&'a str, &'a str), Exposure)>>,
    /// Seconds, for what nobody is seen calling.
    clock: Exposure,
}

impl<'a> Exposures<'a> {
    #[must_use]
    pub fn of(view: &'a View<'a>) -> Self {
        let mut services: HashMap<_, _, _> = HashMap::default();
        for edge in &view.edges {
            count(services.entry(edge.key.operation).or_default(), edge);
        }
        let clock = Exposure { before: view.span.base_seconds(), now: view.span.seconds() };
        Self { services, view, operations: OnceCell::new(), clock }
    }

    fn operations(view: &View<'a>) -> Vec<((&'a str, &'a str), Exposure)> {
        // Series are in the order of their keys, so operations are too.
        let mut operations: Vec<((&str, &str), Exposure)> = Vec::new();
        for series in view.series.iter().filter(|series| series.key.kind.is_span()) {
            let operation = (series.key.service, series.key.operation);
            if operations.last().is_none_or(|last| last.0 != operation) {
                operations.push((operation, Exposure::default()));
            }
            if let Some((_, exposure)) = operations.last_mut() {
                count(exposure, series);
            }
        }
        operations
    }

    /// What the counts of a series are measured against: a step by its operation, a message by its service's calls. Where its
    /// operation was not called in one of the two there is nothing to measure it against; what nobody is seen calling is
    /// measured by the clock.
    #[must_use]
    pub fn to(&self, series: &SeriesView<'_>) -> Exposure {
        let (service, within) = (series.key.service, series.key.within);
        let of_operation = (!within.is_empty())
            .then(|| {
                let operations = self.operations.get_or_init(|| Self::operations(self.view));
                let at = operations.binary_search_by_key(&(service, within), |operation| operation.0).ok()?;
                Some(&operations[at].1)
            })
            .flatten();
        of_operation
            .or_else(|| self.services.get(service).filter(|calls| calls.before >= 1.0))
            .copied()
            .unwrap_or(self.clock)
    }

    /// The share of its service's calls that a span takes part in.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn traffic(&self, series: &SeriesView<'_>) -> f64 {
        let calls = self.services.get(series.key.service).map_or(0.0, |calls| calls.now);
        if calls > 0.0 { (series.now.count as f64 / calls).min(1.0) } else { 1.0 }
    }

    /// By how many errors a call a service has become better: what its error handling did is done no more, and is no loss.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn recovered(&self, view: &View<'a>) -> BTreeMap<&'a str, f64> {
        let mut recovered: BTreeMap<&str, f64> = BTreeMap::new();
        // What had no errors has become no better.
        for series in view.series.iter().filter(|series| series.before.errors > 0) {
            let exposure = self.services.get(series.key.service).copied().unwrap_or(self.clock);
            let rate = |count: u64, calls: f64| count as f64 / calls.max(1.0);
            let better = rate(series.before.errors, exposure.before) - rate(series.now.errors, exposure.now);
            if better > 0.0 && series.key.kind.is_decoded() {
                let most = recovered.entry(series.key.service).or_default();
                *most = most.max(better);
            }
        }
        recovered
    }
}

/// The operations that each message is written in, of those records whose span was seen.
pub struct Writers<'a> {
    by_message: HashMap<(&'a str, &'a str), Vec<Writer<'a>>, RandomState>,
}

/// An operation that writes a message.
struct Writer<'a> {
    operation: &'a str,
    calls: Exposure,
    /// Records of the message in them.
    records: Exposure,
}

impl<'a> Writers<'a> {
    #[must_use]
    pub fn of(view: &View<'a>, exposures: &Exposures<'_>) -> Self {
        let mut by_message: HashMap<_, Vec<Writer<'_>>, _> = HashMap::default();
        for step in view.series.iter().filter(|series| series.key.kind == Kind::Step) {
            let (operation, calls, mut records) = (step.key.within, exposures.to(step), Exposure::default());
            count(&mut records, step);
            by_message.entry((step.key.service, step.key.operation)).or_default().push(Writer {
                operation,
                calls,
                records,
            });
        }
        Self { by_message }
    }

    fn of_message<'s>(&'s self, message: &SeriesView<'s>) -> &'s [Writer<'s>] {
        self.by_message.get(&(message.key.service, message.key.operation)).map_or(&[], Vec::as_slice)
    }

    /// What a message is missed by: how the callers mix the operations that wrote it is their business.
    #[must_use]
    pub fn missed(&self, message: &SeriesView<'_>, service: Exposure) -> Exposure {
        let mut mixed = Exposure::default();
        for writer in self.of_message(message) {
            mixed.before += writer.records.before;
            mixed.now += writer.records.before * writer.calls.ratio();
        }
        if mixed.before > 0.0 { Exposure { now: service.before * mixed.ratio(), ..service } } else { service }
    }

    /// The calls of the operations that write one of several messages of a service, where most of their records are known to
    /// come from them; else those of the service.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn calls<'s>(&'s self, messages: impl Iterator<Item = &'s SeriesView<'s>>, service: Exposure) -> Exposure {
        let (mut written, mut known) = (0.0, 0.0);
        let mut operations: BTreeMap<&str, Exposure> = BTreeMap::new();
        for message in messages {
            written += message.now.count as f64;
            for writer in self.of_message(message).iter().filter(|writer| writer.records.now > 0.0) {
                known += writer.records.now;
                operations.insert(writer.operation, writer.calls);
            }
        }
        if known * 2.0 <= written {
            return service;
        }
        operations.values().fold(Exposure::default(), |sum, calls| Exposure {
            before: sum.before + calls.before,
            now: sum.now + calls.now,
        })
    }
}

#[allow(clippy::cast_precision_loss)]
fn count(exposure: &mut Exposure, series: &SeriesView<'_>) {
    exposure.before += series.before.count as f64;
    exposure.now += series.now.count as f64;
}
