//! What the series did: filtered, grouped, measured, sorted.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::change;
use super::dimension::{self, Cell, Dimension, items};
use super::error::{Error, Written, nearest};
use super::filter::{ERROR, Filter, Status};
use super::measure::{self, Measure, Time};
use super::order::{self, By};
use super::request::{Request, What};
use super::table::{Column, SHOWN, Table, Unit, Value};
use super::tally::{Sums, Tally};
use super::window::{Window, Windows};
use crate::event::Kind;
use crate::state::State;
use crate::state::series::SeriesId;
use crate::summary::groups::Groups;

/// What is asked, understood.
struct Question {
    filter: Filter,
    dimensions: Vec<Dimension>,
    measures: Vec<Measure>,
    order: Vec<By>,
    windows: Windows,
    /// Whether it is asked what has changed.
    diff: bool,
    /// Two services, one against the other.
    pair: Option<[String; 2]>,
}

/// A row before it is written down.
struct Row<'a> {
    cells: Vec<Cell<'a>>,
    now: Tally<'a>,
    before: Tally<'a>,
}

/// The kinds that are meant where no term says.
const fn kinds(what: What) -> fn(Kind) -> bool {
    match what {
        What::Edges => |kind| matches!(kind, Kind::Edge),
        What::Templates => |kind| matches!(kind, Kind::Log | Kind::Failure),
        _ => Kind::is_decoded,
    }
}

/// The dimensions and measures of a question that names none.
pub const fn usual(what: What, compares: bool) -> (&'static str, &'static str) {
    match (what, compares) {
        (What::Series, false) => ("service,operation,kind", "count,errors,p50,p95"),
        (What::Edges, false) => ("service,operation,peer", "count,errors,p95"),
        (What::Edges, true) => ("service,operation,peer", "rate,error_share,p95"),
        (What::Templates, false) => ("service,template,kind", "count"),
        (What::Templates, true) => ("service,template,kind", "rate"),
        (What::Timeline, _) => ("service,operation,kind", "count"),
        _ => ("service,operation,kind", "rate,error_share,p95"),
    }
}

/// Answer a question about series. The state is settled.
///
/// # Errors
/// [`Error::Word`] at a word that makes no sense or asks for what was never kept.
pub fn table(state: &State, groups: &Groups<'_>, request: &Request) -> Result<Table, Error> {
    let question = Question::of(state, request)?;
    let windows = question.windows;
    let mut rows = question.rows(state, groups, kinds(request.what));
    rows.retain(|row| question.filter.keeps(&row.now, windows.now.seconds()));
    let total = Question::total(&rows);
    let mut notes = question.notes(state, &rows);
    if let Some(width) = question.widened() {
        notes.push(format!("kept in steps of {}", crate::summary::words::span(width)));
    }
    let measured = question.measures.iter().any(|measure| measure.time().is_some()) || question.filter.by_duration();
    let mut totals = vec![Value::Null; question.dimensions.len()];
    totals.extend(question.measured(&total));
    let columns = question.columns();
    totals.resize(columns.len(), Value::Null);
    let mut rows: Vec<Vec<Value>> = rows.into_iter().map(|row| question.values(&row)).collect();
    order::sort(&mut rows, &question.order);
    let title = question.pair.as_ref().map(|[one, other]| {
        let [one, other] = [one, other].map(|name| crate::summary::words::name(name));
        format!("{one}>{other}, {}", windows.now.said())
    });
    let mut table = Table {
        what: request.what.name(),
        title,
        windows: if question.pair.is_some() { Windows { before: None, ..windows } } else { windows },
        columns,
        keys: question.dimensions.len(),
        rows,
        totals,
        notes,
        error: if measured { ERROR } else { 0.0 },
        shown: SHOWN,
    };
    if request.select.is_none() {
        drop_unmeasured(&mut table);
    }
    if request.group_by.is_none() && request.what != What::Timeline {
        table.drop_kind();
    }
    Ok(table)
}

/// Leave out times where nothing takes any, unless they were asked for.
fn drop_unmeasured(table: &mut Table) {
    let told =
        |at: usize| table.columns[at].unit != Unit::Nanoseconds || table.rows.iter().any(|row| row[at] != Value::Null);
    let kept: Vec<bool> = (0..table.columns.len()).map(told).collect();
    if table.rows.is_empty() || kept.iter().all(|&kept| kept) {
        return;
    }
    table.keep(&kept);
    table.error = if table.columns.iter().any(|column| column.unit == Unit::Nanoseconds) { ERROR } else { 0.0 };
}

