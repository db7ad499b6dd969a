//! When to order a certificate. Pure; times are seconds since 1970.

use std::time::Duration;

/// The first wait after a failure.
const RETRY_LEAST: Duration = Duration::from_mins(1);
/// The longest wait. Four orders a day stay below every public limit of failed validations.
const RETRY_MOST: Duration = Duration::from_hours(6);

/// The validity of a certificate, from `begins` to `ends`, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) begins: i64,
    pub(crate) ends: i64,
}

impl Life {
    /// The time of renewal, at two thirds of the validity.
    pub(crate) fn renewal(self) -> i64 {
        let length = self.ends.saturating_sub(self.begins).max(0);
        self.begins.saturating_add(length / 3 * 2 + length % 3 * 2 / 3)
    }
}

/// The wait after so many failures in a row. The longest wait is doubled with each failure. Half of it is
/// certain; `share` (random, from 0 to 1) scales the other half.
pub(crate) fn retry_after(failures: u32, share: f64) -> Duration {
    let doubled = RETRY_LEAST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let most = doubled.min(RETRY_MOST);
    most.mul_f64(share.clamp(0.0, 1.0).mul_add(0.5, 0.5))
}
