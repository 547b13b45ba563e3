//! Days, and the instant that a date, a time of day and a zone make together.
//!
//! A time without a zone is in that of the source ([`Dialect`](super::Dialect)); what else a stamp leaves out (the year, the
//! day) is chosen so that it comes as near as it can to the stream's previous event.

use super::Context;

/// Nanoseconds in a second.
pub(super) const SECOND: i64 = 1_000_000_000;
pub(super) const DAY: i64 = 86_400;

/// Days from 1970-01-01 to a date of the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date
/// algorithms").
#[must_use]
pub(super) const fn days(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month as i64 + 9) % 12) + 2) / 5 + day as i64 - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The year of a day counted from 1970-01-01.
#[must_use]
pub(super) const fn year(days: i64) -> i64 {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // The algorithm's years begin in March.
    era * 400 + year_of_era + if day_of_year >= 306 { 1 } else { 0 }
}

const fn month_length(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// The date part of a stamp.
#[derive(Clone, Copy, Debug)]
pub(super) enum Date {
    Full {
        year: i64,
        month: u32,
        day: u32,
    },
    NoYear {
        month: u32,
        day: u32,
    },
    /// The day of the year, from 1.
    OfYear {
        year: i64,
        day: i64,
    },
    /// Day and month, or month and day.
    Either {
        first: u32,
        second: u32,
        year: i64,
    },
    /// Year, month and day in two digits each, in any of the orders that are in use.
    Short {
        first: u32,
        second: u32,
        third: u32,
        order: Order,
    },
    None,
}

/// In which order a stream writes day, month and year in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Order {
    /// `26/11/24`
    Year,
    /// `24/11/2026`
    Day,
    /// `11/24/2026`
    Month,
}

/// The time of day of a stamp.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// Seconds since midnight.
    pub(super) second: i64,
    pub(super) nanosecond: i64,
}

/// Whether there is such a day.
fn known(year: i64, month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && (1..=month_length(year, month)).contains(&day)
}

/// Put a stamp together, whose zone is `offset` seconds ahead of UTC or the source's own; `None` if there is no such day,
/// or nanoseconds cannot reach it.
pub(super) fn resolve(date: Date, clock: Clock, offset: Option<i64>, context: &Context) -> Option<i64> {
    let at = |day: i64| {
        let shown = day.checked_mul(DAY)?.checked_add(clock.second)?;
        let second = match offset {
            Some(offset) => shown - offset,
            None => context.dialect().instant(shown, context.last_time.map(|last| last.div_euclid(SECOND)))?,
        };
        second.checked_mul(SECOND)?.checked_add(clock.nanosecond)
    };
    // `later` may come before the previous event too: lines are not written strictly in order.
    let near = |candidates: &mut dyn Iterator<Item = i64>| match context.last_time {
        Some(last) => candidates.min_by_key(|time| time.abs_diff(last)),
        None => candidates.filter(|time| *time <= context.received.saturating_add(DAY * SECOND)).last(),
    };
    let today = reference(context).div_euclid(DAY * SECOND);
    match date {
        Date::Full { year, month, day } => {
            if known(year, month, day) {
                at(days(year, month, day))
            } else {
                None
            }
        }
        Date::OfYear { year, day } => {
            let length = days(year + 1, 1, 1) - days(year, 1, 1);
            if (1..=length).contains(&day) { at(days(year, 1, 1) + day - 1) } else { None }
        }
        Date::Either { first, second, year } => {
            let date = |order| match order {
                Order::Day => (second, first),
                _ => (first, second),
            };
            let of = |order| {
                let (month, day) = date(order);
                if known(year, month, day) { at(days(year, month, day)) } else { None }
            };
            match context.order {
                Some(order) if of(order).is_some() => of(order),
                _ => nearest(&[of(Order::Month), of(Order::Day)], context),
            }
        }
        Date::Short { first, second, third, order } => {
            let of = |order| {
                let (year, month, day) = match order {
                    Order::Year => (first, second, third),
                    Order::Day => (third, second, first),
                    Order::Month => (third, first, second),
                };
                let year = century(year.into());
                if known(year, month, day) { at(days(year, month, day)) } else { None }
            };
            let all = [of(order), of(Order::Year), of(Order::Day), of(Order::Month)];
            // Old files are read as well as what is written now: a day that is today is no chance, another nearness may be.
            let today = |time: &i64| time.abs_diff(reference(context)) <= (DAY * SECOND).unsigned_abs();
            match context.order {
                Some(order) if of(order).is_some() => of(order),
                _ => nearest(&all, context).filter(today).or_else(|| all.into_iter().flatten().next()),
            }
        }
        Date::NoYear { month, day } => {
            let this = year(today);
            // Five years back there is a leap year, but for the turn of some centuries.
            near(&mut (this - 5..=this + 1).filter_map(|year| {
                if day == 0 || day > month_length(year, month) { None } else { at(days(year, month, day)) }
            }))
        }
        // What is written now is received now, in whatever zone it is.
        Date::None => {
            let around = context.last_time.unwrap_or(context.received);
            (today - 1..=today + 1).filter_map(at).min_by_key(|time| time.abs_diff(around))
        }
    }
}

/// The time that others are taken to be near to.
fn reference(context: &Context) -> i64 {
    context.last_time.unwrap_or(context.received)
}

/// The nearest of the times that there are; of equally near ones the first.
fn nearest(times: &[Option<i64>], context: &Context) -> Option<i64> {
    times.iter().flatten().copied().min_by_key(|time| time.abs_diff(reference(context)))
}

/// A year of two digits.
pub(super) const fn century(year: i64) -> i64 {
    if year < 70 { year + 2000 } else { year + 1900 }
}
