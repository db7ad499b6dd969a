//! TLS for all of greenlight. This module reads certificates from files, chooses one by the name that the
//! client asks for, and replaces them while connections go on. It also holds the trust in origins and the
//! answers to the challenges of an ACME server.
//!
//! - **A listener serves one value**, a [`Serving`]. It is a rustls configuration and the names that it has
//!   certificates for, and it is swapped as a whole. A handshake takes the current value and keeps it. So a
//!   reload never ends a connection, and no connection sees half of a reload.
//! - **A broken file changes nothing.** All files of a listener must be readable and fit together before
//!   anything is swapped. Otherwise the listener goes on serving the old value, and the fault is reported.
//! - **Files are looked at, not watched.** One `stat` of each file every two seconds notices a rename, a
//!   turned symbolic link (Kubernetes) and a changed mount, which inotify does not. A file that could not be
//!   used is read again at each look, and its fault is reported once.
//!
//! No request waits for this module. A connection asks it at the handshake.

mod certificates;
mod challenges;
mod client;
mod entrance;
mod fault;
mod fitness;
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
pub use fitness::warnings;
pub use live::{Live, Reloaded, check};
pub use origins::{Origins, Trust};
pub use pem::{ACME_TLS_ALPN, HTTP1_ALPN, HTTP2_ALPN, Said, certified_key, names_of};

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// The set of algorithms that all of greenlight uses. It is ring's set in the order of rustls. All of it is
/// in Mozilla's "intermediate" configuration: TLS 1.2 with ECDHE and an AEAD, TLS 1.3, and X25519, P-256
/// and P-384. The client's preference decides, so that phones without AES hardware get ChaCha20.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: std::sync::LazyLock<Arc<CryptoProvider>> =
        std::sync::LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    Arc::clone(&PROVIDER)
}
