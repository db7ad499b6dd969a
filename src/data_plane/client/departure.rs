//! Whether the client of a request that waits for its turn is still there.
//!
//! The worker sends nothing to the client and expects nothing from it during the wait. So the client's
//! end would show only after the wait, and a place would be kept for a client that is gone.
//!
//! A reset shows at once. A FIN may mean two things. The client has ended its request and still reads
//! (RFC 9112, 9.6), or it has closed. The two differ in their reaction to bytes, so a client that has
//! sent a FIN gets a 100. Every client of HTTP/1.1 has to be able to skip a 100 (RFC 9110, 15.2). The
//! system of a client that has closed answers it with a reset.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio::io::Interest;

use crate::http1::{CONTINUE, Version};

use crate::data_plane::request::call::Request;
use crate::data_plane::request::exchange::{AHEAD_BYTES_MAX, ClientSide};
use crate::data_plane::worker::connection_table::ConnectionHandle;
use crate::data_plane::worker::state::Worker;
use crate::data_plane::worker::wait::{Interrupt, unless_interrupted};

/// Why a wait has ended too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitEnd {
    /// The client has gone.
    ClientGone,
    Interrupted(Interrupt),
}

/// The facts of a request that matter for the wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiter {
    version: Version,
    /// Its body was read to the end.
    is_whole: bool,
}

impl From<&Request> for Waiter {
    fn from(request: &Request) -> Self {
        Self { version: request.facts.version, is_whole: request.upload.is_read() }
    }
}

/// Waits for `what`, unless the client goes, the deadline passes, or the worker cuts the request.
pub(crate) async fn unless_client_gone<F: Future>(
    (worker, handle): (&Worker, &ConnectionHandle),
    client: ClientSide<'_>,
    waiter: Waiter,
    what: F,
) -> Result<F::Output, WaitEnd> {
    let ClientSide { stream, ahead, ended } = client;
    let mut what = pin!(what);
    let mut gone = pin!(async {
        // Reads once: the client's FIN, or the bytes behind the request. A body is read by the attempt
        // alone.
        if waiter.is_whole && !*ended && ahead.is_empty() {
            let is_there = poll_fn(|context| {
                let mut chunk = worker.chunks.take();
                match stream.poll_fill_most(context, &mut chunk, AHEAD_BYTES_MAX) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(0)) => *ended = true,
                    Poll::Ready(Ok(_)) => ahead.extend_from_slice(chunk.data()),
                    Poll::Ready(Err(_)) => return Poll::Ready(false),
                }
                Poll::Ready(true)
            });
            if !is_there.await {
                return;
            }
        }
        if *ended && waiter.version == Version::Http11 {
            // If the 100 can't leave at once, it is not needed: such a client takes no bytes.
            let _ = poll_fn(|context| Poll::Ready(stream.poll_send(context, CONTINUE))).await;
        }
        match stream.socket() {
            Some(socket) => drop(socket.ready(Interest::ERROR).await),
            None => poll_fn(|context| stream.poll_given_up(context)).await,
        }
    });
    let either = poll_fn(|context| match what.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => gone.as_mut().poll(context).map(|()| None),
    });
    unless_interrupted(handle, either).await.map_err(WaitEnd::Interrupted)?.ok_or(WaitEnd::ClientGone)
}
