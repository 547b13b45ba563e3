//! What was read: a row for each source and the format that it came in, since the beginning.

use std::collections::BTreeMap;

use super::error::{Error, nearest};
use super::filter::Filter;
use super::request::Request;
use super::table::{Column, Table, Unit, Value};
use super::window::Windows;
use crate::format::Format;
use crate::state::State;
use crate::state::streams::Stream;
use crate::summary::words;

/// What streams come to.
#[derive(Default)]
struct Read {
    streams: u64,
    bytes: u64,
    events: u64,
    rejected: u64,
    newest: Option<i64>,
}

impl Read {
    fn add(&mut self, stream: &Stream) {
        self.streams += 1;
        self.bytes += stream.reader.offset;
        self.events += stream.events;
        self.rejected += stream.rejected;
        self.newest = self.newest.max(stream.newest);
    }

    fn row(&self, source: &str, format: &str) -> Vec<Value> {
        let counts = [self.streams, self.bytes, self.events, self.rejected].map(Value::Count);
        let mut row = vec![Value::name(source), Value::name(format)];
        row.extend(counts);
        row.push(self.newest.map_or(Value::Null, Value::Time));
        row
    }
}

/// Answer with what became of the streams of each source.
///
/// # Errors
/// [`Error::Word`] at a word that makes no sense.
pub fn table(state: &State, request: &Request) -> Result<Table, Error> {
    let filter = Filter::of(&request.filter, request.what)?;
    let windows = Windows::of(state, Some("all"), None, None)?;
    let mut sources: BTreeMap<(&str, &str), Read> = BTreeMap::new();
    let (mut total, mut all) = (Read::default(), Read::default());
    for (name, stream) in state.streams.iter() {
        let (source, format) = (stream.source(name), stream.reader.format.map_or("", Format::name));
        all.add(stream);
        if filter.wants_origin(source, format) {
            sources.entry((source, format)).or_default().add(stream);
            total.add(stream);
        }
    }
    let rows: Vec<Vec<Value>> = sources.iter().map(|(&(source, format), read)| read.row(source, format)).collect();
    let columns = vec![
        Column::key("source"),
        Column::key("format"),
        Column::sum("streams", Unit::Count),
        Column::sum("bytes", Unit::Count),
        Column::sum("events", Unit::Count),
        Column::sum("rejected", Unit::Count),
        Column::of("last", Unit::Time),
    ];
    let forgotten = state.ledger.evicted_streams;
    let mut notes: Vec<String> = Vec::new();
    if rows.is_empty() {
        let wanted = filter
            .exact()
            .find_map(|(_, name)| nearest(name, state.streams.iter().map(|(name, stream)| stream.source(name))));
        let meant = wanted.map_or_else(String::new, |near| format!("; did you mean {}?", words::name(near)));
        notes.push(match state.streams.iter().count() {
            0 => "nothing has been read".to_owned(),
            all => format!("none of {all} streams is of such a source{meant}"),
        });
    }
    notes.extend((forgotten > 0).then(|| {
        let [bytes, events] = [(state.ledger.bytes, all.bytes), (state.ledger.events, all.events)]
            .map(|(ever, known)| words::count(ever.saturating_sub(known)));
        format!("without {forgotten} streams that were forgotten (engine.max_streams): {bytes} bytes, {events} events")
    }));
    let table = Table::of(request.what, windows, columns, 2, rows).sorted(request.order_by.as_deref(), &[(4, true)])?;
    let title = Some("all that was read".to_owned());
    Ok(Table { title, totals: total.row("", ""), notes, ..table })
}
