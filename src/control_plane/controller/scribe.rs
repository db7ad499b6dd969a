//! The scribe writes the stories of releases and the audit log, line by line, in a task of its own.
//! So a slow disk delays these lines and never the loop.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::control_plane::store::{ANSWER_MAX, Store};
use crate::model::ServiceName;
use crate::tasks;

use super::view::{AuditEntry, EventView};

/// The most jobs that wait for the scribe. A further line is logged and not kept.
const JOBS_MAX: usize = 1024;
/// The most story lines that wait for a store that can't be written. The oldest are dropped first.
const BACKLOG_MAX: usize = 1000;
/// How long the scribe waits before it tries again to write lines that a fault has held up.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the loop waits for its lines, so that on a healthy disk a person who is answered finds
/// them. The loop does not wait while the scribe is behind.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long the end of the process waits for the lines that are left.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

enum Job {
    Line(Box<EventView>),
    Audit(ServiceName, Box<AuditEntry>),
    /// Write what was held up. The answer comes after every job before this one was tried.
    Flush(oneshot::Sender<()>),
}

/// The loop's end of the scribe.
#[derive(Debug)]
pub(crate) struct Scribe {
    jobs: mpsc::Sender<Job>,
    /// The loop has stopped waiting for a flush that has not come to its end.
    behind: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Scribe {
    /// Starts the scribe. It takes a permit of `turns` for each write, like every other writer that
    /// is in no hurry.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        turns: Arc<Semaphore>,
        listeners: broadcast::Sender<Arc<EventView>>,
    ) -> Self {
        let (jobs, inlet) = mpsc::channel(JOBS_MAX);
        let behind = Arc::new(AtomicBool::new(false));
        let desk = Desk { store, turns, listeners, backlog: VecDeque::new(), behind: Arc::clone(&behind) };
        Self { jobs, behind, task: tasks::spawn("scribe", desk.work(inlet)) }
    }

    /// Adds a line to a story, in the store and for the listeners.
    pub(crate) fn line(&self, line: EventView) {
        self.give(Job::Line(Box::new(line)));
    }

    /// Adds a line to the audit log.
    pub(crate) fn audit(&self, service: ServiceName, entry: AuditEntry) {
        self.give(Job::Audit(service, Box::new(entry)));
    }

    fn give(&self, job: Job) {
        if self.jobs.try_send(job).is_err() {
            tracing::error!("the store is too slow: a line of a story or of the audit log is not kept");
        }
    }

    /// Waits until the lines so far are written, or for a moment at most.
    pub(crate) async fn settled(&self) {
        if self.behind.load(Ordering::Relaxed) {
            return;
        }
        let (done, answer) = oneshot::channel();
        self.give(Job::Flush(done));
        if tokio::time::timeout(PATIENCE, answer).await.is_err() {
            self.behind.store(true, Ordering::Relaxed);
        }
    }

    /// Ends the scribe after it has tried to write everything.
    pub(crate) async fn close(self) {
        drop(self.jobs);
        if tokio::time::timeout(CLOSE_TIMEOUT, self.task).await.is_err() {
            tracing::error!("the last lines of stories and of the audit log could not be written in time");
        }
    }
}

/// The scribe's own state.
struct Desk {
    store: Arc<dyn Store>,
    turns: Arc<Semaphore>,
    listeners: broadcast::Sender<Arc<EventView>>,
    /// Lines that a fault has held up, oldest first.
    backlog: VecDeque<EventView>,
    behind: Arc<AtomicBool>,
}

impl Desk {
    async fn work(mut self, mut inlet: mpsc::Receiver<Job>) {
        loop {
            let waits = if self.backlog.is_empty() { Duration::from_hours(1) } else { AGAIN };
            match tokio::time::timeout(waits, inlet.recv()).await {
                Ok(Some(job)) => self.take(job).await,
                Ok(None) => return self.write_backlog().await,
                Err(_) => self.write_backlog().await,
            }
        }
    }

    async fn take(&mut self, job: Job) {
        match job {
            Job::Line(line) => self.tell(*line).await,
            Job::Audit(service, entry) => self.audit(&service, &entry).await,
            Job::Flush(done) => {
                self.write_backlog().await;
                self.behind.store(false, Ordering::Relaxed);
                // A loop that waits no more needs no answer.
                let _ = done.send(());
            }
        }
    }

    async fn tell(&mut self, mut line: EventView) {
        // A line goes behind those that a fault has held up, so that the story keeps its order.
        let written = if self.backlog.is_empty() { self.append(&line).await } else { None };
        if let Some(seq) = written {
            line.seq = seq;
        } else {
            if self.backlog.len() == BACKLOG_MAX {
                self.backlog.pop_front();
            }
            self.backlog.push_back(line.clone());
        }
        // A send without a listener is no fault.
        let _ = self.listeners.send(Arc::new(line));
    }

    async fn write_backlog(&mut self) {
        while let Some(line) = self.backlog.front() {
            if self.append(line).await.is_none() {
                return;
            }
            self.backlog.pop_front();
        }
    }

    /// Appends a line to the store. Returns its sequence number, or `None` if it could not be
    /// written.
    async fn append(&self, line: &EventView) -> Option<u64> {
        let id = line.release.as_str().into();
        let json = serde_json::to_string(line).ok()?;
        let _turn = self.turns.acquire().await.ok()?;
        tokio::time::timeout(ANSWER_MAX, self.store.append(&id, json)).await.ok()?.ok()
    }

    /// Writes a line of the audit log. If that fails, an error is logged and nothing else stops.
    async fn audit(&self, service: &ServiceName, entry: &AuditEntry) {
        let Ok(json) = serde_json::to_string(entry) else { return };
        let Ok(_turn) = self.turns.acquire().await else { return };
        let written = tokio::time::timeout(ANSWER_MAX, self.store.audit(service, json)).await;
        if !matches!(written, Ok(Ok(()))) {
            tracing::error!(%service, what = %entry.what, who = %entry.who, "the audit log can't be written");
        }
    }
}
