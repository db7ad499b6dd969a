//! Time for the pure code, which gets it as an argument and never asks a clock.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point on the process's monotonic clock, in milliseconds since the process began.
///
/// A tick is signed, so that a stored record can be moved to another clock. The store writes a record as if
/// it had been saved at tick 0. A past tick is then negative, and a future tick is the time that is left. A
/// new process moves the ticks to its own clock when it loads the record. So no code ever compares
/// wall-clock times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tick(pub i64);

impl Tick {
    /// The start of the process.
    pub const ZERO: Self = Self(0);

    /// The tick at this many milliseconds since the process began.
    #[must_use]
    pub const fn from_millis(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// The time from `earlier` to this tick. Zero if `earlier` is not before this tick.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same point in time on another clock. The other clock shows `to` when this clock shows `from`.
    #[must_use]
    pub const fn rebase(self, from: Self, to: Self) -> Self {
        Self(self.0.saturating_sub(from.0).saturating_add(to.0))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Tick {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

impl Sub<Duration> for Tick {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }
}
