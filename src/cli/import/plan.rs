//! The configuration before it is written as text.

use std::collections::BTreeMap;
use std::time::Duration;

use super::check::Check;
use super::compose::Network;
use super::options::Options;
use crate::model::{Color, PerColor};

/// A whole configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// The name of the source, for the first comment.
    pub from: String,
    /// Notes that concern no single service.
    pub notes: Vec<String>,
    /// Addresses to listen on, without TLS.
    pub listeners: Vec<String>,
    /// Set if TLS was asked for. Then a part about TLS is written as comments.
    pub tls: Option<Tls>,
    pub connections_max: Option<u32>,
    pub services: Vec<Service>,
    /// The folder of the env files with [`Service::secrets`], if the caller writes them.
    pub secrets: Option<String>,
}

/// The TLS settings of the load balancer and of its apps. They are only written as comments, because the
/// certificates have to be there as files first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    pub redirect: bool,
    pub hsts: Option<Duration>,
    pub acme_email: Option<String>,
    pub acme_hosts: Vec<String>,
}

/// One `[services.NAME]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Service {
    pub name: String,
    pub hosts: Vec<String>,
    /// The path of each host of which only one path was asked for.
    pub paths: BTreeMap<String, String>,
    pub default: bool,
    /// `None` leaves the key out, so the default holds.
    pub preview: Option<Preview>,
    pub initial: Option<Color>,
    pub follow: bool,
    pub image: Option<String>,
    pub replicas: u32,
    pub port: Option<u16>,
    /// The networks that the containers join. The first is the one in which they are reached.
    pub networks: Vec<Network>,
    pub protocol: Option<&'static str>,
    pub env: BTreeMap<String, String>,
    /// Variables whose values must not be printed.
    pub secrets: BTreeMap<String, String>,
    pub env_file: Vec<String>,
    pub mounts: Vec<String>,
    pub memory_bytes: Option<u64>,
    pub cpus: Option<f64>,
    pub user: Option<String>,
    pub stop_signal: Option<String>,
    pub stop_timeout: Option<Duration>,
    /// Further keys of the upstream, with their values as TOML.
    pub options: Options,
    /// The names of the environment variables that hold the user and the password of the registry.
    pub registry_auth: Option<(&'static str, &'static str)>,
    pub check: Check,
    pub connect_timeout: Option<Duration>,
    pub response_timeout: Option<Duration>,
    pub affinity: bool,
    pub notes: Vec<String>,
}

impl Service {
    /// Leaves out the networks that compose makes for the project alone.
    pub(crate) fn keep_external_networks(&mut self) {
        self.networks.retain(|network| network.external);
    }
}

/// The value of `preview_hosts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Preview {
    Off,
    Chosen(PerColor<String>),
}
