//! How many streams of a client's connection are being served, and since when there has been no stream.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};

use crate::data_plane::worker::state::Worker;

/// The streams of a connection that are being served.
#[derive(Debug)]
pub(super) struct Streams {
    count: Cell<usize>,
    /// The tick since which there has been no stream.
    idle_since: Cell<u32>,
    connection: RefCell<Option<Waker>>,
}

impl Streams {
    pub(super) fn new(now: u32) -> Rc<Self> {
        Rc::new(Self { count: Cell::new(0), idle_since: Cell::new(now), connection: RefCell::new(None) })
    }

    pub(super) fn count(&self) -> usize {
        self.count.get()
    }

    /// The tick since which there has been no stream.
    pub(super) fn idle_since(&self) -> u32 {
        self.idle_since.get()
    }

    /// Wakes the connection's task when the last stream has ended.
    pub(super) fn wake_when_idle(&self, context: &Context<'_>) {
        *self.connection.borrow_mut() = Some(context.waker().clone());
    }
}

/// One stream that is being served. It counts as long as this value lives.
#[derive(Debug)]
pub(super) struct StreamCount {
    streams: Rc<Streams>,
    worker: Rc<Worker>,
}

impl StreamCount {
    pub(super) fn new(streams: &Rc<Streams>, worker: &Rc<Worker>) -> Self {
        streams.count.set(streams.count.get() + 1);
        Self { streams: Rc::clone(streams), worker: Rc::clone(worker) }
    }
}

impl Drop for StreamCount {
    fn drop(&mut self) {
        let left = self.streams.count.get().saturating_sub(1);
        self.streams.count.set(left);
        if left == 0 {
            self.streams.idle_since.set(self.worker.ticks.now());
            if let Some(waker) = self.streams.connection.borrow().as_ref() {
                waker.wake_by_ref();
            }
        }
    }
}
