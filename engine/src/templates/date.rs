//! Dates written in several words, which would otherwise be several variables and words between them.

use super::words::{is_month, is_weekday};

/// How many bytes at the start of `text` are a date that holds spaces: `Fri Jul 01 08:16:53 PDT 2005`,
/// `Mon, 02 Jan 2006 15:04:05 MST`, `Jan 2 15:04`, `2006-01-02 15:04:05,123`. Zero where none starts.
pub(super) fn length(text: &[u8]) -> usize {
    let numeric = text.first().is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    let (mut days, mut clocks, mut months) = (0, 0, 0);
    let mut words = 0;
    let mut end = 0;
    while words < 7 {
        let word = word(&text[at..]);
        words += 1;
        let first = word.first().copied().unwrap_or(0);
        if is_weekday(word) && words == 1 {
        } else if is_month(word) && months == 0 && clocks == 0 {
            months += 1;
        } else if is_clock(word) && clocks == 0 {
            clocks += 1;
        } else if first.is_ascii_digit() && word.iter().all(u8::is_ascii_digit) && word.len() <= 4 && days < 2 {
            days += 1;
        } else if is_numeric_date(word) && days == 0 {
            days += 2;
            months += 1;
        } else if clocks == 1 && is_zone(word) {
        } else {
            break;
        }
        at += word.len();
        end = at;
        if text.get(at) == Some(&b',') && (clocks == 0 || text.get(at + 1).is_some_and(u8::is_ascii_digit)) {
            at += 1;
            if clocks == 1 {
                // Milliseconds after a comma, as Java and Python write them.
                let fraction = text[at..].iter().take_while(|b| b.is_ascii_digit()).count();
                at += fraction;
                end = at;
            }
        }
        if text.get(at) != Some(&b' ') {
            break;
        }
        at += 1 + usize::from(text.get(at + 1) == Some(&b' '));
    }
    let whole = if numeric { months >= 1 && clocks == 1 } else { months >= 1 && days >= 1 };
    if whole && !text.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80) { end } else { 0 }
}

fn word(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|b| !b.is_ascii_alphanumeric() && !b":.-/+".contains(b)).unwrap_or(text.len());
    let mut end = end;
    while end > 0 && b":.-/+".contains(&text[end - 1]) {
        end -= 1;
    }
    &text[..end]
}

/// `15:04`, `15:04:05`, `15:04:05.000Z`.
fn is_clock(word: &[u8]) -> bool {
    word.len() >= 4
        && word[0].is_ascii_digit()
        && matches!(word.iter().position(|&b| b == b':'), Some(1 | 2))
        && word.iter().all(|b| b.is_ascii_digit() || b":.Z+-".contains(b))
}

/// `2006-01-02`, `2006/01/02`, `02/01/2006`.
fn is_numeric_date(word: &[u8]) -> bool {
    (8..=10).contains(&word.len())
        && word.iter().filter(|b| b"-/".contains(b)).count() == 2
        && word.iter().all(|b| b.is_ascii_digit() || b"-/".contains(b))
}

/// `PDT`, `UTC`, `+0200`.
fn is_zone(word: &[u8]) -> bool {
    match word {
        [b'+' | b'-', rest @ ..] => rest.len() == 4 && rest.iter().all(u8::is_ascii_digit),
        b"AM" | b"PM" | b"UTC" | b"GMT" => true,
        _ => matches!(word.len(), 3 | 4) && word.ends_with(b"T") && word.iter().all(u8::is_ascii_uppercase),
    }
}
