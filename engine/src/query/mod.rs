//! Questions to the state: what happened, to whom, when, within a budget of tokens.
//!
//! In: a [`request`], whose `where` is read by the grammar of [`words`]. Out: an [`page::Answer`]: text that fits its
//! budget, the same rows as values, totals of all rows, and a cursor that goes on where rows were left out. What the state
//! keeps exactly, within an error or never is said by the answer, or by the [`error`] that says what can be asked instead.

mod attribute;
mod carried;
mod change;
pub mod dimension;
mod empty;
pub mod error;
mod estimate;
mod exhibits;
mod facts;
pub mod filter;
mod having;
mod level;
mod looked;
pub mod measure;
mod members;
mod order;
pub mod page;
mod path;
mod raw;
pub mod render;
pub mod request;
mod rows;
mod sampled;
mod samples;
mod series;
mod sheet;
mod sources;
pub mod status;
mod stretches;
mod subject;
pub mod table;
mod takes;
mod tally;
mod timeline;
mod trace;
mod traces;
mod tree;
mod variables;
pub mod whole;
pub mod window;
pub mod words;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::state::State;
use crate::state::sums::Sums;
use crate::summary::groups::Groups;
use crate::tokens::Encoding;
pub use error::Error;
use page::{Answer, Cursor};
pub use request::{Request, What};
use table::Table;
use whole::Whole;

/// The latest answers: their pages are of one moment although the state moves on, and as long as it does not, the same
/// question is not answered twice.
#[derive(Debug, Default)]
pub struct Pages {
    kept: VecDeque<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// What was asked, but for how its pages are cut.
    question: Request,
    /// Hashes of the question and of the answer, as cursors have them.
    hashes: (u32, u32),
    /// That of the engine when it was answered.
    generation: u64,
    whole: Arc<Whole>,
}

/// Answers kept at most.
const ANSWERS: usize = 8;

/// Rows of all answers that are kept, together: some 20 MB. A larger answer is computed anew for each page.
const ROWS: usize = 40_000;

impl Pages {
    /// The table that a question's cursor belongs to, or without one that of the same question to the same state, if it is
    /// still here.
    ///
    /// # Errors
    /// [`Error::Word`] if the cursor is none.
    pub fn get(&self, request: &Request, generation: u64) -> Result<Option<Arc<Whole>>, Error> {
        let cursor = request.cursor.as_deref().map(Cursor::read).transpose()?;
        let fits = |kept: &&Kept| match cursor {
            Some(cursor) => cursor.is_of(kept.hashes.0, kept.hashes.1) && kept.question.asks_the_same(request),
            None => kept.generation == generation && kept.question.asks_the_same(request),
        };
        Ok(self.kept.iter().rev().find(fits).map(|kept| Arc::clone(&kept.whole)))
    }

    /// Keep an answer.
    pub fn keep(&mut self, request: &Request, generation: u64, whole: Arc<Whole>) {
        let size = whole.table.rows.len();
        if size > ROWS {
            return;
        }
        let hashes = (page::question(request), whole.hash);
        self.kept.retain(|kept| kept.hashes != hashes || !kept.question.asks_the_same(request));
        let rows = |kept: &VecDeque<Kept>| kept.iter().map(|kept| kept.whole.table.rows.len()).sum::<usize>();
        while self.kept.len() >= ANSWERS || rows(&self.kept) + size > ROWS {
            if self.kept.pop_front().is_none() {
                break;
            }
        }
        self.kept.push_back(Kept { question: request.clone(), hashes, generation, whole });
    }
}

/// All rows of the answer.
///
/// # Errors
/// If the question makes no sense, or asks for what was never kept.
pub fn table(state: &mut State, request: &Request) -> Result<Table, Error> {
    state.read(|state, sums| answer(state, sums, request))
}

fn answer(state: &State, sums: &mut Sums, request: &Request) -> Result<Table, Error> {
    takes::check(request)?;
    let groups = Groups::of(state);
    sums.sort(&state.table, || groups.order(&state.table));
    match request.what {
        What::Series | What::Edges | What::Templates | What::Diff => series::table(state, sums, &groups, request),
        What::Timeline => timeline::table(state, sums, &groups, request),
        What::Facts => facts::table(state, sums, request),
        What::Evidence => exhibits::table(state, &groups, request),
        What::Traces => traces::table(state, &groups, request),
        What::Trace => tree::table(state, &groups, request),
        What::Sources => sources::table(state, request),
        What::Attributes => carried::table(state, &groups, request),
        What::Values => variables::table(state, request),
        // Of no trace: of all of them.
        What::Path if request.of.is_none() => series::table(state, sums, &groups, request),
        What::Path => path::table(state, &groups, request),
    }
}

/// Cut the page that a question asks for out of its rows.
///
/// # Errors
/// If the cursor belongs to other rows, the encoding is unknown, or not even one row fits.
pub fn page(whole: &Whole, request: &Request) -> Result<Answer, Error> {
    let encoding = Encoding::named(&request.encoding)?;
    let position = match request.cursor.as_deref() {
        None => 0,
        Some(text) => {
            let cursor = Cursor::read(text)?;
            page::check(cursor, request, whole.hash)?;
            cursor.position
        }
    };
    page::cut(whole, request, position, encoding)
}
