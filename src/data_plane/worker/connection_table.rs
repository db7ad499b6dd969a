//! A worker's table of client connections, of the streams of HTTP/2 clients, and of connections to
//! origins that several requests share. Each has a handle: its deadline, its waker, and the worker's
//! signals to it.
//!
//! The handles are rows of one vector. So the search for deadlines that have passed is one walk over 32
//! bytes a connection, ten times a second (some 20 microseconds for 10 000 connections). Setting a
//! deadline is one store.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use tokio::sync::Notify;

use super::ticks::NEVER;

/// The worker's signals to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signals(u8);

impl Signals {
    const NONE: Self = Self(0);
    /// The deadline has passed.
    const EXPIRED: Self = Self(1);
    /// The connection must end its attempt in flight now.
    const CUT: Self = Self(2);
    /// The worker shuts down. The connection closes when nothing is in flight on it.
    const CLOSING: Self = Self(4);
    /// The attempt in flight is a WebSocket connection. The connection sets this itself; it is no
    /// message from the worker.
    const WEBSOCKET: Self = Self(8);
    /// The connection must end its WebSocket connection with a Close frame.
    const DRAIN_CLOSE: Self = Self(16);

    pub(crate) fn expired(self) -> bool {
        self.0 & Self::EXPIRED.0 != 0
    }

    pub(crate) fn cut(self) -> bool {
        self.0 & Self::CUT.0 != 0
    }

    pub(crate) fn closing(self) -> bool {
        self.0 & Self::CLOSING.0 != 0
    }

    /// Whether to send a Close frame to both sides of the WebSocket connection.
    pub(crate) fn drain_close(self) -> bool {
        self.0 & Self::DRAIN_CLOSE.0 != 0
    }

    fn is_open_websocket(self) -> bool {
        self.0 & (Self::WEBSOCKET.0 | Self::DRAIN_CLOSE.0) == Self::WEBSOCKET.0
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    fn remove(&mut self, other: Self) {
        self.0 &= !other.0;
    }
}

/// Names the attempts that a [`Signals::cut`] is for: a service's key in this worker, and a color's
/// index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttemptTag {
    pub service: u32,
    pub color: u8,
}

/// The kind of connection that a handle belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionKind {
    /// A client's connection.
    Client,
    /// One stream of a client's HTTP/2 connection.
    Stream,
    /// A connection to an origin that several requests share. A shutdown does not wait for it.
    Origin,
}

#[derive(Debug)]
struct Row {
    deadline: u32,
    signals: Signals,
    attempt: Option<AttemptTag>,
    waker: Option<Waker>,
    kind: Option<ConnectionKind>,
}

impl Row {
    const FREE: Self =
        Self { deadline: NEVER, signals: Signals::NONE, attempt: None, waker: None, kind: None };
}

#[derive(Debug, Default)]
struct Rows {
    rows: Vec<Row>,
    free: Vec<u32>,
}

/// All rows of a worker.
#[derive(Debug, Default)]
pub(crate) struct ConnectionTable {
    rows: RefCell<Rows>,
    /// The number of handles of clients' connections and of their streams.
    taken: Cell<usize>,
    /// The number of handles of clients' connections alone.
    clients: Cell<usize>,
    /// Notified whenever a handle is dropped.
    left: Notify,
}

impl ConnectionTable {
    /// Takes a row for a client's connection. The row is freed when the handle is dropped.
    pub(crate) fn take(self: &Rc<Self>) -> ConnectionHandle {
        self.take_for(ConnectionKind::Client)
    }

    /// Takes a row for a connection of this kind.
    pub(crate) fn take_for(self: &Rc<Self>, kind: ConnectionKind) -> ConnectionHandle {
        let mut rows = self.rows.borrow_mut();
        let row = Row { kind: Some(kind), ..Row::FREE };
        let index = if let Some(index) = rows.free.pop() {
            rows.rows[index as usize] = row;
            index
        } else {
            rows.rows.push(row);
            u32::try_from(rows.rows.len() - 1).unwrap_or(u32::MAX)
        };
        self.count_one(kind, 1);
        ConnectionHandle { handles: Rc::clone(self), index }
    }

    /// The number of handles of clients' connections and of their streams. A shutdown waits until it is
    /// 0.
    pub(crate) fn count(&self) -> usize {
        self.taken.get()
    }

    /// The number of clients' connections.
    pub(crate) fn clients(&self) -> usize {
        self.clients.get()
    }

    fn count_one(&self, kind: ConnectionKind, more: isize) {
        let add = |count: &Cell<usize>| count.set(count.get().saturating_add_signed(more));
        if kind != ConnectionKind::Origin {
            add(&self.taken);
        }
        if kind == ConnectionKind::Client {
            add(&self.clients);
        }
    }

