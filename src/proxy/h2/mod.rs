//! HTTP/2 (RFC 9113), towards clients and towards origins.

use std::rc::Rc;

use super::chunk::Chunk;
use super::stream::Stream;
use super::transport::Arrival;
use super::worker::Worker;

/// Serves a connection that speaks HTTP/2 to its end; `first` is what was read of it already.
pub async fn serve(_worker: Rc<Worker>, _stream: Stream, _arrival: Arrival, _first: Chunk) {
    std::future::ready(()).await;
}
