//! What will be written, before it is text.

use std::collections::BTreeMap;
use std::time::Duration;

use super::check::Check;
use crate::model::{Color, PerColor};

/// A whole configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub from: String,
    /// What concerns no service.
    pub notes: Vec<String>,
    /// Addresses to listen on, without TLS.
    pub listeners: Vec<String>,
    /// TLS was asked for: the commented part has to be written.
    pub tls: Option<Tls>,
    pub connections_max: Option<u32>,
    pub services: Vec<Service>,
    /// The folder of [`Service::secrets`], if they are or will be there.
    pub secrets: Option<String>,
}

/// What is known of TLS. Certificates are files that have to be there first, so none of it is in force.
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
    /// Hosts of which only one path was asked for.
    pub paths: BTreeMap<String, String>,
    pub default: bool,
    /// `None`: as it is by default.
    pub preview: Option<Preview>,
    pub initial: Option<Color>,
    pub follow: bool,
    pub image: Option<String>,
    pub replicas: u32,
    pub port: Option<u16>,
    pub network: Option<String>,
    pub protocol: Option<&'static str>,
    pub env: BTreeMap<String, String>,
    /// Values that must not be printed.
    pub secrets: BTreeMap<String, String>,
    pub env_file: Vec<String>,
    pub mounts: Vec<String>,
    pub memory_bytes: Option<u64>,
    pub cpus: Option<f64>,
    pub user: Option<String>,
    pub stop_signal: Option<String>,
    pub stop_timeout: Option<Duration>,
    /// Names of environment variables that hold user and password of the registry.
    pub registry_auth: Option<(&'static str, &'static str)>,
    pub check: Check,
    pub connect_timeout: Option<Duration>,
    pub response_timeout: Option<Duration>,
    pub affinity: bool,
    pub notes: Vec<String>,
}

/// `preview_hosts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Preview {
    Off,
    Chosen(PerColor<String>),
}
