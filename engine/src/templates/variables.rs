//! What is known of a template's variables: the values each of them takes most, and between which numbers it lies.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fill::fill;
use super::samples::Samples;
use super::shape::VARIABLE;
use crate::redact;

/// Bytes of a value that are told.
const LIMIT: usize = 160;

/// Of one template.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Variables {
    /// Messages of it.
    pub messages: u64,
    /// Of them, those whose values are known: as many, if what is said is exact.
    pub sampled: u64,
    /// One for each `<*>`, in their order.
    pub slots: Vec<Slot>,
}

/// Of one variable.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Slot {
    /// The most frequent, first of all.
    pub values: Vec<Share>,
    /// Different values among the sampled.
    pub distinct: usize,
    /// The range, if all that was sampled are numbers.
    pub range: Option<Range>,
}

/// A value and how often it comes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// What stood there, cut and without secrets.
    pub value: String,
    /// Of the messages, 0 to 1.
    pub share: f64,
}

/// Numbers of which half are on either side of the median.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Range {
    /// The least.
    pub min: f64,
    /// In the middle.
    pub median: f64,
    /// The greatest.
    pub max: f64,
}

impl Variables {
    /// Of a template, by the samples of its shapes; `most` values are told of each variable.
    #[must_use]
    pub fn of<'a>(template: &str, shapes: impl IntoIterator<Item = (&'a str, &'a Samples)>, most: usize) -> Self {
        let mut found = Self::default();
        let slots = template.matches(VARIABLE).count();
        let mut weights: Vec<BTreeMap<String, f64>> = vec![BTreeMap::new(); slots];
        for (shape, samples) in shapes {
            let messages = samples.seen();
            found.messages += messages;
            let Some(pieces) = fill(template, shape) else { continue };
            if !shape.contains(VARIABLE) {
                // Its words are the values, in every message.
                found.sampled += messages;
                for (weights, piece) in weights.iter_mut().zip(pieces) {
                    *weights.entry(piece.to_owned()).or_default() += messages as f64;
                }
                continue;
            }
            let sampled: u64 = samples.iter().map(|(times, _)| u64::from(times)).sum();
            found.sampled += sampled.min(messages);
            let weight = messages as f64 / sampled.max(1) as f64;
            for (times, mut values) in samples.iter() {
                for (weights, piece) in weights.iter_mut().zip(&pieces) {
                    *weights.entry(filled(piece, &mut values)).or_default() += f64::from(times) * weight;
                }
            }
        }
        found.slots = weights.into_iter().map(|weights| Slot::of(weights, most)).collect();
        found
    }
}

/// A piece of a shape with its own variables filled in.
fn filled<'a>(piece: &str, values: &mut impl Iterator<Item = &'a str>) -> String {
    let mut parts = piece.split(VARIABLE);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(values.next().unwrap_or("…"));
        out.push_str(part);
    }
    out
}

impl Slot {
    fn of(weights: BTreeMap<String, f64>, most: usize) -> Self {
        let whole: f64 = weights.values().sum();
        let distinct = weights.len();
        let range = Range::of(&weights, whole);
        let mut weights: Vec<(String, f64)> = weights.into_iter().collect();
        // Already in the order of their texts, which stays among equals.
        weights.sort_by(|a, b| b.1.total_cmp(&a.1));
        let share =
            |(value, weight): &(String, f64)| Share { value: redact::plain(value, LIMIT), share: weight / whole };
        Self { values: weights.iter().take(most).map(share).collect(), distinct, range }
    }
}

impl Range {
    fn of(weights: &BTreeMap<String, f64>, whole: f64) -> Option<Self> {
        let mut numbers =
            weights.iter().map(|(value, weight)| Some((number(value)?, *weight))).collect::<Option<Vec<_>>>()?;
        numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut below = 0.0;
        let median = numbers.iter().find(|(_, weight)| {
            below += weight;
            below * 2.0 >= whole
        });
        Some(Self { min: numbers.first()?.0, median: median?.0, max: numbers.last()?.0 })
    }
}

/// A plain decimal number; what has more digits than a measure is the id of something.
fn number(text: &str) -> Option<f64> {
    let plain = text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    if plain { text.parse().ok() } else { None }
}
