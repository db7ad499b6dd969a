//! The worker's coarse clock: one counter, which one timer moves and every task of the worker reads.
//!
//! A timer of the runtime for each read, write and request would be most of the cost of a small
//! request. So a deadline is one number for each connection (see [`super::connection_table`]), and the
//! worker compares these numbers ten times a second. A deadline never fires early, and it fires at most
//! two ticks late.

use std::cell::Cell;
use std::time::Duration;

/// The length of one tick.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// A deadline that never passes.
pub(crate) const NEVER: u32 = u32::MAX;

/// Counts the ticks since the worker began. (13 years fit.)
#[derive(Debug, Default)]
pub(crate) struct Ticks {
    now: Cell<u32>,
}

impl Ticks {
    /// The current tick.
    pub(crate) fn now(&self) -> u32 {
        self.now.get()
    }

    /// Sets the clock to the time since the worker began; it never goes back.
    pub(crate) fn set(&self, since_start: Duration) {
        self.now.set(self.now.get().max(count(since_start)));
    }

    /// The tick at which `wait` has surely passed from now on. A `wait` of zero never passes.
    pub(crate) fn after(&self, wait: Duration) -> u32 {
        passed(self.now(), wait)
    }
}

/// The tick at which `wait` has surely passed since the tick `since`. A `wait` of zero never passes; a
/// zero switches a limit off in this way.
pub(crate) fn passed(since: u32, wait: Duration) -> u32 {
    if wait.is_zero() {
        return NEVER;
    }
    // One tick more than `wait` rounded up, since the tick `since` may have been about to end.
    let ticks =
        u32::try_from(wait.as_nanos().div_ceil(TICK.as_nanos())).unwrap_or(NEVER - 1).saturating_add(1);
    since.saturating_add(ticks).min(NEVER - 1)
}

fn count(span: Duration) -> u32 {
    u32::try_from(span.as_millis() / TICK.as_millis()).unwrap_or(NEVER - 1)
}
