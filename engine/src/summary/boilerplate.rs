//! What nearly all messages of a service begin with, a prefix of its logger, says nothing of any one of them: it is left out.

use std::collections::BTreeMap;

use super::view::View;
use super::words;
use crate::event::Kind;
use crate::state::series::Key;

/// Messages a service must have before what they share is told from what they say.
const LEAST: usize = 4;

/// Bytes below which leaving something out gains nothing.
const SHORT: usize = 8;

/// The common beginning of the messages of each service.
#[derive(Debug)]
pub struct Boilerplate<'v> {
    beginnings: BTreeMap<&'v str, &'v str>,
}

impl<'v> Boilerplate<'v> {
    /// The longest beginning that two thirds of a service's messages share.
    #[must_use]
    pub fn of(view: &View<'v>) -> Self {
        // Series are in the order of their keys, so a service's texts are in order too.
        let messages = view.by_service().filter_map(|all| {
            let texts = all.iter().filter(|series| series.key.kind == Kind::Log).map(|series| series.key.operation);
            let texts: Vec<&'v str> = texts.collect();
            (texts.len() >= LEAST).then(|| (all[0].key.service, texts))
        });
        let beginnings = messages.filter_map(|(service, texts)| {
            let most = (texts.len() * 2).div_ceil(3);
            let shared =
                texts.windows(most).map(|part| shared(part[0], part[most - 1])).max_by_key(|text| text.len())?;
            (shared.len() >= SHORT).then_some((service, shared))
        });
        Self { beginnings: beginnings.collect() }
    }

    /// What the messages of a series' service begin with, if it is one and they do.
    #[must_use]
    pub fn beginning(&self, key: Key<&str>) -> Option<&'v str> {
        matches!(key.kind, Kind::Log | Kind::Failure).then(|| self.beginnings.get(key.service).copied()).flatten()
    }

    /// A message, quoted, without what it shares with the others of its service.
    #[must_use]
    pub fn quote(&self, key: Key<&str>) -> String {
        let rest = self.beginnings.get(key.service).and_then(|&begin| key.operation.strip_prefix(begin));
        match rest.filter(|rest| !rest.is_empty()) {
            Some(rest) => words::quote(&format!("…{rest}")),
            None => words::quote(key.operation),
        }
    }
}

/// The whole words that two texts both begin with, up to a space.
fn shared<'a>(a: &'a str, b: &str) -> &'a str {
    let common = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let end = a.as_bytes()[..common].iter().rposition(|&byte| byte == b' ').map_or(0, |at| at + 1);
    &a[..end]
}

#[cfg(test)]
#[allow(non_snake_case)]
mod tests {
    use super::*;

    #[test]
    fn shared__whole_words_only() {
        assert_eq!(shared("id: <*> charge accepted", "id: <*> charge refused"), "id: <*> charge ");
        assert_eq!(shared("accepted", "accept"), "");
    }
}
