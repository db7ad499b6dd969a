//! TLS towards one endpoint.

use std::cell::RefCell;
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection};
use rustls_pki_types::ServerName;

use crate::model::OriginTls;
use crate::tls::{HTTP1_ALPN, HTTP2_ALPN, Origins, Trust};

/// The TLS settings for connections to one endpoint, with sessions to resume. The sessions belong to
/// this endpoint and this worker alone, because an endpoint's tickets are worth nothing elsewhere, and
/// so no other worker writes here.
#[derive(Debug)]
pub(crate) struct OriginSide {
    by: OriginTls,
    name: ServerName<'static>,
    trust: Arc<Trust>,
    seen: RefCell<Option<ClientConfigs>>,
}

#[derive(Debug)]
struct ClientConfigs {
    of: Arc<ClientConfig>,
    /// Offers both protocols, and the origin chooses.
    either: Arc<ClientConfig>,
    /// Offers HTTP/1.1 alone.
    http1: Arc<ClientConfig>,
}

/// The protocols that ALPN offers to an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Either,
    /// For requests that the origin takes in HTTP/1.1 only.
    Http1,
}

impl OriginSide {
    /// Makes the settings. A `ca` file that was not needed before is read here, so this is not for the
    /// path of a request.
    ///
    /// # Errors
    /// The server name or the `ca` file can't be used.
    pub(crate) fn new(by: &OriginTls, origins: &Origins) -> Result<Self, String> {
        let name = ServerName::try_from(by.server_name.clone()).map_err(|why| why.to_string())?;
        let trust = origins.trust(&by.ca).map_err(|why| why.to_string())?;
        Ok(Self { by: by.clone(), name, trust, seen: RefCell::new(None) })
    }

    /// Whether these settings were made of `by`.
    pub(crate) fn is_by(&self, by: &OriginTls) -> bool {
        self.by == *by
    }

    /// A session for a fresh connection, with the authorities that are trusted now.
    pub(crate) fn session(&self, offer: Offer) -> Result<ClientConnection, rustls::Error> {
        let current = self.trust.current();
        let mut kept = self.seen.borrow_mut();
        let seen = match kept.take() {
            Some(seen) if Arc::ptr_eq(&seen.of, &current) => seen,
            _ => ClientConfigs {
                either: Trust::own(&current, &[HTTP2_ALPN, HTTP1_ALPN]),
                http1: Trust::own(&current, &[HTTP1_ALPN]),
                of: current,
            },
        };
        let own = match offer {
            Offer::Either => &seen.either,
            Offer::Http1 => &seen.http1,
        };
        let own = Arc::clone(own);
        *kept = Some(seen);
        ClientConnection::new(own, self.name.clone())
    }
}

/// The transport of connections to an endpoint.
#[derive(Debug)]
pub(crate) enum Transport {
    Plain,
    Tls(OriginSide),
    /// TLS that can't be set up, so that every connect fails.
    Broken,
}

impl Transport {
    pub(crate) fn new(by: Option<&OriginTls>, origins: &Origins) -> Self {
        let Some(by) = by else { return Self::Plain };
        match OriginSide::new(by, origins) {
            Ok(side) => Self::Tls(side),
            Err(why) => {
                tracing::error!(server_name = by.server_name, why, "no TLS towards these endpoints");
                Self::Broken
            }
        }
    }

    /// Whether connections that were made with this transport can be used for `by`.
    pub(crate) fn is_by(&self, by: Option<&OriginTls>) -> bool {
        match (self, by) {
            (Self::Plain, None) => true,
            (Self::Tls(side), Some(by)) => side.is_by(by),
            _ => false,
        }
    }
}
