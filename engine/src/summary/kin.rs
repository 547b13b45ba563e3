//! Kin: messages that one statement of a program may have written.
//!
//! A value that takes one of a few words, a city or the name of a plan, gives its statement a template for each word, and
//! rightly so: `VM started` and `VM paused` are not the same. But when one of them is written less and another as much
//! more, the statement was reached as ever: the callers have asked for something else.

use std::collections::BTreeSet;

use super::view::{SeriesView, View};
use crate::event::Kind;

/// Words that two messages must begin with to be kin.
const WORDS: usize = 3;

/// The families of a view's messages.
#[derive(Debug)]
pub struct Kin {
    /// By series: its family; none, if it is no message.
    family: Vec<Option<usize>>,
    /// By family: the series in it, the first of them in the order of their texts.
    members: Vec<Vec<usize>>,
    /// By series: whether it is an error message.
    error: Vec<bool>,
}

impl Kin {
    /// The messages of a service, and of each of its operations, by how they begin.
    #[must_use]
    pub fn of(view: &View<'_>) -> Self {
        let logs = || view.series.iter().filter(|series| series.key.kind == Kind::Log);
        let messages: BTreeSet<(&str, &str)> = logs().map(|log| (log.key.service, log.key.operation)).collect();
        let errors: BTreeSet<(&str, &str)> =
            logs().filter(|log| is_error(log)).map(|log| (log.key.service, log.key.operation)).collect();
        let mut order: Vec<usize> = (0..view.series.len())
            .filter(|&at| {
                let series = &view.series[at];
                matches!(series.key.kind, Kind::Log | Kind::Step)
                    && messages.contains(&(series.key.service, series.key.operation))
            })
            .collect();
        let place = |at: usize| {
            let key = view.series[at].key;
            (key.kind, key.service, key.within, key.operation)
        };
        order.sort_unstable_by_key(|&at| place(at));
        let error =
            view.series.iter().map(|series| errors.contains(&(series.key.service, series.key.operation))).collect();
        let mut kin = Self { family: vec![None; view.series.len()], members: Vec::new(), error };
        for part in
            order.chunk_by(|&a, &b| place(a).0 == place(b).0 && place(a).1 == place(b).1 && place(a).2 == place(b).2)
        {
            // What all of them begin with says nothing of any.
            let text = |at: usize| view.series[at].key.operation;
            let all = part.first().zip(part.last()).map_or(0, |(&first, &last)| begin(text(first), text(last)));
            let mut last: Option<usize> = None;
            for &at in part {
                if !last.is_some_and(|last| alike(&text(last)[all..], &text(at)[all..])) {
                    kin.members.push(Vec::new());
                }
                let family = kin.members.len() - 1;
                kin.family[at] = Some(family);
                kin.members[family].push(at);
                last = Some(at);
            }
        }
        kin
    }

    /// Whether a series is an error message.
    #[must_use]
    pub fn is_error(&self, at: usize) -> bool {
        self.error[at]
    }

    /// The messages of the same family that are errors, or that are none, as the series itself; it is among them.
    pub fn of_series(&self, at: usize) -> impl Iterator<Item = usize> + Clone + '_ {
        let family = self.family[at].map_or(&[][..], |family| &self.members[family]);
        family.iter().copied().filter(move |&other| self.error[other] == self.error[at])
    }
}

/// Whether most records of a message are errors.
fn is_error(log: &SeriesView<'_>) -> bool {
    let (all, errors) = (log.before.count + log.now.count, log.before.errors + log.now.errors);
    errors * 2 > all
}

/// Bytes of the whole words that two texts both begin with; none if one of them is the other's beginning.
fn begin(a: &str, b: &str) -> usize {
    let common = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    a.as_bytes()[..common]
        .iter()
        .rposition(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric())
        .map_or(0, |at| at + 1)
}

/// Whether two messages begin alike: with three words, or with more than half of the shorter.
fn alike(a: &str, b: &str) -> bool {
    let common = begin(a, b);
    let words =
        a[..common].split_whitespace().filter(|word| !word.contains("<*>") && word.contains(char::is_alphabetic));
    words.count() >= WORDS || common * 2 > a.len().min(b.len())
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use super::*;

    #[test]
    fn alike__the_last_word_differs__yes() {
        assert!(alike("trains of type Express found", "trains of type Local found"));
        assert!(alike("city: Oslo", "city: Bergen"));
        assert!(!alike("charge accepted", "refund accepted"));
        assert!(!alike("started <*>", "stopped <*>"));
    }
}
