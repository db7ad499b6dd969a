//! The pause between two tries. This file is pure: the random number is an argument.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_mins(1);

/// Returns the pause before try `tries + 1`. It doubles each time, up to a minute, and is a random
/// part of that between a half and all (`random` in 0..1), so that many senders do not come back at
/// the same time.
pub(crate) fn pause(tries: u32, random: f64) -> Duration {
    let doubled = FIRST.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(LONGEST).mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}
