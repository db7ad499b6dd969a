//! What becomes of a client connection once a request has its answer.

/// What becomes of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The next request may come.
    Keep,
    Close,
    /// The client is not there any more.
    Gone,
    /// Closed once the client has had time to read the answer.
    Linger,
    /// Closed in a way that can't be taken for an end.
    Reset,
}
