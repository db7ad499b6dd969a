//! How long an endpoint keeps its idle connections, as far as its closed connections have shown.
//!
//! An origin closes a connection that was idle for longer than its own keep-alive time, and does not
//! say how long that is. A request that is sent at that moment is lost. Unless it may be sent twice,
//! its client gets an error. So a worker remembers the youngest connection that was found dead, and
//! does not use a connection again that is older than half of that. A restart kills old and young
//! connections alike, but at one moment. A short keep-alive time kills them again and again. So the
//! worker believes in a keep-alive time only after deaths at several moments.

use std::cell::Cell;
use std::time::Duration;

/// The number of different ticks with deaths before the worker believes in a keep-alive time.
const DEATHS_MIN: u8 = 3;
/// Deaths that are further apart than this many ticks (10 s) have nothing to do with each other.
const MEMORY_TICKS: u32 = 100;
/// After this many ticks (60 s) without a death, twice the time is tried.
const DOUBT_TICKS: u32 = 600;
/// How late a request and its first byte at the origin may be. For a request that can't be sent twice,
/// a connection must be younger than the youngest dead one by this much.
const MARGIN: Duration = Duration::from_millis(50);

/// The facts that a worker has learned about one endpoint.
#[derive(Debug, Default)]
pub(crate) struct Lifetime {
    /// The idle time of the youngest connection that was found dead.
    youngest: Cell<Option<Duration>>,
    /// The number of different ticks with deaths, up to [`DEATHS_MIN`].
    deaths: Cell<u8>,
    /// The tick of the last death.
    last: Cell<u32>,
}

impl Lifetime {
    /// Records that a connection that had been idle for `age` was dead.
    pub(crate) fn died(&self, age: Duration, tick: u32) {
        let deaths = self.deaths.get();
        let apart = tick.saturating_sub(self.last.replace(tick));
        if deaths < DEATHS_MIN && (deaths == 0 || apart > MEMORY_TICKS) {
            self.deaths.set(1);
            self.youngest.set(Some(age));
            return;
        }
        if apart > 0 {
            self.deaths.set(deaths.saturating_add(1).min(DEATHS_MIN));
        }
        self.youngest.set(Some(self.youngest.get().map_or(age, |youngest| youngest.min(age))));
    }

    /// The age up to which a connection may be used again; `None` if nothing is known. `twice` stands
    /// for a request that may be sent a second time.
    pub(crate) fn limit(&self, twice: bool) -> Option<Duration> {
        let youngest = self.youngest.get().filter(|_| self.deaths.get() == DEATHS_MIN)?;
        let half = youngest / 2;
        Some(if twice { half } else { half.min(youngest.saturating_sub(MARGIN)) })
    }

    /// Called once a second. If no death has confirmed the time for long, it is doubled, and forgotten
    /// once it has reached `configured`.
    pub(crate) fn doubt(&self, tick: u32, configured: Duration) {
        let Some(youngest) = self.youngest.get() else { return };
        if tick.saturating_sub(self.last.get()) < DOUBT_TICKS {
            return;
        }
        self.last.set(tick);
        let doubled = youngest.saturating_mul(2).max(Duration::from_millis(1));
        if doubled / 2 >= configured {
            self.youngest.set(None);
            self.deaths.set(0);
        } else {
            self.youngest.set(Some(doubled));
        }
    }
}
