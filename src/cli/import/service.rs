//! Makes one service of greenlight from one compose service, or from two compose services that are its
//! colors.

use std::collections::BTreeSet;
use std::time::Duration;

use super::compose::Unit;
use super::front::Front;
use super::host::{self, VirtualHost};
use super::pair::Group;
use super::plan::{Preview, Service};
use super::quantity::haproxy_duration;
use super::{Source, check, keys, options, secrecy};
use crate::model::{Color, PerColor};

pub(crate) fn service(source: &Source<'_>, front: Front<'_>, group: &Group<'_>) -> Service {
    match group {
        Group::Single(unit) => {
            let mut service = from_unit(source, front, unit);
            service.name = name(&unit.name);
            let (hosts, default) = public_hosts(&mut service, unit);
            (service.hosts, service.default) = (hosts, default || serves_all(front, unit));
            service
        }
        Group::Pair { base, members } => pair(source, front, base, members),
    }
}

fn pair(source: &Source<'_>, front: Front<'_>, base: &str, members: &PerColor<&Unit>) -> Service {
    let mut found = Service::default();
    let hosts = PerColor::from_fn(|color| public_hosts(&mut found, members[color]));
    // A host that names its own color, such as `blue.example.org`, becomes a preview host.
    let is_preview = |color: Color, host: &str| {
        host.strip_prefix(color.as_str()).is_some_and(|rest| rest.starts_with('.'))
    };
    let public = |color: Color| hosts[color].0.iter().filter(move |host| !is_preview(color, host)).cloned();
    // The color with more public hosts has the traffic.
    let counts = PerColor::from_fn(|color| public(color).count());
    let initial = if counts.green > counts.blue { Color::Green } else { Color::Blue };
    let mut service = from_unit(source, front, members[initial]);
    service.notes.splice(0..0, found.notes);
    service.paths = found.paths;
    service.initial = Some(initial);
    let mut seen = BTreeSet::new();
    service.hosts =
        Color::ALL.into_iter().flat_map(public).filter(|host| seen.insert(host.clone())).collect();
    let own = PerColor::from_fn(|color| hosts[color].0.iter().find(|host| is_preview(color, host)).cloned());
    if service.hosts.is_empty() {
        // There are only hosts that name a color. Clients will ask for the host without the color.
        let beneath = Color::ALL
            .into_iter()
            .find_map(|color| own[color].as_ref()?.split_once('.').map(|(_, rest)| rest.to_owned()));
        service.hosts.extend(beneath);
    }
    preview(&mut service, &own);
    service.default = Color::ALL.into_iter().any(|color| hosts[color].1 || serves_all(front, members[color]));
    let fallback =
        service.hosts.first().and_then(|host| host.split('.').next()).unwrap_or("backend").to_owned();
    service.name = name(if base.is_empty() { &fallback } else { base });
    differences(&mut service, members, initial);
    if service.follow {
        for (color, member) in members.iter() {
            if member.labels.get("greenlight.color").map(String::as_str) != Some(color.as_str()) {
                service.notes.push(format!(
                    "{}: give it the labels greenlight.service={} and greenlight.color={color}",
                    member.name, service.name
                ));
            }
        }
    }
    service
}

/// Sets the preview hosts, if they differ from those that greenlight takes by default.
fn preview(service: &mut Service, own: &PerColor<Option<String>>) {
    let derived =
        |color: Color, host: &str| service.hosts.iter().any(|public| format!("{color}.{public}") == host);
    match (&own.blue, &own.green) {
        (Some(blue), Some(green)) => {
            if !(derived(Color::Blue, blue) && derived(Color::Green, green)) {
                service.preview =
                    Some(Preview::Chosen(PerColor { blue: blue.clone(), green: green.clone() }));
            }
        }
        (None, None) => {}
        (Some(only), None) | (None, Some(only)) => {
            service.notes.push(format!("VIRTUAL_HOST: {only} has no partner of the other color"));
        }
    }
}

