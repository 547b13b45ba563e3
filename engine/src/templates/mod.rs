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

use foldhash::fast::FixedState;
use hashbrown::HashMap;

mod address;
mod amounts;
mod date;
mod evidence;
mod grouping;
mod name;
mod quotes;
mod shape;
mod slots;
mod stretches;
mod table;
#[cfg(test)]
mod tests;
mod tokens;
mod words;

pub use grouping::Grouping;
pub use name::name;
pub use shape::{LIMIT, VARIABLE, shape};

/// One JSON object for each line, blank ones too: the number of its template, and the template.
#[must_use]
pub fn of_lines(data: &[u8]) -> Vec<u8> {
    let mut shapes: Vec<String> = Vec::new();
    let mut known: HashMap<String, usize, FixedState> = HashMap::with_hasher(FixedState::default());
    let mut lines = Vec::new();
    let mut out = String::new();
    for line in data.split_inclusive(|&byte| byte == b'\n') {
        shape(&String::from_utf8_lossy(line), &mut out);
        let at = known.get(&out).copied().unwrap_or_else(|| {
            known.insert(out.clone(), shapes.len());
            shapes.push(out.clone());
            shapes.len() - 1
        });
        lines.push(at);
    }
    let borrowed: Vec<&str> = shapes.iter().map(String::as_str).collect();
    let grouping = Grouping::of(&borrowed);
    let says =
        |(id, template): (usize, &String)| serde_json::json!({"id": id, "template": template}).to_string() + "\n";
    let said: Vec<String> = grouping.templates().iter().enumerate().map(says).collect();
    let mut out = Vec::with_capacity(data.len() * 2);
    for line in lines {
        out.extend_from_slice(said[grouping.group(line) as usize].as_bytes());
    }
    out
}
