//! Whether everything has failed for longer than an outage of two seconds lasts.
//!
//! One second adds a quarter of the bound at most, since two seconds in which everything fails may
//! be an outage of something that both colors need, and such an outage touches up to three buckets.
//! But it fills two of them at most: the one that it begins in and the one that it ends in share one
//! second of it, and the rest of their requests succeed. So three full ones in a row are more than
//! 2.8 s of failures, and the third may settle it. (A service that fails four of five requests as a
//! rule could fill them; its rule is off.)
//!
//! For errors of the whole service only: a route may have so few requests in a second that a full
//! one says nothing, and a request that hangs is counted in more seconds than it was sent in.

use serde::{Deserialize, Serialize};

use super::cusum::Most;

/// Full seconds in a row, up to [`ENOUGH`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct TotalFailure {
    seconds: u8,
}

/// So many are no outage of two seconds.
const ENOUGH: u8 = 3;
/// A second is full of failures when there are so many to each success: nine of ten. Some answers
/// need nothing that can break.
const TO_ONE: u64 = 9;

impl TotalFailure {
    /// Takes a second; how much it may add. One without a request proves nothing and ends the row.
    pub(crate) fn observe(&mut self, good: u64, bad: u64) -> Most {
        let full = bad > 0 && bad >= good.saturating_mul(TO_ONE);
        self.seconds = if full { (self.seconds + 1).min(ENOUGH) } else { 0 };
        if self.seconds == ENOUGH { Most::Half } else { Most::Quarter }
    }
}
