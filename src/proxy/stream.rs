//! One socket of either side, read into chunks and written from slices.
//!
//! An enum, so that TLS can become a second kind without a box or a virtual call on plain ones.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::chunk::Chunk;

/// A connected socket.
#[derive(Debug)]
pub enum Stream {
    Plain(TcpStream),
}

impl Stream {
    /// Reads once into the room of `chunk`; 0 is the end of what the peer sends. (A read that
    /// fills only a part of the room tells the runtime that the socket is empty, which saves the
    /// call that would find that out.)
    pub fn poll_fill(&mut self, context: &mut Context<'_>, chunk: &mut Chunk) -> Poll<io::Result<usize>> {
        self.poll_fill_most(context, chunk, usize::MAX)
    }

    /// The same, reading at most so many bytes.
    pub fn poll_fill_most(
        &mut self,
        context: &mut Context<'_>,
        chunk: &mut Chunk,
        bytes_max: usize,
    ) -> Poll<io::Result<usize>> {
        let Self::Plain(socket) = self;
        let room = chunk.room();
        let length = room.len().min(bytes_max);
        let mut room = ReadBuf::new(&mut room[..length]);
        ready!(Pin::new(socket).poll_read(context, &mut room))?;
        let count = room.filled().len();
        chunk.filled(count);
        Poll::Ready(Ok(count))
    }

    /// Writes once.
    pub fn poll_send(&mut self, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let Self::Plain(socket) = self;
        Pin::new(socket).poll_write(context, data)
    }

    /// Writes once, several pieces in one call.
    pub fn poll_send_all(
        &mut self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self::Plain(socket) = self;
        Pin::new(socket).poll_write_vectored(context, parts)
    }

    /// Whether the runtime has heard that something, or the end, can be read: no system call.
    pub fn is_ready_to_read(&self) -> bool {
        let Self::Plain(socket) = self;
        socket.poll_read_ready(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    /// Says that nothing more will be sent.
    pub fn finish_sending(&self) {
        let Self::Plain(socket) = self;
        // A peer that is gone needs not be told.
        let _ = socket2::SockRef::from(socket).shutdown(std::net::Shutdown::Write);
    }

    /// Makes the close that follows a reset, so that the peer can't take it for an end.
    pub fn reset_on_close(&self) {
        let Self::Plain(socket) = self;
        let _ = socket.set_zero_linger();
    }

    /// Whether an idle connection is still good: open, and nothing was sent on it unasked.
    /// One system call: the runtime may not have heard yet.
    pub fn is_quiet(&self) -> bool {
        let Self::Plain(socket) = self;
        let mut byte = [std::mem::MaybeUninit::uninit()];
        let peeked = socket2::SockRef::from(socket).peek(&mut byte);
        matches!(peeked, Err(why) if why.kind() == io::ErrorKind::WouldBlock)
    }
}
