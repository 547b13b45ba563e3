//! The rows of a question about series: which series make up each, what they come to, and what all come to.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::change;
use super::dimension::{Cell, Dimension};
use super::filter::Status;
use super::measure::{Measure, Time};
use super::series::Question;
use super::table::Value;
use super::tally::{Sums, Tally};
use super::window::Window;
use crate::event::Kind;
use crate::state::State;
use crate::state::series::SeriesId;
use crate::summary::groups::Groups;

/// The rows of an answer as values, as they are made, and all of them together.
pub struct Rows<'q, 'a> {
    question: &'q Question,
    state: &'a State,
    groups: &'a Groups<'a>,
    /// Values by column.
    pub rows: Vec<Vec<Value>>,
    /// Series of which times are kept in wider steps than the window's, and the widest of them.
    pub coarse: (usize, i64),
    all: [(Tally<'a>, Sums); 2],
}

/// Series by what tells them apart.
type Members<'a> = Vec<(Vec<Cell<'a>>, Vec<SeriesId>)>;

impl<'q, 'a> Rows<'q, 'a> {
    /// Make the rows. `kinds` are those meant where no term says.
    #[must_use]
    pub fn of(question: &'q Question, state: &'a State, groups: &'a Groups<'a>, kinds: fn(Kind) -> bool) -> Self {
        let all = || (Tally::default(), Sums::new([true, true]));
        let mut rows = Self { question, state, groups, rows: Vec::new(), coarse: (0, 0), all: [all(), all()] };
        let members = rows.members(kinds);
        let width = question.dimensions.iter().enumerate().find_map(|(at, dimension)| match dimension {
            Dimension::Time(width) => Some((at, *width)),
            _ => None,
        });
        let mut sums = rows.sums();
        let mut parts: Vec<(Tally<'a>, Sums)> = Vec::new();
        for (cells, series) in members {
            if let Some((at, width)) = width {
                rows.in_time(&cells, &series, (at, width), &mut parts);
                continue;
            }
            let (here, there) = rows.sides(&series);
            let now = rows.tally(here.as_deref().unwrap_or(&series), question.windows.now, &mut sums);
            let before = question
                .windows
                .before
                .map(|window| rows.tally(there.as_deref().unwrap_or(&series), window, &mut sums));
            rows.by_status(&cells, &now, &before.unwrap_or_default());
        }
        for (tally, sums) in &mut rows.all {
            sums.end(tally);
        }
        rows
    }

    /// What all rows come to, by measured column.
    #[must_use]
    pub fn totals(&self) -> Vec<Value> {
        self.question.measured(&self.all[0].0, &self.all[1].0, None)
    }

    fn sums(&self) -> Sums {
        let timed = |time: Time| {
            let having = self.question.filter.having().iter().map(|having| having.measure);
            self.question.measures.iter().copied().chain(having).any(|measure| measure.time() == Some(time))
        };
        let durations = self.question.filter.by_duration() || self.question.diff;
        Sums::new([timed(Time::Duration) || durations, timed(Time::Own)])
    }

    fn members(&mut self, kinds: fn(Kind) -> bool) -> Members<'a> {
        let mut index: HashMap<Vec<Cell<'a>>, usize, RandomState> = HashMap::default();
        let mut members: Members<'a> = Vec::new();
        let mut cells = Vec::with_capacity(self.question.dimensions.len());
        for (id, key, record) in self.state.table.iter() {
            if !self.question.filter.fits(key, record, self.groups, kinds) {
                continue;
            }
            let step = record.timeline.step();
            if step > self.question.windows.now.step {
                self.coarse = (self.coarse.0 + 1, self.coarse.1.max(step));
            }
            cells.clear();
            cells.extend(self.question.dimensions.iter().map(|dimension| dimension.cell(key, self.groups)));
            if let Some(&at) = index.get(cells.as_slice()) {
                members[at].1.push(id);
            } else {
                index.insert(cells.clone(), members.len());
                members.push((cells.clone(), vec![id]));
            }
        }
        members
    }

    /// Where two services are compared, the series of the second and of the first.
    fn sides(&self, series: &[SeriesId]) -> (Option<Vec<SeriesId>>, Option<Vec<SeriesId>>) {
        let Some([one, other]) = &self.question.pair else { return (None, None) };
        let of = |name: &str| {
            let ids = series.iter().copied().filter(|&id| self.state.table.key(id).service == name);
            Some(ids.collect::<Vec<_>>())
        };
        (of(other), of(one))
    }

    fn tally(&self, series: &[SeriesId], window: Window, sums: &mut Sums) -> Tally<'a> {
        let mut tally = Tally::default();
        for &id in series {
            let before = tally.count;
            for slot in self.state.table.record(id).timeline.between(window.from, window.to) {
                sums.add(&mut tally, slot);
            }
            self.see(id, before, &mut tally);
        }
        sums.finish(&mut tally, &self.question.filter);
        tally
    }

