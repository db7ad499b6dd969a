//! Reading certificates, keys and authorities from files.

use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::config::CertificateFiles;

use super::{TlsFault, provider};

/// The ALPN name of HTTP/1.1 (RFC 7301, 6).
pub const HTTP1_ALPN: &[u8] = b"http/1.1";
/// The ALPN name of HTTP/1.0 (the registry of RFC 7301, 6). A listener accepts it, because the codec serves
/// both versions.
pub(super) const HTTP10_ALPN: &[u8] = b"http/1.0";
/// The ALPN name of HTTP/2 (RFC 9113, 3.2).
pub const HTTP2_ALPN: &[u8] = b"h2";
/// The ALPN name of the TLS-ALPN-01 challenge (RFC 8737, 3).
pub const ACME_TLS_ALPN: &[u8] = b"acme-tls/1";
/// The largest file that is read, in bytes (4 MiB). A larger file is not a certificate file but a mistake.
const FILE_BYTES_MAX: u64 = 4 << 20;

fn read(path: &Path) -> Result<Vec<u8>, TlsFault> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|why| TlsFault::unreadable(path, &why))?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|why| TlsFault::unreadable(path, &why))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(TlsFault::unreadable(path, &format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

/// All certificates of a PEM file in their order. In a chain file the leaf is the first.
pub(super) fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let bytes = read(path)?;
    let found = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|why| TlsFault::unreadable(path, &format!("as PEM: {why}")))?;
    if found.is_empty() { Err(TlsFault::NoCertificate(path.to_owned())) } else { Ok(found) }
}

/// The certificates of a PEM file, as authorities.
pub(super) fn roots(path: &Path) -> Result<RootCertStore, TlsFault> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(path)? {
        let unusable =
            |why: rustls::Error| TlsFault::Authorities { path: path.to_owned(), why: why.to_string() };
        roots.add(certificate).map_err(unusable)?;
    }
    Ok(roots)
}

/// A certificate with its chain and its key, and with an OCSP response if a file for it is named. `ocsp` is
/// the file for a pair that names none itself. It is an error if certificate and key do not fit together.
pub(super) fn certified(files: &CertificateFiles, ocsp: Option<&Path>) -> Result<CertifiedKey, TlsFault> {
    let chain = chain(&files.cert)?;
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?)
        .map_err(|why| TlsFault::NoKey { path: files.key.clone(), why: why.to_string() })?;
    let mut certified = certified_key(chain, key).map_err(|why| TlsFault::Pair {
        cert: files.cert.clone(),
        key: files.key.clone(),
        why: why.to_string(),
    })?;
    certified.ocsp = files.ocsp.as_deref().or(ocsp).map(stapled).transpose()?;
    Ok(certified)
}

/// A certificate chain with its key.
///
/// # Errors
/// The key can't be used, or the leaf of the chain does not belong to it.
pub fn certified_key(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, rustls::Error> {
    CertifiedKey::from_der(chain, key, &provider())
}

/// Reads an OCSP response for stapling. The only check is that the file is one DER sequence whose length is
/// that of the file (RFC 6960, 4.2.1).
fn stapled(path: &Path) -> Result<Vec<u8>, TlsFault> {
    let bytes = read(path)?;
    let content = match bytes.as_slice() {
        [0x30, length @ 0..=0x7f, ..] => Some((2, usize::from(*length))),
        [0x30, 0x81, length, ..] => Some((3, usize::from(*length))),
        [0x30, 0x82, high, low, ..] => Some((4, usize::from(u16::from_be_bytes([*high, *low])))),
        _ => None,
    };
    match content {
        Some((head, length)) if head + length == bytes.len() => Ok(bytes),
        _ => Err(TlsFault::NoOcsp(path.to_owned())),
    }
}

/// The names and dates that a certificate holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The DNS names that the certificate is for, in lower case. The common name of the subject does not
    /// count (RFC 6125).
    pub names: Vec<String>,
    /// The start of its validity, in seconds since 1970 (UTC).
    pub begins: i64,
    /// The end of its validity, in seconds since 1970 (UTC).
    pub ends: i64,
}

/// Reads the names and dates of a certificate. All fields are empty or 0 if the certificate can't be read.
#[must_use]
pub fn names_of(certificate: &CertificateDer<'_>) -> Said {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return Said::default() };
    let names = parsed.subject_alternative_name().ok().flatten().map(|names| {
        let dns = names.value.general_names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.trim_end_matches('.').to_ascii_lowercase()),
            _ => None,
        });
        dns.collect()
    });
    let validity = parsed.validity();
    Said {
        names: names.unwrap_or_default(),
        begins: validity.not_before.timestamp(),
        ends: validity.not_after.timestamp(),
    }
}

/// The DNS names of the leaf of a certified key.
pub(super) fn names(key: &Arc<CertifiedKey>) -> Vec<String> {
    key.cert.first().map(|leaf| names_of(leaf).names).unwrap_or_default()
}
