//! What the environment asks of a test.

use std::str::FromStr;

/// A number from the environment (`tests/nightly` asks for more), or CI's.
pub fn setting<T: FromStr>(name: &str, in_ci: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => in_ci,
    }
}

/// Whether the machine does nothing else (`GREENLIGHT_ALONE=1`): only then bars of milliseconds are asserted.
pub fn alone() -> bool {
    setting("GREENLIGHT_ALONE", 0) == 1
}
