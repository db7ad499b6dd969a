//! Settings of tests from the environment.

use std::str::FromStr;

/// The number in an environment variable, or `in_ci` if it is not set. `tests/nightly` sets larger numbers.
pub fn setting<T: FromStr>(name: &str, in_ci: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => in_ci,
    }
}

/// Whether the machine runs this test alone (`GREENLIGHT_ALONE=1`). Limits of milliseconds are asserted only
/// then.
pub fn alone() -> bool {
    setting("GREENLIGHT_ALONE", 0) == 1
}
