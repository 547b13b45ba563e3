//! How a source writes what its format leaves open: the zone of times that say none, and the names of fields that nobody
//! foresaw. It comes with the configuration of a source and is none of its state.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{self, AmbiguousOffset, TimeZone};

use super::delimited::Header;
use super::value::Value;

/// Seconds by which a line may come late and still not be of the second of two hours of the same name.
const LATE: i64 = 60;

/// Of one source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dialect {
    /// None: UTC.
    zone: Option<TimeZone>,
    /// By the path of a field, in the order they were given.
    fields: Vec<(Box<[u8]>, Meaning)>,
    delimiter: Option<u8>,
    header: Option<Arc<Header>>,
}

/// What is wrong with a dialect: what was found, and what it may be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// No zone goes by that name.
    #[error("unknown time zone {0:?}{1}")]
    Zone(String, String),
    /// Fields mean nothing of that name.
    #[error("unknown field {0:?}{1}")]
    Role(String, String),
    /// No unit goes by that name.
    #[error("unknown unit {0:?}: it is one of ns, us, ms, s")]
    Unit(String),
    /// A unit stands where none can.
    #[error("{0} has no unit: times and durations have")]
    NoUnit(&'static str),
    /// The name of a duration's field does not say its unit.
    #[error("the unit of {0:?} is not in its name: say whether it is ns, us, ms or s")]
    UnitMissing(String),
    /// A path that cannot be found in any line.
    #[error("{0} is the field {1:?}: give it the name that it has in the lines")]
    Path(&'static str, String),
    /// A delimiter that cannot part fields.
    #[error("delimiter {0:?}: it is one ASCII character, no letter, digit, quote or line end")]
    Delimiter(String),
    /// Columns that nothing parts.
    #[error("columns without a delimiter: say what stands between them")]
    Columns,
}

/// What a field may be said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Time,
    Start,
    Duration,
    Service,
    Operation,
    Status,
    Trace,
    Span,
    Parent,
    Level,
    Message,
}

impl Role {
    const ALL: &[(&'static str, Self)] = &[
        ("time", Self::Time),
        ("start", Self::Start),
        ("duration", Self::Duration),
        ("service", Self::Service),
        ("operation", Self::Operation),
        ("status", Self::Status),
        ("trace", Self::Trace),
        ("span", Self::Span),
        ("parent", Self::Parent),
        ("level", Self::Level),
        ("message", Self::Message),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, role)| *role == self).map_or("", |(name, _)| name)
    }
}

/// What a field says, by the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) role: Role,
    /// Nanoseconds of the unit that its numbers are in, if they do not tell it themselves.
    pub(super) unit: Option<i64>,
}

impl Dialect {
    /// The one of a source about which nothing is said: times are in UTC, fields have the names that loggers give them.
    pub const PLAIN: &Self = &Self { zone: None, fields: Vec::new(), delimiter: None, header: None };

    /// Times that say no zone are in this one, named as the IANA has it (`Europe/Berlin`) or as a POSIX rule, or, with no
    /// name, in that of this host.
    ///
    /// # Errors
    /// If there is no such zone.
    pub fn in_zone(mut self, name: Option<&str>) -> Result<Self, Wrong> {
        let zone = match name {
            // A host that does not say where it is keeps its clock, and writes its logs, in UTC.
            None => TimeZone::try_system().unwrap_or(TimeZone::UTC),
            Some(name) => TimeZone::get(name)
                .ok()
                .or_else(|| name.contains(|c: char| c.is_ascii_digit()).then(|| TimeZone::posix(name).ok()).flatten())
                .ok_or_else(|| {
                    let known = tz::db().available().map(|known| known.to_string()).collect::<Vec<_>>();
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    let otherwise = ": use a name such as Europe/Berlin or UTC";
                    Wrong::Zone(name.to_owned(), nearest(name, &known).unwrap_or_else(|| otherwise.to_owned()))
                })?,
        };
        let utc = zone.is_unknown() || zone.to_fixed_offset().is_ok_and(tz::Offset::is_zero);
        self.zone = (!utc).then_some(zone);
        Ok(self)
    }

    /// The field at a path (the keys of nested objects with dots between them) says when, how long, who or what.
    ///
    /// # Errors
    /// If the role or the unit is unknown, or a duration has none, neither here nor in the field's name.
    pub fn with_field(mut self, role: &str, path: &str, unit: Option<&str>) -> Result<Self, Wrong> {
        let Some((_, found)) = Role::ALL.iter().find(|(name, _)| *name == role).copied() else {
            let known: Vec<&str> = Role::ALL.iter().map(|(name, _)| *name).collect();
            let all = format!(": it is one of {}", known.join(", "));
            return Err(Wrong::Role(role.to_owned(), nearest(role, &known).unwrap_or(all)));
        };
        if path.is_empty() {
            return Err(Wrong::Path(found.name(), path.to_owned()));
        }
        let timed = matches!(found, Role::Time | Role::Start | Role::Duration);
        let unit = match unit {
            Some(_) if !timed => return Err(Wrong::NoUnit(found.name())),
            Some(unit) => Some(nanoseconds(unit).ok_or_else(|| Wrong::Unit(unit.to_owned()))?),
            None if found == Role::Duration => Some(unit_in(path).ok_or_else(|| Wrong::UnitMissing(path.to_owned()))?),
            // Numbers since the epoch tell by their size what they are in.
            None => None,
        };
        self.fields.push((path.as_bytes().into(), Meaning { role: found, unit }));
        Ok(self)
    }

