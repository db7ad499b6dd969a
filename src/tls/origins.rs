//! Whom we trust as an origin, for every `ca` that the configuration names.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use rustls::ClientConfig;

use super::client::{client_config, with_own_sessions};
use super::stamp::{Stamp, stamps};
use super::{TlsFault, fault};

/// The authorities of one `ca` file (or the system's), replaced when the file changes.
#[derive(Debug)]
pub struct Trust {
    current: ArcSwap<ClientConfig>,
}

impl Trust {
    /// The configuration in force; compare pointers to see a change.
    #[must_use]
    pub fn current(&self) -> Arc<ClientConfig> {
        self.current.load_full()
    }

    /// The same with a memory of sessions that nobody else writes, offering these protocols.
    #[must_use]
    pub fn own(config: &ClientConfig, alpn: &[&[u8]]) -> Arc<ClientConfig> {
        let mut own = with_own_sessions(config);
        own.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Arc::new(own)
    }
}

#[derive(Debug)]
struct Entry {
    trust: Arc<Trust>,
    /// Of the file that was looked at last, good or not.
    seen: Vec<Option<Stamp>>,
}

/// Every trust that is in use, by its `ca` file.
#[derive(Debug, Default)]
pub struct Origins {
    entries: Mutex<BTreeMap<Option<PathBuf>, Entry>>,
}

impl Origins {
    fn entries(&self) -> MutexGuard<'_, BTreeMap<Option<PathBuf>, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The trust in the authorities of `ca` (`None`: the system's). Reads the file if nobody has
    /// asked for it before, which a configuration that was loaded through [`super::Live`] has.
    pub fn trust(&self, ca: &Option<PathBuf>) -> Result<Arc<Trust>, TlsFault> {
        if let Some(entry) = self.entries().get(ca) {
            return Ok(Arc::clone(&entry.trust));
        }
        let seen = stamps(ca.as_slice());
        let config = client_config(ca.as_deref())?;
        let trust = Arc::new(Trust { current: ArcSwap::from_pointee(config) });
        self.entries().insert(ca.clone(), Entry { trust: Arc::clone(&trust), seen });
        Ok(trust)
    }

    /// Reads the files again that have changed; tells of each, and keeps what was if it is broken.
    pub(super) fn reload(&self) -> Vec<(PathBuf, Result<(), fault::TlsFault>)> {
        let mut changed = Vec::new();
        for (ca, entry) in self.entries().iter_mut() {
            let Some(path) = ca else { continue };
            let now = stamps(std::slice::from_ref(path));
            if now == entry.seen {
                continue;
            }
            entry.seen = now;
            let read = client_config(Some(path)).map(|config| entry.trust.current.store(Arc::new(config)));
            changed.push((path.clone(), read));
        }
        changed
    }
}
