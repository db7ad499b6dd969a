//! The validated configuration: what the rest of the program may rely on.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::health::Check;
use crate::model::{Color, PerColor, ServiceName};
use crate::release;
use crate::routing::ServiceSettings;

/// A secret: where it is, never what it is. Read when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    File(PathBuf),
    Env(String),
}

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

/// `[[listeners]]`. What later issues use (tls, proxy_protocol, ...) is validated already; until it
/// is built `check` says that it is not in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    pub bind: SocketAddr,
    pub proxy_protocol: bool,
    pub redirect_to_https: bool,
    pub tls: Option<ListenerTls>,
    /// Empty: none.
    pub ready_path: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerTls {
    pub certificates: Vec<CertificateFiles>,
    pub client_ca: Option<PathBuf>,
    pub hsts: Duration,
    pub ocsp: Option<PathBuf>,
}

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
    /// `host:port` texts for each colour.
    Fixed { addresses: PerColor<Vec<String>>, initial: Color },
    /// Containers; validated, run by a later issue.
    Docker { image: Option<String>, replicas: u32, follow: bool, initial: Color },
}

/// `[services.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    pub name: ServiceName,
    /// Normalised: lower case, no port, no final dot.
    pub hosts: Vec<String>,
    pub preview_hosts: PerColor<Vec<String>>,
    pub default: bool,
    pub upstream: Upstream,
    pub check: Arc<Check>,
    pub policy: release::Policy,
    pub settings: Arc<ServiceSettings>,
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
}
