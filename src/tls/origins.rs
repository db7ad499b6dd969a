//! The authorities that the door trusts to sign the certificates of origins, for every `ca` that the
//! configuration names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use rustls::ClientConfig;

use super::client::{client_config, with_own_sessions};
use super::stamp::{Stamps, Watched};
use super::{HTTP1_ALPN, HTTP2_ALPN, TlsFault, fault};

/// The trust in the authorities of one `ca` file, or in those of the system. It is replaced when the file
/// changes.
#[derive(Debug)]
pub struct Trust {
    current: ArcSwap<ClientConfig>,
}

impl Trust {
    /// The current client configuration, which offers HTTP/2 and HTTP/1.1. Compare the pointers of two
    /// calls to see a change.
    #[must_use]
    pub fn current(&self) -> Arc<ClientConfig> {
        self.current.load_full()
    }

    /// The same configuration with a session memory of its own, offering the protocols of `alpn`. So a
    /// worker does not write the sessions of another one.
    #[must_use]
    pub fn own(config: &ClientConfig, alpn: &[&[u8]]) -> Arc<ClientConfig> {
        let mut own = with_own_sessions(config);
        own.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Arc::new(own)
    }
}

/// A client configuration that offers HTTP/2 and HTTP/1.1, and lets the origin choose.
fn offering_either(ca: Option<&Path>) -> Result<ClientConfig, TlsFault> {
    let mut config = client_config(ca)?;
    config.alpn_protocols = vec![HTTP2_ALPN.to_vec(), HTTP1_ALPN.to_vec()];
    Ok(config)
}

#[derive(Debug)]
struct Entry {
    trust: Arc<Trust>,
    watched: Watched,
}

/// Every trust that is in use, by its `ca` file. `None` stands for the authorities of the system.
#[derive(Debug, Default)]
pub struct Origins {
    entries: Mutex<BTreeMap<Option<PathBuf>, Entry>>,
}

impl Origins {
    fn entries(&self) -> MutexGuard<'_, BTreeMap<Option<PathBuf>, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The trust in the authorities of `ca`. `None` stands for the authorities of the system. The first
    /// call for a `ca` reads the file. [`super::Live`] makes that call for every `ca` of a configuration
    /// that it loads.
    ///
    /// # Errors
    /// The file can't be read or used.
    pub fn trust(&self, ca: &Option<PathBuf>) -> Result<Arc<Trust>, TlsFault> {
        if let Some(entry) = self.entries().get(ca) {
            return Ok(Arc::clone(&entry.trust));
        }
        let seen = Stamps::of(ca.as_slice());
        let config = offering_either(ca.as_deref())?;
        let trust = Arc::new(Trust { current: ArcSwap::from_pointee(config) });
        self.entries().insert(ca.clone(), Entry { trust: Arc::clone(&trust), watched: Watched::good(seen) });
        Ok(trust)
    }

    /// Reads the files again that have changed, or could not be used the last time. Returns one entry for
    /// each new content and for each new fault. After a fault the old authorities stay trusted.
    pub(super) fn reload(&self) -> Vec<(PathBuf, Result<(), fault::TlsFault>)> {
        let mut changed = Vec::new();
        for (ca, entry) in self.entries().iter_mut() {
            let Some(path) = ca else { continue };
            let read = entry.watched.read_again(std::slice::from_ref(path), || offering_either(Some(path)));
            match read {
                Ok(None) => {}
                Ok(Some(config)) => {
                    entry.trust.current.store(Arc::new(config));
                    changed.push((path.clone(), Ok(())));
                }
                Err(why) => changed.push((path.clone(), Err(why))),
            }
        }
        changed
    }

    /// The fault of the file `ca` at the last look.
    pub(super) fn fault(&self, ca: Option<&PathBuf>) -> Option<String> {
        self.entries().get(&ca.cloned())?.watched.fault().map(str::to_owned)
    }
}
