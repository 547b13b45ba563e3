//! Whether the words that stand in one place of otherwise equal messages are values, or make different messages.

use super::VARIABLE;
use super::tokens::{Kind, Token, Tokens};

/// What is known of one place.
pub(super) struct Evidence {
    /// The distinct tokens found there, sorted, with their lines.
    values: Vec<(Token, u64)>,
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
    forms: Vec<String>,
}

impl Evidence {
    pub(super) fn of(tokens: &Tokens<'_>, row: &[Token], at: usize, mut values: Vec<(Token, u64)>) -> Self {
        values.sort_unstable();
        let kinds = values.iter().map(|&(token, _)| tokens.kind(token)).collect();
        let context = row.iter().enumerate().filter(|&(i, &token)| i != at && tokens.kind(token).is_word()).count();
        let spaced = tokens.text(row[at]).starts_with(' ');
        let before = at.checked_sub(1).map_or("", |i| tokens.body(row[i]));
        let after = row.get(at + 1).map_or("", |&token| tokens.text(token));
        let introduced = before == "=" || (matches!(before, "\"" | "'") && !spaced && before == after);
        let named = row[..at].iter().rev().take(1).any(|&token| introduces(tokens.body(token))) && spaced;
        let enclosed =
            (matches!(before, "(" | "[" | "{") && matches!(after, ")" | "]" | "}")) || (before == ":" && !spaced);
        let mut forms: Vec<String> = values.iter().filter_map(|&(token, _)| numbered(tokens.body(token))).collect();
        forms.sort_unstable();
        Self { values, kinds, context, introduced, enclosed, first: at == 0, named, forms }
    }

    /// Whether the place holds so many words that each of them is known to be a value wherever it stands.
    pub(super) fn is_certain(&self) -> bool {
        self.context >= 2 && self.values.len() >= 2 * self.enough().max(4)
    }

    /// Whether the words are values. `known` tells those that were values elsewhere.
    pub(super) fn is_variable(&self, known: impl Fn(Token) -> bool) -> bool {
        let count = self.values.len();
        if self.kinds.iter().all(|kind| matches!(kind, Kind::Variable | Kind::Measure | Kind::Mixed)) {
            return self.context > 0 || !self.kinds.contains(&Kind::Mixed);
        }
        if self.context == 0 {
            return false;
        }
        if count >= self.enough() {
            return true;
        }
        // A name beside numbers, or names that are values elsewhere.
        let told = self
            .values
            .iter()
            .zip(&self.kinds)
            .filter(|((token, _), kind)| matches!(kind, Kind::Variable | Kind::Measure) || known(*token));
        self.context >= 2 && 2 * told.count() >= count
    }

    /// How many distinct words it takes.
    fn enough(&self) -> usize {
        if self.introduced {
            return 2;
        }
        let enough = match self.context {
            0 => usize::MAX,
            1 => 10,
            2 => 7,
            3 => 5,
            _ => 4,
        };
        let enough = if self.named && self.context >= 3 { 2 } else { enough };
        let enough = if self.enclosed { enough.min(3) } else { enough };
        // Messages begin with what is constant, or with who speaks.
        let enough = if self.first { enough.saturating_mul(2) } else { enough };
        let named = self.kinds.iter().filter(|kind| matches!(kind, Kind::Action | Kind::Capitals)).count();
        if 2 * named >= self.values.len() { enough.saturating_mul(3) } else { enough }
    }

    /// The token's text with its digits variable, where it is not the only one of that form.
    pub(super) fn numbered(&self, tokens: &Tokens<'_>, token: Token) -> Option<String> {
        let form = numbered(tokens.body(token))?;
        let from = self.forms.partition_point(|other| *other < form);
        (self.forms.get(from + 1) == Some(&form)).then_some(form)
    }
}

/// Words after which things are called by their names.
fn introduces(word: &str) -> bool {
    const NOUNS: [&str; 40] = [
        "account",
        "app",
        "application",
        "bucket",
        "class",
        "client",
        "cluster",
        "column",
        "container",
        "database",
        "device",
        "disk",
        "domain",
        "file",
        "group",
        "host",
        "hostname",
        "image",
        "index",
        "interface",
        "job",
        "key",
        "module",
        "namespace",
        "node",
        "package",
        "plugin",
        "pod",
        "queue",
        "relation",
        "schema",
        "server",
        "service",
        "table",
        "task",
        "thread",
        "topic",
        "unit",
        "user",
        "volume",
    ];
    NOUNS.binary_search(&word).is_ok()
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
