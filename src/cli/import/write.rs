//! Writes a plan as TOML, with its comments.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::time::Duration;

use super::Imported;
use super::check::Check;
use super::plan::{Plan, Preview, Service, Tls};
use super::quantity::{show_bytes, show_duration};
use super::toml::{list, name, quoted};

/// The default of `progress_deadline`. Checks that take longer need a longer deadline.
const PROGRESS_DEADLINE: Duration = Duration::from_mins(10);
/// The default of `min_healthy_time`.
const MIN_HEALTHY_TIME: Duration = Duration::from_secs(10);
/// The width in characters after which a comment goes on in the next line.
const WIDTH: usize = 110;

pub(crate) fn write(plan: &Plan) -> Imported {
    let mut out = String::new();
    line(&mut out, format_args!("# Made by `greenlight import` from {}.", plan.from));
    out.push_str(
        "# \"not carried over\" stands before what has no counterpart, or wants a decision of yours.\n\n",
    );
    notes(&mut out, &plan.notes);
    for address in &plan.listeners {
        line(&mut out, format_args!("[[listeners]]\nbind = {}\n", quoted(address)));
    }
    if let Some(tls) = &plan.tls {
        write_tls(&mut out, tls, plan);
    }
    if let Some(count) = plan.connections_max {
        line(&mut out, format_args!("[limits]\nconnections_max = {count}\n"));
    }
    out.push_str("[store]\npath = \"/var/lib/greenlight\"\n");
    let mut secrets = BTreeMap::new();
    for service in &plan.services {
        write_service(&mut out, service, plan, &mut secrets);
    }
    write_messages(&mut out, &plan.services);
    Imported { config: out, secrets }
}

fn line(out: &mut String, text: impl Display) {
    let _ = writeln!(out, "{text}");
}

/// Writes `key = value`, if there is a value.
fn key(out: &mut String, name: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        line(out, format_args!("{name} = {value}"));
    }
}

fn notes(out: &mut String, notes: &[String]) {
    let mut seen = Vec::new();
    for note in notes {
        if !seen.contains(&note) {
            seen.push(note);
            comment(out, &format!("not carried over: {note}"));
        }
    }
}

/// Writes one comment, in as many lines as it needs. Control characters are replaced, so that those of the
/// file do not reach the terminal.
fn comment(out: &mut String, text: &str) {
    let mut width = 0;
    out.push('#');
    for word in text.split_whitespace() {
        let word: String = word.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        let count = word.chars().count();
        if width > 0 && width + count > WIDTH {
            out.push_str("\n#  ");
            width = 2;
        }
        out.push(' ');
        out.push_str(&word);
        width += count + 1;
    }
    out.push('\n');
}

fn write_tls(out: &mut String, tls: &Tls, plan: &Plan) {
    out.push_str(
        "# TLS was in use. Certificates are files here; write them, then take these comments away:\n",
    );
    out.push_str("# [[listeners]]\n# bind = \"0.0.0.0:443\"\n# [listeners.tls]\n");
    if tls.acme_hosts.is_empty() {
        out.push_str(
            "# certificates = [{ cert = \"/etc/greenlight/tls.pem\", key = \"/etc/greenlight/tls.key\" }]\n",
        );
    } else {
        let email = quoted(tls.acme_email.as_deref().unwrap_or("ops@example.org"));
        line(
            out,
            format_args!(
                "# acme = {{ email = {email}, directory = \"https://acme-v02.api.letsencrypt.org/directory\", hosts = {} }}",
                list(&tls.acme_hosts)
            ),
        );
    }
    if let Some(hsts) = tls.hsts.filter(|hsts| !hsts.is_zero()) {
        line(out, format_args!("# hsts = \"{}s\"", hsts.as_secs()));
    }
    if tls.redirect {
        let bind = plan.listeners.first().map_or("0.0.0.0:80", String::as_str);
        line(out, format_args!("# and in the listener of {bind}: redirect_to_https = true"));
    }
    out.push('\n');
}

