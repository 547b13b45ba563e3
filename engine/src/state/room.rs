//! Keeps a state within its memory: how it is shared out, who gives way where it is short, and what is given up.
//!
//! Whoever takes the most gives way first, down to the level at which all that is wanted has room (max-min fairness;
//! Bertsekas and Gallager, Data Networks, 1992): a flood of names costs the service it comes from. No count is lost by it.
//! Timelines become coarser; series that have counted the least are counted under `(other)` instead, so that those which
//! come later and often find a place, as in lossy counting (Manku and Motwani, 2002). The ledger has the numbers.

use hashbrown::HashMap;

use super::names::Name;
use super::series::{Key, OTHER, SeriesId};
use super::sums::Sums;
use super::{Limits, State};
use crate::event::Kind;

/// Bytes of an open span, with its part of the tables of traces and the room that these have beyond it.
const SPAN: usize = 150;

/// Bytes of a series of which one event was seen.
const SERIES: usize = 2_048;

/// Series that a service has to have for an `(other)` of its own.
const FEW: usize = 8;

/// What the parts of a state may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    /// Spans that may be open.
    pub open_spans: usize,
    /// Series kept apart.
    pub series: usize,
    /// Bytes of the series and their timelines.
    pub table: usize,
    /// Bytes of evidence.
    pub evidence: usize,
    /// Bytes of what decoders remember of streams.
    pub streams: usize,
}

impl Shares {
    pub(super) fn of(limits: &Limits) -> Self {
        let memory = limits.memory;
        let table = memory / 20 * 7;
        Self {
            open_spans: limits.max_open_spans.min(memory / 50 * 21 / SPAN).max(1),
            series: limits.max_series.min(table / SERIES).max(1),
            table,
            evidence: limits.max_evidence.min(memory / 8),
            streams: memory / 16,
        }
    }

    /// What the table is brought down to when it is over its share, so that it is not over it again at once.
    fn table_after(&self) -> usize {
        self.table / 4 * 3
    }
}

/// How often the number of events whose attributes are kept is halved at most, where room is short.
const HALVED: u32 = 3;

/// The level down to which the largest have to come so that all together are within `target`.
pub(super) fn level(amounts: impl Iterator<Item = usize>, target: usize) -> usize {
    let mut amounts: Vec<usize> = amounts.collect();
    amounts.sort_unstable();
    let mut left = target;
    let mut count = amounts.len();
    for amount in amounts {
        if amount > left / count {
            return left / count;
        }
        left -= amount;
        count -= 1;
    }
    usize::MAX
}

impl State {
    /// Bring everything back within its share.
    pub(super) fn keep_within(&mut self) {
        if self.pieces.is_crowded() {
            self.sweep_pieces();
        }
        if self.pieces.unread() > self.shares.evidence / 4 {
            self.read_attributes();
        }
        if self.table.overflow >= self.recycled + self.table.limit as u64 {
            self.recycle();
        }
        if self.traces.links() > self.most_links {
            self.traces.used(self.table.size());
            self.most_links = (2 * self.traces.links()).max(4 * self.table.limit);
        }
        if self.measured.saturating_add(self.table.grown()) > self.shares.table {
            self.table.keep_sums(Sums::default());
            self.measured = self.table.measure();
            if self.measured > self.shares.table / 8 * 7 {
                self.coarsen();
            }
        }
    }

    /// Bytes that sums for readers may take: what timelines leave of the table's share, and half of what open spans leave of
    /// theirs, since sums are let go with the next reading; no more than a quarter of the table's share.
    pub(super) fn room_for_sums(&self) -> usize {
        let taken = self.measured.saturating_add(self.table.grown());
        let spans = self.shares.open_spans.saturating_sub(self.traces.open()) * SPAN / 2;
        self.shares.table.saturating_sub(taken).saturating_add(spans).min(self.shares.table / 4)
    }

    /// Bring it back within its share after a snapshot was taken in; of a state that was empty nothing was measured yet.
    pub(crate) fn fit(&mut self, empty: bool) {
        if empty {
            self.measured = self.table.measure();
        }
        self.recycled = self.table.overflow;
        self.instances.recount(&self.table);
        self.keep_within();
    }

