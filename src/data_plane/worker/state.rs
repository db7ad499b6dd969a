//! The state of one worker, which only its thread touches. Its loop is in [`super::worker_loop`].

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use ipnet::IpNet;
use tokio::sync::mpsc;

use crate::clock;
use crate::config::Limits;
use crate::http1::{HeadLimits, RequestHead, ResponseHead};
use crate::model::Color;
use crate::routing::RouteTable;
use crate::tls::{Challenges, Origins};
use crate::traffic::Suspect;

use super::access::AccessSink;
use super::address::{Addresses, ConnectionCount};
use super::chunk::ChunkPool;
use super::connection_table::{AttemptTag, ConnectionTable};
use super::date::DateLine;
use super::metrics::Metrics;
use super::passes::Passes;
use super::request_limit::RequestLimits;
use super::service::Services;
use super::ticks::{NEVER, Ticks};
use super::view::View;
use crate::data_plane::client::listener::ListenerFacts;
use crate::data_plane::origin::slot::Slot;

/// The parts that a worker is made of. Its thread gets them at the start.
#[derive(Debug)]
pub(crate) struct WorkerParts {
    pub id: usize,
    pub workers: usize,
    pub limits: Limits,
    /// The most client connections over all workers: `limits.connections_max`, with its 0 replaced.
    pub connections_max: usize,
    /// The number of client connections of all workers, which they share.
    pub connections: Arc<AtomicUsize>,
    pub addresses: Arc<Addresses>,
    pub request_limits: Arc<RequestLimits>,
    pub trusted_proxies: Arc<[IpNet]>,
    pub table: Arc<ArcSwap<RouteTable>>,
    pub suspects: mpsc::Sender<Suspect>,
    pub metrics: Metrics,
    pub access: AccessSink,
    /// In the order of the listeners.
    pub listeners: Vec<ListenerFacts>,
    pub challenges: Arc<Challenges>,
    pub origins: Arc<Origins>,
}

/// A worker's own state, shared by the tasks of its thread.
#[derive(Debug)]
pub(crate) struct Worker {
    pub parts: WorkerParts,
    pub head_limits: HeadLimits,
    pub ticks: Ticks,
    pub passes: Passes,
    pub chunks: Rc<ChunkPool>,
    pub handles: Rc<ConnectionTable>,
    pub services: Services,
    pub view: View,
    pub date: DateLine,
    /// The head that was read last. It is valid until the task that read it awaits.
    pub request_head: RefCell<RequestHead>,
    pub response_head: RefCell<ResponseHead>,
    /// The worker shuts down: connections take no new request, and close after the one in flight.
    pub closing: Cell<bool>,
    /// The tick at which a shutdown closes the connections that came out of the queue and are idle.
    pub(super) close_idle_at: Cell<u32>,
    /// The tick until which the worker spreads the Close frames for WebSocket connections.
    pub(super) drain_close_until: Cell<u32>,
    /// Requests that were answered before a service was known: each status with its count.
    pub(super) unrouted: RefCell<Vec<(u16, u64)>>,
    random: RefCell<fastrand::Rng>,
    pub(super) started: Instant,
    pub(super) flushed_connections: Cell<i64>,
    pub(super) next_flush: Cell<u32>,
}

impl Worker {
    pub(crate) fn new(parts: WorkerParts) -> Rc<Self> {
        let head_limits = HeadLimits {
            block_bytes_max: parts.limits.header_block_bytes_max,
            fields_max: parts.limits.header_count_max,
            target_bytes_max: parts.limits.target_bytes_max,
        };
        let services = Services::new(parts.metrics.clone(), Arc::clone(&parts.request_limits));
        let view = View::new(Arc::clone(&parts.table), &services, Arc::clone(&parts.origins));
        Rc::new(Self {
            head_limits,
            ticks: Ticks::default(),
            passes: Passes::default(),
            chunks: ChunkPool::new(head_limits.head_bytes_max()),
            handles: Rc::default(),
            services,
            view,
            date: DateLine::new(clock::wall()),
            request_head: RefCell::default(),
            response_head: RefCell::default(),
            unrouted: RefCell::default(),
            closing: Cell::new(false),
            close_idle_at: Cell::new(NEVER),
            drain_close_until: Cell::new(0),
            random: RefCell::new(fastrand::Rng::new()),
            started: clock::instant(),
            flushed_connections: Cell::new(0),
            next_flush: Cell::new(0),
            parts,
        })
    }

    /// 64 fresh random bits. They serve for picks and request ids, not for secrets.
    pub(crate) fn random(&self) -> u64 {
        self.random.borrow_mut().u64(..)
    }

    /// Counts a request that was answered before a service was known.
    pub(crate) fn unrouted(&self, status: u16) {
        let mut counts = self.unrouted.borrow_mut();
        if let Some((_, count)) = counts.iter_mut().find(|(of, _)| *of == status) {
            *count += 1;
        } else {
            counts.push((status, 1));
        }
    }

    /// Takes the current route table. Returns its generation.
    pub(crate) fn refresh(&self) -> u64 {
        self.view.refresh(&self.services, self.ticks.now())
    }

    /// Asks the prober to probe an endpoint at once. If `ejected`, the endpoint has left this worker's
    /// pool, and its probes bring it back.
    pub(crate) fn suspect(&self, slot: &Slot, ejected: bool) {
        // A full queue drops the message. The regular probes find out anyway, and an ejected endpoint
        // is reported again.
        let _ = self.parts.suspects.try_send(Suspect { endpoint: slot.endpoint.id.clone(), ejected });
    }

    /// Counts a connection for its client's address. False if the address has as many connections as it
    /// may; the caller then closes this one. A trusted proxy speaks for many clients, so its
    /// connections are not counted. (With the PROXY protocol the client's address is known only after
    /// the header, so the caller claims it then.) An IPv4 address that a dual-stack listener has mapped
    /// into IPv6 counts as the IPv4 address.
    pub(crate) fn claim(&self, counted: &mut ConnectionCount, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let parts = &self.parts;
        if parts.trusted_proxies.iter().any(|network| network.contains(&address)) {
            return true;
        }
        let claimed = counted.claim(&parts.addresses, address).is_ok();
        if !claimed {
            parts.metrics.refused.inc();
        }
        claimed
    }

    /// Whether another client connection may be accepted. Workers that ask at the same moment may
    /// exceed the limit by one each.
    pub(crate) fn has_room(&self) -> bool {
        self.parts.connections.load(Ordering::Relaxed) < self.parts.connections_max
    }
}

/// The tag of attempts on a color of a service.
pub(crate) fn tag(service: u32, color: Color) -> AttemptTag {
    AttemptTag { service, color: u8::from(color == Color::Green) }
}
