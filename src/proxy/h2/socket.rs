//! The socket below HTTP/2: what h2 reads and writes through.
//!
//! It gives back what was read to tell the protocol, keeps the times and counts by which the
//! connection is judged, and lets one connection read only so much in one turn of the worker's loop:
//! a client that sends as fast as it can would else keep the others waiting.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::proxy::chunk::Chunk;
use crate::proxy::stream::Stream;
use crate::proxy::worker::Worker;

use super::guard::{Guard, Offence};

/// Bytes that are read of one connection in one turn.
const TURN_BYTES_MAX: usize = 64 * 1024;
/// What a frame counts for beside its bytes, since it costs more than they do: 32 of them fill a turn.
const FRAME_BYTES: usize = 2048;

/// What is known of a socket, shared by what reads it and what keeps its times.
#[derive(Debug)]
pub struct Vitals {
    guard: RefCell<Guard>,
    /// The connection is to end for it: nothing more is read.
    offence: Cell<Option<Offence>>,
    /// The tick at which something came last.
    pub heard_at: Cell<u32>,
    /// The tick since which the socket takes nothing.
    pub stuck_since: Cell<Option<u32>>,
    turn_bytes: Cell<usize>,
    /// Who waits for the peer's SETTINGS.
    waiting: RefCell<Option<Waker>>,
}

impl Vitals {
    pub fn new(guard: Guard, now: u32) -> Rc<Self> {
        Rc::new(Self {
            guard: RefCell::new(guard),
            offence: Cell::new(None),
            heard_at: Cell::new(now),
            stuck_since: Cell::new(None),
            turn_bytes: Cell::new(0),
            waiting: RefCell::new(None),
        })
    }

    /// A new turn of the loop begins for this connection.
    pub fn begin_turn(&self) {
        self.turn_bytes.set(0);
    }

    pub fn offence(&self) -> Option<Offence> {
        self.offence.get()
    }

    /// Waits until the peer has said what it can do.
    pub fn poll_settings(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.guard.borrow().settings_seen() {
            return Poll::Ready(());
        }
        *self.waiting.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    }

    /// Wakes whoever waits for the peer's SETTINGS.
    pub fn wake(&self) {
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }

    /// Looks at what came; tells how much of it may be handed on.
    fn received(&self, bytes: &[u8], now: u32) -> usize {
        self.heard_at.set(now);
        let mut guard = self.guard.borrow_mut();
        let mut good = bytes.len();
        match guard.received(bytes, now) {
            Ok(frames) => {
                let taken = bytes.len().saturating_add(frames.saturating_mul(FRAME_BYTES));
                self.turn_bytes.set(self.turn_bytes.get().saturating_add(taken));
            }
            Err(stop) => {
                tracing::debug!(offence = %stop.offence, "closing an HTTP/2 connection");
                self.offence.set(Some(stop.offence));
                good = stop.good;
            }
        }
        if guard.settings_seen() {
            drop(guard);
            self.wake();
        }
        good
    }
}

/// A socket that speaks HTTP/2.
#[derive(Debug)]
pub struct Socket {
    stream: Stream,
    /// What was read before.
    first: Option<Chunk>,
    worker: Rc<Worker>,
    vitals: Rc<Vitals>,
}

impl Socket {
    pub fn new(stream: Stream, first: Option<Chunk>, worker: Rc<Worker>, vitals: Rc<Vitals>) -> Self {
        Self { stream, first, worker, vitals }
    }

    fn wrote<'p>(&self, written: &Poll<io::Result<usize>>, parts: impl Iterator<Item = &'p [u8]>) {
        match written {
            Poll::Pending if self.vitals.stuck_since.get().is_none() => {
                self.vitals.stuck_since.set(Some(self.worker.ticks.now()));
            }
            Poll::Ready(Ok(count)) => {
                self.vitals.stuck_since.set(None);
                let mut left = *count;
                for part in parts {
                    let sent = part.len().min(left);
                    self.vitals.guard.borrow_mut().sent(&part[..sent]);
                    left -= sent;
                }
            }
            Poll::Pending | Poll::Ready(Err(_)) => {}
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.vitals.offence.get().is_some() {
            return Poll::Pending;
        }
        if this.vitals.turn_bytes.get() >= TURN_BYTES_MAX {
            // The others first, and those for whom something has come meanwhile: a task that wakes itself would run
            // again before the runtime looks for that.
            let _ = pin!(tokio::task::yield_now()).poll(context);
            return Poll::Pending;
        }
        let before = out.filled().len();
        if let Some(chunk) = &mut this.first {
            let count = chunk.data().len().min(out.remaining());
            out.put_slice(&chunk.data()[..count]);
            chunk.consume(count);
            if chunk.is_empty() {
                this.first = None;
            }
        } else {
            ready!(Pin::new(&mut this.stream).poll_read(context, out))?;
        }
        let count = out.filled().len() - before;
        let good = this.vitals.received(&out.filled()[before..], this.worker.ticks.now());
        if good < count {
            // Whoever polls sees the offence.
            out.set_filled(before + good);
            if good == 0 {
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = this.stream.poll_send(context, data);
        this.wrote(&written, std::iter::once(data));
        written
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = this.stream.poll_send_all(context, parts);
        this.wrote(&written, parts.iter().map(|part| &**part));
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
