//! The settings of a service that the data plane needs in addition to the endpoints.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::model::OriginTls;

/// The protocol that the door speaks to the endpoints of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 in clear text.
    #[default]
    Http1,
    /// HTTP/2 in clear text, with prior knowledge.
    H2c,
    /// TLS with HTTP/2 or HTTP/1.1, by ALPN.
    Https,
}

/// The page that a client gets in place of the door's own line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPage {
    /// The status that the page is for: 502, 503 or 504.
    pub status: u16,
    /// The Content-Type of the page.
    pub content_type: &'static str,
    /// The page itself.
    pub body: Arc<[u8]>,
}

/// The validated settings of one service: the keys of `[services.NAME.proxy]`, and others that the workers
/// need. docs/configuration.md explains each key. Sizes are in bytes. 0 means "no limit" where
/// docs/configuration.md says so.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceSettings {
    /// The protocol towards the endpoints.
    pub protocol: Protocol,
    /// The trust in the endpoints. `Some` with [`Protocol::Https`], and only then.
    pub tls: Option<OriginTls>,
    /// The time for a connection to an endpoint, TLS handshake included.
    pub connect_timeout: Duration,
    /// The time from the end of the request to the whole response head.
    pub response_timeout: Duration,
    /// The time for which no byte may move in either direction once the response has begun.
    pub stream_idle_timeout: Duration,
    /// The same time for tunnels.
    pub tunnel_idle_timeout: Duration,
    /// The time for which an idle connection to an endpoint is kept. 0 keeps none.
    pub pool_idle_timeout: Duration,
    /// The number of idle connections that are kept for one endpoint, over all workers.
    pub pool_idle_max: usize,
    /// The largest request body, in bytes. 0 means no limit.
    pub body_bytes_max: u64,
    /// The share of requests that may be sent a second time, from 0 to 1.
    pub retry_budget: f64,
    /// Whether trailers of a request pass to an endpoint that speaks HTTP/1.1. They pass to HTTP/2 in any
    /// case.
    pub request_trailers: bool,
    /// Whether the old color may answer a request that fails on the candidate.
    pub shield: bool,
    /// The number of requests that may be in flight, over all workers. 0 means no limit.
    pub requests_max: usize,
    /// The number of requests that may wait for a place in flight.
    pub queue_max: usize,
    /// The longest time that a request waits for a place.
    pub queue_timeout: Duration,
    /// The longest time that a request is held while the service is paused.
    pub pause_timeout: Duration,
    /// The client networks that may use the preview hosts. If the list is empty and there is no token,
    /// every client may use them.
    pub preview_allow: Vec<IpNet>,
    /// The SHA-256 of the token with which a client from any network may use the preview hosts.
    pub preview_token: Option<[u8; 32]>,
    /// Whether a cookie of the door keeps a client on its endpoint.
    pub affinity: bool,
    /// Pages in place of the door's own 502, 503 and 504.
    pub error_pages: Vec<ErrorPage>,
}

impl ServiceSettings {
    /// The page for an answer of the door with this status, if one is configured.
    #[must_use]
    pub fn error_page(&self, status: u16) -> Option<&ErrorPage> {
        self.error_pages.iter().find(|page| page.status == status)
    }
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self {
            protocol: Protocol::Http1,
            tls: None,
            connect_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_secs(30),
            stream_idle_timeout: Duration::from_mins(5),
            tunnel_idle_timeout: Duration::from_hours(1),
            pool_idle_timeout: Duration::from_secs(4),
            pool_idle_max: 256,
            body_bytes_max: 0,
            retry_budget: 0.2,
            request_trailers: false,
            shield: true,
            requests_max: 0,
            queue_max: 0,
            queue_timeout: Duration::from_secs(5),
            pause_timeout: Duration::from_secs(30),
            preview_allow: Vec::new(),
            preview_token: None,
            affinity: false,
            error_pages: Vec::new(),
        }
    }
}
