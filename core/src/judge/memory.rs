//! A day's memory of a service's errors. It says how the service usually is, where the ten minutes before
//! a switch are too few, or untypical.
//!
//! Only sums are kept. For windows of 1, 4, 16, 64 and 256 s, counted over closed windows that had a
//! request, they are the requests (N), the errors (E), the windows (K), and b*b/n of each window (Q).
//! Pearson's dispersion needs no more, because the sum of (b - n p)^2 / n is Q - 2 p E + p^2 N. So a memory
//! is under 1 KiB, whatever the traffic.
//!
//! Each sum fades by one part in 2048 for each minute that had a request, which is a half-life of 23.7 h of
//! active time. The sums carry 16 fraction bits, so that small sums fade too.

use serde::{Deserialize, Serialize};

use super::dispersion;

/// The lengths of the windows in seconds.
const WINDOWS: [u16; 5] = [1, 4, 16, 64, 256];
/// The fraction bits of a sum.
const BITS: u32 = 16;
/// A sum loses one part in `1 << FADE` for each active minute.
const FADE: u32 = 11;
/// After so many minutes nothing of a sum of 2^48 is left.
const MINUTES_MAX: u32 = 1 << 17;
/// The least dispersion of a service that is known. Clumps may come that a day did not show.
const LEAST: f64 = 1.25;
/// With so many seconds of traffic the memory shows how errors come.
const SECONDS_KNOWN: u64 = 3600;
/// The number of standard deviations that chance passes in one case of forty.
const CHANCE: f64 = 2.0;

/// The memory of one service. It is plain data and is stored as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    scales: [Scale; WINDOWS.len()],
    /// Seconds of the minute that runs, 0 to 59.
    second: u8,
    /// Whether the minute that runs had a request.
    busy: bool,
    /// Active minutes that this memory has faded by.
    minutes: u32,
}

/// The sums of one length of window, with [`BITS`] fraction bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Scale {
    n: u64,
    e: u64,
    k: u64,
    q: u64,
    /// The window that is not closed yet: its seconds, requests and errors.
    open: (u16, u64, u64),
}

/// The part of a memory that a judge needs, frozen with the baseline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usual {
    /// Requests and errors, faded.
    pub requests: u64,
    pub errors: u64,
    /// Seconds that had a request, faded.
    pub seconds: u64,
    /// How much more the errors scattered than independent errors would, at least 1.25.
    pub dispersion: f64,
}

impl Memory {
    /// Adds one second, even one without a request. The caller adds only seconds in which the service was
    /// as it should be.
    pub fn add(&mut self, requests: u64, errors: u64) {
        for (scale, length) in self.scales.iter_mut().zip(WINDOWS) {
            scale.add(requests, errors, length);
        }
        self.busy |= requests > 0;
        self.second += 1;
        if self.second >= 60 {
            if self.busy {
                self.fade(1);
            }
            self.second = 0;
            self.busy = false;
        }
    }

    /// Adds the seconds of another memory, which came after the seconds of this one.
    pub fn absorb(&mut self, later: &Self) {
        self.fade(later.minutes.min(MINUTES_MAX));
        for (ours, theirs) in self.scales.iter_mut().zip(&later.scales) {
            ours.n = ours.n.saturating_add(theirs.n);
            ours.e = ours.e.saturating_add(theirs.e);
            ours.k = ours.k.saturating_add(theirs.k);
            ours.q = ours.q.saturating_add(theirs.q);
            ours.open = theirs.open;
        }
        self.second = later.second;
        self.busy = later.busy;
    }

    /// How the service usually is; `None` if the memory is empty.
    #[must_use]
    pub fn usual(&self) -> Option<Usual> {
        let [second, ..] = &self.scales;
        let usual = Usual {
            requests: second.n >> BITS,
            errors: second.e >> BITS,
            seconds: second.k >> BITS,
            dispersion: self.dispersion(),
        };
        (usual.requests > 0).then_some(usual)
    }

    fn fade(&mut self, minutes: u32) {
        self.minutes = self.minutes.saturating_add(minutes);
        for _ in 0..minutes {
            for scale in &mut self.scales {
                for sum in [&mut scale.n, &mut scale.e, &mut scale.k, &mut scale.q] {
                    *sum -= *sum >> FADE;
                }
            }
        }
    }

    /// The largest dispersion that is not chance, to three decimals.
    fn dispersion(&self) -> f64 {
        let [second, ..] = &self.scales;
        let [n, e, k, _] = second.sums();
        if e <= 0.0 || e >= n {
            return LEAST;
        }
        let most = dispersion::most(n / k.max(1.0));
        let found = self.scales.iter().filter_map(|scale| scale.scatter(e / n));
        dispersion::rounded(found.fold(LEAST, f64::max).clamp(LEAST, most))
    }
}

impl Scale {
    fn add(&mut self, requests: u64, errors: u64, length: u16) {
        let (seconds, n, b) = &mut self.open;
        *seconds += 1;
        *n = n.saturating_add(requests);
        *b = b.saturating_add(errors);
        if *seconds < length {
            return;
        }
        let (n, b) = (*n, (*b).min(*n));
        self.open = (0, 0, 0);
        if n == 0 {
            return;
        }
        // In 128 bits, because b * b << 16 does not fit into 64 bits above 2^24 errors in a window.
        let square = ((u128::from(b) * u128::from(b)) << BITS) / u128::from(n);
        self.n = self.n.saturating_add(fixed(n));
        self.e = self.e.saturating_add(fixed(b));
        self.k = self.k.saturating_add(fixed(1));
        self.q = self.q.saturating_add(u64::try_from(square).unwrap_or(u64::MAX));
    }

    fn sums(&self) -> [f64; 4] {
        [self.n, self.e, self.k, self.q].map(|sum| sum as f64 / f64::from(1_u32 << BITS))
    }

    /// Pearson's dispersion of these windows at the rate `p`, if it is more than chance would make it.
    fn scatter(&self, p: f64) -> Option<f64> {
        let [n, e, windows, squares] = self.sums();
        if windows < 2.0 || e <= 0.0 || e >= n {
            return None;
        }
        let found = (squares - 2.0 * p * e + p * p * n) / (p * (1.0 - p) * (windows - 1.0));
        let deviation = ((2.0 + windows / e) / (windows - 1.0)).sqrt();
        (found > 1.0 + CHANCE * deviation).then_some(found)
    }
}

impl Usual {
    /// Whether the memory shows how the service's errors come.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.seconds >= SECONDS_KNOWN
    }
}

/// A count as a sum, which saturates.
fn fixed(count: u64) -> u64 {
    count.saturating_mul(1 << BITS)
}
