//! How long to wait before trying again. Pure: the random number is an argument.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_mins(1);

/// The pause before try `tries + 1`: twice as long each time, up to a minute, and somewhere between
/// half of that and all of it (`random` in 0..1), so that many senders do not come back together.
pub(crate) fn pause(tries: u32, random: f64) -> Duration {
    let doubled = FIRST.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(LONGEST).mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}
