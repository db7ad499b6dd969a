//! All of TLS that a running greenlight has, by its configuration.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls_pki_types::ServerName;

use crate::clock;
use crate::config::{Config, ListenerTls, paired};

use super::entrance::{Files, as_listener};
use super::pem::HTTP10_ALPN;
use super::{Challenges, Entrance, HTTP1_ALPN, HTTP2_ALPN, Origins, TlsFault};

/// A certificate that ends in less than this is warned of when it is read.
const ENDS_SOON: i64 = 7 * 24 * 3600;

/// The entrances of the listeners, in the order that they were started in, and whom we trust as origins.
#[derive(Debug, Default)]
pub struct Live {
    entrances: Vec<Option<Arc<Entrance>>>,
    /// Where each of them listens.
    binds: Vec<SocketAddr>,
    admin: Option<Arc<Entrance>>,
    origins: Arc<Origins>,
    challenges: Arc<Challenges>,
}

/// A configuration's files, read and sound, and not in force yet.
#[derive(Debug)]
pub struct Reloaded {
    binds: Vec<SocketAddr>,
    listeners: Vec<Option<(ListenerTls, Files)>>,
    admin: Option<(ListenerTls, Files)>,
}

impl Live {
    /// Reads everything that the configuration names.
    ///
    /// # Errors
    /// Every file that can't be used, with its key.
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

    /// The entrance of each listener, `None` for plain ones.
    #[must_use]
    pub fn entrances(&self) -> &[Option<Arc<Entrance>>] {
        &self.entrances
    }

    /// The admin listener's, if it has TLS.
    #[must_use]
    pub fn admin(&self) -> Option<&Arc<Entrance>> {
        self.admin.as_ref()
    }

    #[must_use]
    pub fn origins(&self) -> &Arc<Origins> {
        &self.origins
    }

    #[must_use]
    pub fn challenges(&self) -> &Arc<Challenges> {
        &self.challenges
    }

    /// Reads all files of a new configuration; nothing is in force before [`Self::adopt`].
    ///
    /// # Errors
    /// Every file that can't be used, with its key.
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
        // Those that are in use are told of below, whether they were broken before or are since now.
        self.origins.reload();
        faults.extend(trusted(&self.origins, config));
        if faults.is_empty() {
            Ok(Reloaded { binds: config.listener_binds(), listeners, admin: admin.zip(files) })
        } else {
            Err(faults)
        }
    }

    /// Serves what was read; tells which listeners had changed files. A listener is known by its bind,
    /// wherever it stands in the file. Those that are new, or were plain, need a restart and are left
    /// out; those that are gone serve what they did.
    pub fn adopt(&self, mut reloaded: Reloaded) -> Vec<String> {
        let mut changed = Vec::new();
        for (entrance, place) in self.entrances.iter().zip(paired(&self.binds, &reloaded.binds)) {
            let (Some(entrance), Some(index)) = (entrance, place) else { continue };
            let Some((tls, files)) = reloaded.listeners.get_mut(index).and_then(Option::take) else {
                continue;
            };
            warn_of_ends(index, &files);
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

    /// Looks whether a file has changed, and serves it then. A broken one is told of once, and what
    /// was served stays. Blocks on the disk.
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

/// Every file of a configuration that TLS can't be made of, with its key; nothing is kept.
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

fn warn_of_ends(index: usize, files: &Files) {
    let now = clock::wall().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    for left in files.ends().map(|end| end.saturating_sub(now)).filter(|left| *left < ENDS_SOON) {
        tracing::warn!(listener = index, seconds = left, "a certificate ends soon, or has ended");
    }
}

/// The authorities that each service trusts.
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
