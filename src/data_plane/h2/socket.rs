//! The socket below HTTP/2, which h2 reads from and writes to.
//!
//! The socket hands on the bytes that were read to find out the protocol. It keeps the times and counts
//! by which the connection is judged. And it limits how much one connection reads in one pass of the
//! worker's loop, because a client that sends as fast as it can would otherwise keep the others
//! waiting.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::data_plane::origin::stream::Stream;
use crate::data_plane::worker::chunk::Chunk;
use crate::data_plane::worker::passes::Passes;
use crate::data_plane::worker::state::Worker;

use super::guard::{Guard, Offense};
use super::relabel::Relabel;

/// The most bytes that are read from one connection in one pass.
const PASS_BYTES_MAX: usize = 64 * 1024;
/// The weight of a frame in bytes, beside its own bytes, since a frame costs more than they do. 32
/// frames, or 8 heads, fill a pass.
const FRAME_BYTES: usize = 2048;

/// The facts about a socket that its reader and the keeper of its times share.
#[derive(Debug)]
pub(super) struct Vitals {
    guard: RefCell<Guard>,
    /// The offense for which the connection must end. Nothing more is read after it.
    offense: Cell<Option<Offense>>,
    /// The tick at which bytes came last.
    pub read_at: Cell<u32>,
    /// The tick since which the socket takes no bytes.
    pub stuck_since: Cell<Option<u32>>,
    /// The bytes that were read in this pass, and the weights of their frames.
    pass_bytes: Cell<usize>,
    /// The pass in which these bytes reached their limit.
    full_in: Cell<Option<u64>>,
    /// Changes names in the answers to extended CONNECT; `None` for a client's connection.
    pub relabel: Option<Relabel>,
    /// The task that waits for the peer's SETTINGS.
    waiting: RefCell<Option<Waker>>,
}

impl Vitals {
    pub(super) fn new(guard: Guard, relabel: Option<Relabel>, now: u32) -> Rc<Self> {
        Rc::new(Self {
            guard: RefCell::new(guard),
            offense: Cell::new(None),
            read_at: Cell::new(now),
            stuck_since: Cell::new(None),
            pass_bytes: Cell::new(0),
            full_in: Cell::new(None),
            relabel,
            waiting: RefCell::new(None),
        })
    }

    /// The tick at which a request's head began that is not complete yet.
    pub(super) fn head_since(&self) -> Option<u32> {
        self.guard.borrow().head_since()
    }

    /// Whether the peer has ended the connection because it is asked too much.
    pub(super) fn is_told_to_calm(&self) -> bool {
        self.guard.borrow().is_told_to_calm()
    }

    /// Charges for a stream that the client gave up before its task began.
    pub(super) fn given_up(&self) {
        self.guard.borrow_mut().given_up();
    }

    /// Waits for the next pass if enough was read in this one. Only one task reads, and it keeps its
    /// waker for life.
    fn poll_pass(&self, context: &Context<'_>, passes: &Passes) -> Poll<()> {
        if self.pass_bytes.get() >= PASS_BYTES_MAX {
            match self.full_in.get() {
                None => {
                    self.full_in.set(Some(passes.now()));
                    passes.wake_at_next(context);
                    return Poll::Pending;
                }
                Some(pass) if pass == passes.now() => return Poll::Pending,
                Some(_) => self.begin_pass(),
            }
        }
        Poll::Ready(())
    }

    fn begin_pass(&self) {
        self.pass_bytes.set(0);
        self.full_in.set(None);
    }

    pub(super) fn offense(&self) -> Option<Offense> {
        self.offense.get()
    }

    /// Waits until the peer has sent its SETTINGS.
    pub(super) fn poll_settings(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.guard.borrow().settings_seen() {
            return Poll::Ready(());
        }
        *self.waiting.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    }

    /// Wakes the task that waits for the peer's SETTINGS.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }

    /// Looks at bytes that came. Returns how many of them may be handed on in this pass.
    fn received(&self, bytes: &[u8], now: u32) -> usize {
        self.read_at.set(now);
        let pass_bytes = self.pass_bytes.get();
        let frames_max = PASS_BYTES_MAX.saturating_sub(pass_bytes).div_ceil(FRAME_BYTES);
        let mut guard = self.guard.borrow_mut();
        let good = match guard.received(bytes, frames_max, now) {
            Ok(seen) => {
                let taken = seen.bytes.saturating_add(seen.frames.saturating_mul(FRAME_BYTES));
                self.pass_bytes.set(pass_bytes.saturating_add(taken));
                seen.bytes
            }
            Err(stop) => {
                tracing::debug!(offense = %stop.offense, "closing an HTTP/2 connection");
                self.offense.set(Some(stop.offense));
                stop.good
            }
        };
        if guard.settings_seen() {
            drop(guard);
            self.wake();
        }
        good
    }
}

/// A socket that speaks HTTP/2.
#[derive(Debug)]
pub(super) struct Socket {
    stream: Stream,
    /// Bytes that were read and not handed on yet. They were read to find out the protocol, or they are
    /// more than a pass takes.
    held: Option<Chunk>,
    worker: Rc<Worker>,
    vitals: Rc<Vitals>,
}

impl Socket {
    pub(super) fn new(stream: Stream, first: Option<Chunk>, worker: Rc<Worker>, vitals: Rc<Vitals>) -> Self {
        Self { stream, held: first, worker, vitals }
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
        if this.vitals.offense.get().is_some() {
            return Poll::Pending;
        }
        // When a pass is full, other tasks come first, and so do tasks whose bytes have come meanwhile.
        ready!(this.vitals.poll_pass(context, &this.worker.passes));
        let now = this.worker.ticks.now();
        let before = out.filled().len();
        let count = if let Some(chunk) = &mut this.held {
            let count = chunk.data().len().min(out.remaining());
            let good = this.vitals.received(&chunk.data()[..count], now);
            out.put_slice(&chunk.data()[..good]);
            chunk.consume(good);
            if chunk.is_empty() {
                this.held = None;
            }
            count
        } else {
            let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(context, out) else {
                // The next bytes come in a later pass.
                this.vitals.begin_pass();
                return Poll::Pending;
            };
            read?;
            let count = out.filled().len() - before;
            let good = this.vitals.received(&out.filled()[before..], now);
            let rest = &out.filled()[before + good..];
            if !rest.is_empty() && this.vitals.offense.get().is_none() {
                let mut chunk = this.worker.chunks.take();
                if chunk.append(rest) < rest.len() {
                    return Poll::Ready(Err(io::Error::other("h2 reads more at once than a chunk holds")));
                }
                this.held = Some(chunk);
            }
            out.set_filled(before + good);
            count
        };
        if let Some(relabel) = &this.vitals.relabel {
            relabel.received(&mut out.filled_mut()[before..]);
        }
        // If an offense leaves no byte to hand on, the task that polls the connection sees it.
        if count > 0 && out.filled().len() == before { Poll::Pending } else { Poll::Ready(Ok(())) }
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
