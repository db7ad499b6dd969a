//! The fate of a client connection once a request has its answer.

/// The fate of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// It waits for the next request.
    Keep,
    Close,
    /// The client has gone.
    Gone,
    /// It closes once the client has had time to read the answer.
    Linger,
    /// It is reset, so that the client can't take the close for the end of the response.
    Reset,
}