impl Question {
    fn of(state: &State, request: &Request) -> Result<Self, Error> {
        let filter = Filter::of(&request.filter, request.what)?;
        let diff = request.what == What::Diff;
        let pair = request.of.as_deref().map(|of| pair(of, diff)).transpose()?;
        let compare = request.compare.as_deref().or((diff && pair.is_none()).then_some("baseline"));
        let usual = usual(request.what, compare.is_some() || pair.is_some());
        let mut dimensions =
            dimension::list(Written { field: "group_by", text: request.group_by.as_deref().unwrap_or(usual.0) })?;
        if pair.is_some() {
            dimensions.retain(|dimension| *dimension != Dimension::Service);
        }
        let narrowed = filter.status.is_some() || dimensions.contains(&Dimension::Status);
        let select = match (filter.by_duration(), narrowed) {
            (true, _) => "count,p95",
            (_, true) => "count,rate",
            _ => usual.1,
        };
        let select = Written { field: "select", text: request.select.as_deref().unwrap_or(select) };
        let measures = measure::list(select)?;
        let mut question = Self {
            filter,
            dimensions,
            measures,
            order: Vec::new(),
            windows: Windows::of(state, request.since.as_deref(), request.until.as_deref(), compare)?,
            diff,
            pair,
        };
        if question.pair.is_some() {
            // The one service stands where the time before would.
            question.windows.before = Some(question.windows.now);
        }
        question.check_kept(select, &request.filter)?;
        question.widen();
        let columns = question.columns();
        // In time where that is asked for, else by what has changed, else by the first measure.
        let by_time = question.dimensions.iter().position(|dimension| matches!(dimension, Dimension::Time(_)));
        let first = question.dimensions.len() + usize::from(question.windows.before.is_some());
        let first = if diff { columns.len() - 2 } else { first.min(columns.len() - 1) };
        let usual: Vec<By> = by_time.map(|at| (at, false)).into_iter().chain([(first, true)]).collect();
        question.order = order::order(request.order_by.as_deref(), &columns, question.dimensions.len(), &usual)?;
        Ok(question)
    }

    /// What is measured must have been kept by what is told apart.
    fn check_kept(&self, select: Written<'_>, filter: &str) -> Result<(), Error> {
        let by_status = self.filter.status.is_some() || self.dimensions.contains(&Dimension::Status);
        let having = self.filter.having().iter().map(|having| having.measure);
        let timed = self.measures.iter().copied().chain(having).any(|measure| measure.time().is_some());
        if by_status && (timed || self.filter.by_duration()) {
            let message = "not kept: times apart for what failed and what did not; ask for count, rate or error_share \
                           with status, or for times without it; traces that failed are told by what=traces status=error";
            return Err(match self.filter.narrows {
                Some((at, length)) => Written { field: "where", text: filter }.wrong(at, length, message),
                None => Written { field: "group_by", text: "status" }.wrong(0, 6, message),
            });
        }
        if self.filter.by_duration() {
            for (at, word) in items(select.text) {
                if matches!(
                    Measure::named(word),
                    Some(Measure::Errors | Measure::ErrorShare | Measure::Origins | Measure::Quantile(Time::Own, _))
                ) {
                    let message = "not kept: what failed, or own times, apart by duration; ask for count, rate or times with \
                                   duration, or leave the duration out";
                    return Err(select.wrong(at, word.len(), message));
                }
            }
        }
        Ok(())
    }

    /// Stretches of time are no finer than what is kept, and whole multiples of it.
    fn widen(&mut self) {
        let step = self.windows.now.step;
        for dimension in &mut self.dimensions {
            if let Dimension::Time(width) = dimension {
                *width = (*width).max(1).saturating_add(step - 1).div_euclid(step) * step;
            }
        }
    }

    /// The step in which events are kept, if the stretches of time asked for show it.
    fn widened(&self) -> Option<i64> {
        let step = self.windows.now.step;
        let shown =
            self.dimensions.iter().any(|dimension| matches!(dimension, Dimension::Time(width) if *width <= step));
        (step > 1 && shown).then_some(step)
    }

    fn columns(&self) -> Vec<Column> {
        let name = |dimension: &Dimension| Column {
            name: dimension.name().to_owned(),
            unit: if matches!(dimension, Dimension::Time(_)) { Unit::Time } else { Unit::Text },
            adds_up: false,
        };
        let mut columns: Vec<Column> = self.dimensions.iter().map(name).collect();
        for measure in &self.measures {
            if self.windows.before.is_some() {
                columns.push(Column { name: format!("{measure}_before"), ..measure.column() });
            }
            columns.push(measure.column());
        }
        if self.diff {
            columns.push(Column::of("how", Unit::Text));
            columns.push(Column::of("change", Unit::Number));
        }
        columns.push(Column::of("evidence", Unit::Evidence));
        columns
    }

