//! How many calls come from outside: seasons, drifts, and a mix that changes.

use crate::random::Random;

/// Calls over time.
#[derive(Clone, Debug)]
pub struct Traffic {
    rate: f64,
    random: Random,
    /// How far the day's wave goes, 0 to below 1, and when it is at its mean.
    day: (f64, f64),
    /// How much the logarithm of the rate strays, and by how much it has.
    stray: f64,
    strayed: f64,
    /// Of each entry: how far its share goes up and down, how long that takes, and when it began.
    mix: Vec<(f64, f64, f64)>,
    load: f64,
}

impl Traffic {
    /// Of so many calls a second on average, by some entries.
    #[must_use]
    pub fn new(rate: f64, entries: usize, seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x7472_6166);
        let wave = |random: &mut Random| (random.unit() * 0.3, random.scale(600.0, 20_000.0), random.unit());
        Self {
            rate,
            day: (random.unit() * 0.6, random.unit() * 86_400.0),
            stray: random.scale(0.02, 0.2),
            strayed: 0.0,
            mix: (0..entries).map(|_| wave(&mut random)).collect(),
            load: 1.0,
            random,
        }
    }

    /// How many calls are expected in a second; ask for one second after the other.
    pub fn calls(&mut self, second: i64) -> f64 {
        let season = 1.0 + self.day.0 * (std::f64::consts::TAU * (second as f64 - self.day.1) / 86_400.0).sin();
        // Back to the mean within ten minutes (Ornstein and Uhlenbeck).
        let pull = 1.0 / 600.0;
        self.strayed += -pull * self.strayed + self.stray * (2.0f64 * pull).sqrt() * self.random.normal();
        let times = season * self.strayed.exp();
        self.load = 0.85 + 0.15 * times;
        self.rate * times
    }

    /// The factor by which the share of an entry differs from its usual one.
    #[must_use]
    pub fn mix(&self, entry: usize, second: i64) -> f64 {
        self.mix.get(entry).map_or(1.0, |(far, period, phase)| {
            1.0 + far * (std::f64::consts::TAU * (second as f64 / period + phase)).sin()
        })
    }

    /// The factor by which everything takes longer for the load.
    #[must_use]
    pub const fn load(&self) -> f64 {
        self.load
    }
}
