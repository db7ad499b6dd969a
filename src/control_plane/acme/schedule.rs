//! When to order: pure, in seconds since 1970.

use std::time::Duration;

/// The first wait after a failure.
const RETRY_LEAST: Duration = Duration::from_mins(1);
/// The longest: four orders a day stay below every public limit of failed validations.
const RETRY_MOST: Duration = Duration::from_hours(6);

/// From when to when a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) begins: i64,
    pub(crate) ends: i64,
}

impl Life {
    /// Two thirds of it.
    pub(crate) fn renewal(self) -> i64 {
        let length = self.ends.saturating_sub(self.begins).max(0);
        self.begins.saturating_add(length / 3 * 2 + length % 3 * 2 / 3)
    }
}

/// The wait after so many failures in a row: doubled each time, and of each the second half is random
/// (`share` from 0 to 1).
pub(crate) fn retry_after(failures: u32, share: f64) -> Duration {
    let doubled = RETRY_LEAST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let most = doubled.min(RETRY_MOST);
    most.mul_f64(share.clamp(0.0, 1.0).mul_add(0.5, 0.5))
}
