//! One worker: a thread, what it owns, and the loop that it runs.
//!
//! | File | Its part |
//! |---|---|
//! | [`state`] | the worker: everything that the tasks of its thread share |
//! | [`worker_loop`] | its loop: the clock, the control plane's questions, the shutdown |
//! | [`view`] | the route table, with the worker's own endpoints beside it |
//! | [`service`] | counts of a service: in flight, evidence, metrics, budget of replays |
//! | [`recorder`] | evidence of one color for the judge |
//! | [`connection_table`] | a handle for each connection and stream: deadline, waker, signals |
//! | [`ticks`] | the coarse clock of deadlines |
//! | [`passes`] | passes of the loop, for tasks that take turns |
//! | [`wait`] | a wait that a deadline or a cut ends |
//! | [`chunk`] | read buffers, lent for one read |
//! | [`date`] | the value of the Date field |
//! | [`metrics`] | the metrics of the data plane |
//! | [`access`] | the access log |
//! | [`address`] | counts of client connections: all of them, and those of one address |
//! | [`request_limit`] | requests of a service in flight, over all workers |
//! | [`files`] | sockets to listen on, and the limit of open files |

pub(crate) mod access;
pub(crate) mod address;
pub(crate) mod chunk;
pub(crate) mod connection_table;
pub(crate) mod date;
pub(crate) mod files;
pub(crate) mod metrics;
pub(crate) mod passes;
pub(crate) mod recorder;
pub(crate) mod request_limit;
pub(crate) mod service;
pub(crate) mod state;
pub(crate) mod ticks;
pub(crate) mod view;
pub(crate) mod wait;
pub(crate) mod worker_loop;
