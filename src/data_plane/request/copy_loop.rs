//! One direction of an exchange: bytes are read, framed anew, and written.
//!
//! A copy loop reads only when everything it has read before is written. That is the backpressure,
//! and it bounds a copy loop to one chunk. Small pieces are gathered behind the head so that they leave in
//! one write; large ones are written from where they were read to.

use std::io::{self, IoSlice};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::http1::{
    BodyFault, BodyReader, Framing, HeadLimits, Sending, Trailers, write_chunk_header, write_last_chunk,
};

use super::drain_close::{DrainClose, Passing};
use crate::data_plane::origin::stream::Stream;
use crate::data_plane::worker::chunk::{Chunk, ChunkPool};

/// Pieces up to this many bytes are copied behind what is to be written already: cheaper than a
/// second element of a vectored write.
const COPY_BYTES_MAX: usize = 4096;
/// What is kept of a request that may have to be sent again.
const KEPT_BYTES_MAX: usize = 16 * 1024;
/// Gathering stops when this much is to be written.
const GATHER_BYTES_MAX: usize = 16 * 1024;
/// Ends a chunk.
const CHUNK_END: &[u8] = b"\r\n";

/// How a copy loop ended.
#[derive(Debug)]
pub(crate) enum CopyEnd {
    /// The body is complete, and written.
    Complete,
    /// The source ended before its body did, or was reset.
    SourceGone,
    /// The destination takes nothing more.
    DestinationGone,
    /// The source's body can't be read on.
    Malformed(BodyFault),
    /// The body is larger than it may be.
    TooLarge,
}

/// One direction.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
pub(crate) struct CopyLoop {
    reader: BodyReader,
    sending: Sending,
    /// What was read and is not written yet.
    chunk: Option<Chunk>,
    /// So many bytes of the chunk are to be written, after `out`.
    pass: usize,
    /// So many bytes of the chunk are done with when those are written.
    skip: usize,
    /// Written after `pass`.
    tail: &'static [u8],
    /// Written first, from `at` on: heads, chunk headers, small pieces. Kept until something is to
    /// be appended, so that a request that was not read can be sent again.
    out: Vec<u8>,
    at: usize,
    /// Something that was written waits in the destination for room.
    held: bool,
    /// Nothing more will be appended.
    ended: bool,
    /// What was written is not at hand any more.
    forgotten: bool,
    /// What is written is kept at hand, up to [`KEPT_BYTES_MAX`].
    keeps: bool,
    /// Whether trailers may pass.
    trailers: bool,
    /// Behind the end of the body the destination is closed.
    closes: bool,
    /// Payload bytes that may still come.
    left: u64,
    /// Of a WebSocket connection: where its frames end.
    frames: Option<Box<DrainClose>>,
    /// Bytes written.
    pub sent: u64,
}

impl CopyLoop {
    /// A copy loop that writes `out` first and then a body: read as `framing` says, written as
    /// `sending` says, at most `body_bytes_max` of it (0: no limit).
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

    /// Begins a body behind what is still to be written; `chunk` is what was read of it already.
    pub(crate) fn begin(&mut self, framing: Framing, sending: Sending, limits: &HeadLimits, chunk: Chunk) {
        self.reader = BodyReader::new(framing, limits);
        self.ended = self.reader.is_done();
        self.sending = sending;
        self.give(chunk);
    }

    /// Lets trailers pass.
    pub(crate) fn pass_trailers(&mut self, pass: bool) {
        self.trailers = pass;
    }

    /// The destination is closed behind the end of the body: its end can leave with it.
    pub(crate) fn close_behind(&mut self) {
        self.closes = true;
    }

    /// What passes are the frames of a WebSocket connection.
    pub(crate) fn watch(&mut self, frames: DrainClose) {
        self.frames = Some(Box::new(frames));
    }

    /// Ends a WebSocket connection in this direction: a Close frame goes out where one may stand.
    pub(crate) fn want_close(&mut self) {
        if let Some(frames) = &mut self.frames {
            frames.want_close();
        }
    }

    /// Whether our Close frame is written.
    pub(crate) fn has_said_close(&self) -> bool {
        self.frames.as_ref().is_some_and(|frames| frames.has_said()) && !self.is_blocked()
    }

    /// Whether the source of frames has said its Close: nothing of it is to come.
    pub(crate) fn has_heard_close(&self) -> bool {
        self.frames.as_ref().is_some_and(|frames| frames.has_heard())
    }

