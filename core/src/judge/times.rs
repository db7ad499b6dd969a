//! Times to first byte, counted in bins whose width grows with the time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// 20 octaves of 8 bins, from 64 us on. Each bin is at most an eighth as wide as the times in it.
const BINS: usize = 160;
const FIRST_OCTAVE: u32 = 6;

/// A histogram of 64 us to 67 s. Shorter and longer times go into the first and the last bin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(usize, u32)>", into = "Vec<(usize, u32)>")]
pub(crate) struct Times {
    bins: [u32; BINS],
}

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        self.add_many(time, 1);
    }

    pub(crate) fn add_many(&mut self, time: Duration, count: u32) {
        let bin = &mut self.bins[bin_of(time)];
        *bin = bin.saturating_add(count);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (bin, count) in self.bins.iter_mut().zip(&other.bins) {
            *bin = bin.saturating_add(*count);
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.bins.iter().copied().map(u64::from).sum()
    }

    /// How many times were shorter than `time`, which must be an edge ([`edge_after`]).
    pub(crate) fn under(&self, time: Duration) -> u64 {
        self.occupied().filter(|(bin, _)| upper_edge(*bin) <= time).map(|(_, count)| u64::from(count)).sum()
    }

    /// The lower edge and the count of each bin that is not empty.
    pub(crate) fn bins(&self) -> impl Iterator<Item = (Duration, u32)> + '_ {
        self.occupied().map(|(bin, count)| (lower_edge(bin), count))
    }

    /// The upper edge of the bin in which the `percent`th percentile lies.
    pub(crate) fn percentile(&self, percent: u64) -> Option<Duration> {
        let rank = (self.total() * percent).div_ceil(100).max(1);
        let mut below = 0;
        self.occupied().find_map(|(bin, count)| {
            below += u64::from(count);
            (below >= rank).then(|| upper_edge(bin))
        })
    }

    fn occupied(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        self.bins.iter().copied().enumerate().filter(|(_, count)| *count > 0)
    }
}

/// The least edge between two bins that is not under `time`. Counts that are compared with an edge are
/// exact.
pub(crate) fn edge_after(time: Duration) -> Duration {
    let bin = bin_of(time);
    if bin > 0 && lower_edge(bin) == time { time } else { upper_edge(bin) }
}

fn bin_of(time: Duration) -> usize {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1 << FIRST_OCTAVE);
    let octave = micros.ilog2();
    let eighth = (micros >> (octave - 3)) & 7;
    let bin = u64::from(octave - FIRST_OCTAVE) * 8 + eighth;
    usize::try_from(bin).unwrap_or(BINS).min(BINS - 1)
}

fn lower_edge(bin: usize) -> Duration {
    let eighths = 8 + (bin % 8) as u64;
    Duration::from_micros(eighths << (bin / 8 + 3))
}

fn upper_edge(bin: usize) -> Duration {
    lower_edge(bin + 1)
}

impl Default for Times {
    fn default() -> Self {
        Self { bins: [0; BINS] }
    }
}

impl From<Times> for Vec<(usize, u32)> {
    fn from(times: Times) -> Self {
        times.occupied().collect()
    }
}

impl From<Vec<(usize, u32)>> for Times {
    fn from(occupied: Vec<(usize, u32)>) -> Self {
        let mut times = Self::default();
        for (bin, count) in occupied {
            times.bins[bin.min(BINS - 1)] = count;
        }
        times
    }
}
