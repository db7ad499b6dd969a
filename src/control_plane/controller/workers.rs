//! The controller's questions to the data plane. Every question goes to every worker at once, and
//! each worker answers in one turn of its loop.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::oneshot;

use crate::model::{Color, ServiceName};
use crate::traffic::{WorkerAsk, WorkerLink, WorkerReport};

/// How long a worker may take to hand over its counts. Later counts come with the next second.
const COLLECT_TIMEOUT: Duration = Duration::from_millis(500);
/// The longest time over which WebSocket connections are told to end. If all ended at once, all
/// clients would come back at once.
const DRAIN_CLOSE_SPREAD: Duration = Duration::from_secs(10);
const DRAIN_CLOSE_STEPS: u32 = 40;
/// How long a drain waits for the answer of a worker. A worker that hangs must not hold the drain,
/// and with it the stop of the old containers, for ever.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a drain looks whether anything is still in flight.
const DRAIN_POLL: Duration = Duration::from_millis(100);

/// The links to all workers. They are cheap to clone into a task.
#[derive(Clone, Debug)]
pub(crate) struct Workers(Arc<[WorkerLink]>);

impl Workers {
    pub(crate) fn new(links: &[WorkerLink]) -> Self {
        Self(links.into())
    }

    /// Sends each worker a question. The answers come in the workers' order, with `None` for a
    /// worker that has ended. It waits for a worker that hangs, so every caller but the switch has a
    /// limit of its own.
    async fn ask_all<T>(&self, question: impl Fn(oneshot::Sender<T>) -> WorkerAsk) -> Vec<Option<T>> {
        let asked = self.0.iter().map(|link| {
            let (reply, answer) = oneshot::channel();
            let question = question(reply);
            async move {
                link.ask.send(question).await.ok()?;
                answer.await.ok()
            }
        });
        join_all(asked).await
    }

    /// Returns once every worker has taken the current table. No attempt that starts after this
    /// sees an older table. A worker that has ended starts no attempts.
    pub(crate) async fn acknowledge(&self) {
        self.ask_all(|reply| WorkerAsk::Acknowledge { reply }).await;
    }

    /// Returns the counts of all workers since the last call.
    pub(crate) async fn collect(&self) -> Vec<WorkerReport> {
        let asked = self.0.iter().map(|link| {
            let (reply, answer) = oneshot::channel();
            async move {
                let asked = async {
                    link.ask.send(WorkerAsk::Collect { reply }).await.ok()?;
                    answer.await.ok()
                };
                tokio::time::timeout(COLLECT_TIMEOUT, asked).await.ok().flatten()
            }
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// Sums up a number over all workers; `None` if a worker hangs.
    async fn sum(&self, question: impl Fn(oneshot::Sender<u64>) -> WorkerAsk) -> Option<u64> {
        let answers = tokio::time::timeout(ANSWER_TIMEOUT, self.ask_all(question)).await.ok()?;
        Some(answers.into_iter().flatten().sum())
    }

    /// Returns the number of attempts in flight on a color, over all workers; `None` if a worker
    /// hangs, since then it is not known.
    async fn inflight(&self, service: &ServiceName, color: Color) -> Option<u64> {
        self.sum(|reply| WorkerAsk::Inflight { service: service.clone(), color, reply }).await
    }

    /// Tells a color's WebSocket connections to end, one group after the other over `spread`.
    async fn drain_close(&self, service: &ServiceName, color: Color, spread: Duration) {
        let mut told = 0;
        for left in (1..=DRAIN_CLOSE_STEPS).rev() {
            let question =
                |reply| WorkerAsk::DrainClose { service: service.clone(), color, one_in: left, reply };
            told += self.sum(question).await.unwrap_or(0);
            tokio::time::sleep(spread / DRAIN_CLOSE_STEPS).await;
        }
        if told > 0 {
            tracing::info!(%service, %color, told, "WebSocket connections were told that their color goes away");
        }
    }

    /// Waits at most `timeout` until nothing is in flight on a color that gets no new requests,
    /// then ends the rest. WebSocket connections are told to end over the first quarter of that
    /// time, but over at most 10 s. Returns how many attempts were cut.
    pub(crate) async fn drain(&self, service: &ServiceName, color: Color, timeout: Duration) -> u64 {
        let acknowledged = tokio::time::timeout(timeout.max(ANSWER_TIMEOUT), self.acknowledge()).await;
        if acknowledged.is_err() {
            tracing::warn!(%service, %color, "a worker hangs: the color is drained without its word");
        }
        let drain_close = async {
            self.drain_close(service, color, DRAIN_CLOSE_SPREAD.min(timeout / 4)).await;
            std::future::pending::<()>().await;
        };
        let empty = async {
            while self.inflight(service, color).await != Some(0) {
                tokio::time::sleep(DRAIN_POLL).await;
            }
        };
        let empty = async {
            tokio::select! {
                () = empty => {}
                () = drain_close => {}
            }
        };
        if tokio::time::timeout(timeout, empty).await.is_ok() {
            return 0;
        }
        self.sum(|reply| WorkerAsk::Cut { service: service.clone(), color, reply }).await.unwrap_or(0)
    }
}
