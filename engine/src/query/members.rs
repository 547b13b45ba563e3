//! Which series are meant, and which of them make up a row together.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::dimension::Cell;
use super::series::Question;
use crate::event::Kind;
use crate::state::State;
use crate::state::order::Order;
use crate::state::series::SeriesId;
use crate::summary::groups::Groups;

/// Series by what tells them apart: all that is the same by every dimension is one group.
#[derive(Debug, Default)]
pub struct Members<'a> {
    /// Of each group what it is called, dimension by dimension.
    cells: Vec<Cell<'a>>,
    dimensions: usize,
    /// Where the series of each group end.
    ends: Vec<usize>,
    series: Vec<SeriesId>,
    /// Series of which times are kept in wider steps than the window's, and the widest of them.
    pub coarse: (usize, i64),
}

impl<'a> Members<'a> {
    /// Those that a question is about. `kinds` are those meant where no term says.
    #[must_use]
    pub fn of(
        question: &Question,
        state: &'a State,
        order: &Order,
        groups: &'a Groups<'a>,
        kinds: fn(Kind) -> bool,
    ) -> Self {
        let dimensions = question.dimensions.len();
        let mut all = Self { dimensions, ..Self::default() };
        let hasher = RandomState::default();
        let most = order.by_key().len();
        let mut index: HashTable<usize> = HashTable::with_capacity(most);
        let mut found: Vec<(usize, SeriesId)> = Vec::with_capacity(most);
        let mut cells = Vec::with_capacity(dimensions);
        // In the order of their keys: most rows are then in order.
        for &id in order.by_key() {
            let (key, record) = (state.table.key(id), state.table.record(id));
            if record.is_empty() || !question.filter.fits(key, record, groups, kinds) {
                continue;
            }
            let step = record.timeline.step();
            if step > question.windows.now.step {
                all.coarse = (all.coarse.0 + 1, all.coarse.1.max(step));
            }
            cells.clear();
            cells.extend(question.dimensions.iter().map(|dimension| dimension.cell(key, record, groups)));
            let hash = hasher.hash_one(cells.as_slice());
            let known = index.find(hash, |&group| *all.cells(group) == *cells);
            let group = known.copied().unwrap_or(all.ends.len());
            if group == all.ends.len() {
                all.cells.extend_from_slice(&cells);
                all.ends.push(0);
                index.insert_unique(hash, group, |&group| hasher.hash_one(all.cells(group)));
            }
            all.ends[group] += 1;
            found.push((group, id));
        }
        all.gather(&found);
        all
    }

    /// Put the series of each group together, in their order.
    fn gather(&mut self, found: &[(usize, SeriesId)]) {
        let mut end = 0;
        for place in &mut self.ends {
            // Where the next of its series goes; when all have gone there, where they end.
            end += std::mem::replace(place, end);
        }
        self.series = vec![0; found.len()];
        for &(group, id) in found {
            self.series[self.ends[group]] = id;
            self.ends[group] += 1;
        }
        let mut begin = 0;
        for &end in &self.ends {
            self.series[begin..end].sort_unstable();
            begin = end;
        }
    }

    /// How many groups there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// What a group is called, dimension by dimension.
    #[must_use]
    pub fn cells(&self, group: usize) -> &[Cell<'a>] {
        &self.cells[group * self.dimensions..(group + 1) * self.dimensions]
    }

    /// Where the series of each group end.
    #[must_use]
    pub fn ends(&self) -> &[usize] {
        &self.ends
    }

    /// The series of all groups.
    #[must_use]
    pub fn all(&self) -> &[SeriesId] {
        &self.series
    }

    /// Series whose events came from several origins, how many events those have had, and how many all have.
    #[must_use]
    pub fn mixed(&self, state: &State) -> (usize, u64, u64) {
        let (mut mixed, mut events, mut all) = (0, 0, 0);
        for record in self.series.iter().map(|&id| state.table.record(id)) {
            all += record.count;
            if record.came_from.is_mixed() {
                (mixed, events) = (mixed + 1, events + record.count);
            }
        }
        (mixed, events, all)
    }

    /// The series of a group.
    #[must_use]
    pub fn series(&self, group: usize) -> &[SeriesId] {
        let begin = group.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.series[begin..self.ends[group]]
    }
}
