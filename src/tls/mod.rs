//! TLS as every room uses it: certificates read from files, chosen by name, and replaced while
//! connections go on; whom we trust at the other end of a connection to an origin; the answers to
//! an ACME server's challenges.
//!
//! - **What is served is one value** ([`Serving`]): a rustls configuration and the names it has
//!   certificates for, swapped as a whole. A handshake takes the value of its moment and keeps it, so
//!   a reload never ends a connection, and no connection sees half of one.
//! - **A broken file changes nothing.** All files of a listener are read and fit together before
//!   anything is swapped; else what was served goes on, and the fault is told.
//! - **Files are looked at, not watched**: one `stat` a file every two seconds sees what a rename, a
//!   symbolic link (Kubernetes) or a mounted file does, which inotify does not. A file that could not be
//!   used is read at each look, and its fault told once.
//!
//! Nothing here is called in the path of a request: connections ask at their handshake.

mod certificates;
mod challenges;
mod client;
mod entrance;
mod fault;
mod live;
mod origins;
mod pem;
mod stamp;
#[cfg(test)]
mod tests;

pub use certificates::Certificates;
pub use challenges::Challenges;
pub use client::client_config;
pub use entrance::{Entrance, Serving};
pub use fault::TlsFault;
pub use live::{Live, Reloaded, check};
pub use origins::{Origins, Trust};
pub use pem::{ACME_TLS_ALPN, HTTP1_ALPN, HTTP2_ALPN, Said, certified_key, names_of};

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// The one set of algorithms: ring's, in rustls' order. It is inside of Mozilla's "intermediate"
/// (TLS 1.2 with ECDHE and an AEAD, TLS 1.3; X25519, P-256, P-384), and lets the client's
/// preference decide, so that phones without AES hardware get ChaCha20.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: std::sync::LazyLock<Arc<CryptoProvider>> =
        std::sync::LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    Arc::clone(&PROVIDER)
}
