//! HTTP/2 (RFC 9113), towards clients and towards origins.
//!
//! The crate `h2` moves the frames. Each stream then has the shape of an HTTP/1.1 connection with one
//! request ([`ClientStream`] towards clients, [`OriginStream`] towards origins). So the rules about
//! requests, attempts and answers have the same code for both protocols. The [`task`] of a stream hands
//! it to [`super::client::connection`], with a head that [`request_head`] has written.
//!
//! greenlight uses `h2` and not hyper above it, for three reasons. The first is that the end of each
//! stream is decided here: a cut is RST_STREAM, an answer before the body's end is NO_ERROR, and a 103
//! passes. The second is that one task drives both directions of an exchange. The third is that bytes
//! go from the window to the origin's socket without a channel.
//!
//! `h2` has no timers and limits no rates, so this folder does.
//!
//! | File | Its part |
//! |---|---|
//! | [`mod@serve`] | a client's connection: accepts streams, keeps its deadlines, decides its end |
//! | [`task`] | one stream of a client, from its head to its end |
//! | [`streams`] | how many streams of a connection are served |
//! | [`client_stream`] | a client's stream as an HTTP/1.1 connection |
//! | [`mod@connect`] | a stream to an origin, on a shared connection or on a fresh one |
//! | [`link`] | shared connections to one endpoint, and their deadlines |
//! | [`origin_stream`] | a stream to an origin as an HTTP/1.1 connection |
//! | [`request_head`], [`response_head`] | heads, between HTTP/1.1 and HTTP/2 |
//! | [`inlet`], [`outlet`] | bodies, between frames and HTTP/1.1 |
//! | [`payload`] | bytes that h2 holds, and how many may wait there |
//! | [`parting`] | resets that leave behind what has come |
//! | [`socket`] | the socket below `h2`: how much of it is read in one pass |
//! | [`guard`] | counts the costs of a client, and ends a connection that floods |
//! | [`relabel`] | hides framing fields in the answers to extended CONNECT |
//! | [`pulse`] | pings, and peers that take no bytes |

mod client_stream;
mod connect;
mod guard;
mod inlet;
mod link;
mod origin_stream;
mod outlet;
mod parting;
mod payload;
mod pulse;
mod relabel;
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
