//! The options of a container that are handed on to the engine, in the engine's own shapes.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, DeviceMapping, HostConfig, Mount, MountBindOptions, MountType, ResourcesUlimits,
};

use crate::config::{ContainerOptions, Docker};
use crate::model::ulimit;

/// Writes the options of the configuration into the body of a request that creates a container.
pub(crate) fn set(config: &Docker, body: &mut ContainerCreateBody) {
    let options = &config.options;
    let list = |texts: &[String]| (!texts.is_empty()).then(|| texts.to_vec());
    body.entrypoint = list(&options.entrypoint);
    body.cmd = list(&options.command);
    body.working_dir.clone_from(&options.working_dir);
    body.hostname.clone_from(&options.hostname);
    body.tty = options.tty.then_some(true);
    body.open_stdin = options.stdin_open.then_some(true);
    let host = body.host_config.get_or_insert_default();
    host.extra_hosts = list(&options.extra_hosts);
    host.dns = list(&options.dns);
    host.dns_search = list(&options.dns_search);
    host.dns_options = list(&options.dns_opt);
    host.cap_add = list(&options.cap_add);
    host.cap_drop = list(&options.cap_drop);
    host.security_opt = list(&options.security_opt);
    host.group_add = list(&options.group_add);
    host.init = options.init.then_some(true);
    host.privileged = options.privileged.then_some(true);
    host.readonly_rootfs = options.read_only.then_some(true);
    host.shm_size = bytes(options.shm_size);
    host.memory_reservation = bytes(options.memory_reservation);
    host.memory_swap = bytes(options.memory_swap);
    host.pids_limit = options.pids_limit.map(i64::from);
    host.cpu_shares = options.cpu_shares.map(i64::from);
    host.cpuset_cpus.clone_from(&options.cpuset);
    host.ipc_mode.clone_from(&options.ipc);
    host.pid_mode.clone_from(&options.pid);
    host.runtime.clone_from(&options.runtime);
    tables(options, host);
    mounts(config, host);
}

fn tables(options: &ContainerOptions, host: &mut HostConfig) {
    let map = |table: &std::collections::BTreeMap<String, String>| {
        (!table.is_empty()).then(|| table.clone().into_iter().collect::<HashMap<_, _>>())
    };
    host.tmpfs = map(&options.tmpfs);
    host.sysctls = map(&options.sysctls);
    let limits: Vec<ResourcesUlimits> = options
        .ulimits
        .iter()
        .filter_map(|(name, text)| {
            let (soft, hard) = ulimit(text).ok()?;
            Some(ResourcesUlimits { name: Some(name.clone()), soft: Some(soft), hard: Some(hard) })
        })
        .collect();
    host.ulimits = (!limits.is_empty()).then_some(limits);
    let devices: Vec<DeviceMapping> = options.devices.iter().map(|text| device(text)).collect();
    host.devices = (!devices.is_empty()).then_some(devices);
}

/// Reads `HOST[:CONTAINER[:RIGHTS]]`. The second part has the rights if it is no path.
fn device(text: &str) -> DeviceMapping {
    let mut parts = text.split(':');
    let host = parts.next().unwrap_or_default();
    let (inside, rights) = match (parts.next(), parts.next()) {
        (Some(rights), None) if !rights.starts_with('/') => (host, rights),
        (inside, rights) => (inside.unwrap_or(host), rights.unwrap_or("rwm")),
    };
    DeviceMapping {
        path_on_host: Some(host.to_owned()),
        path_in_container: Some(inside.to_owned()),
        cgroup_permissions: Some(rights.to_owned()),
    }
}

/// Folders and files of the host are mounted so that the engine refuses a source that does not exist. With a
/// bind it would make an empty folder there, and the release would get the traffic without its data. Volumes,
/// and options that only a bind has, stay binds.
fn mounts(config: &Docker, host: &mut HostConfig) {
    let (mut mounts, mut binds) = (Vec::new(), Vec::new());
    for text in &config.mounts {
        match mount(text) {
            Some(mount) => mounts.push(mount),
            None => binds.push(text.clone()),
        }
    }
    host.mounts = (!mounts.is_empty()).then_some(mounts);
    host.binds = (!binds.is_empty()).then_some(binds);
}

fn mount(text: &str) -> Option<Mount> {
    let mut parts = text.split(':');
    let (source, target) = (parts.next()?, parts.next()?);
    let options = parts.next().unwrap_or_default();
    let read_only = match options {
        "" | "rw" => false,
        "ro" => true,
        _ => return None,
    };
    source.starts_with('/').then(|| Mount {
        typ: Some(MountType::BIND),
        source: Some(source.to_owned()),
        target: Some(target.to_owned()),
        read_only: Some(read_only),
        bind_options: Some(MountBindOptions {
            create_mountpoint: Some(false),
            ..MountBindOptions::default()
        }),
        ..Mount::default()
    })
}

fn bytes(count: Option<u64>) -> Option<i64> {
    count.map(|count| i64::try_from(count).unwrap_or(i64::MAX))
}
