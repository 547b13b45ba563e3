//! Rows that differ in how an amount is written: its unit, a list that is longer or shorter, the same amount once more
//! in brackets.

use super::VARIABLE;
use super::table::{Map, Table, map};
use super::tokens::{Kind, Token, Tokens};
use super::words::is_unit;

/// Tokens that a bracket about amounts may hold.
const BRACKET: usize = 8;

/// A row without what belongs to its amounts: the tokens kept, and for each of them where in the row it stood and
/// where what belongs to it ends.
pub(super) struct Bare {
    pub(super) key: Vec<Token>,
    pub(super) ends: Vec<(usize, usize)>,
}

impl Table<'_> {
    /// Joins rows that are equal but for the writing of amounts. Says whether there were any.
    pub(super) fn amounts(&mut self) -> bool {
        let bares: Vec<Bare> = self.rows.iter().map(|row| self.bare(row)).collect();
        let mut alike: Map<&[Token], Vec<usize>> = map();
        for (i, bare) in bares.iter().enumerate() {
            alike.entry(&bare.key).or_default().push(i);
        }
        let mut changed = false;
        let groups: Vec<Vec<usize>> = alike.into_values().filter(|group| group.len() > 1).collect();
        for group in groups {
            let key = &bares[group[0]].key;
            let words = key.iter().filter(|&&token| self.tokens.kind(token).is_word()).count();
            let longer = group.iter().any(|&row| self.rows[row].len() > key.len());
            if words < if longer { 2 } else { 1 } {
                continue;
            }
            let joined = self.join(&group, &bares);
            for row in group {
                self.rows[row].clone_from(&joined);
            }
            changed = true;
        }
        self.fold();
        changed
    }

    pub(super) fn bare(&self, row: &[Token]) -> Bare {
        let mut bare = Bare { key: Vec::with_capacity(row.len()), ends: Vec::with_capacity(row.len()) };
        let mut at = 0;
        while at < row.len() {
            let token = row[at];
            let amount = is_amount(&self.tokens, token);
            bare.key.push(if amount { self.variable(token) } else { token });
            let from = at;
            at += 1;
            loop {
                let more = if amount { following(&self.tokens, &row[at..]) } else { self.again(token, &row[at..]) };
                let length = more.max(bracket(&self.tokens, &row[at..]));
                if length == 0 {
                    break;
                }
                at += length;
            }
            bare.ends.push((from, at));
        }
        bare
    }

    /// Whether a word with a variable in it follows itself, in a list of ids.
    fn again(&self, token: Token, rest: &[Token]) -> usize {
        let listed = self.tokens.kind(token) == Kind::Mixed;
        usize::from(listed && rest.first().is_some_and(|&next| self.tokens.body(next) == self.tokens.body(token)))
    }

    /// Where the second amount of a list begins, with the mark before it.
    fn second(&self, list: &[Token]) -> Option<usize> {
        let open = list.iter().position(|&token| matches!(self.tokens.body(token), "(" | "["));
        let outside = &list[..open.unwrap_or(list.len())];
        let amount = outside.iter().skip(1).position(|&token| is_amount(&self.tokens, token))? + 1;
        let mark = amount > 1 && self.tokens.kind(list[amount - 1]) == Kind::Punctuation;
        Some(amount - usize::from(mark))
    }

    /// The row that all rows of a group match.
    fn join(&mut self, group: &[usize], bares: &[Bare]) -> Vec<Token> {
        let first = &bares[group[0]];
        let mut out = Vec::with_capacity(first.key.len());
        let mut after_gap = false;
        for (i, &(from, to)) in first.ends.iter().enumerate() {
            // What all have in common stays: the amount, its unit where it is always the same, the brackets.
            let own = self.rows[group[0]][from..to].to_vec();
            let others = || group.iter().map(|&row| &self.rows[row][bares[row].ends[i].0..bares[row].ends[i].1]);
            let prefix = others().map(|other| own.iter().zip(other).take_while(|(a, b)| a == b).count()).min();
            let prefix = prefix.unwrap_or(0);
            let shortest = others().map(<[Token]>::len).min().unwrap_or(0);
            let equal = prefix == own.len() && others().all(|other| other.len() == own.len());
            // Of a list that is longer or shorter, one stands for all.
            let listed = if equal { None } else { self.second(&own[..prefix]) };
            let prefix = listed.unwrap_or(prefix);
            let suffix = others()
                .map(|other| own.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count())
                .min()
                .unwrap_or(0)
                .min(shortest - prefix);
            let kept = if prefix == 0 { &first.key[i..=i] } else { &own[..prefix] };
            for (n, &token) in kept.iter().enumerate() {
                // What may be missing takes the spaces on both its sides.
                let text = self.tokens.body(token).to_owned();
                out.push(if after_gap && n == 0 { self.tokens.intern(text.into()) } else { token });
            }
            let gap = !equal && kept.last().is_some_and(|&token| !self.tokens.text(token).ends_with(VARIABLE));
            if gap {
                out.push(self.any[0]);
            }
            let closed = !equal && listed.is_none() && prefix > 0 && suffix > 0;
            if closed {
                out.extend_from_slice(&own[own.len() - suffix..]);
            }
            let gap = gap && !closed;
            after_gap = gap;
        }
        out
    }
}

fn is_amount(tokens: &Tokens<'_>, token: Token) -> bool {
    matches!(tokens.kind(token), Kind::Variable | Kind::Measure)
}

/// How many tokens after an amount belong to it: its unit, or the next of a list.
fn following(tokens: &Tokens<'_>, rest: &[Token]) -> usize {
    match rest {
        [token, ..] if is_amount(tokens, *token) => 1,
        [token, ..] if is_spaced_unit(tokens, *token) => 1,
        [mark, token, ..] if matches!(tokens.text(*mark), "," | ";" | ":" | "/" | "|") && is_amount(tokens, *token) => {
            2
        }
        _ => 0,
    }
}

fn is_spaced_unit(tokens: &Tokens<'_>, token: Token) -> bool {
    let body = tokens.body(token);
    body.len() > 1 && is_unit(body) && tokens.text(token).starts_with(' ')
}

/// The length of a bracket that holds nothing but amounts.
fn bracket(tokens: &Tokens<'_>, rest: &[Token]) -> usize {
    let close = match rest.first().map(|&token| tokens.body(token)) {
        Some("(") => ")",
        Some("[") => "]",
        _ => return 0,
    };
    let Some(end) = rest.iter().take(BRACKET).position(|&token| tokens.body(token) == close) else { return 0 };
    let inside = &rest[1..end];
    let amounts = inside.is_empty() || inside.iter().any(|&token| is_amount(tokens, token));
    let only = inside.iter().all(|&token| !tokens.kind(token).is_word() || is_spaced_unit(tokens, token));
    if amounts && only { end + 1 } else { 0 }
}
