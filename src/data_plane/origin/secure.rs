//! TLS over a socket. rustls handles the protocol, and this file moves the bytes.
//!
//! It takes care of three things:
//! - **Reads are large.** A read fills one of the worker's chunks with all that the socket has, and
//!   rustls takes the bytes from there. This is one call where rustls's own reads of 4 KiB would need
//!   sixteen.
//! - **Writes are few.** Head and body become one record. A handshake may leave bytes to be sent (the
//!   client's last flight, the server's tickets). They wait for the first record behind them and leave
//!   in the same call, or they leave when there is nothing else to do. So a client that has asked gets
//!   its tickets with the answer.
//! - **An end is a `close_notify`** (RFC 8446, 6.1). Without it the bytes before may have been cut. So
//!   an end without it is an error here, and a body that ends with its connection fails.

use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::{Connection, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The most bytes that rustls may hold of an incomplete record. A read leaves room for them.
const RECORD_BYTES_MAX: usize = 17 * 1024;
/// The fewest bytes that are worth a read.
const READ_BYTES_MIN: usize = 4 * 1024;

/// A socket and its TLS session.
#[derive(Debug)]
pub(crate) struct Secure {
    pub socket: TcpStream,
    pub session: Connection,
    /// Bytes that were read and that rustls had no room for. It is almost always empty.
    stash: Vec<u8>,
    /// Plaintext has come since bytes were last taken to be sent, so an answer to it is on its way.
    asked: bool,
    /// greenlight has given rustls its `close_notify`.
    finished: bool,
}

impl Secure {
    pub(crate) fn new(socket: TcpStream, session: impl Into<Connection>) -> Box<Self> {
        Box::new(Self { socket, session: session.into(), stash: Vec::new(), asked: false, finished: false })
    }

    /// Continues the handshake. When it is ready, greenlight's last flight may still be unsent. It
    /// leaves with the first bytes, or in the first wait for the peer's bytes.
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

    /// Reads plaintext into `out`; 0 is the peer's `close_notify`. `scratch` is room for the encrypted
    /// bytes.
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
                        // There is nothing else to do now, so the unsent bytes leave.
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

    /// Whether unsent bytes may wait for the next ones, because the peer does not need them before.
    /// Such bytes are the tickets of a server of TLS 1.3. (In TLS 1.2 the last flight is the server's,
    /// and its client waits for it.)
    fn may_wait(&self) -> bool {
        matches!(self.session, Connection::Server(_))
            && self.session.protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    /// Gives rustls the bytes that were read (no bytes mean the end), and writes the plaintext of them
    /// to `out`. Returns the number of bytes of plaintext.
    fn take(&mut self, context: &mut Context<'_>, mut data: &[u8], out: &mut [u8]) -> io::Result<usize> {
        if data.is_empty() {
            self.session.read_tls(&mut io::empty())?;
            self.process(context)?;
            return Ok(0);
        }
        let mut filled = 0;
        // Behind a `close_notify` rustls takes nothing more, and further bytes do not count.
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

    /// Lets rustls process the bytes that it was given. Returns how many bytes of plaintext wait.
    fn process(&mut self, context: &mut Context<'_>) -> io::Result<usize> {
        match self.session.process_new_packets() {
            Ok(state) => Ok(state.plaintext_bytes_to_read()),
            Err(why) => {
                // rustls has an alert that says what was wrong. It is sent if the socket takes it.
                let _ = self.poll_push(context);
                Err(io::Error::new(io::ErrorKind::InvalidData, why))
            }
        }
    }

    /// Takes bytes to be sent, and sends as many as it can. [`Self::has_unsent`] says whether some are
    /// left. Behind the `last` bytes, `close_notify` leaves in the same call.
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

    /// Whether some of the bytes that were taken are not sent yet.
    pub(crate) fn has_unsent(&self) -> bool {
        self.session.wants_write()
    }

    /// Sends the bytes that were taken.
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

    /// Sends everything that was taken, and `close_notify`. This is for a socket that is closed next.
    pub(crate) fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.say_end();
        self.poll_push(context)
    }

    /// Sends everything that was taken, `close_notify` and a FIN. This is for a socket that is still
    /// read.
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

    /// Whether an idle connection is still good. Tickets and new keys may come at any time, and are
    /// read here. After data, an alert or an end the connection is not good.
    pub(crate) fn is_quiet(&mut self) -> bool {
        loop {
            if !self.stash.is_empty() || !self.session.wants_read() {
                return false;
            }
            // The socket is read directly, because the runtime may not know of the bytes yet.
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

/// The socket in the form that rustls wants. A call that would wait returns `WouldBlock`, and the task
/// is woken later.
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
