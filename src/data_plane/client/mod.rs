//! The client's side: it accepts sockets, finds out which protocol a client speaks, and keeps
//! connections from request to request.
//!
//! | File | Its part |
//! |---|---|
//! | [`accept`] | one task for each listener: accepts sockets while there is room |
//! | [`listener`] | facts that the connections of one listener share |
//! | [`transport`] | the PROXY header and the TLS handshake |
//! | [`entry`] | HTTP/1.1 or HTTP/2, by ALPN or by the first bytes |
//! | [`connection`] | an HTTP/1.1 connection: waits for heads, request after request |
//! | [`after`] | the fate of a connection after a response |
//! | [`local`] | answers of the listener itself: readiness, ACME, redirect to https, 421 |
//! | [`preview`] | which clients may use the preview hosts |
//! | [`departure`] | whether the client of a waiting request is still there |

pub(crate) mod accept;
pub(crate) mod after;
pub(crate) mod connection;
pub(crate) mod departure;
pub(crate) mod entry;
pub(crate) mod listener;
pub(crate) mod local;
pub(crate) mod preview;
pub(crate) mod transport;
