//! In which order rows stand: as asked for, and where that leaves it open, by what tells them apart.

use std::cmp::Ordering;
use std::sync::Arc;

use super::attribute;
use super::dimension::items;
use super::error::{Error, Written};
use super::sheet::Sheet;
use super::table::{Column, Value};

/// A column, and whether the largest comes first.
pub type By = (usize, bool);

/// Read what rows are to be sorted by: `usual` where nothing says. What tells rows apart goes from the smallest, what is
/// measured from the largest, unless a sign or a word says otherwise.
///
/// # Errors
/// [`Error::Word`] at the first word that is no column.
pub fn order(text: Option<&str>, columns: &[Column], keys: usize, usual: &[By]) -> Result<Vec<By>, Error> {
    let Some(text) = text else { return Ok(usual.to_vec()) };
    let written = Written { field: "order_by", text };
    let mut order = Vec::new();
    for (at, item) in items(text) {
        let (word, way) = match item.split_once(char::is_whitespace) {
            Some((word, way)) => (word, Some(way.trim())),
            None => (item, None),
        };
        let (word, sign) = match word.strip_prefix('-') {
            Some(rest) => (rest, Some(true)),
            None => word.strip_prefix('+').map_or((word, None), |rest| (rest, Some(false))),
        };
        let way = match way {
            Some("asc") => Some(false),
            Some("desc") => Some(true),
            Some(way) => return Err(written.unknown(at + item.len() - way.len(), way, "order", &["asc", "desc"])),
            None => None,
        };
        let word = word.split(':').next().filter(|word| *word == "time").unwrap_or(word);
        let key = attribute::prefix(word).map(|from| word[from..].trim_matches(['"', '\'']));
        let is = |name: &str| name == word || (key.is_some() && name.strip_prefix("attribute.") == key);
        let Some(column) = columns.iter().position(|column| is(&column.name)) else {
            let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            return Err(written.unknown(at, word, "column", &known));
        };
        order.push((column, sign.or(way).unwrap_or(column >= keys)));
    }
    Ok(order)
}

/// Sort rows. Where nothing was measured comes last, either way.
pub fn sort(rows: &mut Sheet, order: &[By]) {
    // What decides first is looked at most: as a number beside the row's place.
    let first = order.first().copied();
    let mut places: Vec<(u64, usize)> =
        rows.iter().map(|row| first.map_or(0, |(at, largest_first)| rank(&row[at], largest_first))).zip(0..).collect();
    places.sort_unstable();
    // Of equals most are in order already: rows come so.
    for equal in places.chunk_by_mut(|one, other| one.0 == other.0) {
        let by = |&(_, one): &(u64, usize), &(_, other): &(u64, usize)| between(&rows[one], &rows[other], order);
        if !equal.is_sorted_by(|one, other| by(one, other).is_le()) {
            equal.sort_by(by);
        }
    }
    if !places.is_sorted_by_key(|place| place.1) {
        rows.arrange(places.into_iter().map(|place| place.1));
    }
}

/// Two rows by the columns of an order, and where these leave it open, by all.
fn between(a: &[Value], b: &[Value], order: &[By]) -> Ordering {
    let asked = order.iter().map(|&by| at(a, b, by)).find(|found| found.is_ne());
    asked.unwrap_or_else(|| {
        a.iter().zip(b).map(|(a, b)| compare(a, b)).find(|found| found.is_ne()).unwrap_or(Ordering::Equal)
    })
}

/// Two rows by a column.
fn at(a: &[Value], b: &[Value], (at, largest_first): By) -> Ordering {
    match (&a[at], &b[at]) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (a, b) if largest_first => compare(b, a),
        (a, b) => compare(a, b),
    }
}

/// Where a value stands among others, as a number: equal where that does not tell.
fn rank(value: &Value, largest_first: bool) -> u64 {
    let Some(number) = value.number() else { return if *value == Value::Null { u64::MAX } else { 0 } };
    // As `f64::total_cmp` orders them.
    let bits = number.to_bits();
    let ascending = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    (if largest_first { !ascending } else { ascending }).min(u64::MAX - 1)
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Count(a), Value::Count(b)) => a.cmp(b),
        // Most texts are shared.
        (Value::Name(a), Value::Name(b)) | (Value::Message(a), Value::Message(b)) if Arc::ptr_eq(a, b) => {
            Ordering::Equal
        }
        _ => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.text().cmp(b.text()),
        },
    }
}
