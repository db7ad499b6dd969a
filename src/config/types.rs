//! The validated configuration: what the rest of the program may rely on.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::health::Check;
use crate::model::{Color, PerColor, ServiceName};
use crate::release;
use crate::routing::ServiceSettings;

use super::container::Docker;
use super::message::{HookPoints, Notifier, Webhook, WebhookListener};
use super::secret::Secret;

/// `[limits]`; sizes in bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    pub header_block_bytes_max: usize,
    pub header_count_max: usize,
    pub target_bytes_max: usize,
    pub detection_timeout: Duration,
    pub request_head_timeout: Duration,
    pub keep_alive_timeout: Duration,
    pub body_stall_timeout: Duration,
    pub write_stall_timeout: Duration,
    /// 0: min(10 000, 0.4 x file limit), worked out at start.
    pub connections_max: usize,
    pub connections_per_address_max: usize,
    pub h2_streams_max: u32,
    pub h2_stream_window: u32,
    pub h2_connection_window: u32,
    pub h2_ping_interval: Duration,
    pub h2_ping_timeout: Duration,
    pub shutdown_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_block_bytes_max: 32 * 1024,
            header_count_max: 100,
            target_bytes_max: 8 * 1024,
            detection_timeout: Duration::from_secs(10),
            request_head_timeout: Duration::from_secs(10),
            keep_alive_timeout: Duration::from_secs(75),
            body_stall_timeout: Duration::from_secs(30),
            write_stall_timeout: Duration::from_secs(30),
            connections_max: 0,
            connections_per_address_max: 0,
            h2_streams_max: 100,
            h2_stream_window: 256 * 1024,
            h2_connection_window: 1024 * 1024,
            h2_ping_interval: Duration::from_secs(20),
            h2_ping_timeout: Duration::from_secs(20),
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// `[[listeners]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    pub bind: SocketAddr,
    pub proxy_protocol: bool,
    pub redirect_to_https: bool,
    pub tls: Option<ListenerTls>,
    /// Empty: none.
    pub ready_path: String,
}

/// A certificate with its chain, its key, and a stapled OCSP answer where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
    pub ocsp: Option<PathBuf>,
}

/// `[listeners.tls]`: at least one certificate, or ACME.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerTls {
    /// Chosen by SNI; the first is the default.
    pub certificates: Vec<CertificateFiles>,
    /// Whose clients are let in; `None`: no client certificate is asked for.
    pub client_ca: Option<PathBuf>,
    pub acme: Option<Acme>,
    /// `Strict-Transport-Security: max-age`; zero: not sent.
    pub hsts: Duration,
    /// The first certificate's OCSP answer.
    pub ocsp: Option<PathBuf>,
}

/// Where certificates are ordered (RFC 8555).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acme {
    pub email: String,
    /// The directory's https URL.
    pub directory: String,
    /// Exact hosts, normalized.
    pub hosts: Vec<String>,
    /// Who signs the directory's own certificate; `None`: the system's authorities.
    pub ca: Option<PathBuf>,
}

/// `[admin] tls`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminTls {
    pub certificate: CertificateFiles,
    pub client_ca: Option<PathBuf>,
}

/// `[admin]`: another bind than loopback has both a token and TLS (checked).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    pub bind: SocketAddr,
    pub token: Option<Secret>,
    pub tls: Option<AdminTls>,
}

/// How our own log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// Where the access log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    Off,
    Stdout,
    File(PathBuf),
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A `tracing` filter: `info`, or `greenlight::proxy=debug,info`.
    pub level: String,
    pub format: LogFormat,
    pub access: Access,
}

/// Where a service's endpoints come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Upstream {
    /// `host:port` texts for each color.
    Fixed { addresses: PerColor<Vec<String>>, initial: Color },
    /// Containers: run by us, or followed.
    Docker { image: Option<String>, replicas: u32, follow: bool, initial: Color, engine: Box<Docker> },
}

impl Upstream {
    /// The color that is active on the very first start.
    #[must_use]
    pub fn initial(&self) -> Color {
        match self {
            Self::Fixed { initial, .. } | Self::Docker { initial, .. } => *initial,
        }
    }
}

/// `[services.NAME.upstream] tls`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamTls {
    /// Who signs the endpoints' certificates; `None`: the system's authorities.
    pub ca: Option<PathBuf>,
    /// The name that the certificates are for; `None`: the service's first exact host.
    pub server_name: Option<String>,
}

/// Whether a client keeps to the endpoint that it was first sent to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Affinity {
    #[default]
    Off,
    Cookie,
}

/// `[services.NAME.analysis] synthetic`: requests of our own while traffic is thin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synthetic {
    pub paths: Vec<String>,
    /// Requests a second to each color.
    pub rate: u32,
}

/// `[services.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    pub name: ServiceName,
    /// Normalized: lower case, no port, no final dot.
    pub hosts: Vec<String>,
    pub preview_hosts: PerColor<Vec<String>>,
    /// Lets a client use the preview hosts by a header `X-Greenlight-Preview`.
    pub preview_token: Option<Secret>,
    /// Status -> file, for answers of our own: 502, 503, 504.
    pub error_pages: BTreeMap<u16, PathBuf>,
    pub default: bool,
    pub upstream: Upstream,
    /// Only with `protocol = "https"`.
    pub upstream_tls: Option<UpstreamTls>,
    pub check: Arc<Check>,
    pub policy: release::Policy,
    pub synthetic: Option<Synthetic>,
    pub hooks: HookPoints,
    pub settings: Arc<ServiceSettings>,
    pub affinity: Affinity,
}

/// The whole file, valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// 0: one per core.
    pub workers: usize,
    pub listeners: Vec<Listener>,
    pub limits: Limits,
    pub trusted_proxies: Vec<IpNet>,
    pub admin: Admin,
    pub store_path: PathBuf,
    pub log: Log,
    /// In the order of their names.
    pub services: Vec<Arc<Service>>,
    pub hooks: WebhookListener,
    pub webhooks: Vec<Webhook>,
    pub notifiers: Vec<Notifier>,
    /// Every key in force, its path -> its value in one canonical spelling (`"1m"` for `"60s"`),
    /// defaults too. Keys without a default are there only when they are set; secrets are shown
    /// by where they are. What [`difference`](super::difference()) compares.
    pub effective: BTreeMap<String, String>,
}
