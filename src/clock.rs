//! The clocks of the process. Only this file reads a clock, and `clippy.toml` refuses it anywhere else.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use crate::model::Tick;

static START: OnceLock<Instant> = OnceLock::new();

/// The monotonic clock, in milliseconds since the first call in this process.
#[must_use]
pub fn now() -> Tick {
    Tick(i64::try_from(uptime().as_millis()).unwrap_or(i64::MAX))
}

/// The monotonic clock in the full precision of the system.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn instant() -> Instant {
    Instant::now()
}

/// The time since the first call of this function or of [`now`] in this process.
#[must_use]
pub fn uptime() -> Duration {
    instant().duration_since(*START.get_or_init(instant))
}

/// The wall clock. It is for records and messages that people read, and never for a decision.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// The wall clock in seconds since 1970, and 0 before that.
#[must_use]
pub fn unix_seconds() -> u64 {
    wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The wall clock as text by RFC 3339, in UTC with milliseconds.
#[must_use]
pub fn wall_rfc3339() -> String {
    humantime::format_rfc3339_millis(wall()).to_string()
}
