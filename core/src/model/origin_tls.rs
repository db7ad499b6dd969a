//! How we know that an endpoint is the one that we mean.

use std::path::PathBuf;

/// What TLS towards the endpoints of a service goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginTls {
    /// Who signs the endpoints' certificates; `None`: the system's authorities.
    pub ca: Option<PathBuf>,
    /// The name that the certificates are for, sent as SNI.
    pub server_name: String,
}
