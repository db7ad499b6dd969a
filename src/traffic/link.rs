//! The messages between the two planes. They go through bounded channels, so the planes share no writes.

use tokio::sync::{mpsc, oneshot};

use crate::model::{Color, EndpointId, ServiceName};

use super::WorkerReport;

/// A message from the control plane to one worker. The worker answers within one turn of its loop.
#[derive(Debug)]
pub enum WorkerAsk {
    /// Take the current route table, then answer. Every attempt that the worker starts after its answer
    /// sees that table or a later one.
    Acknowledge { reply: oneshot::Sender<()> },
    /// Hand over the counts since the last collection.
    Collect { reply: oneshot::Sender<WorkerReport> },
    /// Answer with the number of attempts that are in flight on a color now.
    Inflight { service: ServiceName, color: Color, reply: oneshot::Sender<u64> },
    /// End one in `one_in` of a color's open WebSocket connections with a Close frame, rounded up. The
    /// answer is the number of connections that get the frame.
    DrainClose { service: ServiceName, color: Color, one_in: u32, reply: oneshot::Sender<u64> },
    /// End all requests that are still in flight on a color. The answer is the number of cut requests.
    Cut { service: ServiceName, color: Color, reply: oneshot::Sender<u64> },
    /// Stop accepting connections. Requests in flight may finish until `timeout` is over; then the worker
    /// closes the rest and ends.
    Shutdown { timeout: std::time::Duration },
}

/// The control plane's end of the channel to one worker.
pub type AskSender = mpsc::Sender<WorkerAsk>;

/// A message from a worker to the control plane. An endpoint has refused or reset a connection, and the
/// prober must probe it at once. The worker sends with `try_send`. A full queue drops the message, which does
/// no harm, because the regular probes find the fault anyway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The endpoint to probe.
    pub endpoint: EndpointId,
    /// Whether the worker has ejected the endpoint. It then sends no request there until the table says
    /// that probes have brought the endpoint back ([`crate::routing::EndpointRoute::returns`]). It does
    /// send requests there while too many endpoints of the color are out
    /// ([`crate::routing::tries_all`]).
    pub ejected: bool,
}

/// The control plane's link to one worker.
#[derive(Clone, Debug)]
pub struct WorkerLink {
    /// The number of the worker, counted from 0.
    pub worker: usize,
    /// The channel to the worker.
    pub ask: AskSender,
}
