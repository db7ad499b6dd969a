//! Reads the keys of a docker upstream that are handed on to the engine.

use std::collections::BTreeMap;

use crate::config::ContainerOptions;
use crate::config::kind::{flag, integer, list, size, text, text_that, wrong_type};
use crate::config::quantity::Size;
use crate::config::section::Section;
use crate::config::walk::{Item, Walk};
use crate::model::ulimit;

pub(super) const KEYS: [&str; 32] = [
    "networks",
    "entrypoint",
    "command",
    "working_dir",
    "hostname",
    "labels",
    "extra_hosts",
    "dns",
    "dns_search",
    "dns_opt",
    "tmpfs",
    "ulimits",
    "sysctls",
    "cap_add",
    "cap_drop",
    "security_opt",
    "group_add",
    "devices",
    "init",
    "privileged",
    "read_only",
    "tty",
    "stdin_open",
    "shm_size",
    "memory_reservation",
    "memory_swap",
    "pids_limit",
    "cpu_shares",
    "cpuset",
    "ipc",
    "pid",
    "runtime",
];

/// The smallest and the largest memory of a container, in bytes. The engine takes no less.
const MEMORY: std::ops::RangeInclusive<u64> = (6 << 20)..=(16 << 40);

pub(super) fn options(section: &mut Section<'_, '_>) -> ContainerOptions {
    let bytes = |size: Option<Size>| size.map(|size| size.0);
    ContainerOptions {
        networks: texts(section, "networks", "a network's name", "[\"database\"]"),
        entrypoint: texts(section, "entrypoint", "a program or an argument", "[\"/entrypoint.sh\"]"),
        command: texts(section, "command", "an argument", "[\"serve\", \"--port\", \"8080\"]"),
        working_dir: section.optional("working_dir", text_that("a folder", check_path)),
        hostname: section.optional("hostname", text("a host's name")),
        labels: labels(section),
        extra_hosts: section.value(
            "extra_hosts",
            list(text_that("a host", check_host), "[\"database:10.0.0.5\"]"),
            Vec::new(),
        ),
        dns: texts(section, "dns", "a server's address", "[\"10.0.0.2\"]"),
        dns_search: texts(section, "dns_search", "a domain", "[\"example.org\"]"),
        dns_opt: texts(section, "dns_opt", "an option", "[\"ndots:2\"]"),
        tmpfs: section.map("tmpfs", any_text, "{ \"/run\" = \"size=64m\" }"),
        ulimits: section.map(
            "ulimits",
            text_that("a limit in quotes", |text| ulimit(text).map(drop)),
            "{ nofile = \"65536\" }",
        ),
        sysctls: section.map("sysctls", text("a value in quotes"), "{ \"net.core.somaxconn\" = \"1024\" }"),
        cap_add: texts(section, "cap_add", "a capability", "[\"NET_ADMIN\"]"),
        cap_drop: texts(section, "cap_drop", "a capability", "[\"ALL\"]"),
        security_opt: texts(section, "security_opt", "an option", "[\"no-new-privileges:true\"]"),
        group_add: texts(section, "group_add", "a group", "[\"audio\"]"),
        devices: section.value(
            "devices",
            list(text_that("a device", check_device), "[\"/dev/dri:/dev/dri:rw\"]"),
            Vec::new(),
        ),
        init: section.value("init", flag, false),
        privileged: section.value("privileged", flag, false),
        read_only: section.value("read_only", flag, false),
        tty: section.value("tty", flag, false),
        stdin_open: section.value("stdin_open", flag, false),
        shm_size: bytes(section.optional("shm_size", size(1..=*MEMORY.end()))),
        memory_reservation: bytes(section.optional("memory_reservation", size(MEMORY))),
        memory_swap: bytes(section.optional("memory_swap", size(MEMORY))),
        pids_limit: section.optional("pids_limit", integer(1..=u32::MAX)),
        cpu_shares: section.optional("cpu_shares", integer(2..=262_144)),
        cpuset: section.optional("cpuset", text("a list of cores, such as \"0-3\"")),
        ipc: section.optional("ipc", text("a mode, such as \"host\" or \"private\"")),
        pid: section.optional("pid", text("a mode, such as \"host\"")),
        runtime: section.optional("runtime", text("a runtime's name, such as \"runc\"")),
    }
}

fn texts(
    section: &mut Section<'_, '_>,
    key: &'static str,
    needed: &'static str,
    example: &'static str,
) -> Vec<String> {
    section.value(key, list(text(needed), example), Vec::new())
}

/// Labels in greenlight's own name would make a container look like one of another set.
fn labels(section: &mut Section<'_, '_>) -> BTreeMap<String, String> {
    let labels = section.map("labels", any_text, "{ team = \"shop\" }");
    let own: Vec<String> = labels.keys().filter(|key| key.starts_with("greenlight.")).cloned().collect();
    let path = section.key("labels");
    for key in own {
        let why = format!("has {key}: labels that begin with \"greenlight.\" are greenlight's own");
        section.walk.fault(&path, why);
    }
    labels
}

/// Any text, also an empty one.
fn any_text(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<String> {
    let Some(text) = item.value.as_str() else {
        wrong_type(walk, item, "a text in quotes");
        return None;
    };
    Some(text.to_owned())
}

fn check_path(path: &str) -> Result<(), String> {
    if path.starts_with('/') {
        Ok(())
    } else {
        Err("is not an absolute path, such as \"/srv/app\"".to_owned())
    }
}

fn check_host(host: &str) -> Result<(), String> {
    let pair = host.split_once(':').filter(|(name, address)| !name.is_empty() && !address.is_empty());
    pair.map(drop).ok_or_else(|| "is not NAME:ADDRESS, such as \"database:10.0.0.5\"".to_owned())
}

fn check_device(device: &str) -> Result<(), String> {
    let parts: Vec<&str> = device.split(':').collect();
    let rights = |text: &str| !text.is_empty() && text.bytes().all(|b| b"rwm".contains(&b));
    let sound = match parts.as_slice() {
        [host] => host.starts_with('/'),
        [host, inside] => host.starts_with('/') && (inside.starts_with('/') || rights(inside)),
        [host, inside, allowed] => host.starts_with('/') && inside.starts_with('/') && rights(allowed),
        _ => false,
    };
    if sound { Ok(()) } else { Err("is not HOST[:CONTAINER[:RIGHTS]], such as \"/dev/dri\"".to_owned()) }
}
