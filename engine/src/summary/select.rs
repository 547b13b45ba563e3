//! Selection: which facts go into the budget. Token counts of lines add up (see [`crate::tokens`]), so a selection is a sum.

use std::cmp::Ordering;

use super::facts::Section;
use crate::tokens::Encoding;

/// A heading's line.
#[must_use]
pub fn heading(section: Section) -> String {
    format!("## {}\n", section.name())
}

/// A fact, as far as it is chosen by it, with its token counts.
#[derive(Clone, Debug)]
pub struct Priced<'f> {
    /// Where it stands.
    pub section: Section,
    /// What it is worth.
    pub weight: f64,
    /// Its line.
    pub line: &'f str,
    /// Tokens of its line.
    pub tokens: usize,
    /// A shorter line that says the most of it, and its tokens, if there is one.
    pub brief: Option<(usize, String)>,
}

impl Priced<'_> {
    /// The weightier first, and of equals the one whose line is the first.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        other.weight.total_cmp(&self.weight).then_with(|| self.line.cmp(other.line))
    }

    /// What it is worth for each token.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    fn gain(&self) -> f64 {
        self.weight / self.tokens.max(1) as f64
    }
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

/// Tokens that a line takes at least, or nearly so: as many facts are put in order at once as there may be room for.
const LINE: usize = 8;

/// A selection on its way.
struct Choice<'p, 'f> {
    priced: &'p [Priced<'f>],
    /// The line of each fact that stands, and its tokens.
    picked: Vec<Option<(String, usize)>>,
    /// Tokens of the heading of each section; 0 where it stands already.
    headings: [usize; Section::ALL.len()],
    left: usize,
}

impl Choice<'_, '_> {
    /// Tokens that a fact's heading takes yet.
    fn heading(&self, i: usize) -> usize {
        self.headings[self.priced[i].section as usize]
    }

    /// Let a fact stand with a line, in the place of the one it may have; does nothing if that does not fit.
    fn put(&mut self, i: usize, line: &str, tokens: usize) -> bool {
        let (room, cost) = (self.left + self.picked[i].as_ref().map_or(0, |picked| picked.1), tokens + self.heading(i));
        if cost > room {
            return false;
        }
        self.left = room - cost;
        self.headings[self.priced[i].section as usize] = 0;
        self.picked[i] = Some((line.to_owned(), tokens));
        true
    }

    fn take(&mut self, i: usize) {
        if self.picked[i].is_none() {
            self.put(i, self.priced[i].line, self.priced[i].tokens);
        }
    }

    fn cut(&mut self, i: usize, line: &str, encoding: &Encoding) {
        let room = self.left.saturating_sub(self.heading(i));
        if let Some((line, tokens)) = shorten(line, room, encoding) {
            self.put(i, &line, tokens);
        }
    }

    /// The order in which facts are chosen: what is worth the most for its tokens first.
    fn by_gain(&self, (gain, a): (f64, usize), (other, b): (f64, usize)) -> Ordering {
        other.total_cmp(&gain).then_with(|| self.priced[a].order(&self.priced[b])).then(a.cmp(&b))
    }

    /// Take what is worth the most per token, and then whatever still fits. No more is put in order than there may be room
    /// for.
    fn fill(&mut self) {
        let mut rest: Vec<(f64, usize)> = self.priced.iter().map(Priced::gain).zip(0..).collect();
        loop {
            // What does not fit now never will.
            rest.retain(|&(_, i)| self.picked[i].is_none() && self.priced[i].tokens <= self.left);
            let next = rest.len().min(self.left / LINE + 1);
            if next == 0 {
                return;
            }
            if next < rest.len() {
                rest.select_nth_unstable_by(next, |&a, &b| self.by_gain(a, b));
            }
            rest[..next].sort_unstable_by(|&a, &b| self.by_gain(a, b));
            for (_, i) in rest.drain(..next) {
                self.take(i);
            }
        }
    }
}

/// Choose facts for `budget` tokens, headings included, of which `slack` may stay unused.
///
/// Verdicts come first: all of them briefly, or as many as there is room for and the next one cut, then in full as far as
/// that goes. Then the best of each section, then what is worth the most per token, then whatever still fits; and if more
/// than the slack is left, the line of which the most can stand is cut to fill it.
#[must_use]
pub fn select(priced: &[Priced<'_>], budget: usize, slack: usize, encoding: &Encoding) -> Selection {
    let headings = Section::ALL.map(|section| encoding.count(&heading(section)));
    let mut choice = Choice { priced, picked: vec![None; priced.len()], headings, left: budget };
    let order = |&a: &usize, &b: &usize| priced[a].order(&priced[b]).then(a.cmp(&b));
    let mut verdicts: Vec<usize> = (0..priced.len()).filter(|&i| priced[i].section == Section::Wrong).collect();
    verdicts.sort_unstable_by(order);
    for &i in &verdicts {
        let full = (priced[i].tokens, priced[i].line);
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
            choice.put(i, priced[i].line, priced[i].tokens);
        }
    }
    let mut best: [Option<usize>; Section::ALL.len()] = [None; Section::ALL.len()];
    for i in 0..priced.len() {
        let best = &mut best[priced[i].section as usize];
        if best.is_none_or(|best| order(&i, &best).is_lt()) {
            *best = Some(i);
        }
    }
    best.into_iter().flatten().for_each(|best| choice.take(best));
    choice.fill();
    if choice.left > slack {
        let takes = |i: usize| priced[i].tokens + choice.heading(i);
        let gain = |i: usize| (priced[i].gain(), i);
        let left_out = (0..priced.len()).filter(|&i| choice.picked[i].is_none());
        if let Some(i) =
            left_out.min_by(|&a, &b| takes(a).cmp(&takes(b)).then_with(|| choice.by_gain(gain(a), gain(b))))
        {
            choice.cut(i, priced[i].line, encoding);
        }
    }
    let mut stands: Vec<usize> = (0..priced.len()).filter(|&i| choice.picked[i].is_some()).collect();
    stands.sort_unstable_by(|a, b| priced[*a].section.cmp(&priced[*b].section).then_with(|| order(a, b)));
    let tokens = budget - choice.left;
    let stands = stands.into_iter().filter_map(|i| choice.picked[i].take().map(|(line, tokens)| (i, line, tokens)));
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
