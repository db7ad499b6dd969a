//! Checks that concern several keys.
//!
//! Each check leaves out keys that are at fault already, so that one mistake is reported once.

mod addresses;
mod containers;
mod hosts;

use std::time::Duration;

use super::quantity::show_duration;
use super::walk::{Walk, join};
use super::{Config, Service};

/// Runs all checks between keys.
pub(super) fn check(walk: &mut Walk<'_>, config: &Config) {
    addresses::binds(walk, config);
    addresses::admin(walk, config);
    hosts::check(walk, config);
    for service in &config.services {
        addresses::upstream(walk, config, service);
        deadline(walk, service);
        risks(walk, service);
        containers::check(walk, config, service);
    }
    webhooks(walk, config);
    if config.trusted_proxies.iter().any(|network| network.prefix_len() == 0) {
        walk.warn(
            "forwarding.trusted_proxies",
            "trusts everybody: any client can then say which address it comes from",
        );
    }
}

/// The path of a key of a service.
fn key(service: &Service, key: &str) -> String {
    format!("{}.{key}", join("services", service.name.as_str()))
}

/// Refuses a deadline that is so short that no release could reach its gate in time.
fn deadline(walk: &mut Walk<'_>, service: &Service) {
    let deadline = key(service, "release.progress_deadline");
    let health = ["interval", "timeout", "rise", "min_healthy_time"]
        .map(|name| key(service, &format!("health.{name}")));
    let read: Vec<&str> = health.iter().chain([&deadline]).map(String::as_str).collect();
    if !walk.sound(&read) {
        return;
    }
    let policy = &service.policy;
    let probes = (policy.interval + policy.timeout).saturating_mul(policy.thresholds.rise);
    let least = policy.min_healthy_time.saturating_add(probes);
    if policy.progress_deadline < least {
        walk.fault(
            &deadline,
            format!(
                "is \"{}\": must be at least \"{}\", which is health.min_healthy_time ({}) + rise ({}) x (interval ({}) + \
                 timeout ({})), or no release could ever get through its checks",
                show_duration(policy.progress_deadline),
                show_duration(least),
                show_duration(policy.min_healthy_time),
                policy.thresholds.rise,
                show_duration(policy.interval),
                show_duration(policy.timeout),
            ),
        );
    }
}

/// Warns of settings that are legal but risky.
fn risks(walk: &mut Walk<'_>, service: &Service) {
    let policy = &service.policy;
    let warned = [
        (
            policy.min_healthy_time == Duration::ZERO,
            "health.min_healthy_time",
            "a new color gets all traffic as soon as its first probes pass: \"10s\" is the default",
        ),
        (
            policy.thresholds.rise == 1,
            "health.rise",
            "one lucky probe makes an endpoint healthy: 3 is the default",
        ),
        (
            policy.bake_time == Duration::ZERO,
            "release.bake_time",
            "nothing is watched after the switch, so nothing reverts by itself: \"5m\" is the default",
        ),
    ];
    for (risky, name, message) in warned {
        let path = key(service, name);
        if risky && walk.sound(&[&path]) {
            walk.warn(&path, message);
        }
    }
    let (queue, requests) = (key(service, "proxy.queue_max"), key(service, "proxy.requests_max"));
    if service.settings.queue_max > 0
        && service.settings.requests_max == 0
        && walk.sound(&[&queue, &requests])
    {
        walk.warn(&queue, "has no effect with requests_max = 0: nobody has to wait");
    }
}

/// Checks that each webhook has a name of its own, a service that exists, and a way in.
fn webhooks(walk: &mut Walk<'_>, config: &Config) {
    // All services that are in the file, with or without faults. A webhook for a service at fault is no
    // second fault.
    let names: Vec<String> = walk
        .places
        .keys()
        .filter(|path| super::pattern::matches("services.*", path))
        .filter_map(|path| path.strip_prefix("services.").map(str::to_owned))
        .collect();
    for (index, webhook) in config.webhooks.iter().enumerate() {
        let service = format!("webhooks[{index}].service");
        if walk.sound(&[&service]) && !names.contains(&webhook.service) {
            let message = match super::nearest::nearest(&webhook.service, names.iter().map(String::as_str)) {
                Some(name) => format!("is not a service: \"{name}\" is the nearest one"),
                None => format!("is not a service: {} are", names.join(", ")),
            };
            walk.fault(&service, message);
        }
        let name = format!("webhooks[{index}].name");
        let before = config.webhooks[..index].iter().position(|other| other.name == webhook.name);
        if let Some(before) = before
            && walk.sound(&[&name])
        {
            walk.fault(&name, format!("is the name of webhooks[{before}] too: each needs its own"));
        }
    }
    if !config.webhooks.is_empty()
        && config.hooks.bind.is_none()
        && !config.hooks.public
        && walk.sound(&["hooks"])
    {
        walk.fault(
            "webhooks",
            "can't be reached: [hooks] bind = \"0.0.0.0:9901\" gives them a listener, public = true puts them under \
             /hooks/ of the public ones",
        );
    }
}
