//! HTTP/2 (RFC 9113), towards clients and towards origins.

use std::rc::Rc;

use crate::http1::Peer;

use super::accept::Counted;
use super::chunk::Chunk;
use super::seats::Seat;
use super::stream::Stream;
use super::worker::Worker;

/// Serves a connection that speaks HTTP/2 to its end; `first` is what was read of it already.
pub async fn serve(
    _worker: Rc<Worker>,
    _seat: Seat,
    _stream: Stream,
    _peer: Peer,
    _counted: Counted,
    _first: Chunk,
) {
    std::future::ready(()).await;
}
