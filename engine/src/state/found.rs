//! What was found by looking at two sums of a series, kept for as long as these are the same.

use super::series::SeriesId;

/// Findings, each with the sums it is of.
#[derive(Debug)]
pub struct Found<T> {
    /// By series.
    kept: Vec<([u64; 2], T)>,
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self { kept: Vec::new() }
    }
}

impl<T: Copy + Default> Found<T> {
    /// What is found of a series by its sums, which are told by their numbers; those without one are looked at each time.
    pub fn get(&mut self, id: SeriesId, of: [u64; 2], find: impl FnOnce() -> T) -> T {
        if of.contains(&0) {
            return find();
        }
        let at = id as usize;
        if self.kept.len() <= at {
            self.kept.resize_with(at + 1, Default::default);
        }
        let kept = &mut self.kept[at];
        if kept.0 != of {
            *kept = (of, find());
        }
        kept.1
    }

    /// Bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.kept.capacity() * size_of::<([u64; 2], T)>()
    }
}
