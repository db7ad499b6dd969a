//! The request and the expected answer of a probe, as data. The prober carries it out.

use std::time::Duration;

use crate::model::OriginTls;

/// The kind of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckKind {
    /// A TCP connection can be made.
    Tcp,
    /// An HTTP request gets the expected answer.
    Http {
        path: String,
        host: String,
        expect_status: Vec<u16>,
        /// A text that must be in the first 64 KiB of the body.
        expect_body: Option<String>,
    },
}

/// The protocol of an HTTP check, by the upstream's `protocol`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Speech {
    /// HTTP/1.1 without TLS.
    #[default]
    Http1,
    /// HTTP/2 by prior knowledge (RFC 9113, section 3.3).
    H2c,
    /// HTTP/2 or HTTP/1.1 over TLS, as ALPN has agreed.
    Tls(OriginTls),
}

/// The validated `[services.NAME.health]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub kind: CheckKind,
    pub speech: Speech,
    /// The port to probe. By default it is the endpoint's own.
    pub port: Option<u16>,
    /// The time from one probe of an endpoint to the next.
    pub interval: Duration,
    /// How long a probe may take.
    pub timeout: Duration,
    /// The number of failures in a row that make an endpoint unhealthy. As many quick probes follow a
    /// refused connection.
    pub fall: u32,
}
