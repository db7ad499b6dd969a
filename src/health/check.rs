//! What a probe asks and expects: data only; `probe` does it.

use std::time::Duration;

use crate::model::OriginTls;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckKind {
    Tcp,
    Http {
        path: String,
        host: String,
        expect_status: Vec<u16>,
        /// A text that the first 64 KiB of the body must hold.
        expect_body: Option<String>,
    },
}

/// The validated `[services.NAME.health]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub kind: CheckKind,
    /// `Some`: the HTTP check is made over TLS.
    pub tls: Option<OriginTls>,
    /// Default: the endpoint's own.
    pub port: Option<u16>,
    pub interval: Duration,
    pub timeout: Duration,
    /// How many failures in a row are down: so many quick probes follow a refused connect.
    pub fall: u32,
}
