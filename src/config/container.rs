//! `[services.NAME.upstream]` of kind docker: how and where containers are created.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::Secret;

/// How greenlight reaches a container's port.
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
    /// Required, unless the engine is on a Unix socket or a loopback address.
    pub tls: Option<EngineTls>,
}

/// The files for TLS with an engine on the network, which authenticates both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineTls {
    /// The authority that signed the engine's certificate.
    pub ca: PathBuf,
    /// greenlight's own certificate, as a client.
    pub cert: PathBuf,
    /// The key of that certificate.
    pub key: PathBuf,
}

/// The account of greenlight at one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryAuth {
    /// The registry (its host, with its port) that may get this account. It is the registry of the
    /// service's image.
    pub registry: String,
    pub username: Secret,
    pub password: Secret,
}

impl RegistryAuth {
    /// Whether this account may be sent to `registry`.
    #[must_use]
    pub fn is_for(&self, registry: &str) -> bool {
        self.registry.eq_ignore_ascii_case(registry)
    }
}

/// A health check that the engine itself runs in a container. It replaces the image's own check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healthcheck {
    /// The command, which runs in the container without a shell. If it is empty, the image's check is
    /// switched off.
    pub command: Vec<String>,
    /// `None`, here and below, stands for the engine's default.
    pub interval: Option<Duration>,
    pub timeout: Option<Duration>,
    pub retries: Option<u16>,
    pub start_period: Option<Duration>,
}

/// Where the engine writes a container's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerLog {
    /// The log driver, such as `json-file` or `journald`.
    pub driver: String,
    pub options: BTreeMap<String, String>,
}

/// Tags that greenlight moves in the registry after a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// The tag that is moved to the version that now serves.
    pub stable: Option<String>,
    /// The tag that is moved to the version that served before.
    pub previous: Option<String>,
}

/// All keys of a docker upstream but image, replicas, follow and initial.
#[derive(Clone, Debug, PartialEq)]
pub struct Docker {
    /// Whether containers of the active color and of a warm standby that have ended are started again.
    pub supervise: bool,
    /// `None` stands for the single port that the image exposes.
    pub port: Option<u16>,
    /// A network's name, `bridge` or `host`.
    pub network: String,
    pub publish: Publish,
    /// The port of `health.port`, which is published beside the application's. It is no key of its own.
    pub probe_port: Option<u16>,
    pub env: BTreeMap<String, String>,
    pub env_file: Vec<PathBuf>,
    /// Mounts in the form of `docker run -v`, which is `SOURCE:TARGET[:OPTIONS]`.
    pub mounts: Vec<String>,
    /// In bytes; `None` sets no limit.
    pub memory_bytes: Option<u64>,
    /// In cores; `None` sets no limit.
    pub cpus: Option<f64>,
    pub user: Option<String>,
    /// `None` leaves the image's own check as it is.
    pub healthcheck: Option<Healthcheck>,
    /// `None` leaves the choice to the engine.
    pub log: Option<ContainerLog>,
    /// The signal that asks a container to stop. `None` leaves the choice to the image (STOPSIGNAL), and else to
    /// the engine (SIGTERM).
    pub stop_signal: Option<String>,
    /// The time between that signal and the kill. The engine takes whole seconds, so it is rounded up.
    pub stop_timeout: Duration,
    pub engines: Vec<Engine>,
    pub registry_auth: Option<RegistryAuth>,
    /// How often the registry is asked for a new digest; zero never asks.
    pub poll_interval: Duration,
    pub tags: Option<Tags>,
}

impl Default for Docker {
    fn default() -> Self {
        Self {
            supervise: true,
            port: None,
            network: "bridge".to_owned(),
            publish: Publish::None,
            probe_port: None,
            env: BTreeMap::new(),
            env_file: Vec::new(),
            mounts: Vec::new(),
            memory_bytes: None,
            cpus: None,
            user: None,
            healthcheck: None,
            log: None,
            stop_signal: None,
            stop_timeout: Duration::from_secs(30),
            engines: vec![Engine { url: "unix:///var/run/docker.sock".to_owned(), tls: None }],
            registry_auth: None,
            poll_interval: Duration::ZERO,
            tags: None,
        }
    }
}
