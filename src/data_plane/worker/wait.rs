//! Waits for a future, unless a deadline or a cut comes first.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::connection_table::ConnectionHandle;

/// Why a wait ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// The deadline of the handle has passed.
    Expired,
    /// The attempt, or the connection, must end now.
    Cut,
}

/// Waits for `what`.
///
/// # Errors
/// The handle's deadline passes first, or the worker cuts the attempt or the connection.
pub(crate) async fn unless_interrupted<F: Future>(
    handle: &ConnectionHandle,
    what: F,
) -> Result<F::Output, Interrupt> {
    let mut what = pin!(what);
    poll_fn(|context| {
        // A result wins over a deadline that passed in the same turn.
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