    /// Make timelines coarser: of the services that take the most, those first that tell the least with the most bytes.
    fn coarsen(&mut self) {
        // Each pass takes at most one level of each.
        while self.measured > self.shares.table_after() {
            let fixed = self.measured.saturating_sub(self.timelines().map(|(.., bytes)| bytes).sum());
            let mut services: HashMap<Name, usize> = HashMap::new();
            self.timelines().for_each(|(_, service, bytes)| *services.entry(service).or_default() += bytes);
            let fair = level(services.values().copied(), self.shares.table_after().saturating_sub(fixed));
            let mut greedy: Vec<(u8, u64, SeriesId)> = self
                .timelines()
                .filter(|(_, service, _)| services[service] > fair)
                .map(|(id, _, bytes)| {
                    let record = self.table.record(id);
                    // Events for a MiB.
                    (record.timeline.coarse(), (record.count << 20) / bytes as u64, id)
                })
                .collect();
            if greedy.is_empty() {
                return;
            }
            greedy.sort_unstable();
            for (.., id) in greedy {
                let timeline = &mut self.table.record_mut(id).timeline;
                let before = timeline.bytes();
                timeline.coarsen();
                self.measured -= before.saturating_sub(timeline.bytes()).min(self.measured);
                self.ledger.coarsened += 1;
                if self.measured <= self.shares.table_after() {
                    return;
                }
            }
        }
    }

    /// Series with something in their timelines, and its bytes.
    fn timelines(&self) -> impl Iterator<Item = (SeriesId, Name, usize)> {
        let bytes = |(id, key, record): (SeriesId, Key<Name>, &super::series::Record)| {
            (id, key.service, record.timeline.bytes())
        };
        self.table.live().map(bytes).filter(|(.., bytes)| *bytes > 0)
    }

    /// Make room for an eighth of the series there may be: first what has nothing to say or has been silent for a day; then,
    /// of the services that have the most series, those that have counted the least. Open traces that they are of are
    /// closed early.
    fn recycle(&mut self) {
        self.recycled = self.table.overflow;
        let series = self.table.occupied();
        let wanted = series.len().saturating_sub(self.table.limit / 8 * 7);
        let (derived, direct): (Vec<SeriesId>, Vec<SeriesId>) = series
            .iter()
            .partition(|&&id| matches!(self.table.key(id).kind, Kind::Edge | Kind::Step | Kind::Instance | Kind::Skew));
        let part = |ids: &[SeriesId]| (ids.len() * wanted).div_ceil(series.len().max(1));
        let (wanted_derived, wanted_direct) = (part(&derived), part(&direct));

        let mut gone = vec![false; self.table.size()];
        let chosen = self.least(direct, wanted_direct);
        chosen.iter().for_each(|&(id, _)| gone[id as usize] = true);
        self.ledger.evicted_spans += self.traces.close_of(&gone, &mut self.table, &self.clock);
        // Series that came into being by the closing are not in `gone`, nor in what is used, and are not asked for.
        let used = self.traces.used(self.table.size());
        let derived = derived.into_iter().filter(|&id| !used[id as usize]).collect();
        for (id, of_service) in chosen.into_iter().chain(self.least(derived, wanted_derived)) {
            gone[id as usize] = self.give_up(id, of_service);
        }
        self.streams.renumber(|id| (gone.get(id as usize) == Some(&false)).then_some(id));
        let now = self.table.rename();
        self.traces.rename(&now);
        self.instances.recount(&self.table);
    }

    /// Of some series, those that are to go, each with how many its service has left then.
    fn least(&self, series: Vec<SeriesId>, wanted: usize) -> Vec<(SeriesId, usize)> {
        let mut services: HashMap<Name, usize> = HashMap::new();
        series.iter().for_each(|&id| *services.entry(self.table.service(id)).or_default() += 1);
        let fair = level(services.values().copied(), series.len().saturating_sub(wanted));
        let mut candidates: Vec<(bool, u64, Option<i64>, SeriesId)> = series
            .into_iter()
            .filter(|&id| self.table.key(id).service != OTHER)
            .map(|id| {
                let record = self.table.record(id);
                // What stands for the many of a service is the last of it to go.
                let stands = self.table.key(id).operation == OTHER && services[&self.table.service(id)] > 1;
                let count = if stands { u64::MAX } else { record.count };
                (!record.timeline.is_empty(), count, record.last, id)
            })
            .collect();
        candidates.sort_unstable();
        let mut chosen = Vec::new();
        for (lives, .., id) in candidates {
            let of_service = services.entry(self.table.service(id)).or_default();
            if chosen.len() == wanted {
                break;
            }
            if !lives || *of_service > fair {
                *of_service -= 1;
                chosen.push((id, *of_service));
            }
        }
        chosen
    }

