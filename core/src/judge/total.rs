//! Tells a failure of everything from an outage of two seconds.
//!
//! One second adds at most a quarter of the bound. Two seconds in which everything fails may be an outage
//! of something that both colors need, and such an outage touches up to three buckets. But it fills at
//! most two of them. The bucket in which it begins and the one in which it ends share one second of it,
//! and the rest of their requests succeed. So three full buckets in a row are more than 2.8 s of
//! failures, and the third may add more. (A service that usually fails four of five requests could fill
//! them; its rule is off.)
//!
//! This is used for errors of the whole service only. A route may have so few requests in a second that a
//! full second says nothing, and a request that hangs is counted in more seconds than the one in which it
//! was sent.

use serde::{Deserialize, Serialize};

use super::cusum::Most;

/// The number of full seconds in a row, up to [`ENOUGH`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct TotalFailure {
    seconds: u8,
}

/// With so many full seconds in a row it is not an outage of two seconds.
const ENOUGH: u8 = 3;
/// A second is full if there are at least this many failures for each success, which is nine of ten. Some
/// answers of a broken service need nothing that can break.
const TO_ONE: u64 = 9;

impl TotalFailure {
    /// Takes a second and returns how much of the bound it may add. A second without a request proves
    /// nothing and ends the row.
    pub(crate) fn observe(&mut self, good: u64, bad: u64) -> Most {
        let full = bad > 0 && bad >= good.saturating_mul(TO_ONE);
        self.seconds = if full { (self.seconds + 1).min(ENOUGH) } else { 0 };
        if self.seconds == ENOUGH { Most::Half } else { Most::Quarter }
    }
}
