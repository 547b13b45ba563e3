//! In which order series are read: by their keys, and what is read together side by side.
//!
//! Sorting by texts takes longer than reading what is sorted. The order is a function of the keys alone, and is made anew
//! when there are others.

use std::sync::Arc;

use super::series::{Key, SeriesId, Table};
use crate::event::Kind;
use crate::templates::Grouping;

/// Where the template of a message stands.
pub type Place = (Arc<Grouping>, u32);

/// A series, or several messages of one template.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Its series, in the order of their numbers.
    pub series: &'a [SeriesId],
    place: Option<&'a Place>,
}

impl<'a> Row<'a> {
    /// What it is called, by the key of one of its series.
    #[must_use]
    pub fn key(&self, key: Key<&'a str>) -> Key<&'a str> {
        Self::called(self.place.map(|(grouping, group)| (grouping, *group)), key)
    }

    /// A key with the template that stands at a place: that of a log record whatever its level.
    #[must_use]
    pub fn called(place: Option<(&'a Arc<Grouping>, u32)>, key: Key<&'a str>) -> Key<&'a str> {
        let key = if key.kind == Kind::Log { Key { within: "", ..key } } else { key };
        place.map_or(key, |(grouping, group)| Key { operation: grouping.template(group), ..key })
    }
}

/// All series of a table in order.
#[derive(Debug, Default)]
pub struct Order {
    /// Of which keys it is.
    keys: Option<(u64, usize)>,
    by_key: Vec<SeriesId>,
    /// Row by row.
    series: Vec<SeriesId>,
    /// Where each row ends, and its template.
    rows: Vec<(usize, Option<Place>)>,
}

impl Order {
    /// Whether it is that of a table as it is now.
    #[must_use]
    pub fn is_of(&self, table: &Table) -> bool {
        self.keys == Some(table.keys())
    }

    /// That of a table; `template` finds the template of a log record, a failure or a step.
    #[must_use]
    pub fn of(table: &Table, template: impl Fn(Key<&str>) -> Option<Place>) -> Self {
        let all = || table.occupied().into_iter().map(|id| (table.key(id), id));
        let mut by_key: Vec<(Key<&str>, SeriesId)> = all().collect();
        by_key.sort_unstable();
        let place = |(key, id): (Key<_>, SeriesId)| {
            let message = matches!(key.kind, Kind::Log | Kind::Failure | Kind::Step);
            (message.then(|| template(key)).flatten(), key, id)
        };
        let places: Vec<(Option<Place>, Key<&str>, SeriesId)> = all().map(place).collect();
        let called = |(place, key, id)| (Row { series: &[], place }.key(key), id);
        let all = places.iter().map(|(place, key, id)| called((place.as_ref(), *key, *id)));
        let mut sorted: Vec<((Key<&str>, SeriesId), usize)> = all.zip(0..).collect();
        sorted.sort_unstable();
        let (mut series, mut rows) = (Vec::with_capacity(sorted.len()), Vec::new());
        for together in sorted.chunk_by(|a, b| a.0.0 == b.0.0) {
            series.extend(together.iter().map(|one| one.0.1));
            rows.push((series.len(), together.first().and_then(|one| places[one.1].0.clone())));
        }
        Self { keys: Some(table.keys()), by_key: by_key.into_iter().map(|(_, id)| id).collect(), series, rows }
    }

    /// Bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        (self.by_key.capacity() + self.series.capacity()) * size_of::<SeriesId>()
            + self.rows.capacity() * size_of::<(usize, Option<Place>)>()
    }

    /// All series in the order of their keys.
    #[must_use]
    pub fn by_key(&self) -> &[SeriesId] {
        &self.by_key
    }

    /// All rows, in the order of what they are called.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let mut begin = 0;
        self.rows.iter().map(move |(end, place)| {
            let series = &self.series[begin..*end];
            begin = *end;
            Row { series, place: place.as_ref() }
        })
    }
}
