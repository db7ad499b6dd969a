//! Gathers the lines of each second, and closes seconds in order.
//!
//! A log is in the order in which requests ended, or nearly. But a request counts as slow at the moment when
//! tau has passed, and that is before the server wrote its line. So the last minute of seconds stays open.

use std::collections::VecDeque;

use crate::judge::{Bucket, ClientKey};

use super::Line;

/// The number of seconds that stay open.
pub(crate) const OPEN: i64 = 64;
/// The largest number of long requests that are kept of one second. Further ones would say nothing new.
const LONG_MAX: usize = 4096;

/// A request that took long enough to be slow under some tau. Its times are in milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Long {
    pub(crate) began_ms: i64,
    pub(crate) ended_ms: i64,
    pub(crate) client: ClientKey,
}

/// The counts and the long requests of one second.
#[derive(Debug, Default)]
struct Second {
    bucket: Bucket,
    long: Vec<Long>,
}

/// The open seconds, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Seconds {
    open: VecDeque<Second>,
    /// The oldest open second, in seconds since 1970.
    first: i64,
    begun: bool,
    spare: Vec<Second>,
    /// Milliseconds. A request that took less time is not slow under any tau that the next freeze may give.
    long_from_ms: u32,
    /// Lines whose second was closed before they came.
    pub(crate) late: u64,
}

impl Seconds {
    /// Sets the threshold of long requests for the lines that follow.
    pub(crate) fn long_from(&mut self, millis: u32) {
        self.long_from_ms = millis;
    }

    /// Whether the oldest second has to close before a line of `second` can be counted.
    pub(crate) fn is_full_for(&self, second: i64) -> bool {
        self.begun && second >= self.first + OPEN
    }

    /// Whether no second is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The oldest open second, in seconds since 1970.
    pub(crate) fn first(&self) -> i64 {
        self.first
    }

    /// The second after the last open one, in seconds since 1970. `None` before the first line.
    pub(crate) fn end(&self) -> Option<i64> {
        self.begun.then(|| self.first + i64::try_from(self.open.len()).unwrap_or(OPEN))
    }

    /// Counts a line in its second, and says whether it did. A line whose second has closed is not counted,
    /// because a heap of such lines in another second would look like an incident. The caller has closed
    /// seconds until [`Self::is_full_for`] says no.
    pub(crate) fn count(&mut self, line: &Line) -> bool {
        let second = line.ended_ms.div_euclid(1000);
        if !self.begun {
            (self.begun, self.first) = (true, second);
        }
        let Ok(at) = usize::try_from(second - self.first) else {
            self.late += 1;
            return false;
        };
        while self.open.len() <= at {
            self.open.push_back(self.spare.pop().unwrap_or_default());
        }
        let slot = &mut self.open[at];
        let took = line.took_ms.map(|millis| std::time::Duration::from_millis(u64::from(millis)));
        // A failure without a response head has no time to first byte, so `took` may be `None`.
        slot.bucket.record(line.client, line.outcome, took);
        slot.bucket.record_route(&line.route, line.client, line.outcome);
        if let Some(millis) = line.took_ms.filter(|millis| *millis >= self.long_from_ms)
            && slot.long.len() < LONG_MAX
        {
            let began_ms = line.ended_ms - i64::from(millis);
            slot.long.push(Long { began_ms, ended_ms: line.ended_ms, client: line.client });
        }
        true
    }

    /// Takes out the counts of the oldest second. Its long requests stay until [`Self::close`].
    pub(crate) fn take_first(&mut self) -> Bucket {
        self.open.front_mut().map(|second| std::mem::take(&mut second.bucket)).unwrap_or_default()
    }

    /// Closes the oldest second. `bucket` comes from [`Self::take_first`], and its memory is used again.
    pub(crate) fn close(&mut self, mut bucket: Bucket) {
        self.first += 1;
        if let Some(mut second) = self.open.pop_front() {
            bucket.clear();
            second.bucket = bucket;
            second.long.clear();
            self.spare.push(second);
        }
    }

    /// The long requests of all open seconds, which ended in the oldest open second or later.
    pub(crate) fn long(&self) -> impl Iterator<Item = &Long> {
        self.open.iter().flat_map(|second| &second.long)
    }
}