    /// Lines are fields with this character between them; the names of the columns are these, or those in the first line.
    ///
    /// # Errors
    /// If it is no single character that can part fields.
    pub fn delimited(mut self, delimiter: &str, columns: Vec<String>) -> Result<Self, Wrong> {
        let &[byte] = delimiter.as_bytes() else { return Err(Wrong::Delimiter(delimiter.to_owned())) };
        if !byte.is_ascii() || byte.is_ascii_alphanumeric() || matches!(byte, b'"' | b'\n' | b'\r') {
            return Err(Wrong::Delimiter(delimiter.to_owned()));
        }
        self.delimiter = Some(byte);
        self.header = (!columns.is_empty()).then(|| Arc::new(Header { columns, delimiter: byte, dashed: false }));
        Ok(self)
    }

    /// What stands between the fields of a delimited line, if that was said.
    pub(super) const fn delimiter(&self) -> Option<u8> {
        self.delimiter
    }

    /// What the columns are called, where the lines do not say it.
    pub(super) const fn header(&self) -> Option<&Arc<Header>> {
        self.header.as_ref()
    }

    /// The fields that were said to mean something, by their path.
    pub(super) fn fields(&self) -> &[(Box<[u8]>, Meaning)] {
        &self.fields
    }

    /// What the field of that name at the top of a record means, if that was said.
    pub(super) fn field(&self, name: &[u8]) -> Option<Meaning> {
        self.fields.iter().find(|(path, _)| **path == *name).map(|(_, meaning)| *meaning)
    }

    /// The seconds since the epoch at which clocks of this zone show a time, given in seconds as if it were UTC. Of two
    /// such moments, when clocks are put back, it is the first that is not before the previous event (seconds); a time that
    /// clocks were put forward over is the one they would have shown without.
    pub(super) fn instant(&self, local: i64, last: Option<i64>) -> Option<i64> {
        let Some(zone) = &self.zone else { return Some(local) };
        let shown: DateTime = tz::Offset::UTC.to_datetime(Timestamp::from_second(local).ok()?);
        let at = |offset: tz::Offset| local - i64::from(offset.seconds());
        Some(match zone.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset),
            AmbiguousOffset::Gap { before, .. } => at(before),
            AmbiguousOffset::Fold { before, after } => match last {
                Some(last) if at(before) < last - LATE => at(after),
                _ => at(before),
            },
        })
    }
}

/// A number in a unit as nanoseconds; text with a unit of its own is none.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn scaled(value: &Value<'_>, unit: i64) -> Option<i64> {
    let text = std::str::from_utf8(value.plain()?).ok()?.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    match whole.parse::<i64>() {
        Ok(number) if digits => {
            // Exact to the nanosecond, which a float of seconds since the epoch is not.
            let mut part = 0;
            let mut place = unit;
            for digit in fraction.bytes() {
                place /= 10;
                part += i64::from(digit - b'0') * place;
            }
            let part = if text.starts_with('-') { -part } else { part };
            number.checked_mul(unit)?.checked_add(part)
        }
        _ => {
            let number = super::value::float(text.as_bytes())? * unit as f64;
            (number.abs() < i64::MAX as f64).then_some(number as i64)
        }
    }
}

fn nanoseconds(unit: &str) -> Option<i64> {
    match unit {
        "ns" => Some(1),
        "us" | "µs" => Some(1_000),
        "ms" => Some(1_000_000),
        "s" => Some(1_000_000_000),
        _ => None,
    }
}

/// The unit that the name of a duration's field ends with: `elapsed_ms`, `tookMillis`, `seconds`.
fn unit_in(path: &str) -> Option<i64> {
    let name = path.rsplit('.').next().unwrap_or(path);
    let lower = name.to_ascii_lowercase();
    for (ends, unit) in [
        (["nanoseconds", "nanos"], 1),
        (["microseconds", "micros"], 1_000),
        (["milliseconds", "millis"], 1_000_000),
        (["seconds", "secs"], 1_000_000_000),
    ] {
        if ends.iter().any(|end| lower.ends_with(end)) {
            return Some(unit);
        }
    }
    // `ms` after a separator, or in another case than what is before it: `tookMs`, not `items`.
    let (head, tail) = name.split_at(
        name.rfind(['_', '-', ' '])
            .map_or_else(|| name.rfind(|c: char| c.is_ascii_uppercase()).unwrap_or(0), |at| at + 1),
    );
    let tail = if head.ends_with(|c: char| c.is_ascii_lowercase()) && tail.len() == 1 { "" } else { tail };
    match tail.to_ascii_lowercase().as_str() {
        "sec" => Some(1_000_000_000),
        tail => nanoseconds(tail),
    }
}

/// The known word that is most like one, as a question.
fn nearest(word: &str, known: &[&str]) -> Option<String> {
    let word = word.to_ascii_lowercase();
    let far = |other: &str| distance(&word, &other.to_ascii_lowercase());
    let best = known.iter().min_by_key(|other| {
        // The city alone is enough to find a zone by.
        far(other).min(other.rsplit('/').next().map_or(usize::MAX, far))
    })?;
    let close = far(best).min(best.rsplit('/').next().map_or(usize::MAX, far));
    (close <= word.len() / 3).then(|| format!("; did you mean {best:?}?"))
}

/// Letters to insert, delete or replace to make one word of the other (Levenshtein, 1966).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in other.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
