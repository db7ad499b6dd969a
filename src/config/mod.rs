//! L2: turns a file into a validated [`Config`], or reports every fault of it at once.
//!
//! The text becomes a TOML tree with spans. From it, [`walk`], [`section`] and [`kind`] take every key with
//! its place, its kind and its default. Then [`cross`] checks keys against each other. The result is a
//! [`Config`]. One pass finds all faults, and nothing is read twice.

mod binds;
mod container;
mod container_options;
mod content;
mod cross;
mod difference;
mod docker_host;
mod fault;
mod file;
mod kind;
mod message;
mod name;
mod nearest;
mod pattern;
mod quantity;
mod read;
mod report;
mod secret;
mod section;
mod shown;
mod source;
mod surroundings;
#[cfg(test)]
mod tests;
mod types;
mod walk;

pub use binds::paired;
pub use container::{ContainerLog, Docker, Engine, EngineTls, Healthcheck, Publish, RegistryAuth, Tags};
pub use container_options::ContainerOptions;
pub use content::PAGE_BYTES_MAX;
pub use difference::{Difference, difference};
pub use fault::{Fault, Faults, Severity};
pub use file::{FILE_BYTES_MAX, Loaded, load, parse};
pub use message::{
    Hook, HookAction, HookPoints, Notifier, NotifierKind, Webhook, WebhookKind, WebhookListener,
};
pub use read::shapes_containers;
pub use report::{render_faults, summary};
pub use secret::{SECRET_BYTES_MAX, Secret, SecretFault};
pub use types::{
    Access, Acme, Admin, AdminTls, Affinity, CertificateFiles, Config, Limits, Listener, ListenerTls, Log,
    LogFormat, Service, Synthetic, Upstream, UpstreamTls,
};

use shown::Shown;
use walk::Reference;
