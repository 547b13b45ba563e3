//! Rows of one build that differ in one place, or in several.

use std::borrow::Cow;

use super::VARIABLE;
use super::amounts::Bare;
use super::evidence::Evidence;
use super::table::{Map, Table, index, map, mix};
use super::tokens::{Kind, Token};

/// Words a message may have and still be compared word by word.
const WIDEST: usize = 128;

/// Rows of equal build that are compared pair by pair.
const PAIRS: usize = 200;

/// Places in which two rows compared may differ.
const PLACES: usize = 8;

/// Rows it takes to see values in several places at once.
const PAIRED: usize = 4;

/// The hash of a row without one of its places; the row, the place.
type Place = (u64, u32, u32);

/// A row, a place, and what comes there: a word with variables, or a variable.
type Change = (u32, u32, Option<String>);

impl Table<'_> {
    /// Joins rows that differ in one word, where the words that stand there are values. Says whether any were.
    pub(super) fn one_slot(&mut self) -> bool {
        let whole = |row: &Vec<Token>| Bare { ends: (0..row.len()).map(|at| (at, at + 1)).collect(), key: row.clone() };
        let joined = self.one_place(&self.rows.iter().map(whole).collect::<Vec<_>>());
        // Once more with amounts taken as alike, so that a unit does not keep names apart.
        self.one_place(&self.rows.iter().map(|row| self.bare(row)).collect::<Vec<_>>()) | joined
    }

    fn one_place(&mut self, bares: &[Bare]) -> bool {
        let value = |row: u32, at: u32| bares[row as usize].key[at as usize];
        let mut slots: Vec<Place> = Vec::new();
        for (i, Bare { key, .. }) in bares.iter().enumerate().filter(|(_, bare)| bare.key.len() <= WIDEST) {
            let whole = sum(key);
            for (at, &token) in key.iter().enumerate() {
                if self.tokens.kind(token) != Kind::Punctuation {
                    let rest = whole.wrapping_sub(mix(at, token)).wrapping_add(mix(at, self.blank(token)));
                    slots.push((rest, index(i), index(at)));
                }
            }
        }
        // Sorted rather than hashed: most places hold one word only, and need no list of their own.
        slots.sort_unstable();
        let found: Vec<(Evidence, &[Place])> = slots
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|members| members.iter().any(|&(_, row, at)| value(row, at) != value(members[0].1, members[0].2)))
            .map(|members| {
                let (_, row, at) = members[0];
                let values = members.iter().map(|&(_, row, at)| value(row, at)).collect();
                (Evidence::of(&self.tokens, &bares[row as usize].key, at as usize, values), members)
            })
            .collect();
        for (_, members) in found.iter().filter(|(evidence, _)| evidence.is_certain()) {
            let words = members.iter().map(|&(_, row, at)| value(row, at));
            let words = words.filter(|&token| self.tokens.kind(token).is_word());
            self.values.extend(words.map(|token| self.tokens.body(token).to_owned()));
        }
        let mut changes: Vec<Change> = Vec::new();
        for (evidence, members) in &found {
            let variable = evidence.is_variable(|token| self.values.contains(self.tokens.body(token)));
            for &(_, row, at) in *members {
                let place = index(bares[row as usize].ends[at as usize].0);
                if variable {
                    changes.push((row, place, None));
                } else if let Some(text) = evidence.numbered(&self.tokens, value(row, at)) {
                    changes.push((row, place, Some(text)));
                }
            }
        }
        self.apply(changes)
    }

    /// Joins rows that differ in two places or more at once: names that come in pairs, each with its own.
    pub(super) fn several_slots(&mut self) -> bool {
        let mut builds: Map<u64, Vec<u32>> = map();
        for (i, row) in self.rows.iter().enumerate() {
            if row.len() > WIDEST {
                continue;
            }
            let build = row.iter().enumerate().fold(row.len() as u64, |sum, (at, &token)| {
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
                if let Some(&first) = self.rows[row as usize].first() {
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
        let mut patterns: Map<u64, Pattern> = map();
        for (i, &a) in rows.iter().enumerate() {
            let left = &self.rows[a as usize];
            let whole = sum(left);
            for &b in &rows[i + 1..] {
                let Some((places, count)) = differences(left, &self.rows[b as usize]) else { continue };
                let places = &places[..count];
                changes.extend(self.taken(a, b, places));
                let key = places.iter().fold(whole, |key, &place| {
                    let token = left[place as usize];
                    let place = place as usize;
                    key.wrapping_sub(mix(place, token)).wrapping_add(mix(place, self.blank(token)))
                });
                let pattern =
                    patterns.entry(key).or_insert_with(|| Pattern { places: places.to_vec(), rows: Vec::new() });
                pattern.rows.extend([a, b]);
            }
        }
        for Pattern { places, mut rows } in patterns.into_values() {
            rows.sort_unstable();
            rows.dedup();
            let mut row = self.rows[rows[0] as usize].clone();
            for &place in &places {
                row[place as usize] = self.variable(row[place as usize]);
            }
            let constant = row.iter().filter(|&&token| self.tokens.kind(token).is_word()).count();
            let evidence: Vec<Evidence> = places
                .iter()
                .map(|&place| {
                    let values = rows.iter().map(|&row| self.rows[row as usize][place as usize]).collect();
                    Evidence::of(&self.tokens, &row, place as usize, values)
                })
                .collect();
            // Assignments say of themselves that they hold values.
            let introduced = evidence.iter().all(Evidence::is_introduced) && constant > places.len();
            if !introduced && (rows.len() < PAIRED || constant < 2 * places.len()) {
                continue;
            }
            let known = |token| self.values.contains(self.tokens.body(token));
            let all = evidence.iter().all(|evidence| evidence.is_variable(known));
            if all {
                changes.extend(rows.iter().flat_map(|&row| places.iter().map(move |&place| (row, place, None))));
            }
        }
    }

    /// What becomes variable in two rows because one or the other is wherever they differ.
    fn taken<'b>(&self, a: u32, b: u32, places: &'b [u32]) -> impl Iterator<Item = Change> + use<'b> {
        let (left, right) = (&self.rows[a as usize], &self.rows[b as usize]);
        let variable = |token: Token| self.tokens.kind(token) == Kind::Variable;
        let wider = places.iter().all(|&at| variable(left[at as usize]) || variable(right[at as usize]))
            && left.iter().zip(right).filter(|&(l, r)| l == r && self.tokens.kind(*l).is_word()).count()
                >= places.len().max(2);
        places.iter().filter(move |_| wider).flat_map(move |&at| [(a, at, None), (b, at, None)])
    }

    fn apply(&mut self, changes: Vec<(u32, u32, Option<String>)>) -> bool {
        let mut any = false;
        for (row, at, text) in changes {
            let old = self.rows[row as usize][at as usize];
            let space = if self.tokens.text(old).starts_with(' ') { " " } else { "" };
            let text = format!("{space}{}", text.as_deref().unwrap_or(VARIABLE));
            let new = self.tokens.intern(Cow::Owned(text));
            // A position may be both numbered and variable, in two contexts: variable prevails.
            if self.tokens.kind(old) != Kind::Variable && new != old {
                self.rows[row as usize][at as usize] = new;
                any = true;
            }
        }
        self.fold();
        any
    }
}

/// Rows that are equal but for some places.
struct Pattern {
    places: Vec<u32>,
    rows: Vec<u32>,
}

/// The places where two rows differ, and how many they are; nothing where they are too few or too many.
fn differences(left: &[Token], right: &[Token]) -> Option<([u32; PLACES], usize)> {
    let mut places = [0; PLACES];
    let mut count = 0;
    for (at, _) in left.iter().zip(right).enumerate().filter(|(_, (l, r))| l != r) {
        *places.get_mut(count)? = index(at);
        count += 1;
    }
    (count > 1).then_some((places, count))
}

fn sum(row: &[Token]) -> u64 {
    row.iter().enumerate().fold(row.len() as u64, |sum, (at, &token)| sum.wrapping_add(mix(at, token)))
}
