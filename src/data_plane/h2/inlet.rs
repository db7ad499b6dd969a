//! The incoming bytes of a stream of HTTP/2, as the bytes of an HTTP/1.1 body.
//!
//! The peer's window is given back only as bytes leave here. So a reader that takes no bytes stops the
//! sender (RFC 9113, 5.2). No more is held than one frame, beside the part of the window that h2 holds.

use std::io;
use std::num::NonZeroUsize;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use h2::RecvStream;
use http::HeaderMap;

use crate::data_plane::worker::chunk::Chunk;
use crate::http1::chunk::{CHUNK_END, ChunkHeader};

/// The room that a piece needs beside its payload, in bytes: 16 digits and two line ends.
const FRAMING_BYTES_MAX: usize = 20;

/// How a body is written in HTTP/1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it comes, because its length is known or it is a tunnel.
    Raw,
    Chunked,
}

#[derive(Debug)]
enum State {
    Data,
    Trailers,
    /// The end of a chunked body, and the position up to which it was written.
    Tail(Vec<u8>, usize),
    Done,
}

/// The receiving half of a stream.
#[derive(Debug)]
pub(super) struct Inlet {
    body: RecvStream,
    form: Form,
    /// The rest of the frame that came last.
    data: Bytes,
    state: State,
}

impl Inlet {
    pub(super) fn new(body: RecvStream, form: Form) -> Self {
        let state = if form == Form::Raw && body.is_end_stream() { State::Done } else { State::Data };
        Self { body, form, data: Bytes::new(), state }
    }

    /// The rest of a body whose end has not come yet.
    pub(super) fn into_rest(self) -> Option<RecvStream> {
        (matches!(self.state, State::Data) && !self.body.is_end_stream()).then_some(self.body)
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Reads at most `bytes_max` bytes into the room of `chunk`; 0 means that the body has ended.
    pub(super) fn poll_fill(
        &mut self,
        context: &mut Context<'_>,
        chunk: &mut Chunk,
        bytes_max: usize,
    ) -> Poll<Result<usize, h2::Error>> {
        let mut filled = 0;
        loop {
            let room = chunk.room().len().min(bytes_max - filled);
            if room <= FRAMING_BYTES_MAX {
                return Poll::Ready(Ok(filled));
            }
            if !self.data.is_empty() {
                filled += self.put(chunk, room);
                continue;
            }
            match self.poll_next(context, chunk, room) {
                Poll::Ready(Ok(0)) if self.is_done() => return Poll::Ready(Ok(filled)),
                Poll::Ready(Ok(count)) => filled += count,
                Poll::Ready(Err(_)) | Poll::Pending if filled > 0 => return Poll::Ready(Ok(filled)),
                Poll::Ready(Err(why)) => return Poll::Ready(Err(why)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Takes the next frame, or writes the part of the end that is still missing.
    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        chunk: &mut Chunk,
        room: usize,
    ) -> Poll<Result<usize, h2::Error>> {
        match &mut self.state {
            State::Data => match self.body.poll_data(context) {
                Poll::Ready(Some(Ok(data))) => self.data = data,
                Poll::Ready(Some(Err(why))) => return Poll::Ready(Err(why)),
                Poll::Ready(None) => self.state = State::Trailers,
                Poll::Pending => return Poll::Pending,
            },
            State::Trailers => match self.body.poll_trailers(context) {
                Poll::Ready(Ok(trailers)) => {
                    self.state = match self.form {
                        Form::Chunked => State::Tail(tail(trailers.as_ref()), 0),
                        Form::Raw => State::Done,
                    };
                }
                Poll::Ready(Err(why)) => return Poll::Ready(Err(why)),
                Poll::Pending => return Poll::Pending,
            },
            State::Tail(bytes, at) => {
                let count = chunk.append(&bytes[*at..bytes.len().min(*at + room)]);
                *at += count;
                if *at == bytes.len() {
                    self.state = State::Done;
                }
                return Poll::Ready(Ok(count));
            }
            State::Done => {}
        }
        Poll::Ready(Ok(0))
    }

    /// Moves payload into the chunk, framed. Returns the number of bytes written.
    fn put(&mut self, chunk: &mut Chunk, room: usize) -> usize {
        let count = self.data.len().min(room - FRAMING_BYTES_MAX);
        let mut filled = 0;
        if let (Form::Chunked, Some(size)) = (self.form, NonZeroUsize::new(count)) {
            filled += chunk.append(ChunkHeader::new(size).as_bytes());
        }
        filled += chunk.append(&self.data[..count]);
        if self.form == Form::Chunked {
            filled += chunk.append(CHUNK_END);
        }
        self.data.advance(count);
        // This fails only if more is given back than came, and these bytes came.
        let _ = self.body.flow_control().release_capacity(count);
        filled
    }
}

/// The last chunk and the trailers behind it. The code that reads them decides which of them may pass.
fn tail(trailers: Option<&HeaderMap>) -> Vec<u8> {
    let mut out = b"0\r\n".to_vec();
    for (name, value) in trailers.into_iter().flatten() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(CHUNK_END);
    out
}

/// An error of h2 as an error of a socket.
pub(super) fn as_io(why: h2::Error) -> io::Error {
    let kind = if why.is_io() { io::ErrorKind::BrokenPipe } else { io::ErrorKind::ConnectionReset };
    io::Error::new(kind, why)
}
