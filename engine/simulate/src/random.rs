//! Chance from a seed: the same systems, faults and noise on every machine, for ever.

/// `SplitMix64` (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The chance of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// Sixty-four bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Another chance that has nothing to do with this one's future.
    #[must_use]
    pub const fn fork(&mut self) -> Self {
        Self::new(self.bits())
    }

    /// From 0 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A whole number from 0 to below `limit`, which is not 0.
    pub const fn below(&mut self, limit: usize) -> usize {
        (self.bits() % limit as u64) as usize
    }

    /// A whole number of a range, both ends included.
    pub const fn within(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to - from + 1)
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// One of several, by their weights; the last if they are all zero.
    pub fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.unit() * weights.clone().sum::<f64>();
        let mut last = 0;
        for (i, weight) in weights.enumerate() {
            last = i;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        last
    }

    /// Between two numbers above 0, each factor as likely as any other.
    pub fn scale(&mut self, from: f64, to: f64) -> f64 {
        from * (to / from).powf(self.unit())
    }

    /// The standard normal distribution (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.unit().max(1e-300), self.unit());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }

    /// A factor whose logarithm has this standard deviation, half of the time over 1.
    pub fn factor(&mut self, sigma: f64) -> f64 {
        (sigma * self.normal()).exp()
    }

    /// How many events happen where so many are expected.
    pub fn poisson(&mut self, expected: f64) -> usize {
        if expected > 30.0 {
            return (expected + expected.sqrt() * self.normal()).round().max(0.0) as usize;
        }
        let (limit, mut product, mut count) = ((-expected).exp(), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }
}

/// How long something takes: log-normal, with a share that takes another way.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Nanoseconds that half stay below.
    pub median: f64,
    /// Standard deviation of the logarithm.
    pub sigma: f64,
    /// Share of those that take the other way, and by how many times longer that is.
    pub other: Option<(f64, f64)>,
}

impl Times {
    /// Times as programs have them: narrow, wide, or in two heaps.
    pub fn random(random: &mut Random, median: f64) -> Self {
        let other = random.chance(0.2).then(|| (random.scale(0.05, 0.4), random.scale(3.0, 12.0)));
        Self { median, sigma: random.scale(0.1, 0.7), other }
    }

    /// One of them, in nanoseconds.
    pub fn draw(&self, random: &mut Random) -> f64 {
        let longer = self.other.filter(|other| random.chance(other.0)).map_or(1.0, |other| other.1);
        self.median * longer * random.factor(self.sigma)
    }

    /// Nanoseconds on average.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let longer = self.other.map_or(1.0, |(share, times)| 1.0 - share + share * times);
        self.median * longer * (self.sigma * self.sigma / 2.0).exp()
    }
}
