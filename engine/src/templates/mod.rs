//! Templates of messages: what is constant in them, with the variables written `<*>`.
//!
//! Two steps, so that the outcome depends neither on the order of the messages nor on where they were counted:
//!
//! 1. [`shape`] looks at one message alone and writes `<*>` for what is evidently a value. Shapes are counted; counts
//!    of shapes add up, in any order and on any host.
//! 2. [`Grouping`] looks at the set of shapes and joins those that differ in values which look like words: names of
//!    users, of hosts, of tables.
//!
//! That a message's build is what tells templates apart, and the number of distinct words in a place what tells values
//! from constants, is of `IPLoM` (Makanju, Zincir-Heywood and Milios, KDD 2009) and Drain (He, Zhu, Zheng and Lyu, ICWS
//! 2017). Both walk down from the whole log and depend on its order; here rows are joined from below, each rule applied
//! to all rows at once, until nothing changes:
//!
//! | rule | joins |
//! | --- | --- |
//! | `amounts` | amounts however written: units, longer and shorter lists, the same once more in brackets |
//! | `slots` | rows that differ in one place or a few, by the `evidence` that words there are values |
//! | `quotes` | rows that differ in what they quote |
//! | `stretches` | rows that fit a template with several words for one variable |

use std::cmp::Reverse;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde::Serialize;

mod address;
mod amounts;
mod date;
mod evidence;
mod fill;
mod grouping;
mod known;
mod name;
mod quotes;
mod samples;
mod shape;
mod slots;
mod stretches;
mod table;
#[cfg(test)]
mod tests;
mod tokens;
mod variables;
mod words;

pub use fill::fill;
pub use grouping::Grouping;
pub use known::Known;
pub use name::name;
pub use samples::{Samples, Values, values};
pub use shape::{LIMIT, VARIABLE, shape};
pub use variables::{Range, Share, Slot, Variables};

/// Messages of a shape whose values are kept of a whole file.
const KEPT: usize = 1_000;

/// The lines of a file by their shapes.
#[derive(Default)]
struct Lines {
    shapes: Vec<String>,
    known: HashMap<String, usize, FixedState>,
    out: String,
}

impl Lines {
    /// The number of a line's shape.
    fn shape(&mut self, line: &str) -> usize {
        shape(line, &mut self.out);
        self.known.get(&self.out).copied().unwrap_or_else(|| {
            self.known.insert(self.out.clone(), self.shapes.len());
            self.shapes.push(self.out.clone());
            self.shapes.len() - 1
        })
    }

    fn grouping(&self) -> Grouping {
        let borrowed: Vec<&str> = self.shapes.iter().map(String::as_str).collect();
        Grouping::of(&borrowed)
    }
}

/// One JSON object for each line, blank ones too: the number of its template, and the template.
#[must_use]
pub fn of_lines(data: &[u8]) -> Vec<u8> {
    let mut lines = Lines::default();
    let shapes: Vec<usize> =
        data.split_inclusive(|&byte| byte == b'\n').map(|line| lines.shape(&String::from_utf8_lossy(line))).collect();
    let grouping = lines.grouping();
    let says =
        |(id, template): (usize, &String)| serde_json::json!({"id": id, "template": template}).to_string() + "\n";
    let said: Vec<String> = grouping.templates().iter().enumerate().map(says).collect();
    let mut out = Vec::with_capacity(data.len() * 2);
    for shape in shapes {
        out.extend_from_slice(said[grouping.group(shape) as usize].as_bytes());
    }
    out
}

/// One JSON object for each template of the lines, the most frequent first: its number, its text, and what its variables
/// held; `most` values are told of each of them.
#[must_use]
pub fn values_of_lines(data: &[u8], most: usize) -> Vec<u8> {
    let mut lines = Lines::default();
    let mut samples: Vec<Samples> = Vec::new();
    for (number, line) in data.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line);
        let shape = lines.shape(&line);
        samples.resize(lines.shapes.len(), Samples::default());
        let rank = FixedState::with_seed(17).hash_one((number, &line));
        samples[shape].offer(rank, KEPT, || values(&lines.shapes[shape], &line));
    }
    let grouping = lines.grouping();
    let mut shapes: Vec<Vec<(&str, &Samples)>> = vec![Vec::new(); grouping.templates().len()];
    for (at, shape) in lines.shapes.iter().enumerate() {
        shapes[grouping.group(at) as usize].push((shape, &samples[at]));
    }
    let said = grouping.templates().iter().zip(shapes).enumerate();
    let mut said: Vec<Said<'_>> = said
        .map(|(id, (template, shapes))| Said { id, template, variables: Variables::of(template, shapes, most) })
        .collect();
    // Already in the order of their texts, which stays among equals.
    said.sort_by_key(|said| Reverse(said.variables.messages));
    said.iter()
        .filter_map(|said| serde_json::to_string(said).ok())
        .flat_map(|said| (said + "\n").into_bytes())
        .collect()
}

#[derive(Serialize)]
struct Said<'a> {
    id: usize,
    template: &'a str,
    #[serde(flatten)]
    variables: Variables,
}
