//! What an ACME server will ask for while it validates a name (RFC 8555, 8; RFC 8737).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::ServerConfig;

/// The challenges that are under way. The number is read by every connection, the rest only while
/// it is not 0.
#[derive(Debug, Default)]
pub struct Challenges {
    http: AtomicUsize,
    tls: AtomicUsize,
    pending: Mutex<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    /// HTTP-01: token -> key authorization.
    http: BTreeMap<String, String>,
    /// TLS-ALPN-01: host -> the configuration that proves it.
    tls: BTreeMap<String, Arc<ServerConfig>>,
}

impl Challenges {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, pending: &Pending) {
        self.http.store(pending.http.len(), Ordering::Release);
        self.tls.store(pending.tls.len(), Ordering::Release);
    }

    pub fn offer_http(&self, token: String, key_authorization: String) {
        let mut pending = self.pending();
        pending.http.insert(token, key_authorization);
        self.count(&pending);
    }

    pub fn offer_tls(&self, host: String, config: Arc<ServerConfig>) {
        let mut pending = self.pending();
        pending.tls.insert(host, config);
        self.count(&pending);
    }

    pub fn withdraw_http(&self, token: &str) {
        let mut pending = self.pending();
        pending.http.remove(token);
        self.count(&pending);
    }

    pub fn withdraw_tls(&self, host: &str) {
        let mut pending = self.pending();
        pending.tls.remove(host);
        self.count(&pending);
    }

    /// Whether [`Self::http`] could have an answer.
    pub fn has_http(&self) -> bool {
        self.http.load(Ordering::Acquire) > 0
    }

    /// The answer to `GET /.well-known/acme-challenge/TOKEN`.
    pub fn http(&self, path: &[u8]) -> Option<String> {
        if !self.has_http() {
            return None;
        }
        let token = std::str::from_utf8(path).ok()?.strip_prefix("/.well-known/acme-challenge/")?;
        self.pending().http.get(token).cloned()
    }

    /// Whether handshakes have to be looked at for a TLS-ALPN-01 validation.
    pub fn has_tls(&self) -> bool {
        self.tls.load(Ordering::Acquire) > 0
    }

    pub fn tls(&self, host: &str) -> Option<Arc<ServerConfig>> {
        self.pending().tls.get(&host.to_ascii_lowercase()).map(Arc::clone)
    }
}
