//! Templates of messages: what is constant in them, with the variables written `<*>`.
//!
//! Two steps, so that the outcome depends neither on the order of the messages nor on where they were counted:
//!
//! 1. [`shape`] looks at one message alone and writes `<*>` for what is evidently a value. Shapes are counted; counts
//!    of shapes add up, in any order and on any host.
//! 2. [`Grouping`] looks at the set of shapes and their counts, and joins those that differ in values which look like
//!    words: names of users, of hosts, of tables.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

mod amounts;
mod date;
mod evidence;
mod grouping;
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
pub use shape::{LIMIT, VARIABLE, shape};

/// One JSON object for each line, blank ones too: the number of its template, and the template.
#[must_use]
pub fn of_lines(data: &[u8]) -> Vec<u8> {
    let mut shapes: Vec<(String, u64)> = Vec::new();
    let mut known: HashMap<String, usize, FixedState> = HashMap::with_hasher(FixedState::default());
    let mut lines = Vec::new();
    let mut out = String::new();
    for line in data.split_inclusive(|&byte| byte == b'\n') {
        shape(&String::from_utf8_lossy(line), &mut out);
        let at = known.get(&out).copied().unwrap_or_else(|| {
            known.insert(out.clone(), shapes.len());
            shapes.push((out.clone(), 0));
            shapes.len() - 1
        });
        shapes[at].1 += 1;
        lines.push(at);
    }
    let borrowed: Vec<(&str, u64)> = shapes.iter().map(|(shape, count)| (shape.as_str(), *count)).collect();
    let grouping = Grouping::of(&borrowed);
    let mut out = Vec::with_capacity(data.len() * 2);
    for line in lines {
        let id = grouping.group(line);
        out.extend_from_slice(serde_json::json!({"id": id, "template": grouping.template(id)}).to_string().as_bytes());
        out.push(b'\n');
    }
    out
}
