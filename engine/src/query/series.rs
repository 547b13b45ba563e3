//! What the series did: the question understood, and the table of its answer.

use super::attribute;
use super::dimension::{self, Dimension, items};
use super::empty;
use super::error::{Error, Written, nearest};
use super::filter::{ERROR, Filter};
use super::measure::{self, Measure, Time};
use super::members::Members;
use super::order::{self, By};
use super::request::{Request, What};
use super::rows::Rows;
use super::sampled;
use super::stretches;
use super::table::{Column, Table, Unit, Value, WITHIN};
use super::tally::Tally;
use super::window::Windows;
use crate::event::Kind;
use crate::state::State;
use crate::state::sums::Sums;
use crate::state::timeline::Seconds;
use crate::summary::groups::Groups;

/// What is asked, understood.
pub struct Question {
    /// Which events.
    pub filter: Filter,
    /// What rows are told apart by.
    pub dimensions: Vec<Dimension>,
    /// The keys of the attributes among these.
    pub keys: Vec<attribute::Key>,
    /// What is measured.
    pub measures: Vec<Measure>,
    /// In which order rows stand.
    pub order: Vec<By>,
    /// Of when, and against when.
    pub windows: Windows,
    /// Whether it is asked what has changed.
    pub diff: bool,
    /// Two services, one against the other.
    pub pair: Option<[String; 2]>,
}

/// The kinds that are meant where no term says.
#[must_use]
pub const fn kinds(what: What) -> fn(Kind) -> bool {
    match what {
        What::Edges => |kind| matches!(kind, Kind::Edge),
        What::Templates => |kind| matches!(kind, Kind::Log | Kind::Failure),
        What::Path => Kind::is_span,
        _ => Kind::is_decoded,
    }
}

