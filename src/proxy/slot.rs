//! A worker's own part of an endpoint: what is in flight on it, and its idle connections.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::model::{Color, Endpoint};

use super::recorder::{Asker, Place};
use super::service::ServiceCell;
use super::stream::Stream;
use super::ticks::Ticks;
use super::turn::Turns;

/// An idle connection to an endpoint.
#[derive(Debug)]
struct Idle {
    stream: Stream,
    /// Dropped at this tick.
    until: u32,
}

/// Survives changes of the table as long as the endpoint does, or something is in flight on it.
#[derive(Debug)]
pub struct Slot {
    pub endpoint: Endpoint,
    pub inflight: Cell<u32>,
    /// Last in first out, oldest first: a plain vector.
    idle: RefCell<Vec<Idle>>,
    /// Who may connect now.
    pub turns: Turns,
    /// The tick before which no further suspicion is sent.
    suspect_after: Cell<u32>,
}

impl Slot {
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            inflight: Cell::new(0),
            idle: RefCell::new(Vec::new()),
            turns: Turns::default(),
            suspect_after: Cell::new(0),
        }
    }

    /// The idle connection used last. One whose time is over is never given out, swept or not: the
    /// endpoint may be closing it at this moment.
    pub fn take_idle(&self, now: u32) -> Option<Stream> {
        let mut idle = self.idle.borrow_mut();
        let last = idle.pop()?;
        if last.until > now {
            return Some(last.stream);
        }
        // The others are older.
        idle.clear();
        None
    }

    /// Keeps a connection, unless there are `max` already.
    pub fn keep_idle(&self, stream: Stream, max: usize, wait: Duration, ticks: &Ticks) {
        let mut idle = self.idle.borrow_mut();
        if !wait.is_zero() && idle.len() < max {
            idle.push(Idle { stream, until: ticks.after(wait) });
            drop(idle);
            self.turns.next();
        }
    }

    pub fn has_idle(&self) -> bool {
        !self.idle.borrow().is_empty()
    }

    /// Closes connections that were idle for too long.
    pub fn sweep(&self, now: u32) {
        let mut idle = self.idle.borrow_mut();
        let stale = idle.iter().take_while(|idle| idle.until <= now).count();
        idle.drain(..stale);
    }

    /// Whether the prober should hear of a failed connect now: once a tick is enough.
    pub fn suspicious(&self, now: u32) -> bool {
        let due = now >= self.suspect_after.get();
        if due {
            self.suspect_after.set(now + 1);
        }
        due
    }
}

/// One attempt in flight, from the pick to the last byte: counted as long as it lives.
#[derive(Debug)]
pub struct InFlight {
    pub slot: Rc<Slot>,
    pub service: Rc<ServiceCell>,
    pub color: Color,
    /// Its place among those that wait for a response head, while it is evidence.
    wait: Cell<Option<Place>>,
}

impl InFlight {
    pub fn new(slot: Rc<Slot>, service: Rc<ServiceCell>, color: Color) -> Self {
        slot.inflight.set(slot.inflight.get() + 1);
        let count = &service.colors[color].inflight;
        count.set(count.get() + 1);
        Self { slot, service, color, wait: Cell::new(None) }
    }

    /// Its time to first byte runs from now on.
    pub fn waits(&self, asker: &Asker<'_>) {
        self.wait.set(Some(self.service.colors[self.color].evidence.begin(asker)));
    }

    /// Its response head is there.
    pub fn heard(&self) {
        if let Some(place) = self.wait.take() {
            self.service.colors[self.color].evidence.heard(place);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(place) = self.wait.take() {
            self.service.colors[self.color].evidence.leave(place);
        }
        self.slot.inflight.set(self.slot.inflight.get().saturating_sub(1));
        let count = &self.service.colors[self.color].inflight;
        count.set(count.get().saturating_sub(1));
    }
}
