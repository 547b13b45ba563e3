//! Rows of one build that differ in one place, or in several.

use std::borrow::Cow;

use super::VARIABLE;
use super::evidence::Evidence;
use super::table::{Map, Table, index, map, mix};
use super::tokens::{Kind, Token};

/// Words a message may have and still be compared word by word.
const WIDEST: usize = 256;

/// Rows of equal build that are compared pair by pair.
const PAIRS: usize = 200;

/// Places in which two rows compared may differ.
const PLACES: usize = 4;

/// Rows it takes to see values in several places at once.
const PAIRED: usize = 4;

type Change = (u32, u32, Option<String>);

impl Table<'_> {
    /// Joins rows that differ in one word, where the words that stand there are values. Says whether any were.
    pub(super) fn one_slot(&mut self) -> bool {
        let mut slots: Map<u64, Vec<(u32, u32)>> = map();
        for (i, row) in self.rows.iter().enumerate() {
            if row.tokens.len() > WIDEST {
                continue;
            }
            let whole = row.tokens.iter().enumerate().fold(0, |sum: u64, (at, &t)| sum.wrapping_add(mix(at, t)));
            for (at, &token) in row.tokens.iter().enumerate() {
                if self.tokens.kind(token) == Kind::Punctuation {
                    continue;
                }
                let key = whole
                    .wrapping_sub(mix(at, token))
                    .wrapping_add(mix(at, self.blank(token)))
                    .wrapping_add(row.tokens.len() as u64);
                slots.entry(key).or_default().push((index(i), index(at)));
            }
        }
        slots.retain(|_, members| members.len() > 1);
        let found: Vec<(Evidence, &Vec<(u32, u32)>)> = slots
            .values()
            .map(|members| {
                let (row, at) = members[0];
                let values = members.iter().map(|&(row, at)| {
                    let row = &self.rows[row as usize];
                    (row.tokens[at as usize], row.lines)
                });
                (Evidence::of(&self.tokens, &self.rows[row as usize].tokens, at as usize, values.collect()), members)
            })
            .collect();
        for (evidence, members) in &found {
            if evidence.is_certain() {
                for &(row, at) in *members {
                    let token = self.rows[row as usize].tokens[at as usize];
                    if self.tokens.kind(token).is_word() {
                        self.values.insert(self.tokens.body(token).to_owned());
                    }
                }
            }
        }
        let mut changes: Vec<Change> = Vec::new();
        for (evidence, members) in &found {
            let variable = evidence.is_variable(|token| self.values.contains(self.tokens.body(token)));
            for &(row, at) in *members {
                let token = self.rows[row as usize].tokens[at as usize];
                if variable {
                    changes.push((row, at, None));
                } else if let Some(text) = evidence.numbered(&self.tokens, token) {
                    changes.push((row, at, Some(text)));
                }
            }
        }
        self.apply(changes)
    }

    /// Joins rows that differ in two places or more at once: names that come in pairs, each with its own.
    pub(super) fn several_slots(&mut self) -> bool {
        let mut builds: Map<u64, Vec<u32>> = map();
        for (i, row) in self.rows.iter().enumerate() {
            if row.tokens.len() > WIDEST {
                continue;
            }
            let build = row.tokens.iter().enumerate().fold(row.tokens.len() as u64, |sum, (at, &token)| {
                let known = self.tokens.kind(token) == Kind::Punctuation;
                sum.wrapping_add(mix(at, if known { token } else { self.blank(token) }))
            });
            builds.entry(build).or_default().push(index(i));
        }
        let mut changes: Vec<Change> = Vec::new();
        for rows in builds.into_values() {
            if rows.len() <= PAIRS {
                self.compare(&rows, &mut changes);
                continue;
            }
            // Too many for all pairs: those that share their first word.
            let mut by_first: Map<Token, Vec<u32>> = map();
            for row in rows {
                if let Some(&first) = self.rows[row as usize].tokens.first() {
                    by_first.entry(first).or_default().push(row);
                }
            }
            for rows in by_first.into_values().filter(|rows| rows.len() <= PAIRS) {
                self.compare(&rows, &mut changes);
            }
        }
        self.apply(changes)
    }

    fn compare(&self, rows: &[u32], changes: &mut Vec<Change>) {
        let mut patterns: Map<Vec<u32>, Vec<u32>> = map();
        for (i, &a) in rows.iter().enumerate() {
            for &b in &rows[i + 1..] {
                let (left, right) = (&self.rows[a as usize].tokens, &self.rows[b as usize].tokens);
                let mut places = [0_u32; PLACES];
                let mut count = 0;
                for (at, (l, r)) in left.iter().zip(right).enumerate() {
                    if l != r {
                        if count < PLACES {
                            places[count] = index(at);
                        }
                        count += 1;
                    }
                }
                if !(2..=PLACES).contains(&count) {
                    continue;
                }
                let places = &places[..count];
                changes.extend(self.taken(a, b, places));
                let mut pattern: Vec<u32> = left.clone();
                for &place in places {
                    pattern[place as usize] = self.blank(left[place as usize]);
                }
                patterns.entry(pattern).or_default().extend([a, b]);
            }
        }
        for (pattern, mut members) in patterns {
            members.sort_unstable();
            members.dedup();
            let places: Vec<usize> = (0..pattern.len()).filter(|&at| pattern[at] >= Token::MAX - 1).collect();
            let constant =
                pattern.iter().filter(|&&token| token < Token::MAX - 1 && self.tokens.kind(token).is_word()).count();
            if constant < 2 * places.len() || members.len() < PAIRED {
                continue;
            }
            let mut row = self.rows[members[0] as usize].tokens.clone();
            for &at in &places {
                row[at] = self.variable(row[at]);
            }
            let all = places.iter().all(|&at| {
                let values: Vec<(Token, u64)> = members
                    .iter()
                    .map(|&member| &self.rows[member as usize])
                    .map(|row| (row.tokens[at], row.lines))
                    .collect();
                Evidence::of(&self.tokens, &row, at, values)
                    .is_variable(|token| self.values.contains(self.tokens.body(token)))
            });
            if all {
                changes.extend(members.iter().flat_map(|&row| places.iter().map(move |&at| (row, index(at), None))));
            }
        }
    }

    /// What becomes variable in two rows because one or the other is wherever they differ.
    fn taken<'b>(&self, a: u32, b: u32, places: &'b [u32]) -> impl Iterator<Item = Change> + use<'b> {
        let (left, right) = (&self.rows[a as usize].tokens, &self.rows[b as usize].tokens);
        let variable = |token: Token| self.tokens.kind(token) == Kind::Variable;
        let wider = places.iter().all(|&at| variable(left[at as usize]) || variable(right[at as usize]))
            && left.iter().zip(right).filter(|&(l, r)| l == r && self.tokens.kind(*l).is_word()).count()
                >= places.len().max(2);
        places.iter().filter(move |_| wider).flat_map(move |&at| [(a, at, None), (b, at, None)])
    }

    fn apply(&mut self, changes: Vec<(u32, u32, Option<String>)>) -> bool {
        let mut changed = false;
        for (row, at, text) in changes {
            let old = self.rows[row as usize].tokens[at as usize];
            let space = if self.tokens.text(old).starts_with(' ') { " " } else { "" };
            let text = format!("{space}{}", text.as_deref().unwrap_or(VARIABLE));
            let new = self.tokens.intern(Cow::Owned(text));
            // A position may be both numbered and variable, in two contexts: variable prevails.
            if self.tokens.kind(old) != Kind::Variable && new != old {
                self.rows[row as usize].tokens[at as usize] = new;
                changed = true;
            }
        }
        self.fold();
        changed
    }
}