    /// Take in what is known of a series as a whole, if it added anything to a tally of so many `before`.
    fn see(&self, id: SeriesId, before: u64, tally: &mut Tally<'a>) {
        let count = tally.count - before;
        if count == 0 {
            return;
        }
        let record = self.state.table.record(id);
        tally.series += 1;
        tally.see(record);
        if record.number > 0 && count > tally.busiest {
            (tally.busiest, tally.number) = (count, record.number);
        }
        for measure in &self.question.measures {
            if let Measure::Distinct(dimension) = *measure {
                tally.value(dimension, dimension.cell(self.state.table.key(id), self.groups));
            }
        }
    }

    /// A row for each stretch of time in which something happened. `parts` is kept from one group of series to the next.
    fn in_time(
        &mut self,
        cells: &[Cell<'a>],
        series: &[SeriesId],
        (at, width): (usize, i64),
        parts: &mut Vec<(Tally<'a>, Sums)>,
    ) {
        let window = self.question.windows.now;
        let first = window.from.div_euclid(width);
        let place = |second: i64| usize::try_from(second.div_euclid(width) - first).unwrap_or(0);
        if parts.is_empty() {
            parts.resize_with(place(window.to - 1) + 1, || (Tally::default(), self.sums()));
        }
        for &id in series {
            let slots = self.state.table.record(id).timeline.between(window.from, window.to);
            let mut last: Option<(usize, u64)> = None;
            for slot in slots {
                let now = place(slot.start).min(parts.len() - 1);
                if last.is_none_or(|(part, _)| part != now) {
                    if let Some((part, before)) = last {
                        self.see(id, before, &mut parts[part].0);
                    }
                    last = Some((now, parts[now].0.count));
                }
                let (tally, sums) = &mut parts[now];
                sums.add(tally, slot);
            }
            if let Some((part, before)) = last {
                self.see(id, before, &mut parts[part].0);
            }
        }
        let mut cells = cells.to_vec();
        for (number, (tally, sums)) in (0i64..).zip(parts.iter_mut()) {
            sums.finish(tally, &self.question.filter);
            if !tally.is_empty() {
                cells[at] = Cell::Time((first + number) * width);
                self.by_status(&cells, tally, &Tally::default());
            }
            *tally = Tally::default();
        }
    }

    /// Where rows are told apart by status, two of each: what failed, and what did not.
    fn by_status(&mut self, cells: &[Cell<'a>], now: &Tally<'a>, before: &Tally<'a>) {
        let status = self.question.dimensions.iter().position(|dimension| *dimension == Dimension::Status);
        let Some(at) = status else { return self.push(cells, now, before) };
        for status in [Status::Error, Status::Ok] {
            let part = |tally: &Tally<'a>| {
                let (count, errors) = match status {
                    Status::Error => (tally.errors, tally.errors),
                    Status::Ok => (tally.count.saturating_sub(tally.errors), 0),
                };
                let mut part = tally.clone();
                (part.count, part.errors) = (count, errors);
                part
            };
            let (now, before) = (part(now), part(before));
            if now.count + before.count > 0 {
                let mut cells = cells.to_vec();
                cells[at] = Cell::Name(if status == Status::Error { "error" } else { "ok" });
                self.push(&cells, &now, &before);
            }
        }
    }

    fn push(&mut self, cells: &[Cell<'a>], now: &Tally<'a>, before: &Tally<'a>) {
        let question = self.question;
        if (now.is_empty() && before.is_empty()) || !question.filter.keeps(now, question.windows.now.seconds()) {
            return;
        }
        for ((sum, sums), part) in self.all.iter_mut().zip([now, before]) {
            sums.merge(sum, part);
        }
        let mut values = Vec::with_capacity(cells.len() + question.measures.len() * 2 + 3);
        values.extend(cells.iter().map(|cell| match *cell {
            Cell::Name("") => Value::Null,
            Cell::Name(text) => Value::Name(text.to_owned()),
            Cell::Message(text) => Value::Message(text.to_owned()),
            Cell::Time(second) => Value::Time(second * 1_000_000_000),
        }));
        let width = question.dimensions.iter().find_map(|dimension| match dimension {
            Dimension::Time(width) => Some(*width),
            _ => None,
        });
        values.extend(question.measured(now, before, width));
        if question.diff {
            let change = change::between(before, now, question.windows);
            values.push(Value::Name(change.how.to_owned()));
            values.push(Value::Number(change.nats));
        }
        values.push(Value::evidence(if now.number > 0 { now.number } else { before.number }));
        self.rows.push(values);
    }
}
