//! Terms about what a row comes to: `count>1000`, `error_share>5%`.

use super::error::{Error, Written};
use super::measure::Measure;
use super::table::{Unit, Value};
use super::window;
use super::words::{Op, Term};

/// A term about what a row comes to.
#[derive(Clone, Debug)]
pub struct Having {
    /// What is measured.
    pub measure: Measure,
    negated: bool,
    op: Op,
    bound: f64,
}

impl Having {
    /// Understand a term that compares a measure.
    ///
    /// # Errors
    /// [`Error::Word`] at a value that it cannot be compared with.
    pub fn of(written: Written<'_>, measure: Measure, term: &Term) -> Result<Self, Error> {
        let value = &term.values[0];
        let (example, bound) = match measure.unit() {
            Unit::Nanoseconds => ("100ms", window::length(&value.text).map(|ns| ns as f64)),
            Unit::Share => {
                let percent = value.text.strip_suffix('%').and_then(|text| text.parse::<f64>().ok());
                ("5%", percent.map(|number| number / 100.0).or_else(|| value.text.parse().ok()))
            }
            Unit::Time => {
                let message = format!("{} is told, not compared: since and until say of when", term.name);
                return Err(written.wrong(term.at, term.name.len(), message));
            }
            _ => ("1000", number(&value.text)),
        };
        let Some(bound) = bound.filter(|_| term.values.len() == 1) else {
            let message = format!("no value to compare {} with, such as {example}", term.name);
            return Err(written.wrong(value.at, value.length, message));
        };
        Ok(Self { measure, negated: term.negated, op: term.op, bound })
    }

    /// Whether a row of which the measure is so much is meant.
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        let Some(value) = value.number() else { return self.negated };
        let holds = match self.op {
            Op::More => value > self.bound,
            Op::Least => value >= self.bound,
            Op::Less => value < self.bound,
            Op::Most => value <= self.bound,
            Op::Is | Op::Has => (value - self.bound).abs() < 1e-9,
        };
        holds != self.negated
    }
}

/// A number such as `1000`, `1.5k` or `2M`.
fn number(text: &str) -> Option<f64> {
    let (digits, scale) = match text.as_bytes().last()? {
        b'k' => (&text[..text.len() - 1], 1e3),
        b'M' => (&text[..text.len() - 1], 1e6),
        _ => (text, 1.0),
    };
    digits.parse::<f64>().ok().map(|number| number * scale).filter(|number| number.is_finite())
}
