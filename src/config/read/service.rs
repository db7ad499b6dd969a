//! Reads `[services.NAME]`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config::content::content_type;
use crate::config::kind::{file, flag, list, secret, wrong_type};
use crate::config::name::{HOST_BYTES_MAX, check_name, exact_host, host, network};
use crate::config::section::Section;
use crate::config::walk::join;
use crate::config::{Affinity, Hook, Service, Upstream, UpstreamTls};
use crate::health::Speech;
use crate::model::{Color, OriginTls, PerColor, ServiceName};
use crate::release;
use crate::routing::{Protocol, ServiceSettings};

use toml::de::DeValue;

use super::{health, hook, release as releases, settings, upstream};

/// The time for moving tags, which reads and writes two manifests. A registry that takes longer counts as
/// unreachable.
const TAGS_TIMEOUT: Duration = Duration::from_mins(2);

pub(super) fn service(section: &mut Section<'_, '_>, name: &str) -> Service {
    if let Err(message) = check_name(name) {
        let path = section.path.clone();
        section.walk.hide(&path);
        section.walk.fault(&path, message);
    }
    let default = section.value("default", flag, false);
    let hosts = hosts(section, default);
    let preview_hosts = preview_hosts(section, &hosts);
    let preview_allow = section.value("preview_allow", list(network, "[\"10.0.0.0/8\"]"), Vec::new());
    let preview_token = section.optional("preview_token", secret);
    let error_pages = error_pages(section);
    let (mut upstream, protocol, upstream_tls) = section.section("upstream", upstream::upstream);
    let tls = origin_tls(section, &hosts, protocol, upstream_tls.as_ref());
    let (mut check, gate) = section.section("health", |section| health::health(section, &hosts));
    if let Upstream::Docker { engine, .. } = &mut upstream {
        engine.probe_port = check.port;
    }
    check.speech = speech(protocol, tls.as_ref(), check.port.is_some());
    let mut policy = release::Policy {
        upstream: upstream::kind(&upstream),
        replicas: upstream::replicas(&upstream),
        supervise: upstream::supervises(&upstream),
        thresholds: gate.thresholds,
        interval: check.interval,
        timeout: check.timeout,
        min_healthy_time: gate.min_healthy_time,
        ..release::Policy::default()
    };
    section.section("release", |section| releases::release(section, &mut policy));
    let synthetic = section.section("analysis", |section| releases::analysis(section, &mut policy));
    let hooks = section.section("hooks", hook::points);
    let timeout = |hook: &Option<Hook>| hook.as_ref().map(|hook| hook.timeout);
    policy.errands = release::Errands {
        pre_promote: timeout(&hooks.pre_promote),
        post_promote: timeout(&hooks.post_promote),
        on_revert: timeout(&hooks.on_revert),
        tags: upstream::moves_tags(&upstream).then_some(TAGS_TIMEOUT),
    };
    let (settings, affinity) = section.section("proxy", settings::proxy);
    Service {
        name: ServiceName::from(name),
        hosts,
        preview_hosts,
        preview_token,
        error_pages,
        default,
        upstream,
        upstream_tls,
        check: Arc::new(check),
        policy,
        synthetic,
        hooks,
        settings: Arc::new(ServiceSettings {
            protocol,
            tls,
            preview_allow,
            affinity: affinity == Affinity::Cookie,
            ..settings
        }),
        affinity,
    }
}

/// The settings of TLS towards the endpoints. The certificates have to be for one known name, so a service
/// without a server name and without an exact host is at fault.
fn origin_tls(
    section: &mut Section<'_, '_>,
    hosts: &[String],
    protocol: Protocol,
    tls: Option<&UpstreamTls>,
) -> Option<OriginTls> {
    if protocol != Protocol::Https {
        return None;
    }
    let told = tls.and_then(|tls| tls.server_name.as_ref());
    let Some(server_name) = told.or_else(|| hosts.iter().find(|host| !host.starts_with("*."))) else {
        let key = join(&section.key("upstream"), "tls");
        let hosts = section.key("hosts");
        if section.walk.sound(&[&key, &hosts]) {
            let right =
                "tls = { server_name = \"app.internal\" } names what the endpoints' certificates are for";
            section.walk.fault(&key, format!("has no server_name, and the service no exact host: {right}"));
        }
        return None;
    };
    // A certificate has an IPv6 address without its brackets.
    let server_name = server_name.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some(OriginTls { ca: tls.and_then(|tls| tls.ca.clone()), server_name })
}

