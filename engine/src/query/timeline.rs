//! Series over time, a sparkline each: a digit for each stretch, from 0 for nothing to 9 for the most.

use std::borrow::Cow;

use super::dimension::{Cell, Dimension, words};
use super::empty;
use super::error::{Error, Written};
use super::members::Members;
use super::request::Request;
use super::rows::Rows;
use super::series::{self, Question};
use super::sheet::Sheet;
use super::status::Status;
use super::stretches::{self, Stretches};
use super::table::{Column, Digits, Table, Unit, Value};
use super::tally::Tally;
use super::window::{Windows, length};
use crate::state::State;
use crate::state::sums::Sums;
use crate::summary::groups::Groups;

/// Stretches of a line, unless they are asked for by length.
const STRETCHES: i64 = 60;

/// Lengths in seconds that read well.
const WIDTHS: [i64; 12] = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];

/// Answer with a line for each series: the first measure that is asked for, or the count.
///
/// # Errors
/// As [`series::table`], and if it compares.
pub fn table(state: &State, sums: &mut Sums, groups: &Groups<'_>, request: &Request) -> Result<Table, Error> {
    if let Some(text) = request.compare.as_deref() {
        let message = "a line shows both stretches where since reaches back to them: leave it out";
        return Err(Written { field: "compare", text }.wrong(0, text.len(), message));
    }
    let windows = Windows::of(state, request.since.as_deref(), request.until.as_deref(), None)?;
    let usual = series::usual(request.what, false);
    let asked = request.group_by.as_deref().unwrap_or(usual.0);
    let mut keys: Vec<&str> = words(asked).map(|(_, word)| word).collect();
    let width = keys.iter().find_map(|word| word.strip_prefix("time:")).and_then(length);
    keys.retain(|word| !word.starts_with("time"));
    let least = (windows.now.seconds() / STRETCHES).max(windows.now.step).max(1);
    let width = width.map_or_else(
        || WIDTHS.into_iter().find(|&width| width >= least && width % windows.now.step == 0).unwrap_or(least),
        |ns| i64::try_from(ns / 1_000_000_000).unwrap_or(i64::MAX),
    );
    let asked = request.select.as_deref().unwrap_or(usual.1);
    if let Some((at, word)) = words(asked).nth(1) {
        let message = "a line is of one measure: ask for one, or for what=series with group_by=time:1m";
        return Err(Written { field: "select", text: asked }.wrong(at, word.len(), message));
    }
    let select = words(asked).next().map_or("count", |(_, word)| word);
    let group_by = keys.iter().copied().chain([format!("time:{width}s").as_str()]).collect::<Vec<_>>().join(",");
    let inner =
        Request { group_by: Some(group_by), select: Some(select.to_owned()), order_by: None, ..request.clone() };
    let question = Question::of(state, &inner)?;
    let members = Members::of(&question, state, sums.order(), groups, series::kinds(request.what));
    stretches::prepare(&question, state, sums, &members, question.counts_alone());
    let mut rows = Rows::new(&question, state, sums, groups);
    let columns = columns(&question);
    let lines = lines(&question, &members, &mut rows, columns.len());
    let keys = question.dimensions.len() - 1;
    let most = columns.len() - 3;
    let mut notes = question.notes(state, &members, lines.is_empty());
    if lines.is_empty() && notes.is_empty() {
        notes.push(empty::why(&question, state, groups, series::kinds(request.what), &members));
    }
    let (width, measure) = (question.width().unwrap_or(width), question.measures[0]);
    if measure.time().is_some() && lines.is_empty() {
        notes.push(format!("no {measure}: nothing here takes time"));
    }
    notes
        .insert(0, format!("{measure} in stretches of {}, 9 the most of its line", crate::summary::words::span(width)));
    let (error, mixed) = (question.error(), question.filter.names_origins() && members.mixed(state).0 > 0);
    let table = Table { rows: lines, ..Table::of(request.what, question.windows, columns, keys, Vec::new()) };
    let mut table = Table { notes, error, mixed, ..table.sorted(request.order_by.as_deref(), &[(most, true)])? };
    if measure.adds_up() {
        table.totals.splice(keys..=keys, rows.totals());
    }
    let told = question.dimensions.iter().copied().filter(|dimension| !matches!(dimension, Dimension::Time(_)));
    table.notes.extend(empty::keys(told, &table.rows));
    Ok(table)
}

/// What tells series apart, the sum where there is one, the least and the most of a stretch, and the line.
fn columns(question: &Question) -> Vec<Column> {
    let measure = question.measures[0];
    let keys = question.dimensions.iter().filter(|dimension| !matches!(dimension, Dimension::Time(_)));
    let mut columns: Vec<Column> = keys.map(|dimension| Column::key(dimension.name())).collect();
    columns.extend(measure.adds_up().then(|| measure.column()));
    for (name, unit) in [("least", measure.unit()), ("most", measure.unit()), ("line", Unit::Digits)] {
        columns.push(Column::of(name, unit));
    }
    columns.push(Column::of("evidence", Unit::Evidence));
    columns
}

/// What a measure came to in each stretch.
struct Line {
    values: Vec<f64>,
    told: Told,
}

/// What is told of a line.
struct Told {
    sum: Value,
    least: Value,
    most: Value,
    /// The number of evidence of the stretch with the most.
    number: u32,
}

impl Told {
    const NOTHING: Self = Self { sum: Value::Null, least: Value::Null, most: Value::Null, number: 0 };
}

