//! The things outside the file that a configuration needs on this machine: folders, sockets, and rights. Most
//! faults here are warnings, because `check` may run as another user, or on another machine, than the door.

use std::path::Path;

use rustix::fs::{Access, access};

use super::walk::Walk;
use super::{Config, Docker, Upstream};

/// The ports that any user may bind begin here, unless the system says otherwise.
const UNPRIVILEGED: u16 = 1024;

pub(super) fn check(walk: &mut Walk<'_>, config: &Config) {
    store(walk, &config.store_path);
    ports(walk, config);
    for service in &config.services {
        if let Upstream::Docker { engine, follow, .. } = &service.upstream {
            let key = format!("services.{}.upstream", service.name);
            docker(walk, &key, engine, *follow);
        }
    }
}

/// The folder of the store must be there, or its nearest ancestor must allow that it is made.
fn store(walk: &mut Walk<'_>, folder: &Path) {
    const KEY: &str = "store.path";
    if !walk.sound(&[KEY]) {
        return;
    }
    let Some(nearest) = folder.ancestors().map(present).find(|path| path.exists()) else { return };
    if !nearest.is_dir() {
        let why = format!("can't be a folder: {} is no folder", nearest.display());
        return walk.fault(KEY, why);
    }
    if access(nearest, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let what = if nearest == folder { "written" } else { "made" };
        let why = format!("can't be {what} by this user: {} is not writable for it", nearest.display());
        walk.warn(KEY, why);
    }
}

/// A relative path without a folder ends in the present one.
fn present(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// A listener on a low port needs a right that this process has.
fn ports(walk: &mut Walk<'_>, config: &Config) {
    let lowest = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    let lowest = lowest.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(UNPRIVILEGED);
    if may_bind_low_ports() {
        return;
    }
    let listeners = config.listeners.iter().enumerate();
    let binds = listeners.map(|(index, listener)| (format!("listeners[{index}].bind"), listener.bind));
    let admin = std::iter::once(("admin.bind".to_owned(), config.admin.bind));
    let low: Vec<String> =
        binds.chain(admin).filter(|(_, bind)| is_low(bind.port(), lowest)).map(|(key, _)| key).collect();
    for key in low {
        let why = format!(
            "this user may not bind a port under {lowest}: run greenlight with CAP_NET_BIND_SERVICE, or take a \
             higher port"
        );
        walk.warn(&key, why);
    }
}

/// Port 0 stands for any free port.
pub(super) const fn is_low(port: u16, lowest: u16) -> bool {
    port > 0 && port < lowest
}

/// Whether this process has `CAP_NET_BIND_SERVICE` (10 in capability.h). A system that does not tell is
/// trusted.
fn may_bind_low_ports() -> bool {
    const NET_BIND_SERVICE: u32 = 10;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    effective.is_none_or(|capabilities| capabilities & (1 << NET_BIND_SERVICE) != 0)
}

fn docker(walk: &mut Walk<'_>, key: &str, config: &Docker, follow: bool) {
    let sockets: Vec<&Path> = config
        .engines
        .iter()
        .filter_map(|engine| engine.url.strip_prefix("unix://").map(Path::new))
        .collect();
    let engines = format!("{key}.engines");
    for socket in &sockets {
        if !socket.exists() {
            walk.warn(&engines, format!("there is no {}: no engine listens there", socket.display()));
        } else if access(*socket, Access::READ_OK | Access::WRITE_OK).is_err() {
            walk.warn(&engines, format!("this user may not use {}", socket.display()));
        }
    }
    // The paths of an engine on another machine are not known here.
    if follow || sockets.len() < config.engines.len() {
        return;
    }
    let mounts = format!("{key}.mounts");
    for mount in &config.mounts {
        let source = mount.split(':').next().unwrap_or_default();
        if source.starts_with('/') && !Path::new(source).exists() {
            let why = format!("{source} does not exist on this machine: a release would fail; make it first");
            walk.warn(&mounts, why);
        }
    }
}

#[cfg(test)]
mod tests;
