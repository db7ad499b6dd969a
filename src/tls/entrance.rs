//! The TLS of one listener, replaced as its files change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::server::{NoServerSessionStorage, ProducesTickets, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};

use crate::config::{AdminTls, ListenerTls};

use super::pem::HTTP10_ALPN;
use super::stamp::{Stamps, Watched};
use super::{Certificates, HTTP1_ALPN, TlsFault, pem, provider};

/// What is served from one moment on.
#[derive(Debug)]
pub struct Serving {
    pub config: ServerConfig,
    pub certificates: Arc<Certificates>,
}

/// What a listener serves, and what it was made of.
#[derive(Debug)]
pub struct Entrance {
    current: ArcSwap<Serving>,
    alpn: Vec<Vec<u8>>,
    made: Mutex<Made>,
}

#[derive(Debug)]
struct Made {
    tls: ListenerTls,
    watched: Watched,
    files: Files,
    /// Certificates that ACME has brought, by host.
    issued: BTreeMap<String, Arc<CertifiedKey>>,
    ticketer: Arc<dyn ProducesTickets>,
}

/// All that is read from files.
#[derive(Debug)]
pub(super) struct Files {
    /// As they were before they were read.
    seen: Stamps,
    keys: Vec<Arc<CertifiedKey>>,
    clients: Option<Arc<RootCertStore>>,
}

impl Files {
    /// Reads everything that `tls` names.
    pub(super) fn read(tls: &ListenerTls) -> Result<Self, TlsFault> {
        let seen = Stamps::of(&paths(tls));
        let mut keys = Vec::with_capacity(tls.certificates.len());
        for (index, files) in tls.certificates.iter().enumerate() {
            let ocsp = tls.ocsp.as_deref().filter(|_| index == 0);
            keys.push(Arc::new(pem::certified(files, ocsp)?));
        }
        let clients = tls.client_ca.as_deref().map(pem::roots).transpose()?.map(Arc::new);
        Ok(Self { seen, keys, clients })
    }

    /// The leaves' names and ends, for warnings.
    pub(super) fn ends(&self) -> impl Iterator<Item = i64> {
        self.keys.iter().map(|key| key.cert.first().map_or(i64::MAX, |leaf| pem::names_of(leaf).ends))
    }
}

/// `[admin] tls` as one of a listener.
pub(super) fn as_listener(tls: &AdminTls) -> ListenerTls {
    ListenerTls {
        certificates: vec![tls.certificate.clone()],
        client_ca: tls.client_ca.clone(),
        acme: None,
        hsts: Duration::ZERO,
        ocsp: None,
    }
}

/// Every file that `tls` names.
fn paths(tls: &ListenerTls) -> Vec<PathBuf> {
    let pairs = tls
        .certificates
        .iter()
        .flat_map(|pair| [Some(pair.cert.as_path()), Some(pair.key.as_path()), pair.ocsp.as_deref()]);
    let others = [tls.ocsp.as_deref(), tls.client_ca.as_deref()];
    pairs.chain(others).flatten().map(Path::to_owned).collect()
}

impl Entrance {
    /// Reads the files of `tls` and serves what is in them, offering the protocols of `alpn`.
    pub fn open(tls: &ListenerTls, alpn: Vec<Vec<u8>>) -> Result<Self, TlsFault> {
        let files = Files::read(tls)?;
        let ticketer = ticketer()?;
        let watched = Watched::good(files.seen.clone());
        let issued = BTreeMap::new();
        let serving = serving(&alpn, &files, &issued, &ticketer)?;
        let made = Made { tls: tls.clone(), watched, files, issued, ticketer };
        Ok(Self { current: ArcSwap::from_pointee(serving), alpn, made: Mutex::new(made) })
    }

