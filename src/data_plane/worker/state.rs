//! One worker: a thread, its loop, and everything that only this thread touches.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use crate::clock;
use crate::config::Limits;
use crate::http1::{HeadLimits, RequestHead, ResponseHead};
use crate::model::Color;
use crate::routing::RouteTable;
use crate::tls::{Challenges, Origins};
use crate::traffic::{ColorCounts, EndpointInflight, Suspect, WorkerAsk, WorkerReport};

use super::access::AccessSink;
use super::address::Addresses;
use super::chunk::ChunkPool;
use super::date::DateLine;
use super::limit::Gates;
use super::metrics::Metrics;
use super::passes::Passes;
use super::seats::{AttemptTag, Seats};
use super::service::Services;
use super::ticks::{TICK, Ticks};
use super::view::View;
use crate::data_plane::client::accept::accept;
use crate::data_plane::client::listener::ListenerFacts;
use crate::data_plane::origin::slot::Slot;

/// Ticks from one flush of the metrics to the next when nobody collects (1 s).
const FLUSH_TICKS: u32 = 10;
/// Over how long WebSocket connections are told of a shutdown: all at once would come back at once.
const FAREWELL_SPREAD: Duration = Duration::from_secs(10);
/// How long connections that were cut at the end of a shutdown have to go.
const CUT_GRACE: Duration = Duration::from_millis(500);

/// What a worker is made of; handed to its thread.
#[derive(Debug)]
pub(crate) struct WorkerParts {
    pub id: usize,
    pub workers: usize,
    pub limits: Limits,
    /// `limits.connections_max`, worked out.
    pub connections_max: usize,
    /// Client connections of all workers: the one number that they share.
    pub connections: Arc<AtomicUsize>,
    pub addresses: Arc<Addresses>,
    pub gates: Arc<Gates>,
    pub trusted_proxies: Arc<[IpNet]>,
    pub table: Arc<ArcSwap<RouteTable>>,
    pub suspects: mpsc::Sender<Suspect>,
    pub metrics: Metrics,
    pub access: AccessSink,
    /// By the positions of their listeners.
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
    pub seats: Rc<Seats>,
    pub services: Services,
    pub view: View,
    pub date: DateLine,
    /// The head that was read last; right until the task that read it waits.
    pub request_head: RefCell<RequestHead>,
    pub response_head: RefCell<ResponseHead>,
    /// No new requests: connections close after the one they are at.
    pub closing: Cell<bool>,
    /// The tick until which WebSocket connections are told so, one after the other.
    farewell_until: Cell<u32>,
    /// Requests refused before a service was known, by status.
    unrouted: RefCell<Vec<(u16, u64)>>,
    random: RefCell<fastrand::Rng>,
    started: Instant,
    flushed_connections: Cell<i64>,
    next_flush: Cell<u32>,
}

impl Worker {
    pub(crate) fn new(parts: WorkerParts) -> Rc<Self> {
        let head_limits = HeadLimits {
            block_bytes_max: parts.limits.header_block_bytes_max,
            fields_max: parts.limits.header_count_max,
            target_bytes_max: parts.limits.target_bytes_max,
        };
        let services = Services::new(parts.metrics.clone(), Arc::clone(&parts.gates));
        let view = View::new(Arc::clone(&parts.table), &services, Arc::clone(&parts.origins));
        Rc::new(Self {
            head_limits,
            ticks: Ticks::default(),
            passes: Passes::default(),
            chunks: ChunkPool::new(head_limits.head_bytes_max()),
            seats: Rc::default(),
            services,
            view,
            date: DateLine::new(clock::wall()),
            request_head: RefCell::default(),
            response_head: RefCell::default(),
            unrouted: RefCell::default(),
            closing: Cell::new(false),
            farewell_until: Cell::new(0),
            random: RefCell::new(fastrand::Rng::new()),
            started: clock::instant(),
            flushed_connections: Cell::new(0),
            next_flush: Cell::new(0),
            parts,
        })
    }

    /// 64 fresh random bits: for picks and request ids, not for secrets.
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

    /// Takes the current table.
    pub(crate) fn refresh(&self) -> u64 {
        self.view.refresh(&self.services, self.ticks.now())
    }

    /// Has an endpoint probed at once. `ejected`: it has left its pool, and comes back by its probes.
    pub(crate) fn suspect(&self, slot: &Slot, ejected: bool) {
        // A full queue drops it: the probes find out anyway, and what is ejected is told again.
        let _ = self.parts.suspects.try_send(Suspect { endpoint: slot.endpoint.id.clone(), ejected });
    }

    /// Whether another client connection may be accepted. Workers that ask at the same moment may
    /// pass the limit by one each.
    pub(crate) fn has_room(&self) -> bool {
        self.parts.connections.load(Ordering::Relaxed) < self.parts.connections_max
    }

