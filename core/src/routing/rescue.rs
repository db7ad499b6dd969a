//! The rule for a color that has lost most of its endpoints.

use crate::model::is_more_than_half;

/// Whether endpoints that are out (unhealthy or ejected) get requests too. They do if more than half of a
/// color's `all` endpoints are out. Otherwise all traffic would crush the few endpoints that are left, or
/// no endpoint would be left to send to.
#[must_use]
pub fn tries_all(out: usize, all: usize) -> bool {
    is_more_than_half(out as u64, all as u64)
}
