//! One direction of an exchange: it reads bytes, frames them anew, and writes them.
//!
//! A copy loop reads only when everything that it read before is written. This is the backpressure, and
//! it limits a copy loop to one chunk. Small pieces are gathered behind the head, so that they leave in
//! one write. Large pieces are written from the place where they were read to.

mod websocket;

use std::io::{self, IoSlice};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::http1::{
    BodyFault, BodyReader, Framing, HeadLimits, Sending, Trailers, write_chunk_header, write_last_chunk,
};

use super::drain_close::DrainClose;
use crate::data_plane::origin::stream::Stream;
use crate::data_plane::worker::chunk::{Chunk, ChunkPool};

/// Pieces up to this many bytes are copied behind the bytes that already wait to be written. This is
/// cheaper than a second element of a vectored write.
const COPY_BYTES_MAX: usize = 4096;
/// The most bytes that are kept of a request that may have to be sent again.
const KEPT_BYTES_MAX: usize = 16 * 1024;
/// Gathering stops when this many bytes wait to be written.
const GATHER_BYTES_MAX: usize = 16 * 1024;
/// Ends a chunk of a chunked body.
const CHUNK_END: &[u8] = b"\r\n";

/// How a copy loop ended.
#[derive(Debug)]
pub(crate) enum CopyEnd {
    /// The body is complete, and all of it is written.
    Complete,
    /// The source ended before its body did, or was reset.
    SourceGone,
    /// The destination takes nothing more.
    DestinationGone,
    /// The source's body is malformed.
    Malformed(BodyFault),
    /// The body is larger than it may be.
    TooLarge,
}

/// One direction of an exchange.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
pub(crate) struct CopyLoop {
    reader: BodyReader,
    sending: Sending,
    /// Bytes that were read and are not written yet.
    chunk: Option<Chunk>,
    /// The number of bytes of the chunk that must be written, after `out`.
    pass: usize,
    /// The number of bytes of the chunk that are dropped when those are written.
    skip: usize,
    /// Written after the `pass` bytes.
    tail: &'static [u8],
    /// Written first, from `at` on: heads, chunk headers, small pieces. The written part is kept until
    /// something is appended, so that a request that the origin did not read can be sent again.
    out: Vec<u8>,
    at: usize,
    /// The destination has taken bytes that wait for room in its socket.
    held: bool,
    /// The body was read to its end, so nothing more will be appended.
    ended: bool,
    /// Some of the written bytes are gone, so the copy loop can't begin again.
    forgotten: bool,
    /// Written bytes are kept, up to [`KEPT_BYTES_MAX`].
    keeps: bool,
    /// Whether trailers are passed on.
    trailers: bool,
    /// The place of the last chunk in `out`, once it is there.
    last: Option<usize>,
    /// The destination is closed after the end of the body.
    closes: bool,
    /// The number of payload bytes that may still come.
    left: u64,
    /// Finds the ends of frames on a WebSocket connection; `None` on others.
    frames: Option<Box<DrainClose>>,
    /// The number of bytes written.
    pub sent: u64,
}

impl CopyLoop {
    /// A copy loop that writes `out` first and then a body. It reads the body as `framing` says and
    /// writes it as `sending` says. The body may have at most `body_bytes_max` bytes (0: no limit).
    pub(crate) fn new(
        out: Vec<u8>,
        framing: Framing,
        sending: Sending,
        limits: &HeadLimits,
        body_bytes_max: u64,
    ) -> Self {
        let reader = BodyReader::new(framing, limits);
        let ended = reader.is_done();
        Self {
            reader,
            sending,
            chunk: None,
            pass: 0,
            skip: 0,
            tail: b"",
            out,
            at: 0,
            held: false,
            ended,
            forgotten: false,
            keeps: false,
            trailers: false,
            last: None,
            closes: false,
            left: if body_bytes_max == 0 { u64::MAX } else { body_bytes_max },
            frames: None,
            sent: 0,
        }
    }

