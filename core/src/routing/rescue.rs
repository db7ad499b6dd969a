//! What is sent to when most of a color is out.

use crate::model::is_more_than_half;

/// Whether endpoints that are out (unhealthy, or ejected) get requests too: when more than half of a
/// color is out, the few that are left would be crushed, or there would be none to ask.
#[must_use]
pub fn tries_all(out: usize, all: usize) -> bool {
    is_more_than_half(out as u64, all as u64)
}
