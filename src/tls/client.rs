//! The TLS configuration of greenlight as a client.

use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};

use super::pem::HTTP1_ALPN;
use super::{TlsFault, pem, provider};

/// The number of sessions that are kept to be resumed. It is enough for a few tickets of each endpoint.
const SESSIONS_MAX: usize = 1024;

/// A client configuration that trusts the authorities of the PEM file `ca`, or those of the system, and
/// offers HTTP/1.1.
///
/// # Errors
/// The file can't be read or used, or the system has no authorities.
pub fn client_config(ca: Option<&Path>) -> Result<ClientConfig, TlsFault> {
    let roots = match ca {
        Some(path) => pem::roots(path)?,
        None => system_roots()?,
    };
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|why| TlsFault::Setup(why.to_string()))?
        .with_root_certificates(Arc::new(roots))
        .with_no_client_auth();
    config.alpn_protocols = vec![HTTP1_ALPN.to_vec()];
    Ok(config)
}

/// The same configuration with a session memory of its own, so that no two workers write one memory.
pub(super) fn with_own_sessions(config: &ClientConfig) -> ClientConfig {
    let mut config = config.clone();
    config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
    config
}

/// The authorities of the system. The variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name them. Without these,
/// they are read from the usual place of the system.
fn system_roots() -> Result<RootCertStore, TlsFault> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map_or("none were found".to_owned(), ToString::to_string);
        return Err(TlsFault::NoSystemAuthorities(why));
    }
    Ok(roots)
}