    /// A copy loop without a body, for interim heads.
    pub(crate) fn interim() -> Self {
        Self::new(Vec::new(), Framing::None, Sending::Nothing, &HeadLimits::RESPONSE, 0)
    }

    /// Begins a response's body behind the bytes that are still to be written. `chunk` has the part of the body
    /// that was already read.
    pub(crate) fn begin(&mut self, framing: Framing, sending: Sending, limits: &HeadLimits, chunk: Chunk) {
        self.reader = BodyReader::of_response(framing, limits);
        self.ended = self.reader.is_done();
        self.sending = sending;
        self.last = None;
        self.give(chunk);
    }

    /// Sets whether trailers are passed on. This holds for a last chunk, too, that was gathered before
    /// the destination was known.
    pub(crate) fn pass_trailers(&mut self, pass: bool) {
        if self.trailers == pass {
            return;
        }
        self.trailers = pass;
        if let Some(last) = self.last.filter(|&last| self.at <= last && last <= self.out.len()) {
            self.out.truncate(last);
            write_last_chunk(self.reader.trailers().filter(|_| pass), &mut self.out);
        }
    }

    /// Says that the destination is closed after the end of the body, so that the close can leave with
    /// it.
    pub(crate) fn close_behind(&mut self) {
        self.closes = true;
    }

    /// Gives the copy loop bytes that were read before.
    pub(crate) fn give(&mut self, chunk: Chunk) {
        self.chunk = Some(chunk).filter(|chunk| !chunk.is_empty());
    }

    /// Takes the bytes that were read behind the end of the body.
    pub(crate) fn take_rest(&mut self) -> Option<Chunk> {
        self.chunk.take().filter(|chunk| !chunk.is_empty())
    }

    /// The buffer that a head is written to.
    pub(crate) fn head(&mut self) -> &mut Vec<u8> {
        self.reuse();
        &mut self.out
    }

    /// The bytes that are gathered and not written yet.
    pub(crate) fn unsent(&self) -> &[u8] {
        &self.out[self.at..]
    }

    /// The trailers behind the body, once the body is read.
    pub(crate) fn trailers(&self) -> Option<&Trailers> {
        self.reader.trailers()
    }

    /// Whether bytes wait to be written.
    pub(crate) fn is_blocked(&self) -> bool {
        self.at < self.out.len() || self.pass > 0 || !self.tail.is_empty() || self.held
    }

    /// Whether the whole body was read and written.
    pub(crate) fn is_complete(&self) -> bool {
        self.ended && !self.is_blocked()
    }

    /// Whether the whole body was read, written or not.
    pub(crate) fn is_read(&self) -> bool {
        self.ended
    }

    /// Drops the bytes that were not written. Returns the bytes that were read behind the end of the
    /// body.
    pub(crate) fn abandon(&mut self) -> Option<Chunk> {
        if let Some(chunk) = &mut self.chunk {
            chunk.consume(self.pass + self.skip);
        }
        self.pass = 0;
        self.skip = 0;
        self.tail = b"";
        self.held = false;
        self.at = self.out.len();
        self.take_rest().filter(|_| self.ended)
    }

    /// Whether bytes are at hand that were read and are not used up. They are of the body, or behind
    /// its end.
    pub(crate) fn has_rest(&self) -> bool {
        self.chunk.as_ref().is_some_and(|chunk| !chunk.is_empty())
    }

    /// Keeps written bytes while they are few. This is for a destination that may say afterwards that
    /// it did nothing with them.
    pub(crate) fn keep_sent(&mut self) {
        self.keeps = true;
    }

    /// Whether all written bytes are still kept.
    pub(crate) fn can_rewind(&self) -> bool {
        !self.forgotten
    }

