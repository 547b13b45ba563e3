//! What is measured: counts, shares, times.

use std::fmt;

use super::dimension::{Dimension, words};
use super::error::{Error, Written};
use super::table::{Column, Unit, Value};
use super::tally::Tally;

/// What is measured of the events of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Events.
    Count,
    /// Events a minute.
    Rate,
    /// Events that failed.
    Errors,
    /// Their share of all.
    ErrorShare,
    /// Events that failed while everything they called succeeded.
    Origins,
    /// Nanoseconds on the critical paths of traces.
    Path,
    /// A time that so many thousandths do not exceed.
    Quantile(Time, u16),
    /// The longest.
    Max(Time),
    /// The mean.
    Mean(Time),
    /// The sum.
    Sum(Time),
    /// When the first was seen, ever.
    First,
    /// When the last was seen, ever.
    Last,
    /// Series that the row is made of.
    Series,
    /// Distinct values of a dimension.
    Distinct(Dimension),
}

/// Which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// From beginning to end.
    Duration,
    /// Spent neither waiting nor in a callee; of an edge, on the way.
    Own,
}

/// Names to choose from.
pub const NAMES: [&str; 22] = [
    "count",
    "rate",
    "errors",
    "error_share",
    "origins",
    "p50",
    "p90",
    "p95",
    "p99",
    "max",
    "mean",
    "sum",
    "self_p50",
    "self_p95",
    "self_p99",
    "self_sum",
    "path",
    "first",
    "last",
    "series",
    "distinct:service",
    "distinct:operation",
];

