//! A socket whose other end is to speak HTTP/2. It looks at the first bytes, so that a failure can
//! name the protocol that is spoken instead.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::answer::TOLD_MAX;

/// The kind of an error that says "this is not HTTP/2". Sockets do not return it.
pub(crate) const NOT_HTTP2: ErrorKind = ErrorKind::Unsupported;

/// Where a frame's type is: behind the three bytes of its length (RFC 9113 section 4.1).
const TYPE_AT: usize = 3;
const SETTINGS: u8 = 4;

/// Passes all bytes on. A read fails unless the first frame is SETTINGS (RFC 9113 section 3.4).
#[derive(Debug)]
pub(crate) struct Opening<T> {
    socket: T,
    /// The bytes that came before the first frame's type.
    heard: Vec<u8>,
    settled: bool,
}

impl<T: AsyncRead + Unpin> Opening<T> {
    pub(crate) fn new(socket: T) -> Self {
        Self { socket, heard: Vec::new(), settled: false }
    }

    fn listen(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.heard.extend_from_slice(&bytes[..bytes.len().min(TOLD_MAX)]);
        match self.heard.get(TYPE_AT) {
            _ if bytes.is_empty() => {
                Err(io::Error::new(NOT_HTTP2, "it closed the connection without an answer"))
            }
            None => Ok(()),
            Some(&SETTINGS) => {
                self.settled = true;
                self.heard = Vec::new();
                Ok(())
            }
            Some(_) => Err(io::Error::new(NOT_HTTP2, self.told())),
        }
    }

    fn told(&self) -> String {
        let begin = &self.heard[..self.heard.len().min(TOLD_MAX)];
        let told = begin.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let told = told.escape_ascii();
        if begin.starts_with(b"HTTP") {
            format!("it speaks HTTP/1, its answer begins with \"{told}\"")
        } else {
            format!("its answer begins with \"{told}\"")
        }
    }

    /// Reads the bytes that came before the other end closed, after a write to it has failed.
    fn last_words(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let mut bytes = [0; TOLD_MAX];
        let mut buffer = ReadBuf::new(&mut bytes);
        match Pin::new(&mut self.socket).poll_read(context, &mut buffer) {
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => self.listen(buffer.filled()),
            _ => Ok(()),
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Opening<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        if !self.settled {
            self.listen(&buffer.filled()[before..])?;
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Opening<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.socket).poll_write(context, bytes));
        if written.is_err() && !self.settled {
            self.last_words(context)?;
        }
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
