//! `[services.NAME.upstream]` of kind docker: how containers are made and where.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::Secret;

/// How a container's port is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Publish {
    /// By the container's own address.
    #[default]
    None,
    /// By a port published on 127.0.0.1.
    Loopback,
}

/// A container engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// `unix:///path`, or `tcp://host:port` with TLS.
    pub url: String,
    pub tls: Option<EngineTls>,
}

/// How an engine on the network is trusted, and trusts us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineTls {
    pub ca: PathBuf,
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// Who we are to one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryAuth {
    /// The host, with its port, of the registry that this may be told to: that of the service's image.
    pub registry: String,
    pub username: Secret,
    pub password: Secret,
}

impl RegistryAuth {
    /// Whether it may be told to this registry.
    #[must_use]
    pub fn is_for(&self, registry: &str) -> bool {
        self.registry.eq_ignore_ascii_case(registry)
    }
}

/// The engine's own health check of a container, in place of the image's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healthcheck {
    /// Run in the container, without a shell; empty: the image's check is switched off.
    pub command: Vec<String>,
    /// `None`, as below: the engine's default.
    pub interval: Option<Duration>,
    pub timeout: Option<Duration>,
    pub retries: Option<u16>,
    pub start_period: Option<Duration>,
}

/// Where the engine writes a container's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerLog {
    /// Such as `json-file` or `journald`.
    pub driver: String,
    pub options: BTreeMap<String, String>,
}

/// Tags that are moved in the registry after a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    pub stable: Option<String>,
    pub previous: Option<String>,
}

/// The docker keys beside image, replicas, follow and initial.
#[derive(Clone, Debug, PartialEq)]
pub struct Docker {
    /// `None`: the single port that the image exposes.
    pub port: Option<u16>,
    /// A network's name, `bridge` or `host`.
    pub network: String,
    pub publish: Publish,
    pub env: BTreeMap<String, String>,
    pub env_file: Vec<PathBuf>,
    /// As `docker run -v` writes them: `SOURCE:TARGET[:OPTIONS]`.
    pub mounts: Vec<String>,
    /// Bytes; `None`: no limit.
    pub memory_bytes: Option<u64>,
    /// Cores; `None`: no limit.
    pub cpus: Option<f64>,
    pub user: Option<String>,
    /// `None`: the image's own is left as it is.
    pub healthcheck: Option<Healthcheck>,
    /// `None`: as the engine does it.
    pub log: Option<ContainerLog>,
    pub stop_signal: String,
    pub stop_timeout: Duration,
    pub engines: Vec<Engine>,
    pub registry_auth: Option<RegistryAuth>,
    /// Zero: the registry is not asked.
    pub poll_interval: Duration,
    pub tags: Option<Tags>,
}

impl Default for Docker {
    fn default() -> Self {
        Self {
            port: None,
            network: "bridge".to_owned(),
            publish: Publish::None,
            env: BTreeMap::new(),
            env_file: Vec::new(),
            mounts: Vec::new(),
            memory_bytes: None,
            cpus: None,
            user: None,
            healthcheck: None,
            log: None,
            stop_signal: "SIGTERM".to_owned(),
            stop_timeout: Duration::from_secs(30),
            engines: vec![Engine { url: "unix:///var/run/docker.sock".to_owned(), tls: None }],
            registry_auth: None,
            poll_interval: Duration::ZERO,
            tags: None,
        }
    }
}
