//! What a sample says of itself: how many events were looked at, what none of them tells of, and which keys there are.

use std::collections::BTreeMap;

use super::attribute::Key;
use super::error::{Error, Written, nearest};
use super::members::Members;
use super::request::Request;
use super::samples::{NOT_KEPT, TOO_FEW};
use super::series::Question;
use crate::state::State;
use crate::state::pairs::is_id;
use crate::state::series::SeriesId;
use crate::state::timeline::Seconds;
use crate::summary::words;

/// Keys that are named to who asks for one that there is not.
const NAMED: usize = 8;

/// What was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looked {
    /// Events that were looked at.
    pub at: u64,
    /// Events that they stand for.
    pub of: f64,
    /// Since when.
    pub since: Seconds,
    /// Events of which it is not known what they carried.
    pub unseen: f64,
    /// Of these, not in any row.
    pub left_out: f64,
    /// Rows were joined of which too few events tell.
    pub few: bool,
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
impl Looked {
    /// What a reader must know; `most` is how many events there may be that none in the sample is like, where there are no
    /// rows.
    #[must_use]
    pub fn notes(&self, state: &State, question: &Question, members: &Members<'_>, most: Option<f64>) -> Vec<String> {
        let count = |events: f64| words::count(events.round() as u64);
        let (of, whole) = (count(self.of), self.at as f64 >= self.of);
        let mut notes = Vec::new();
        let since = words::clock(self.since, true);
        match (most, self.at > 0, whole) {
            (_, false, _) => notes.push("no event is kept with its attributes".to_owned()),
            (None, _, true) if self.unseen > 0.0 => {
                notes.push(format!("exact of {of} events since {since}, which are kept"));
            }
            (None, _, true) => notes.push(format!("exact: all {of} events since {since} are kept")),
            (None, _, false) => notes.push(format!(
                "estimates: {} of {of} events since {since} were looked at; ± holds 19 times of 20",
                words::count(self.at)
            )),
            (Some(_), _, true) => notes.push(format!("exact: none of all {of} events since {since} is so")),
            (Some(most), _, false) => notes.push(format!(
                "none of {} events looked at since {since} is so: of all {of} at most {} are",
                words::count(self.at),
                count(most.max(1.0))
            )),
        }
        if most.is_some() {
            notes.extend(values(state, question, members.all()));
        }
        if self.left_out > 0.0 {
            notes.push(format!("{} more events are not counted: no sample of them is kept", count(self.left_out)));
        } else if self.unseen > 0.0 {
            notes.push(format!(
                "{NOT_KEPT}: {} events, older than what is kept or let go for want of room",
                count(self.unseen)
            ));
        }
        if self.few {
            notes.push(format!("{TOO_FEW}: all that fewer than 3 of these events tell of"));
        }
        notes
    }
}

/// What was asked for exactly and no event has, and the nearest that some have.
fn values(state: &State, question: &Question, series: &[SeriesId]) -> Vec<String> {
    let mut notes = Vec::new();
    for term in &question.filter.carries {
        for value in term.exact() {
            let key = &term.key;
            if is_id(value) {
                notes.push("ids of 16 hexadecimal digits or ten decimal ones are not kept: look for the value in what=evidence".to_owned());
                continue;
            }
            let all = series.iter().flat_map(|&id| state.table.record(id).kept.sampled(&state.pieces));
            let mut known: Vec<&str> =
                all.flat_map(|(_, stretch)| stretch.events).filter_map(|event| key.value(&event.pairs)).collect();
            known.sort_unstable();
            known.dedup();
            if known.binary_search(&value).is_err() {
                let meant = nearest(value, known.into_iter())
                    .map_or_else(String::new, |near| format!("; did you mean {}?", words::name(near)));
                notes.push(format!("no event looked at has {}={}{meant}", words::name(&key.name), words::name(value)));
            }
        }
    }
    notes
}

/// Whether some event carries each of the keys that are asked for.
///
/// # Errors
/// [`Error::Word`] at the first that none does, with the nearest that some do and how often.
#[allow(clippy::cast_precision_loss)]
pub fn known<'k>(state: &State, asked: impl Iterator<Item = &'k Key>, request: &Request) -> Result<(), Error> {
    let mut missing: Vec<&Key> = asked.collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut shares: BTreeMap<&str, u64> = BTreeMap::new();
    let mut all = 0u64;
    for (_, stretch) in state.table.iter().flat_map(|(_, _, record)| record.kept.sampled(&state.pieces)) {
        for event in stretch.events {
            missing.retain(|key| key.value(&event.pairs).is_none());
            if missing.is_empty() {
                return Ok(());
            }
            all += 1;
            let keys = event.pairs.iter().filter_map(|pair| Some(pair.split_once('=')?.0));
            keys.for_each(|key| *shares.entry(key).or_default() += 1);
        }
    }
    let Some(key) = missing.first().filter(|_| all > 0) else { return Ok(()) };
    let share = |key: &str| {
        let events = shares.get(key).copied().unwrap_or(0);
        format!("{} ({})", words::name(key), words::percent(events as f64 / all as f64))
    };
    let near = nearest(&key.name, shares.keys().copied());
    let mut known: Vec<(&str, u64)> = shares.iter().map(|(key, events)| (*key, *events)).collect();
    known.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let more = known.len().saturating_sub(NAMED);
    let listed: Vec<String> = near
        .into_iter()
        .chain(known.iter().map(|(key, _)| *key).filter(|key| Some(*key) != near))
        .take(NAMED)
        .map(share)
        .collect();
    let more = if more > 0 { format!(" and {more} more (what=attributes)") } else { String::new() };
    let message = format!(
        "no event that is kept carries {:?}: they carry {}{more}; measured numbers, lists and ids are not kept",
        crate::redact::plain(&key.name, 60),
        listed.join(", ")
    );
    let text =
        if key.field == "where" { request.filter.as_str() } else { request.group_by.as_deref().unwrap_or_default() };
    let near = near.map(|near| format!("attribute.{}", words::name(near)));
    Err(Written { field: key.field, text }.suggest(key.place.0, key.place.1, message, near.as_deref()))
}
