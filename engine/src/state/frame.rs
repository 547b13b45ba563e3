//! A window of time in stretches of equal length, which lie on absolute time: the first and the last may be cut short.

use super::sums::Stretch;
use super::timeline::Seconds;

/// Stretches of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The window's first second.
    pub from: Seconds,
    /// The second after its last.
    pub to: Seconds,
    /// Seconds of a stretch.
    pub width: Seconds,
}

impl Frame {
    /// Where the first stretch begins.
    #[must_use]
    pub const fn begin(&self) -> Seconds {
        self.from.div_euclid(self.width) * self.width
    }

    /// How many stretches there are.
    #[must_use]
    pub fn number(&self) -> usize {
        let number = (self.to - 1).div_euclid(self.width) - self.from.div_euclid(self.width) + 1;
        usize::try_from(number).unwrap_or(1)
    }

    /// How many there are at most of as many seconds, wherever these begin.
    #[must_use]
    pub fn most(&self) -> usize {
        let seconds = (self.to - self.from).unsigned_abs();
        usize::try_from(seconds.div_ceil(self.width.unsigned_abs()) + 1).unwrap_or(usize::MAX)
    }

    /// The stretch that a second falls into, by its place.
    #[inline]
    #[must_use]
    pub fn place(&self, second: Seconds) -> usize {
        // One division of natural numbers for most slots of a timeline.
        let place = (second - self.begin()).max(0).unsigned_abs() / self.width.unsigned_abs();
        usize::try_from(place).unwrap_or(usize::MAX).min(self.number() - 1)
    }

    /// Where a stretch begins, whether or not it is cut short.
    #[must_use]
    pub fn start(&self, place: usize) -> Seconds {
        self.begin() + Seconds::try_from(place).unwrap_or(Seconds::MAX).saturating_mul(self.width)
    }

    /// The part of a stretch that lies within the window.
    #[must_use]
    pub fn stretch(&self, place: usize) -> Stretch {
        let start = self.start(place);
        Stretch { from: start.max(self.from), to: start.saturating_add(self.width).min(self.to) }
    }

    /// By how many stretches another began earlier, if it went over into this one as time went on; `None` if they have no
    /// stretch in common.
    #[must_use]
    pub fn moved_from(&self, other: &Self) -> Option<usize> {
        let on = self.width == other.width && self.from >= other.from && self.to >= other.to;
        let shift = usize::try_from((self.begin() - other.begin()) / self.width).ok()?;
        (on && shift < other.number()).then_some(shift)
    }
}
