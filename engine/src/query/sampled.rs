//! What events did, told apart by what they carried: estimates from the few of each series that are kept with their
//! attributes, scaled by its exact counts.
//!
//! Of five minutes of a series the slowest events are all kept, and of the rest some by chance, of those that failed and of
//! the others ([`attributes`](crate::state::attributes)): each of these is a stratum of known size. So all rows together
//! are exact, and of each it is known how far it may be off ([`estimate`](super::estimate)).

use super::dimension::Cell;
use super::empty;
use super::error::Error;
use super::estimate::{self, Estimate, Sum, Times};
use super::looked;
use super::measure::{Measure, Time};
use super::members::Members;
use super::order;
use super::request::{Request, What};
use super::samples::Samples;
use super::series::Question;
use super::sheet::Sheet;
use super::table::{Table, Unit, Value, WITHIN};
use crate::event::Kind;
use crate::state::State;
use crate::state::order::Order;
use crate::state::timeline::Seconds;
use crate::summary::groups::Groups;

/// The kinds that carry attributes, where no term says.
const fn kinds(what: What) -> fn(Kind) -> bool {
    match what {
        What::Templates => |kind| matches!(kind, Kind::Log),
        _ => Kind::is_decoded,
    }
}

/// Answer a question about series that tells events apart by what they carried.
///
/// # Errors
/// [`Error::Word`] at a key that no event carries.
pub fn table(
    state: &State,
    order: &Order,
    groups: &Groups<'_>,
    request: &Request,
    question: &Question,
) -> Result<Table, Error> {
    let members = Members::of(question, state, order, groups, kinds(request.what));
    let terms = question.filter.carries.iter().map(|term| &term.key);
    looked::known(state, question.keys.iter().chain(terms), request)?;
    let mut samples = Samples::of(question, state);
    for group in 0..members.len() {
        samples.take(members.cells(group), members.series(group));
    }
    samples.join_few();
    let measured = measure(question, &samples);
    let mut notes = question.notes(state, &members, measured.rows.is_empty());
    let most = measured.rows.is_empty().then(|| {
        let [passed, failed] = samples.none(None, None);
        passed.and(&failed).bounds()[1]
    });
    if measured.rows.is_empty() && notes.is_empty() && members.all().is_empty() {
        notes.push(empty::why(question, state, groups, kinds(request.what), &members));
    }
    notes.extend(samples.looked.notes(state, question, &members, most));
    if measured.thin {
        notes.push("- where too few events were looked at to say how long".to_owned());
    }
    notes.extend(empty::keys(question.dimensions.iter().copied(), &measured.rows));
    if request.select.is_some() && !measured.thin {
        notes.extend(empty::measures(question, &measured.rows));
    }
    let mut rows = measured.rows;
    order::sort(&mut rows, &question.order);
    let (columns, keys) = (question.columns(), question.dimensions.len());
    let table = Table::of(request.what, question.windows, columns, keys, Vec::new());
    let mut table = Table { rows, notes, mixed: !samples.is_whole(), ..table };
    table.totals.splice(keys..keys + measured.totals.len(), measured.totals);
    if request.select.is_none() {
        drop_unmeasured(&mut table);
    }
    drop_certain(&mut table);
    if request.group_by.is_none() {
        table.drop_kind();
    }
    Ok(table)
}

/// Leave out times where nothing takes any.
fn drop_unmeasured(table: &mut Table) {
    let told = |at: usize| table.rows.iter().any(|row| row[at] != Value::Null);
    let kept = |(at, column): (usize, &super::table::Column)| column.unit != Unit::Nanoseconds || told(at);
    let kept: Vec<bool> = table.columns.iter().enumerate().map(kept).collect();
    table.keep(&kept);
}

/// Leave out how far values may be off where none is.
fn drop_certain(table: &mut Table) {
    let off = |at: usize| {
        let mut values = table.rows.iter().chain([table.totals.as_slice()]).map(|row| &row[at]);
        values.any(|value| value.number().is_some_and(|within| within > 0.0))
    };
    let kept: Vec<bool> =
        table.columns.iter().enumerate().map(|(at, column)| !column.name.ends_with(WITHIN) || off(at)).collect();
    table.keep(&kept);
}

/// Rows as values, and what they come to together, by measured column.
struct Measured {
    rows: Sheet,
    totals: Vec<Value>,
    /// Of a row it is not said how long its events took.
    thin: bool,
}

