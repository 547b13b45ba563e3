//! Calls in the lanes (threads, requests) they are nested in: when one is left, how long it took and how much of that was
//! spent in no call below.
//!
//! Three kinds of records are understood: enter and leave, in order; and calls that are written whole, either when they
//! end (a caller after what it called) or sorted by their start (a caller before). Of the first and the second the nesting
//! gives own times; a call that comes before what it calls is given an id, and what it calls that id as its parent.

use serde::{Deserialize, Serialize};

use super::bounded::Bounded;

/// Lanes that are remembered.
const LANES: usize = 4_096;

/// Calls that are open in one lane; deeper ones are passed over.
const DEPTH: usize = 1_024;

/// Calls that are open in all lanes.
const OPEN: usize = 65_536;

/// Whole calls in a lane that one which ends later may have made; more are taken together.
const WAITING: usize = 128;

/// Bytes of a name that are kept while a call is open.
const NAME: usize = 512;

/// Open calls of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stacks {
    lanes: Bounded<u64, Lane>,
    /// Calls that are open in all of them.
    open: usize,
    unpaired: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Lane {
    open: Vec<Frame>,
    /// Calls entered beyond the limit of depth.
    deeper: u64,
    whole: Vec<Whole>,
    /// Whole calls so far: what tells their ids apart.
    count: u64,
}

/// A call that was entered and not left yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Frame {
    name: String,
    /// Nanoseconds, by the clock of the stream.
    start: i64,
    /// Nanoseconds of the calls it made that were left.
    below: u64,
    /// A call around it was left, and it was not: its end may be missing, or come in the wrong order.
    overdue: bool,
}

/// A call that came whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Whole {
    start: i64,
    end: i64,
    /// Nanoseconds it took: less than from start to end where several are taken together.
    took: u64,
    id: u64,
    trace: u64,
}

/// What is known of a call when it was left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Call {
    /// As it was entered.
    pub(super) name: String,
    /// Nanoseconds.
    pub(super) took: u64,
    /// Nanoseconds of it spent in no call below.
    pub(super) own: u64,
}

/// What is known of a call that came whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Nanoseconds spent in no call below, if these came before it.
    pub(super) own: Option<u64>,
    /// Its own id, that of the call it was made in (0 if none is known) and that of the outermost one.
    pub(super) id: u64,
    pub(super) parent: u64,
    pub(super) trace: u64,
}

impl Stacks {
    /// Ends without a beginning, beginnings that were given up, and lanes that had to be forgotten.
    pub(super) const fn unpaired(&self) -> u64 {
        self.unpaired + self.lanes.forgotten()
    }

    /// An end that has no beginning, or a beginning of which too little is known.
    pub(super) const fn odd(&mut self) {
        self.unpaired += 1;
    }

    /// Let lanes go that were quiet for longest, if one more would be too many.
    fn make_room(&mut self, lane: u64) {
        let forgotten = self.lanes.forgotten();
        self.lanes.entry(lane, LANES);
        if self.lanes.forgotten() > forgotten {
            self.open = self.lanes.iter().map(|(_, lane)| lane.open.len()).sum();
        }
    }

    /// A call is entered, at a time in nanoseconds by the stream's clock.
    pub(super) fn enter(&mut self, lane: u64, name: &str, start: i64) {
        self.make_room(lane);
        let lane = self.lanes.entry(lane, LANES);
        if lane.open.len() >= DEPTH || self.open >= OPEN {
            lane.deeper += 1;
            self.unpaired += 1;
            return;
        }
        let name = kept(name).to_owned();
        self.open += 1;
        lane.open.push(Frame { name, start, ..Frame::default() });
    }

    /// The call of that name is left; without a name, the innermost one. None if no such call is open.
    pub(super) fn leave(&mut self, lane: u64, name: Option<&str>, end: i64) -> Option<Call> {
        let key = lane;
        let Some(lane) = self.lanes.get_mut(&key) else {
            self.unpaired += 1;
            return None;
        };
        if lane.deeper > 0 {
            lane.deeper -= 1;
            return None;
        }
        let found = match name.map(kept) {
            Some(name) => lane.open.iter().rposition(|frame| frame.name == name),
            None => lane.open.iter().rposition(|frame| !frame.overdue),
        };
        let Some(at) = found else {
            self.unpaired += 1;
            return None;
        };
        // What was overdue before is not waited for any longer.
        let mut position = 0;
        let before = lane.open.len();
        lane.open.retain(|frame| {
            position += 1;
            position <= at + 1 || !frame.overdue
        });
        self.unpaired += (before - lane.open.len()) as u64;
        self.open = self.open.saturating_sub(before - lane.open.len() + 1);
        let frame = lane.open.remove(at);
        lane.open[at..].iter_mut().for_each(|above| above.overdue = true);
        let took = end.saturating_sub(frame.start).max(0).unsigned_abs();
        if let Some(caller) = lane.open[..at].iter_mut().rfind(|frame| !frame.overdue) {
            caller.below = caller.below.saturating_add(took);
        }
        if lane.open.is_empty() && lane.whole.is_empty() {
            self.lanes.remove(&key);
        }
        Some(Call { name: frame.name, took, own: took.saturating_sub(frame.below) })
    }

    /// A call that is written whole, from `start` to `end`.
    pub(super) fn whole(&mut self, lane: u64, start: i64, end: i64) -> Place {
        let key = lane;
        self.make_room(lane);
        let lane = self.lanes.entry(lane, LANES);
        let took = end.saturating_sub(start).max(0).unsigned_abs();
        let mut below: u64 = 0;
        let mut made = false;
        while let Some(last) = lane.whole.last()
            && last.start >= start
            && last.end <= end
            && (last.start, last.end) != (start, end)
        {
            below = below.saturating_add(last.took);
            made = true;
            lane.whole.pop();
        }
        lane.count += 1;
        let id = mix(key ^ mix(lane.count ^ start.cast_unsigned()));
        let around = lane.whole.iter().rposition(|whole| whole.start <= start && whole.end >= end);
        let caller = around.and_then(|at| {
            // Its other calls came before this one, and none can come that made them.
            lane.whole.truncate(at + 1);
            lane.whole.last().copied()
        });
        if caller.is_none()
            && let Some(open) = lane.open.iter_mut().rfind(|frame| !frame.overdue && frame.start <= start)
        {
            open.below = open.below.saturating_add(took).saturating_sub(below);
        }
        let (trace, parent) = caller.map_or((id, 0), |caller| (caller.trace, caller.id));
        lane.whole.push(Whole { start, end, took, id, trace });
        if lane.whole.len() > WAITING {
            let first = lane.whole.remove(0);
            let next = &mut lane.whole[0];
            next.start = next.start.min(first.start);
            next.end = next.end.max(first.end);
            next.took = next.took.saturating_add(first.took);
        }
        Place { own: made.then(|| took.saturating_sub(below)), id, parent, trace }
    }
}

/// As much of a name as is kept.
fn kept(name: &str) -> &str {
    let end = (0..=name.len().min(NAME)).rfind(|at| name.is_char_boundary(*at)).unwrap_or_default();
    &name[..end]
}

/// A number that looks like chance, the same on every host: `SplitMix64` (Steele, Lea and Flood, 2014). Never zero.
pub(super) const fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    if z == 0 { 1 } else { z }
}

/// A number for a text, or for the number that it is: FNV-1a (Fowler, Noll and Vo, 1991).
pub(super) fn number(text: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash
}
