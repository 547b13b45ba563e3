//! The rows of an answer: as many values in each, one behind the other in one piece of memory.

use std::ops::{Index, Range};

use super::table::Value;

/// Rows of equal width.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    width: usize,
    values: Vec<Value>,
}

impl Sheet {
    /// None yet; each will have so many values.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { width: width.max(1), values: Vec::new() }
    }

    /// Of rows that have so many values each.
    #[must_use]
    pub fn of(width: usize, rows: Vec<Vec<Value>>) -> Self {
        let mut sheet = Self::new(width);
        rows.into_iter().for_each(|row| sheet.push(row));
        sheet
    }

    /// Make room for so many more.
    pub fn reserve(&mut self, rows: usize) {
        self.values.reserve(rows * self.width);
    }

    /// A further row.
    pub fn push(&mut self, row: impl IntoIterator<Item = Value>) {
        let end = self.values.len() + self.width;
        self.values.extend(row);
        self.values.resize(end, Value::Null);
    }

    /// Put a value in the place of another.
    pub fn set(&mut self, row: usize, column: usize, value: Value) {
        self.values[row * self.width + column] = value;
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &[Value]> + ExactSizeIterator {
        self.values.chunks_exact(self.width)
    }

    /// Some of them, one after the other; none past the last.
    pub fn range(&self, rows: Range<usize>) -> impl DoubleEndedIterator<Item = &[Value]> + ExactSizeIterator {
        let all = self.values.len();
        let [from, to] = [rows.start, rows.end].map(|row| row.saturating_mul(self.width).min(all));
        self.values[from.min(to)..to].chunks_exact(self.width)
    }

    /// All values, row by row.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Leave out columns.
    pub fn keep(&mut self, kept: &[bool]) {
        let mut at = kept.iter().cycle();
        self.values.retain(|_| at.next().copied().unwrap_or(true));
        self.width = kept.iter().filter(|kept| **kept).count().max(1);
    }

    /// Put the rows into another order: which is the first, which the second, each of them once.
    pub fn arrange(&mut self, order: impl Iterator<Item = usize>) {
        let mut values = Vec::with_capacity(self.values.len());
        for row in order {
            let row = &mut self.values[row * self.width..(row + 1) * self.width];
            values.extend(row.iter_mut().map(|value| std::mem::replace(value, Value::Null)));
        }
        self.values = values;
    }
}

impl Index<usize> for Sheet {
    type Output = [Value];

    fn index(&self, row: usize) -> &[Value] {
        &self.values[row * self.width..(row + 1) * self.width]
    }
}
