//! Checks that every host leads to one service and, as a preview host, to one color.

use std::collections::HashMap;

use crate::config::walk::Walk;
use crate::config::{Config, Service};

use super::key;

/// The service that has a host.
#[derive(Clone, Debug)]
struct Owner {
    service: String,
    /// How the service has it: "a host", or "the green preview host".
    what: String,
}

pub(super) fn check(walk: &mut Walk<'_>, config: &Config) {
    let mut owners: HashMap<String, Owner> = HashMap::new();
    // Public hosts come first. If a public host and a preview host are equal, the preview host is the one
    // at fault.
    for service in &config.services {
        let path = key(service, "hosts");
        if !walk.sound(&[&path]) {
            continue;
        }
        for (index, host) in service.hosts.iter().enumerate() {
            claim(walk, &mut owners, service, "a host", host, &format!("{path}[{index}]"));
        }
    }
    for service in &config.services {
        let path = key(service, "preview_hosts");
        if !walk.sound(&[&path, &key(service, "hosts")]) {
            continue;
        }
        for (color, hosts) in service.preview_hosts.iter() {
            for host in hosts {
                let own = format!("{path}.{color}");
                let place = if walk.places.contains_key(&own) { &own } else { &path };
                claim(walk, &mut owners, service, &format!("the {color} preview host"), host, place);
            }
        }
    }
    defaults(walk, config);
}

fn claim(
    walk: &mut Walk<'_>,
    owners: &mut HashMap<String, Owner>,
    service: &Service,
    what: &str,
    host: &str,
    path: &str,
) {
    let owner = Owner { service: service.name.to_string(), what: what.to_owned() };
    let Some(first) = owners.get(host) else {
        owners.insert(host.to_owned(), owner);
        return;
    };
    let whose = if first.service == owner.service {
        format!("{} of this service already", first.what)
    } else {
        format!("{} of the service \"{}\" already", first.what, first.service)
    };
    let right = if what == "a host" {
        "a host leads to one service"
    } else {
        "set preview_hosts to false, or to { blue = \"...\", green = \"...\" } with names of their own"
    };
    walk.fault(path, format!("\"{host}\" would be {what} here, and is {whose}: {right}"));
}

fn defaults(walk: &mut Walk<'_>, config: &Config) {
    let mut first: Option<&Service> = None;
    for service in config.services.iter().filter(|service| service.default) {
        match first {
            None => first = Some(service),
            Some(first) => walk.fault(
                &key(service, "default"),
                format!("the service \"{}\" is the default one already: only one can be", first.name),
            ),
        }
    }
}