    fn rows<'a>(&self, state: &'a State, groups: &'a Groups<'_>, kinds: fn(Kind) -> bool) -> Vec<Row<'a>> {
        let mut index: HashMap<Vec<Cell<'a>>, usize, RandomState> = HashMap::default();
        let mut members: Vec<(Vec<Cell<'a>>, Vec<SeriesId>)> = Vec::new();
        let mut cells = Vec::with_capacity(self.dimensions.len());
        for (id, key, record) in state.table.iter() {
            if !self.filter.fits(key, record, groups, kinds) {
                continue;
            }
            cells.clear();
            cells.extend(self.dimensions.iter().map(|dimension| dimension.cell(key, groups)));
            if let Some(&at) = index.get(cells.as_slice()) {
                members[at].1.push(id);
            } else {
                index.insert(cells.clone(), members.len());
                members.push((cells.clone(), vec![id]));
            }
        }
        let timed = |time: Time| {
            let having = self.filter.having().iter().map(|having| having.measure);
            self.measures.iter().copied().chain(having).any(|measure| measure.time() == Some(time))
        };
        let mut sums = Sums::new([timed(Time::Duration) || self.filter.by_duration() || self.diff, timed(Time::Own)]);
        let width = self.dimensions.iter().enumerate().find_map(|(at, dimension)| match dimension {
            Dimension::Time(width) => Some((at, *width)),
            _ => None,
        });
        let mut rows = Vec::new();
        for (cells, series) in members {
            if let Some((at, width)) = width {
                self.in_time(state, groups, &cells, &series, (at, width), &mut sums, &mut rows);
                continue;
            }
            let (here, there) = self.sides(state, &series);
            let now = self.tally(state, groups, here.as_deref().unwrap_or(&series), self.windows.now, &mut sums);
            let before = self
                .windows
                .before
                .map(|window| self.tally(state, groups, there.as_deref().unwrap_or(&series), window, &mut sums));
            let before = before.unwrap_or_default();
            if !now.is_empty() || !before.is_empty() {
                rows.push(Row { cells, now, before });
            }
        }
        self.by_status(rows)
    }

    /// Where two services are compared, the series of the second and of the first.
    fn sides(&self, state: &State, series: &[SeriesId]) -> (Option<Vec<SeriesId>>, Option<Vec<SeriesId>>) {
        let Some([one, other]) = &self.pair else { return (None, None) };
        let of = |name: &str| {
            let ids = series.iter().copied().filter(|&id| state.table.key(id).service == name);
            Some(ids.collect::<Vec<_>>())
        };
        (of(other), of(one))
    }

    fn tally<'a>(
        &self,
        state: &'a State,
        groups: &'a Groups<'_>,
        series: &[SeriesId],
        window: Window,
        sums: &mut Sums,
    ) -> Tally<'a> {
        let mut tally = Tally::default();
        let mut busiest = 0;
        for &id in series {
            let record = state.table.record(id);
            let before = tally.count;
            for slot in record.timeline.between(window.from, window.to) {
                sums.add(&mut tally, slot);
            }
            let count = tally.count - before;
            if count > 0 {
                tally.series += 1;
                self.see(state, groups, id, &mut tally);
                if record.number > 0 && count > busiest {
                    (busiest, tally.number) = (count, record.number);
                }
            }
        }
        sums.finish(&mut tally, &self.filter);
        tally
    }

    fn see<'a>(&self, state: &'a State, groups: &'a Groups<'_>, id: SeriesId, tally: &mut Tally<'a>) {
        tally.see(state.table.record(id));
        for measure in &self.measures {
            if let Measure::Distinct(dimension) = *measure {
                tally.value(dimension, dimension.cell(state.table.key(id), groups));
            }
        }
    }

    /// A row for each stretch of time in which something happened.
    #[allow(clippy::too_many_arguments)]
    fn in_time<'a>(
        &self,
        state: &'a State,
        groups: &'a Groups<'_>,
        cells: &[Cell<'a>],
        series: &[SeriesId],
        (at, width): (usize, i64),
        sums: &mut Sums,
        rows: &mut Vec<Row<'a>>,
    ) {
        let window = self.windows.now;
        let mut slots: Vec<_> = series
            .iter()
            .flat_map(|&id| {
                let slots = state.table.record(id).timeline.between(window.from, window.to);
                slots.map(move |slot| (slot.start.div_euclid(width) * width, id, slot))
            })
            .collect();
        slots.sort_unstable_by_key(|&(stretch, id, _)| (stretch, id));
        for part in slots.chunk_by(|a, b| a.0 == b.0) {
            let mut now = Tally::default();
            let mut busiest = 0;
            for of in part.chunk_by(|a, b| a.1 == b.1) {
                let before = now.count;
                of.iter().for_each(|&(_, _, slot)| sums.add(&mut now, slot));
                now.series += 1;
                self.see(state, groups, of[0].1, &mut now);
                let number = state.table.record(of[0].1).number;
                if number > 0 && now.count - before > busiest {
                    (busiest, now.number) = (now.count - before, number);
                }
            }
            sums.finish(&mut now, &self.filter);
            if !now.is_empty() {
                let mut cells = cells.to_vec();
                cells[at] = Cell::Time(part[0].0);
                rows.push(Row { cells, now, before: Tally::default() });
            }
        }
    }

    /// Where rows are told apart by status, two of each: what failed, and what did not.
    fn by_status<'a>(&self, rows: Vec<Row<'a>>) -> Vec<Row<'a>> {
        let Some(at) = self.dimensions.iter().position(|dimension| *dimension == Dimension::Status) else {
            return rows;
        };
        let mut out = Vec::with_capacity(rows.len() * 2);
        for row in rows {
            for status in [Status::Error, Status::Ok] {
                let part = |tally: &Tally<'a>| {
                    let (count, errors) = match status {
                        Status::Error => (tally.errors, tally.errors),
                        Status::Ok => (tally.count.saturating_sub(tally.errors), 0),
                    };
                    Tally { count, errors, ..tally.clone() }
                };
                let (now, before) = (part(&row.now), part(&row.before));
                if now.count + before.count > 0 {
                    let mut cells = row.cells.clone();
                    cells[at] = Cell::Name(if status == Status::Error { "error" } else { "ok" });
                    out.push(Row { cells, now, before });
                }
            }
        }
        out
    }

    fn total<'a>(rows: &[Row<'a>]) -> Row<'a> {
        let mut sums = [Sums::new([true, true]), Sums::new([true, true])];
        let mut total = Row { cells: Vec::new(), now: Tally::default(), before: Tally::default() };
        for row in rows {
            for (at, (sum, part)) in
                [(&mut total.now, &row.now), (&mut total.before, &row.before)].into_iter().enumerate()
            {
                sums[at].merge(sum, part);
            }
        }
        let [mut now, mut before] = sums;
        now.end(&mut total.now);
        before.end(&mut total.before);
        total
    }

    fn measured(&self, row: &Row<'_>) -> Vec<Value> {
        let mut values = Vec::with_capacity(self.measures.len() * 2);
        for measure in &self.measures {
            if let Some(before) = self.windows.before {
                values.push(measure.value(&row.before, before.seconds()));
            }
            let seconds = self.dimensions.iter().find_map(|dimension| match dimension {
                Dimension::Time(width) if !row.cells.is_empty() => Some(*width),
                _ => None,
            });
            values.push(measure.value(&row.now, seconds.unwrap_or(self.windows.now.seconds())));
        }
        values
    }

    fn values(&self, row: &Row<'_>) -> Vec<Value> {
        let mut values: Vec<Value> = row
            .cells
            .iter()
            .map(|cell| match *cell {
                Cell::Name("") => Value::Null,
                Cell::Name(text) => Value::Name(text.to_owned()),
                Cell::Message(text) => Value::Message(text.to_owned()),
                Cell::Time(second) => Value::Time(second * 1_000_000_000),
            })
            .collect();
        values.extend(self.measured(row));
        if self.diff {
            let change = change::between(&row.before, &row.now, self.windows);
            values.push(Value::Name(change.how.to_owned()));
            values.push(Value::Number(change.nats));
        }
        values.push(Value::evidence(if row.now.number > 0 { row.now.number } else { row.before.number }));
        values
    }

    /// What was asked for by a name that nothing bears, and the nearest that something does.
    fn notes(&self, state: &State, rows: &[Row<'_>]) -> Vec<String> {
        if !rows.is_empty() {
            return Vec::new();
        }
        let mut notes = Vec::new();
        for (dimension, name) in self.filter.exact() {
            let of = |key: crate::state::series::Key<&str>| match dimension {
                Dimension::Service => key.service == name,
                _ => key.operation == name || key.within == name,
            };
            if state.table.iter().any(|(_, key, _)| of(key)) {
                continue;
            }
            let known = state
                .table
                .iter()
                .map(|(_, key, _)| if dimension == Dimension::Service { key.service } else { key.operation });
            let near = nearest(name, known);
            let meant =
                near.map_or_else(String::new, |near| format!("; did you mean {}?", crate::summary::words::name(near)));
            notes.push(format!("no {} is called {}{meant}", dimension.name(), crate::summary::words::name(name)));
        }
        notes
    }
}

/// The two services of a comparison.
fn pair(of: &str, diff: bool) -> Result<[String; 2], Error> {
    let written = Written { field: "of", text: of };
    let names: Vec<&str> = items(of).map(|(_, word)| word).collect();
    match names.as_slice() {
        [one, other] if diff => Ok([(*one).to_owned(), (*other).to_owned()]),
        _ if diff => Err(written.wrong(0, of.len(), "two services are compared: write both with a comma between them")),
        _ => Err(written.wrong(0, of.len(), "this question is of no one: where says whom it is about")),
    }
}