    /// Wakes every connection whose deadline is `now` or earlier.
    pub(crate) fn expire(&self, now: u32) {
        for row in &mut self.rows.borrow_mut().rows {
            if row.deadline <= now {
                row.deadline = NEVER;
                row.signal(Signals::EXPIRED);
            }
        }
    }

    /// Cuts the attempts with this tag. Returns how many there were.
    pub(crate) fn cut(&self, tag: AttemptTag) -> u64 {
        let mut count = 0;
        for row in &mut self.rows.borrow_mut().rows {
            if row.attempt == Some(tag) {
                row.attempt = None;
                row.signal(Signals::CUT);
                count += 1;
            }
        }
        count
    }

    /// Asks one in `one_in` of the WebSocket connections with this tag to close with a Close frame, and
    /// at least one if there is any. `None` stands for every tag. A connection that has been asked
    /// before does not count. Returns how many it asked.
    pub(crate) fn drain_close(&self, tag: Option<AttemptTag>, one_in: u32) -> u64 {
        let mut rows = self.rows.borrow_mut();
        let open = rows.rows.iter_mut().filter(|row| {
            row.signals.is_open_websocket() && row.attempt.is_some() && (tag.is_none() || row.attempt == tag)
        });
        let mut open: Vec<&mut Row> = open.collect();
        let count = open.len().div_ceil(usize::try_from(one_in.max(1)).unwrap_or(usize::MAX));
        for row in &mut open[..count] {
            row.signal(Signals::DRAIN_CLOSE);
        }
        count as u64
    }

    /// Asks every connection to close as soon as nothing is in flight on it.
    pub(crate) fn close_idle(&self) {
        self.signal_all(Signals::CLOSING);
    }

    /// Asks every connection to end now. Returns the number of clients' connections and streams.
    pub(crate) fn cut_all(&self) -> usize {
        self.signal_all(Signals::CUT);
        self.count()
    }

    /// Waits until a handle is dropped.
    pub(crate) async fn left(&self) {
        self.left.notified().await;
    }

    fn signal_all(&self, signal: Signals) {
        for row in self.rows.borrow_mut().rows.iter_mut().filter(|row| row.kind.is_some()) {
            row.signal(signal);
        }
    }
}

impl Row {
    fn signal(&mut self, signal: Signals) {
        self.signals.add(signal);
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}

/// The handle of one connection or stream.
#[derive(Debug)]
pub(crate) struct ConnectionHandle {
    handles: Rc<ConnectionTable>,
    index: u32,
}

impl ConnectionHandle {
    /// Remembers the waker of the calling task. Once is enough, since a task keeps its waker for life.
    pub(crate) async fn settle(&self) {
        poll_fn(|context| {
            self.with(|row| row.waker = Some(context.waker().clone()));
            Poll::Ready(())
        })
        .await;
    }

    /// Sets the deadline (a tick, or [`NEVER`]), and clears the signal of a deadline that has passed.
    pub(crate) fn arm(&self, deadline: u32) {
        self.with(|row| {
            row.deadline = deadline;
            row.signals.remove(Signals::EXPIRED);
        });
    }

    /// Sets which attempt is in flight here, for [`ConnectionTable::cut`]. It is no WebSocket
    /// connection yet.
    pub(crate) fn attempt(&self, tag: Option<AttemptTag>) {
        self.with(|row| {
            row.attempt = tag;
            row.signals.remove(Signals::WEBSOCKET);
            row.signals.remove(Signals::DRAIN_CLOSE);
        });
    }

    /// Records that the attempt in flight has become a WebSocket connection.
    pub(crate) fn is_websocket(&self) {
        self.with(|row| row.signals.add(Signals::WEBSOCKET));
    }

    pub(crate) fn signals(&self) -> Signals {
        self.handles.rows.borrow().rows.get(self.index as usize).map_or(Signals::NONE, |row| row.signals)
    }

    fn with(&self, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.handles.rows.borrow_mut().rows.get_mut(self.index as usize) {
            change(row);
        }
    }
}

impl Drop for ConnectionHandle {
    fn drop(&mut self) {
        let mut rows = self.handles.rows.borrow_mut();
        if let Some(row) = rows.rows.get_mut(self.index as usize) {
            let before = std::mem::replace(row, Row::FREE);
            rows.free.push(self.index);
            if let Some(kind) = before.kind {
                self.handles.count_one(kind, -1);
            }
        }
        self.handles.left.notify_one();
    }
}
