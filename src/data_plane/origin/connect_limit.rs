//! Limits how many connects to an endpoint run at once. Further requests wait for a permit, or for a
//! connection that becomes idle.
//!
//! At a switch the new color has no idle connections yet. A thousand busy clients would make a thousand
//! connects in one turn of the loop. Most listeners hold 128 of them. The kernel would drop the rest
//! and try them again a second later. A few connects at once are as fast. By the time the last request
//! has its turn, the first connections are idle again.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::slot::Slot;

/// The most connects in progress, for each endpoint and worker.
const CONNECTS_MAX: u32 = 32;

/// Connects to one endpoint: how many are in progress, and which requests wait.
#[derive(Debug, Default)]
pub(crate) struct ConnectLimit {
    connecting: Cell<u32>,
    waiting: RefCell<VecDeque<Ticket>>,
}

/// A request that waits for a permit.
#[derive(Debug)]
struct Ticket {
    waker: Waker,
    place: Rc<Cell<Queue>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Queue {
    In,
    /// The request is not in the queue yet, or its ticket was drawn.
    Out,
    /// The request does not wait any more.
    Left,
}

impl ConnectLimit {
    /// Whether a permit is free.
    pub(crate) fn is_free(&self) -> bool {
        self.connecting.get() < CONNECTS_MAX
    }

    /// Wakes the request that has waited longest, because a permit is free or a connection is idle.
    pub(crate) fn next(&self) {
        let mut waiting = self.waiting.borrow_mut();
        while let Some(ticket) = waiting.pop_front() {
            if ticket.place.get() == Queue::In {
                ticket.place.set(Queue::Out);
                ticket.waker.wake();
                return;
            }
        }
    }
}

/// A connect in progress. It counts as long as this value lives.
#[derive(Debug)]
pub(crate) struct ConnectPermit {
    slot: Rc<Slot>,
}

impl ConnectPermit {
    /// Takes a permit if one is free.
    pub(crate) fn take(slot: &Rc<Slot>) -> Option<Self> {
        let count = &slot.connect_limit.connecting;
        slot.connect_limit.is_free().then(|| {
            count.set(count.get() + 1);
            Self { slot: Rc::clone(slot) }
        })
    }
}

impl Drop for ConnectPermit {
    fn drop(&mut self) {
        let count = &self.slot.connect_limit.connecting;
        count.set(count.get().saturating_sub(1));
        self.slot.connect_limit.next();
    }
}

/// Waits until a permit is free or a connection is idle. It takes neither; the first request that comes
/// gets it.
pub(crate) async fn wait(slot: &Slot) {
    let place = Place(Rc::new(Cell::new(Queue::Out)));
    poll_fn(|context| {
        if slot.connect_limit.is_free() || !slot.pool.is_empty() {
            return Poll::Ready(());
        }
        // A request that is woken for another reason keeps its place. If its ticket was drawn, it
        // queues again.
        if place.0.replace(Queue::In) == Queue::Out {
            let ticket = Ticket { waker: context.waker().clone(), place: Rc::clone(&place.0) };
            slot.connect_limit.waiting.borrow_mut().push_back(ticket);
        }
        Poll::Pending
    })
    .await;
}

/// A place in the queue. It is given up when the wait ends, for whatever reason.
struct Place(Rc<Cell<Queue>>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(Queue::Left);
    }
}
