//! Reads the keys of the file. Each file here reads one or two tables of it, with a line for each key that
//! gives its kind, its limits and its default.

mod admin;
mod container;
mod container_options;
mod front;
mod health;
mod hook;
mod listener;
mod message;
mod release;
mod service;
mod settings;
mod stray;
mod upstream;

pub use container::shapes_containers;

use std::path::PathBuf;
use std::sync::Arc;

use super::kind::{flag, integer, list, path};
use super::name::{bind, network};
use super::section::Section;
use super::{Config, WebhookListener};

/// The largest number of worker threads.
const WORKERS_MAX: usize = 1024;

/// The part that is missing in a file without services.
const SERVICE: &str = "at least one [services.NAME], with its hosts and its upstream";

/// Reads the whole file.
pub(super) fn config(root: &mut Section<'_, '_>) -> Config {
    let workers = root.section("runtime", |runtime| runtime.value("workers", integer(0..=WORKERS_MAX), 0));
    let listeners = listener::all(root);
    let limits = root.section("limits", front::limits);
    let trusted_proxies = root.section("forwarding", |forwarding| {
        forwarding.value("trusted_proxies", list(network, "[\"10.0.0.0/8\"]"), Vec::new())
    });
    let admin = root.section("admin", admin::admin);
    let store_path =
        root.section("store", |store| store.value("path", path, PathBuf::from("/var/lib/greenlight")));
    let log = root.section("log", front::log);
    let mut services: Vec<_> = root.named("services", service::service).into_iter().map(Arc::new).collect();
    services.sort_by(|a, b| a.name.cmp(&b.name));
    if !root.has("services") {
        root.missing("services", SERVICE);
    } else if services.is_empty() && root.walk.sound(&["services"]) {
        root.walk.fault("services", format!("is empty: {SERVICE}"));
    }
    let hooks = root.section("hooks", |hooks| WebhookListener {
        bind: hooks.optional("bind", bind),
        public: hooks.value("public", flag, false),
    });
    let webhooks = message::webhooks(root);
    let notifiers = message::notifiers(root);
    Config {
        workers,
        listeners,
        limits,
        trusted_proxies,
        admin,
        store_path,
        log,
        services,
        hooks,
        webhooks,
        notifiers,
        effective: std::collections::BTreeMap::new(),
    }
}
