//! Timestamps: text in, nanoseconds since the Unix epoch out.
//!
//! Arithmetic is in whole numbers throughout. The forms of stamps are told apart here; their parts are read by
//! [`Scan`](super::scan::Scan), and what they make together is found in [`calendar`](super::calendar).

use super::calendar::{DAY, Date, Order, SECOND, century, days, resolve};
use super::scan::Scan;
use super::{Context, tai};

/// The order of the numbers in the date that a text starts with, where it can be no other.
#[must_use]
pub(super) fn order(text: &[u8]) -> Option<Order> {
    let mut scan = Scan::new(text);
    let first = scan.two()?;
    let separator = scan.rest().first().copied().filter(|byte| matches!(byte, b'/' | b'-' | b'.'))?;
    scan.at += 1;
    let second = scan.two()?;
    if !scan.eat(separator) {
        return None;
    }
    let (third, digits) = scan.number(4)?;
    let long = digits == 4;
    if !long && digits != 2 || separator == b'.' {
        return None;
    }
    // What cannot be a month or a day is what is left.
    match (first, second) {
        (_, 13..) if long || first <= 12 => Some(Order::Month),
        (13.., _) if long || third > 31 => Some(Order::Day),
        (32.., _) if !long => Some(Order::Year),
        _ => None,
    }
}

/// A timestamp that is the whole of a text: any form that [`prefix`] knows, or a number since the epoch.
#[must_use]
pub(super) fn parse(text: &[u8], context: &Context) -> Option<i64> {
    let text = text.trim_ascii();
    if let Some((time, length)) = prefix(text, context)
        && length == text.len()
    {
        return Some(time);
    }
    epoch(text)
}

/// A number of seconds, milliseconds, microseconds or nanoseconds since the epoch, told apart by its size: seconds reach
/// from 1973 to the year 5138, and so do the others.
#[must_use]
pub(super) fn epoch(text: &[u8]) -> Option<i64> {
    // An exponent: seldom written, and never exact to the nanosecond.
    if memchr::memchr2(b'e', b'E', text).is_some() {
        let number = super::value::float(text).filter(|number| (0.0..9e18).contains(number))?;
        #[allow(clippy::cast_possible_truncation)]
        let whole = number as i64;
        return epoch(whole.to_string().as_bytes());
    }
    let mut scan = Scan::new(text);
    let (whole, _) = scan.number(19)?;
    let unit: i64 = match whole {
        100_000_000..100_000_000_000 => SECOND,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        100_000_000_000_000_000.. => 1,
        _ => return None,
    };
    let fraction = if scan.eat(b'.') { scan.fraction()? } else { 0 };
    if !scan.rest().is_empty() {
        return None;
    }
    whole.checked_mul(unit)?.checked_add(fraction / (SECOND / unit))
}

/// The timestamp that a text starts with, and its length in bytes.
#[inline]
#[must_use]
pub(super) fn prefix(text: &[u8], context: &Context) -> Option<(i64, usize)> {
    let mut scan = Scan::new(text);
    let time = match text.first()? {
        b'0'..=b'9' => numeric(&mut scan, context)?,
        b'A'..=b'Z' | b'a'..=b'z' => named(&mut scan, context)?,
        b'@' => {
            let (time, length) = tai::label(text)?;
            scan.at = length;
            time
        }
        _ => return None,
    };
    // `2026-11-24` of `2026-11-24-host.log` is no stamp, nor is `12:30:45` of `12:30:45:9f`.
    match scan.rest().first() {
        Some(byte) if byte.is_ascii_alphanumeric() || *byte == b'-' => None,
        Some(b':') if scan.rest().get(1).is_some_and(u8::is_ascii_digit) => None,
        _ => Some((time, scan.at)),
    }
}

/// Stamps that start with a digit.
fn numeric(scan: &mut Scan<'_>, context: &Context) -> Option<i64> {
    let (first, length) = scan.number(19)?;
    let separator = scan.rest().first().copied();
    let date = match (length, separator) {
        // 2026-11-24, 2026/11/24, 2026.11.24
        (4, Some(separator @ (b'-' | b'/' | b'.'))) => {
            scan.at += 1;
            match scan.number(3)? {
                (_, 0) => return None,
                // 2026-328
                (day, 3) => Date::OfYear { year: first, day },
                (month, _) => {
                    if !scan.eat(separator) {
                        return None;
                    }
                    Date::Full { year: first, month: u32::try_from(month).ok()?, day: scan.two()? }
                }
            }
        }
        // 2026 Nov 24
        (4, Some(b' ')) => {
            scan.at += 1;
            let month = scan.month()?;
            scan.spaces();
            Date::Full { year: first, month, day: scan.two()? }
        }
        (1 | 2, Some(separator @ (b'-' | b'/' | b' ' | b'.'))) => {
            scan.at += 1;
            day_first(scan, u32::try_from(first).ok()?, separator)?
        }
        // Time of day alone.
        (1 | 2, Some(b':')) => {
            scan.at = 0;
            let clock = scan.clock(true)?;
            return resolve(Date::None, clock, None, context);
        }
        // 20261124T234201
        (8, _) => {
            let date = Date::Full {
                year: first / 10_000,
                month: u32::try_from(first / 100 % 100).ok()?,
                day: u32::try_from(first % 100).ok()?,
            };
            return scan.zoned(date, true, context);
        }
        // 261124 23:42:01 and 261124 234201
        (6, Some(b' ')) => {
            let date = Date::Full {
                year: century(first / 10_000),
                month: u32::try_from(first / 100 % 100).ok()?,
                day: u32::try_from(first % 100).ok()?,
            };
            return scan.zoned(date, true, context);
        }
        (10 | 13 | 16 | 19, _) => return number(scan),
        _ => return None,
    };
    scan.zoned(date, false, context)
}

