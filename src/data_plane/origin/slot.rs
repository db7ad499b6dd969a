//! A worker's own part of an endpoint: what is in flight on it, its idle connections, and whether
//! its attempts come to anything.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::model::{Color, Endpoint};
use crate::routing::{WEIGHT_FULL, slow_weight};

use super::connect_limit::ConnectLimit;
use super::origin_side::Transport;
use super::pool::Pool;
use super::stream::Stream;
use crate::data_plane::h2::Links;
use crate::data_plane::worker::recorder::{Asker, Place};
use crate::data_plane::worker::service::ServiceCell;

/// Attempts that fail one after the other before an endpoint leaves its pool.
const FAILURES_MAX: u8 = 5;
/// The slow start of an endpoint that comes back, in ticks (10 s).
pub(crate) const SLOW_START_TICKS: u32 = 100;

/// Survives changes of the table as long as the endpoint does, or something is in flight on it.
#[derive(Debug)]
pub(crate) struct Slot {
    pub endpoint: Endpoint,
    pub transport: Transport,
    /// What a client's cookie calls it.
    pub key: u64,
    pub inflight: Cell<u32>,
    pub pool: Pool,
    /// Connections of HTTP/2, shared by many requests each.
    pub links: Rc<Links>,
    /// How many connects run at once.
    pub connect_limit: ConnectLimit,
    /// The tick before which no further suspicion is sent.
    suspect_after: Cell<u32>,
    /// Attempts that failed since one did not.
    failures: Cell<u8>,
    /// Taken out of its pool for that, until its probes bring it back.
    ejected: Cell<bool>,
    /// What the table said when it was looked at last.
    returns: Cell<u64>,
    usable: Cell<bool>,
    /// The tick at which it gets its whole share again; 0: it has it.
    slow_until: Cell<u32>,
}

impl Slot {
    pub(crate) fn new(endpoint: Endpoint, transport: Transport, usable: bool, returns: u64) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, endpoint.id.as_str().as_bytes());
        let key = digest.as_ref().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Self {
            endpoint,
            transport,
            key,
            inflight: Cell::new(0),
            pool: Pool::default(),
            links: Rc::default(),
            connect_limit: ConnectLimit::default(),
            suspect_after: Cell::new(0),
            failures: Cell::new(0),
            ejected: Cell::new(false),
            returns: Cell::new(returns),
            usable: Cell::new(usable),
            slow_until: Cell::new(0),
        }
    }

    /// Keeps a connection, unless there are `max` already.
    pub(crate) fn keep_idle(&self, stream: Stream, max: usize, now: Instant, wait: Duration) {
        if self.pool.keep(stream, max, now, wait) {
            self.connect_limit.next();
        }
    }

    /// Whether the prober should hear of a failed connect now: once a tick is enough.
    pub(crate) fn suspicious(&self, now: u32) -> bool {
        let due = now >= self.suspect_after.get();
        if due {
            self.suspect_after.set(now + 1);
        }
        due
    }

    /// Whether it was taken out of its pool.
    pub(crate) fn is_ejected(&self) -> bool {
        self.ejected.get()
    }

    /// Counts how an attempt came out; true if the endpoint leaves its pool for it.
    pub(crate) fn came_out(&self, failed: bool) -> bool {
        if !failed {
            self.failures.set(0);
            return false;
        }
        let failures = self.failures.get().saturating_add(1);
        self.failures.set(failures);
        failures >= FAILURES_MAX && !self.ejected.replace(true)
    }

    /// What a new table says of it. What comes back starts slowly.
    pub(crate) fn update(&self, usable: bool, returns: u64, now: u32) {
        let proven = self.returns.replace(returns) != returns;
        let back = (usable && !self.usable.replace(usable)) || (proven && self.ejected.get());
        self.usable.set(usable);
        if back {
            self.ejected.set(false);
            self.failures.set(0);
            self.slow_until.set(now.saturating_add(SLOW_START_TICKS));
        }
    }

    /// Its share, in parts of [`WEIGHT_FULL`].
    pub(crate) fn weight(&self, now: u32) -> u32 {
        match self.slow_until.get().saturating_sub(now) {
            0 => WEIGHT_FULL,
            left => slow_weight(left, SLOW_START_TICKS),
        }
    }
}

/// One attempt in flight, from the pick to the last byte: counted as long as it lives.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub slot: Rc<Slot>,
    pub service: Rc<ServiceCell>,
    pub color: Color,
    /// Its place among those that wait for a response head, while it is evidence.
    wait: Cell<Option<Place>>,
    tunnel: Cell<bool>,
}

impl InFlight {
    pub(crate) fn new(slot: Rc<Slot>, service: Rc<ServiceCell>, color: Color) -> Self {
        slot.inflight.set(slot.inflight.get() + 1);
        add(&service.colors[color].inflight);
        Self { slot, service, color, wait: Cell::new(None), tunnel: Cell::new(false) }
    }

    /// Its time to first byte runs from now on.
    pub(crate) fn waits(&self, asker: &Asker<'_>) {
        self.wait.set(Some(self.service.colors[self.color].evidence.begin(asker)));
    }

    /// Its response head is there.
    pub(crate) fn head_arrived(&self) {
        if let Some(place) = self.wait.take() {
            self.service.colors[self.color].evidence.head_arrived(place);
        }
    }

    /// The attempt has become a tunnel.
    pub(crate) fn is_tunnel(&self) {
        if !self.tunnel.replace(true) {
            add(&self.service.colors[self.color].tunnels);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(place) = self.wait.take() {
            self.service.colors[self.color].evidence.leave(place);
        }
        self.slot.inflight.set(self.slot.inflight.get().saturating_sub(1));
        let counts = &self.service.colors[self.color];
        counts.inflight.set(counts.inflight.get().saturating_sub(1));
        if self.tunnel.get() {
            counts.tunnels.set(counts.tunnels.get().saturating_sub(1));
        }
    }
}

fn add(count: &Cell<u64>) {
    count.set(count.get() + 1);
}
