//! The faults of TLS files and settings.

use std::path::{Path, PathBuf};

/// The fault of a file or a setting that TLS can't use. It names the file, and never the content of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    #[error("{} can't be read: {why}", path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error("{} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", .0.display())]
    NoCertificate(PathBuf),
    #[error("{} holds no private key in PEM form: {why}", path.display())]
    NoKey { path: PathBuf, why: String },
    #[error("the certificate in {} and the key in {} do not belong together: {why}", cert.display(), key.display())]
    Pair { cert: PathBuf, key: PathBuf, why: String },
    #[error("{} can't be used as authorities: {why}", path.display())]
    Authorities { path: PathBuf, why: String },
    #[error("{} is no OCSP answer in DER form (as `openssl ocsp -respout` writes it)", .0.display())]
    NoOcsp(PathBuf),
    #[error(
        "this system has no certificate authorities ({0}): install ca-certificates, or name them with upstream.tls ca"
    )]
    NoSystemAuthorities(String),
    #[error("TLS can't be set up: {0}")]
    Setup(String),
}

impl TlsFault {
    pub(super) fn unreadable(path: &Path, why: &dyn ToString) -> Self {
        Self::Unreadable { path: path.to_owned(), why: why.to_string() }
    }
}
