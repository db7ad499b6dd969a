//! What the two planes say to each other: bounded channels, no shared writes.

use tokio::sync::{mpsc, oneshot};

use crate::model::{Color, EndpointId, ServiceName};

use super::WorkerReport;

/// From the control plane to one worker. Answered in one turn of the worker's loop.
#[derive(Debug)]
pub enum WorkerAsk {
    /// Take the current table, then answer. Every attempt that the worker starts after its answer sees
    /// that table or a later one.
    Acknowledge { reply: oneshot::Sender<()> },
    /// Hand over what was counted since the last time.
    Collect { reply: oneshot::Sender<WorkerReport> },
    /// Attempts in flight on a color, now.
    Inflight { service: ServiceName, color: Color, reply: oneshot::Sender<u64> },
    /// End one in so many of a color's WebSocket connections (one at least) with a Close frame; answers
    /// with how many.
    DrainClose { service: ServiceName, color: Color, one_in: u32, reply: oneshot::Sender<u64> },
    /// End what is still in flight on a color; answers with how many were cut.
    Cut { service: ServiceName, color: Color, reply: oneshot::Sender<u64> },
    /// Stop accepting; finish what is in flight until `timeout`, then close; the worker ends.
    Shutdown { timeout: std::time::Duration },
}

pub type AskSender = mpsc::Sender<WorkerAsk>;

/// From a worker to the control plane (`try_send`; a full queue drops it, probes find out anyway):
/// a connect was refused or reset, probe this endpoint at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    pub endpoint: EndpointId,
    /// The worker sends it nothing until the table says that its probes have brought it back
    /// ([`crate::routing::EndpointRoute::returns`]).
    pub ejected: bool,
}

/// The control plane's end of one worker.
#[derive(Clone, Debug)]
pub struct WorkerLink {
    pub worker: usize,
    pub ask: AskSender,
}
