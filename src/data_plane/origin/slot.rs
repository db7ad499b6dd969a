//! A worker's own part of an endpoint: its requests in flight, its idle connections, and its failed
//! attempts.

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

/// The number of attempts that fail in a row before an endpoint leaves its pool.
const FAILURES_MAX: u8 = 5;
/// The length of the slow start of an endpoint that comes back, in ticks (10 s).
pub(crate) const SLOW_START_TICKS: u32 = 100;

/// A worker's own part of an endpoint. It survives changes of the table as long as the endpoint does,
/// or as long as an attempt is in flight on it.
#[derive(Debug)]
pub(crate) struct Slot {
    pub endpoint: Endpoint,
    pub transport: Transport,
    /// The endpoint's name in a client's cookie.
    pub key: u64,
    pub inflight: Cell<u32>,
    pub pool: Pool,
    /// Connections of HTTP/2, each of which many requests share.
    pub links: Rc<Links>,
    /// Limits how many connects run at once.
    pub connect_limit: ConnectLimit,
    /// The tick before which no further suspicion is sent.
    suspect_after: Cell<u32>,
    /// The number of attempts in a row that have failed.
    failures: Cell<u8>,
    /// The endpoint was taken out of its pool for failed attempts. Its probes bring it back.
    ejected: Cell<bool>,
    /// The table's value of `returns` at the last look.
    returns: Cell<u64>,
    /// Whether the endpoint could be used at the last look at the table.
    usable: Cell<bool>,
    /// The tick at which the endpoint gets its whole share again; 0 if it has it.
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

    /// Keeps a connection for `wait`, unless there are `max` already.
    pub(crate) fn keep_idle(&self, stream: Stream, max: usize, now: Instant, wait: Duration) {
        if self.pool.keep(stream, max, now, wait) {
            self.connect_limit.next();
        }
    }

    /// Whether to tell the prober of a failed connect now. Once a tick is enough.
    pub(crate) fn suspicious(&self, now: u32) -> bool {
        let due = now >= self.suspect_after.get();
        if due {
            self.suspect_after.set(now + 1);
        }
        due
    }

    /// Whether the endpoint was taken out of its pool.
    pub(crate) fn is_ejected(&self) -> bool {
        self.ejected.get()
    }

    /// Counts how an attempt came out. True if the endpoint leaves its pool because of it.
    pub(crate) fn came_out(&self, failed: bool) -> bool {
        if !failed {
            self.failures.set(0);
            return false;
        }
        let failures = self.failures.get().saturating_add(1);
        self.failures.set(failures);
        failures >= FAILURES_MAX && !self.ejected.replace(true)
    }

    /// Takes over the facts of a new table. An endpoint that comes back starts slowly.
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

    /// The endpoint's share of the requests, in parts of [`WEIGHT_FULL`].
    pub(crate) fn weight(&self, now: u32) -> u32 {
        match self.slow_until.get().saturating_sub(now) {
            0 => WEIGHT_FULL,
            left => slow_weight(left, SLOW_START_TICKS),
        }
    }
}

/// One attempt in flight, from the pick to the last byte. It counts as long as this value lives.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub slot: Rc<Slot>,
    pub service: Rc<ServiceCell>,
    pub color: Color,
    /// The attempt's place among those that wait for a response head, if it is evidence.
    wait: Cell<Option<Place>>,
    tunnel: Cell<bool>,
}

impl InFlight {
    pub(crate) fn new(slot: Rc<Slot>, service: Rc<ServiceCell>, color: Color) -> Self {
        slot.inflight.set(slot.inflight.get() + 1);
        add(&service.colors[color].inflight);
        Self { slot, service, color, wait: Cell::new(None), tunnel: Cell::new(false) }
    }

    /// Starts the attempt's time to first byte.
    pub(crate) fn waits(&self, asker: &Asker<'_>) {
        self.wait.set(Some(self.service.colors[self.color].evidence.begin(asker)));
    }

    /// Records that the response head has arrived.
    pub(crate) fn head_arrived(&self) {
        if let Some(place) = self.wait.get() {
            self.service.colors[self.color].evidence.head_arrived(place);
        }
    }

    /// Records the progress of the response's body.
    pub(crate) fn body(&self, moved: bool, due: bool) {
        if let Some(place) = self.wait.get() {
            self.service.colors[self.color].evidence.body(place, moved, due);
        }
    }

    /// Records that the client has given up.
    pub(crate) fn given_up(&self) {
        if let Some(place) = self.wait.take() {
            self.service.colors[self.color].evidence.given_up(place);
        }
    }

    /// Records that the attempt has become a tunnel.
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
