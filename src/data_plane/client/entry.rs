//! Which protocol a connection speaks. ALPN says it on TLS; the first bytes say it on a plain socket.
//!
//! Prior knowledge of HTTP/2 (RFC 9113, 3.3) begins with a preface. Its first bytes could also begin an
//! HTTP/1.1 request with an unknown method. A connection whose first byte is not `P` is HTTP/1.1 at
//! once, and the buffer with its bytes is passed on as it is.

use std::future::poll_fn;
use std::task::Poll;

use super::connection::Connection;
use crate::data_plane::h2;
use crate::data_plane::origin::stream::Stream;
use crate::data_plane::worker::chunk::Chunk;

/// The part of HTTP/2's preface that no request of HTTP/1 begins with. The code that serves the
/// connection reads the rest of the preface.
const PREFACE_BEGIN: &[u8] = b"PRI * HTTP/2.0";

/// The result of ALPN (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpn {
    /// There is no TLS, so the first bytes decide.
    Plain,
    /// `http/1.1` or `http/1.0`, or a TLS client that offered no protocol.
    Http1,
    /// `h2`.
    Http2,
}

/// The protocol that the first bytes belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speech {
    Http1,
    Http2,
    /// More bytes are needed.
    Unclear,
}

/// Serves a connection until it ends. Its transport is ready: TCP alone, or TLS after its handshake.
///
/// The connection's handle has its deadline already. It is `detection_timeout` from the accept, so that
/// the handshake and the first bytes share it. A client that sends nothing in that time, or half a
/// preface, gets no answer before the close, because browsers open connections before they need them.
#[expect(
    clippy::manual_async_fn,
    reason = "that holds its arguments twice, in each of many connections that wait"
)]
pub(crate) fn after_transport(mut connection: Connection, alpn: Alpn) -> impl Future<Output = ()> {
    async move {
        connection.handle.settle().await;
        match first_bytes(&mut connection, alpn).await {
            None => goodbye(&mut connection.stream).await,
            // Boxed, because every waiting HTTP/1.1 connection would hold its space too.
            Some((Speech::Http2, first)) => Box::pin(h2::serve(connection, first)).await,
            Some((_, first)) => connection.serve(first).await,
        }
    }
}

/// Sends `close_notify` over TLS, even on a connection on which no byte came, as far as the socket
/// takes it at once.
async fn goodbye(stream: &mut Stream) {
    poll_fn(|context| {
        let _ = stream.poll_end(context);
        Poll::Ready(())
    })
    .await;
}

/// Reads until the protocol is clear. `None` if the connection ended before, or must close.
async fn first_bytes(connection: &mut Connection, alpn: Alpn) -> Option<(Speech, Chunk)> {
    let Connection { worker, handle, stream, .. } = connection;
    // Holds only the bytes of a preface that arrives in pieces.
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
