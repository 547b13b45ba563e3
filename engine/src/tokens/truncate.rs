//! The longest prefix of a text that fits a budget.

use super::Encoding;

/// Bytes from the last safe place within which every possible cut is tried.
const EXACT: usize = 256;

/// Bytes that are given up to cut between words rather than within one.
pub(super) const NEAR: usize = 16;

pub(super) fn truncate<'a>(encoding: &Encoding, text: &'a str, budget: usize) -> &'a str {
    let Some(place) = place(encoding, text, budget) else { return text };
    let cut = place.longest(encoding, text);
    let tidy = before_white_space(text, cut);
    // A shorter prefix may take more tokens, where it cuts a token; between words it hardly ever does.
    if tidy < cut && encoding.fits(&text[..tidy], budget) { &text[..tidy] } else { &text[..cut] }
}

/// Where the budget ends.
struct Place {
    /// The start of the piece that goes beyond the budget, or of the white space that it is part of or follows. A prefix
    /// that reaches this far splits into the same pieces up to here; white space is cut by what comes after it.
    safe: usize,
    /// No prefix beyond this fits.
    end: usize,
    /// Tokens left at `safe`.
    left: usize,
}

/// None if all of the text fits.
fn place(encoding: &Encoding, text: &str, budget: usize) -> Option<Place> {
    let mut at = 0;
    let mut left = budget;
    let mut safe = (at, left);
    let mut blank_before = false;
    for piece in encoding.pieces(text) {
        let blank = piece.chars().all(char::is_whitespace);
        if !blank_before {
            safe = (at, left);
        }
        let Some(rest) = encoding.spend(piece, left) else {
            let (safe, left) = safe;
            let mut end = at + piece.len();
            if blank {
                // More white space may take fewer tokens: the whole run is one piece where a text ends with it.
                end = text.len() - text[end..].trim_start().len();
            }
            let most = left.saturating_mul(encoding.vocabulary.longest());
            return Some(Place { safe, end: boundary(text, end.min(safe.saturating_add(most))), left });
        };
        left = rest;
        at += piece.len();
        blank_before = blank;
    }
    None
}

impl Place {
    /// The longest prefix's length in bytes.
    fn longest(&self, encoding: &Encoding, text: &str) -> usize {
        let fits = |cut: usize| text.is_char_boundary(cut) && encoding.fits(&text[self.safe..cut], self.left);
        if self.end - self.safe <= EXACT {
            return (self.safe..=self.end).rev().find(|&cut| fits(cut)).unwrap_or(self.safe);
        }
        // Too long to try everything: cut after the last token that fits, and give up ever more until that holds.
        let mut cut = self.after_tokens(encoding, text);
        let mut step = 1;
        while cut > self.safe && !fits(cut) {
            cut = boundary(text, cut.saturating_sub(step)).max(self.safe);
            step *= 2;
        }
        cut
    }

    /// Where the tokens that are left end, if all up to `end` is encoded. The prefix up to there may take more on its own.
    fn after_tokens(&self, encoding: &Encoding, text: &str) -> usize {
        let ids = encoding.encode(&text[self.safe..self.end]);
        let bytes: usize = ids.iter().take(self.left).map(|&id| encoding.vocabulary.token(id).len()).sum();
        boundary(text, self.safe + bytes)
    }
}

/// The nearest cut at or before `cut` that leaves no part of a word and no white space at the end, if one is near.
fn before_white_space(text: &str, cut: usize) -> usize {
    let between = text[cut..].chars().next().is_none_or(char::is_whitespace);
    let kept = if between { &text[..cut] } else { text[..cut].trim_end_matches(|char: char| !char.is_whitespace()) };
    let tidy = kept.trim_end().len();
    if tidy == 0 || cut - tidy > NEAR { cut } else { tidy }
}

/// The last character boundary at or before a byte.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
