//! Which protocol a connection speaks: ALPN says it on TLS, the first bytes on a plain socket.
//!
//! Prior knowledge of HTTP/2 (RFC 9113, 3.3) begins with a preface whose first bytes could be the
//! begin of an HTTP/1.1 request of an unknown method. A connection whose first byte is no `P` is
//! HTTP/1.1 at once, and the buffer that its bytes were read into goes on as it is.

use std::future::poll_fn;
use std::task::Poll;

use super::connection::Connection;
use crate::data_plane::h2;
use crate::data_plane::origin::stream::Stream;
use crate::data_plane::worker::chunk::Chunk;

/// The part of HTTP/2's preface that no request of HTTP/1 begins with. The rest of it is read by
/// the code that serves the connection.
const PREFACE_BEGIN: &[u8] = b"PRI * HTTP/2.0";

/// What ALPN (RFC 7301) has settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpn {
    /// There is no TLS: the first bytes tell.
    Plain,
    /// `http/1.1`, or a TLS client that named nothing.
    Http1,
    /// `h2`.
    Http2,
}

/// What the first bytes are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speech {
    Http1,
    Http2,
    /// More bytes are needed.
    Unclear,
}

/// Serves a connection whose transport stands (TCP alone, or TLS after its handshake) to its end.
///
/// The connection's handle has its deadline: `detection_timeout` from the accept,
/// so that the handshake and the first bytes share it. A client that sends nothing in that time,
/// or half a preface, is closed without a word: browsers connect ahead of need.
#[expect(
    clippy::manual_async_fn,
    reason = "that holds its arguments twice, in each of many connections that wait"
)]
pub(crate) fn after_transport(mut connection: Connection, alpn: Alpn) -> impl Future<Output = ()> {
    async move {
        connection.handle.settle().await;
        match first_bytes(&mut connection, alpn).await {
            None => goodbye(&mut connection.stream).await,
            // Boxed: it would be held by every waiting HTTP/1.1 connection too.
            Some((Speech::Http2, first)) => Box::pin(h2::serve(connection, first)).await,
            Some((_, first)) => connection.serve(first).await,
        }
    }
}

/// Over TLS even a connection on which nothing came ends with its `close_notify`, as far as the socket
/// takes it at once.
async fn goodbye(stream: &mut Stream) {
    poll_fn(|context| {
        let _ = stream.poll_end(context);
        Poll::Ready(())
    })
    .await;
}

/// Reads until it is clear what is spoken. `None`: nothing is, and the connection is to close.
async fn first_bytes(connection: &mut Connection, alpn: Alpn) -> Option<(Speech, Chunk)> {
    let Connection { worker, handle, stream, .. } = connection;
    // Only a preface that comes in pieces is ever kept here.
    let mut begun = Vec::new();
    poll_fn(|context| {
        loop {
            let mut chunk = worker.chunks.take();
            chunk.append(&begun);
            match stream.poll_fill(context, &mut chunk) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(None),
                Poll::Ready(Ok(_)) => match spoken(alpn, chunk.data()) {
                    Speech::Unclear => {
                        begun.clear();
                        begun.extend_from_slice(chunk.data());
                    }
                    settled => return Poll::Ready(Some((settled, chunk))),
                },
                Poll::Pending => {
                    let signals = handle.signals();
                    let ends = signals.expired() || signals.cut() || signals.closing();
                    return if ends { Poll::Ready(None) } else { Poll::Pending };
                }
            }
        }
    })
    .await
}

fn spoken(alpn: Alpn, data: &[u8]) -> Speech {
    match alpn {
        Alpn::Http2 => Speech::Http2,
        Alpn::Plain if data.starts_with(PREFACE_BEGIN) => Speech::Http2,
        Alpn::Plain if PREFACE_BEGIN.starts_with(data) => Speech::Unclear,
        Alpn::Http1 | Alpn::Plain => Speech::Http1,
    }
}
