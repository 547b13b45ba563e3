//! Raw events behind numbers: of `#12`, or of the series that are meant.

use super::error::{Error, Written};
use super::filter::Filter;
use super::looked;
use super::order::By;
use super::raw::Raws;
use super::request::Request;
use super::table::{Column, Table, Unit, Value};
use super::trace;
use super::window::Windows;
use crate::event::Kind;
use crate::state::State;
use crate::summary::groups::Groups;
use crate::summary::words;

/// Bytes of a raw event that are shown at the least and at the most.
const SHOWN: (usize, usize) = (200, 2_048);

/// Answer with raw events, those of one number or of all series that are meant.
///
/// # Errors
/// [`Error::Word`] at a word that makes no sense, [`Error::Missing`] if a number was never given or its events have expired.
pub fn table(state: &State, groups: &Groups<'_>, request: &Request) -> Result<Table, Error> {
    let filter = Filter::of(&request.filter, request.what)?;
    filter.no_having(&request.filter)?;
    let number = request.of.as_deref().map(number).transpose()?;
    let since = request.since.as_deref().or(Some("all"));
    let windows = Windows::of(state, since, request.until.as_deref(), None)?;
    let (mut rows, mut title) = (Vec::new(), None);
    let (mut kept, mut series, mut silent) = (0, 0, 0);
    let reads = filter.status.is_some() || filter.by_duration() || !filter.carries.is_empty();
    for (_, key, record) in state.table.iter() {
        if record.number == 0 || number.is_some_and(|number| number != record.number) {
            continue;
        }
        kept += record.kept.iter().count();
        let kinds: fn(Kind) -> bool = if number.is_some() { |_| true } else { Kind::is_decoded };
        if !filter.fits(key, record, groups, kinds) {
            continue;
        }
        series += 1;
        if number.is_some() {
            let subject = [words::name(key.service), words::quote(key.operation), key.kind.name().to_owned()].join(" ");
            title = Some(format!("#{} {}, {} events", record.number, subject.trim(), words::count(record.count)));
        }
        let raws = reads.then(|| Raws::of(state, key.kind, record));
        let mut seen: Vec<&[u8]> = Vec::new();
        for (role, exhibit) in record.kept.iter() {
            let second = exhibit.time.div_euclid(1_000_000_000);
            let within = request.since.is_none() && request.until.is_none()
                || (windows.now.from..windows.now.to).contains(&second);
            let of_trace = filter.takes_trace(&trace::hex(&exhibit.trace));
            if !within || !of_trace || seen.contains(&&*exhibit.raw) {
                continue;
            }
            seen.push(&exhibit.raw);
            let meant = raws.as_ref().map_or(Some(true), |raws| raws.read(role, exhibit).is_meant(&filter));
            silent += usize::from(meant.is_none());
            if meant == Some(true) {
                let raw = String::from_utf8_lossy(&exhibit.raw);
                let trace =
                    if exhibit.trace == [0; 16] { Value::Null } else { Value::Id(trace::hex(&exhibit.trace).into()) };
                rows.push(vec![
                    Value::evidence(record.number),
                    Value::Line(role.name().into()),
                    Value::Time(exhibit.time),
                    Value::name(&exhibit.stream),
                    trace,
                    Value::Raw(raw.into()),
                ]);
            }
        }
    }
    if let Some(number) = number
        && kept == 0
    {
        return Err(Error::Missing(format!(
            "no evidence #{number}: the number was never given, or its events have expired"
        )));
    }
    let mut notes = Vec::new();
    if silent > 0 {
        notes.push(format!(
            "{silent} raw events do not say whether they are meant: what their resource carried, or they are cut"
        ));
    }
    if rows.is_empty() {
        looked::known(state, filter.carries.iter().map(|term| &term.key), request)?;
        notes.push(match series {
            0 => "no series that raw events are kept of is meant".to_owned(),
            _ => format!("{series} series are meant, of which no such raw event is kept"),
        });
    }
    let columns = vec![
        Column { name: "evidence".to_owned(), unit: Unit::Evidence, adds_up: false },
        Column::key("role"),
        Column::of("time", Unit::Time),
        Column::key("source"),
        Column::of("trace", Unit::Trace),
        Column::of("raw", Unit::Text),
    ];
    // Those of one number stand as they were kept.
    let usual: &[By] = if number.is_some() { &[] } else { &[(0, false)] };
    let each = request.budget.saturating_mul(2) / rows.len().max(1);
    let table = Table::of(request.what, windows, columns, 5, rows).sorted(request.order_by.as_deref(), usual)?;
    Ok(Table { title, notes, shown: each.clamp(SHOWN.0, SHOWN.1), ..table })
}

/// A number of evidence such as `#12`.
///
/// # Errors
/// [`Error::Word`] if it is none.
pub fn number(of: &str) -> Result<u32, Error> {
    let digits = of.trim().trim_start_matches('#');
    let written = Written { field: "of", text: of };
    digits.parse().ok().filter(|&number| number > 0).ok_or_else(|| {
        written.wrong(
            0,
            of.len(),
            "no number of evidence: write it as it stands at the end of a statement, such as #12",
        )
    })
}
