//! The payload of DATA on its way through h2, and the limits on how much of it waits there.
//!
//! h2 holds the bytes of a stream until the socket takes them. A client that opens large windows and
//! reads nothing would otherwise fill the memory, stream by stream. So each stream may hold little, all
//! streams of a connection together may hold some more, and beyond that nothing is read from the
//! origin.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};

/// The most bytes of one stream that are held until the socket takes them. A frame of DATA has as many
/// (RFC 9113, 4.2).
pub(super) const STREAM_BYTES_MAX: usize = 16 * 1024;
/// The most bytes of all streams of one connection, beside [`TURN_BYTES`] of each.
const CONNECTION_BYTES_MAX: usize = 256 * 1024;
/// The bytes that a stream without any may always hand over, so that each stream goes on.
const TURN_BYTES: usize = 1024;

/// The bytes of one connection that h2 holds.
#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: Cell<usize>,
}

/// The bytes of one stream that h2 holds.
#[derive(Debug)]
pub(super) struct Queue {
    bytes: Cell<usize>,
    frames: Cell<usize>,
    /// The stream's task, while it waits for bytes to leave.
    waiting: RefCell<Option<Waker>>,
    of: Rc<Held>,
}

impl Queue {
    pub(super) fn new(of: &Rc<Held>) -> Rc<Self> {
        Rc::new(Self {
            bytes: Cell::new(0),
            frames: Cell::new(0),
            waiting: RefCell::new(None),
            of: Rc::clone(of),
        })
    }

    /// The number of bytes that may be handed over now. If it is zero, the task is woken when it is
    /// more.
    pub(super) fn room(&self, context: &Context<'_>) -> usize {
        let own = self.bytes.get();
        let room = STREAM_BYTES_MAX
            .saturating_sub(own)
            .min(CONNECTION_BYTES_MAX.saturating_sub(self.of.bytes.get()))
            .max(TURN_BYTES.saturating_sub(own));
        if room == 0 {
            self.wait(context);
        }
        room
    }

    /// Ready when nothing is held.
    pub(super) fn poll_empty(&self, context: &Context<'_>) -> Poll<()> {
        if self.frames.get() == 0 {
            return Poll::Ready(());
        }
        self.wait(context);
        Poll::Pending
    }

    fn wait(&self, context: &Context<'_>) {
        *self.waiting.borrow_mut() = Some(context.waker().clone());
    }

    fn left(&self, bytes: usize) {
        self.bytes.set(self.bytes.get().saturating_sub(bytes));
        self.frames.set(self.frames.get().saturating_sub(1));
        self.of.bytes.set(self.of.bytes.get().saturating_sub(bytes));
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }
}

/// The payload of one frame of DATA. It counts until h2 has written it or dropped it.
#[derive(Debug)]
pub(super) struct Payload {
    data: Bytes,
    bytes: usize,
    queue: Rc<Queue>,
}

impl Payload {
    pub(super) fn new(data: Bytes, queue: &Rc<Queue>) -> Self {
        let bytes = data.len();
        queue.bytes.set(queue.bytes.get() + bytes);
        queue.frames.set(queue.frames.get() + 1);
        queue.of.bytes.set(queue.of.bytes.get() + bytes);
        Self { data, bytes, queue: Rc::clone(queue) }
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.queue.left(self.bytes);
    }
}

impl Buf for Payload {
    fn remaining(&self) -> usize {
        self.data.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.data.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.data.advance(count);
    }
}
