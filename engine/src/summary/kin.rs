//! Kin: messages that one statement of a program may have written.
//!
//! A value that takes one of a few words, a city or the name of a plan, gives its statement a template for each word, and
//! rightly so: `VM started` and `VM paused` are not the same. But when one of them is written less and another as much
//! more, the statement was reached as ever: the callers have asked for something else.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ops::Range;

use super::view::{SeriesView, View};
use crate::event::Kind;

/// Words that two messages must begin with to be kin.
const WORDS: usize = 3;

/// The families of a view's messages.
#[derive(Debug)]
pub struct Kin<'v> {
    view: &'v View<'v>,
    /// By series: whether it is an error message.
    error: Vec<bool>,
    /// By service: the first of its series, and their families, found when they are asked for.
    services: Vec<(usize, OnceCell<Families>)>,
}

/// The families of one service.
#[derive(Debug)]
struct Families {
    /// Its messages, family by family.
    members: Vec<usize>,
    /// By series of the service: where its family is among them; empty, if it is no message.
    family: Vec<Range<usize>>,
}

impl<'v> Kin<'v> {
    /// The messages of a service, and of each of its operations, by how they begin.
    #[must_use]
    pub fn of(view: &'v View<'v>) -> Self {
        let mut error = Vec::with_capacity(view.series.len());
        for alike in view.by_name() {
            let failing = alike.iter().any(|series| series.key.kind == Kind::Log && is_error(series));
            error.resize(error.len() + alike.len(), failing);
        }
        let mut begin = 0;
        let services = view.by_service().map(|all| {
            begin += all.len();
            (begin - all.len(), OnceCell::new())
        });
        Self { view, error, services: services.collect() }
    }

    /// Whether a series is an error message.
    #[must_use]
    pub fn is_error(&self, at: usize) -> bool {
        self.error[at]
    }

    /// The messages of the same family that are errors, or that are none, as the series itself; it is among them.
    pub fn of_series(&self, at: usize) -> impl Iterator<Item = usize> + Clone + '_ {
        let service = self.services.partition_point(|service| service.0 <= at) - 1;
        let begin = self.services[service].0;
        let end = self.services.get(service + 1).map_or(self.view.series.len(), |next| next.0);
        let families = self.services[service].1.get_or_init(|| Families::of(&self.view.series[begin..end]));
        let family = &families.members[families.family[at - begin].clone()];
        family.iter().map(move |other| begin + other).filter(move |&other| self.error[other] == self.error[at])
    }
}

impl Families {
    /// Those of a service's series.
    fn of(series: &[SeriesView<'_>]) -> Self {
        let key = |at: usize| series[at].key;
        // Messages are in the order of their texts.
        let mut members: Vec<usize> = (0..series.len()).filter(|&at| key(at).kind == Kind::Log).collect();
        let messages: BTreeSet<&str> = members.iter().map(|&at| key(at).operation).collect();
        let is_message = |&at: &usize| key(at).kind == Kind::Step && messages.contains(key(at).operation);
        let mut steps: Vec<usize> = (0..series.len()).filter(is_message).collect();
        steps.sort_unstable_by_key(|&at| (key(at).within, key(at).operation));
        members.extend(steps);
        let mut family = vec![0..0; series.len()];
        let mut end = 0;
        for part in members.chunk_by(|&a, &b| key(a).kind == key(b).kind && key(a).within == key(b).within) {
            // What all of them begin with says nothing of any.
            let text = |at: usize| key(at).operation;
            let all = part.first().zip(part.last()).map_or(0, |(&first, &last)| begin(text(first), text(last)));
            for alike in part.chunk_by(|&a, &b| alike(&text(a)[all..], &text(b)[all..])) {
                alike.iter().for_each(|&at| family[at] = end..end + alike.len());
                end += alike.len();
            }
        }
        Self { members, family }
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
