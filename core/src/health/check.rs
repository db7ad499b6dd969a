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

/// What an HTTP check is spoken in, as the upstream's `protocol` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Speech {
    #[default]
    Http1,
    /// HTTP/2 by prior knowledge (RFC 9113, 3.3).
    H2c,
    /// Over TLS, in what ALPN has agreed on: HTTP/2 or HTTP/1.1.
    Tls(OriginTls),
}

/// The validated `[services.NAME.health]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub kind: CheckKind,
    pub speech: Speech,
    /// Default: the endpoint's own.
    pub port: Option<u16>,
    pub interval: Duration,
    pub timeout: Duration,
    /// How many failures in a row are down: so many quick probes follow a refused connect.
    pub fall: u32,
}
