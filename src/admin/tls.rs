//! TLS for the admin listener, from `[admin] tls`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::AdminTls;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    #[error("{} can't be read as PEM: {why}", path.display())]
    Pem { path: PathBuf, why: String },
    #[error("{} holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    #[error("[admin] tls: the certificate in {} and the key do not work together: {why}", path.display())]
    Pair { path: PathBuf, why: String },
    #[error("[admin] tls client_ca: {} can't be used: {why}", path.display())]
    ClientCa { path: PathBuf, why: String },
    #[error("TLS can't be set up: {0}")]
    Setup(String),
}

/// Reads the files. With a `client_ca`, only clients with a certificate of it get in.
pub fn server_config(tls: &AdminTls) -> Result<Arc<ServerConfig>, TlsFault> {
    let cert = &tls.certificate.cert;
    let chain = certificates(cert)?;
    let key_path = &tls.certificate.key;
    let key = PrivateKeyDer::from_pem_file(key_path)
        .map_err(|fault| TlsFault::Pem { path: key_path.clone(), why: fault.to_string() })?;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|fault| TlsFault::Setup(fault.to_string()))?;
    let builder = match &tls.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let unusable = |why: String| TlsFault::ClientCa { path: path.clone(), why };
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|fault| unusable(fault.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|fault| unusable(fault.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|fault| TlsFault::Pair { path: cert.clone(), why: fault.to_string() })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let unreadable = |why: String| TlsFault::Pem { path: path.to_owned(), why };
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|fault| unreadable(fault.to_string()))?;
    if found.is_empty() { Err(TlsFault::NoCertificate(path.to_owned())) } else { Ok(found) }
}
