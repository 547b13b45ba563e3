//! Series over time, a sparkline each: a digit for each stretch, from 0 for nothing to 9 for the most.

use super::dimension::items;
use super::error::{Error, Written};
use super::request::Request;
use super::series;
use super::table::{Column, Table, Unit, Value};
use super::window::{Windows, length};
use crate::state::State;
use crate::summary::groups::Groups;

/// Stretches of a line, unless they are asked for by length.
const STRETCHES: i64 = 60;

/// Lengths in seconds that read well.
const WIDTHS: [i64; 12] = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];

/// Answer with a line for each series: the first measure that is asked for, or the count.
///
/// # Errors
/// As [`series::table`], and if it compares.
pub fn table(state: &State, groups: &Groups<'_>, request: &Request) -> Result<Table, Error> {
    if let Some(text) = request.compare.as_deref() {
        let message = "a line shows both stretches where since reaches back to them: leave it out";
        return Err(Written { field: "compare", text }.wrong(0, text.len(), message));
    }
    let windows = Windows::of(state, request.since.as_deref(), request.until.as_deref(), None)?;
    let usual = series::usual(request.what, false);
    let asked = request.group_by.as_deref().unwrap_or(usual.0);
    let mut keys: Vec<&str> = items(asked).map(|(_, word)| word).collect();
    let width = keys.iter().find_map(|word| word.strip_prefix("time:")).and_then(length);
    keys.retain(|word| !word.starts_with("time"));
    let least = (windows.now.seconds() / STRETCHES).max(windows.now.step).max(1);
    let width = width.map_or_else(
        || WIDTHS.into_iter().find(|&width| width >= least && width % windows.now.step == 0).unwrap_or(least),
        |ns| i64::try_from(ns / 1_000_000_000).unwrap_or(i64::MAX),
    );
    let select = items(request.select.as_deref().unwrap_or(usual.1)).next().map_or("count", |(_, word)| word);
    let group_by = keys.iter().copied().chain([format!("time:{width}s").as_str()]).collect::<Vec<_>>().join(",");
    let inner =
        Request { group_by: Some(group_by), select: Some(select.to_owned()), order_by: None, ..request.clone() };
    Ok(folded(series::table(state, groups, &inner)?, request, width))
}

/// One row of each series, its values over time as digits.
fn folded(mut flat: Table, request: &Request, width: i64) -> Table {
    let (time, value) = (flat.keys - 1, flat.keys);
    let width = width.max(flat.windows.now.step);
    flat.rows.sort_by(|a, b| {
        let texts = a[..time].iter().zip(&b[..time]).map(|(a, b)| a.text().cmp(b.text()));
        texts.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    let start = flat.windows.now.from.div_euclid(width) * width;
    let stretches = usize::try_from((flat.windows.now.to - start + width - 1) / width).unwrap_or(0);
    let measure = flat.columns[value].clone();
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for part in flat.rows.chunk_by(|a, b| a[..time] == b[..time]) {
        let mut line = vec![0.0f64; stretches];
        let (mut least, mut most) = (Value::Null, Value::Null);
        let (mut total, mut number) = (Value::Null, (0.0, Value::Null));
        for row in part {
            let (Some(at), Some(found)) = (row[time].number(), row[value].number()) else { continue };
            #[allow(clippy::cast_possible_truncation)]
            let at = usize::try_from((at as i64 / 1_000_000_000 - start) / width).unwrap_or(usize::MAX);
            if let Some(place) = line.get_mut(at) {
                *place = found;
            }
            if most.number().is_none_or(|most| found > most) {
                most = row[value].clone();
            }
            if least.number().is_none_or(|least| found < least) {
                least = row[value].clone();
            }
            total.add(&row[value]);
            if found >= number.0 {
                number = (found, row[value + 1].clone());
            }
        }
        let sum = if measure.adds_up { vec![total] } else { Vec::new() };
        let digits = Value::Line(digits(&line));
        let keys = part[0][..time].iter().cloned();
        rows.push(keys.chain(sum).chain([least, most, digits, number.1]).collect());
    }
    let mut columns: Vec<Column> = flat.columns[..time].to_vec();
    let mut totals = vec![Value::Null; time];
    if measure.adds_up {
        columns.push(measure.clone());
        totals.push(flat.totals[value].clone());
    }
    for (name, unit) in [("least", measure.unit), ("most", measure.unit), ("line", Unit::Digits)] {
        columns.push(Column::of(name, unit));
    }
    columns.push(Column::of("evidence", Unit::Evidence));
    totals.resize(columns.len(), Value::Null);
    let most = time + 1 + usize::from(measure.adds_up);
    let order = super::order::order(request.order_by.as_deref(), &columns, time, &[(most, true)]);
    super::order::sort(&mut rows, &order.unwrap_or_else(|_| vec![(most, true)]));
    let width = crate::summary::words::span(width);
    flat.notes.insert(0, format!("{} in stretches of {width}, 9 the most of its line", measure.name));
    Table { columns, keys: time, rows, totals, ..flat }
}

/// Values from nothing to the most, as digits; what is not nothing is no 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn digits(values: &[f64]) -> String {
    let most = values.iter().copied().fold(0.0, f64::max);
    let digit = |value: f64| if value <= 0.0 { 0 } else { (value / most * 9.0).round().clamp(1.0, 9.0) as u8 };
    values.iter().map(|&value| char::from(b'0' + digit(value))).collect()
}