impl Measure {
    /// The measure of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if let Some(dimension) = name.strip_prefix("distinct:") {
            return Dimension::named(dimension).filter(|one| *one != Dimension::Status).map(Self::Distinct);
        }
        let (time, bare) = match name.strip_prefix("self_").or_else(|| name.strip_prefix("own_")) {
            Some(bare) => (Time::Own, bare),
            None => (Time::Duration, name),
        };
        if let Some(digits) = bare.strip_prefix('p')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (1..=3).contains(&digits.len())
        {
            // p5, p50, p99 and p999.
            let number: u16 = digits.parse().ok()?;
            return Some(Self::Quantile(time, if digits.len() == 3 { number } else { number * 10 }));
        }
        Some(match (time, bare) {
            (time, "max") => Self::Max(time),
            (time, "mean" | "avg") => Self::Mean(time),
            (time, "sum") => Self::Sum(time),
            (Time::Own, _) => return None,
            (_, "self") => Self::Sum(Time::Own),
            (_, "count") => Self::Count,
            (_, "rate") => Self::Rate,
            (_, "errors") => Self::Errors,
            (_, "error_share" | "error_rate") => Self::ErrorShare,
            (_, "origins") => Self::Origins,
            (_, "path") => Self::Path,
            (_, "first") => Self::First,
            (_, "last") => Self::Last,
            (_, "series") => Self::Series,
            (_, "distinct") => Self::Distinct(Dimension::Operation),
            _ => return None,
        })
    }

    /// Its unit.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Count | Self::Errors | Self::Origins | Self::Series | Self::Distinct(_) => Unit::Count,
            Self::Rate => Unit::PerMinute,
            Self::ErrorShare => Unit::Share,
            Self::Path | Self::Quantile(..) | Self::Max(_) | Self::Mean(_) | Self::Sum(_) => Unit::Nanoseconds,
            Self::First | Self::Last => Unit::Time,
        }
    }

    /// Which durations it needs.
    #[must_use]
    pub const fn time(self) -> Option<Time> {
        match self {
            Self::Quantile(time, _) | Self::Max(time) | Self::Mean(time) | Self::Sum(time) => Some(time),
            _ => None,
        }
    }

    /// Whether it is kept apart by how events ended.
    #[must_use]
    pub const fn is_by_status(self) -> bool {
        matches!(self, Self::Count | Self::Rate | Self::Errors | Self::ErrorShare | Self::Origins)
    }

    /// Whether it is kept apart by how long events took.
    #[must_use]
    pub const fn is_by_duration(self) -> bool {
        matches!(self, Self::Count | Self::Rate) || matches!(self.time(), Some(Time::Duration))
    }

    /// Whether it can be told of a sample of the events.
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        match self {
            Self::Count | Self::Rate | Self::Errors | Self::ErrorShare => true,
            _ => matches!(self.time(), Some(Time::Duration)),
        }
    }

    /// Whether those of the rows add up to that of all.
    #[must_use]
    pub const fn adds_up(self) -> bool {
        matches!(self, Self::Count | Self::Errors | Self::Origins | Self::Path | Self::Sum(_))
    }

    /// The column it stands in.
    #[must_use]
    pub fn column(self) -> Column {
        Column { name: self.to_string(), unit: self.unit(), adds_up: self.adds_up() }
    }

    /// Its value for the events of a row in so many seconds; null where nothing was measured.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn value(self, tally: &Tally<'_>, seconds: i64) -> Value {
        let hist = |time| &**if time == Time::Own { &tally.own } else { &tally.duration };
        if let Some(time) = self.time()
            && hist(time).is_empty()
        {
            return Value::Null;
        }
        match self {
            Self::Count => Value::Count(tally.count),
            Self::Rate => Value::Number(tally.count as f64 * 60.0 / seconds.max(1) as f64),
            Self::Errors => Value::Count(tally.errors),
            Self::ErrorShare if tally.count == 0 => Value::Null,
            Self::ErrorShare => Value::Number(tally.errors as f64 / tally.count as f64),
            Self::Origins => Value::Count(tally.origins),
            Self::Path => Value::Count(tally.path),
            Self::Quantile(time, thousandths) => Value::Count(hist(time).quantile(f64::from(thousandths) / 1000.0)),
            Self::Max(time) => Value::Count(hist(time).quantile(1.0)),
            Self::Mean(time) => Value::Number(hist(time).mean()),
            Self::Sum(time) => Value::Number(hist(time).sum()),
            Self::First => tally.first.map_or(Value::Null, Value::Time),
            Self::Last => tally.last.map_or(Value::Null, Value::Time),
            Self::Series => Value::Count(tally.series),
            Self::Distinct(dimension) => Value::Count(tally.distinct(dimension)),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Time::Own) = self.time() {
            f.write_str("self_")?;
        }
        match self {
            Self::Count => f.write_str("count"),
            Self::Rate => f.write_str("rate"),
            Self::Errors => f.write_str("errors"),
            Self::ErrorShare => f.write_str("error_share"),
            Self::Origins => f.write_str("origins"),
            Self::Path => f.write_str("path"),
            Self::Quantile(_, thousandths) if thousandths % 10 == 0 => write!(f, "p{}", thousandths / 10),
            Self::Quantile(_, thousandths) => write!(f, "p{thousandths}"),
            Self::Max(_) => f.write_str("max"),
            Self::Mean(_) => f.write_str("mean"),
            Self::Sum(_) => f.write_str("sum"),
            Self::First => f.write_str("first"),
            Self::Last => f.write_str("last"),
            Self::Series => f.write_str("series"),
            Self::Distinct(dimension) => write!(f, "distinct:{}", dimension.name()),
        }
    }
}

/// Columns of an answer at most.
const MOST: usize = 40;

/// Read a list of measures.
///
/// # Errors
/// [`Error::Word`] at the first that is none.
pub fn list(written: Written<'_>) -> Result<Vec<Measure>, Error> {
    if let Some((at, word)) = words(written.text).nth(MOST) {
        return Err(written.wrong(at, word.len(), format!("more than {MOST} measures")));
    }
    words(written.text)
        .map(|(at, word)| Measure::named(word).ok_or_else(|| written.unknown(at, word, "measure", &NAMES)))
        .collect()
}
