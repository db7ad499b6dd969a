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
pub(crate) enum End {
    /// The response was passed on, whole.
    Complete,
    /// The same, and its trailers call it a failure (grpc-status).
    Failed,
    /// The connection ended, and no byte of a response was there.
    NoResponse,
    /// The origin has said that it did nothing with it: REFUSED_STREAM, or a GOAWAY below it
    /// (RFC 9113, 8.7).
    NotProcessed,
    /// What came is no response.
    Malformed,
    /// No response head in time.
    Late,
    /// The response ended before its end.
    Short,
    /// [`super::retry_policy::RetryPolicy::head_arrived`] said that the client is not to see it.
    Withheld,
    /// The client's doing, or ours.
    NotTheirs,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The response was sent, whole.
    Complete {
        /// Whether the upstream connection can be used again.
        reusable: bool,
    },
    /// The origin's connection ended before a response head.
    NoResponse,
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
    /// The response's head was there and is not passed on: another answers in its place.
    Withheld,
    /// The client gets this in place of what the origin says, or was never asked: no fault of its.
    Ours(Own),
    /// Ended by us, because the color was drained or the worker shut down.
    Cut,
}

impl Ending {
    /// As the decisions about attempts see it.
    pub(crate) fn end(self) -> End {
        match self {
            Self::Complete { .. } => End::Complete,
            Self::NoResponse => End::NoResponse,
            Self::Malformed => End::Malformed,
            Self::Late => End::Late,
            Self::Short => End::Short,
            Self::Withheld => End::Withheld,
            Self::Ours(_)
            | Self::Idle
            | Self::ClientGone
            | Self::BadBody(_)
            | Self::BodyTooLarge
            | Self::BodyStalled
            | Self::Cut => End::NotTheirs,
        }
    }
}