    /// Begins again with the first byte. Call it only while [`CopyLoop::can_rewind`] is true.
    pub(crate) fn rewind(&mut self) {
        self.at = 0;
        self.sent = 0;
    }

    /// Frames the bytes at hand, before any of them is written. So a malformed body is found before the
    /// other side hears of it.
    pub(crate) fn prepare(&mut self) -> Result<(), CopyEnd> {
        if self.frames.is_some() {
            self.prepare_frames();
            return Ok(());
        }
        // A short write may have left a tail, and nothing may be put before it.
        while self.pass == 0
            && self.tail.is_empty()
            && !self.ended
            && self.out.len() - self.at < GATHER_BYTES_MAX
        {
            let Some(chunk) = self.chunk.as_mut().filter(|chunk| !chunk.is_empty()) else { break };
            let piece = self.reader.read(chunk.data()).map_err(CopyEnd::Malformed)?;
            let length = piece.data.len();
            self.left = self.left.checked_sub(length as u64).ok_or(CopyEnd::TooLarge)?;
            self.reuse();
            if let Some(size) = NonZeroUsize::new(length) {
                self.frame(size, piece.data.start, piece.consumed);
            } else if let Some(chunk) = &mut self.chunk {
                chunk.consume(piece.consumed);
            }
            if piece.done {
                self.end();
            }
        }
        Ok(())
    }