/// The protocol of a check, which is the protocol of the data plane. There is one exception. If the data
/// plane speaks HTTP/2 alone and the checks have a port of their own, that port is there for checks, and
/// checks are HTTP/1.1 unless the file says otherwise.
fn speech(protocol: Protocol, tls: Option<&OriginTls>, own_port: bool) -> Speech {
    match (protocol, tls) {
        (Protocol::H2c, _) if own_port => Speech::Http1,
        (Protocol::H2c, _) => Speech::H2c,
        (Protocol::Https, Some(tls)) => Speech::Tls(tls.clone()),
        // Without a server name the service is at fault, and no check is made.
        (Protocol::Http1, _) | (Protocol::Https, None) => Speech::Http1,
    }
}

fn hosts(section: &mut Section<'_, '_>, default: bool) -> Vec<String> {
    const EXAMPLE: &str = "[\"backend.example.org\"]";
    let hosts = section.value("hosts", list(host, EXAMPLE), Vec::new());
    let key = section.key("hosts");
    if hosts.is_empty() && !default && section.walk.sound(&[&key]) {
        if section.has("hosts") {
            section.walk.fault(&key, format!("is empty: {EXAMPLE}, or default = true to serve all others"));
        } else {
            section.missing("hosts", &format!("hosts = {EXAMPLE}, or default = true to serve all others"));
        }
    }
    hosts
}

/// Reads the preview hosts. `true` stands for blue.HOST and green.HOST of each exact host. An address has
/// no names beneath it, so it gets no preview host.
fn preview_hosts(section: &mut Section<'_, '_>, hosts: &[String]) -> PerColor<Vec<String>> {
    let key = section.key("preview_hosts");
    let item = section.item("preview_hosts");
    let derived = match item.as_ref().map(|item| item.value) {
        None | Some(DeValue::Boolean(true)) => true,
        Some(DeValue::Boolean(false)) => false,
        Some(DeValue::Table(_)) => return chosen_preview_hosts(section, &key),
        Some(_) => {
            if let Some(item) = &item {
                let right = "true, false, or { blue = \"b.example.org\", green = \"g.example.org\" }";
                wrong_type(section.walk, item, right);
            }
            return PerColor::default();
        }
    };
    section.walk.in_force(&key, &derived);
    if !derived {
        return PerColor::default();
    }
    let named = |host: &&String| {
        !host.starts_with("*.") && !host.starts_with('[') && host.parse::<std::net::Ipv4Addr>().is_err()
    };
    let previews = PerColor::from_fn(|color| {
        hosts.iter().filter(named).map(|host| format!("{color}.{host}")).collect::<Vec<_>>()
    });
    if previews.iter().any(|(_, hosts)| hosts.iter().any(|host| host.len() > HOST_BYTES_MAX)) {
        section
            .walk
            .fault(&key, "makes a name that is too long: preview_hosts = false, or a table of shorter names");
    }
    previews
}

fn chosen_preview_hosts(section: &mut Section<'_, '_>, key: &str) -> PerColor<Vec<String>> {
    let chosen = section.section("preview_hosts", |table| PerColor {
        blue: table.optional("blue", exact_host),
        green: table.optional("green", exact_host),
    });
    if chosen.blue.is_none() && chosen.green.is_none() && section.walk.sound(&[key]) {
        section
            .walk
            .fault(key, "names no host: { blue = \"b.example.org\", green = \"g.example.org\" }, or false");
    }
    PerColor::from_fn(|color| match color {
        Color::Blue => chosen.blue.iter().cloned().collect(),
        Color::Green => chosen.green.iter().cloned().collect(),
    })
}

/// The statuses of greenlight's own answers that may have a page.
const ERROR_PAGES: [u16; 3] = [502, 503, 504];

fn error_pages(section: &mut Section<'_, '_>) -> BTreeMap<u16, PathBuf> {
    let pages = section.map("error_pages", file, "{ 503 = \"503.html\" }");
    let mut valid = BTreeMap::new();
    for (status, page) in pages {
        if let Some(status) = status.parse::<u16>().ok().filter(|status| ERROR_PAGES.contains(status)) {
            if let Err(message) = content_type(&page) {
                let key = join(&section.key("error_pages"), &status.to_string());
                section.walk.fault(&key, message);
            }
            valid.insert(status, page);
        } else {
            let key = join(&section.key("error_pages"), &status);
            section.walk.fault(&key, "is no answer of ours: 502, 503 and 504 are");
        }
    }
    valid
}
