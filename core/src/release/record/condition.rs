//! The condition of a color, from the health of all its endpoints.

use crate::health::ColorHealth;
use crate::model::is_more_than_half;

/// Whether a color can carry the traffic. The same rule holds for both colors. The condition that makes
/// the candidate hard-down also means that no traffic goes back to the old color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// At least half of its endpoints are healthy.
    Fit,
    /// More than half of the endpoints are unhealthy or gone, or there is no endpoint. A candidate in
    /// this condition is hard-down.
    Sick,
    /// Neither fit nor sick, since an endpoint whose health is unknown counts as neither up nor down.
    Unknown,
}

impl Condition {
    /// The condition by a summary of the color's health. `expected` is the number of endpoints that there
    /// were before; if there are fewer now, the rest counts as gone. Without a summary the condition is
    /// unknown.
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
