//! Times of a query: which stretch it speaks of, and which one it compares with; in whole slots of what is kept.

use jiff::civil;

use super::error::{Error, Written};
use crate::state::State;
use crate::state::sums::Stretch;
use crate::state::timeline::Seconds;
use crate::summary::words;

const NANOS: i64 = 1_000_000_000;

/// Seconds a query speaks of unless it says otherwise: as a summary does.
const USUAL: Seconds = 300;

/// Seconds before that which it compares with unless it says otherwise.
const BASELINE: Seconds = 3_600;

/// A stretch of whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first second.
    pub from: Seconds,
    /// The second after the last.
    pub to: Seconds,
    /// The widest step in which events are kept apart within it.
    pub step: Seconds,
}

impl Window {
    /// As sums are kept by it.
    #[must_use]
    pub const fn stretch(&self) -> Stretch {
        Stretch { from: self.from, to: self.to }
    }

    /// Its length.
    #[must_use]
    pub const fn seconds(&self) -> Seconds {
        self.to - self.from
    }

    /// As the header of an answer has it: `14:02-14:07Z`.
    #[must_use]
    pub fn said(&self) -> String {
        let (fine, day) = (self.seconds() < 600, self.from.div_euclid(86_400) != (self.to - 1).div_euclid(86_400));
        let clock = |second| {
            let text = words::clock(second, fine);
            text.strip_suffix(":00").filter(|_| fine && second % 60 == 0).map_or_else(|| text.clone(), str::to_owned)
        };
        let day = if day { format!("{} ", &words::timestamp(self.from)[..10]) } else { String::new() };
        format!("{day}{}-{}Z", clock(self.from), clock(self.to))
    }
}

/// The stretch of a query and the one it compares with.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    /// What the query speaks of.
    pub now: Window,
    /// What it compares with.
    pub before: Option<Window>,
}

/// What is kept apart by time.
#[derive(Clone, Copy, Debug)]
struct Kept {
    /// The earliest second for which there may be events.
    first: Seconds,
    /// The second after the newest event.
    end: Seconds,
}

impl Windows {
    /// As the fields of a query say; what is not said is the last five minutes.
    ///
    /// # Errors
    /// [`Error::Word`] if a time cannot be read, or lies where nothing is kept apart.
    pub fn of(state: &State, since: Option<&str>, until: Option<&str>, compare: Option<&str>) -> Result<Self, Error> {
        let end = state.watermark.map_or(0, |ns| ns.div_euclid(NANOS)) + 1;
        let earliest = state.table.iter().filter_map(|(_, _, record)| record.first).min();
        let first = earliest.map_or(end - 1, |ns| ns.div_euclid(NANOS)).max(state.clock.oldest()).min(end - 1);
        let kept = Kept { first, end };
        let to = match until {
            Some(text) => instant(Written { field: "until", text }, 0, text, kept)?,
            None => end,
        };
        let from = match since {
            Some(text) => instant(Written { field: "since", text }, 0, text, kept)?,
            None => to.saturating_sub(USUAL),
        };
        // Nothing is told of times of which nothing is known.
        let (from, to) = (from.max(first), to.min(end));
        if from >= to {
            let (field, text) = if since.is_some() { ("since", since) } else { ("until", until) };
            let message = format!(
                "nothing lies between {} and {}: what is kept goes from {} to {}",
                words::timestamp(from),
                words::timestamp(to),
                words::timestamp(first),
                words::timestamp(end)
            );
            let text = text.unwrap_or_default();
            return Err(Written { field, text }.wrong(0, text.len(), message));
        }
        let now = whole(state, from, to, end);
        let before =
            compare.map(|text| stretch(text, kept, now)).transpose()?.map(|(from, to)| whole(state, from, to, end));
        Ok(Self { now, before })
    }
}

/// The same stretch in whole slots: a slot belongs to a stretch as a whole.
fn whole(state: &State, from: Seconds, to: Seconds, end: Seconds) -> Window {
    let from = from.max(state.clock.oldest());
    let step = state.clock.step(from);
    let last = state.clock.step(to - 1);
    let to = to.saturating_add(last - 1).div_euclid(last) * last;
    Window { from: from.div_euclid(step) * step, to: to.min(end.max(from + 1)), step }
}

