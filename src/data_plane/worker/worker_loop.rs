//! The loop of one worker: it answers the control plane, moves the clock, and shuts the worker down.

use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::clock;
use crate::traffic::{ColorCounts, EndpointInflight, WorkerAsk, WorkerReport};

use super::state::{Worker, tag};
use super::ticks::{NEVER, TICK};
use crate::data_plane::client::accept::{QUEUE_TIME, accept, empty, entry_of};
use crate::data_plane::client::listener::Listener;

/// A listener, its facts, and the task that accepts its connections.
struct Door {
    listener: Rc<TcpListener>,
    entry: Rc<Listener>,
    accepting: JoinHandle<()>,
}

/// Ticks from one flush of the metrics to the next when the control plane does not collect (1 s).
const FLUSH_TICKS: u32 = 10;
/// The time over which a shutdown spreads its Close frames. Clients that get them at the same moment
/// come back at the same moment.
const DRAIN_CLOSE_SPREAD: Duration = Duration::from_secs(10);
/// How long connections may take to end after they were cut at the end of a shutdown.
const CUT_GRACE: Duration = Duration::from_millis(500);

impl Worker {
    /// Serves until the control plane shuts the worker down, or drops its end of the channel.
    pub(crate) async fn run(
        self: Rc<Self>,
        listeners: Vec<TcpListener>,
        mut asks: mpsc::Receiver<WorkerAsk>,
    ) {
        let doors = listeners.into_iter().enumerate().map(|(index, listener)| {
            let facts = self.parts.listeners.get(index).cloned().unwrap_or_default();
            let (entry, listener) = (entry_of(&listener, facts), Rc::new(listener));
            let accepting = accept(Rc::clone(&self), Rc::clone(&listener), Rc::clone(&entry));
            Door { listener, entry, accepting: tokio::task::spawn_local(accepting) }
        });
        let mut doors: Vec<_> = doors.collect();
        let mut emptied = Vec::new();
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
                    Some(WorkerAsk::Shutdown { timeout }) => {
                        emptied.extend(std::mem::take(&mut doors).into_iter().map(|door| self.shut(door)));
                        end = Some(self.close(timeout));
                    }
                    Some(ask) => self.answer(ask),
                    None => {
                        asked = false;
                        emptied.extend(std::mem::take(&mut doors).into_iter().map(|door| self.shut(door)));
                        end = end.or_else(|| Some(self.close(self.parts.limits.shutdown_timeout)));
                    }
                },
                _ = tick.tick() => self.tick(),
                () = self.handles.left(), if end.is_some() => {}
            }
            let Some(end) = end else { continue };
            let is_empty = self.handles.count() == 0 && emptied.iter().all(JoinHandle::is_finished);
            if is_empty || tokio::time::Instant::now() >= end {
                break;
            }
        }
        self.finish().await;
    }

    /// Cuts the connections that are left, and logs their number.
    async fn finish(&self) {
        let cut = self.handles.cut_all();
        if cut > 0 {
            tracing::warn!(worker = self.parts.id, connections = cut, "cut at the end of the shutdown");
            let gone = async {
                while self.handles.count() > 0 {
                    self.handles.left().await;
                }
            };
            // A connection that does not end in this time ends with the runtime.
            let _ = tokio::time::timeout(CUT_GRACE, gone).await;
        }
        self.flush();
        self.parts.access.flush();
    }

    /// Closes a listener, as soon as the connections that wait in its queue are accepted.
    fn shut(self: &Rc<Self>, door: Door) -> JoinHandle<()> {
        door.accepting.abort();
        tokio::task::spawn_local(empty(Rc::clone(self), door.listener, door.entry))
    }

    fn close(&self, timeout: Duration) -> tokio::time::Instant {
        self.closing.set(true);
        self.handles.close_idle();
        // Connections out of the queue have a second for their request.
        self.close_idle_at.set(self.ticks.after(QUEUE_TIME));
        let spread = DRAIN_CLOSE_SPREAD.min(timeout / 4);
        self.drain_close_until.set(self.ticks.after(spread.max(TICK)));
        tokio::time::Instant::now() + timeout
    }

    fn tick(&self) {
        self.ticks.set(clock::instant().duration_since(self.started));
        let now = self.ticks.now();
        self.handles.expire(now);
        self.refresh();
        if now >= self.close_idle_at.get() {
            self.close_idle_at.set(NEVER);
            self.handles.close_idle();
        }
        if self.closing.get() {
            let left = self.drain_close_until.get().saturating_sub(now).max(1);
            self.parts.metrics.drain_closes.inc_by(self.handles.drain_close(None, left));
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

    /// Answers in this turn of the loop. It is no fault if the asker does not wait for the reply any
    /// more.
    fn answer(&self, ask: WorkerAsk) {
        match ask {
            WorkerAsk::Acknowledge { reply } => {
                self.refresh();
                let _ = reply.send(());
            }
            WorkerAsk::Collect { reply } => {
                // If the receiver is gone, the evidence is kept and handed over the next time.
                if let Err(report) = reply.send(self.collect()) {
                    self.give_back(&report);
                }
            }
            WorkerAsk::Inflight { service, color, reply } => {
                let _ = reply.send(self.services.inflight(&service, color));
            }
            WorkerAsk::DrainClose { service, color, one_in, reply } => {
                let tag = self.services.find(&service).map(|cell| tag(cell.key, color));
                let closed = tag.map_or(0, |tag| self.handles.drain_close(Some(tag), one_in));
                self.parts.metrics.drain_closes.inc_by(closed);
                let _ = reply.send(closed);
            }
            WorkerAsk::Cut { service, color, reply } => {
                let tag = self.services.find(&service).map(|cell| tag(cell.key, color));
                let cut = tag.map_or(0, |tag| self.handles.cut(tag));
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
        report.connections = self.handles.clients() as u64;
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
        let connections = i64::try_from(self.handles.clients()).unwrap_or(i64::MAX);
        self.parts.metrics.connections.add(connections - self.flushed_connections.replace(connections));
    }
}