    /// Moves bytes until the copy loop ends or one side makes it wait. Sets `moved` if any byte moved.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        (from, to): (&mut Stream, &mut Stream),
        chunks: &Rc<ChunkPool>,
        moved: &mut bool,
    ) -> Poll<CopyEnd> {
        loop {
            if let Err(end) = self.prepare() {
                return Poll::Ready(end);
            }
            if self.is_blocked() {
                match self.poll_write(context, to) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(true) => *moved = true,
                    Poll::Ready(false) => return Poll::Ready(CopyEnd::DestinationGone),
                }
                continue;
            }
            if self.ended {
                return Poll::Ready(CopyEnd::Complete);
            }
            self.chunk = None;
            let mut chunk = chunks.take();
            match from.poll_fill(context, &mut chunk) {
                Poll::Pending => {
                    self.rest();
                    return Poll::Pending;
                }
                Poll::Ready(Ok(0)) => {
                    if self.reader.end().is_err() {
                        return Poll::Ready(CopyEnd::SourceGone);
                    }
                    self.reuse();
                    self.end();
                }
                Poll::Ready(Ok(_)) => {
                    *moved = true;
                    self.chunk = Some(chunk);
                }
                Poll::Ready(Err(_)) => return Poll::Ready(CopyEnd::SourceGone),
            }
        }
    }

    /// Writes the gathered bytes, without reading more. Ready with true when they are written, and with
    /// false when the destination is gone.
    pub(crate) fn poll_flush(
        &mut self,
        context: &mut Context<'_>,
        to: &mut Stream,
        moved: &mut bool,
    ) -> Poll<bool> {
        while self.is_blocked() {
            match self.poll_write(context, to) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(true) => *moved = true,
                Poll::Ready(false) => return Poll::Ready(false),
            }
        }
        Poll::Ready(true)
    }

    /// Makes one write. False if the destination is gone.
    fn poll_write(&mut self, context: &mut Context<'_>, to: &mut Stream) -> Poll<bool> {
        if self.held {
            return match to.poll_push(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(pushed) => {
                    self.held = false;
                    Poll::Ready(pushed.is_ok())
                }
            };
        }
        let head = &self.out[self.at..];
        let data = self.chunk.as_ref().map_or(&[][..], |chunk| &chunk.data()[..self.pass]);
        let parts = [IoSlice::new(head), IoSlice::new(data), IoSlice::new(self.tail)];
        let written: Poll<io::Result<usize>> = if self.closes && self.ended {
            to.poll_send_last(context, &parts)
        } else if data.is_empty() && self.tail.is_empty() {
            to.poll_send(context, head)
        } else if head.is_empty() && self.tail.is_empty() {
            to.poll_send(context, data)
        } else {
            to.poll_send_all(context, &parts)
        };
        match written {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(false),
            Poll::Ready(Ok(count)) => {
                self.held = to.has_unsent();
                self.written(count);
                Poll::Ready(true)
            }
        }
    }

    /// Records that `count` of the waiting bytes have been written.
    pub(crate) fn written(&mut self, count: usize) {
        self.sent += count as u64;
        let of_head = count.min(self.out.len() - self.at);
        self.at += of_head;
        let of_data = (count - of_head).min(self.pass);
        if of_data > 0
            && let Some(chunk) = &mut self.chunk
        {
            self.forgotten = true;
            chunk.consume(of_data);
            self.pass -= of_data;
            if self.pass == 0 {
                chunk.consume(self.skip);
                self.skip = 0;
            }
        }
        self.tail = &self.tail[(count - of_head - of_data).min(self.tail.len())..];
    }

    /// Takes a piece of `size` payload bytes that begins `start` bytes into the chunk. The piece uses
    /// `consumed` bytes of the chunk up.
    fn frame(&mut self, size: NonZeroUsize, start: usize, consumed: usize) {
        let Some(chunk) = &mut self.chunk else { return };
        let length = size.get();
        let chunked = self.sending == Sending::Chunked;
        if chunked {
            write_chunk_header(size, &mut self.out);
        }
        let kept = self.keeps && self.out.len() + length <= KEPT_BYTES_MAX;
        if kept || (length <= COPY_BYTES_MAX && self.at < self.out.len()) {
            self.out.extend_from_slice(&chunk.data()[start..start + length]);
            if chunked {
                self.out.extend_from_slice(CHUNK_END);
            }
            chunk.consume(consumed);
        } else {
            chunk.consume(start);
            self.pass = length;
            self.skip = consumed - start - length;
            self.tail = if chunked { CHUNK_END } else { b"" };
        }
    }

    /// Ends the body. A chunked body still needs its last chunk.
    fn end(&mut self) {
        self.ended = true;
        if self.sending != Sending::Chunked {
            return;
        }
        let has_trailers = self.trailers && self.reader.trailers().is_some();
        if self.pass > 0 && !has_trailers {
            // The tail is static, and so is the end of a body without trailers.
            self.tail = LAST_AFTER_DATA;
            return;
        }
        if self.pass > 0 {
            self.copy_passed();
        }
        self.last = Some(self.out.len());
        let trailers = self.reader.trailers().filter(|_| self.trailers);
        write_last_chunk(trailers, &mut self.out);
    }

    /// Copies the piece that waits in the chunk behind the gathered bytes.
    fn copy_passed(&mut self) {
        if let Some(chunk) = &mut self.chunk {
            self.out.extend_from_slice(&chunk.data()[..self.pass]);
            self.out.extend_from_slice(CHUNK_END);
            chunk.consume(self.pass + self.skip);
        }
        self.pass = 0;
        self.skip = 0;
        self.tail = b"";
    }

    /// Empties `out` if all of it is written and need not be kept.
    fn reuse(&mut self) {
        if self.at == self.out.len() && !(self.keeps && self.out.len() < KEPT_BYTES_MAX) {
            self.forgotten |= self.at > 0;
            self.out.clear();
            self.at = 0;
        }
    }

    /// Frees memory before a wait for the source.
    fn rest(&mut self) {
        let kept = self.keeps && self.out.len() < KEPT_BYTES_MAX;
        if !kept && !self.ended && self.at == self.out.len() && self.out.capacity() > COPY_BYTES_MAX {
            self.forgotten = true;
            self.out = Vec::new();
            self.at = 0;
        }
    }
}

/// The end of a chunk, and of a body without trailers.
const LAST_AFTER_DATA: &[u8] = b"\r\n0\r\n\r\n";
