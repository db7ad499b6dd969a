//! A worker's idle connections to one endpoint: a plain vector, last in first out.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use super::lifetime::Lifetime;
use super::stream::Stream;

/// An idle connection.
#[derive(Debug)]
struct Idle {
    stream: Stream,
    since: Instant,
    until: Instant,
}

/// The idle connections of an endpoint, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    idle: RefCell<Vec<Idle>>,
    pub lifetime: Lifetime,
}

impl Pool {
    /// Takes the connection that was used last, and says how long it was idle. A connection whose time
    /// is over is never taken, swept or not, because the endpoint may be closing it at this moment.
    /// `twice` stands for a request that may be sent a second time.
    pub(crate) fn take(&self, now: Instant, twice: bool) -> Option<(Stream, Duration)> {
        let mut idle = self.idle.borrow_mut();
        let last = idle.pop()?;
        let age = now.saturating_duration_since(last.since);
        let learned = self.lifetime.limit(twice);
        if now < last.until && learned.is_none_or(|limit| age < limit) {
            return Some((last.stream, age));
        }
        if now >= last.until || twice {
            // The others are older, so they are dropped too.
            idle.clear();
        } else {
            idle.push(last);
        }
        None
    }

    /// Keeps a connection for `wait`, unless there are `max` already. Returns whether it did.
    pub(crate) fn keep(&self, stream: Stream, max: usize, now: Instant, wait: Duration) -> bool {
        let mut idle = self.idle.borrow_mut();
        let keeps = !wait.is_zero() && idle.len() < max;
        if keeps {
            idle.push(Idle { stream, since: now, until: now + wait });
        }
        keeps
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.idle.borrow().is_empty()
    }

    /// Closes connections that were idle for too long.
    pub(crate) fn sweep(&self, now: Instant, tick: u32) {
        let mut idle = self.idle.borrow_mut();
        let learned = self.lifetime.limit(true);
        let is_over = |idle: &Idle| {
            now >= idle.until
                || learned.is_some_and(|limit| now.saturating_duration_since(idle.since) >= limit)
        };
        let stale = idle.iter().take_while(|idle| is_over(idle)).count();
        let configured = idle.last().map(|idle| idle.until.saturating_duration_since(idle.since));
        idle.drain(..stale);
        if let Some(configured) = configured {
            self.lifetime.doubt(tick, configured);
        }
    }
}
