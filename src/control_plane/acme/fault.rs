//! Why there is no certificate.

use crate::control_plane::store::StoreFault;
use crate::tls::TlsFault;

/// An ACME failure, for the log. The next attempt starts by itself.
#[derive(Debug, thiserror::Error)]
pub enum AcmeFault {
    #[error("the ACME server: {0}")]
    Server(#[from] instant_acme::Error),
    #[error("{host} was not validated: {why}")]
    Invalid { host: String, why: String },
    #[error("the ACME server offers neither HTTP-01 nor TLS-ALPN-01 for {0}")]
    NoChallenge(String),
    #[error("the certificate that was issued can't be used: {0}")]
    Unusable(String),
    #[error("the proof for TLS-ALPN-01 can't be made: {0}")]
    Proof(String),
    #[error("not done within {0} s")]
    Late(u64),
    #[error("{0}")]
    Tls(#[from] TlsFault),
    #[error("{0}")]
    Store(#[from] StoreFault),
    #[error("what the store holds can't be read: {0}")]
    Kept(#[from] serde_json::Error),
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}