    /// Count a series under the `(other)` of its service, or, where that has few series, under that of all.
    fn give_up(&mut self, id: SeriesId, of_service: usize) -> bool {
        let key = self.table.key(id);
        let (kind, is_other) = (key.kind, key.operation == OTHER);
        let own = Key { operation: OTHER, within: "", ..key };
        let has_own = !is_other && (of_service >= FEW || self.table.get(&own).is_some());
        let service = if has_own { key.service } else { OTHER }.to_owned();
        let into = self.table.find(&Key { service: &service, operation: OTHER, within: "", kind });
        if into == id {
            return false;
        }
        let gone = self.table.fold(id, into, &self.clock);
        if gone.number > 0 {
            self.table.number(into);
        }
        if !is_other {
            self.table.overflow += gone.count;
            self.recycled += gone.count;
        }
        self.ledger.evicted_series += u64::from(!gone.is_empty());
        let freed = gone.kept.bytes();
        self.evidence_bytes = self.evidence_bytes.saturating_sub(freed);
        self.ledger.evicted_evidence += u64::from(freed > 0);
        true
    }

    /// Let evidence go until it is within its share: of what events carried the half, and so on to an eighth; what is older,
    /// everywhere alike; then what variables held; then, of the services that have the most, all of it. The next events fill
    /// it again.
    pub(super) fn shed_evidence(&mut self) {
        let target = self.shares.evidence / 4 * 3;
        self.sweep_pieces();
        if self.evidence_bytes <= target {
            return;
        }
        self.pieces.halved = (self.pieces.halved + 1).min(HALVED);
        for kept in self.table.kept_mut() {
            self.evidence_bytes = self.evidence_bytes.saturating_sub(kept.halve_carried(self.pieces.halved));
        }
        self.sweep_pieces();
        if self.evidence_bytes <= target {
            return;
        }
        for kept in self.table.kept_mut() {
            let freed = kept.shed_older();
            self.evidence_bytes = self.evidence_bytes.saturating_sub(freed);
            self.ledger.evicted_evidence += u64::from(freed > 0);
        }
        self.sweep_pieces();
        if self.evidence_bytes <= target {
            return;
        }
        for kept in self.table.kept_mut() {
            let freed = kept.shed_samples();
            self.evidence_bytes = self.evidence_bytes.saturating_sub(freed);
            self.ledger.evicted_evidence += u64::from(freed > 0);
        }
        if self.evidence_bytes <= target {
            return;
        }
        let mut services: HashMap<Name, usize> = HashMap::new();
        for (_, key, record) in self.table.live() {
            *services.entry(key.service).or_default() += record.kept.bytes();
        }
        let fair = level(services.values().copied(), target);
        let greedy: Vec<SeriesId> =
            self.table.live().filter(|(_, key, _)| services[&key.service] > fair).map(|(id, ..)| id).collect();
        for id in greedy {
            let freed = self.table.record_mut_but_when(id).kept.shed_all();
            self.evidence_bytes = self.evidence_bytes.saturating_sub(freed);
            self.ledger.evicted_evidence += u64::from(freed > 0);
        }
        self.sweep_pieces();
    }
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn level__any_amounts__all_within_the_target_and_no_lower_than_need_be(amounts in prop::collection::vec(0usize..1_000, 1..40), target in 0usize..20_000) {
            let found = level(amounts.iter().copied(), target);
            let at = |level: usize| amounts.iter().map(|&amount| amount.min(level)).sum::<usize>();
            prop_assert!(at(found) <= target);
            prop_assert!(found == usize::MAX || at(found + 1) > target || at(found + 1) == at(usize::MAX));
        }
    }
}
