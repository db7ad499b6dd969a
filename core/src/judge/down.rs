//! Hard-down: a candidate that is gone needs no sample of requests.

/// Whether more than half of a candidate's endpoints are unhealthy or gone. `endpoints` counts
/// those that it had at the switch (those that are gone too); an endpoint of which nothing is
/// known is neither. No endpoint at the switch: there is nothing that could have gone down.
#[must_use]
pub fn hard_down(endpoints: u32, unhealthy: u32, gone: u32) -> bool {
    2 * (u64::from(unhealthy) + u64::from(gone)) > u64::from(endpoints) && endpoints > 0
}
