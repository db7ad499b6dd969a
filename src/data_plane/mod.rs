//! L3: the data plane. One `current_thread` runtime per worker, its own listeners and pools; no
//! lock in the request path, nothing written by two workers (but the number of connections, which
//! a person limits over all of them).
//!
//! The walk of a request: [`accept`] gives a socket to [`entry`], which tells HTTP/2 ([`h2`]) from
//! HTTP/1.1; its [`connection`] waits for a head and hands it to [`request`]. There it is routed by
//! the worker's [`view`] and made into the origin's request; [`attempt`] has [`tries`] pick an
//! endpoint and count, finds or makes a connection, and starts an [`exchange`], whose two [`copy loop`]s
//! move bytes until one of them ends the other. A stream of HTTP/2 walks the same way, on either
//! side: [`h2`] gives it the shape of an HTTP/1.1 connection. What an answer of
//! our own says is in [`answer`].
//!
//! Why it is built so, measured: a waiting connection holds no buffer ([`chunk`]); heads stay
//! ranges over the read buffer; head and first body bytes leave in one write; there is one
//! deadline a connection and one timer a worker ([`ticks`], [`handles`]); idle upstream connections
//! are plain vectors ([`slot`]).

mod client;
mod dataplane;
mod h2;
mod origin;
mod request;
#[cfg(test)]
mod tests;
mod worker;

pub use client::listener::ListenerFacts;
pub use dataplane::{DataPlane, DataPlaneOptions, StartFault};
pub use worker::access::AccessSwitch;
pub use worker::files::{bind_alone, bind_shared, connections_max, raise_file_limit};
pub use worker::recorder::{Asker, EvidenceSettings, Failure, Recorder};
