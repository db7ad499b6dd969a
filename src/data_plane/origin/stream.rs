//! One connection of either side, in the form that an exchange needs. It is read into chunks and
//! written from slices, in HTTP/1.1.
//!
//! It is an enum, so that plain connections pay one comparison for the other kinds.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::tls::HTTP2_ALPN;

use super::secure::Secure;
use crate::data_plane::h2::{ClientStream, OriginStream};
use crate::data_plane::request::answer::Own;
use crate::data_plane::worker::chunk::Chunk;

/// A connected socket, or a stream of HTTP/2 that behaves like one.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<Secure>),
    /// One request of a client that speaks HTTP/2.
    Client(Box<ClientStream>),
    /// One request to an origin that speaks HTTP/2.
    Origin(Box<OriginStream>),
}

impl Stream {
    /// Reads once into the room of `chunk`; 0 is the end of the peer's bytes. (A read that fills only a
    /// part of the room tells the runtime that the socket is empty. This saves the call that would find
    /// it out.) Over TLS an end without `close_notify` is an error.
    pub(crate) fn poll_fill(
        &mut self,
        context: &mut Context<'_>,
        chunk: &mut Chunk,
    ) -> Poll<io::Result<usize>> {
        self.poll_fill_most(context, chunk, usize::MAX)
    }

    /// The same, for at most `bytes_max` bytes.
    pub(crate) fn poll_fill_most(
        &mut self,
        context: &mut Context<'_>,
        chunk: &mut Chunk,
        bytes_max: usize,
    ) -> Poll<io::Result<usize>> {
        let count = match self {
            Self::Plain(socket) => {
                let room = chunk.room();
                let length = room.len().min(bytes_max);
                let mut room = ReadBuf::new(&mut room[..length]);
                ready!(Pin::new(socket).poll_read(context, &mut room))?;
                room.filled().len()
            }
            Self::Tls(secure) => {
                let mut scratch = chunk.another();
                let room = chunk.room();
                let length = room.len().min(bytes_max);
                ready!(secure.poll_fill(context, &mut room[..length], scratch.room()))?
            }
            Self::Client(stream) => return stream.poll_fill(context, chunk, bytes_max),
            Self::Origin(stream) => return stream.poll_fill(context, chunk, bytes_max),
        };
        chunk.filled(count);
        Poll::Ready(Ok(count))
    }

