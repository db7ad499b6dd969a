//! When an endpoint is probed next. This file is pure: the time is an argument.
//!
//! On schedule, a probe starts `interval` after the start of the last one, and never before the
//! last one has ended. Out of schedule there is the **burst**. An endpoint that refuses or resets
//! connections is probed again at once and then 200 ms apart, `fall` times in all. So a killed
//! process is known to be down within a second, and not only after `fall` intervals. A burst begins
//! when traffic suspects the endpoint, or when a probe is refused and the probe before was not. An
//! endpoint that stays down is not probed faster than its schedule. Any result other than a refusal
//! or reset ends the burst.

use std::time::Duration;

use tokio::time::Instant;

/// The time between the starts of a burst's probes, and the least time before a probe that traffic
/// asks for.
pub(crate) const BURST_GAP: Duration = Duration::from_millis(200);

/// The schedule of one endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    due: Instant,
    started: Option<Instant>,
    /// How many refusals the present burst still waits for; 0 if there is no burst.
    burst: u32,
    /// Whether the last probe was refused or reset.
    refused: bool,
}

impl Schedule {
    /// Makes a schedule whose first probe is due at `first`.
    pub(crate) fn new(first: Instant) -> Self {
        Self { due: first, started: None, burst: 0, refused: false }
    }

    /// Returns when the next probe is due.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Makes a probe due at `at`, because the endpoint has a new owner or address. The schedule
    /// forgets the refusals that it counted before.
    pub(crate) fn prompt(&mut self, at: Instant) {
        self.due = at;
        self.burst = 0;
        self.refused = false;
    }

    /// Applies a new interval.
    pub(crate) fn repace(&mut self, interval: Duration, now: Instant) {
        if let (Some(started), 0) = (self.started, self.burst) {
            self.due = (started + interval).max(now);
        }
    }

    /// Reacts to traffic that was refused or reset. However often it is called, only one burst
    /// begins, and probes start at least [`BURST_GAP`] apart.
    pub(crate) fn suspect(&mut self, fall: u32, now: Instant) {
        if self.burst > 0 {
            return;
        }
        self.burst = fall.max(1);
        let soonest = self.started.map_or(now, |started| (started + BURST_GAP).max(now));
        self.due = self.due.min(soonest);
    }

    /// Plans the next probe, after the one that began at `started` has ended at `now`.
    pub(crate) fn ended(
        &mut self,
        started: Instant,
        refused: bool,
        interval: Duration,
        fall: u32,
        now: Instant,
    ) {
        if refused {
            if self.burst == 0 && !self.refused {
                self.burst = fall;
            }
            self.burst = self.burst.saturating_sub(1);
        } else {
            self.burst = 0;
        }
        self.refused = refused;
        self.started = Some(started);
        let gap = if self.burst > 0 { BURST_GAP.min(interval) } else { interval };
        self.due = (started + gap).max(now);
    }
}
