//! Whether a gRPC call failed. Its status is in the trailers, or in the head of an answer that has
//! nothing else.

use crate::http1::{ResponseHead, Trailers};

const STATUS: &[u8] = b"grpc-status";

/// Whether a head says that the call failed by the origin's fault.
pub(crate) fn head_failed(head: &ResponseHead, buf: &[u8]) -> bool {
    is_failure(head.value_named(buf, STATUS))
}

/// Whether trailers say that the call failed by the origin's fault.
pub(crate) fn trailers_failed(trailers: &Trailers) -> bool {
    is_failure(trailers.iter().find(|(name, _)| name.eq_ignore_ascii_case(STATUS)).map(|(_, value)| value))
}

/// Unknown, deadline exceeded, internal, unavailable and data loss are the origin's fault (docs/judge.md).
fn is_failure(status: Option<&[u8]>) -> bool {
    matches!(status, Some(b"2" | b"4" | b"13" | b"14" | b"15"))
}
