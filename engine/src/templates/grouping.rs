//! From the set of shapes to templates.

use std::borrow::Cow;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};

use super::VARIABLE;
use super::evidence::{Evidence, numbered};
use super::tokens::{Kind, Token, Tokens};

/// Words a message may have and still be compared word by word.
const WIDEST: usize = 256;

/// Rounds of joining; each joins what the round before made alike.
const ROUNDS: usize = 6;

/// Rows of equal build that are compared pair by pair.
const PAIRS: usize = 400;

/// Which shapes belong together, and the template of each group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    groups: Vec<u32>,
    templates: Vec<String>,
}

impl Grouping {
    /// Groups shapes, each with the number of its messages. The outcome is a function of the set: neither the order of
    /// the shapes matters, nor how the counts of one shape are divided. Groups are numbered in the order of their
    /// templates' text.
    #[must_use]
    pub fn of(shapes: &[(&str, u64)]) -> Self {
        let mut table = Table::new(shapes);
        for _ in 0..ROUNDS {
            if !table.one_slot() && !table.several_slots() {
                break;
            }
        }
        table.finish()
    }

    /// The group of the shape that stood at `index`.
    #[must_use]
    pub fn group(&self, index: usize) -> u32 {
        self.groups.get(index).copied().unwrap_or(0)
    }

    /// The template of a group: the text that its shapes share, `<*>` where they differ.
    #[must_use]
    pub fn template(&self, group: u32) -> &str {
        self.templates.get(group as usize).map_or("", String::as_str)
    }

    /// All templates, sorted.
    #[must_use]
    pub fn templates(&self) -> &[String] {
        &self.templates
    }
}

type Map<K, V> = HashMap<K, V, FixedState>;

fn map<K, V>() -> Map<K, V> {
    Map::with_hasher(FixedState::with_seed(11))
}

struct Row {
    tokens: Vec<Token>,
    lines: u64,
}

struct Table<'a> {
    tokens: Tokens<'a>,
    rows: Vec<Row>,
    /// The row of each shape.
    of: Vec<u32>,
    /// Words that were values where there was no doubt.
    values: HashSet<String, FixedState>,
}

impl<'a> Table<'a> {
    fn new(shapes: &[(&'a str, u64)]) -> Self {
        let mut tokens = Tokens::new();
        let rows = shapes
            .iter()
            .map(|&(shape, lines)| {
                let mut row = Vec::new();
                tokens.split(shape, &mut row);
                Row { tokens: row, lines }
            })
            .collect();
        let of = (0..u32::try_from(shapes.len()).unwrap_or(u32::MAX)).collect();
        let mut table = Self { tokens, rows, of, values: HashSet::with_hasher(FixedState::with_seed(13)) };
        table.fold();
        table
    }

    /// Makes one row of equal rows.
    fn fold(&mut self) {
        let mut first: Map<&[Token], u32> = map();
        let mut kept: Vec<usize> = Vec::new();
        let to: Vec<u32> = self
            .rows
            .iter()
            .enumerate()
            .map(|(i, row)| {
                *first.entry(&row.tokens).or_insert_with(|| {
                    kept.push(i);
                    u32::try_from(kept.len() - 1).unwrap_or(u32::MAX)
                })
            })
            .collect();
        if kept.len() == self.rows.len() {
            return;
        }
        let mut lines = vec![0_u64; kept.len()];
        for (row, &to) in self.rows.iter().zip(&to) {
            lines[to as usize] = lines[to as usize].saturating_add(row.lines);
        }
        drop(first);
        let mut rows = Vec::with_capacity(kept.len());
        for (&i, lines) in kept.iter().zip(lines) {
            rows.push(Row { tokens: std::mem::take(&mut self.rows[i].tokens), lines });
        }
        self.rows = rows;
        for row in &mut self.of {
            *row = to[*row as usize];
        }
    }

    /// Joins rows that differ in one word, where the words that stand there are values. Says whether any were.
    fn one_slot(&mut self) -> bool {
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
        let mut changes: Vec<(u32, u32, Option<String>)> = Vec::new();
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

    fn several_slots(&mut self) -> bool {
        let _ = (PAIRS, numbered);
        false
    }

    /// What stands for any token where it stands: only the space before it matters.
    fn blank(&self, token: Token) -> Token {
        Token::MAX - Token::from(self.tokens.text(token).starts_with(' '))
    }

    fn finish(self) -> Grouping {
        let texts: Vec<String> = self
            .rows
            .iter()
            .map(|row| row.tokens.iter().map(|&token| self.tokens.text(token)).collect::<String>())
            .collect();
        let mut templates = texts.clone();
        templates.sort_unstable();
        templates.dedup();
        let groups =
            self.of.iter().map(|&row| index(templates.binary_search(&texts[row as usize]).unwrap_or(0))).collect();
        Grouping { groups, templates }
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A hash of a token in its place; those of a row add up, so that one can be taken out again.
fn mix(at: usize, token: Token) -> u64 {
    let mut x = ((at as u64) << 32 | u64::from(token)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