    /// Writes once. Over TLS some of the written bytes may wait for room in the socket;
    /// [`Self::has_unsent`] says so.
    pub(crate) fn poll_send(&mut self, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_write(context, data),
            Self::Tls(secure) => secure.poll_send(context, &[IoSlice::new(data)], false),
            Self::Client(stream) => stream.poll_send(context, &[IoSlice::new(data)]),
            Self::Origin(stream) => stream.poll_send(context, &[IoSlice::new(data)]),
        }
    }

    /// Writes several pieces once, in one call.
    pub(crate) fn poll_send_all(
        &mut self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_write_vectored(context, parts),
            Self::Tls(secure) => secure.poll_send(context, parts, false),
            Self::Client(stream) => stream.poll_send(context, parts),
            Self::Origin(stream) => stream.poll_send(context, parts),
        }
    }

    /// Writes several pieces once, behind which the connection is closed. Over TLS its `close_notify`
    /// leaves with them.
    pub(crate) fn poll_send_last(
        &mut self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tls(secure) => secure.poll_send(context, parts, true),
            other => other.poll_send_all(context, parts),
        }
    }

    /// Whether some of the written bytes have not left yet. [`Self::poll_push`] sends them.
    pub(crate) fn has_unsent(&self) -> bool {
        match self {
            Self::Tls(secure) => secure.has_unsent(),
            Self::Plain(_) | Self::Client(_) | Self::Origin(_) => false,
        }
    }

    /// Sends the written bytes that have not left yet.
    pub(crate) fn poll_push(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tls(secure) => secure.poll_push(context),
            Self::Plain(_) | Self::Client(_) | Self::Origin(_) => Poll::Ready(Ok(())),
        }
    }

    /// Tells the peer that nothing more will be sent. May be called again until it is ready. It is no
    /// fault if the peer is gone.
    pub(crate) fn poll_finish(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Plain(socket) => {
                let _ = socket2::SockRef::from(&*socket).shutdown(std::net::Shutdown::Write);
                Poll::Ready(())
            }
            Self::Tls(secure) => secure.poll_finish(context).map(drop),
            Self::Client(stream) => {
                stream.finish();
                Poll::Ready(())
            }
            Self::Origin(stream) => {
                stream.finish();
                Poll::Ready(())
            }
        }
    }

    /// Tells the peer over TLS that nothing more will be sent, because any device on the path can make a
    /// close alone. This is for a stream that is dropped next.
    pub(crate) fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Tls(secure) => secure.poll_end(context).map(drop),
            Self::Plain(_) | Self::Client(_) | Self::Origin(_) => Poll::Ready(()),
        }
    }

    /// Whether ALPN has agreed on HTTP/2.
    pub(crate) fn has_agreed_on_http2(&self) -> bool {
        matches!(self, Self::Tls(secure) if secure.session.alpn_protocol() == Some(HTTP2_ALPN))
    }

    /// Ready when the client has given up its request. Only a stream of HTTP/2 shows it here; a socket
    /// shows it at a read.
    pub(crate) fn poll_given_up(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Client(stream) => stream.poll_given_up(context),
            Self::Plain(_) | Self::Tls(_) | Self::Origin(_) => Poll::Pending,
        }
    }

    /// Whether the client asked by extended CONNECT, and so takes any 2xx for an open tunnel.
    pub(crate) fn asks_for_tunnel(&self) -> bool {
        matches!(self, Self::Client(stream) if stream.asks_for_tunnel())
    }

    /// The answer for the client, if its request could not be put to the origin in HTTP/2.
    pub(crate) fn refusal(&self) -> Option<Own> {
        match self {
            Self::Origin(stream) => stream.refusal(),
            Self::Plain(_) | Self::Tls(_) | Self::Client(_) => None,
        }
    }

    /// Whether the whole connection has ended. False if the origin has only reset one request on it.
    pub(crate) fn was_lost(&self) -> bool {
        match self {
            Self::Origin(stream) => stream.was_lost(),
            Self::Plain(_) | Self::Tls(_) | Self::Client(_) => true,
        }
    }

    /// Whether the origin has said that it did nothing with the request.
    pub(crate) fn is_unprocessed(&self) -> bool {
        matches!(self, Self::Origin(stream) if stream.is_unprocessed())
    }

    /// Whether this is a whole connection, which can be kept for another request.
    pub(crate) fn is_socket(&self) -> bool {
        matches!(self, Self::Plain(_) | Self::Tls(_))
    }

    pub(crate) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// The socket of a whole connection.
    pub(crate) fn socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(socket) => Some(socket),
            Self::Tls(secure) => Some(&secure.socket),
            Self::Client(_) | Self::Origin(_) => None,
        }
    }

    /// Turns the next close into a reset, so that the peer can't take it for the end of a body. A stream
    /// of HTTP/2 that has not ended is always reset.
    pub(crate) fn reset_on_close(&self) {
        if let Some(socket) = self.socket() {
            let _ = socket.set_zero_linger();
        }
    }

    /// Whether an idle connection is still good, which means that it is open and the peer sent nothing
    /// on it unasked. It asks the system, because the runtime may not know of new bytes yet.
    pub(crate) fn is_quiet(&mut self) -> bool {
        match self {
            Self::Plain(socket) => {
                let mut byte = [std::mem::MaybeUninit::uninit()];
                let peeked = socket2::SockRef::from(&*socket).peek(&mut byte);
                matches!(peeked, Err(why) if why.kind() == io::ErrorKind::WouldBlock)
            }
            Self::Tls(secure) => secure.is_quiet(),
            Self::Client(_) | Self::Origin(_) => false,
        }
    }
}

/// The bytes of a buffer on the stack. A read uses it where there is no chunk to read into.
const SCRATCH_BYTES: usize = 16 * 1024;

/// For the crate `h2`, which brings buffers of its own. Only sockets carry it.
impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(context, out),
            Self::Tls(secure) => {
                let mut scratch = [0; SCRATCH_BYTES];
                let count = ready!(secure.poll_fill(context, out.initialize_unfilled(), &mut scratch))?;
                out.advance(count);
                Poll::Ready(Ok(()))
            }
            Self::Client(_) | Self::Origin(_) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_send(context, data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_send_all(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_push(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_finish(context).map(Ok)
    }
}
