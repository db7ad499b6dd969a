//! Labels of Traefik and of Caddy, as the settings of the two load balancers that the rest of the import reads.

use std::collections::BTreeMap;

/// The settings that stand for the labels of another front door. The notes name what they leave out.
pub(crate) fn settings(labels: &BTreeMap<String, String>) -> (BTreeMap<&'static str, String>, Vec<String>) {
    let (mut settings, mut notes) = (BTreeMap::new(), Vec::new());
    if labels.get("traefik.enable").is_some_and(|enabled| enabled == "false") {
        return (settings, notes);
    }
    let mut hosts = Vec::new();
    let mut resolver = false;
    for (label, value) in labels {
        let own = label.starts_with("traefik.") || is_caddy(label);
        if label == "traefik.frontend.rule" {
            hosts.extend(
                value.split(';').filter_map(|rule| rule.trim().strip_prefix("Host:")).flat_map(names),
            );
        } else if label.starts_with("traefik.http.routers.") && last(label) == "rule" {
            hosts.extend(rule(value));
        } else if label == "traefik.port"
            || label.starts_with("traefik.http.services.") && label.ends_with(".server.port")
        {
            settings.insert("VIRTUAL_PORT", value.clone());
        } else if label.starts_with("traefik.http.services.") && label.ends_with(".server.scheme") {
            settings.insert("VIRTUAL_PROTO", if value == "h2c" { "grpc".to_owned() } else { value.clone() });
        } else if label.starts_with("traefik.http.routers.") && label.ends_with(".tls.certresolver") {
            resolver = true;
        } else if is_caddy(label) && !label.contains('.') {
            hosts.extend(value.split([' ', ',']).map(site).filter(|host| !host.is_empty()));
        } else if is_caddy(label) && label.ends_with(".reverse_proxy") {
            let digits =
                value.chars().skip_while(|c| *c != ' ').filter(char::is_ascii_digit).collect::<String>();
            settings.extend((!digits.is_empty()).then_some(("VIRTUAL_PORT", digits)));
        } else if own && !is_silent(label) {
            notes.push(format!("labels.{label}: has no counterpart here"));
        }
    }
    hosts.retain(|host| !host.is_empty());
    hosts.dedup();
    if hosts.is_empty() {
        return (settings, notes);
    }
    if resolver || labels.keys().any(|label| is_caddy(label)) {
        let exact: Vec<&str> = hosts
            .iter()
            .filter_map(|host| host.split('/').next())
            .filter(|host| !host.contains('*'))
            .collect();
        settings.insert("LETSENCRYPT_HOST", exact.join(","));
    }
    settings.insert("VIRTUAL_HOST", hosts.join(","));
    (settings, notes)
}

fn is_caddy(label: &str) -> bool {
    let first = label.split('.').next().unwrap_or_default();
    first == "caddy" || first.strip_prefix("caddy_").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
}

/// Labels that ask for something that greenlight does anyway, or that the import settles in another way.
fn is_silent(label: &str) -> bool {
    matches!(label, "traefik.enable" | "traefik.docker.network")
        || matches!(last(label), "entrypoints" | "tls" | "service")
}

/// The part of a label behind its last dot.
fn last(label: &str) -> &str {
    label.rsplit('.').next().unwrap_or_default()
}

fn names(list: &str) -> impl Iterator<Item = String> {
    list.split(',').map(|name| name.trim().to_owned())
}

/// The hosts of a rule such as ``Host(`a.org`, `b.org`) && PathPrefix(`/api`)``, each with the path.
fn rule(rule: &str) -> Vec<String> {
    let arguments = |call: &str| {
        let found = rule.split(call).skip(1).filter_map(|rest| rest.split(')').next());
        let words = found
            .flat_map(|inside| inside.split(','))
            .map(|word| word.trim().trim_matches(['`', '"', '\'']).to_owned());
        words.collect::<Vec<_>>()
    };
    let path = arguments("PathPrefix(").into_iter().chain(arguments("Path(")).next().unwrap_or_default();
    arguments("Host(").into_iter().map(|host| format!("{host}{path}")).collect()
}

/// The host of a Caddy address such as `https://a.org:443`.
fn site(address: &str) -> String {
    let host = address.rsplit("://").next().unwrap_or_default();
    host.split(':').next().unwrap_or_default().to_owned()
}
