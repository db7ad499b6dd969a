//! What the connections of one `[[listeners]]` entry have in common.

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
    pub redirect_to_https: bool,
    /// Where TLS is bound, for the redirect; `None`: nowhere.
    pub https_port: Option<u16>,
    /// Answered by ourselves for any host; empty: none.
    pub ready_path: String,
    /// `None`: plain.
    pub tls: Option<Arc<Entrance>>,
    /// `Strict-Transport-Security: max-age`; zero: not sent.
    pub hsts: Duration,
}

/// The same in a worker, where nothing of it is shared.
#[derive(Debug)]
pub(crate) struct Listener {
    pub facts: ListenerFacts,
    /// The port it is bound to.
    pub port: u16,
    /// The value of `Strict-Transport-Security`.
    pub hsts: Option<&'static str>,
    /// What TLS was served last.
    seen: RefCell<Option<Rc<TlsConfig>>>,
}

/// TLS as one worker serves it: what handshakes of one moment have in common.
#[derive(Debug)]
pub(crate) struct TlsConfig {
    of: Arc<Serving>,
    /// A copy of the worker's own: its count is written at each handshake.
    pub config: Arc<ServerConfig>,
}

impl TlsConfig {
    pub(crate) fn certificates(&self) -> &Certificates {
        &self.of.certificates
    }
}

/// What a client's handshake said; for the rule of 421.
#[derive(Debug)]
pub(crate) struct TlsFacts {
    /// The name that the client asked for; empty: none.
    pub sni: Box<str>,
    pub served: Rc<TlsConfig>,
}

impl TlsFacts {
    /// Whether a request for `host` has come to the wrong connection.
    pub(crate) fn is_misdirected(&self, host: &[u8]) -> bool {
        !self.sni.is_empty() && self.served.certificates().is_misdirected(&self.sni, host)
    }
}

impl Listener {
    pub(crate) fn new(facts: ListenerFacts, port: u16) -> Rc<Self> {
        let seconds = facts.hsts.as_secs();
        // Said in every response, by as many threads, for as long as the process lives.
        let hsts = (facts.tls.is_some() && seconds > 0).then(|| &*format!("max-age={seconds}").leak());
        Rc::new(Self { facts, port, hsts, seen: RefCell::new(None) })
    }

    /// Whether it answers nothing itself.
    pub(crate) fn is_silent(&self) -> bool {
        self.facts.ready_path.is_empty() && !self.facts.redirect_to_https
    }

    pub(crate) fn scheme(&self) -> Scheme {
        if self.facts.tls.is_some() { Scheme::Https } else { Scheme::Http }
    }

    /// The TLS that is served now.
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
