//! Numbers, times and texts in few tokens: two significant digits, short clocks, quoted messages.

use crate::redact;

/// Bytes of a name that are shown.
const NAME: usize = 80;

/// Bytes of a message that are shown.
const MESSAGE: usize = 140;

/// A number with two significant digits: `8.1k`, `.2`, `540`.
#[must_use]
pub fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let value = significant(value);
    let (scaled, unit) = match value.abs() {
        v if v >= 1e12 => (value / 1e12, "T"),
        v if v >= 1e9 => (value / 1e9, "G"),
        v if v >= 1e6 => (value / 1e6, "M"),
        v if v >= 1e3 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    format!("{}{unit}", digits(scaled))
}

/// How often so many events in so many seconds are: `12k/min`, or `3/h` of what is rare.
#[must_use]
pub fn rate(count: f64, seconds: f64) -> String {
    let rate = count * 60.0 / seconds;
    if rate >= 1.0 || rate <= 0.0 { format!("{}/min", number(rate)) } else { format!("{}/h", number(rate * 60.0)) }
}

/// Round numbers of a power of ten, from fine to coarse, each kind with how far two neighbours lie apart, as a factor.
const STEPS: [(f64, &[f64]); 4] = [
    (1.26, &[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0]),
    (1.58, &[1.0, 1.5, 2.5, 4.0, 6.0, 10.0]),
    (2.15, &[1.0, 2.0, 5.0, 10.0]),
    (f64::INFINITY, &[1.0, 3.0, 10.0]),
];

/// A number as a round one, of the finest kind whose neighbours lie as far apart as the ends of the interval that the number is
/// known to lie in; `width` is the upper end of that over the lower.
#[must_use]
pub fn about(value: f64, width: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 0.0;
    }
    let steps = STEPS.iter().find(|step| width <= step.0).map_or(STEPS[3].1, |step| step.1);
    let scale = power(value) * 10.0;
    let far = |step: f64| (step * scale / value).ln().abs();
    // One of the two that it lies between is the nearest.
    let above = steps.iter().position(|step| step * scale >= value).unwrap_or(steps.len() - 1);
    let [low, high] = [steps[above.saturating_sub(1)], steps[above]];
    if far(low) <= far(high) { low * scale } else { high * scale }
}

/// A duration in nanoseconds, rounded as [`about`] does it in the unit that it is said in.
#[must_use]
pub fn duration_about(ns: f64, width: f64) -> String {
    let unit = match ns {
        v if v >= 5_400e9 => 3_600e9,
        v if v >= 120e9 => 60e9,
        _ => 1.0,
    };
    duration(about(ns / unit, width) * unit)
}

/// A count, exact below a thousand.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn count(value: u64) -> String {
    if value < 1_000 { value.to_string() } else { number(value as f64) }
}

/// A share of one as a percentage with two significant digits: `7.1%`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{}%", number(share * 100.0))
}

/// A duration in nanoseconds with two significant digits: `12ms`, `2.1s`, `3min`.
#[must_use]
pub fn duration(ns: f64) -> String {
    // The unit is chosen for what will be shown: 59.9 s are 60s.
    let (scaled, unit) = match significant(ns) {
        v if v >= 5_400e9 => (ns / 3_600e9, "h"),
        v if v >= 120e9 => (ns / 60e9, "min"),
        v if v >= 1e9 => (ns / 1e9, "s"),
        v if v >= 1e6 => (ns / 1e6, "ms"),
        v if v >= 1e3 => (ns / 1e3, "us"),
        _ => (ns, "ns"),
    };
    format!("{}{unit}", digits(significant(scaled)))
}

/// A length of time in whole seconds: `5m`, `90s`, `1h`.
#[must_use]
pub fn span(seconds: i64) -> String {
    match seconds {
        s if s >= 3_600 && s % 3_600 == 0 => format!("{}h", s / 3_600),
        s if s >= 60 && s % 60 == 0 => format!("{}m", s / 60),
        s if s >= 600 => format!("{}m", (s + 30) / 60),
        s => format!("{s}s"),
    }
}

/// The time of day in UTC: `14:03`, or `14:03:20` where the second matters.
#[must_use]
pub fn clock(second: i64, seconds: bool) -> String {
    let day = second.rem_euclid(86_400);
    let (h, m, s) = (day / 3_600, day / 60 % 60, day % 60);
    if seconds { format!("{h:02}:{m:02}:{s:02}") } else { format!("{h:02}:{m:02}") }
}

