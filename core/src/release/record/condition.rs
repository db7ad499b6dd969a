//! What a color's endpoints say together, in one word.

use crate::health::ColorHealth;
use crate::model::is_more_than_half;

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
        if total == 0 || is_more_than_half(bad.into(), total.into()) {
            Self::Sick
        } else if !is_more_than_half(total.saturating_sub(health.healthy).into(), total.into()) {
            Self::Fit
        } else {
            Self::Unknown
        }
    }
}
