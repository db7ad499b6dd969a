//! The request that creates a container. It depends on the configuration, the image and the container's
//! place in the set. Nothing else goes into it. Of a webhook's payload, only the digest does.

use std::collections::{BTreeSet, HashMap};

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, PortBinding, RestartPolicy,
    RestartPolicyNameEnum,
};

use crate::config::{Config, Docker, Publish, Upstream};

use super::container::Container;
use super::labels::{self, Marks};

/// Whether the containers share the network of their host.
pub(crate) fn on_host(config: &Docker) -> bool {
    config.network == "host"
}

/// The body of the request that creates a container of a set. `marks.port` is its port, and `env` has the
/// lines of the env files.
pub(crate) fn body(config: &Docker, image: &str, marks: &Marks, env: &[String]) -> ContainerCreateBody {
    let mut body = base(config, image, env);
    body.labels = Some(marks.labels());
    if let (true, Some(port)) = (on_host(config), marks.port) {
        // Several containers on one host can't have the same port, so each gets its own in PORT.
        set_variable(body.env.get_or_insert_default(), &format!("PORT={port}"));
    }
    if let Some(host) = body.host_config.as_mut() {
        host.restart_policy = Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
            maximum_retry_count: None,
        });
        if let (Publish::Loopback, Some(port), false) = (config.publish, marks.port, on_host(config)) {
            let binding =
                PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(String::new()) };
            let ports: BTreeSet<u16> = [port].into_iter().chain(config.probe_port).collect();
            let names = ports.iter().map(|port| format!("{port}/tcp"));
            host.port_bindings =
                Some(names.clone().map(|name| (name, Some(vec![binding.clone()]))).collect());
            body.exposed_ports = Some(names.collect());
        }
    }
    body
}

/// The body for one command in a fresh container. Such a container has no port, is not restarted, and is
/// never an endpoint.
pub(crate) fn command_body(
    config: &Docker,
    image: &str,
    service: &str,
    command: &[String],
    env: &[String],
) -> ContainerCreateBody {
    let mut body = base(config, image, env);
    body.labels = Some(HashMap::from([(labels::COMMAND.to_owned(), service.to_owned())]));
    body.entrypoint = Some(Vec::new());
    body.cmd = Some(command.to_vec());
    body.healthcheck = Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() });
    body
}

fn base(config: &Docker, image: &str, env: &[String]) -> ContainerCreateBody {
    let mut lines: Vec<String> = Vec::new();
    for line in env {
        set_variable(&mut lines, line);
    }
    for (key, value) in &config.env {
        set_variable(&mut lines, &format!("{key}={value}"));
    }
    let seconds = i64::try_from(config.stop_timeout.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
    ContainerCreateBody {
        image: Some(image.to_owned()),
        env: (!lines.is_empty()).then_some(lines),
        user: config.user.clone(),
        stop_signal: config.stop_signal.clone(),
        stop_timeout: Some(seconds),
        healthcheck: config.healthcheck.as_ref().map(health),
        host_config: Some(HostConfig {
            network_mode: Some(config.network.clone()),
            binds: (!config.mounts.is_empty()).then(|| config.mounts.clone()),
            memory: config.memory_bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
            nano_cpus: config.cpus.map(nano_cpus),
            log_config: config.log.as_ref().map(|log| HostConfigLogConfig {
                typ: Some(log.driver.clone()),
                config: Some(log.options.clone().into_iter().collect()),
            }),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

fn health(check: &crate::config::Healthcheck) -> HealthConfig {
    let nanos = |time: std::time::Duration| i64::try_from(time.as_nanos()).ok();
    let test = if check.command.is_empty() {
        vec!["NONE".to_owned()]
    } else {
        std::iter::once("CMD".to_owned()).chain(check.command.iter().cloned()).collect()
    };
    HealthConfig {
        test: Some(test),
        interval: check.interval.and_then(nanos),
        timeout: check.timeout.and_then(nanos),
        retries: check.retries.map(i64::from),
        start_period: check.start_period.and_then(nanos),
        start_interval: None,
    }
}

/// Cores as billionths (the engine's unit). The configuration has checked the range.
#[allow(clippy::cast_possible_truncation, reason = "0 to 4096 cores are 4096e9 at most")]
fn nano_cpus(cores: f64) -> i64 {
    (cores * 1e9).round() as i64
}

/// Sets `KEY=value` in a list of such lines. A later line replaces an earlier one with the same key.
fn set_variable(lines: &mut Vec<String>, line: &str) {
    let key = line.split('=').next().unwrap_or(line);
    lines.retain(|other| other.split('=').next() != Some(key));
    lines.push(line.to_owned());
}

/// The lines of an env file, as `docker run --env-file` reads it. A line is `KEY=value`, `KEY` alone for
/// the value in greenlight's own environment, or a `#` comment. Quotes are kept.
///
/// # Errors
/// A line has an empty key, or a key with a space, or a NUL byte. The text gives its number.
pub(crate) fn env_lines(text: &str, ours: impl Fn(&str) -> Option<String>) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').map_or((line, None), |(key, value)| (key, Some(value)));
        if key.is_empty() || key.contains(char::is_whitespace) || line.contains('\0') {
            return Err(format!("line {}: it must be KEY=value", number + 1));
        }
        match value {
            Some(_) => lines.push(line.to_owned()),
            None => lines.extend(ours(key).map(|value| format!("{key}={value}"))),
        }
    }
    Ok(lines)
}

/// Reads every env file of a configuration as a release would, and tells the faults.
#[must_use]
pub fn check_env_files(config: &Config) -> Vec<String> {
    let mut faults = Vec::new();
    for service in &config.services {
        let Upstream::Docker { engine, .. } = &service.upstream else { continue };
        for (index, path) in engine.env_file.iter().enumerate() {
            let text = std::fs::read_to_string(path).map_err(|why| why.to_string());
            if let Err(why) = text.and_then(|text| env_lines(&text, |_| None)) {
                let key = format!("services.{}.upstream.env_file[{index}]", service.name);
                faults.push(format!("{key}: {}: {why}", path.display()));
            }
        }
    }
    faults
}

/// The ports of a set on the host's network. They are the lowest ports from `first` on, without those of
/// containers of another service or of the other color. Sets of one color never run at the same time.
///
/// # Errors
/// There are not that many free ports up to 65535.
pub(crate) fn host_ports(
    first: u16,
    count: usize,
    marks: &Marks,
    others: &[Container],
) -> Result<Vec<u16>, String> {
    let taken: BTreeSet<u16> = others
        .iter()
        .filter_map(|other| other.marks.as_ref())
        .filter(|other| other.service != marks.service || other.color != marks.color)
        .filter_map(|other| other.port)
        .collect();
    let ports: Vec<u16> = (first..=u16::MAX).filter(|port| !taken.contains(port)).take(count).collect();
    if ports.len() < count {
        return Err(format!("there are not {count} free ports from upstream.port = {first} on"));
    }
    Ok(ports)
}
