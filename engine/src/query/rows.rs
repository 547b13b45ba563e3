//! The rows of a question about series: what the series of each come to, and what all come to.

use std::hint::black_box;
use std::mem;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::change;
use super::dimension::Cell;
use super::measure::Measure;
use super::members::Members;
use super::series::Question;
use super::sheet::Sheet;
use super::status::Status;
use super::stretches::Stretches;
use super::table::Value;
use super::tally::{Sums, Tally};
use super::window::Window;
use crate::event::Kind;
use crate::state::State;
use crate::state::series::{Key, SeriesId};
use crate::state::sums::Sums as KnownSums;
use crate::state::timeline::Slot;
use crate::summary::groups::Groups;

/// Spans by role, those that call others the first.
const SPANS: [Kind; 5] = [Kind::Client, Kind::Server, Kind::Internal, Kind::Producer, Kind::Consumer];

/// Groups that are looked at before their rows are made.
const NEAR: usize = 16;

/// The rows of an answer as values, as they are made, and all of them together.
pub struct Rows<'q, 'a> {
    /// What is asked.
    pub question: &'q Question,
    /// Of what.
    pub state: &'a State,
    /// What is known of it.
    pub sums: &'a KnownSums,
    groups: &'a Groups<'a>,
    /// Values by column.
    pub rows: Sheet,
    /// Texts by where they lie and how long they are: while the state is borrowed, that does not change.
    texts: HashMap<(usize, usize), Arc<str>, RandomState>,
    /// Of the row that is being made.
    values: Vec<Value>,
    all: [(Tally<'a>, Sums); 2],
}

impl<'q, 'a> Rows<'q, 'a> {
    /// None yet.
    #[must_use]
    pub fn new(question: &'q Question, state: &'a State, sums: &'a KnownSums, groups: &'a Groups<'a>) -> Self {
        let all = || (Tally::default(), Sums::new(question.times()));
        let (rows, texts) = (Sheet::new(question.columns().len()), HashMap::default());
        Self { question, state, sums, groups, rows, texts, values: Vec::new(), all: [all(), all()] }
    }

    /// Make a row of each group of series, or where time tells rows apart, of each stretch in which something happened.
    pub fn make(&mut self, members: &Members<'a>) {
        let question = self.question;
        if let Some(mut stretches) = Stretches::of(question, self, members) {
            for group in 0..members.len() {
                let mut cells = members.cells(group).to_vec();
                let at = stretches.at;
                stretches.each(self, members, group, |rows, second, tally| {
                    cells[at] = Cell::Time(second);
                    rows.by_status(&cells, tally, &Tally::default());
                });
            }
            return;
        }
        self.rows.reserve(members.len());
        let mut sums = Sums::new(question.times());
        let (mut now, mut before) = (Tally::default(), Tally::default());
        for group in 0..members.len() {
            if group % NEAR == 0 {
                self.approach(members, group..members.len().min(group + NEAR));
            }
            let series = members.series(group);
            let (here, there) = self.sides(series);
            self.tally(&mut now, here.as_deref().unwrap_or(series), question.windows.now, &mut sums);
            if let Some(window) = question.windows.before {
                self.tally(&mut before, there.as_deref().unwrap_or(series), window, &mut sums);
            }
            self.by_status(members.cells(group), &now, &before);
        }
    }

    /// What all rows come to, by measured column.
    pub fn totals(&mut self) -> Vec<Value> {
        for (tally, sums) in &mut self.all {
            sums.end(tally);
        }
        let mut values = Vec::new();
        self.question.measure(&self.all[0].0, &self.all[1].0, None, &mut values);
        values
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

    /// Look at what the rows of some groups need from far away: it is waited for all at once.
    fn approach(&self, members: &Members<'a>, groups: Range<usize>) {
        let windows = [Some(self.question.windows.now), self.question.windows.before];
        for window in windows.into_iter().flatten() {
            let known = self.sums.over(&self.state.table, window.stretch());
            let of = |group| known.get(*members.series(group).first()?);
            for sum in groups.clone().filter_map(of) {
                black_box((sum.duration.approach(), sum.own.approach()));
            }
        }
        for &id in groups.filter_map(|group| members.series(group).first()) {
            black_box(self.state.table.record(id).first);
        }
    }

    fn tally(&self, tally: &mut Tally<'a>, series: &[SeriesId], window: Window, sums: &mut Sums) {
        tally.clear();
        let known = self.sums.over(&self.state.table, window.stretch());
        if let &[id] = series
            && let Some(slot) = known.get(id)
        {
            sums.alone(tally, slot);
            self.see(id, 0, tally);
            return self.question.filter.narrow(tally);
        }
        for &id in series {
            let before = tally.count;
            match known.get(id) {
                Some(slot) => sums.add(tally, slot),
                None => self.slots(id, window).for_each(|slot| sums.add(tally, slot)),
            }
            self.see(id, before, tally);
        }
        sums.end(tally);
        self.question.filter.narrow(tally);
    }

    /// The slots of a series in a window.
    pub fn slots(&self, id: SeriesId, window: Window) -> impl Iterator<Item = &'a Slot> {
        self.state.table.record(id).timeline.between(window.from, window.to)
    }

    /// Take in what is known of a series as a whole, if it added anything to a tally of so many `before`.
    pub fn see(&self, id: SeriesId, before: u64, tally: &mut Tally<'a>) {
        let count = tally.count - before;
        if count == 0 {
            return;
        }
        let record = self.state.table.record(id);
        tally.series += 1;
        tally.see(record);
        if count > tally.busiest {
            let number = number(self.state, id);
            if number > 0 {
                (tally.busiest, tally.number) = (count, number);
            }
        }
        for measure in &self.question.measures {
            if let Measure::Distinct(dimension) = *measure {
                dimension.each(self.state.table.key(id), record, self.groups, &mut |cell| tally.value(dimension, cell));
            }
        }
    }

    /// Where rows are told apart by status, two of each: what failed, and what did not.
    fn by_status(&mut self, cells: &[Cell<'a>], now: &Tally<'a>, before: &Tally<'a>) {
        let Some(at) = self.question.by_status() else { return self.push(cells, now, before) };
        for status in [Status::Error, Status::Ok] {
            let (now, before) = (now.of_status(status), before.of_status(status));
            if now.count + before.count > 0 {
                let mut cells = cells.to_vec();
                cells[at] = Cell::Name(status.name());
                self.push(&cells, &now, &before);
            }
        }
    }

    /// Whether there is a row of so much; it is then counted among all.
    pub fn takes(&mut self, now: &Tally<'a>, before: &Tally<'a>) -> bool {
        let question = self.question;
        if (now.is_empty() && before.is_empty()) || !question.filter.keeps(now, question.windows.now.seconds()) {
            return false;
        }
        self.all[0].1.merge(&mut self.all[0].0, now);
        if question.windows.before.is_some() {
            self.all[1].1.merge(&mut self.all[1].0, before);
        }
        true
    }

    /// Count events among all.
    pub const fn count(&mut self, events: u64) {
        self.all[0].0.count += events;
    }

    /// What a row is called.
    pub fn key(&mut self, cell: Cell<'a>) -> Value {
        let place = |text: &'a str| (text.as_ptr().addr(), text.len());
        let mut shared = |text| Arc::clone(self.texts.entry(place(text)).or_insert_with(|| text.into()));
        match cell {
            Cell::Name("") => Value::Null,
            Cell::Name(text) => Value::Name(shared(text)),
            Cell::Message(text) => Value::Message(shared(text)),
            Cell::Time(second) => Value::Time(second * 1_000_000_000),
        }
    }

    fn push(&mut self, cells: &[Cell<'a>], now: &Tally<'a>, before: &Tally<'a>) {
        let question = self.question;
        if !self.takes(now, before) {
            return;
        }
        let mut values = mem::take(&mut self.values);
        values.extend(cells.iter().map(|&cell| self.key(cell)));
        question.measure(now, before, question.width(), &mut values);
        if question.diff {
            let change = change::between(before, now, question.windows);
            values.push(self.key(Cell::Name(change.how)));
            values.push(Value::Number(change.nats));
        }
        values.push(Value::evidence(if now.number > 0 { now.number } else { before.number }));
        self.rows.push(values.drain(..));
        self.values = values;
    }
}

/// The number of a series' evidence. Of what is derived from an operation's calls there are no raw events: that of the operation.
pub fn number(state: &State, id: SeriesId) -> u32 {
    let (key, number) = (state.table.key(id), state.table.record(id).number);
    if number > 0 || key.within.is_empty() || !matches!(key.kind, Kind::Edge | Kind::Step) {
        return number;
    }
    let of = |kind| Key { operation: key.within, within: "", kind, ..key };
    let numbers = SPANS.iter().filter_map(|&kind| state.table.get(&of(kind)));
    numbers.map(|id| state.table.record(id).number).find(|&number| number > 0).unwrap_or(0)
}