/// Notes the settings that differ between the two colors. The plan has those of the initial color.
fn differences(service: &mut Service, members: &PerColor<&Unit>, initial: Color) {
    let (taken, other) = (members[initial], members[initial.other()]);
    let mut names: BTreeSet<&String> = BTreeSet::new();
    for name in
        taken.env.keys().chain(other.env.keys()).filter(|name| !keys::OF_AN_APP.contains(&name.as_str()))
    {
        if taken.env.get(name) != other.env.get(name) {
            names.insert(name);
        }
    }
    if !names.is_empty() {
        let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
        service.notes.push(format!(
            "environment: {}: not the same for both colors; {} is followed",
            names.join(", "),
            taken.name
        ));
    }
    if taken.image != other.image {
        service.notes.push(format!(
            "image: not the same for both colors; {} is followed, and each release names its own",
            taken.name
        ));
    }
    if taken.mounts != other.mounts {
        service.notes.push(format!("volumes: not the same for both colors; {} is followed", taken.name));
    }
}

fn from_unit(source: &Source<'_>, front: Front<'_>, unit: &Unit) -> Service {
    let mut service = Service {
        follow: source.follow,
        image: unit.image.clone(),
        replicas: unit.replicas.unwrap_or(1),
        networks: unit.networks.clone(),
        options: unit.options.clone(),
        env_file: unit.env_file.clone(),
        mounts: unit.mounts.clone(),
        memory_bytes: unit.memory_bytes,
        cpus: unit.cpus,
        user: unit.user.clone(),
        stop_signal: unit.stop_signal.clone(),
        stop_timeout: unit.stop_timeout,
        check: check::check(unit, front.unit),
        // Compose goes on with the containers that are followed, so none of its keys is lost.
        notes: if source.follow { Vec::new() } else { unit.notes.clone() },
        ..Service::default()
    };
    if let (None, Some(check)) = (&service.check.path, &unit.healthcheck)
        && let Some(check) = options::healthcheck(check)
    {
        service.options.insert("healthcheck", check);
    }
    for (name, value) in unit.env.iter().filter(|(name, _)| !keys::OF_AN_APP.contains(&name.as_str())) {
        let to = if secrecy::is_secret(name, value) { &mut service.secrets } else { &mut service.env };
        to.insert(name.clone(), value.clone());
    }
    if !service.mounts.is_empty() && !source.follow {
        service
            .notes
            .push("volumes: both colors have them at the same time while a release goes on".to_owned());
    }
    port(&mut service, unit);
    protocol(&mut service, unit);
    timeouts(&mut service, front);
    balance(&mut service, front, unit);
    for (name, why) in keys::OF_AN_APP_NOT_CARRIED.iter().filter(|(name, _)| unit.setting(name).is_some()) {
        service.notes.push(format!("{name}: {why}"));
    }
    if unit.setting("VIRTUAL_PATH").is_some_and(|path| path != "/") {
        service
            .notes
            .push("VIRTUAL_PATH: hosts route, paths do not: every path of the host leads here".to_owned());
    }
    service
}

/// Sets the port. It is VIRTUAL_PORT, or else the only port that the file names and does not exclude. If
/// there are several, it is 80 or the lowest, with a note.
fn port(service: &mut Service, unit: &Unit) {
    service.port = unit.setting("VIRTUAL_PORT").and_then(|text| text.parse().ok());
    if service.port.is_some() {
        return;
    }
    let excluded: BTreeSet<u16> = ["EXCLUDE_PORTS", "TCP_PORTS"]
        .iter()
        .filter_map(|name| unit.setting(name))
        .flat_map(|text| text.split([',', ' ']))
        .filter_map(|port| port.split('/').next()?.trim().parse().ok())
        .collect();
    let told = unit.setting("SERVICE_PORTS").unwrap_or_default();
    let ports: BTreeSet<u16> = told
        .split(',')
        .filter_map(|port| port.trim().parse().ok())
        .chain(unit.expose.iter().copied())
        .chain(unit.ports.iter().map(|port| port.container))
        .filter(|port| !excluded.contains(port))
        .collect();
    let mut left = ports.iter();
    match (left.next(), left.next()) {
        (Some(only), None) => service.port = Some(*only),
        (Some(first), Some(_)) => {
            service.port = Some(if ports.contains(&80) { 80 } else { *first });
            let all: Vec<String> = ports.iter().map(ToString::to_string).collect();
            service
                .notes
                .push(format!("ports: {}: one of them is taken, a service has one port", all.join(", ")));
        }
        (None, _) => {}
    }
}

