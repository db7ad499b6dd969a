//! The TLS of a running greenlight, as its configuration says.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls_pki_types::ServerName;

use crate::config::{Config, ListenerTls, paired};

use super::entrance::{Files, as_listener};
use super::pem::HTTP10_ALPN;
use super::{Challenges, Entrance, HTTP1_ALPN, HTTP2_ALPN, Origins, Said, TlsFault};

/// The TLS of all listeners, in the order in which they were started, the trust in origins, and the
/// challenges of ACME.
#[derive(Debug, Default)]
pub struct Live {
    /// One entry for each listener. `None` for a plain listener.
    entrances: Vec<Option<Arc<Entrance>>>,
    /// The bind of each listener.
    binds: Vec<SocketAddr>,
    admin: Option<Arc<Entrance>>,
    origins: Arc<Origins>,
    challenges: Arc<Challenges>,
}

/// The files of a new configuration. They are read and have no fault, but are not in force yet.
#[derive(Debug)]
pub struct Reloaded {
    binds: Vec<SocketAddr>,
    listeners: Vec<Option<(ListenerTls, Files)>>,
    admin: Option<(ListenerTls, Files)>,
}

impl Live {
    /// Reads all TLS files that the configuration names.
    ///
    /// # Errors
    /// One line for each part of the configuration whose files can't be used, with its key.
    pub fn open(config: &Config) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut entrances = Vec::new();
        for (index, listener) in config.listeners.iter().enumerate() {
            let opened = listener.tls.as_ref().map(|tls| Entrance::open(tls, alpn()));
            match opened.transpose() {
                Ok(entrance) => entrances.push(entrance.map(Arc::new)),
                Err(why) => faults.push(at(index, &why)),
            }
        }
        let admin = config.admin.tls.as_ref().map(Entrance::of_admin).transpose();
        let admin = admin.map_err(|why| faults.push(at_admin(&why))).ok().flatten().map(Arc::new);
        let origins = Arc::<Origins>::default();
        faults.extend(trusted(&origins, config));
        if faults.is_empty() {
            Ok(Self { entrances, binds: config.listener_binds(), admin, origins, challenges: Arc::default() })
        } else {
            Err(faults)
        }
    }

    /// The TLS of each listener. `None` for a plain listener.
    #[must_use]
    pub fn entrances(&self) -> &[Option<Arc<Entrance>>] {
        &self.entrances
    }

    /// The TLS of the admin listener, if it has TLS.
    #[must_use]
    pub fn admin(&self) -> Option<&Arc<Entrance>> {
        self.admin.as_ref()
    }

    /// Every certificate that is served now, with the place that serves it: a listener's address, or
    /// `admin`.
    #[must_use]
    pub fn served(&self) -> Vec<(String, Said)> {
        let listeners = self.binds.iter().map(ToString::to_string).zip(&self.entrances);
        let all = listeners.filter_map(|(place, entrance)| Some((place, entrance.as_ref()?)));
        let admin = self.admin.iter().map(|entrance| ("admin".to_owned(), entrance));
        let of = |(place, entrance): (String, &Arc<Entrance>)| {
            let said: Vec<Said> = entrance.current().certificates.said().collect();
            said.into_iter().map(move |said| (place.clone(), said))
        };
        all.chain(admin).flat_map(of).collect()
    }

    /// The earliest end, over all listeners with TLS, of the certificate that clients get for `host`
    /// (seconds since 1970). `None` if no listener has a certificate.
    #[must_use]
    pub fn end_for(&self, host: &str) -> Option<i64> {
        let entrances = self.entrances.iter().flatten();
        entrances.filter_map(|entrance| entrance.current().certificates.end_for(host)).min()
    }

    /// The trust in origins.
    #[must_use]
    pub fn origins(&self) -> &Arc<Origins> {
        &self.origins
    }

    /// The answers to the challenges of ACME servers.
    #[must_use]
    pub fn challenges(&self) -> &Arc<Challenges> {
        &self.challenges
    }

    /// Reads all TLS files of a new configuration. Certificates and keys are in force only after
    /// [`Self::adopt`]. Changed authorities of origins are in force at once.
    ///
    /// # Errors
    /// One line for each part of the configuration whose files can't be used, with its key.
    pub fn read(&self, config: &Config) -> Result<Reloaded, Vec<String>> {
        let mut faults = Vec::new();
        let mut listeners = Vec::new();
        for (index, listener) in config.listeners.iter().enumerate() {
            match listener.tls.as_ref().map(Files::read).transpose() {
                Ok(files) => listeners.push(listener.tls.clone().zip(files)),
                Err(why) => faults.push(at(index, &why)),
            }
        }
        let admin = config.admin.tls.as_ref().map(as_listener);
        let files = admin.as_ref().map(Files::read).transpose();
        let files = files.map_err(|why| faults.push(at_admin(&why))).ok().flatten();
        // The results are dropped, because `trusted` reports every fault of a file that the new
        // configuration uses, whether the fault is old or new.
        self.origins.reload();
        faults.extend(trusted(&self.origins, config));
        if faults.is_empty() {
            Ok(Reloaded { binds: config.listener_binds(), listeners, admin: admin.zip(files) })
        } else {
            Err(faults)
        }
    }

    /// Serves the files of a new configuration. Returns the keys of the listeners whose files have changed.
    /// A listener is known by its bind, wherever it stands in the configuration. A listener that is new, or
    /// had no TLS, needs a restart and is left out. A listener that is gone goes on serving its old files.
    pub fn adopt(&self, mut reloaded: Reloaded) -> Vec<String> {
        let mut changed = Vec::new();
        for (entrance, place) in self.entrances.iter().zip(paired(&self.binds, &reloaded.binds)) {
            let (Some(entrance), Some(index)) = (entrance, place) else { continue };
            let Some((tls, files)) = reloaded.listeners.get_mut(index).and_then(Option::take) else {
                continue;
            };
            match entrance.adopt(&tls, files) {
                Ok(true) => changed.push(format!("listeners[{index}].tls (its files)")),
                Ok(false) => {}
                Err(why) => {
                    tracing::error!("{}: what was served before stays", at(index, &why));
                }
            }
        }
        if let (Some(entrance), Some((tls, files))) = (&self.admin, reloaded.admin) {
            match entrance.adopt(&tls, files) {
                Ok(true) => changed.push("admin.tls (its files)".to_owned()),
                Ok(false) => {}
                Err(why) => {
                    tracing::error!("{}: what was served before stays", at_admin(&why));
                }
            }
        }
        changed
    }

    /// Looks at all TLS files and serves those that have changed. A fault is logged once, and the old
    /// content stays in service. The function blocks on the disk.
    pub fn look(&self) {
        for (entrance, bind) in self.entrances.iter().zip(&self.binds) {
            match entrance.as_ref().map(|entrance| entrance.reload()) {
                Some(Ok(true)) => {
                    tracing::info!(listener = %bind, "changed certificates are served from now on");
                }
                Some(Err(why)) => {
                    tracing::error!("the tls of the listener on {bind}: {why}: what was served before stays");
                }
                Some(Ok(false)) | None => {}
            }
        }
        match self.admin.as_ref().map(|entrance| entrance.reload()) {
            Some(Ok(true)) => {
                tracing::info!("the admin listener's changed certificate is served from now on");
            }
            Some(Err(why)) => {
                tracing::error!("{}: what was served before stays", at_admin(&why));
            }
            Some(Ok(false)) | None => {}
        }
        for (path, read) in self.origins.reload() {
            match read {
                Ok(()) => {
                    tracing::info!(file = %path.display(), "changed authorities are trusted from now on");
                }
                Err(why) => {
                    tracing::error!(%why, "whom we trusted before stays trusted");
                }
            }
        }
    }
}

