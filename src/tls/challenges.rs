//! The answers to the challenges of an ACME server, which validates a name with them (RFC 8555, 8; RFC 8737).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::ServerConfig;

/// The challenges that are under way. Every connection reads only the two counts. It takes the lock only
/// while a count is not 0.
#[derive(Debug, Default)]
pub struct Challenges {
    /// The number of HTTP-01 challenges.
    http: AtomicUsize,
    /// The number of TLS-ALPN-01 challenges.
    tls: AtomicUsize,
    pending: Mutex<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    /// The key authorization for each token of HTTP-01 (RFC 8555, 8.3).
    http: BTreeMap<String, String>,
    /// The configuration that proves a host, for each host of TLS-ALPN-01 (RFC 8737, 3).
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

    /// Answers an HTTP-01 challenge from now on.
    pub fn offer_http(&self, token: String, key_authorization: String) {
        let mut pending = self.pending();
        pending.http.insert(token, key_authorization);
        self.count(&pending);
    }

    /// Answers a TLS-ALPN-01 challenge from now on. `host` is in lower case.
    pub fn offer_tls(&self, host: String, config: Arc<ServerConfig>) {
        let mut pending = self.pending();
        pending.tls.insert(host, config);
        self.count(&pending);
    }

    /// Ends the answer to an HTTP-01 challenge.
    pub fn withdraw_http(&self, token: &str) {
        let mut pending = self.pending();
        pending.http.remove(token);
        self.count(&pending);
    }

    /// Ends the answer to a TLS-ALPN-01 challenge.
    pub fn withdraw_tls(&self, host: &str) {
        let mut pending = self.pending();
        pending.tls.remove(host);
        self.count(&pending);
    }

    /// Whether [`Self::http`] could have an answer.
    pub fn has_http(&self) -> bool {
        self.http.load(Ordering::Acquire) > 0
    }

    /// The answer to `GET /.well-known/acme-challenge/TOKEN`. `None` for any other path or token.
    pub fn http(&self, path: &[u8]) -> Option<String> {
        if !self.has_http() {
            return None;
        }
        let token = std::str::from_utf8(path).ok()?.strip_prefix("/.well-known/acme-challenge/")?;
        self.pending().http.get(token).cloned()
    }

    /// Whether a handshake may be a TLS-ALPN-01 validation, so that [`Self::tls`] could have an answer.
    pub fn has_tls(&self) -> bool {
        self.tls.load(Ordering::Acquire) > 0
    }

    /// The configuration that answers a TLS-ALPN-01 validation of `host`, in any case of letters.
    pub fn tls(&self, host: &str) -> Option<Arc<ServerConfig>> {
        self.pending().tls.get(&host.to_ascii_lowercase()).map(Arc::clone)
    }
}
