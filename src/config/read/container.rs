//! Reads `[services.NAME.upstream]` with `kind = "docker"`.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::config::kind::{
    duration, file, flag, integer, list, number, secret, size, text, text_that, wrong_type,
};
use crate::config::name::url;
use crate::config::section::Section;
use crate::config::walk::{Item, Walk};
use crate::config::{
    ContainerLog, Docker, Engine, EngineTls, Healthcheck, Publish, RegistryAuth, Secret, Tags, Upstream,
};
use crate::model::{Color, ImageReference, registry_of};

use super::{container_options, stray};

/// The keys that only an upstream of kind docker has.
const KEYS: [&str; 21] = [
    "image",
    "replicas",
    "supervise",
    "follow",
    "port",
    "network",
    "publish",
    "env",
    "env_file",
    "mounts",
    "memory",
    "cpus",
    "user",
    "healthcheck",
    "log",
    "stop_signal",
    "stop_timeout",
    "engines",
    "registry_auth",
    "poll_interval",
    "tags",
];

/// Those of them that say nothing about how a container is created.
const LIVE: [&str; 8] =
    ["image", "replicas", "supervise", "follow", "engines", "registry_auth", "poll_interval", "tags"];

/// Whether a key of `upstream` says how a container is created, so that it takes effect at the next release.
#[must_use]
pub fn shapes_containers(key: &str) -> bool {
    (KEYS.contains(&key) && !LIVE.contains(&key)) || container_options::KEYS.contains(&key)
}

/// Refuses docker keys in a fixed upstream. With `told = false` the kind could not be read, so the docker
/// keys are only marked as known.
pub(super) fn stray(section: &mut Section<'_, '_>, told: bool) {
    if told {
        stray::stray(section, &KEYS, "docker");
        stray::stray(section, &container_options::KEYS, "docker");
    } else {
        for key in KEYS.into_iter().chain(container_options::KEYS) {
            let _ = section.item(key);
        }
    }
}

/// Reads an upstream of kind docker, and checks the keys that depend on each other.
pub(super) fn docker(section: &mut Section<'_, '_>, initial: Color) -> Upstream {
    const IMAGE: &str = "image = \"registry.example.org/org/app:prod\"";
    let default = Docker::default();
    let follow = section.value("follow", flag, false);
    let image = section.optional("image", text_that("an image, such as \"org/app:prod\"", check_image));
    if image.is_none() && !follow && !section.has("image") {
        section.missing("image", &format!("{IMAGE}, or follow = true"));
    }
    let replicas = section.value("replicas", integer(1..=1000), 3);
    let supervise = section.value("supervise", flag, default.supervise);
    let cores =
        number(|cores| cores > 0.0 && cores <= 4096.0, "a number of cores greater than 0, such as 1.0");
    let memory = section.optional("memory", size(4 << 20..=16 << 40));
    // The account belongs to the registry of the image. If no image is named, nothing is fetched and no
    // account is needed.
    let registry = image.as_deref().map(|image| registry_of(image).to_owned());
    let auth = section.optional_section("registry_auth", registry_auth);
    let registry_auth = auth.zip(registry).map(|((username, password), registry)| RegistryAuth {
        registry,
        username,
        password,
    });
    let options = container_options::options(section);
    let engine = Docker {
        supervise,
        options,
        port: section.optional("port", integer(1..=u16::MAX)),
        network: section.value("network", text("a network's name, such as \"bridge\""), default.network),
        publish: section.word(
            "publish",
            &[("none", Publish::None), ("loopback", Publish::Loopback)],
            Publish::None,
        ),
        probe_port: None,
        env: section.map("env", value, "{ KEY = \"value\" }"),
        env_file: section.value("env_file", list(file, "[\"app.env\"]"), Vec::new()),
        mounts: section.value(
            "mounts",
            list(text_that("a mount", check_mount), "[\"/data:/data:ro\"]"),
            Vec::new(),
        ),
        memory_bytes: memory.map(|memory| memory.0),
        cpus: section.optional("cpus", cores),
        user: section.optional("user", text("a user, such as \"1000\" or \"app\"")),
        healthcheck: section.optional_section("healthcheck", healthcheck),
        log: section.optional_section("log", container_log),
        stop_signal: section.optional("stop_signal", text_that("a signal", check_signal)),
        stop_timeout: section.value("stop_timeout", duration(..), default.stop_timeout),
        engines: engines(section).unwrap_or(default.engines),
        registry_auth,
        poll_interval: section.value("poll_interval", duration(..), default.poll_interval),
        tags: section.optional_section("tags", |tags| Tags {
            stable: tags.optional("stable", text("a tag, such as \"stable\"")),
            previous: tags.optional("previous", text("a tag, such as \"previous\"")),
        }),
    };
    let (port_key, network_key) = (section.key("port"), section.key("network"));
    if engine.network == "host"
        && engine.port.is_none()
        && !follow
        && section.walk.sound(&[&port_key, &network_key])
    {
        let right = "is missing: with network = \"host\" the first port must be said (port = 8080): each container \
                     is told its own in PORT, counting up from it";
        section.walk.fault(&port_key, right);
    }
    let far =
        |engine: &&Engine| engine.url.strip_prefix("tcp://").is_some_and(|address| !is_loopback(address));
    let publish_key = section.key("publish");
    if engine.publish == Publish::Loopback && engine.engines.iter().any(|engine| far(&engine)) {
        section.walk.fault(
            &publish_key,
            "can't be: a port published on 127.0.0.1 of an engine on the network is not reached from here",
        );
    }
    let key = section.key("engines");
    if engine.engines.is_empty() && section.walk.sound(&[&key]) {
        section.walk.fault(&key, "is empty: [{ url = \"unix:///var/run/docker.sock\" }] is the default");
    }
    Upstream::Docker { image, replicas, follow, initial, engine: Box::new(engine) }
}