/// The faults of the TLS files of a configuration, each with its key. The files are read, and nothing is
/// kept.
#[must_use]
pub fn check(config: &Config) -> Vec<String> {
    match Live::open(config) {
        Ok(_) => Vec::new(),
        Err(faults) => faults,
    }
}

fn alpn() -> Vec<Vec<u8>> {
    [HTTP2_ALPN, HTTP1_ALPN, HTTP10_ALPN].map(<[u8]>::to_vec).to_vec()
}

fn at(index: usize, why: &TlsFault) -> String {
    format!("listeners[{index}].tls: {why}")
}

fn at_admin(why: &TlsFault) -> String {
    format!("admin.tls: {why}")
}

/// The faults of the trust in each service's endpoints, with the key. The first call for a `ca` file reads
/// it.
fn trusted(origins: &Origins, config: &Config) -> Vec<String> {
    let secured =
        config.services.iter().filter_map(|service| Some((service, service.settings.tls.as_ref()?)));
    let tried = secured.map(|(service, tls)| {
        let fault = match ServerName::try_from(tls.server_name.as_str()) {
            Err(_) => format!("\"{}\" can be the name of no certificate", tls.server_name),
            Ok(_) => match origins.trust(&tls.ca) {
                Err(why) => why.to_string(),
                Ok(_) => origins.fault(tls.ca.as_ref())?,
            },
        };
        Some(format!("services.{}.upstream.tls: {fault}", service.name))
    });
    tried.flatten().collect()
}