/// A number since the epoch at the start of a line: only what falls between 2000 and 2100.
fn number(scan: &mut Scan<'_>) -> Option<i64> {
    if scan.eat(b'.') && scan.number(9).is_none_or(|(_, digits)| digits == 0) {
        return None;
    }
    let time = epoch(scan.text.get(..scan.at)?)?;
    (days(2000, 1, 1)..days(2100, 1, 1)).contains(&(time / SECOND / DAY)).then_some(time)
}

/// What follows a day, or else a month or a year of two digits: `24/Nov/2026:`, `24 Nov 2026`, `24.11.2026`,
/// `11/24/2026`, `26/11/24`.
fn day_first(scan: &mut Scan<'_>, first: u32, separator: u8) -> Option<Date> {
    if let Some(month) = scan.month() {
        if !scan.eat(separator) {
            return None;
        }
        let here = scan.at;
        let (year, digits) = scan.number(4)?;
        if separator == b' ' && scan.rest().first() == Some(&b':') {
            // 24 Nov 23:42:01
            scan.at = here - 1;
            return Some(Date::NoYear { month, day: first });
        }
        return match digits {
            4 => Some(Date::Full { year, month, day: first }),
            2 => Some(Date::Full { year: century(year), month, day: first }),
            _ => None,
        };
    }
    if separator == b' ' {
        return None;
    }
    let second = scan.two()?;
    if !scan.eat(separator) {
        // MM-DD, as Android's logcat writes it.
        return (separator == b'-').then_some(Date::NoYear { month: first, day: second });
    }
    let (third, digits) = scan.number(4)?;
    match (digits, separator) {
        (4, b'.') => Some(Date::Full { year: third, month: second, day: first }),
        (4, _) => Some(Date::Either { first, second, year: third }),
        (2, _) => {
            let order = if separator == b'.' { Order::Day } else { Order::Year };
            Some(Date::Short { first, second, third: u32::try_from(third).ok()?, order })
        }
        _ => None,
    }
}

/// Stamps that start with the name of a month or of a day of the week.
fn named(scan: &mut Scan<'_>, context: &Context) -> Option<i64> {
    let month = if let Some(month) = scan.month() {
        month
    } else {
        if !scan.weekday() {
            return None;
        }
        scan.eat(b',');
        scan.spaces();
        // Tue, 24 Nov 2026 23:42:01 GMT
        if scan.rest().first().is_some_and(u8::is_ascii_digit) {
            let (day, _) = scan.number(2)?;
            let separator = if scan.eat(b'-') { b'-' } else { b' ' };
            scan.spaces();
            let month = scan.month()?;
            scan.eat(separator);
            let (year, digits) = scan.number(4)?;
            let year = if digits == 2 { century(year) } else { year };
            return scan.zoned(Date::Full { year, month, day: u32::try_from(day).ok()? }, false, context);
        }
        scan.month()?
    };
    if !scan.eat(b' ') {
        return None;
    }
    scan.spaces();
    let (day, digits) = scan.number(2)?;
    if digits == 0 {
        return None;
    }
    let day = u32::try_from(day).ok()?;
    let comma = scan.eat(b',');
    if !scan.eat(b' ') {
        return None;
    }
    scan.spaces();
    // Nov 24 2026 23:42:01; Nov 24, 2026 11:42:01 PM
    let here = scan.at;
    if let Some((year, 4)) = scan.number(4)
        && scan.rest().first() != Some(&b':')
    {
        return scan.zoned(Date::Full { year, month, day }, false, context);
    }
    if comma {
        return None;
    }
    scan.at = here;
    let clock = scan.clock(true)?;
    // Tue Nov 24 23:42:01 2026; Tue Nov 24 23:42:01 CET 2026. A syslog line may go on with a number that is no year.
    let here = scan.at;
    let offset = scan.zone();
    if scan.eat(b' ')
        && let Some((year @ 1970..=2199, 4)) = scan.number(4)
        && matches!(scan.rest().first(), None | Some(b' ' | b']' | b':' | b',' | b'\t'))
    {
        return resolve(Date::Full { year, month, day }, clock, offset, context);
    }
    scan.at = here;
    resolve(Date::NoYear { month, day }, clock, None, context)
}