    /// The same for the admin listener.
    pub fn of_admin(tls: &AdminTls) -> Result<Self, TlsFault> {
        Self::open(&as_listener(tls), [HTTP1_ALPN, HTTP10_ALPN].map(<[u8]>::to_vec).to_vec())
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is served now; compare pointers to see a change.
    pub fn current(&self) -> arc_swap::Guard<Arc<Serving>> {
        self.current.load()
    }

    /// Reads the files again if one has changed since they were looked at last, or could not be used
    /// then; true if that changed what is served. On a fault what was served stays, and the same
    /// fault is not told twice.
    pub(super) fn reload(&self) -> Result<bool, TlsFault> {
        let mut made = self.made();
        let Made { tls, watched, .. } = &mut *made;
        let Some(files) = watched.read_again(&paths(tls), || Files::read(tls))? else { return Ok(false) };
        self.replace(&mut made, files)?;
        Ok(true)
    }

    /// Serves what was read, by a changed configuration of certificates and authorities or not; true
    /// if files have changed since they were looked at last. On a fault all stays as it was.
    pub(super) fn adopt(&self, tls: &ListenerTls, files: Files) -> Result<bool, TlsFault> {
        let mut made = self.made();
        let seen = files.seen.clone();
        self.replace(&mut made, files)?;
        // Where the files are looked at from now on.
        made.tls.certificates.clone_from(&tls.certificates);
        made.tls.ocsp.clone_from(&tls.ocsp);
        made.tls.client_ca.clone_from(&tls.client_ca);
        let changed = seen != *made.watched.seen();
        made.watched = Watched::good(seen);
        Ok(changed)
    }

    /// Serves a certificate that ACME has brought for `host`.
    pub fn install(&self, host: &str, key: Arc<CertifiedKey>) -> Result<(), TlsFault> {
        let mut made = self.made();
        made.issued.insert(host.to_owned(), key);
        let serving = serving(&self.alpn, &made.files, &made.issued, &made.ticketer)?;
        self.current.store(Arc::new(serving));
        Ok(())
    }

    fn replace(&self, made: &mut Made, files: Files) -> Result<(), TlsFault> {
        // A ticket stands for a client certificate that was verified: it must not outlive the
        // authorities that it was verified against.
        let same = match (&made.files.clients, &files.clients) {
            (None, None) => true,
            (Some(old), Some(new)) => old.roots == new.roots,
            _ => false,
        };
        let ticketer = if same { Arc::clone(&made.ticketer) } else { ticketer()? };
        let serving = serving(&self.alpn, &files, &made.issued, &ticketer)?;
        (made.files, made.ticketer) = (files, ticketer);
        self.current.store(Arc::new(serving));
        Ok(())
    }
}

/// What is served with these files, and with what ACME has brought.
fn serving(
    alpn: &[Vec<u8>],
    files: &Files,
    issued: &BTreeMap<String, Arc<CertifiedKey>>,
    ticketer: &Arc<dyn ProducesTickets>,
) -> Result<Serving, TlsFault> {
    let setup = |why: &dyn ToString| TlsFault::Setup(why.to_string());
    let keys = files.keys.iter().chain(issued.values()).map(Arc::clone).collect();
    let certificates = Arc::new(Certificates::new(keys));
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|why| setup(&why))?;
    let builder = match &files.clients {
        None => builder.with_no_client_auth(),
        Some(roots) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider());
            builder.with_client_cert_verifier(verifier.build().map_err(|why| setup(&why))?)
        }
    };
    let resolver: Arc<Certificates> = Arc::clone(&certificates);
    let mut config = builder.with_cert_resolver(resolver);
    config.alpn_protocols = alpn.to_vec();
    // Resumed by tickets alone: no memory of sessions that workers would share and lock.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = Arc::clone(ticketer);
    Ok(Serving { config, certificates })
}

/// Keys for tickets, replaced every six hours, and honored for six more. One for each listener: a
/// ticket of one that asks for no client certificate must be worth nothing at one that does.
fn ticketer() -> Result<Arc<dyn ProducesTickets>, TlsFault> {
    rustls::crypto::ring::Ticketer::new().map_err(|why| TlsFault::Setup(why.to_string()))
}
