//! The load balancer of a compose file: which service it is, which services it serves, and its settings.

use super::compose::Unit;
use super::host;
use super::keys;
use super::plan::{Plan, Tls};
use super::quantity::haproxy_duration;

/// Images of load balancers.
const FRONTS: &[&str] =
    &["dockercloud/haproxy", "tutum/haproxy", "jwilder/nginx-proxy", "nginxproxy/nginx-proxy"];
/// Images that only help a load balancer.
const COMPANIONS: &[&str] = &[
    "jrcs/letsencrypt-nginx-proxy-companion",
    "nginxproxy/acme-companion",
    "jwilder/docker-gen",
    "nginxproxy/docker-gen",
];

/// The load balancer, if the file has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Front<'a> {
    pub unit: Option<&'a Unit>,
}

impl<'a> Front<'a> {
    pub(crate) fn find(units: &'a [Unit]) -> Self {
        Self { unit: units.iter().find(|unit| is_one_of(FRONTS, unit)) }
    }

    /// Whether the load balancer sends requests to this service.
    pub(crate) fn serves(self, unit: &Unit) -> bool {
        if is_one_of(FRONTS, unit) || is_one_of(COMPANIONS, unit) {
            return false;
        }
        unit.setting("VIRTUAL_HOST").is_some()
            || unit.labels.contains_key("greenlight.service")
            || self.links_to(unit)
    }

    /// Whether the load balancer links to this service. dockercloud/haproxy serves every service that it
    /// links to, with or without a host.
    pub(crate) fn links_to(self, unit: &Unit) -> bool {
        self.unit.is_some_and(|front| {
            front.links.iter().any(|link| link.split(':').next() == Some(unit.name.as_str()))
        })
    }

    /// Whether this service is neither the load balancer, nor a companion of it, nor behind it.
    pub(crate) fn leaves(self, unit: &Unit) -> bool {
        !self.serves(unit) && !is_one_of(FRONTS, unit) && !is_one_of(COMPANIONS, unit)
    }

    fn setting(self, name: &str) -> Option<&'a str> {
        self.unit.and_then(|unit| unit.setting(name))
    }
}

fn is_one_of(names: &[&str], unit: &Unit) -> bool {
    names.iter().any(|name| unit.repository().ends_with(name))
}

/// The parts of a configuration outside its services.
pub(crate) fn plan(front: Front<'_>, apps: &[&Unit]) -> Plan {
    let mut plan = Plan { listeners: listeners(front, apps), tls: tls(front, apps), ..Plan::default() };
    plan.connections_max = front
        .setting("MAXCONN")
        .and_then(|text| text.parse().ok())
        .filter(|count| (1..=1_000_000).contains(count));
    let Some(unit) = front.unit else { return plan };
    for (name, value) in &unit.env {
        if name == "MODE" && value == "http" {
            continue;
        }
        let known = keys::OF_A_FRONT_NOT_CARRIED.iter().find(|(known, _)| known == name);
        let family = ["EXTRA_FRONTEND_SETTINGS_", "ADDITIONAL_BACKEND_"]
            .iter()
            .find(|prefix| name.starts_with(**prefix));
        match (known, family) {
            (Some((_, why)), _) => plan.notes.push(format!("{}: {name}: {why}", unit.name)),
            (None, Some(_)) => {
                plan.notes.push(format!("{}: {name}: lines of HAProxy's own language", unit.name));
            }
            (None, None) => {}
        }
    }
    plan
}

/// The addresses where the load balancer listened: the published addresses of its port 80, and the ports
/// that VIRTUAL_HOST names.
fn listeners(front: Front<'_>, apps: &[&Unit]) -> Vec<String> {
    let mut listeners: Vec<String> = front
        .unit
        .into_iter()
        .flat_map(|unit| &unit.ports)
        .filter(|port| port.container == 80)
        .map(|port| format!("{}:{}", port.address.as_deref().unwrap_or("0.0.0.0"), port.host.unwrap_or(80)))
        .filter(|address| address.parse::<std::net::SocketAddr>().is_ok())
        .collect();
    if listeners.is_empty() {
        listeners.push("0.0.0.0:80".to_owned());
    }
    for app in apps {
        for found in app.setting("VIRTUAL_HOST").map(host::parse).unwrap_or_default() {
            if let Some(port) = found.port.filter(|port| !found.wants_tls() && !matches!(port, 80 | 443)) {
                listeners.push(format!("0.0.0.0:{port}"));
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    listeners.retain(|address| seen.insert(address.clone()));
    listeners
}

/// The TLS settings. `None` if neither the load balancer nor an app asks for TLS.
fn tls(front: Front<'_>, apps: &[&Unit]) -> Option<Tls> {
    let of_front = ["DEFAULT_SSL_CERT", "SSL_CERT", "CERT_FOLDER", "EXTRA_SSL_CERTS"]
        .iter()
        .any(|name| front.setting(name).is_some())
        || front.unit.is_some_and(|unit| unit.ports.iter().any(|port| port.container == 443));
    let mut tls = Tls::default();
    let mut wanted = of_front;
    for app in apps {
        let setting = |name: &str| app.setting(name);
        let hosts = setting("VIRTUAL_HOST").map(host::parse).unwrap_or_default();
        let forced = setting("FORCE_SSL").is_some_and(|text| !matches!(text, "false" | "no" | "0"));
        wanted |= forced
            || hosts.iter().any(host::VirtualHost::wants_tls)
            || ["SSL_CERT", "DEFAULT_SSL_CERT", "CERT_NAME", "LETSENCRYPT_HOST"]
                .iter()
                .any(|name| setting(name).is_some());
        let redirects = setting("LETSENCRYPT_HOST").is_some()
            && setting("HTTPS_METHOD").is_none_or(|method| method == "redirect");
        tls.redirect |= forced || redirects;
        let age = setting("HSTS_MAX_AGE").and_then(haproxy_age).or_else(|| nginx_age(setting("HSTS")?));
        tls.hsts = tls.hsts.max(age);
        tls.acme_hosts.extend(
            setting("LETSENCRYPT_HOST")
                .unwrap_or_default()
                .split(',')
                .map(str::trim)
                .filter(|host| !host.is_empty())
                .map(str::to_owned),
        );
        if tls.acme_email.is_none() {
            tls.acme_email = setting("LETSENCRYPT_EMAIL").map(str::to_owned);
        }
    }
    tls.acme_hosts.sort();
    tls.acme_hosts.dedup();
    wanted.then_some(tls)
}

/// A number of seconds, or a number with a unit.
fn haproxy_age(text: &str) -> Option<std::time::Duration> {
    match text.parse::<u32>() {
        Ok(seconds) => Some(std::time::Duration::from_secs(seconds.into())),
        Err(_) => haproxy_duration(text),
    }
}

/// Reads the age from a value such as `max-age=31536000; includeSubDomains`.
fn nginx_age(text: &str) -> Option<std::time::Duration> {
    let rest = text.split("max-age=").nth(1)?;
    haproxy_age(rest.split(';').next()?.trim())
}