fn protocol(service: &mut Service, unit: &Unit) {
    match unit.setting("VIRTUAL_PROTO") {
        Some("grpc") => service.protocol = Some("h2c"),
        Some("https") => service.protocol = Some("https"),
        Some("http") | None => {}
        Some(other) => service.notes.push(format!("VIRTUAL_PROTO: {other} is not spoken here: HTTP is")),
    }
}

/// Reads TIMEOUT of dockercloud/haproxy, such as `connect 5000, client 50000, server 50000` (milliseconds).
fn timeouts(service: &mut Service, front: Front<'_>) {
    for part in front.unit.and_then(|unit| unit.setting("TIMEOUT")).unwrap_or_default().split(',') {
        let Some((name, value)) = part.trim().split_once(char::is_whitespace) else { continue };
        let value = haproxy_duration(value).filter(|value| *value >= Duration::from_millis(1));
        match name {
            "connect" => service.connect_timeout = value,
            "server" => service.response_timeout = value,
            "client" => {}
            other => service.notes.push(format!("TIMEOUT: {other} has no counterpart here: see [limits]")),
        }
    }
}

fn balance(service: &mut Service, front: Front<'_>, unit: &Unit) {
    let of_both =
        |name: &str| unit.setting(name).or_else(|| front.unit.and_then(|front| front.setting(name)));
    service.affinity = of_both("COOKIE").is_some() || unit.setting("APPSESSION").is_some();
    let by_label = unit.labels.get("com.github.nginx-proxy.nginx-proxy.loadbalance").map(String::as_str);
    match of_both("BALANCE").or(by_label).map(|text| text.trim_end_matches(';').trim()) {
        None | Some("roundrobin" | "leastconn" | "least_conn" | "random" | "static-rr") => {}
        Some("source" | "ip_hash") => {
            service.affinity = true;
            service.notes.push("BALANCE: by the client's address: a cookie does it here".to_owned());
        }
        Some(other) => {
            let word = other.split_whitespace().next().unwrap_or_default();
            service.notes.push(format!("BALANCE: {word}: the less busy of two is always taken"));
        }
    }
}

/// The hosts that greenlight can have, and whether the service also takes all other hosts (`*`).
fn public_hosts(service: &mut Service, unit: &Unit) -> (Vec<String>, bool) {
    let mut hosts: Vec<String> = Vec::new();
    let mut whole = BTreeSet::new();
    let mut default = false;
    for VirtualHost { host, path, .. } in unit.setting("VIRTUAL_HOST").map(host::parse).unwrap_or_default() {
        let found = VirtualHost { host, ..VirtualHost::default() };
        if found.host == "*" {
            if !path.is_empty() {
                service
                    .notes
                    .push(format!("VIRTUAL_HOST: *{path}: every path leads here; paths do not route"));
            }
            default = true;
            continue;
        }
        if !found.is_plain() {
            service.notes.push(format!("VIRTUAL_HOST: {}: only names and *.names route", found.host));
            continue;
        }
        let host = found.host;
        if path.is_empty() {
            whole.insert(host.clone());
        } else {
            service.paths.insert(host.clone(), path);
        }
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    service.paths.retain(|host, _| !whole.contains(host));
    (hosts, default)
}

/// Whether hosts that no other service names go to this service. That is so if the load balancer links to
/// it and it has no host, or if DEFAULT_HOST names one of its hosts.
fn serves_all(front: Front<'_>, unit: &Unit) -> bool {
    let hosts = unit.setting("VIRTUAL_HOST");
    let default_host = front.unit.and_then(|front| front.setting("DEFAULT_HOST"));
    (hosts.is_none() && front.links_to(unit))
        || default_host.is_some_and(|wanted| {
            host::parse(hosts.unwrap_or_default()).iter().any(|found| found.host == wanted)
        })
}

/// A name for the configuration, made of at most 60 lower-case letters, digits and `-`.
pub(crate) fn name(text: &str) -> String {
    let name: String = text
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .take(60)
        .collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "backend".to_owned() } else { name.to_owned() }
}
