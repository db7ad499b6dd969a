//! Whether the old color is in an incident, by its memory.

use super::rates::{Edition, Rates};
use super::{Baseline, Policy, wilson};

/// The fewest errors of an incident.
const INCIDENT_ERRORS: u64 = 5;

impl Baseline {
    /// Whether the old color is surely worse now than it usually is. Then its last minutes are no measure
    /// of a new version. It is worse if the lower end of its rate is over the upper end of the memory's,
    /// both widened for clumps.
    #[must_use]
    pub fn is_worse_than_usual(&self, policy: &Policy) -> bool {
        let Some(usual) = self.usual else { return false };
        let scatter = self.scatter(Rates::of_errors(self, policy, Edition::Second));
        let usually = wilson::upper_of_clumps(usual.errors, usual.requests, scatter);
        self.errors >= INCIDENT_ERRORS
            && wilson::lower_of_clumps(self.errors, self.requests, scatter) > usually.max(policy.rate_floor)
    }
}