    /// Serves until it is told to shut down, or everyone who could tell it so is gone.
    pub(crate) async fn run(
        self: Rc<Self>,
        listeners: Vec<TcpListener>,
        mut asks: mpsc::Receiver<WorkerAsk>,
    ) {
        let accepting: Vec<_> = listeners
            .into_iter()
            .enumerate()
            .map(|(index, listener)| {
                let facts = self.parts.listeners.get(index).cloned().unwrap_or_default();
                tokio::task::spawn_local(accept(Rc::clone(&self), listener, facts))
            })
            .collect();
        let keeper = Rc::clone(&self);
        tokio::task::spawn_local(async move { keeper.passes.keep().await });
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut end: Option<tokio::time::Instant> = None;
        let mut asked = true;
        loop {
            tokio::select! {
                biased;
                ask = asks.recv(), if asked => match ask {
                    Some(WorkerAsk::Shutdown { timeout }) => end = Some(self.close(timeout, &accepting)),
                    Some(ask) => self.answer(ask),
                    None => {
                        asked = false;
                        end = end.or_else(|| Some(self.close(self.parts.limits.shutdown_timeout, &accepting)));
                    }
                },
                _ = tick.tick() => self.tick(),
                () = self.seats.left(), if end.is_some() => {}
            }
            if let Some(end) = end
                && (self.seats.count() == 0 || tokio::time::Instant::now() >= end)
            {
                break;
            }
        }
        self.finish().await;
    }

    /// Cuts what is left, and counts it.
    async fn finish(&self) {
        let cut = self.seats.cut_all();
        if cut > 0 {
            tracing::warn!(worker = self.parts.id, connections = cut, "cut at the end of the shutdown");
            let gone = async {
                while self.seats.count() > 0 {
                    self.seats.left().await;
                }
            };
            // What does not go by itself goes with the runtime.
            let _ = tokio::time::timeout(CUT_GRACE, gone).await;
        }
        self.flush();
        self.parts.access.flush();
    }

    fn close(&self, timeout: Duration, accepting: &[tokio::task::JoinHandle<()>]) -> tokio::time::Instant {
        for task in accepting {
            task.abort();
        }
        self.closing.set(true);
        self.seats.close_idle();
        let spread = FAREWELL_SPREAD.min(timeout / 4);
        self.farewell_until.set(self.ticks.after(spread.max(TICK)));
        tokio::time::Instant::now() + timeout
    }

    fn tick(&self) {
        self.ticks.set(clock::instant().duration_since(self.started));
        let now = self.ticks.now();
        self.seats.expire(now);
        self.refresh();
        if self.closing.get() {
            let left = self.farewell_until.get().saturating_sub(now).max(1);
            self.parts.metrics.farewells.inc_by(self.seats.farewell(None, left));
        }
        self.parts.access.flush();
        if now >= self.next_flush.get() {
            self.date.set(clock::wall());
            self.view.sweep(clock::instant(), now);
            self.view.for_each_slot(|slot| {
                if slot.is_ejected() {
                    self.suspect(slot, true);
                }
            });
            self.flush();
        }
    }

    /// Answers in this turn of the loop. A reply that nobody waits for is no fault.
    fn answer(&self, ask: WorkerAsk) {
        match ask {
            WorkerAsk::Acknowledge { reply } => {
                self.refresh();
                let _ = reply.send(());
            }
            WorkerAsk::Collect { reply } => {
                // Nobody waits any more: the evidence is handed over the next time.
                if let Err(report) = reply.send(self.collect()) {
                    self.give_back(&report);
                }
            }
            WorkerAsk::Inflight { service, color, reply } => {
                let _ = reply.send(self.services.inflight(&service, color));
            }
            WorkerAsk::Farewell { service, color, one_in, reply } => {
                let tag = self.services.find(&service).map(|cell| tag(cell.key, color));
                let told = tag.map_or(0, |tag| self.seats.farewell(Some(tag), one_in));
                self.parts.metrics.farewells.inc_by(told);
                let _ = reply.send(told);
            }
            WorkerAsk::Cut { service, color, reply } => {
                let tag = self.services.find(&service).map(|cell| tag(cell.key, color));
                let cut = tag.map_or(0, |tag| self.seats.cut(tag));
                self.parts.metrics.cut.inc_by(cut);
                let _ = reply.send(cut);
            }
            WorkerAsk::Shutdown { .. } => {}
        }
    }

    fn collect(&self) -> WorkerReport {
        let mut report = WorkerReport::default();
        self.services.for_each(|cell| {
            for (color, counts) in cell.colors.iter() {
                if let Some(bucket) = counts.evidence.take() {
                    report.colors.push(ColorCounts { service: cell.name.clone(), color, bucket });
                }
            }
        });
        self.view.for_each_slot(|slot| {
            let inflight = u64::from(slot.inflight.get());
            if inflight > 0 {
                report.inflight.push(EndpointInflight { endpoint: slot.endpoint.id.clone(), inflight });
            }
        });
        report.connections = self.seats.clients() as u64;
        self.flush();
        report
    }

    fn give_back(&self, report: &WorkerReport) {
        for counts in &report.colors {
            if let Some(cell) = self.services.find(&counts.service) {
                cell.colors[counts.color].evidence.give_back(&counts.bucket);
            }
        }
    }

    fn flush(&self) {
        self.next_flush.set(self.ticks.now().saturating_add(FLUSH_TICKS));
        self.services.flush();
        for (status, count) in self.unrouted.take() {
            self.parts.metrics.unrouted.with_label_values(&[&status.to_string()]).inc_by(count);
        }
        let connections = i64::try_from(self.seats.clients()).unwrap_or(i64::MAX);
        self.parts.metrics.connections.add(connections - self.flushed_connections.replace(connections));
    }
}

/// The tag of attempts on a color of a service.
pub(crate) fn tag(service: u32, color: Color) -> AttemptTag {
    AttemptTag { service, color: u8::from(color == Color::Green) }
}
