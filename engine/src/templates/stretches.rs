//! Variables of several words: rows that fit a template where it has one `<*>` and they have a few words.

use super::table::{Map, Table, index, map, mix};
use super::tokens::{Kind, Token};

/// Tokens that may stand for one variable.
const LONGEST: usize = 6;

/// Different stretches that it takes to make a variable of several words: one or two may be other messages.
const STRETCHES: usize = 3;

/// Constant words a template must have before it takes in others.
const CONTEXT: usize = 3;

/// The same where only one word is taken in, though made of several tokens.
const GLUED: usize = 2;

impl Table<'_> {
    /// Joins rows with the templates that they fit. Says whether there were any.
    pub(super) fn stretches(&mut self) -> bool {
        // A template by what stands before its variable and after it.
        let mut templates: Map<(u64, u64), (u32, bool)> = map();
        let mut starts: Map<u64, ()> = map();
        for (i, row) in self.rows.iter().enumerate() {
            let words = row.iter().filter(|&&token| self.tokens.kind(token).is_word()).count();
            if words < GLUED {
                continue;
            }
            let (before, after) = sums(row);
            for (at, &token) in row.iter().enumerate() {
                if self.tokens.kind(token) == Kind::Variable {
                    let open = words >= CONTEXT && self.opens(row, at);
                    templates.insert((self.start(&before, row, at), after[at + 1]), (index(i), open));
                    starts.insert(before[at], ());
                }
            }
        }
        // For each template the rows that fit it, and whether with one word made of several tokens (`name:80`).
        let mut joined: Map<u32, Vec<(usize, bool)>> = map();
        for (i, row) in self.rows.iter().enumerate() {
            let (before, after) = sums(row);
            let found = (0..row.len()).filter(|&at| starts.contains_key(&before[at])).find_map(|at| {
                (at + 2..=row.len().min(at + LONGEST)).find_map(|end| {
                    let &(template, open) = templates.get(&(self.start(&before, row, at), after[end]))?;
                    let glued = self.glued(&row[at..end]);
                    (glued || open).then_some((template, glued))
                })
            });
            if let Some((template, glued)) = found {
                joined.entry(template).or_default().push((i, glued));
            }
        }
        for rows in joined.values_mut() {
            if rows.iter().filter(|(_, glued)| !glued).count() < STRETCHES {
                rows.retain(|(_, glued)| *glued);
            }
        }
        joined.retain(|_, rows| !rows.is_empty());
        let changed = !joined.is_empty();
        // As the templates were before any of them joined another.
        let joined: Vec<_> =
            joined.into_iter().map(|(template, rows)| (self.rows[template as usize].clone(), rows)).collect();
        for (tokens, rows) in joined {
            for (row, _) in rows {
                self.rows[row].clone_from(&tokens);
            }
        }
        self.fold();
        changed
    }

    /// What stands before a place, and whether a space does.
    fn start(&self, before: &[u64], row: &[Token], at: usize) -> u64 {
        before[at].wrapping_add(mix(at, self.blank(row[at])))
    }

    /// Whether tokens are one word, and no assignment.
    fn glued(&self, tokens: &[Token]) -> bool {
        !tokens.iter().skip(1).any(|&token| self.tokens.text(token).starts_with(' '))
            && tokens.iter().all(|&token| {
                self.tokens.kind(token) != Kind::Punctuation
                    || matches!(self.tokens.body(token), ":" | "." | "/" | "|" | "*")
            })
            && tokens.last().is_some_and(|&token| self.tokens.kind(token) != Kind::Punctuation)
    }

    /// Whether words may stand in the place of this variable: it has words on both sides, or what stands before it
    /// makes it a value.
    fn opens(&self, row: &[Token], at: usize) -> bool {
        let word = |&token: &Token| self.tokens.kind(token).is_word();
        let introduced = at > 0 && matches!(self.tokens.body(row[at - 1]), "=" | "\"" | "'");
        introduced || (row[..at].iter().any(word) && row[at + 1..].iter().any(word))
    }
}

/// Hashes of what stands before each place, and of what stands from it on.
fn sums(row: &[Token]) -> (Vec<u64>, Vec<u64>) {
    let mut before = vec![0_u64; row.len() + 1];
    let mut after = vec![0_u64; row.len() + 1];
    for (at, &token) in row.iter().enumerate() {
        before[at + 1] = before[at].wrapping_add(mix(at, token));
    }
    for (at, &token) in row.iter().enumerate().rev() {
        after[at] = after[at + 1].wrapping_add(mix(row.len() - at, token));
    }
    (before, after)
}
