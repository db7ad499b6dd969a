//! Translates faults of the network to probe failures.

use std::io::{self, ErrorKind};

use crate::health::ProbeFailure;

/// Returns the probe failure for a fault of the network. A lack of greenlight's own resources
/// (descriptors, ports) counts as a failure of the network. It fails the probes of both colors
/// alike, so a release takes it for an outside cause and does not act on it.
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
