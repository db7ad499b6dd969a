//! HTTP/2 (RFC 9113), towards clients and towards origins.
//!
//! h2 moves the frames; each stream then has the shape of an HTTP/1.1 connection with one request
//! ([`ClientStream`] towards clients, [`OriginStream`] towards origins), so that every rule about requests,
//! attempts and answers is one code for both protocols. A stream is given to
//! [`super::client::connection`] by its [`task`], with a head that [`request_head`] has written.
//!
//! h2 and not hyper above it: what ends a stream, and how, is decided here for each stream (a cut is
//! RST_STREAM, an answer before the body's end NO_ERROR, a 103 passes), one task drives both
//! directions of an exchange, and bytes go from the window to the origin's socket without a channel.
//!
//! h2 keeps no time and bounds no rates: [`mod@serve`] and [`link`] keep the connections' deadlines on
//! the worker's handles, [`pulse`] pings, [`guard`] counts what a client costs, [`socket`] feeds both.

mod client_stream;
mod connect;
mod guard;
mod inlet;
mod link;
mod origin_stream;
mod outlet;
mod pulse;
mod request_head;
mod response_head;
mod serve;
mod socket;
mod streams;
mod task;
#[cfg(test)]
mod tests;

pub(super) use client_stream::ClientStream;
pub(super) use connect::{ConnectionNeeds, connect_agreed, connect_known};
pub(super) use link::Links;
pub(super) use origin_stream::OriginStream;
pub(super) use serve::serve;
