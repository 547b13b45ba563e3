//! Clocks that do not say when they started: of the kernel since boot, of a tracer since its start.
//!
//! The first reading of such a clock in a stream is taken to be the time its record was received, and all others keep
//! their distance from it. What is traced as it is read is right but for that delay; a file that is read as a whole
//! seems to begin when it was last written. A reading that would be more than an hour from when its own record was
//! received (a restart of the host, traces one after the other, a recording of many hours) starts the clock anew.
//! The anchor is part of the stream's memory: so a stream gives the same times however it is cut, and after a restart.

use serde::{Deserialize, Serialize};

use super::Context;

/// How far, in nanoseconds, a reading may be from when its record was received.
const FAR: u64 = 3_600_000_000_000;

/// Readings that are nanoseconds since the epoch themselves: from 2001 to 2103.
const EPOCH: std::ops::Range<i64> = 1_000_000_000_000_000_000..4_200_000_000_000_000_000;

/// What a clock says when the epoch is its zero, if that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Anchor {
    zero: Option<i64>,
    /// The source itself said it.
    pinned: bool,
}

impl Anchor {
    /// What the clock said at its zero, in nanoseconds since the epoch; 0 for the epoch itself.
    pub(super) fn zero(self) -> i64 {
        self.zero.unwrap_or_default()
    }

    /// Nanoseconds since the epoch of a reading in nanoseconds since whatever it counts from. A reading that is a time of
    /// our days as it is stays as it is.
    ///
    /// A record that is rejected in the end must leave the anchor as it was: try it on a copy.
    pub(super) fn time(&mut self, reading: i64, context: &Context) -> i64 {
        if EPOCH.contains(&reading) {
            return reading;
        }
        let known = self.zero.map(|zero| zero.saturating_add(reading));
        known.filter(|time| self.pinned || time.abs_diff(context.received) <= FAR).unwrap_or_else(|| {
            self.zero = Some(context.received.saturating_sub(reading));
            context.received
        })
    }

    /// Take note of what the source says: that a reading was made at a time, both in nanoseconds. It holds until the
    /// source says something else.
    pub(super) const fn pin(&mut self, reading: i64, time: i64) {
        *self = Self { zero: Some(time.saturating_sub(reading)), pinned: true };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const NOW: i64 = 1_795_563_721 * SECOND;

    fn at(received: i64) -> Context {
        Context { received, ..Context::default() }
    }

    #[test]
    fn readings_keep_their_distance_from_the_first() {
        let mut anchor = Anchor::default();
        assert_eq!(anchor.time(5 * SECOND, &at(NOW)), NOW);
        assert_eq!(anchor.time(7 * SECOND, &at(NOW)), NOW + 2 * SECOND);
        assert_eq!(anchor.time(4 * SECOND, &at(NOW)), NOW - SECOND);
        assert_eq!(anchor.time(67 * SECOND, &at(NOW + 60 * SECOND)), NOW + 62 * SECOND);
    }

    #[test]
    fn a_clock_that_starts_again_is_followed() {
        let mut anchor = Anchor::default();
        anchor.time(500_000 * SECOND, &at(NOW));
        assert_eq!(anchor.time(3 * SECOND, &at(NOW + SECOND)), NOW + SECOND);
        assert_eq!(anchor.time(4 * SECOND, &at(NOW + SECOND)), NOW + 2 * SECOND);
    }

    #[test]
    fn times_of_our_days_stay_as_they_are() {
        let mut anchor = Anchor::default();
        assert_eq!(anchor.time(NOW - 5, &at(0)), NOW - 5);
        assert_eq!(anchor, Anchor::default());
    }

    #[test]
    fn what_the_source_says_needs_no_guess() {
        let mut anchor = Anchor::default();
        anchor.pin(5, 7 * SECOND);
        assert_eq!(anchor.time(6, &at(NOW)), 7 * SECOND + 1);
    }

    #[test]
    fn no_reading_is_too_far_off() {
        for reading in [i64::MIN, -1, 0, 1, i64::MAX] {
            let mut anchor = Anchor::default();
            for received in [i64::MIN, 0, NOW, i64::MAX] {
                let time = anchor.time(reading, &at(received));
                assert!(time.abs_diff(received) <= FAR);
            }
        }
    }
}
