//! Selection: which facts go into the budget. Token counts of lines add up (see [`crate::tokens`]), so a selection is a sum.

use super::facts::{Fact, Section};
use crate::tokens::Encoding;

/// A heading's line.
#[must_use]
pub fn heading(section: Section) -> String {
    format!("## {}\n", section.name())
}

/// A fact with its token counts.
pub struct Priced {
    /// The fact.
    pub fact: Fact,
    /// Tokens of its line.
    pub tokens: usize,
    /// A shorter line that says the most of it, and its tokens, if there is one.
    pub brief: Option<(usize, String)>,
}

/// What was chosen.
#[derive(Debug, Default)]
pub struct Selection {
    /// Place in the list of facts, line and its tokens, in the order in which they stand.
    pub lines: Vec<(usize, String, usize)>,
    /// Tokens of the lines and their headings.
    pub tokens: usize,
}

/// Tokens below which a verdict is not worth cutting: its service and what is wrong with it would not fit.
const CUT: usize = 12;

/// A selection on its way.
struct Choice<'p> {
    priced: &'p [Priced],
    /// The line of each fact that stands, and its tokens.
    picked: Vec<Option<(String, usize)>>,
    /// Tokens of the heading of each section; 0 where it stands already.
    headings: [usize; Section::ALL.len()],
    left: usize,
}

impl Choice<'_> {
    /// Tokens that a fact's heading takes yet.
    fn heading(&self, i: usize) -> usize {
        self.headings[self.priced[i].fact.section as usize]
    }

    /// Let a fact stand with a line, in the place of the one it may have; does nothing if that does not fit.
    fn put(&mut self, i: usize, line: &str, tokens: usize) -> bool {
        let (room, cost) = (self.left + self.picked[i].as_ref().map_or(0, |picked| picked.1), tokens + self.heading(i));
        if cost > room {
            return false;
        }
        self.left = room - cost;
        self.headings[self.priced[i].fact.section as usize] = 0;
        self.picked[i] = Some((line.to_owned(), tokens));
        true
    }

    fn take(&mut self, i: usize) {
        if self.picked[i].is_none() {
            self.put(i, &self.priced[i].fact.line, self.priced[i].tokens);
        }
    }

    fn cut(&mut self, i: usize, line: &str, encoding: &Encoding) {
        let room = self.left.saturating_sub(self.heading(i));
        if let Some((line, tokens)) = shorten(line, room, encoding) {
            self.put(i, &line, tokens);
        }
    }
}

/// Choose facts for `budget` tokens, headings included, of which `slack` may stay unused.
///
/// Verdicts come first: all of them briefly, or as many as there is room for and the next one cut, then in full as far as
/// that goes. Then the best of each section, then what is worth the most per token, then whatever still fits; and if more
/// than the slack is left, the line of which the most can stand is cut to fill it.
#[must_use]
pub fn select(priced: &[Priced], budget: usize, slack: usize, encoding: &Encoding) -> Selection {
    let headings = Section::ALL.map(|section| encoding.count(&heading(section)));
    let mut choice = Choice { priced, picked: vec![None; priced.len()], headings, left: budget };
    let mut order: Vec<usize> = (0..priced.len()).collect();
    order.sort_by(|&a, &b| {
        let [a, b] = [a, b].map(|i| &priced[i].fact);
        b.weight.total_cmp(&a.weight).then_with(|| a.line.cmp(&b.line))
    });
    let verdicts: Vec<usize> = order.iter().copied().filter(|&i| priced[i].fact.section == Section::Wrong).collect();
    for &i in &verdicts {
        let full = (priced[i].tokens, &priced[i].fact.line);
        let (tokens, line) = priced[i].brief.as_ref().map_or(full, |brief| (brief.0, &brief.1));
        if !choice.put(i, line, tokens) {
            if choice.left >= CUT + choice.heading(i) {
                choice.cut(i, line, encoding);
            }
            break;
        }
    }
    for &i in &verdicts {
        // One that was cut is at the end of the room.
        if choice.picked[i].is_some() {
            choice.put(i, &priced[i].fact.line, priced[i].tokens);
        }
    }
    for section in Section::ALL {
        if let Some(&best) = order.iter().find(|&&i| priced[i].fact.section == section) {
            choice.take(best);
        }
    }
    #[allow(clippy::cast_precision_loss)]
    let gain = |i: usize| priced[i].fact.weight / priced[i].tokens.max(1) as f64;
    let mut by_gain: Vec<(f64, usize)> = order.iter().map(|&i| (gain(i), i)).collect();
    by_gain.sort_by(|a, b| b.0.total_cmp(&a.0));
    by_gain.iter().for_each(|&(_, i)| choice.take(i));
    if choice.left > slack {
        let left_out = by_gain.iter().map(|&(_, i)| i).filter(|&i| choice.picked[i].is_none());
        if let Some(i) = left_out.min_by_key(|&i| priced[i].tokens + choice.heading(i)) {
            choice.cut(i, &priced[i].fact.line, encoding);
        }
    }
    order.sort_by_key(|&i| priced[i].fact.section);
    let tokens = budget - choice.left;
    let stands = order.into_iter().filter_map(|i| choice.picked[i].take().map(|(line, tokens)| (i, line, tokens)));
    Selection { lines: stands.collect(), tokens }
}

/// As much of a line as takes at most `room` tokens, `…` and newline included; nothing where not even a word fits.
fn shorten(line: &str, room: usize, encoding: &Encoding) -> Option<(String, usize)> {
    if room < 3 {
        return None;
    }
    let mut end = encoding.truncate(line.trim_end(), room).len();
    loop {
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        let kept = line[..end].trim_end();
        if kept.is_empty() {
            return None;
        }
        let cut = format!("{kept}…\n");
        let tokens = encoding.count(&cut);
        if tokens <= room {
            return Some((cut, tokens));
        }
        end = kept.len() - 1;
    }
}
