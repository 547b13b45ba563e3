//! Selection: which facts go into the budget. Token counts of lines add up (see [`crate::tokens`]), so a selection is a sum.

use super::facts::{Fact, Section};
use crate::tokens::Encoding;

/// A heading's line.
#[must_use]
pub fn heading(section: Section) -> String {
    format!("## {}\n", section.name())
}

/// Facts with their token counts.
pub struct Priced {
    /// The fact.
    pub fact: Fact,
    /// Tokens of its line.
    pub tokens: usize,
}

/// What was chosen: places in the list of facts, in the order in which they stand, and the tokens of it all.
#[derive(Debug, Default)]
pub struct Selection {
    /// Indices into the priced facts.
    pub chosen: Vec<usize>,
    /// The last one, cut to what was left, if any.
    pub cut: Option<(usize, String)>,
    /// Tokens of the lines and their headings.
    pub tokens: usize,
}

/// Choose facts for `budget` tokens, headings included.
///
/// Verdicts come first, then the best of each section, then what is worth the most per token, then whatever still fits, and
/// at the end one line that is cut to fill the rest. `open` are sections whose heading stands already.
#[must_use]
pub fn select(priced: &[Priced], budget: usize, open: &[Section], encoding: &Encoding) -> Selection {
    let mut headings = [0usize; Section::ALL.len()];
    for section in Section::ALL {
        if !open.contains(&section) {
            headings[section as usize] = encoding.count(&heading(section));
        }
    }
    let mut picked = vec![false; priced.len()];
    let mut used = 0;
    let mut take = |i: usize, used: &mut usize, picked: &mut Vec<bool>| {
        let each = &priced[i];
        let cost = each.tokens + headings[each.fact.section as usize];
        if picked[i] || *used + cost > budget {
            return;
        }
        *used += cost;
        headings[each.fact.section as usize] = 0;
        picked[i] = true;
    };
    let mut order: Vec<usize> = (0..priced.len()).collect();
    order.sort_by(|&a, &b| {
        priced[b]
            .fact
            .weight
            .total_cmp(&priced[a].fact.weight)
            .then_with(|| priced[a].fact.line.cmp(&priced[b].fact.line))
    });
    for &i in order.iter().filter(|&&i| priced[i].fact.section == Section::Wrong) {
        take(i, &mut used, &mut picked);
    }
    for section in Section::ALL {
        if let Some(&best) = order.iter().find(|&&i| priced[i].fact.section == section) {
            take(best, &mut used, &mut picked);
        }
    }
    #[allow(clippy::cast_precision_loss)]
    let gain = |i: usize| priced[i].fact.weight / priced[i].tokens.max(1) as f64;
    let mut by_gain = order.clone();
    by_gain.sort_by(|&a, &b| gain(b).total_cmp(&gain(a)));
    for &i in &by_gain {
        take(i, &mut used, &mut picked);
    }
    let cut = order.iter().find(|&&i| !picked[i] && priced[i].fact.section != Section::Wrong).and_then(|_| {
        // The worthiest that was left out and whose section can still be opened.
        order.iter().filter(|&&i| !picked[i]).find_map(|&i| {
            let room = budget.checked_sub(used + headings[priced[i].fact.section as usize])?;
            let (line, tokens) = shorten(&priced[i].fact.line, room, encoding)?;
            used += tokens + headings[priced[i].fact.section as usize];
            Some((i, line))
        })
    });
    let mut chosen: Vec<usize> = order.into_iter().filter(|&i| picked[i]).collect();
    chosen.sort_by_key(|&i| priced[i].fact.section);
    Selection { chosen, cut, tokens: used }
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
