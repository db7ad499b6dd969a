//! The validated configuration, on which the rest of the program may rely.

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

/// `[limits]`; sizes are in bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The largest block of header fields of a request, in bytes.
    pub header_block_bytes_max: usize,
    /// The largest number of header fields of a request.
    pub header_count_max: usize,
    /// The longest request-target, in bytes.
    pub target_bytes_max: usize,
    /// The time from the accept to the first bytes of a request.
    pub detection_timeout: Duration,
    /// The time from the first byte of a request head to its end.
    pub request_head_timeout: Duration,
    /// How long a client connection without a request is kept.
    pub keep_alive_timeout: Duration,
    /// How long a request body may stand still before the response head is there.
    pub body_stall_timeout: Duration,
    /// How long a client may take none of the bytes that are ready for it.
    pub write_stall_timeout: Duration,
    /// 0 stands for min(10 000, 0.4 x file limit), which is computed at the start.
    pub connections_max: usize,
    /// For one client address; of IPv6 the first 64 bits count. 0 sets no limit.
    pub connections_per_address_max: usize,
    /// The largest number of concurrent streams of one HTTP/2 connection of a client.
    pub h2_streams_max: u32,
    /// The flow-control window of one HTTP/2 stream, in bytes.
    pub h2_stream_window: u32,
    /// The flow-control window of one HTTP/2 connection, in bytes.
    pub h2_connection_window: u32,
    /// A client of HTTP/2 that was silent for so long gets a ping. 0 means no pings.
    pub h2_ping_interval: Duration,
    /// An origin of HTTP/2 with requests in flight that was silent for so long gets a ping. 0 means no
    /// pings.
    pub h2_origin_ping_interval: Duration,
    /// The time for the answer to a ping.
    pub h2_ping_timeout: Duration,
    /// How long requests may finish after the program was asked to stop.
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
            h2_origin_ping_interval: Duration::ZERO,
            h2_ping_timeout: Duration::from_secs(20),
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// A row of `[[listeners]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    pub bind: SocketAddr,
    /// Whether every connection must begin with a PROXY header.
    pub proxy_protocol: bool,
    /// Whether every request is answered with a redirect to https.
    pub redirect_to_https: bool,
    pub tls: Option<ListenerTls>,
    /// The path of the readiness answer; empty if there is no such path.
    pub ready_path: String,
}

/// A certificate with its chain, its key, and a stapled OCSP answer if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
    pub ocsp: Option<PathBuf>,
}

/// `[listeners.tls]`, with at least one certificate or ACME.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerTls {
    /// The server name of the client (SNI) selects one of them. The first is the default.
    pub certificates: Vec<CertificateFiles>,
    /// Only clients with a certificate of this authority are let in. `None` asks for no client certificate.
    pub client_ca: Option<PathBuf>,
    pub acme: Option<Acme>,
    /// The value of `Strict-Transport-Security: max-age`. Zero sends no such header.
    pub hsts: Duration,
    /// The OCSP answer for the first certificate.
    pub ocsp: Option<PathBuf>,
}

/// Where certificates are ordered, and for which hosts (RFC 8555).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acme {
    pub email: String,
    /// The https URL of the directory.
    pub directory: String,
    /// Exact hosts, normalized.
    pub hosts: Vec<String>,
    /// The authority that signed the directory's own certificate. `None` trusts the authorities of the
    /// system.
    pub ca: Option<PathBuf>,
}

/// `[admin] tls`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminTls {
    pub certificate: CertificateFiles,
    pub client_ca: Option<PathBuf>,
}

/// `[admin]`. If the bind is not on loopback, both a token and TLS are set; the check between keys makes
/// sure of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    pub bind: SocketAddr,
    pub token: Option<Secret>,
    pub tls: Option<AdminTls>,
}

/// The format of greenlight's own log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// The place that the access log is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    Off,
    Stdout,
    File(PathBuf),
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A filter for `tracing`, such as `info` or `greenlight::data_plane=debug,info`.
    pub level: String,
    pub format: LogFormat,
    pub access: Access,
}

/// Where a service's endpoints come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Upstream {
    /// `host:port` texts for each color.
    Fixed { addresses: PerColor<Vec<String>>, initial: Color },
    /// Containers, which greenlight runs or follows.
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
    /// The authority that signed the endpoints' certificates. `None` trusts the authorities of the system.
    pub ca: Option<PathBuf>,
    /// The name that the certificates are for. `None` stands for the service's first exact host.
    pub server_name: Option<String>,
}

/// Whether a client stays with the endpoint that it was first sent to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Affinity {
    #[default]
    Off,
    Cookie,
}

/// `[services.NAME.analysis] synthetic`: greenlight's own requests while traffic is thin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synthetic {
    pub paths: Vec<String>,
    /// Requests per second to each color.
    pub rate: u32,
}

/// `[services.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    pub name: ServiceName,
    /// The hosts in normal form, with lower case, no port and no final dot.
    pub hosts: Vec<String>,
    pub preview_hosts: PerColor<Vec<String>>,
    /// The token that lets a client use the preview hosts, by a header `X-Greenlight-Preview`.
    pub preview_token: Option<Secret>,
    /// The file of the page for each status of greenlight's own answers (502, 503 and 504).
    pub error_pages: BTreeMap<u16, PathBuf>,
    /// Whether it also gets the hosts that no service claims.
    pub default: bool,
    pub upstream: Upstream,
    /// Set only with `protocol = "https"`.
    pub upstream_tls: Option<UpstreamTls>,
    pub check: Arc<Check>,
    pub policy: release::Policy,
    pub synthetic: Option<Synthetic>,
    pub hooks: HookPoints,
    pub settings: Arc<ServiceSettings>,
    pub affinity: Affinity,
}

/// The whole file, validated.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// 0 stands for one worker per core.
    pub workers: usize,
    pub listeners: Vec<Listener>,
    pub limits: Limits,
    /// The networks of the peers whose forwarding fields are kept.
    pub trusted_proxies: Vec<IpNet>,
    pub admin: Admin,
    pub store_path: PathBuf,
    pub log: Log,
    /// The services, in the order of their names.
    pub services: Vec<Arc<Service>>,
    pub hooks: WebhookListener,
    pub webhooks: Vec<Webhook>,
    pub notifiers: Vec<Notifier>,
    /// Every key in force, by its path. Each value has one canonical spelling (`"1m"` for `"60s"`), and
    /// defaults are included. Keys without a default are there only if they are set. A secret is shown by
    /// its place. [`difference`](super::difference()) compares these values.
    pub effective: BTreeMap<String, String>,
}
