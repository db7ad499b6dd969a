//! Seeded random numbers. The same seed gives the same table on every machine.

/// The generator splitmix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Each run of each cell has a stream of its own.
    pub(crate) fn new(cell: u64, run: u64) -> Self {
        let mut random = Self(cell.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ run);
        random.0 = random.bits() ^ run.rotate_left(32);
        random
    }

    /// The next 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to less than 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * 2_f64.powi(-53)
    }
}

/// A Poisson count of a fixed mean, by inversion of its distribution function. It is exact except for the
/// parts of the tails that are under 1e-15. Requests that come independently are Poisson, and so are their
/// parts. So two counts, for the failures and the successes of a second, are as exact as drawing one
/// request at a time.
#[derive(Clone, Debug)]
pub(crate) struct Poisson {
    /// The distribution function from the count `first` on.
    below: Vec<f64>,
    first: u32,
    /// The index where the search begins, by the first bits of the random number.
    guide: Vec<u32>,
}

const GUIDES: usize = 256;

impl Poisson {
    /// The distribution with this mean. If the mean is 0 or less, every count is 0.
    pub(crate) fn new(mean: f64) -> Self {
        if mean <= 0.0 {
            return Self { below: Vec::new(), first: 0, guide: Vec::new() };
        }
        let reach = 9.0 * mean.sqrt() + 12.0;
        let (low, high) = ((mean - reach).max(0.0).floor(), (mean + reach).ceil());
        // ln n! is a running sum, because that is simple. Logarithms from the mean outwards would do as
        // well.
        let mut log_factorial = 0.0;
        let mut below = Vec::new();
        let mut sum = 0.0;
        let mut count = 0.0;
        while count <= high {
            if count > 0.0 {
                log_factorial += f64::ln(count);
            }
            if count >= low {
                sum += (count * mean.ln() - mean - log_factorial).exp();
                below.push(sum);
            }
            count += 1.0;
        }
        let guide = (0..GUIDES)
            .map(|slot| {
                let chance = slot as f64 / GUIDES as f64;
                u32::try_from(below.partition_point(|&below| below <= chance)).unwrap_or(0)
            })
            .collect();
        Self { below, first: whole(low), guide }
    }

    /// Draws a count.
    pub(crate) fn draw(&self, random: &mut Random) -> u32 {
        if self.below.is_empty() {
            return 0;
        }
        let chance = random.unit();
        let slot = usize::try_from(whole(chance * GUIDES as f64)).unwrap_or(0);
        let mut at = self.guide[slot.min(GUIDES - 1)] as usize;
        while at + 1 < self.below.len() && self.below[at] <= chance {
            at += 1;
        }
        self.first + u32::try_from(at).unwrap_or(0)
    }
}

/// The integer part of a small number that is not negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts, not negative and small")]
pub(crate) fn whole(value: f64) -> u32 {
    value as u32
}
