//! Lines gathered to closed seconds.
//!
//! A log is in the order in which requests ended, or nearly; and a request counts as slow when tau
//! passes, which is before its line was written. So the last minute stays open.

use std::collections::VecDeque;

use crate::judge::{Bucket, ClientKey};

use super::Line;

/// Seconds that stay open.
pub(crate) const OPEN: i64 = 64;
/// Long requests that are kept of one second; more than these say nothing new.
const LONG_MAX: usize = 4096;

/// A request that may have been slow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Long {
    pub(crate) began_ms: i64,
    pub(crate) ended_ms: i64,
    pub(crate) client: ClientKey,
}

/// One second.
#[derive(Debug, Default)]
struct Second {
    bucket: Bucket,
    long: Vec<Long>,
}

/// The open seconds, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Seconds {
    open: VecDeque<Second>,
    /// The oldest open one, in seconds since 1970.
    first: i64,
    begun: bool,
    spare: Vec<Second>,
    /// Requests that took less than this are never slow, whatever is frozen next.
    long_from_ms: u32,
    /// Lines that came later than the open seconds reach.
    pub(crate) late: u64,
}

impl Seconds {
    pub(crate) fn long_from(&mut self, millis: u32) {
        self.long_from_ms = millis;
    }

    /// Whether the oldest second has to close before a line of `second` can be counted.
    pub(crate) fn is_full_for(&self, second: i64) -> bool {
        self.begun && second >= self.first + OPEN
    }

    /// Whether no line is in an open second.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The oldest open second.
    pub(crate) fn first(&self) -> i64 {
        self.first
    }

    /// The second behind the last one that has a line; `None` before any line.
    pub(crate) fn end(&self) -> Option<i64> {
        self.begun.then(|| self.first + i64::try_from(self.open.len()).unwrap_or(OPEN))
    }

    /// Counts a line in its second. The caller has closed what [`Self::is_full_for`] named.
    pub(crate) fn count(&mut self, line: &Line) {
        let second = line.ended_ms.div_euclid(1000);
        if !self.begun {
            (self.begun, self.first) = (true, second);
        }
        self.late += u64::from(second < self.first);
        let at = usize::try_from(second - self.first).unwrap_or(0);
        while self.open.len() <= at {
            self.open.push_back(self.spare.pop().unwrap_or_default());
        }
        let slot = &mut self.open[at];
        let took = line.took_ms.map(|millis| std::time::Duration::from_millis(u64::from(millis)));
        // A failure without a response head has no time to first byte.
        slot.bucket.record(line.client, line.outcome, took);
        slot.bucket.record_route(&line.route, line.client, line.outcome);
        if let Some(millis) = line.took_ms.filter(|millis| *millis >= self.long_from_ms)
            && slot.long.len() < LONG_MAX
        {
            let began_ms = line.ended_ms - i64::from(millis);
            slot.long.push(Long { began_ms, ended_ms: line.ended_ms, client: line.client });
        }
    }

    /// The counts of the oldest second, taken out; its long requests stay until [`Self::close`].
    pub(crate) fn take_first(&mut self) -> Bucket {
        self.open.front_mut().map(|second| std::mem::take(&mut second.bucket)).unwrap_or_default()
    }

    /// Closes the oldest second; `bucket` is what [`Self::take_first`] gave, for its memory.
    pub(crate) fn close(&mut self, mut bucket: Bucket) {
        self.first += 1;
        if let Some(mut second) = self.open.pop_front() {
            bucket.clear();
            second.bucket = bucket;
            second.long.clear();
            self.spare.push(second);
        }
    }

    /// Long requests that ended in the oldest second or later.
    pub(crate) fn long(&self) -> impl Iterator<Item = &Long> {
        self.open.iter().flat_map(|second| &second.long)
    }
}