/// Date and time in UTC as RFC 3339 has it, to the second.
#[must_use]
pub fn timestamp(second: i64) -> String {
    let (year, month, day) = date(second.div_euclid(86_400));
    format!("{year:04}-{month:02}-{day:02}T{}Z", clock(second, true))
}

/// Year, month and day of a day since the epoch (Hinnant, "chrono-compatible low-level date algorithms").
fn date(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// A name of strangers, safe and short.
#[must_use]
pub fn name(text: &str) -> String {
    redact::plain(text, NAME)
}

/// A name or message of strangers for a program to read: safe, but not cut before its shape was.
#[must_use]
pub fn whole(text: &str) -> String {
    redact::plain(text, 2_048)
}

/// A message of strangers, quoted.
#[must_use]
pub fn quote(text: &str) -> String {
    format!("\"{}\"", redact::plain(text, MESSAGE).replace('"', "'"))
}

/// The power of ten that the second significant digit of a number stands for.
#[allow(clippy::cast_possible_truncation)]
fn power(value: f64) -> f64 {
    10f64.powi(value.abs().log10().floor() as i32 - 1)
}

/// Rounded to two significant digits.
fn significant(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = power(value);
    (value / scale).round() * scale
}

/// A number below a thousand that has two significant digits, in as few characters as say it.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn digits(value: f64) -> String {
    let mut decimals = match value.abs() {
        v if v >= 9.95 => 0,
        v if v >= 0.995 => 1,
        v if v >= 0.0995 => 2,
        v if v >= 0.00995 => 3,
        v if v >= 0.000_995 => 4,
        _ => 6,
    };
    // Whole numbers are written in a tenth of the time that fractions take.
    let mut scaled = (value.abs() * f64::from(10u32.pow(decimals))).round() as u64;
    while decimals > 0 && scaled.is_multiple_of(10) {
        (scaled, decimals) = (scaled / 10, decimals - 1);
    }
    let (sign, unit) = (if value < 0.0 { "-" } else { "" }, 10u64.pow(decimals));
    let (whole, part, width) = (scaled / unit, scaled % unit, decimals as usize);
    match (whole, decimals) {
        (_, 0) => format!("{sign}{whole}"),
        (0, _) => format!("{sign}.{part:0width$}"),
        _ => format!("{sign}{whole}.{part:0width$}"),
    }
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use super::*;

    #[test]
    fn words__numbers__two_significant_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (0.000_000_1, "0"),
            (0.002, ".002"),
            (0.071, ".071"),
            (0.7, ".7"),
            (1.0, "1"),
            (9.96, "10"),
            (12.34, "12"),
            (540.0, "540"),
            (999.0, "1k"),
            (8_123.0, "8.1k"),
            (12_800.0, "13k"),
            (1_240_000.0, "1.2M"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn words__about__steps_as_wide_as_what_is_known() {
        for (value, width, expected) in [
            (123.0, 1.25, 120.0),
            (123.0, 1.5, 150.0),
            (123.0, 2.0, 100.0),
            (0.0034, 1.2, 0.003),
            (0.0036, 1.2, 0.004),
            (9.4, 1.25, 10.0),
            (330.0, 2.0, 500.0),
            (330.0, 5.0, 300.0),
            (0.0, 1.25, 0.0),
        ] {
            assert!((about(value, width) - expected).abs() < 1e-9, "{value} {width}: {}", about(value, width));
        }
        assert_eq!(duration_about(94e9, 1.25), "100s");
        assert_eq!(duration_about(190e9, 1.25), "3min");
        assert_eq!(duration_about(960e6, 1.25), "1s");
    }

    #[test]
    fn words__durations__unit_that_reads_well() {
        for (ns, expected) in [
            (0.0, "0ns"),
            (850.0, "850ns"),
            (12_300_000.0, "12ms"),
            (2.14e9, "2.1s"),
            (59.9e9, "60s"),
            (185e9, "3.1min"),
            (7.2e12, "2h"),
        ] {
            assert_eq!(duration(ns), expected);
        }
    }

    #[test]
    fn words__timestamp__as_the_calendar_has_it() {
        assert_eq!(timestamp(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(timestamp(1_661_140_279), "2022-08-22T03:51:19Z");
    }
}
