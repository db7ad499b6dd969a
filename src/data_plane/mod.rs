//! The data plane: it accepts clients and passes their requests to origins.
//!
//! Each worker is one thread with one `current_thread` runtime, its own listeners, and its own pools.
//! The path of a request takes no lock, and no value is written by two workers. The exceptions are
//! the numbers that a person limits over all workers: connections, connections of one address, and
//! requests of one service.
//!
//! # The walk of a request
//! 1. `client::accept` takes a socket. `client::transport` reads a PROXY header and makes the TLS
//!    handshake. `client::entry` finds out whether the client speaks HTTP/1.1 or HTTP/2 ([`h2`]).
//! 2. `client::connection` waits for a request's head.
//! 3. `request::serve` looks the host up in the worker's view (`worker::view`) and writes the head for
//!    the origin.
//! 4. `request::attempt` makes one attempt after the other. `request::retry_policy` picks the endpoint
//!    and decides whether there is another attempt.
//! 5. `origin::connect` finds an idle connection or opens one.
//! 6. `request::exchange` moves bytes in both directions, with one `request::copy_loop` for each, until
//!    one of them ends the other.
//! 7. `request::evidence` counts the attempt for the judge, `request::record` writes the line of the
//!    access log, and the connection waits for its next request.
//!
//! A stream of HTTP/2 takes the same walk on either side: [`h2`] gives it the shape of an HTTP/1.1
//! connection. `request::answer` lists the answers that greenlight gives itself.
//!
//! # Why it is built so
//! Each point was measured.
//! - A connection that waits holds no buffer (`worker::chunk`).
//! - Heads stay ranges over the read buffer. A head and the first bytes of its body leave in one write.
//! - A connection has one deadline, and a worker has one timer (`worker::ticks`,
//!   `worker::connection_table`).
//! - Idle connections to origins are plain vectors (`origin::pool`).
//!
//! # Folders
//! | Folder | Its part |
//! |---|---|
//! | [`client`] | connections of clients, from the accept to the close |
//! | [`request`] | one request, from its head to the last byte of its response |
//! | [`origin`] | endpoints and the connections to them |
//! | [`h2`] | HTTP/2, towards clients and towards origins |
//! | [`worker`] | everything that one thread owns, and its loop |

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