impl Line {
    fn of(stretches: usize) -> Self {
        Self { values: vec![0.0; stretches], told: Told::NOTHING }
    }

    fn add(&mut self, at: usize, value: Value, number: u32) {
        let Some(found) = value.number() else { return };
        self.values[at] = found;
        let told = &mut self.told;
        told.sum.add(&value);
        if told.least.number().is_none_or(|least| found < least) {
            told.least = value.clone();
        }
        if told.most.number().is_none_or(|most| found >= most) {
            (told.most, told.number) = (value, number);
        }
    }

    /// What there is to tell, and its digits, if anything was added; begin anew.
    fn take(&mut self, digits: &mut String) -> Option<Told> {
        if self.told.most == Value::Null {
            return None;
        }
        let most = self.values.iter().copied().fold(0.0, f64::max);
        digits.extend(self.values.iter().map(|&value| char::from(digit(value, most))));
        self.values.fill(0.0);
        Some(std::mem::replace(&mut self.told, Told::NOTHING))
    }
}

/// Lines of counts. Those of most series have the same few numbers.
#[derive(Default)]
struct Counted {
    most: u64,
    /// By count, its digit.
    digits: Vec<u8>,
}

impl Counted {
    /// Counts of which the digits are remembered.
    const FEW: u64 = 1_024;

    /// That of events in each stretch, the busiest of which has some.
    fn tell(&mut self, counts: &[u64], number: u32, digits: &mut String) -> Told {
        let (mut sum, mut least, mut most) = (0, u64::MAX, 0);
        for &count in counts.iter().filter(|&&count| count > 0) {
            (sum, least, most) = (sum + count, least.min(count), most.max(count));
        }
        if most != self.most && most <= Self::FEW {
            self.most = most;
            self.digits.clear();
            self.digits.extend((0..=most).map(|count| digit(count as f64, most as f64)));
        }
        let known = if most == self.most { self.digits.as_slice() } else { &[] };
        let at = |&count: &u64| usize::try_from(count).ok().and_then(|count| known.get(count).copied());
        digits.extend(counts.iter().map(|c| char::from(at(c).unwrap_or_else(|| digit(*c as f64, most as f64)))));
        let [sum, least, most] = [sum, least, most].map(Value::Count);
        Told { sum, least, most, number }
    }
}

/// One row of each group of series, or of each status of it; the last column but one is the line.
fn lines<'a>(question: &Question, members: &Members<'a>, rows: &mut Rows<'_, 'a>, columns: usize) -> Sheet {
    let mut made = Sheet::new(columns);
    let Some(mut stretches) = Stretches::of(question, rows, members) else { return made };
    let (measure, width, time) = (question.measures[0], question.width().unwrap_or(1), stretches.at);
    let by_status = question.by_status();
    let statuses: &[Option<Status>] =
        if by_status.is_some() { &[Some(Status::Error), Some(Status::Ok)] } else { &[None] };
    let mut lines: Vec<Line> = statuses.iter().map(|_| Line::of(stretches.len())).collect();
    let begin = question.windows.now.from.div_euclid(width);
    let (mut counted, mut digits) = (Counted::default(), String::with_capacity(members.len() * stretches.len()));
    made.reserve(members.len());
    for group in 0..members.len() {
        if question.counts_alone() {
            // Nothing but events: no more of the series is looked at.
            if let Some((counts, number)) = stretches.counts(rows, members.series(group)) {
                rows.count(counts.iter().sum());
                let told = counted.tell(counts, number, &mut digits);
                made.push(row(rows, members.cells(group), time, None, true, told));
            }
            continue;
        }
        stretches.each(rows, members, group, |rows, second, tally| {
            let at = usize::try_from(second.div_euclid(width) - begin).unwrap_or(0);
            for (line, status) in lines.iter_mut().zip(statuses) {
                let part = status.map_or(Cow::Borrowed(tally), |status| Cow::Owned(tally.of_status(status)));
                if rows.takes(&part, &Tally::default()) {
                    line.add(at, measure.value(&part, width), part.number);
                }
            }
        });
        for (line, status) in lines.iter_mut().zip(statuses) {
            if let Some(told) = line.take(&mut digits) {
                let status = by_status.zip(*status);
                made.push(row(rows, members.cells(group), time, status, measure.adds_up(), told));
            }
        }
    }
    for (row, line) in Digits::lines(digits, stretches.len()).enumerate() {
        made.set(row, columns - 2, Value::Digits(line));
    }
    made
}

/// A line with what it is called: its cells but for the time, and its status where one of them is that.
fn row<'a>(
    rows: &mut Rows<'_, 'a>,
    cells: &[Cell<'a>],
    time: usize,
    status: Option<(usize, Status)>,
    sums: bool,
    told: Told,
) -> impl Iterator<Item = Value> {
    let key = move |(at, &cell): (usize, &Cell<'a>)| {
        let of = status.filter(|status| status.0 == at).map(|status| status.1.name());
        rows.key(of.map_or(cell, Cell::Name))
    };
    let keys = cells.iter().enumerate().filter(move |(at, _)| *at != time).map(key);
    let sum = sums.then_some(told.sum);
    keys.chain(sum).chain([told.least, told.most, Value::Null, Value::evidence(told.number)])
}

/// A value as a digit, from nothing to the most; what is not nothing is no 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn digit(value: f64, most: f64) -> u8 {
    b'0' + if value <= 0.0 { 0 } else { (value / most * 9.0).round().clamp(1.0, 9.0) as u8 }
}
