//! What a color's endpoints say together, in one word.

use crate::health::ColorHealth;

/// Whether a color can carry the traffic. One rule for both colors: what makes the candidate
/// hard-down makes the old color no place to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// At least half of its endpoints are healthy.
    Fit,
    /// Hard-down: more than half of its endpoints are unhealthy or gone, or there is none.
    Sick,
    /// Neither is known: unknown endpoints are neither up nor down.
    Unknown,
}

impl Condition {
    /// `expected`: how many endpoints there were; fewer are gone.
    #[must_use]
    pub fn of(health: Option<ColorHealth>, expected: Option<u32>) -> Self {
        let Some(health) = health else { return Self::Unknown };
        let total = health.total.max(expected.unwrap_or(0));
        let bad = health.unhealthy.saturating_add(total - health.total);
        if total == 0 || u64::from(bad) * 2 > u64::from(total) {
            Self::Sick
        } else if u64::from(health.healthy) * 2 >= u64::from(total) {
            Self::Fit
        } else {
            Self::Unknown
        }
    }
}
