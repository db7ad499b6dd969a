//! How a request on one connection to an origin ended.

use crate::http1::BodyFault;

use super::answer::Own;

/// What a response's head means for its attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadOutcome {
    pub status: u16,
    /// Whether the status, or the grpc-status, counts as a failure of the origin.
    pub failed: bool,
}

/// How an attempt that had a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The whole response was sent to the client.
    Complete {
        /// Whether the connection to the origin can be used again.
        reusable: bool,
        /// Whether the response's trailers say that the call failed (grpc-status).
        failed: bool,
    },
    /// The origin's connection ended before a response head.
    NoResponse,
    /// The origin has said that it did nothing with the request. It sent REFUSED_STREAM, or a GOAWAY
    /// whose last stream is below this one (RFC 9113, 8.7).
    NotProcessed,
    /// The origin sent bytes that are no response.
    Malformed,
    /// The origin did not take the request in time, or sent no response head in time.
    Late,
    /// The response broke off, or stood still for too long.
    Short,
    /// Both sides were silent for too long, in a tunnel or while the client still had to send.
    Idle,
    /// The client has gone, or took no bytes for too long.
    ClientGone,
    /// The client's body is malformed.
    BadBody(BodyFault),
    BodyTooLarge,
    /// The client stopped sending its body.
    BodyStalled,
    /// [`super::retry_policy::RetryPolicy::head_arrived`] has said that the client must not see the
    /// response, because another color answers in its place.
    Withheld,
    /// The client gets this answer in place of the origin's response, or because the origin could not
    /// be asked. It is no fault of the origin.
    Ours(Own),
    /// The worker ended the attempt, because the color was drained or the worker shut down.
    Cut,
}
