//! What events carried: a row for each attribute of a service's events, with its share among all, the failed and the slowest.

use std::collections::BTreeMap;

use super::error::{Error, Written, nearest};
use super::filter::Filter;
use super::looked;
use super::request::Request;
use super::status::Status;
use super::table::{Column, Table, Unit, Value};
use super::window::Windows;
use crate::event::Kind;
use crate::state::State;
use crate::summary::groups::Groups;
use crate::summary::words;

/// Of an attribute, or of all events: how many there are, of all, of the failed, of the slowest.
type Shares = [f64; 3];

/// Answer with the attributes of the events that are meant, of those whose key is in `of` if it has one. Shares are of the few events
/// that are kept of each series, each counted for as many as it stands for.
///
/// # Errors
/// [`Error::Word`] at a word that makes no sense.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn table(state: &State, groups: &Groups<'_>, request: &Request) -> Result<Table, Error> {
    let filter = Filter::of(&request.filter, request.what)?;
    filter.no_having(&request.filter)?;
    if let Some((at, length)) = filter.duration_at {
        let written = Written { field: "where", text: &request.filter };
        return Err(written.wrong(
            at,
            length,
            "attributes are not kept apart by durations: of_slowest is of the slowest",
        ));
    }
    let windows = Windows::of(state, request.since.as_deref(), request.until.as_deref(), None)?;
    looked::known(state, filter.carries.iter().map(|term| &term.key), request)?;
    let mut found: BTreeMap<(&str, &str), Shares> = BTreeMap::new();
    let mut all: BTreeMap<&str, Shares> = BTreeMap::new();
    let (mut looked_at, mut events) = (0, 0.0);
    for (_, key, record) in state.table.iter() {
        if !filter.fits(key, record, groups, Kind::is_decoded) {
            continue;
        }
        for stretch in record.kept.carried(&state.pieces) {
            let count = |failed: bool| {
                let is = |why: crate::state::attributes::Reasons| if failed { why.failed } else { why.any };
                stretch.events.iter().filter(|event| is(event.reasons)).count().max(1) as f64
            };
            let (any, failed) = (stretch.seen as f64 / count(false), stretch.failed as f64 / count(true));
            for event in stretch.events {
                let second = event.time.div_euclid(1_000_000_000);
                let of_status = match filter.status {
                    Some(Status::Error) => event.failed,
                    Some(Status::Ok) => !event.failed,
                    None => true,
                };
                if !of_status
                    || !filter.carries.iter().all(|term| term.fits(&event.pairs))
                    || !(windows.now.from..windows.now.to).contains(&second)
                {
                    continue;
                }
                let why = event.reasons;
                let stands = |is: bool, weight: f64| if is { weight } else { 0.0 };
                let weights = [stands(why.any, any), stands(why.failed, failed), stands(why.slowest, 1.0)];
                looked_at += 1;
                events += weights[0];
                let add = |sum: &mut Shares| sum.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
                add(all.entry(key.service).or_default());
                event.pairs.iter().for_each(|pair| add(found.entry((key.service, *pair)).or_default()));
            }
        }
    }
    let wanted = |key: &str| request.of.as_deref().is_none_or(|of| of.split('=').next() == Some(key));
    let row = |(&(service, pair), sums): (&(&str, &str), &Shares)| {
        let (key, value) = pair.split_once('=')?;
        if !wanted(key) || request.of.as_deref().is_some_and(|of| of.contains('=') && of != pair) {
            return None;
        }
        let of = all.get(service)?;
        let share = |at: usize| if of[at] > 0.0 { Value::Number(sums[at] / of[at]) } else { Value::Null };
        let count = Value::Count(sums[0].round() as u64);
        Some(vec![Value::name(service), Value::name(key), Value::name(value), count, share(0), share(1), share(2)])
    };
    let rows: Vec<Vec<Value>> = found.iter().filter_map(row).collect();
    let columns = vec![
        Column::key("service"),
        Column::key("key"),
        Column::key("value"),
        Column::of("count", Unit::Count),
        Column::of("share", Unit::Share),
        Column::of("of_failed", Unit::Share),
        Column::of("of_slowest", Unit::Share),
    ];
    let usual = [(0, false), (1, false), (3, true), (2, false)];
    let mut notes = vec![format!(
        "of {} events looked at of about {}, none older than ten minutes: shares within 1/sqrt of their number",
        words::count(looked_at),
        words::count(events.round() as u64)
    )];
    notes.extend(
        rows.is_empty().then(|| nothing(request.of.as_deref(), looked_at, found.keys().map(|(_, pair)| *pair))),
    );
    let table = Table::of(request.what, windows, columns, 3, rows).sorted(request.order_by.as_deref(), &usual)?;
    Ok(Table { notes, ..table })
}

/// Why there are no rows.
fn nothing<'f>(of: Option<&str>, looked_at: u64, pairs: impl Iterator<Item = &'f str>) -> String {
    if looked_at == 0 {
        return "no event that is meant is kept with its attributes".to_owned();
    }
    let Some(of) = of else { return format!("none of {looked_at} events looked at carries any") };
    let (key, known) =
        (of.split('=').next().unwrap_or_default(), pairs.filter_map(|pair| Some(pair.split_once('=')?.0)));
    let meant = nearest(key, known).map_or_else(String::new, |near| format!("; did you mean {}?", words::name(near)));
    format!("none of {looked_at} events looked at has {}{meant}", words::name(of))
}
