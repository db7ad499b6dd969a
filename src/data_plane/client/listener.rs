//! The facts that the connections of one `[[listeners]]` entry share.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;

use crate::http1::Scheme;
use crate::tls::{Certificates, Entrance, Serving};

/// One `[[listeners]]` entry, as the data plane gets it.
#[derive(Clone, Debug, Default)]
pub struct ListenerFacts {
    /// Every connection begins with a PROXY header.
    pub proxy_protocol: bool,
    /// Plain requests are redirected to https.
    pub redirect_to_https: bool,
    /// The port that TLS is bound to, for the redirect; `None` if there is no such port.
    pub https_port: Option<u16>,
    /// The path whose requests the listener answers itself for any host, to show that it is ready.
    /// Empty if there is no such path.
    pub ready_path: String,
    /// `None` for a plain listener.
    pub tls: Option<Arc<Entrance>>,
    /// The `max-age` of `Strict-Transport-Security`, sent in seconds; zero if the field is not sent.
    pub hsts: Duration,
}

/// One worker's form of a listener.
#[derive(Debug)]
pub(crate) struct Listener {
    pub facts: ListenerFacts,
    /// The port that the listener is bound to.
    pub port: u16,
    /// The value of `Strict-Transport-Security`; `None` if the field is not sent.
    pub hsts: Option<&'static str>,
    /// The TLS settings of the last handshake.
    seen: RefCell<Option<Rc<TlsConfig>>>,
}

/// The TLS settings of one worker. Handshakes share them until the configuration or a certificate
/// changes.
#[derive(Debug)]
pub(crate) struct TlsConfig {
    of: Arc<Serving>,
    /// The worker's own copy, because each handshake writes its reference count.
    pub config: Arc<ServerConfig>,
}

impl TlsConfig {
    pub(crate) fn certificates(&self) -> &Certificates {
        &self.of.certificates
    }
}

/// The facts of a client's handshake that decide about a 421.
#[derive(Debug)]
pub(crate) struct TlsFacts {
    /// The name that the client asked for (SNI); empty if it asked for none.
    pub sni: Box<str>,
    pub served: Rc<TlsConfig>,
}

impl TlsFacts {
    /// Whether a request for `host` came in on the wrong connection (RFC 9110, 15.5.20).
    pub(crate) fn is_misdirected(&self, host: &[u8]) -> bool {
        !self.sni.is_empty() && self.served.certificates().is_misdirected(&self.sni, host)
    }
}

impl Listener {
    pub(crate) fn new(facts: ListenerFacts, port: u16) -> Rc<Self> {
        let seconds = facts.hsts.as_secs();
        // Leaked, because every response of this worker needs it for as long as the process lives.
        let hsts = (facts.tls.is_some() && seconds > 0).then(|| &*format!("max-age={seconds}").leak());
        Rc::new(Self { facts, port, hsts, seen: RefCell::new(None) })
    }

    /// Whether the listener answers no request itself.
    pub(crate) fn is_silent(&self) -> bool {
        self.facts.ready_path.is_empty() && !self.facts.redirect_to_https
    }

    pub(crate) fn scheme(&self) -> Scheme {
        if self.facts.tls.is_some() { Scheme::Https } else { Scheme::Http }
    }

    /// The TLS settings that are in force now.
    pub(crate) fn served(&self, entrance: &Entrance) -> Rc<TlsConfig> {
        let current = entrance.current();
        let mut seen = self.seen.borrow_mut();
        match &*seen {
            Some(served) if Arc::ptr_eq(&served.of, &current) => Rc::clone(served),
            _ => {
                let config = Arc::new(current.config.clone());
                let served = Rc::new(TlsConfig { of: Arc::clone(&current), config });
                *seen = Some(Rc::clone(&served));
                served
            }
        }
    }
}
