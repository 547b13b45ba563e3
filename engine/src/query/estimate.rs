//! What a few events picked by chance say of all: how many there are of a kind, how long they take, and how far that may
//! be off, nineteen times of twenty.
//!
//! Events are picked from strata of known size, so what is told of all strata together is exact (stratified sampling). The
//! intervals of shares are Wilson's (1927), of sums of them those of Zou and Donner (MOVER, 2008), of quantiles
//! Woodruff's (1952), of means the usual ones.

use std::collections::BTreeMap;

/// Nineteen of twenty, in standard deviations.
const Z: f64 = 1.959_964;

/// Events that took time, below which nothing is said of how long, unless they are all.
pub const FEW_TIMES: usize = 5;

/// Events of one kind, of which some were picked by chance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stratum {
    /// How many there are.
    pub size: f64,
    /// How many of them were picked.
    pub picked: u32,
    /// Whether they failed.
    pub failed: bool,
    /// Nanoseconds that none of those which were not picked exceeds; `None` where nothing took time.
    pub floor: Option<u64>,
    /// The number of the evidence of their series.
    pub number: u32,
}

impl Stratum {
    /// For how many each that was picked stands.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.size / f64::from(self.picked.max(1))
    }

    /// Whether all were picked.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        f64::from(self.picked) >= self.size
    }

    /// By how much fewer and more there may be of a kind than `k` of those picked stand for.
    #[must_use]
    pub fn off(&self, k: u32) -> [f64; 2] {
        if self.is_whole() || self.picked == 0 {
            return [0.0; 2];
        }
        let (n, k) = (f64::from(self.picked), f64::from(k));
        let (low, high) = wilson(k / n, n / (1.0 - n / self.size));
        // Those that were looked at are certain.
        let (least, most) = (k, self.size - (n - k));
        let here = k * self.weight();
        [here - (low * self.size).max(least).min(here), (high * self.size).min(most).max(here) - here]
    }
}

/// Wilson's interval of a share that so many events show.
fn wilson(share: f64, events: f64) -> (f64, f64) {
    let squared = Z * Z / events;
    let centre = (share + squared / 2.0) / (1.0 + squared);
    let half = Z / (1.0 + squared) * (share * (1.0 - share) / events + squared / events / 4.0).sqrt();
    let low = if share <= 0.0 { 0.0 } else { (centre - half).max(0.0) };
    (low, if share >= 1.0 { 1.0 } else { (centre + half).min(1.0) })
}

/// A value, and how far it may be off.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Nineteen times of twenty it lies this near.
    pub within: f64,
}

/// How many of the events of some strata are of a kind, those that did not fail and those that did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// So many.
    pub value: f64,
    /// Squares of how many fewer and more there may be.
    squares: [f64; 2],
}

impl Sum {
    /// Of events that are known for certain.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub const fn of(events: u64) -> Self {
        Self { value: events as f64, squares: [0.0; 2] }
    }

    /// Of none of the events that were picked from a stratum.
    pub fn none(&mut self, stratum: &Stratum) {
        self.add(0.0, stratum.off(0));
    }

    /// Of `k` of them, where none was counted.
    pub fn some(&mut self, stratum: &Stratum, k: u32) {
        let ([low, high], [_, before]) = (stratum.off(k), stratum.off(0));
        self.value += f64::from(k) * stratum.weight();
        self.squares[0] += low * low;
        self.squares[1] = (self.squares[1] + high * high - before * before).max(0.0);
    }

    /// Of events that are known for certain.
    pub fn certain(&mut self, events: f64) {
        self.value += events;
    }

    fn add(&mut self, value: f64, [low, high]: [f64; 2]) {
        self.value += value;
        self.squares[0] += low * low;
        self.squares[1] += high * high;
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.add(other.value, other.squares.map(f64::sqrt));
        self
    }

    /// The least and the most that it may be.
    #[must_use]
    pub fn bounds(&self) -> [f64; 2] {
        let [low, high] = self.squares.map(f64::sqrt);
        [(self.value - low).max(0.0), self.value + high]
    }

    /// As a value.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        let [low, high] = self.bounds();
        Estimate { value: self.value, within: (self.value - low).max(high - self.value) }
    }
}

/// The share of those that failed among all.
#[must_use]
pub fn share(passed: &Sum, failed: &Sum) -> Option<Estimate> {
    let of = |failed: f64, passed: f64| if failed > 0.0 { failed / (failed + passed) } else { 0.0 };
    let ([least, most], [few, many]) = (failed.bounds(), passed.bounds());
    let value = of(failed.value, passed.value);
    let within = (value - of(least, many)).max(of(most, few) - value);
    (failed.value + passed.value > 0.0).then_some(Estimate { value, within })
}

/// An event that was picked and took time.
#[derive(Clone, Copy, Debug)]
pub struct Timed {
    /// Nanoseconds.
    pub took: u64,
    /// The place of the stratum it was picked from.
    pub stratum: u32,
}

/// How long the events of a row took: those that were picked of them, and the strata of all.
#[derive(Clone, Copy, Debug)]
pub struct Times<'s> {
    events: &'s [Timed],
    strata: &'s [Stratum],
    whole: bool,
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
impl<'s> Times<'s> {
    /// Of these events, which are put in the order of their times.
    #[must_use]
    pub fn of(events: &'s mut [Timed], strata: &'s [Stratum]) -> Option<Self> {
        events.sort_unstable_by_key(|event| (event.took, event.stratum));
        let events = &*events;
        let whole = events.iter().all(|event| strata[event.stratum as usize].is_whole());
        (!events.is_empty() && (whole || events.len() >= FEW_TIMES)).then_some(Self { events, strata, whole })
    }

