//! Questions to the state: what happened, to whom, when, within a budget of tokens.
//!
//! In: a [`request`], whose `where` is read by the grammar of [`words`]. Out: an [`page::Answer`]: text that fits its
//! budget, the same rows as values, totals of all rows, and a cursor that goes on where rows were left out. What the state
//! keeps exactly, within an error or never is said by the answer, or by the [`error`] that says what can be asked instead.

mod change;
pub mod dimension;
pub mod error;
mod exhibits;
mod facts;
pub mod filter;
pub mod measure;
mod order;
pub mod page;
pub mod render;
pub mod request;
mod rows;
mod series;
pub mod table;
mod tally;
mod timeline;
mod trace;
mod traces;
mod variables;
pub mod window;
pub mod words;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::state::State;
use crate::summary::groups::Groups;
use crate::tokens::Encoding;
pub use error::Error;
use page::{Answer, Cursor};
pub use request::{Request, What};
use table::Table;

/// Answers of which pages were left to give, so that they are of one moment although the state moves on.
#[derive(Debug, Default)]
pub struct Pages {
    kept: VecDeque<Kept>,
}

#[derive(Debug)]
struct Kept {
    question: u32,
    answer: u32,
    table: Arc<Table>,
}

/// Answers kept at most.
const ANSWERS: usize = 8;

/// Rows of an answer that is kept at most: larger ones are computed anew for each page.
const ROWS: usize = 50_000;

impl Pages {
    /// The table that a cursor belongs to, if it is still here.
    #[must_use]
    pub fn get(&self, cursor: Cursor, question: u32) -> Option<Arc<Table>> {
        let found = self.kept.iter().find(|kept| kept.question == question && cursor.is_of(question, kept.answer));
        found.map(|kept| Arc::clone(&kept.table))
    }

    /// Keep an answer for the pages to come.
    pub fn keep(&mut self, question: u32, answer: u32, table: Arc<Table>) {
        if table.rows.len() > ROWS || self.kept.iter().any(|kept| kept.question == question && kept.answer == answer) {
            return;
        }
        if self.kept.len() >= ANSWERS {
            self.kept.pop_front();
        }
        self.kept.push_back(Kept { question, answer, table });
    }
}

/// All rows of the answer.
///
/// # Errors
/// If the question makes no sense, or asks for what was never kept.
pub fn table(state: &mut State, request: &Request) -> Result<Table, Error> {
    state.settle();
    let groups = Groups::of(state);
    match request.what {
        What::Series | What::Edges | What::Templates | What::Diff => series::table(state, &groups, request),
        What::Timeline => timeline::table(state, &groups, request),
        What::Facts => facts::table(state, &groups, request),
        What::Evidence => exhibits::table(state, &groups, request),
        What::Traces => traces::table(state, &groups, request),
        What::Trace => trace::tree(state, &groups, request),
        What::Values => variables::table(state, request),
        What::Path => trace::path(state, &groups, request),
    }
}

/// Cut the page that a question asks for out of its rows.
///
/// # Errors
/// If the cursor belongs to other rows, the encoding is unknown, or not even one row fits.
pub fn page(table: &Table, request: &Request) -> Result<Answer, Error> {
    let encoding = Encoding::named(&request.encoding)?;
    let position = match request.cursor.as_deref() {
        None => 0,
        Some(text) => {
            let cursor = Cursor::read(text)?;
            page::check(cursor, request, page::answer(table))?;
            cursor.position
        }
    };
    page::cut(table, request, position, encoding)
}
