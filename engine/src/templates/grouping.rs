//! From the set of shapes to templates.

use super::table::{Table, index};

/// Rounds of joining; each joins what the round before made alike.
const ROUNDS: usize = 6;

/// Which shapes belong together, and the template of each group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    groups: Vec<u32>,
    templates: Vec<String>,
}

impl Grouping {
    /// Groups distinct shapes. The outcome is a function of their set: the order does not matter, and how often each came is
    /// not asked, so that groups do not come and go with the traffic. Groups are numbered in the order of their templates'
    /// text.
    #[must_use]
    pub fn of(shapes: &[&str]) -> Self {
        let mut table = Table::new(shapes);
        for _ in 0..ROUNDS {
            let joined = table.amounts() | table.one_slot() | table.quotes();
            if !joined && !table.several_slots() && !table.stretches() {
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

impl Table<'_> {
    fn finish(self) -> Grouping {
        let texts: Vec<String> =
            self.rows.iter().map(|row| row.iter().map(|&token| self.tokens.text(token)).collect::<String>()).collect();
        let mut templates = texts.clone();
        templates.sort_unstable();
        templates.dedup();
        let groups =
            self.of.iter().map(|&row| index(templates.binary_search(&texts[row as usize]).unwrap_or(0))).collect();
        Grouping { groups, templates }
    }
}
