//! Raw events read once more: how they ended, how long they took, and what they carried.

use super::filter::Filter;
use crate::event::{Event, Kind};
use crate::format::{Attribute, Context, Format, Reader};
use crate::state::State;
use crate::state::attributes::Carrier;
use crate::state::evidence::{Exhibit, RAW_LIMIT, Role};
use crate::state::pairs;
use crate::state::series::Record;

/// What a raw event says, as far as it can be read; the rest from the sample of attributes, if the event is in it.
#[derive(Debug, Default)]
pub struct Raw {
    /// Whether it failed.
    pub failed: Option<bool>,
    /// Nanoseconds.
    took: Option<u64>,
    /// Whether it is known how long it took, if it took time at all.
    timed: bool,
    /// `key=value` of each attribute.
    pairs: Vec<String>,
    /// Whether these are all.
    whole: bool,
}

/// Reads the raw events of one series.
pub struct Raws<'s> {
    state: &'s State,
    kind: Kind,
    carriers: Vec<Carrier<'s>>,
}

impl<'s> Raws<'s> {
    /// Of a series.
    #[must_use]
    pub fn of(state: &'s State, kind: Kind, record: &'s Record) -> Self {
        Self {
            state,
            kind,
            carriers: record.kept.sampled(&state.pieces).flat_map(|(_, stretch)| stretch.events).collect(),
        }
    }

    /// What one of them says.
    #[must_use]
    pub fn read(&self, role: Role, exhibit: &Exhibit) -> Raw {
        let format = self.state.streams.get(&exhibit.stream).and_then(|stream| stream.reader.format);
        let mut raw = read(&exhibit.raw, self.kind, format).unwrap_or_default();
        if let Some(carrier) = self.carriers.iter().find(|carrier| carrier.time == exhibit.time) {
            raw.failed = raw.failed.or(Some(carrier.failed));
            (raw.took, raw.timed) = (raw.took.or(carrier.took), true);
            raw.pairs.extend(carrier.pairs.iter().map(|&pair| pair.to_owned()));
            raw.whole = true;
        }
        raw.failed = raw.failed.or((role == Role::Failed).then_some(true));
        raw
    }
}

impl Raw {
    /// Whether an event is meant by what it carried; none if it does not say.
    #[must_use]
    pub fn carries(&self, filter: &Filter) -> Option<bool> {
        let pairs: Vec<&str> = self.pairs.iter().map(String::as_str).collect();
        let says = |key: &super::attribute::Key| self.whole || key.value(&pairs).is_some();
        let mut known = true;
        for term in &filter.carries {
            if !says(&term.key) {
                known = false;
            } else if !term.fits(&pairs) {
                return Some(false);
            }
        }
        known.then_some(true)
    }

    /// Whether an event is meant, by how it ended, how long it took and what it carried; none if it does not say.
    #[must_use]
    pub fn is_meant(&self, filter: &Filter) -> Option<bool> {
        let ended = match (filter.status, self.failed) {
            (None, _) => Some(true),
            (Some(_), failed) => failed.map(|failed| filter.takes_status(failed)),
        };
        let took = if !filter.by_duration() {
            Some(true)
        } else if self.timed {
            Some(self.took.is_some_and(|ns| filter.takes(ns)))
        } else {
            None
        };
        let all = [ended, took, self.carries(filter)];
        if all.contains(&Some(false)) { Some(false) } else { all.iter().all(Option::is_some).then_some(true) }
    }
}

/// Read a raw event as the format of its stream says; none if it is cut where it cannot be.
fn read(raw: &[u8], kind: Kind, format: Option<Format>) -> Option<Raw> {
    if format == Some(Format::OtlpProto) {
        return shown(raw);
    }
    let (before, behind) = match format? {
        Format::Otlp if kind == Kind::Log => (r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":["#, "]}]}]}"),
        Format::Otlp => (r#"{"resourceSpans":[{"scopeSpans":[{"spans":["#, "]}]}]}"),
        Format::Jaeger => (r#"{"data":[{"spans":["#, r#"],"processes":{}}]}"#),
        Format::Zipkin => ("[", "]"),
        _ => ("", ""),
    };
    let text = [before.as_bytes(), raw, behind.as_bytes(), b"\n"].concat();
    let (mut events, mut reader) = (Vec::new(), Reader::default());
    let record = reader.next(&text, format, &mut Context::default(), usize::MAX, &mut events)?;
    record.found.ok()?;
    let event = events.first()?;
    // Attributes of resources and of processes stand elsewhere.
    let whole = !matches!(format, Some(Format::Otlp | Format::Jaeger)) && raw.len() < RAW_LIMIT;
    Some(Raw { failed: Some(event.failed), took: event.duration, timed: true, pairs: pairs(event), whole })
}

/// `key=value` of all attributes, measured numbers and ids among them.
fn pairs(event: &Event<'_>) -> Vec<String> {
    let mut found = Vec::new();
    pairs::read(&event.attributes, false, &mut String::new(), &mut |pair| {
        pairs::keep(pair);
        found.push(pair.clone());
    });
    for (key, value) in &event.attributes {
        if let Attribute::Float(number) = value {
            found.push(format!("{key}={number}"));
        }
    }
    found
}

/// Read an event that is kept as what it says, since its own bytes are no text.
fn shown(raw: &[u8]) -> Option<Raw> {
    let event: serde_json::Value = serde_json::from_slice(raw).ok()?;
    let said = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let attributes = event["attributes"].as_object()?;
    Some(Raw {
        failed: event["failed"].as_bool(),
        took: event["duration"].as_u64(),
        timed: true,
        pairs: attributes.iter().map(|(key, value)| format!("{key}={}", said(value))).collect(),
        whole: true,
    })
}
