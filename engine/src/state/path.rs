//! The critical path of a trace: what it waited for, from its beginning to its end.
//!
//! In: spans, and which of them are below which. Out: the stretches of the path, each with the span whose own time it is. It is
//! walked from the end: of the children of a span that were running, the one that ended last is what it waited for, and
//! what ran before that one began, what that one waited for (the critical path of Jaeger and of `CRISP`, Uber 2022). A child
//! that goes on after its parent is cut off where the parent ends.

use super::joins::OpenSpan;

/// A span that is being followed.
#[derive(Clone, Copy, Debug)]
struct Frame {
    span: u32,
    /// Nanoseconds since the epoch at which it is met: where it begins, or its parent does.
    begin: i64,
    /// Nanoseconds since the epoch from which on the path is known.
    until: i64,
    /// Nanoseconds by which the root's clock is ahead of its own.
    shift: i64,
    /// Where its children that are still to come begin among all that are.
    children: usize,
}

/// Walks paths one after the other; its buffers are kept between them.
#[derive(Debug, Default)]
pub struct Walk {
    frames: Vec<Frame>,
    children: Vec<u32>,
}

/// What a walk comes by, from the end of the path to its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// The path leads through a span, and what is below that, for so many nanoseconds.
    Through(u32, u64),
    /// From one nanosecond to another it is the span's own.
    Own(u32, i64, i64),
}

impl Walk {
    /// Walk the path through the span at a place; `children` appends the places of those below one, log records left out, and
    /// `shifts` has by how many nanoseconds each would be later by its parent's clock. Times are those of the root's clock.
    pub fn walk(
        &mut self,
        spans: &[OpenSpan],
        shifts: &[i64],
        root: u32,
        children: impl Fn(u32, &mut Vec<u32>),
        mut met: impl FnMut(Met),
    ) {
        let times = |i: u32, shift: i64| {
            let span = &spans[i as usize];
            [span.start, span.end].map(|time| time.saturating_add(shift))
        };
        self.children.clear();
        met(Met::Through(root, spans[root as usize].took()));
        self.open((spans, shifts), root, times(root, 0), 0, &children);
        while let Some(Frame { span, begin: start, until, shift, children: from }) = self.frames.last_mut() {
            if self.children.len() == *from {
                if *until > *start {
                    met(Met::Own(*span, *start, *until));
                }
                self.frames.pop();
                continue;
            }
            let Some(child) = self.children.pop() else { break };
            let shift = shift.saturating_add(shifts[child as usize]);
            let [begin, end] = times(child, shift);
            let (begin, end) = (begin.max(*start), end.min(*until));
            if end <= begin {
                continue;
            }
            if *until > end {
                met(Met::Own(*span, end, *until));
            }
            *until = begin;
            met(Met::Through(child, end.abs_diff(begin)));
            self.open((spans, shifts), child, [begin, end], shift, &children);
        }
    }

    /// Follow a span from a time to another, of its children first the one that ends last, and of those that end together the
    /// longest.
    fn open(
        &mut self,
        (spans, shifts): (&[OpenSpan], &[i64]),
        span: u32,
        [begin, until]: [i64; 2],
        shift: i64,
        children: impl Fn(u32, &mut Vec<u32>),
    ) {
        let from = self.children.len();
        children(span, &mut self.children);
        let order = |&child: &u32| {
            let (child, shift) = (&spans[child as usize], shifts[child as usize]);
            let [start, end] = [child.start, child.end].map(|time| time.saturating_add(shift));
            (end, std::cmp::Reverse(start), child.id)
        };
        self.children[from..].sort_unstable_by_key(order);
        self.frames.push(Frame { span, begin, until, shift, children: from });
    }
}

/// Nanoseconds that are added, or taken back.
#[must_use]
pub fn signed(ns: u64, sign: i32) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX).saturating_mul(sign.into())
}

#[cfg(test)]
#[allow(non_snake_case, clippy::cast_possible_truncation)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Spans, each below one before it: parent, start, length.
    fn trace(parts: &[(usize, i64, i64)]) -> (Vec<OpenSpan>, Vec<Vec<u32>>) {
        let (mut spans, mut below) = (Vec::new(), vec![Vec::new(); parts.len()]);
        for (i, &(parent, start, length)) in parts.iter().enumerate() {
            if i > 0 {
                below[parent % i].push(i as u32);
            }
            let id = i as u64 + 1;
            let (parent, series, service) = (0, 0, 0);
            spans.push(OpenSpan {
                start,
                end: start + length,
                id,
                parent,
                series,
                service,
                failed: false,
                mark: false,
            });
        }
        (spans, below)
    }

    fn walked(spans: &[OpenSpan], below: &[Vec<u32>]) -> Vec<Met> {
        let mut met = Vec::new();
        let shifts = vec![0; spans.len()];
        Walk::default().walk(
            spans,
            &shifts,
            0,
            |i, found| found.extend_from_slice(&below[i as usize]),
            |each| met.push(each),
        );
        met
    }

    #[test]
    fn walk__calls_one_after_the_other_and_at_once__what_was_waited_for() {
        // A root of 100 ns: a call of 10..40; then 50..90 with one below it of 60..80, and at once one of 50..70.
        let (spans, below) = trace(&[(0, 0, 100), (0, 10, 30), (0, 50, 40), (2, 60, 20), (0, 50, 20)]);
        let own = [
            Met::Through(0, 100),
            Met::Own(0, 90, 100),
            Met::Through(2, 40),
            Met::Own(2, 80, 90),
            Met::Through(3, 20),
            Met::Own(3, 60, 80),
            Met::Own(2, 50, 60),
            Met::Own(0, 40, 50),
            Met::Through(1, 30),
            Met::Own(1, 10, 40),
            Met::Own(0, 0, 10),
        ];
        assert_eq!(walked(&spans, &below), own);
    }

    #[test]
    fn walk__call_that_goes_on_after_its_caller__cut_off_there() {
        let (spans, below) = trace(&[(0, 0, 100), (0, 80, 50), (0, 120, 10)]);
        let met = [Met::Through(0, 100), Met::Through(1, 20), Met::Own(1, 80, 100), Met::Own(0, 0, 80)];
        assert_eq!(walked(&spans, &below), met);
    }

    proptest! {
        #[test]
        fn walk__any_spans__each_nanosecond_of_the_root_is_told_of_one_span(
            parts in prop::collection::vec((any::<usize>(), 0i64..60, 0i64..60), 1..30)
        ) {
            let (spans, below) = trace(&parts);
            let met = walked(&spans, &below);
            let (mut until, mut own) = (spans[0].end, vec![0; spans.len()]);
            let mut through = vec![0; spans.len()];
            for each in &met {
                match *each {
                    Met::Own(i, from, to) => {
                        prop_assert!(from < to && to == until);
                        until = from;
                        own[i as usize] += to.abs_diff(from);
                    }
                    Met::Through(i, ns) => through[i as usize] += ns,
                }
            }
            prop_assert_eq!(until, spans[0].start);
            for (i, below) in below.iter().enumerate() {
                prop_assert_eq!(through[i], own[i] + below.iter().map(|&child| through[child as usize]).sum::<u64>());
            }
        }
    }
}
