//! The settings by which the door verifies an endpoint over TLS.

use std::path::PathBuf;

/// The trust in the endpoints of a service that speak TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginTls {
    /// The PEM file of the authorities that sign the endpoints' certificates. `None` stands for the
    /// authorities of the system.
    pub ca: Option<PathBuf>,
    /// The name that the endpoints' certificates must be for. The door sends it as SNI.
    pub server_name: String,
}