fn stretch(text: &str, kept: Kept, now: Window) -> Result<(Seconds, Seconds), Error> {
    let written = Written { field: "compare", text };
    let (from, to) = if text == "baseline" {
        (now.from.saturating_sub(BASELINE).max(kept.first), now.from)
    } else if let Some((from, to)) = text.split_once("..") {
        (instant(written, 0, from, kept)?, instant(written, from.len() + 2, to, kept)?)
    } else if let Some(ns) = length(text) {
        (now.from.saturating_sub(seconds(ns)).max(kept.first), now.from)
    } else {
        let message = "no stretch to compare with: write baseline, a length before the window such as 10m, or FROM..TO";
        return Err(written.wrong(0, text.len(), message));
    };
    if from >= to {
        return Err(written.wrong(0, text.len(), format!(
            "there is nothing before the window to compare with: what is kept goes from {} to {}, so a later since leaves some", words::timestamp(kept.first), words::timestamp(kept.end))));
    }
    Ok((from, to))
}

/// A point in time: a length before the newest event, a time of day, a date, RFC 3339, `now`, `all`.
fn instant(written: Written<'_>, at: usize, text: &str, kept: Kept) -> Result<Seconds, Error> {
    let trimmed = text.trim();
    match trimmed {
        "now" => return Ok(kept.end),
        "all" => return Ok(kept.first),
        _ => {}
    }
    if let Some(ns) = length(trimmed.strip_prefix('-').unwrap_or(trimmed)) {
        return Ok(kept.end.saturating_sub(seconds(ns)));
    }
    if let Ok(time) = trimmed.parse::<jiff::Timestamp>() {
        return Ok(time.as_second());
    }
    if let Ok(time) = trimmed.parse::<civil::DateTime>()
        && let Ok(time) = jiff::tz::TimeZone::UTC.to_timestamp(time)
    {
        return Ok(time.as_second());
    }
    if let Ok(time) = trimmed.trim_end_matches('Z').parse::<civil::Time>() {
        let of_day = i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second());
        let day = (kept.end - 1).div_euclid(86_400) * 86_400;
        // The latest such time that has been.
        return Ok(if day + of_day > kept.end { day + of_day - 86_400 } else { day + of_day });
    }
    let message = "no time: write a length before the newest event such as 5m, a time of day in UTC such as 14:02, \
                   RFC 3339 such as 2026-01-31T14:02:00Z, now or all";
    Err(written.wrong(at, text.len(), message))
}

fn seconds(ns: u64) -> Seconds {
    i64::try_from(ns.div_ceil(1_000_000_000)).unwrap_or(i64::MAX)
}

/// A length of time with its units, such as `300ms` or `1h30m`, in nanoseconds.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn length(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0.0f64;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len()));
        let unit = match unit.trim() {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" | "sec" | "second" | "seconds" => 1e9,
            "m" | "min" | "minute" | "minutes" => 60e9,
            "h" | "hour" | "hours" => 3_600e9,
            "d" | "day" | "days" => 86_400e9,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * unit;
        rest = after;
    }
    (!text.is_empty()).then_some(total.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instant__each_way_of_saying_it__the_second_meant() {
        let end = 1_700_000_000; // 22:13:20Z
        let kept = Kept { first: end - 1_000, end };
        let of = |text: &'static str| instant(Written { field: "since", text }, 0, text, kept).ok();
        assert_eq!(of("5m"), Some(end - 300));
        assert_eq!(of("1m30s"), Some(end - 90));
        assert_eq!(of("5 minutes"), Some(end - 300));
        assert_eq!(of("1 hour 30 min"), Some(end - 5_400));
        assert_eq!(of("22:13"), Some(end - 20));
        assert_eq!(of("23:00Z"), Some(end + 2_800 - 86_400));
        assert_eq!(of("2023-11-14T22:13:00Z"), Some(end - 20));
        assert_eq!(of("2023-11-14T22:13:00"), Some(end - 20));
        assert_eq!(of("all"), Some(end - 1_000));
        assert_eq!(of("soon"), None);
        assert_eq!(length("1.5ms"), Some(1_500_000));
        assert_eq!((length(""), length("5"), length("m")), (None, None, None));
    }
}
