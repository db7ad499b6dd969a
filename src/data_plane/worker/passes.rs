//! Passes of the worker's loop: between two of them the runtime looks at its sockets and timers.
//!
//! A task that has done its share of a pass waits for the next one, however often it is woken
//! meanwhile. The streams of a connection may wake its task as often as they like.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

/// The passes of one worker, counted while a task waits for the next.
#[derive(Debug, Default)]
pub(crate) struct Passes {
    now: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
    keeper: RefCell<Option<Waker>>,
}

impl Passes {
    /// Another number than before: another pass. The same number may still be another pass, if no task
    /// waited.
    pub(crate) fn now(&self) -> u64 {
        self.now.get()
    }

    /// Wakes the task once [`Self::now`] has changed.
    pub(crate) fn wake_at_next(&self, context: &Context<'_>) {
        self.waiting.borrow_mut().push(context.waker().clone());
        if let Some(keeper) = self.keeper.take() {
            keeper.wake();
        }
    }

    /// Keeps the count, for as long as the worker runs.
    pub(crate) async fn keep(&self) {
        loop {
            poll_fn(|context| {
                if self.waiting.borrow().is_empty() {
                    *self.keeper.borrow_mut() = Some(context.waker().clone());
                    return Poll::Pending;
                }
                Poll::Ready(())
            })
            .await;
            // Comes back when the runtime has looked at everything else.
            tokio::task::yield_now().await;
            self.now.set(self.now.get().wrapping_add(1));
            for waker in self.waiting.borrow_mut().drain(..) {
                waker.wake();
            }
        }
    }
}
