//! How a request on one upstream connection ended.

use crate::http1::BodyFault;

use super::answer::Own;

/// What a response's head said of the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadOutcome {
    pub status: u16,
    /// Whether the origin calls it a failure.
    pub failed: bool,
}

/// How an attempt that had a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The response was sent, whole.
    Complete {
        /// Whether the upstream connection can be used again.
        reusable: bool,
        /// Whether its trailers call it a failure (grpc-status).
        failed: bool,
    },
    /// The origin's connection ended before a response head.
    NoResponse,
    /// The origin has said that it did nothing with the request: REFUSED_STREAM, or a GOAWAY below it
    /// (RFC 9113, 8.7).
    NotProcessed,
    /// The origin answered something that is no response.
    Malformed,
    /// No response head in time.
    Late,
    /// The response ended before its end, or stood still for too long.
    Short,
    /// Both sides were silent for too long while the client still had to send.
    Idle,
    /// The client went away, or took nothing for too long.
    ClientGone,
    /// The client's body can't be read on.
    BadBody(BodyFault),
    BodyTooLarge,
    /// The client stopped sending its body.
    BodyStalled,
    /// [`super::retry_policy::RetryPolicy::head_arrived`] has said that the client is not to see the
    /// response: another answers in its place.
    Withheld,
    /// The client gets this in place of what the origin says, or was never asked: no fault of its.
    Ours(Own),
    /// Ended by us, because the color was drained or the worker shut down.
    Cut,
}
