//! When an endpoint is probed next. Pure: the time is an argument.
//!
//! On schedule a probe starts `interval` after the last one started, and never before its end.
//! Out of schedule, in a **burst**: an endpoint that refuses or resets is probed again at once and
//! then 200 ms apart, `fall` times in all, so that a killed process is known to be down within a
//! second and not after `fall` intervals. A burst begins when traffic suspects the endpoint, or
//! when a probe is refused and the one before was not; an endpoint that stays down is not
//! probed faster for it. Any other result ends it.

use std::time::Duration;

use tokio::time::Instant;

/// Between the starts of a burst's probes, and between those that traffic asks for.
pub(crate) const BURST_GAP: Duration = Duration::from_millis(200);

/// One endpoint's.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    due: Instant,
    started: Option<Instant>,
    /// Refusals that the present burst still waits for; 0: there is none.
    burst: u32,
    /// Whether the last probe was refused or reset.
    refused: bool,
}

impl Schedule {
    /// The first probe is due at `first`.
    pub(crate) fn new(first: Instant) -> Self {
        Self { due: first, started: None, burst: 0, refused: false }
    }

    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Due at `at` whatever the schedule says: there is a new owner to tell about. What was known
    /// for the old one is forgotten.
    pub(crate) fn prompt(&mut self, at: Instant) {
        self.due = at;
        self.burst = 0;
        self.refused = false;
    }

    /// The interval is another one now.
    pub(crate) fn repace(&mut self, interval: Duration, now: Instant) {
        if let (Some(started), 0) = (self.started, self.burst) {
            self.due = (started + interval).max(now);
        }
    }

    /// Traffic was refused or reset. However often that is said, one burst comes of it, and probes
    /// start no closer than [`BURST_GAP`].
    pub(crate) fn suspect(&mut self, fall: u32, now: Instant) {
        if self.burst > 0 {
            return;
        }
        self.burst = fall.max(1);
        let soonest = self.started.map_or(now, |started| (started + BURST_GAP).max(now));
        self.due = self.due.min(soonest);
    }

    /// A probe that was started at `started` has ended `now`.
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
