//! Whether the words that stand in one place of otherwise equal messages are values, or make different messages.

use super::VARIABLE;
use super::tokens::{Kind, Token, Tokens};

/// What is known of one place.
#[expect(clippy::struct_excessive_bools, reason = "each is one observation, and any of them may hold with any other")]
pub(super) struct Evidence {
    /// The distinct tokens found there, sorted.
    values: Vec<Token>,
    kinds: Vec<Kind>,
    /// Constant words around the place.
    context: usize,
    /// What stands before it makes it the place of a value (`key=`, a quote).
    introduced: bool,
    /// Within brackets or after a colon.
    enclosed: bool,
    first: bool,
    /// After a word such as `user`.
    named: bool,
    /// All the words are names with few endings after a dot.
    alike: bool,
    /// All are paths or variables.
    paths: bool,
    forms: Vec<String>,
}

/// The weight of a plain word.
const PLAIN: usize = 6;

impl Evidence {
    pub(super) fn of(tokens: &Tokens<'_>, row: &[Token], at: usize, mut values: Vec<Token>) -> Self {
        values.sort_unstable();
        values.dedup();
        let kinds = values.iter().map(|&token| tokens.kind(token)).collect();
        let context = row.iter().enumerate().filter(|&(i, &token)| i != at && tokens.kind(token).is_word()).count();
        let spaced = tokens.text(row[at]).starts_with(' ');
        let before = at.checked_sub(1).map_or("", |i| tokens.body(row[i]));
        let after = row.get(at + 1).map_or("", |&token| tokens.text(token));
        let introduced = before == "=" || (matches!(before, "\"" | "'") && !spaced && before == after);
        let named = row[..at].iter().rev().take(1).any(|&token| introduces(tokens.body(token))) && spaced;
        let enclosed =
            (matches!(before, "(" | "[" | "{") && matches!(after, ")" | "]" | "}")) || (before == ":" && !spaced);
        let mut forms: Vec<String> = values.iter().filter_map(|&token| numbered(tokens.body(token))).collect();
        forms.sort_unstable();
        let mut suffixes: Vec<&str> = values.iter().filter_map(|&token| suffix(tokens.body(token))).collect();
        let masked = values.iter().filter(|&&token| tokens.kind(token) == Kind::Variable).count();
        let ending = suffixes.len();
        suffixes.sort_unstable();
        suffixes.dedup();
        let alike = ending >= 2 && 2 * suffixes.len() <= ending && ending + masked == values.len();
        let paths = values.iter().all(|&token| tokens.body(token).starts_with('/') || tokens.body(token) == VARIABLE);
        Self { alike, paths, values, kinds, context, introduced, enclosed, first: at == 0, named, forms }
    }

    pub(super) fn is_introduced(&self) -> bool {
        self.introduced
    }

    /// Whether the words there are values beyond doubt, wherever else they stand.
    pub(super) fn is_certain(&self) -> bool {
        self.context >= 2 && self.values.len() >= 4 && self.weight(|_| false) >= 2 * self.enough().max(3) * PLAIN
    }

    /// Whether the words are values. `known` tells those that were values elsewhere.
    pub(super) fn is_variable(&self, known: impl Fn(Token) -> bool) -> bool {
        let count = self.values.len();
        let masked = self.count(|kind| matches!(kind, Kind::Variable | Kind::Measure | Kind::Mixed));
        if masked == count {
            return self.context > 0 || !self.kinds.contains(&Kind::Mixed);
        }
        if self.context == 0 {
            return false;
        }
        if self.weight(&known) >= self.enough() * PLAIN {
            return true;
        }
        // A name beside numbers, or names that are values elsewhere, or things of one kind (`a.service`, `b.service`).
        let told = self
            .values
            .iter()
            .zip(&self.kinds)
            .filter(|&(&token, kind)| matches!(kind, Kind::Variable | Kind::Measure) || known(token));
        (self.context >= 2 && 2 * told.count() >= count) || self.alike || (self.paths && masked > 0)
    }

    fn count(&self, of: impl Fn(Kind) -> bool) -> usize {
        self.kinds.iter().filter(|&&kind| of(kind)).count()
    }

    /// How much the words together speak for a value.
    fn weight(&self, known: impl Fn(Token) -> bool) -> usize {
        let weight = |(&token, kind): (&Token, &Kind)| match kind {
            _ if known(token) => 2 * PLAIN,
            Kind::Variable | Kind::Measure | Kind::Mixed => 2 * PLAIN,
            Kind::Name => PLAIN * 3 / 2,
            Kind::Action | Kind::Capitals if !self.introduced => PLAIN / 3,
            _ => PLAIN,
        };
        self.values.iter().zip(&self.kinds).map(weight).sum()
    }

    /// How many plain words it takes.
    fn enough(&self) -> usize {
        if self.introduced {
            return 2;
        }
        let mut enough = match self.context {
            0 | 1 => 10,
            2 => 7,
            3 => 5,
            _ => 4,
        };
        if self.named {
            enough = if self.context >= 3 { 2 } else { enough.min(3) };
        }
        if self.enclosed {
            enough = enough.min(3);
        }
        // Messages begin with what is constant, or with who speaks.
        let names = self.count(|kind| matches!(kind, Kind::Variable | Kind::Measure | Kind::Mixed | Kind::Name));
        if self.first && 2 * names < self.values.len() { 2 * enough } else { enough }
    }

    /// The token's text with its digits variable, where it is not the only one of that form.
    pub(super) fn numbered(&self, tokens: &Tokens<'_>, token: Token) -> Option<String> {
        let form = numbered(tokens.body(token))?;
        let from = self.forms.partition_point(|other| *other < form);
        (self.forms.get(from + 1) == Some(&form)).then_some(form)
    }
}

/// The ending of a name after its last dot.
fn suffix(word: &str) -> Option<&str> {
    let (name, ending) = word.rsplit_once('.')?;
    (!name.is_empty() && ending.len() >= 2 && ending.bytes().all(|b| b.is_ascii_lowercase())).then_some(ending)
}

/// Words after which things are called by their names.
fn introduces(word: &str) -> bool {
    const NOUNS: &str = "account app application bucket channel class client cluster column container database device \
        disk domain feature file flag group host hostname image index interface job key module namespace node package \
        partition plugin pod queue relation role schema server service table task thread topic unit user volume";
    NOUNS.split(' ').any(|noun| noun.eq_ignore_ascii_case(word))
}

/// A word with its digits written `<*>`: what `eth0` and `eth1` have in common.
pub(super) fn numbered(word: &str) -> Option<String> {
    if word == VARIABLE || !word.bytes().any(|b| b.is_ascii_digit()) && !word.contains(VARIABLE) {
        return None;
    }
    let mut out = String::with_capacity(word.len() + 4);
    for c in word.chars() {
        if !c.is_ascii_digit() {
            out.push(c);
        } else if !out.ends_with(VARIABLE) {
            out.push_str(VARIABLE);
        }
    }
    Some(out)
}
