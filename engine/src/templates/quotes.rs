//! Quoted texts of any number of words: what differs within quotes is a value.

use super::table::{Map, Table, map};
use super::tokens::{Kind, Token};

/// Rows alike but for their quotes that it takes where little else is said.
const ROWS: usize = 3;

/// From one token to another, without the latter.
type Span = (usize, usize);

/// A row, and what it quotes.
type Quoting = (usize, Vec<Span>);

impl Table<'_> {
    /// Joins rows that differ only in what they quote. Says whether there were any.
    pub(super) fn quotes(&mut self) -> bool {
        let mut alike: Map<Vec<Token>, Vec<Quoting>> = map();
        for (i, row) in self.rows.iter().enumerate() {
            let spans = self.quoted(row);
            if spans.is_empty() {
                continue;
            }
            let mut key = Vec::with_capacity(row.len());
            let mut at = 0;
            for &(from, to) in &spans {
                key.extend_from_slice(&row[at..from]);
                key.push(self.any[0]);
                at = to;
            }
            key.extend_from_slice(&row[at..]);
            alike.entry(key).or_default().push((i, spans));
        }
        let mut changed = false;
        for (key, rows) in alike {
            let context = key.iter().filter(|&&token| self.tokens.kind(token).is_word()).count();
            if context == 0 || rows.len() < if context == 1 { ROWS } else { 2 } {
                continue;
            }
            let within = |&(row, ref spans): &Quoting, n: usize| {
                let (from, to) = spans[n];
                self.rows[row][from..to].to_vec()
            };
            let differ: Vec<bool> =
                (0..rows[0].1.len()).map(|n| rows.iter().any(|row| within(row, n) != within(&rows[0], n))).collect();
            for (row, spans) in &rows {
                for (&(from, to), _) in spans.iter().zip(&differ).rev().filter(|(_, differ)| **differ) {
                    let any = self.any[0];
                    self.rows[*row].splice(from..to, [any]);
                }
            }
            changed = true;
        }
        self.fold();
        changed
    }

    /// Where the quoted texts of a row are, without their quotes.
    fn quoted(&self, row: &[Token]) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut at = 0;
        while at < row.len() {
            let quote = self.tokens.body(row[at]);
            let opens = matches!(quote, "\"" | "'")
                && (self.tokens.text(row[at]).starts_with(' ')
                    || at == 0
                    || self.tokens.kind(row[at - 1]) == Kind::Punctuation);
            let end =
                if opens { row[at + 1..].iter().position(|&token| self.tokens.text(token) == quote) } else { None };
            match end {
                Some(length) if length > 0 => {
                    spans.push((at + 1, at + 1 + length));
                    at += length + 2;
                }
                Some(_) => at += 2,
                None => at += 1,
            }
        }
        spans
    }
}
