//! What the data plane must know of a service beside its endpoints.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::model::OriginTls;

/// What is spoken to a service's endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    #[default]
    Http1,
    H2c,
    Https,
}

/// What a client gets in place of a sentence of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPage {
    /// 502, 503 or 504.
    pub status: u16,
    pub content_type: &'static str,
    pub body: Arc<[u8]>,
}

/// The `[services.NAME.proxy]` keys and their kin, validated. Sizes in bytes; 0 means "no limit"
/// where the configuration says so.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceSettings {
    pub protocol: Protocol,
    /// With [`Protocol::Https`], and only then.
    pub tls: Option<OriginTls>,
    pub connect_timeout: Duration,
    pub response_timeout: Duration,
    pub stream_idle_timeout: Duration,
    pub tunnel_idle_timeout: Duration,
    pub pool_idle_timeout: Duration,
    /// Idle connections kept per endpoint, over all workers.
    pub pool_idle_max: usize,
    pub body_bytes_max: u64,
    pub retry_budget: f64,
    pub shield: bool,
    pub requests_max: usize,
    pub queue_max: usize,
    pub queue_timeout: Duration,
    pub pause_timeout: Duration,
    /// Networks that may use the preview hosts; empty = all, if there is no token either.
    pub preview_allow: Vec<IpNet>,
    /// The SHA-256 of the token that lets in from everywhere.
    pub preview_token: Option<[u8; 32]>,
    /// Whether a cookie of ours keeps a client on its endpoint.
    pub affinity: bool,
    pub error_pages: Vec<ErrorPage>,
}

impl ServiceSettings {
    /// The page for an answer of ours with this status.
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
