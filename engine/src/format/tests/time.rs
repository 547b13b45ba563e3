//! Timestamps are read as they were written.

use proptest::prelude::*;

use super::super::calendar::{Order, SECOND, days, year};
use super::super::time::{epoch, parse, prefix};
use super::Context;
use super::{CONTEXT, NOW};

const DAY: i64 = 86_400;

/// A date found by counting, to check the arithmetic against.
pub(super) fn calendar(day: i64) -> (i64, u32, u32) {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut rest) = (1970, day);
    while rest >= 365 + i64::from(leap(year)) {
        rest -= 365 + i64::from(leap(year));
        year += 1;
    }
    for month in 1.. {
        let length = match month {
            2 => 28 + i64::from(leap(year)),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if rest < length {
            return (year, month, u32::try_from(rest).unwrap() + 1);
        }
        rest -= length;
    }
    unreachable!()
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

proptest! {
    #[test]
    fn a_day_and_its_date_agree(day in 0_i64..100_000) {
        let (y, m, d) = calendar(day);
        prop_assert_eq!(days(y, m, d), day);
        prop_assert_eq!(year(day), y);
    }

    #[test]
    fn a_stamp_in_any_form_is_the_time_that_was_written(
        day in 0_i64..80_000, second in 0..DAY, nanosecond in 0..SECOND, offset in -14 * 60..14 * 60_i64,
    ) {
        let (y, m, d) = calendar(day);
        let (hour, minute, s) = (second / 3600, second / 60 % 60, second % 60);
        let month = MONTHS[m as usize - 1];
        let whole = (day * DAY + second) * SECOND;
        let sign = if offset < 0 { '-' } else { '+' };
        let (oh, om) = (offset.abs() / 60, offset.abs() % 60);
        let zoned = whole - offset * 60 * SECOND;
        let half = if hour < 12 { "AM" } else { "PM" };
        let h12 = (hour + 11) % 12 + 1;
        let (milli, micro) = (nanosecond / 1_000_000, nanosecond / 1000);
        let forms = [
            (format!("{y}-{m:02}-{d:02}T{hour:02}:{minute:02}:{s:02}.{nanosecond:09}Z"), whole + nanosecond),
            (format!("{y}-{m:02}-{d:02} {hour:02}:{minute:02}:{s:02},{milli:03}"), whole + milli * 1_000_000),
            (format!("{y}/{m:02}/{d:02} {hour:02}:{minute:02}:{s:02}"), whole),
            (format!("{y}.{m:02}.{d:02} {hour:02}:{minute:02}:{s:02}.{micro:06}"), whole + micro * 1000),
            (format!("{y}-{m:02}-{d:02}T{hour:02}:{minute:02}:{s:02}{sign}{oh:02}:{om:02}"), zoned),
            (format!("{y}-{m:02}-{d:02} {hour:02}:{minute:02}:{s:02} {sign}{oh:02}{om:02}"), zoned),
            (format!("{y}-{m:02}-{d:02} {hour:02}:{minute:02}:{s:02} UTC"), whole),
            (format!("{y}{m:02}{d:02}T{hour:02}{minute:02}{s:02}.{milli:03}"), whole + milli * 1_000_000),
            (format!("{d:02}/{month}/{y}:{hour:02}:{minute:02}:{s:02} {sign}{oh:02}{om:02}"), zoned),
            (format!("{d}-{month}-{y} {hour:02}:{minute:02}:{s:02}.{milli:03}"), whole + milli * 1_000_000),
            (format!("{month} {d:2} {y} {hour:02}:{minute:02}:{s:02}"), whole),
            (format!("{month} {d}, {y} {h12}:{minute:02}:{s:02} {half}"), whole),
            (format!("Tue {month} {d:2} {hour:02}:{minute:02}:{s:02} {y}"), whole),
            (format!("Tue {month} {d:2} {hour:02}:{minute:02}:{s:02}.{micro:06} {y}"), whole + micro * 1000),
            (format!("Tuesday, {d:02}-{month}-{y} {hour:02}:{minute:02}:{s:02} GMT"), whole),
            (format!("Tue, {d:02} {month} {y} {hour:02}:{minute:02}:{s:02} {sign}{oh:02}{om:02}"), zoned),
            (format!("{d:02}.{m:02}.{y} {hour:02}:{minute:02}:{s:02}"), whole),
            (format!("{y} {month} {d:2} {hour:02}:{minute:02}:{s:02}.{milli:03}"), whole + milli * 1_000_000),
            (format!("{y}-{:03}T{hour:02}:{minute:02}:{s:02},{milli:03}", day - days(y, 1, 1) + 1), whole + milli * 1_000_000),
            (format!("{month} {d}, {y} {h12}:{minute:02}:{s:02}\u{202f}{half}"), whole),
            (format!("{month} {d}, {y} {h12}:{minute:02}:{s:02}{half}"), whole),
        ];
        for (text, time) in &forms {
            prop_assert_eq!(parse(text.as_bytes(), &CONTEXT), Some(*time), "{}", text);
            let line = format!("{text} message");
            prop_assert_eq!(prefix(line.as_bytes(), &CONTEXT), Some((*time, text.len())), "{}", line);
        }
    }

    /// Day first or month first, as one date of the stream shows; until then, as comes nearest to its neighbours.
    #[test]
    fn the_order_of_a_date_is_that_of_its_stream(day in 11_000_i64..30_000, is_day_first: bool, second in 0..DAY, short: bool) {
        let date = |day: i64| {
            let (y, m, d) = calendar(day);
            let year = if short { format!("{:02}", y % 100) } else { y.to_string() };
            let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
            if is_day_first { format!("{d:02}/{m:02}/{year} {clock}") } else { format!("{m:02}/{d:02}/{year} {clock}") }
        };
        let order = if is_day_first { Order::Day } else { Order::Month };
        let time = (day * DAY + second) * SECOND;
        let told = Context { order: Some(order), ..CONTEXT };
        prop_assert_eq!(parse(date(day).as_bytes(), &told), Some(time));
        if !short {
            prop_assert_eq!(parse(date(day).as_bytes(), &Context { last_time: Some(time - SECOND), ..CONTEXT }), Some(time));
        }
        let shown = super::super::time::order(date(day).as_bytes());
        prop_assert!(shown.is_none_or(|shown| shown == order), "{:?} of {}", shown, date(day));
        let (_, _, d) = calendar(day);
        prop_assert!(short || d <= 12 || shown == Some(order));
    }

    #[test]
    fn a_label_of_tai_is_the_second_it_was_written_in(second in 63_072_000_i64..4_000_000_000, nanosecond in 0..SECOND) {
        // What is known of leap seconds, by the years that followed one in summer or winter.
        let ahead = match second {
            1_483_228_800.. => 37,
            1_435_708_800.. => 36,
            1_341_100_800.. => 35,
            1_230_768_000.. => 34,
            1_136_073_600.. => 33,
            915_148_800.. => 32,
            _ => return Ok(()),
        };
        let text = format!("@{:016x}{nanosecond:08x} message", (1_i64 << 62) + second + ahead);
        prop_assert_eq!(prefix(text.as_bytes(), &CONTEXT), Some((second * SECOND + nanosecond, 25)));
    }

    #[test]
    fn a_number_since_the_epoch_is_told_by_its_size(second in 100_000_000_i64..9_000_000_000, fraction in 0..SECOND) {
        let time = second * SECOND + fraction;
        prop_assert_eq!(epoch(second.to_string().as_bytes()), Some(second * SECOND));
        prop_assert_eq!(epoch(format!("{second}.{fraction:09}").as_bytes()), Some(time));
        prop_assert_eq!(epoch((time / 1_000_000).to_string().as_bytes()), Some(time / 1_000_000 * 1_000_000));
        prop_assert_eq!(epoch((time / 1_000).to_string().as_bytes()), Some(time / 1_000 * 1_000));
        prop_assert_eq!(epoch(time.to_string().as_bytes()), Some(time));
        prop_assert_eq!(epoch(format!("{}.{:06}", time / 1_000_000, time % 1_000_000).as_bytes()), Some(time));
    }

    #[test]
    fn any_text_is_read_without_panic(text in "[0-9A-Za-z:/., +-]{0,40}") {
        _ = parse(text.as_bytes(), &CONTEXT);
        _ = prefix(text.as_bytes(), &CONTEXT);
    }
}

#[test]
fn what_is_no_stamp_is_none() {
    for text in [
        "",
        "7",
        "42 items",
        "2026",
        "2026-13-01 00:00:00",
        "2026-02-30 00:00:00",
        "25:00:00 x",
        "12:60:00 x",
        "12:30 x",
        "1.2.3.4 x",
        "Mayor 24 23:42:01",
        "Nov",
        "Nov 24",
        "Monday",
        "00:11:22:33:44:55 x",
        "1764000000x",
        "99999999999999999999",
    ] {
        assert_eq!(prefix(text.as_bytes(), &CONTEXT), None, "{text}");
    }
    for text in ["", "x", "5", "1e5", "-5", "1795563721.", "2026"] {
        assert_eq!(epoch(text.as_bytes()), None, "{text}");
    }
    assert_eq!(epoch(b"1.795563721e9"), Some(NOW));
}
