//! TLS over a socket: rustls does the protocol, this moves the bytes.
//!
//! What it is careful of:
//! - **Reads are large.** The socket is read into a chunk of the worker's, as much as there is, and
//!   rustls takes it from there: one call for what its own reads of 4 KiB would need sixteen for.
//! - **Writes are few.** Head and body become one record; what a handshake leaves to be said (the
//!   client's last flight, the server's tickets) waits for the first record behind it and leaves in
//!   the same call, or when there is nothing else to do: a client that has asked gets its tickets
//!   with the answer.
//! - **An end is a `close_notify`** (RFC 8446, 6.1). Without it the bytes before may have been cut:
//!   that is an error here, which a body that ends with its connection does not survive.

use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::{Connection, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What rustls may hold of a record that is not complete, at most: a read leaves room for it.
const RECORD_BYTES_MAX: usize = 17 * 1024;
/// The least that is worth a read.
const READ_BYTES_MIN: usize = 4 * 1024;

/// A socket and its TLS session.
#[derive(Debug)]
pub(crate) struct Secure {
    pub socket: TcpStream,
    pub session: Connection,
    /// Bytes that were read and that rustls had no room for; almost always empty.
    stash: Vec<u8>,
    /// Plaintext has come since bytes were last taken to be sent: an answer to it is on its way.
    asked: bool,
    /// We have said that nothing more comes.
    finished: bool,
}

impl Secure {
    pub(crate) fn new(socket: TcpStream, session: impl Into<Connection>) -> Box<Self> {
        Box::new(Self { socket, session: session.into(), stash: Vec::new(), asked: false, finished: false })
    }

    /// Goes on with the handshake. When it is ready our own last flight may still be unsent: it
    /// leaves with the first bytes, or in the first wait for the peer's.
    pub(crate) fn poll_handshake(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.is_handshaking() {
            ready!(self.poll_push(context))?;
            if !self.session.is_handshaking() {
                break;
            }
            let mut socket = Polled { socket: &mut self.socket, context };
            match self.session.read_tls(&mut socket) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Ok(_) => self.process(context)?,
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(why) => return Poll::Ready(Err(why)),
            };
        }
        Poll::Ready(Ok(()))
    }

    /// Reads plaintext into `out`; 0 is the peer's `close_notify`. `scratch` is used meanwhile.
    pub(crate) fn poll_fill(
        &mut self,
        context: &mut Context<'_>,
        out: &mut [u8],
        scratch: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.session.reader().read(out) {
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => {}
                read => {
                    self.asked |= matches!(read, Ok(count) if count > 0);
                    return Poll::Ready(read);
                }
            }
            let filled = if self.stash.is_empty() {
                let most = out.len().saturating_sub(RECORD_BYTES_MAX).max(READ_BYTES_MIN).min(scratch.len());
                let mut room = ReadBuf::new(&mut scratch[..most]);
                match Pin::new(&mut self.socket).poll_read(context, &mut room)? {
                    Poll::Ready(()) => {}
                    Poll::Pending => {
                        // Now there is nothing else to do. A fault of it shows at the next read.
                        if !(self.asked && self.may_wait()) {
                            let _ = self.poll_push(context)?;
                        }
                        return Poll::Pending;
                    }
                }
                let count = room.filled().len();
                self.take(context, &scratch[..count], out)?
            } else {
                let stash = std::mem::take(&mut self.stash);
                self.take(context, &stash, out)?
            };
            if filled > 0 {
                self.asked = true;
                return Poll::Ready(Ok(filled));
            }
        }
    }

    /// Whether the peer does not need what is unsent before the next bytes: tickets, at a server of TLS 1.3.
    /// (The last flight of TLS 1.2 is the server's, and its client waits for it.)
    fn may_wait(&self) -> bool {
        matches!(self.session, Connection::Server(_))
            && self.session.protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    /// Gives rustls what was read (nothing: the end), and what it makes of that to `out`.
    fn take(&mut self, context: &mut Context<'_>, mut data: &[u8], out: &mut [u8]) -> io::Result<usize> {
        if data.is_empty() {
            self.session.read_tls(&mut io::empty())?;
            self.process(context)?;
            return Ok(0);
        }
        let mut filled = 0;
        // Behind a `close_notify` rustls takes nothing more, and nothing counts.
        while !data.is_empty() && self.session.read_tls(&mut data)? > 0 {
            let mut waiting = self.process(context)?;
            if waiting > 0 {
                let count = self.session.reader().read(&mut out[filled..])?;
                filled += count;
                waiting -= count;
            }
            if waiting > 0 {
                self.stash.extend_from_slice(data);
                break;
            }
        }
        Ok(filled)
    }

    /// Has rustls read what it was given; returns how many bytes of plaintext wait.
    fn process(&mut self, context: &mut Context<'_>) -> io::Result<usize> {
        match self.session.process_new_packets() {
            Ok(state) => Ok(state.plaintext_bytes_to_read()),
            Err(why) => {
                // The alert that says what was wrong, if the socket takes it.
                let _ = self.poll_push(context);
                Err(io::Error::new(io::ErrorKind::InvalidData, why))
            }
        }
    }

    /// Takes bytes to be sent, and sends what it can. What is left then is told by
    /// [`Self::has_unsent`]. Behind the `last` ones `close_notify` leaves in the same call.
    pub(crate) fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
        last: bool,
    ) -> Poll<io::Result<usize>> {
        if self.finished {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        loop {
            let count = self.session.writer().write_vectored(parts)?;
            self.asked &= count == 0;
            if last && count == parts.iter().map(|part| part.len()).sum::<usize>() {
                self.say_end();
            }
            match self.poll_push(context)? {
                Poll::Pending if count == 0 => return Poll::Pending,
                Poll::Ready(()) if count == 0 && parts.iter().any(|part| !part.is_empty()) => {}
                _ => return Poll::Ready(Ok(count)),
            }
        }
    }

    /// Whether something that was taken is not sent yet.
    pub(crate) fn has_unsent(&self) -> bool {
        self.session.wants_write()
    }

    /// Sends what was taken.
    pub(crate) fn poll_push(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.wants_write() {
            let mut socket = Polled { socket: &mut self.socket, context };
            match self.session.write_tls(&mut socket) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(why) => return Poll::Ready(Err(why)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Sends everything that was taken, and `close_notify`: for a socket that is closed next.
    pub(crate) fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.say_end();
        self.poll_push(context)
    }

    /// The same, and a FIN: for a socket that is still read.
    pub(crate) fn poll_finish(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_end(context))?;
        Pin::new(&mut self.socket).poll_shutdown(context)
    }

    fn say_end(&mut self) {
        if !self.finished {
            self.finished = true;
            self.session.send_close_notify();
        }
    }

    /// Whether an idle connection is still good. Tickets and new keys may come at any time and are
    /// read here; data, an alert or an end may not.
    pub(crate) fn is_quiet(&mut self) -> bool {
        loop {
            if !self.stash.is_empty() || !self.session.wants_read() {
                return false;
            }
            // Not through the runtime, which may not have heard yet.
            let socket = socket2::SockRef::from(&self.socket);
            match self.session.read_tls(&mut &*socket) {
                Ok(count) if count > 0 => {
                    if self.session.process_new_packets().is_err() {
                        return false;
                    }
                }
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return true,
                Ok(_) | Err(_) => return false,
            }
        }
    }
}

/// The socket as rustls wants it: what would wait is `WouldBlock`, and wakes the task later.
pub(crate) struct Polled<'a, 'c, 'w> {
    pub socket: &'a mut TcpStream,
    pub context: &'c mut Context<'w>,
}

fn now<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl Read for Polled<'_, '_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut room = ReadBuf::new(out);
        now(Pin::new(&mut *self.socket).poll_read(self.context, &mut room))?;
        Ok(room.filled().len())
    }
}

impl Write for Polled<'_, '_, '_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        now(Pin::new(&mut *self.socket).poll_write(self.context, data))
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        now(Pin::new(&mut *self.socket).poll_write_vectored(self.context, parts))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