fn container_log(log: &mut Section<'_, '_>) -> ContainerLog {
    ContainerLog {
        driver: log.value("driver", text("a log driver, such as \"json-file\""), "json-file".to_owned()),
        options: log.map(
            "options",
            text("an option's value in quotes, such as \"10m\""),
            "{ max-size = \"10m\" }",
        ),
    }
}

/// The value of an environment variable. Any text is accepted, and no fault shows it.
fn value(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<String> {
    walk.hide(&item.path);
    let Some(text) = item.value.as_str() else {
        wrong_type(walk, item, "a text in quotes");
        return None;
    };
    Some(text.to_owned())
}

fn check_image(image: &str) -> Result<(), String> {
    ImageReference::parse(image)
        .map(drop)
        .map_err(|fault| format!("{}; an image is such as \"registry.example.org/org/app:prod\"", fault.why))
}

fn check_mount(mount: &str) -> Result<(), String> {
    let parts: Vec<&str> = mount.split(':').collect();
    if (2..=3).contains(&parts.len()) && !parts[0].is_empty() && parts[1].starts_with('/') {
        return Ok(());
    }
    Err("is not a mount: SOURCE:TARGET or SOURCE:TARGET:ro, such as \"/srv/data:/data:ro\"".to_owned())
}

fn check_signal(signal: &str) -> Result<(), String> {
    let sound = signal.strip_prefix("SIG").is_some_and(|name| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'+' || b == b'-')
    });
    if sound { Ok(()) } else { Err("is not a signal: such as \"SIGTERM\" or \"SIGQUIT\"".to_owned()) }
}

/// The engines of the file, or else the engine that `DOCKER_HOST` names.
fn engines(section: &mut Section<'_, '_>) -> Option<Vec<Engine>> {
    if let Some(rows) = section.rows("engines", engine) {
        return Some(rows);
    }
    match section.walk.docker_host.engine(is_loopback)? {
        Ok(engine) => Some(vec![engine]),
        Err(why) => {
            let key = section.key("engines");
            section.walk.fault(&key, why);
            None
        }
    }
}

fn engine(row: &mut Section<'_, '_>) -> Engine {
    let none = PathBuf::new;
    let url = row
        .required("url", url(&["unix", "tcp"]), "url = \"unix:///var/run/docker.sock\"")
        .unwrap_or_default();
    let tls = row.optional_section("tls", |tls| EngineTls {
        ca: tls.required("ca", file, "ca = \"ca.pem\"").unwrap_or_else(none),
        cert: tls.required("cert", file, "cert = \"cert.pem\"").unwrap_or_else(none),
        key: tls.required("key", file, "key = \"key.pem\"").unwrap_or_else(none),
    });
    let tls_key = row.key("tls");
    match (url.strip_prefix("tcp://"), &tls) {
        (Some(address), None) if !is_loopback(address) => {
            row.walk.fault(&tls_key, "is missing: an engine on the network needs tls = { ca, cert, key }");
        }
        (None, Some(_)) if url.starts_with("unix://") => {
            row.walk.fault(&tls_key, "is only for a tcp:// engine: remove it");
        }
        _ => {}
    }
    Engine { url, tls }
}

fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn healthcheck(table: &mut Section<'_, '_>) -> Healthcheck {
    Healthcheck {
        command: table.value(
            "command",
            list(text("a program or an argument"), "[\"app\", \"health\"]"),
            Vec::new(),
        ),
        interval: table.optional("interval", duration(..)),
        timeout: table.optional("timeout", duration(..)),
        retries: table.optional("retries", integer(1..=1000)),
        start_period: table.optional("start_period", duration(..)),
    }
}

/// The username and the password at a registry.
fn registry_auth(table: &mut Section<'_, '_>) -> (Secret, Secret) {
    const RIGHT: &str = "{ file = \"/path\" } or { env = \"NAME\" }";
    let none = || Secret::Env(String::new());
    let username = table.required("username", secret, RIGHT).unwrap_or_else(none);
    (username, table.required("password", secret, RIGHT).unwrap_or_else(none))
}
