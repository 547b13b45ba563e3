//! Timestamps: text in, nanoseconds since the Unix epoch out.
//!
//! Arithmetic is in whole numbers throughout. A time without a zone is in that of the source ([`Dialect`](super::Dialect));
//! what else a stamp leaves out (the year, the day) is chosen so that it comes as near as it can to the stream's previous event.

use super::{Context, tai};

/// Nanoseconds in a second.
pub(super) const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

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
enum Date {
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
struct Clock {
    /// Seconds since midnight.
    second: i64,
    nanosecond: i64,
}

/// Whether there is such a day.
fn known(year: i64, month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && (1..=month_length(year, month)).contains(&day)
}

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

/// Put a stamp together, whose zone is `offset` seconds ahead of UTC or the source's own; `None` if there is no such day,
/// or nanoseconds cannot reach it.
fn resolve(date: Date, clock: Clock, offset: Option<i64>, context: &Context) -> Option<i64> {
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

/// A year of two digits.
const fn century(year: i64) -> i64 {
    if year < 70 { year + 2000 } else { year + 1900 }
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

/// The offset in seconds of a named zone. Names that mean several zones are not here.
fn named_zone(name: &[u8]) -> Option<i64> {
    let hours = match name {
        b"Z" | b"UTC" | b"GMT" | b"WET" => 0,
        b"HST" => -10,
        b"AKST" => -9,
        b"EST" | b"CDT" => -5,
        b"EDT" => -4,
        b"BRT" | b"ADT" => -3,
        b"NDT" => return Some(-9_000),
        b"NST" => return Some(-12_600),
        b"MDT" => -6,
        b"MST" | b"PDT" => -7,
        b"PST" | b"AKDT" => -8,
        b"CET" | b"WEST" => 1,
        b"CEST" | b"EET" | b"SAST" | b"CAT" => 2,
        b"EEST" | b"MSK" | b"EAT" | b"TRT" => 3,
        b"PKT" => 5,
        b"NPT" => return Some(20_700),
        b"WIB" | b"ICT" => 7,
        b"SGT" | b"HKT" | b"AWST" => 8,
        b"JST" | b"KST" => 9,
        b"ACST" => return Some(34_200),
        b"ACDT" => return Some(37_800),
        b"AEST" => 10,
        b"AEDT" => 11,
        b"NZST" => 12,
        b"NZDT" => 13,
        _ => return None,
    };
    Some(hours * 3600)
}

/// A place in the text of a stamp.
struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn spaces(&mut self) {
        while self.eat(b' ') {}
    }

    /// The digits that stand here and how many they are; `None` if they are more than `most`.
    #[inline]
    fn number(&mut self, most: usize) -> Option<(i64, usize)> {
        let start = self.at;
        let mut number: i64 = 0;
        while let Some(digit) = self.text.get(self.at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            if self.at - start == most {
                return None;
            }
            number = number.checked_mul(10)?.checked_add(i64::from(digit))?;
            self.at += 1;
        }
        Some((number, self.at - start))
    }

    /// One or two digits.
    #[inline]
    fn two(&mut self) -> Option<u32> {
        match self.number(2)? {
            (_, 0) => None,
            (number, _) => u32::try_from(number).ok(),
        }
    }

    /// The digits of a fraction of a second, in nanoseconds; more than nine are cut.
    fn fraction(&mut self) -> Option<i64> {
        let (mut nanoseconds, mut unit) = (0, SECOND / 10);
        let start = self.at;
        while let Some(digit) = self.text.get(self.at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            nanoseconds += i64::from(digit) * unit;
            unit /= 10;
            self.at += 1;
        }
        (self.at > start).then_some(nanoseconds)
    }

    /// The name of a month, whole or in three letters.
    fn month(&mut self) -> Option<u32> {
        const MONTHS: [&[u8]; 12] = [
            b"january",
            b"february",
            b"march",
            b"april",
            b"may",
            b"june",
            b"july",
            b"august",
            b"september",
            b"october",
            b"november",
            b"december",
        ];
        let index = self.name(&MONTHS)?;
        u32::try_from(index + 1).ok()
    }

    fn weekday(&mut self) -> bool {
        const DAYS: [&[u8]; 7] = [b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday", b"sunday"];
        self.name(&DAYS).is_some()
    }

    fn name(&mut self, names: &[&[u8]]) -> Option<usize> {
        let rest = self.rest();
        let [first, second, third, ..] = *rest else { return None };
        let start = [first | 0x20, second | 0x20, third | 0x20];
        let index = names.iter().position(|name| name.first_chunk() == Some(&start))?;
        let length = rest.iter().take(10).take_while(|byte| byte.is_ascii_alphabetic()).count();
        let word = rest.get(..length)?;
        if !names[index].get(..length)?.eq_ignore_ascii_case(word) {
            return None;
        }
        // `Mon`, `Monday`; also `Sept`, but no other beginnings.
        if length == 3 || length == names[index].len() || length == 4 {
            self.at += length;
            return Some(index);
        }
        None
    }

    /// `23:42`, `23:42:01`, `23:42:01.123456`, `23:42:01,123`, `11:42:01 PM`.
    fn clock(&mut self, seconds_required: bool) -> Option<Clock> {
        let mut hour = self.two()?;
        if !self.eat(b':') {
            return None;
        }
        let minute = self.two()?;
        let mut second = 0;
        let mut nanosecond = 0;
        if self.eat(b':') {
            second = self.two()?;
            if matches!(self.rest(), [b'.' | b',' | b':', digit, ..] if digit.is_ascii_digit()) {
                self.at += 1;
                nanosecond = self.fraction()?;
            }
        } else if seconds_required {
            return None;
        }
        if hour <= 12
            && let Some((after, length)) = self.half()
        {
            hour = hour % 12 + if after { 12 } else { 0 };
            self.at += length;
        }
        // A leap second is written as 60.
        let known = hour < 24 && minute < 60 && second <= 60;
        known.then_some(Clock { second: i64::from(hour * 3600 + minute * 60 + second), nanosecond })
    }

    /// Whether `PM` stands here, and not `AM`, with or without a space before it (which newer locales make a narrow one
    /// that does not break); and the length.
    #[inline]
    fn half(&self) -> Option<(bool, usize)> {
        let rest = self.rest();
        let space = match rest {
            [b' ', ..] => 1,
            [0xE2, 0x80, 0xAF, ..] => 3,
            _ => 0,
        };
        match rest.get(space..)? {
            [half @ (b'A' | b'P' | b'a' | b'p'), b'M' | b'm', after @ ..]
                if !after.first().is_some_and(u8::is_ascii_alphanumeric) =>
            {
                Some((matches!(half, b'P' | b'p'), space + 2))
            }
            _ => None,
        }
    }

    /// What separates date and time, the time of day, and the zone if there is one.
    fn zoned(&mut self, date: Date, compact: bool, context: &Context) -> Option<i64> {
        match self.rest() {
            [b'T' | b't' | b'_' | b':' | b'-', digit, ..] if digit.is_ascii_digit() => self.at += 1,
            [b' ', ..] => self.spaces(),
            [b',', b' ', ..] => self.at += 2,
            _ => return None,
        }
        let here = self.at;
        let clock = match self.number(6) {
            Some((time, 6)) if compact => {
                let nanosecond = if matches!(self.rest(), [b'.' | b',', digit, ..] if digit.is_ascii_digit()) {
                    self.at += 1;
                    self.fraction()?
                } else {
                    0
                };
                let (hour, minute, second) = (time / 10_000, time / 100 % 100, time % 100);
                if hour > 23 || minute > 59 || second > 60 {
                    return None;
                }
                Clock { second: hour * 3600 + minute * 60 + second, nanosecond }
            }
            _ => {
                self.at = here;
                self.clock(false)?
            }
        };
        let offset = self.zone();
        resolve(date, clock, offset, context)
    }

    /// The offset in seconds of the zone that stands here: `Z`, `+01:00`, ` +0100`, ` CET`.
    fn zone(&mut self) -> Option<i64> {
        let here = self.at;
        let spaced = self.eat(b' ');
        let found = match self.rest().first() {
            Some(sign @ (b'+' | b'-')) => {
                self.at += 1;
                self.offset(spaced).map(|seconds| if *sign == b'-' { -seconds } else { seconds })
            }
            Some(b'A'..=b'Z') => {
                let length = self.rest().iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
                let name = self.rest().get(..length).unwrap_or_default();
                self.at += length;
                named_zone(name)
            }
            _ => None,
        };
        if found.is_none() {
            self.at = here;
        }
        found
    }

    /// `0100`, `01:00`, and, unless it stands apart, `01`.
    fn offset(&mut self, spaced: bool) -> Option<i64> {
        let (number, digits) = self.number(4)?;
        let (hours, minutes) = match digits {
            4 => (number / 100, number % 100),
            2 if self.eat(b':') => match self.number(2)? {
                (minutes, 2) => (number, minutes),
                _ => return None,
            },
            2 if !spaced => (number, 0),
            _ => return None,
        };
        (hours < 15 && minutes < 60).then_some(hours * 3600 + minutes * 60)
    }
}
