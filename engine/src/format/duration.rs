//! Durations as logs write them: numbers in a unit, and text with units of its own.

/// A number of units of so many nanoseconds, or text that says its unit; None if it is neither or negative.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn in_unit(text: &[u8], unit: f64) -> Option<u64> {
    match super::value::float(text) {
        // The cast saturates.
        Some(number) if number >= 0.0 => Some((number * unit) as u64),
        Some(_) => None,
        None => with_unit(text),
    }
}

/// A duration such as `12.5ms`, `1m2.5s` (Go), `0.3 s`, `00:00:01.5` (.NET) or `PT1.5S` (ISO 8601).
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn with_unit(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?.trim();
    if text.contains(':') {
        return clock(text);
    }
    let mut rest = text.strip_prefix("PT").unwrap_or(text);
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let after = after.trim_start();
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let nanoseconds = match unit.trim() {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" | "S" | "sec" | "secs" | "seconds" => 1e9,
            "m" | "M" | "min" => 60e9,
            "h" | "H" => 3600e9,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * nanoseconds;
        rest = after;
    }
    Some(total as u64)
}

/// `HH:MM:SS` and a fraction, days in front of it with a point.
fn clock(text: &str) -> Option<u64> {
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let whole = |text: &str| text.parse::<u64>().ok();
    let minutes =
        (whole(days)?.checked_mul(24)?.checked_add(whole(hours)?)?).checked_mul(60)?.checked_add(whole(minutes)?)?;
    let seconds = super::value::nanoseconds(seconds.as_bytes(), 1_000_000_000)?;
    minutes.checked_mul(60_000_000_000)?.checked_add(seconds)
}
