//! TAI64 and TAI64N labels, as multilog, svlogd and s6-log write them in front of lines: `@4000000043322583 3b6e1a8c`
//! without the space; seconds of International Atomic Time since 1970, and nanoseconds.
//! Source: D. J. Bernstein, <https://cr.yp.to/libtai/tai64.html>.

use super::calendar::SECOND;

/// 2^62, the label of the second in which 1970 began.
const EPOCH: u64 = 1 << 62;

/// TAI was this far ahead of UTC, in seconds, until the first of [`LEAPS`] but one.
const FIRST: i64 = 10;

/// Seconds since the Unix epoch from which on TAI was a second further ahead of UTC than before, the first of them the
/// day of [`FIRST`] (IERS Bulletin C; there has been none since 2017).
const LEAPS: [i64; 28] = [
    63_072_000,
    78_796_800,
    94_694_400,
    126_230_400,
    157_766_400,
    189_302_400,
    220_924_800,
    252_460_800,
    283_996_800,
    315_532_800,
    362_793_600,
    394_329_600,
    425_865_600,
    489_024_000,
    567_993_600,
    631_152_000,
    662_688_000,
    709_948_800,
    741_484_800,
    773_020_800,
    820_454_400,
    867_715_200,
    915_148_800,
    1_136_073_600,
    1_230_768_000,
    1_341_100_800,
    1_435_708_800,
    1_483_228_800,
];

/// The label at the start of a text, in nanoseconds since the Unix epoch, and its length in bytes.
#[must_use]
pub(super) fn label(text: &[u8]) -> Option<(i64, usize)> {
    let digits = text.strip_prefix(b"@")?;
    let length = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let nanoseconds = match length {
        16 => 0,
        24 => i64::try_from(hex(digits.get(16..24)?)?).ok().filter(|nanoseconds| *nanoseconds < SECOND)?,
        _ => return None,
    };
    let tai = i64::try_from(hex(digits.get(..16)?)?.checked_sub(EPOCH)?).ok()?;
    let ahead = |later: usize| FIRST + i64::try_from(later).unwrap_or(0);
    let later = (1..LEAPS.len()).rev().find(|at| tai - ahead(*at) >= LEAPS[*at]).unwrap_or(0);
    let time = (tai - ahead(later)).checked_mul(SECOND)?.checked_add(nanoseconds)?;
    Some((time, length + 1))
}

fn hex(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
