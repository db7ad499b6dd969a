//! What a fault of the network means to a probe.

use std::io::{self, ErrorKind};

use crate::health::ProbeFailure;

/// A lack of our own (descriptors, ports) is told as one of the network: it fails the probes of
/// both colors alike, which a release takes for a cause outside and does not act on.
pub(crate) fn failure(error: &io::Error) -> ProbeFailure {
    match error.kind() {
        ErrorKind::ConnectionRefused => ProbeFailure::Refused,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            ProbeFailure::Reset
        }
        ErrorKind::TimedOut => ProbeFailure::Timeout,
        _ => ProbeFailure::Network(error.to_string()),
    }
}
