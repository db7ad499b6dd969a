//! The choice of the certificate that a client gets. The name that the client asks for (SNI) decides. If no
//! certificate has that name, the client gets the first one.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::routing::normalize_host;

use super::pem::{self, Said};

type Named = HashMap<Box<[u8]>, Vec<usize>, FixedState>;

/// The certificates of one listener, by the names that they hold.
///
/// An exact name wins over a wildcard. A wildcard stands for exactly one label (RFC 6125, 6.4.3). If
/// several certificates hold the same name, such as RSA beside ECDSA, the client gets the first one whose
/// signature it can verify.
#[derive(Debug, Default)]
pub struct Certificates {
    /// All certificates with their keys. The first is the default.
    keys: Vec<Arc<CertifiedKey>>,
    /// The positions in `keys` for each exact name.
    exact: Named,
    /// The positions in `keys` for each wildcard, by the name behind its `*.`.
    wildcard: Named,
}

impl Certificates {
    pub(super) fn new(keys: Vec<Arc<CertifiedKey>>) -> Self {
        let mut set = Self { keys, ..Self::default() };
        for (index, key) in set.keys.iter().enumerate() {
            for name in pem::names(key) {
                let (named, name) = match name.strip_prefix("*.") {
                    Some(suffix) => (&mut set.wildcard, suffix),
                    None => (&mut set.exact, name.as_str()),
                };
                named.entry(name.as_bytes().into()).or_default().push(index);
            }
        }
        set
    }

    /// Whether there is no certificate, as before the first ACME order is done. Every handshake is refused
    /// then.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether a request for `host` came on the wrong connection, so that the answer is 421 (RFC 9110,
    /// 15.5.20). It did if the certificate that was shown for `sni` does not cover the host, and another
    /// certificate of the listener does. An SNI that no certificate covers is never a reason: a proxy in
    /// front sends its own name on every connection, and has no better one to use. The caller does not
    /// ask for a connection without SNI.
    #[must_use]
    pub fn is_misdirected(&self, sni: &str, host: &[u8]) -> bool {
        if host.eq_ignore_ascii_case(sni.as_bytes()) {
            return false;
        }
        let mut buffer = [0; 256];
        let Ok(host) = normalize_host(host, &mut buffer) else { return false };
        let covering = [self.exact.get(host), self.of_wildcard(host)];
        let mut covering = covering.into_iter().flatten().flatten().peekable();
        let Some(chosen) = self.named(sni.as_bytes()) else { return false };
        covering.peek().is_some() && !covering.any(|index| chosen.contains(index))
    }

    /// The names and the validity of each certificate.
    pub fn said(&self) -> impl Iterator<Item = Said> {
        self.keys.iter().filter_map(|key| key.cert.first()).map(pem::names_of)
    }

    /// The end of the certificate that a client gets for `host` (seconds since 1970). If several hold the
    /// name, it is the latest of their ends. A host `*.NAME` stands for any host below NAME. `None` if
    /// there is no certificate at all.
    #[must_use]
    pub fn end_for(&self, host: &str) -> Option<i64> {
        let any = host.strip_prefix("*.").map(|name| format!("any.{name}"));
        let chosen = self.chosen(any.as_deref().unwrap_or(host).as_bytes());
        let leaves = chosen.iter().filter_map(|index| self.keys.get(*index)?.cert.first());
        leaves.map(|leaf| pem::names_of(leaf).ends).max()
    }

    /// The positions in `keys` for the wildcard that covers a normalized host.
    fn of_wildcard(&self, host: &[u8]) -> Option<&Vec<usize>> {
        let dot = host.iter().position(|byte| *byte == b'.')?;
        self.wildcard.get(&host[dot + 1..])
    }

    /// The certificates that cover the name; `None` if no certificate does.
    fn named(&self, name: &[u8]) -> Option<&Vec<usize>> {
        let mut buffer = [0; 256];
        let name = normalize_host(name, &mut buffer).unwrap_or_default();
        self.exact.get(name).or_else(|| self.of_wildcard(name))
    }

    /// The positions in `keys` of the certificates for a name. Never empty while there is a certificate.
    fn chosen(&self, name: &[u8]) -> &[usize] {
        match self.named(name) {
            Some(named) => named,
            None if self.keys.is_empty() => &[],
            None => &[0],
        }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let chosen = match hello.server_name() {
            Some(name) => self.chosen(name.as_bytes()),
            None if self.keys.is_empty() => return None,
            None => &[0],
        };
        let offered = hello.signature_schemes();
        let fits = |index: &&usize| self.keys[**index].key.choose_scheme(offered).is_some();
        let index = chosen.iter().find(fits).or(chosen.first())?;
        self.keys.get(*index).map(Arc::clone)
    }
}
