//! Waiting for something, unless the worker has something to say first.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::seats::Seat;

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// The deadline of the seat passed.
    Expired,
    /// The attempt, or the connection, is to end now.
    Cut,
}

/// Waits for `what`, or for the seat's deadline, or for a cut.
pub(crate) async fn unless_told<F: Future>(seat: &Seat, what: F) -> Result<F::Output, Interrupt> {
    let mut what = pin!(what);
    poll_fn(|context| {
        // What is done is done: a result wins over a deadline that passed in the same turn.
        if let Poll::Ready(output) = what.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        let signals = seat.signals();
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