    fn stratum(&self, event: &Timed) -> &Stratum {
        &self.strata[event.stratum as usize]
    }

    fn weight(&self, event: &Timed) -> f64 {
        self.stratum(event).weight()
    }

    fn total(&self) -> f64 {
        self.events.iter().map(|event| self.weight(event)).sum()
    }

    /// Of those that were not picked the longest took no longer, as far as these strata have any.
    fn floor(&self) -> u64 {
        let open = self.events.iter().map(|event| self.stratum(event)).filter(|stratum| !stratum.is_whole());
        open.filter_map(|stratum| stratum.floor).max().unwrap_or(0)
    }

    /// The time that a share `q` of all does not exceed; `count` is how many there are, as far as that is known.
    #[must_use]
    pub fn quantile(&self, q: f64, count: &Sum) -> Estimate {
        let total = self.total();
        let rank = if self.whole { (q * (total - 1.0)).round() } else { q * total };
        let mut sum = 0.0;
        let reaches = |event: &&Timed| {
            sum += self.weight(event);
            sum > rank + 1e-6
        };
        let value = self.events.iter().find(reaches).or(self.events.last()).map_or(0, |event| event.took);
        if self.whole {
            return Estimate { value: value as f64, within: 0.0 };
        }
        let (mut open, mut squares, mut known) = (0.0, 0.0, 0.0);
        for stratum in self.events.iter().map(|event| self.stratum(event)) {
            let weight = stratum.weight();
            if stratum.is_whole() {
                known += weight;
            } else {
                (open, squares) = (open + weight, squares + weight * weight);
            }
        }
        let (events, floor) = (open * open / squares, self.floor());
        // So many take longer than the quantile.
        let [most, least] = count.bounds().map(|count| (1.0 - q) * count);
        let (mut low, mut high) = (None, None);
        let mut look = |took: u64, above: f64, below: f64| {
            // Of the open strata none takes longer than `floor`.
            let (some, many) = if took >= floor { (1.0, 1.0) } else { wilson((below / open).min(1.0), events) };
            if low.is_none() && above + open * (1.0 - many) <= least + 1e-6 {
                low = Some(took);
            }
            if high.is_none() && above + open * (1.0 - some) <= most + 1e-6 {
                high = Some(took);
            }
        };
        let (mut below, mut passed) = (0.0, false);
        for event in self.events {
            if !passed && event.took > floor {
                look(floor, known, below);
                passed = true;
            }
            let stratum = self.stratum(event);
            if stratum.is_whole() {
                known -= stratum.weight();
            } else {
                below += stratum.weight();
            }
            look(event.took, known, below);
        }
        let longest = self.events.last().map_or(value, |event| event.took).max(floor);
        let (low, high) = (low.unwrap_or(value).min(value), high.unwrap_or(longest).max(value));
        Estimate { value: value as f64, within: (value - low).max(high - value) as f64 }
    }

    /// The longest, of all that the strata of a row may hold.
    #[must_use]
    pub fn max(&self, floor: Option<u64>) -> Estimate {
        let value = self.events.last().map_or(0, |event| event.took);
        Estimate { value: value as f64, within: floor.unwrap_or(0).saturating_sub(value) as f64 }
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> Estimate {
        let total = self.total();
        let value = self.sum().value / total;
        Estimate { value, within: self.off(value) / total }
    }

    /// The sum.
    #[must_use]
    pub fn sum(&self) -> Estimate {
        let value = self.events.iter().map(|event| event.took as f64 * self.weight(event)).sum();
        Estimate { value, within: self.off(0.0) }
    }

    /// How far the sum of all times, less `centre` each, may be off.
    fn off(&self, centre: f64) -> f64 {
        let mut sums: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
        for event in self.events.iter().filter(|event| !self.stratum(event).is_whole()) {
            let (sum, squares) = sums.entry(event.stratum).or_default();
            let off = event.took as f64 - centre;
            (*sum, *squares) = (*sum + off, *squares + off * off);
        }
        let variance = sums.into_iter().map(|(at, found)| {
            let stratum = &self.strata[at as usize];
            let n = f64::from(stratum.picked);
            let spread = if n > 1.0 { (found.1 - found.0 * found.0 / n).max(0.0) / (n - 1.0) } else { found.1 };
            stratum.size * stratum.size * (1.0 - n / stratum.size) * spread / n
        });
        // Of few events their spread is not known well either: about Student's quantile (Cornish and Fisher, 1937).
        let open = self.events.iter().filter(|event| !self.stratum(event).is_whole()).count();
        let freedom = open.saturating_sub(1).max(1) as f64;
        Z * (1.0 + (Z * Z + 1.0) / 4.0 / freedom) * variance.sum::<f64>().sqrt()
    }
}

/// Whole numbers nearest to some values that add up to what these add up to, as nearly as a whole number can (largest
/// remainders).
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
#[must_use]
pub fn whole(values: &[f64]) -> Vec<u64> {
    let mut whole: Vec<u64> = values.iter().map(|value| value.max(0.0).floor() as u64).collect();
    let sum = values.iter().map(|value| value.max(0.0)).sum::<f64>().round() as u64;
    let short = sum.saturating_sub(whole.iter().sum());
    let mut by_rest: Vec<usize> = (0..values.len()).collect();
    by_rest.sort_by(|&a, &b| values[b].fract().total_cmp(&values[a].fract()).then(a.cmp(&b)));
    by_rest.into_iter().take(usize::try_from(short).unwrap_or(0)).for_each(|at| whole[at] += 1);
    whole
}
