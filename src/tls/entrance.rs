//! The TLS of one listener. It is replaced when its files change.

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

/// The TLS that a listener serves from one moment on.
#[derive(Debug)]
pub struct Serving {
    /// The rustls configuration of a handshake.
    pub config: ServerConfig,
    /// The certificates of `config`, by name.
    pub certificates: Arc<Certificates>,
}

/// The TLS of a listener, and the material that it was made of.
#[derive(Debug)]
pub struct Entrance {
    /// The value for the next handshake.
    current: ArcSwap<Serving>,
    /// The ALPN names that the listener offers.
    alpn: Vec<Vec<u8>>,
    /// The material of `current`.
    made: Mutex<Made>,
}

#[derive(Debug)]
struct Made {
    /// The settings, which name the files.
    tls: ListenerTls,
    /// The stamps of the files at the last look.
    watched: Watched,
    /// The content of the files.
    files: Files,
    /// The certificates from ACME, by host.
    issued: BTreeMap<String, Arc<CertifiedKey>>,
    /// The keys of session tickets.
    ticketer: Arc<dyn ProducesTickets>,
}

/// The content of all files of one listener.
#[derive(Debug)]
pub(super) struct Files {
    /// The stamps of the files from before they were read.
    seen: Stamps,
    /// The certificates with their keys.
    keys: Vec<Arc<CertifiedKey>>,
    /// The authorities of client certificates (`client_ca`).
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
}

/// The settings of `[admin] tls` in the form of a listener's.
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
    /// Reads the files of `tls` and serves their content. The listener offers the protocols of `alpn`.
    ///
    /// # Errors
    /// A file can't be read or used.
    pub fn open(tls: &ListenerTls, alpn: Vec<Vec<u8>>) -> Result<Self, TlsFault> {
        let files = Files::read(tls)?;
        let ticketer = ticketer()?;
        let watched = Watched::good(files.seen.clone());
        let issued = BTreeMap::new();
        let serving = serving(&alpn, &files, &issued, &ticketer)?;
        let made = Made { tls: tls.clone(), watched, files, issued, ticketer };
        Ok(Self { current: ArcSwap::from_pointee(serving), alpn, made: Mutex::new(made) })
    }

    /// Reads the files of the admin listener and serves their content. It offers HTTP/1.1 alone.
    ///
    /// # Errors
    /// A file can't be read or used.
    pub fn of_admin(tls: &AdminTls) -> Result<Self, TlsFault> {
        Self::open(&as_listener(tls), [HTTP1_ALPN, HTTP10_ALPN].map(<[u8]>::to_vec).to_vec())
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value that is served now. Compare the pointers of two calls to see a change.
    pub fn current(&self) -> arc_swap::Guard<Arc<Serving>> {
        self.current.load()
    }

    /// Reads the files again if one has changed since the last look, or could not be used then. Returns
    /// true if new content is served now.
    ///
    /// # Errors
    /// The fault of the files, once in a row. The old content stays in service.
    pub(super) fn reload(&self) -> Result<bool, TlsFault> {
        let mut made = self.made();
        let Made { tls, watched, .. } = &mut *made;
        let Some(files) = watched.read_again(&paths(tls), || Files::read(tls))? else { return Ok(false) };
        self.replace(&mut made, files)?;
        Ok(true)
    }

    /// Serves `files`, which were read by the settings `tls`. The settings may name other certificates and
    /// authorities than before. Returns true if files have changed since the last look.
    ///
    /// # Errors
    /// TLS can't be made of the files. All stays as it was then.
    pub(super) fn adopt(&self, tls: &ListenerTls, files: Files) -> Result<bool, TlsFault> {
        let mut made = self.made();
        let seen = files.seen.clone();
        self.replace(&mut made, files)?;
        // The next look goes to the files that the new settings name.
        made.tls.certificates.clone_from(&tls.certificates);
        made.tls.ocsp.clone_from(&tls.ocsp);
        made.tls.client_ca.clone_from(&tls.client_ca);
        let changed = seen != *made.watched.seen();
        made.watched = Watched::good(seen);
        Ok(changed)
    }

    /// Serves a certificate from ACME for `host`, beside those of the files.
    ///
    /// # Errors
    /// TLS can't be made of it. The old value stays in service.
    pub fn install(&self, host: &str, key: Arc<CertifiedKey>) -> Result<(), TlsFault> {
        let mut made = self.made();
        made.issued.insert(host.to_owned(), key);
        let serving = serving(&self.alpn, &made.files, &made.issued, &made.ticketer)?;
        self.current.store(Arc::new(serving));
        Ok(())
    }

    fn replace(&self, made: &mut Made, files: Files) -> Result<(), TlsFault> {
        // A ticket stands for a client certificate that was verified. It must not outlive the authorities
        // that the certificate was verified against, so changed authorities give new ticket keys.
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

/// The value to serve with these files and these certificates from ACME.
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
    // Clients resume sessions by tickets alone. So there is no session memory that workers would share and
    // lock.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = Arc::clone(ticketer);
    Ok(Serving { config, certificates })
}

/// The keys of session tickets. They are replaced every six hours and honored for six more. Each listener
/// has its own keys, because a ticket of a listener that asks for no client certificate must be worth
/// nothing at one that does.
fn ticketer() -> Result<Arc<dyn ProducesTickets>, TlsFault> {
    rustls::crypto::ring::Ticketer::new().map_err(|why| TlsFault::Setup(why.to_string()))
}
