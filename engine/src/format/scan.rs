//! The parts of a stamp, read one after the other: numbers, names, times of day, zones.

use super::Context;
use super::calendar::{Clock, Date, SECOND, resolve};

/// A place in the text of a stamp.
pub(super) struct Scan<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Scan<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[inline]
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn spaces(&mut self) {
        while self.eat(b' ') {}
    }

    /// The digits that stand here and how many they are; `None` if they are more than `most`.
    #[inline]
    pub(super) fn number(&mut self, most: usize) -> Option<(i64, usize)> {
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
    pub(super) fn two(&mut self) -> Option<u32> {
        match self.number(2)? {
            (_, 0) => None,
            (number, _) => u32::try_from(number).ok(),
        }
    }

    /// The digits of a fraction of a second, in nanoseconds; more than nine are cut.
    pub(super) fn fraction(&mut self) -> Option<i64> {
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
    pub(super) fn month(&mut self) -> Option<u32> {
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

    pub(super) fn weekday(&mut self) -> bool {
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
    pub(super) fn clock(&mut self, seconds_required: bool) -> Option<Clock> {
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
    pub(super) fn zoned(&mut self, date: Date, compact: bool, context: &Context) -> Option<i64> {
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
    pub(super) fn zone(&mut self) -> Option<i64> {
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