/// The dimensions and measures of a question that names none.
pub const fn usual(what: What, compares: bool) -> (&'static str, &'static str) {
    match (what, compares) {
        (What::Series, false) => ("service,operation,kind", "count,errors,p50,p95"),
        (What::Edges, false) => ("service,operation,peer", "count,errors,p95"),
        (What::Edges, true) => ("service,operation,peer", "rate,error_share,p95"),
        (What::Path, false) => ("service,operation,kind", "path,count"),
        (What::Path, true) => ("service,operation,kind", "path"),
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
pub fn table(state: &State, sums: &mut Sums, groups: &Groups<'_>, request: &Request) -> Result<Table, Error> {
    let question = Question::of(state, request)?;
    if question.is_sampled() {
        return sampled::table(state, sums.order(), groups, request, &question);
    }
    let windows = question.windows;
    let members = Members::of(&question, state, sums.order(), groups, kinds(request.what));
    if question.width().is_some() {
        stretches::prepare(&question, state, sums, &members, false);
    } else {
        for window in [Some(windows.now), windows.before].into_iter().flatten() {
            sums.update(&state.table, window.stretch(), members.all().iter().copied());
        }
    }
    let mut made = Rows::new(&question, state, sums, groups);
    made.make(&members);
    let mut notes = question.notes(state, &members, made.rows.is_empty());
    if made.rows.is_empty() && notes.is_empty() {
        notes.push(empty::why(&question, state, groups, kinds(request.what), &members));
    }
    notes.extend(empty::keys(question.dimensions.iter().copied(), &made.rows));
    if request.select.is_some() {
        notes.extend(empty::measures(&question, &made.rows));
    }
    let totals = made.totals();
    let mut rows = made.rows;
    order::sort(&mut rows, &question.order);
    let title = question.pair.as_ref().map(|[one, other]| {
        let [one, other] = [one, other].map(|name| crate::summary::words::name(name));
        format!("{one}>{other}, {}", windows.now.said())
    });
    let windows = if question.pair.is_some() { Windows { before: None, ..windows } } else { windows };
    let (columns, keys) = (question.columns(), question.dimensions.len());
    let (error, mixed) = (question.error(), question.filter.names_origins() && members.mixed(state).0 > 0);
    let table = Table::of(request.what, windows, columns, keys, Vec::new());
    let mut table = Table { title, rows, notes, error, mixed, ..table };
    table.totals.splice(keys..keys + totals.len(), totals);
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
    /// Understand a question.
    ///
    /// # Errors
    /// [`Error::Word`] at a word that makes no sense or asks for what was never kept.
    pub fn of(state: &State, request: &Request) -> Result<Self, Error> {
        let filter = Filter::of(&request.filter, request.what)?;
        let diff = request.what == What::Diff;
        let pair = request.of.as_deref().map(|of| pair(of, diff)).transpose()?;
        let compare = request.compare.as_deref().or((diff && pair.is_none()).then_some("baseline"));
        let usual = usual(request.what, compare.is_some() || pair.is_some());
        let group_by = Written { field: "group_by", text: request.group_by.as_deref().unwrap_or(usual.0) };
        let (mut dimensions, keys) = dimension::list(group_by)?;
        if let (Some(key), Some(says)) = (keys.first(), attribute::refused(request.what)) {
            return Err(group_by.wrong(key.place.0, key.place.1, says));
        }
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
            keys,
            measures,
            order: Vec::new(),
            windows: windows(state, request, compare)?,
            diff,
            pair,
        };
        if question.pair.is_some() {
            // The one service stands where the time before would.
            question.windows.before = Some(question.windows.now);
        }
        if question.is_sampled() {
            question.check_sampled(select, request)?;
        } else {
            question.check_kept(select, &request.filter)?;
        }
        if let Some((at, word)) = dimension::words(group_by.text).find(|(_, word)| word.starts_with("time"))
            && question.windows.before.is_some()
            && question.width().is_some()
        {
            let message = "two stretches are compared, each as a whole: leave out the time, or what is compared with";
            return Err(group_by.wrong(at, word.len(), message));
        }
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
        let asked = || self.measures.iter().copied().chain(having.clone());
        let refused = |message: &str| match self.filter.narrows {
            Some((at, length)) => Written { field: "where", text: filter }.wrong(at, length, message),
            None => Written { field: "group_by", text: "status" }.wrong(0, 6, message),
        };
        if by_status && (self.filter.by_duration() || asked().any(|measure| measure.time().is_some())) {
            return Err(refused(
                "not kept: times apart for what failed and what did not; ask for count, rate or error_share with status, or \
                 for times without it; traces that failed are told by what=traces status=error",
            ));
        }
        let kept = |measure: &Measure| {
            (!by_status || measure.is_by_status()) && (!self.filter.by_duration() || measure.is_by_duration())
        };
        for ((at, word), measure) in dimension::words(select.text).zip(&self.measures) {
            if !kept(measure) {
                let message = if by_status {
                    format!(
                        "not kept: {measure} apart by status; ask for count, rate, errors or error_share with status"
                    )
                } else {
                    format!(
                        "not kept: {measure} apart by duration; ask for count, rate or times with duration, or leave the \
                         duration out"
                    )
                };
                return Err(select.wrong(at, word.len(), message));
            }
        }
        match asked().find(|measure| !kept(measure)) {
            Some(measure) => {
                Err(refused(&format!("not kept: {measure} apart by status or duration; leave one of them out")))
            }
            None => Ok(()),
        }
    }

    /// Whether it is answered from samples of the events: it tells them apart by what they carried.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        !self.keys.is_empty() || !self.filter.carries.is_empty()
    }

    /// Whom a sample can tell of.
    fn check_sampled(&self, select: Written<'_>, request: &Request) -> Result<(), Error> {
        if let Some(text) = request.compare.as_deref() {
            let message = "attributes are kept of samples, ten minutes back at most: ask twice, with since and until";
            return Err(Written { field: "compare", text }.wrong(0, text.len(), message));
        }
        let message = |measure: Measure| {
            format!("not kept: {measure} by attribute; count, rate, errors, error_share and times are estimated")
        };
        for ((at, word), measure) in dimension::words(select.text).zip(&self.measures) {
            if !measure.is_sampled() {
                return Err(select.wrong(at, word.len(), message(*measure)));
            }
        }
        match self.filter.having().iter().find(|having| !having.measure.is_sampled()) {
            Some(having) => {
                let text = request.filter.as_str();
                let name = having.measure.to_string();
                let at = text.find(&name).unwrap_or(0);
                Err(Written { field: "where", text }.wrong(at, name.len(), message(having.measure)))
            }
            None => Ok(()),
        }
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

    /// The columns of its answer.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        let name = |dimension: &Dimension| Column {
            name: match *dimension {
                Dimension::Attribute(at) => format!("attribute.{}", self.keys[at].name),
                dimension => dimension.name().to_owned(),
            },
            unit: if matches!(dimension, Dimension::Time(_)) { Unit::Time } else { Unit::Text },
            adds_up: false,
        };
        let mut columns: Vec<Column> = self.dimensions.iter().map(name).collect();
        for measure in &self.measures {
            if self.windows.before.is_some() {
                columns.push(Column { name: format!("{measure}_before"), ..measure.column() });
            }
            columns.push(measure.column());
            if self.is_sampled() {
                columns.push(Column::of(&format!("{measure}{WITHIN}"), measure.unit()));
            }
        }
        if self.diff {
            columns.push(Column::of("how", Unit::Text));
            columns.push(Column::of("change", Unit::Number));
        }
        columns.push(Column::of("evidence", Unit::Evidence));
        columns
    }

    /// Which times are needed: durations, and own times.
    #[must_use]
    pub fn times(&self) -> [bool; 2] {
        let having = || self.filter.having().iter().map(|having| having.measure);
        let timed = |time| self.measures.iter().copied().chain(having()).any(|measure| measure.time() == Some(time));
        [timed(Time::Duration) || self.filter.by_duration() || self.diff, timed(Time::Own)]
    }

    /// Whether nothing but the events of whole series is counted.
    #[must_use]
    pub fn counts_alone(&self) -> bool {
        self.measures[0] == Measure::Count && self.filter.takes_whole_rows() && self.by_status().is_none()
    }

    /// The place of the dimension that tells rows apart by status.
    #[must_use]
    pub fn by_status(&self) -> Option<usize> {
        self.dimensions.iter().position(|dimension| *dimension == Dimension::Status)
    }

    /// Seconds of a stretch, where time tells rows apart.
    #[must_use]
    pub fn width(&self) -> Option<Seconds> {
        self.dimensions.iter().find_map(|dimension| match dimension {
            Dimension::Time(width) => Some(*width),
            _ => None,
        })
    }

    /// Add what tallies come to, by measured column, in stretches of so many seconds.
    pub fn measure(&self, now: &Tally<'_>, before: &Tally<'_>, width: Option<Seconds>, values: &mut Vec<Value>) {
        for measure in &self.measures {
            if let Some(window) = self.windows.before {
                values.push(measure.value(before, window.seconds()));
            }
            values.push(measure.value(now, width.unwrap_or(self.windows.now.seconds())));
        }
    }

    /// By which share of themselves values may be off.
    #[must_use]
    pub fn error(&self) -> f64 {
        let timed = self.measures.iter().any(|measure| measure.time().is_some()) || self.filter.by_duration();
        if timed { ERROR } else { 0.0 }
    }

    /// What a reader must know of the answer.
    #[must_use]
    pub fn notes(&self, state: &State, members: &Members<'_>, empty: bool) -> Vec<String> {
        let mut notes = if empty || self.pair.is_some() { self.unknown(state) } else { Vec::new() };
        if let Some(width) = self.widened() {
            notes.push(format!("kept in steps of {}", crate::summary::words::span(width)));
        }
        notes.extend(self.mixed(state, members));
        let (coarse, widest) = members.coarse;
        if coarse > 0 {
            let widest = crate::summary::words::span(widest);
            notes.push(format!(
                "{coarse} series keep times in steps of up to {widest}, to save memory: a step counts where it begins"
            ));
        }
        notes
    }

    /// Where origins tell series apart: of how many series it is not kept which events came from which.
    fn mixed(&self, state: &State, members: &Members<'_>) -> Option<String> {
        let told = |dimension: &Dimension| matches!(dimension, Dimension::Source | Dimension::Format);
        let grouped = self.dimensions.iter().any(told);
        if !grouped && !self.filter.names_origins() {
            return None;
        }
        let (mixed, events, all) = members.mixed(state);
        let share = crate::summary::words::percent(events as f64 / all.max(1) as f64);
        let others = members.all().len() - mixed;
        let exact = if others > 0 { format!("; the other {others} are exact") } else { String::new() };
        let how = if grouped { "stand under (several)" } else { "count whole" };
        (mixed > 0).then(|| {
            format!(
                "{mixed} series with {share} of all events came from several sources or in several formats: they {how}{exact}"
            )
        })
    }

    /// What was asked for by a name that nothing bears, and the nearest that something does.
    fn unknown(&self, state: &State) -> Vec<String> {
        let mut notes = Vec::new();
        let compared = self.pair.iter().flatten().map(|name| (Dimension::Service, name.as_str()));
        for (dimension, name) in self.filter.exact().chain(compared) {
            if dimension == Dimension::Source {
                let known = || state.origins.iter().map(|origin| &*origin.source);
                if !known().any(|source| source == name) {
                    notes.push(called(dimension, name, nearest(name, known())));
                }
                continue;
            }
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
            notes.push(called(dimension, name, nearest(name, known)));
        }
        notes
    }
}

/// Of when, and against when. Where nothing is kept before the last five minutes, and nothing says since when, the newer half of
/// what is kept is compared with the older.
fn windows(state: &State, request: &Request, compare: Option<&str>) -> Result<Windows, Error> {
    let until = request.until.as_deref();
    let asked = Windows::of(state, request.since.as_deref(), until, compare);
    if request.since.is_some() || compare.is_none_or(|text| text.contains("..")) {
        return asked;
    }
    asked.or_else(|error| {
        let all = Windows::of(state, Some("all"), until, None)?.now;
        if all.seconds() < 2 {
            return Err(error);
        }
        let half = crate::summary::words::timestamp(all.to - all.seconds() / 2);
        Windows::of(state, Some(&half), until, compare)
    })
}

/// That nothing has a name, and what may have been meant.
fn called(dimension: Dimension, name: &str, near: Option<&str>) -> String {
    let meant = near.map_or_else(String::new, |near| format!("; did you mean {}?", crate::summary::words::name(near)));
    format!("no {} is called {}{meant}", dimension.name(), crate::summary::words::name(name))
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
