//! Groupings that were made before: the shapes of most services are the same from one second to the next, and joining them
//! takes longer than all else that is done with them.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::FixedState;

use super::Grouping;

/// Groupings by a hash of their shapes, those that were asked for the last time.
#[derive(Debug, Default)]
pub struct Known(Mutex<HashMap<u64, Arc<Grouping>>>);

impl Known {
    /// The grouping of each set of distinct shapes, made anew where they are not as the last time.
    #[must_use]
    pub fn of(&self, sets: &[&[&str]]) -> Vec<Arc<Grouping>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = HashMap::with_capacity(sets.len());
        let mut found = Vec::with_capacity(sets.len());
        for shapes in sets {
            let hash = FixedState::with_seed(23).hash_one(shapes);
            let grouping = now
                .entry(hash)
                .or_insert_with(|| known.remove(&hash).unwrap_or_else(|| Arc::new(Grouping::of(shapes))));
            found.push(Arc::clone(grouping));
        }
        *known = now;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known__same_shapes_again__same_grouping_and_others__their_own() {
        let known = Known::default();
        let (one, other) = (["user ann left", "user bob left", "user cid left", "user dan left"], ["up", "down"]);
        let first = known.of(&[&one, &other]);
        let second = known.of(&[&other, &one]);
        assert!(Arc::ptr_eq(&first[0], &second[1]) && Arc::ptr_eq(&first[1], &second[0]));
        assert_eq!(*first[0], Grouping::of(&one));
        let third = known.of(&[&one[..2]]);
        assert_eq!(*third[0], Grouping::of(&one[..2]));
    }
}
