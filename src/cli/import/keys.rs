//! The keys of a compose service, and the settings of the two load balancers. Those without a counterpart
//! have a sentence that says what to do.

use super::options;
use super::yaml::Table;

/// Keys that `import` reads, or that ask for something that greenlight does anyway.
pub(crate) const CARRIED: &[&str] = &[
    "cpus",
    "deploy",
    "configs",
    "env_file",
    "environment",
    "expose",
    "healthcheck",
    "image",
    "labels",
    "mem_limit",
    "network_mode",
    "networks",
    "ports",
    "scale",
    "secrets",
    "stop_grace_period",
    "stop_signal",
    "target_num_containers",
    "user",
    "volumes",
    "links",
    "autorestart",
    "roles",
    "tags",
    "name",
    "build",
];

/// Keys with a sentence that says what to do. All other keys get "has no counterpart here".
const OTHERS: &[(&str, &str)] = &[
    ("autoredeploy", "a webhook starts a release: see the end of this file"),
    ("container_name", "greenlight names its containers itself"),
    ("depends_on", "what it depends on has to run before the first release"),
    ("deployment_strategy", "one engine runs them all, or list several in engines"),
    ("extends", "the keys of the other service are not read: write them into this file, then import again"),
    ("external_links", "put both containers into one network, and name that in networks"),
    ("platform", "the engine chooses the image of its own platform"),
    ("profiles", "greenlight runs every service of its configuration"),
    ("pull_policy", "each release pulls its digest, unless the engine has it"),
    ("restart", "containers are always started again unless they were stopped"),
    (
        "sequential_deployment",
        "all containers of a color start at once, and none gets traffic before all are healthy",
    ),
    ("volumes_from", "name the volumes in mounts"),
];

/// The reason for which a key of a service is not carried over. `None` if there is nothing to say.
pub(crate) fn not_carried(key: &str, value: &str) -> Option<String> {
    if CARRIED.contains(&key) || options::CARRIED.contains(&key) || key.starts_with("x-") {
        return None;
    }
    if key == "restart" && (matches!(value, "always" | "unless-stopped") || value.starts_with("on-failure")) {
        return None;
    }
    let why = OTHERS.iter().find(|(name, _)| *name == key).map_or("has no counterpart here", |(_, why)| why);
    Some(format!("{key}: {why}"))
}

/// The parts of `deploy` that are carried over, as paths beneath it.
const OF_DEPLOY: &[&str] = &[
    "labels",
    "mode",
    "replicas",
    "resources.limits.cpus",
    "resources.limits.memory",
    "resources.limits.pids",
    "resources.reservations.memory",
];

/// The notes about the parts of `deploy` that are not carried over, each with its path.
pub(crate) fn of_deploy(deploy: &Table) -> Vec<String> {
    let mut paths = Vec::new();
    for (key, value) in deploy {
        match value.as_object().filter(|_| key == "resources") {
            Some(resources) => {
                for (kind, parts) in resources {
                    let parts = parts.as_object().into_iter().flatten();
                    paths.extend(parts.map(|(part, _)| format!("{key}.{kind}.{part}")));
                }
            }
            None => paths.push(key.clone()),
        }
    }
    paths.retain(|path| !OF_DEPLOY.contains(&path.as_str()));
    let why = |path: &str| match path {
        "update_config" | "rollback_config" => {
            "a release goes from one color to the other: see the release section"
        }
        "restart_policy" => "containers are always started again unless they were stopped",
        "placement" => "containers go round robin over engines",
        _ => "has no counterpart here",
    };
    paths.iter().map(|path| format!("deploy.{path}: {}", why(path))).collect()
}

