//! Waiting for something, unless the worker has something to say first.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::connection_table::ConnectionHandle;

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// The deadline of the handle passed.
    Expired,
    /// The attempt, or the connection, is to end now.
    Cut,
}

/// Waits for `what`, or for the handle's deadline, or for a cut.
pub(crate) async fn unless_interrupted<F: Future>(
    handle: &ConnectionHandle,
    what: F,
) -> Result<F::Output, Interrupt> {
    let mut what = pin!(what);
    poll_fn(|context| {
        // What is done is done: a result wins over a deadline that passed in the same turn.
        if let Poll::Ready(output) = what.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        let signals = handle.signals();
        if signals.cut() {
            Poll::Ready(Err(Interrupt::Cut))
        } else if signals.expired() {
            Poll::Ready(Err(Interrupt::Expired))
        } else {
            Poll::Pending
        }
    })
    .await
}