fn measure(question: &Question, samples: &Samples<'_, '_>) -> Measured {
    let seconds = question.width().unwrap_or_else(|| question.windows.now.seconds());
    let live: Vec<usize> = (0..samples.rows.len()).filter(|&row| samples.rows[row].events > 0).collect();
    let mut out = vec![None; samples.rows.len()];
    live.iter().enumerate().for_each(|(at, &row)| out[row] = Some(at));
    let none = |&row: &usize| samples.none(samples.rows[row].scope, samples.rows[row].failed);
    let mut added = samples.add_up(&out, live.iter().map(none).collect());
    // Rounded so that the rows still add up to the whole.
    let [passed, failed] =
        [0, 1].map(|at| estimate::whole(&added.iter().map(|row| row.sums[at].value).collect::<Vec<_>>()));
    let mut made = Measured { rows: Sheet::new(question.columns().len()), totals: Vec::new(), thin: false };
    let (mut kept, mut counts) = (vec![None; samples.rows.len()], [0; 2]);
    let key = |cell: Cell<'_>| match cell {
        Cell::Name(text) => Value::name(text),
        Cell::Message(text) => Value::Message(text.into()),
        Cell::Time(second) => Value::Time(second * 1_000_000_000),
    };
    for (at, &row) in live.iter().enumerate() {
        let (found, added) = (&samples.rows[row], &mut added[at]);
        let any = !added.timed.is_empty();
        let times = Times::of(&mut added.timed, &samples.strata).filter(|_| !found.untimed);
        let thin = any && times.is_none();
        let told = Told {
            sums: added.sums,
            counts: [passed[at], failed[at]],
            times,
            floor: samples.floor(found.scope),
            seconds,
        };
        let keeps = question.filter.having().iter().all(|having| having.holds(&told.value(having.measure)[0]));
        if told.counts == [0; 2] || !keeps {
            continue;
        }
        let mut values: Vec<Value> = samples.cells(row).iter().map(|&cell| key(cell)).collect();
        question.measures.iter().for_each(|measure| values.extend(told.value(*measure)));
        values.push(Value::evidence(added.best.1));
        counts.iter_mut().zip(told.counts).for_each(|(sum, count)| *sum += count);
        made.rows.push(values);
        made.thin |= thin && question.measures.iter().any(|measure| measure.time().is_some());
        kept[row] = Some(0);
    }
    let mut all = samples.add_up(&kept, vec![samples.none(None, None)]);
    let Some(all) = all.first_mut() else { return made };
    let takes_all =
        question.filter.carries.is_empty() && !question.filter.by_duration() && question.filter.having().is_empty();
    let sums = if takes_all { counts.map(Sum::of) } else { all.sums };
    let times = Times::of(&mut all.timed, &samples.strata);
    let told = Told { sums, counts, times, floor: samples.floor(None), seconds: question.windows.now.seconds() };
    made.totals = question.measures.iter().flat_map(|measure| told.value(*measure)).collect();
    made
}

/// What a row comes to.
struct Told<'s> {
    sums: [Sum; 2],
    counts: [u64; 2],
    times: Option<Times<'s>>,
    floor: Option<u64>,
    seconds: Seconds,
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
impl Told<'_> {
    /// The value of a measure, and how far it may be off.
    fn value(&self, measure: Measure) -> [Value; 2] {
        let [passed, failed] = &self.sums;
        let count = |value: u64, estimate: Estimate| [Value::Count(value), Value::Count(estimate.within.ceil() as u64)];
        let number = |Estimate { value, within }| [Value::Number(value), Value::Number(within)];
        let time = |estimate: Option<Estimate>| {
            estimate.map_or([Value::Null, Value::Null], |Estimate { value, within }| {
                [Value::Count(value.round() as u64), Value::Count(within.ceil() as u64)]
            })
        };
        let times = self.times.as_ref();
        match measure {
            Measure::Count => count(self.counts[0] + self.counts[1], passed.and(failed).estimate()),
            Measure::Errors => count(self.counts[1], failed.estimate()),
            Measure::Rate => {
                let minutes = self.seconds.max(1) as f64 / 60.0;
                let within = passed.and(failed).estimate().within / minutes;
                number(Estimate { value: (self.counts[0] + self.counts[1]) as f64 / minutes, within })
            }
            Measure::ErrorShare => estimate::share(passed, failed).map_or([Value::Null, Value::Null], number),
            Measure::Quantile(Time::Duration, thousandths) => {
                let count = passed.and(failed);
                time(times.map(|times| times.quantile(f64::from(thousandths) / 1000.0, &count)))
            }
            Measure::Max(Time::Duration) => time(times.map(|times| times.max(self.floor))),
            Measure::Mean(Time::Duration) => time(times.map(Times::mean)),
            Measure::Sum(Time::Duration) => time(times.map(Times::sum)),
            // Refused before.
            _ => [Value::Null, Value::Null],
        }
    }
}