fn write_service(out: &mut String, service: &Service, plan: &Plan, secrets: &mut BTreeMap<String, String>) {
    out.push('\n');
    notes(out, &service.notes);
    let table = format!("services.{}", service.name);
    line(out, format_args!("[{table}]"));
    if !service.hosts.is_empty() {
        line(out, format_args!("hosts = {}", list(&service.hosts)));
    }
    match &service.preview {
        None => {}
        Some(Preview::Off) => out.push_str("preview_hosts = false\n"),
        Some(Preview::Chosen(hosts)) => line(
            out,
            format_args!(
                "preview_hosts = {{ blue = {}, green = {} }}",
                quoted(&hosts.blue),
                quoted(&hosts.green)
            ),
        ),
    }
    if service.default {
        out.push_str("default = true\n");
    }
    line(out, format_args!("\n[{table}.upstream]\nkind = \"docker\""));
    write_upstream(out, service, plan, secrets);
    line(out, format_args!("\n[{table}.health]"));
    write_check(out, &service.check);
    write_release(out, service, &table);
    if service.connect_timeout.is_some() || service.response_timeout.is_some() || service.affinity {
        line(out, format_args!("\n[{table}.proxy]"));
        let duration = |value: Option<Duration>| value.map(|value| quoted(&show_duration(value)));
        key(out, "connect_timeout", duration(service.connect_timeout));
        key(out, "response_timeout", duration(service.response_timeout));
        if service.affinity {
            out.push_str("affinity = \"cookie\"          # a cookie of greenlight's own\n");
        }
    }
}

fn write_upstream(out: &mut String, service: &Service, plan: &Plan, secrets: &mut BTreeMap<String, String>) {
    if service.follow {
        out.push_str(
            "follow = true                 # compose starts the containers, greenlight follows them\n",
        );
    } else {
        key(out, "image", service.image.as_deref().map(quoted));
        line(out, format_args!("replicas = {}", service.replicas));
    }
    key(
        out,
        "initial",
        service
            .initial
            .filter(|color| *color != crate::model::Color::Blue)
            .map(|color| quoted(color.as_str())),
    );
    key(out, "protocol", service.protocol.map(quoted));
    key(out, "port", service.port);
    key(out, "network", service.networks.first().map(|network| quoted(&network.name)));
    if service.follow {
        return;
    }
    if !service.env.is_empty() {
        let pairs: Vec<String> =
            service.env.iter().map(|(key, value)| format!("{} = {}", name(key), quoted(value))).collect();
        line(out, format_args!("env = {{ {} }}", pairs.join(", ")));
    }
    write_env_files(out, service, plan, secrets);
    if !service.mounts.is_empty() {
        line(out, format_args!("mounts = {}", list(&service.mounts)));
    }
    key(out, "memory", service.memory_bytes.map(|bytes| quoted(&show_bytes(bytes))));
    key(out, "cpus", service.cpus.map(|cores| format!("{cores:?}")));
    key(out, "user", service.user.as_deref().map(quoted));
    key(out, "stop_signal", service.stop_signal.as_deref().map(quoted));
    key(out, "stop_timeout", service.stop_timeout.map(|value| quoted(&show_duration(value))));
    let further: Vec<String> = service.networks.iter().skip(1).map(|network| network.name.clone()).collect();
    if !further.is_empty() {
        line(out, format_args!("networks = {}", list(&further)));
    }
    for (option, value) in &service.options {
        line(out, format_args!("{option} = {value}"));
    }
    if let Some((user, password)) = service.registry_auth {
        line(
            out,
            format_args!(
                "registry_auth = {{ username = {{ env = \"{user}\" }}, password = {{ env = \"{password}\" }} }}"
            ),
        );
    }
}

