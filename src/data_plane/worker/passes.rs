//! Passes of the worker's loop. Between two passes the runtime looks at its sockets and timers.
//!
//! A task that has done its share of a pass waits for the next pass, however often it is woken
//! meanwhile. So the streams of a connection may wake its task as often as they like.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

/// Counts the passes of one worker. It counts only while a task waits for the next pass.
#[derive(Debug, Default)]
pub(crate) struct Passes {
    now: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
    keeper: RefCell<Option<Waker>>,
}

impl Passes {
    /// The number of the current pass. A number that differs from an earlier one means another pass.
    /// The same number may still be another pass, if no task waited.
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

    /// Counts the passes for as long as the worker runs. Never returns.
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
            // Returns after the runtime has looked at everything else.
            tokio::task::yield_now().await;
            self.now.set(self.now.get().wrapping_add(1));
            for waker in self.waiting.borrow_mut().drain(..) {
                waker.wake();
            }
        }
    }
}