/// Settings of an app for its load balancer. `import` does not pass them to the app as variables.
pub(crate) const OF_AN_APP: &[&str] = &[
    "APPSESSION",
    "BALANCE",
    "CERT_NAME",
    "COOKIE",
    "DEFAULT_SSL_CERT",
    "EXCLUDE_BASIC_AUTH",
    "EXCLUDE_PORTS",
    "EXTRA_ROUTE_SETTINGS",
    "EXTRA_SETTINGS",
    "FAILOVER",
    "FORCE_SSL",
    "GZIP_COMPRESSION_TYPE",
    "HEALTH_CHECK",
    "HSTS",
    "HSTS_MAX_AGE",
    "HTTPS_METHOD",
    "HTTP_CHECK",
    "LETSENCRYPT_EMAIL",
    "LETSENCRYPT_HOST",
    "LETSENCRYPT_TEST",
    "NETWORK_ACCESS",
    "OPTION",
    "SERVER_TOKENS",
    "SERVICE_PORTS",
    "SSL_CERT",
    "SSL_POLICY",
    "TCP_PORTS",
    "VIRTUAL_DEST",
    "VIRTUAL_HOST",
    "VIRTUAL_HOST_MULTIPORTS",
    "VIRTUAL_HOST_WEIGHT",
    "VIRTUAL_PATH",
    "VIRTUAL_PORT",
    "VIRTUAL_PROTO",
];

/// The settings of an app that only get a comment. (`service.rs` carries the others over.)
pub(crate) const OF_AN_APP_NOT_CARRIED: &[(&str, &str)] = &[
    ("EXCLUDE_BASIC_AUTH", "greenlight asks nobody for a password"),
    ("EXTRA_ROUTE_SETTINGS", "lines of HAProxy's own language"),
    ("EXTRA_SETTINGS", "lines of HAProxy's own language"),
    ("FAILOVER", "the other color is what traffic falls back to"),
    ("GZIP_COMPRESSION_TYPE", "answers are passed on as the app sends them: compress there"),
    ("NETWORK_ACCESS", "bind a listener on an internal address for what only that network may see"),
    ("OPTION", "options of HAProxy's own language"),
    ("SERVER_TOKENS", "greenlight adds no Server field"),
    ("SSL_POLICY", "TLS 1.2 and 1.3 with sound ciphers, always"),
    ("TCP_PORTS", "greenlight carries HTTP, not bare TCP: leave those ports to HAProxy"),
    ("VIRTUAL_DEST", "paths reach the app as they are"),
    ("VIRTUAL_HOST_MULTIPORTS", "one service has one port: make a service of each"),
    ("VIRTUAL_HOST_WEIGHT", "an exact host goes before a pattern, always"),
];

/// Settings of the load balancer itself that only get a comment.
pub(crate) const OF_A_FRONT_NOT_CARRIED: &[(&str, &str)] = &[
    ("ADDITIONAL_SERVICES", "services of other projects: import their files too"),
    ("CA_CERT_FILE", "client_ca of a listener's tls"),
    ("DHPARAM_GENERATION", "there are no ciphers that need it"),
    ("EXTRA_BIND_SETTINGS", "lines of HAProxy's own language"),
    ("EXTRA_DEFAULT_SETTINGS", "lines of HAProxy's own language"),
    ("EXTRA_GLOBAL_SETTINGS", "lines of HAProxy's own language"),
    ("HTTP_BASIC_AUTH", "greenlight asks nobody for a password"),
    ("HTTP_BASIC_AUTH_SECURE", "greenlight asks nobody for a password"),
    ("MODE", "greenlight carries HTTP, not bare TCP"),
    ("MONITOR_PORT", "/healthz of the admin API, or ready_path of a listener"),
    ("MONITOR_URI", "/healthz of the admin API, or ready_path of a listener"),
    ("OPTION", "options of HAProxy's own language"),
    ("RSYSLOG_DESTINATION", "the log goes to the standard output"),
    ("SKIP_FORWARDED_PROTO", "forwarding.trusted_proxies says whose X-Forwarded-Proto is kept"),
    ("SSL_BIND_CIPHERS", "TLS 1.2 and 1.3 with sound ciphers, always"),
    ("SSL_BIND_OPTIONS", "TLS 1.2 and 1.3 with sound ciphers, always"),
    ("STATS_AUTH", "metrics are at /metrics of the admin API"),
    ("STATS_PORT", "metrics are at /metrics of the admin API"),
];
