//! All rows of an answer, and what each of its pages needs of them all.

use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::Range;

use foldhash::fast::FixedState;

use super::page::MODULUS;
use super::table::{Table, Value};

/// Rows that are added up anew for a page.
const BLOCK: usize = 256;

/// An answer before it is cut to pages.
#[derive(Debug)]
pub struct Whole {
    /// Its rows.
    pub table: Table,
    /// A hash of them, as cursors have it.
    pub hash: u32,
    /// What the rows from each block on add up to, by column.
    from: Vec<Vec<Value>>,
}

impl Whole {
    /// Of these rows.
    #[must_use]
    pub fn of(table: Table) -> Self {
        let mut from = vec![vec![Value::Null; table.columns.len()]];
        for block in (0..table.rows.len().div_ceil(BLOCK)).rev() {
            let mut sums = from[from.len() - 1].clone();
            add(&mut sums, &table, block * BLOCK..(block + 1) * BLOCK);
            from.push(sums);
        }
        from.reverse();
        Self { hash: hash(&table), from, table }
    }

    /// What the rows from one on add up to, by column; null where nothing adds up.
    #[must_use]
    pub fn sums(&self, row: usize) -> Vec<Value> {
        let block = row.div_ceil(BLOCK).min(self.from.len() - 1);
        let mut sums = self.from[block].clone();
        add(&mut sums, &self.table, row..block * BLOCK);
        sums
    }
}

fn add(sums: &mut [Value], table: &Table, rows: Range<usize>) {
    for (at, sum) in sums.iter_mut().enumerate().filter(|(at, _)| table.columns[*at].adds_up) {
        table.rows.range(rows.clone()).for_each(|row| sum.add(&row[at]));
    }
}

fn hash(table: &Table) -> u32 {
    let mut hasher = FixedState::with_seed(19).build_hasher();
    (table.windows.now.from, table.windows.now.to, table.rows.len()).hash(&mut hasher);
    for value in table.rows.values() {
        match value {
            Value::Null => 0u8.hash(&mut hasher),
            Value::Count(count) => count.hash(&mut hasher),
            Value::Number(number) => number.to_bits().hash(&mut hasher),
            Value::Time(ns) => ns.hash(&mut hasher),
            text => text.text().hash(&mut hasher),
        }
    }
    u32::try_from(hasher.finish() % MODULUS).unwrap_or(0)
}