    /// Gives bytes that were read before.
    pub(crate) fn give(&mut self, chunk: Chunk) {
        self.chunk = Some(chunk).filter(|chunk| !chunk.is_empty());
    }

    /// What was read behind the end of the body.
    pub(crate) fn take_rest(&mut self) -> Option<Chunk> {
        self.chunk.take().filter(|chunk| !chunk.is_empty())
    }

    /// Where a head is written to.
    pub(crate) fn head(&mut self) -> &mut Vec<u8> {
        self.reuse();
        &mut self.out
    }

    /// What is gathered and not written yet.
    pub(crate) fn unsent(&self) -> &[u8] {
        &self.out[self.at..]
    }

    /// The trailers behind the body, once it is read.
    pub(crate) fn trailers(&self) -> Option<&Trailers> {
        self.reader.trailers()
    }

    /// Whether something waits to be written.
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

    /// Forgets what was not written; gives back what was read behind the end of the body.
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

    /// Whether bytes behind the end of the body are at hand.
    pub(crate) fn has_rest(&self) -> bool {
        self.chunk.as_ref().is_some_and(|chunk| !chunk.is_empty())
    }

    /// Keeps what is written, while that is little: for a destination that may say afterwards that it
    /// did nothing with it.
    pub(crate) fn keep_sent(&mut self) {
        self.keeps = true;
    }

    /// Whether everything that was written is still at hand.
    pub(crate) fn can_rewind(&self) -> bool {
        !self.forgotten
    }

    /// Begins again with the first byte. Right only while [`CopyLoop::can_rewind`].
    pub(crate) fn rewind(&mut self) {
        self.at = 0;
        self.sent = 0;
    }

    /// Frames what is at hand, before anything is written: a malformed body is then found before
    /// the other side hears of it.
    pub(crate) fn prepare(&mut self) -> Result<(), CopyEnd> {
        if self.frames.is_some() {
            self.prepare_frames();
            return Ok(());
        }
        // Nothing may be put before a tail that a short write has left.
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

    /// The same for frames, which need no framing of ours.
    fn prepare_frames(&mut self) {
        while self.pass == 0 && !self.ended {
            let Some(frames) = &mut self.frames else { return };
            if frames.is_due() {
                // What was written is forgotten at the latest now.
                if self.at == self.out.len() {
                    self.out.clear();
                    self.at = 0;
                }
                frames.say(&mut self.out);
            }
            let Some(chunk) = self.chunk.as_mut().filter(|chunk| !chunk.is_empty()) else { break };
            let length = chunk.data().len();
            match frames.pass(chunk.data()) {
                Passing::All => self.pass = length,
                Passing::Until(count) => {
                    self.out.extend_from_slice(&chunk.data()[..count]);
                    frames.say(&mut self.out);
                    chunk.consume(length);
                }
                Passing::Nothing => chunk.consume(length),
            }
            self.ended = frames.is_answered();
        }
    }

    /// Moves bytes until the copy loop ends or one side makes it wait. `moved` is set when any moved.
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

    /// Writes what is gathered, without reading more; ready when it is written or can't be.
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

    /// One write; false when the destination is gone.
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

    /// So many bytes of what is gathered have been written.
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

    /// Takes a piece of `size` payload bytes that begins `start` bytes into the chunk and makes
    /// `consumed` of its bytes done with.
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

    /// Nothing more comes: the last chunk is all that may be owed.
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
        let trailers = self.reader.trailers().filter(|_| self.trailers);
        write_last_chunk(trailers, &mut self.out);
    }

    /// Moves the piece that was to be written from the chunk behind what is gathered.
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

    /// Empties `out` if all of it is written.
    fn reuse(&mut self) {
        if self.at == self.out.len() && !(self.keeps && self.out.len() < KEPT_BYTES_MAX) {
            self.forgotten |= self.at > 0;
            self.out.clear();
            self.at = 0;
        }
    }

    /// Gives memory back before a wait for the source.
    fn rest(&mut self) {
        let kept = self.keeps && self.out.len() < KEPT_BYTES_MAX;
        if !kept && !self.ended && self.at == self.out.len() && self.out.capacity() > COPY_BYTES_MAX {
            self.forgotten = true;
            self.out = Vec::new();
            self.at = 0;
        }
    }
}

/// The end of a chunk and of a body without trailers.
const LAST_AFTER_DATA: &[u8] = b"\r\n0\r\n\r\n";