/// Writes `env_file`. Values that may be secrets go into an env file of their own, whose content is not
/// part of this text.
fn write_env_files(out: &mut String, service: &Service, plan: &Plan, secrets: &mut BTreeMap<String, String>) {
    let mut files = service.env_file.clone();
    let file = format!("{}.env", service.name);
    if !service.secrets.is_empty() {
        let names: Vec<&str> = service.secrets.keys().map(String::as_str).collect();
        let mut text = String::new();
        let (several, single): (Vec<_>, Vec<_>) =
            service.secrets.iter().partition(|(_, value)| value.contains(['\n', '\r']));
        for (key, value) in single {
            line(&mut text, format_args!("{key}={value}"));
        }
        for (key, _) in several {
            let why = "its value has several lines, which an env file can't hold: mount it as a file";
            comment(out, &format!("not carried over: environment.{key}: {why}"));
        }
        secrets.insert(file.clone(), text);
        if let Some(folder) = &plan.secrets {
            files.push(format!("{folder}/{file}"));
        } else {
            comment(
                out,
                &format!(
                    "not carried over: {}: perhaps a secret, so not printed. Write NAME=value into a file (mode 600) and name it in env_file; `--secrets FOLDER` does both",
                    names.join(", ")
                ),
            );
            let mut wanted = files.clone();
            wanted.push(format!("/etc/greenlight/{file}"));
            line(out, format_args!("# env_file = {}", list(&wanted)));
        }
    }
    if !files.is_empty() {
        line(out, format_args!("env_file = {}", list(&files)));
    }
}

fn write_check(out: &mut String, check: &Check) {
    notes(out, &check.notes);
    match &check.path {
        Some(path) => line(out, format_args!("path = {}", quoted(path))),
        None => out.push_str("kind = \"tcp\"\n"),
    }
    if check.any_good_status {
        out.push_str("expect_status = [200, 204, 301, 302, 304]  # HAProxy took any 2xx or 3xx\n");
    }
    key(out, "host", check.host.as_deref().map(quoted));
    key(out, "port", check.port);
    let duration = |value: Option<Duration>| value.map(|value| quoted(&show_duration(value)));
    key(out, "interval", duration(check.interval));
    key(out, "timeout", duration(check.timeout));
    key(out, "rise", check.rise);
    key(out, "fall", check.fall);
}

/// Writes the section `release`. If the checks could never open the gate before `progress_deadline`, the
/// configuration would not load. So the deadline is raised.
fn write_release(out: &mut String, service: &Service, table: &str) {
    let check = &service.check;
    let round =
        check.interval.unwrap_or(Duration::from_secs(1)) + check.timeout.unwrap_or(Duration::from_secs(2));
    let needed = MIN_HEALTHY_TIME + round * check.rise.unwrap_or(3);
    let deadline = (needed > PROGRESS_DEADLINE).then(|| needed * 2);
    if !service.follow && deadline.is_none() {
        return;
    }
    line(out, format_args!("\n[{table}.release]"));
    if service.follow {
        out.push_str(
            "trigger = \"on_healthy\"         # a color that comes up and passes its checks is released\n",
        );
    }
    key(out, "progress_deadline", deadline.map(|deadline| quoted(&show_duration(deadline))));
}

/// Writes the part about webhooks and notifiers. It is a comment, because it needs secrets that only a
/// person can make.
fn write_messages(out: &mut String, services: &[Service]) {
    let Some(service) = services.iter().find(|service| !service.follow) else { return };
    let image = service.image.as_deref().unwrap_or_default();
    let repository =
        image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(image, |(name, _)| name);
    let on_hub = !repository
        .split('/')
        .next()
        .is_some_and(|first| first.contains(['.', ':']) && repository.contains('/'));
    out.push_str("\n# A push to the registry starts a release, once this is there (`openssl rand -hex 16` makes a token):\n");
    out.push_str("# [hooks]\n# bind = \"0.0.0.0:9901\"\n# [[webhooks]]\n");
    if on_hub {
        out.push_str("# name = \"hub\"\n# kind = \"dockerhub\"\n");
    } else {
        out.push_str("# name = \"registry\"\n# kind = \"registry\"\n");
    }
    line(out, format_args!("# service = {}", quoted(&service.name)));
    out.push_str("# token = { file = \"/etc/greenlight/hook.token\" }\n");
    line(out, format_args!("# allow = [{}]", quoted(&format!("{repository}:*"))));
    out.push_str("# And Slack is told, once the URL of an incoming webhook is in that file:\n");
    out.push_str("# [[notifiers]]\n# kind = \"slack\"\n# url = { file = \"/etc/greenlight/slack.url\" }\n");
}
