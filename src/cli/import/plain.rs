//! A file without a load balancer. Its services publish ports, or are the two colors of one service, and no
//! setting names a host.

use std::collections::BTreeSet;

use super::compose::Unit;
use super::pair::{Group, groups};
use super::plan::Plan;

/// Ports of databases, caches, brokers and the like, which speak no HTTP.
const NOT_HTTP: &[u16] = &[
    21, 22, 25, 53, 110, 143, 389, 465, 587, 636, 993, 995, 1433, 1521, 1883, 2181, 3306, 4222, 5432, 5672,
    6379, 6432, 7687, 9042, 9092, 11211, 27017, 33060,
];

/// The services that a front door would serve: those that publish a port that may speak HTTP, and pairs whose
/// names have the two colors.
pub(crate) fn apps(units: &[Unit]) -> Vec<&Unit> {
    let all: Vec<&Unit> = units.iter().collect();
    let paired: BTreeSet<&str> = groups(&all)
        .iter()
        .filter_map(|group| match group {
            Group::Pair { members, .. } => Some([members.blue.name.as_str(), members.green.name.as_str()]),
            Group::Single(_) => None,
        })
        .flatten()
        .collect();
    let publishes = |unit: &Unit| unit.ports.iter().any(|port| !NOT_HTTP.contains(&port.container));
    all.into_iter().filter(|unit| paired.contains(unit.name.as_str()) || publishes(unit)).collect()
}

/// Gives each service a host, and the plan the listeners of the published ports. A single service gets every
/// host. Of several, the hosts are a guess.
pub(crate) fn hosts(plan: &mut Plan, apps: &[&Unit]) {
    let published =
        apps.iter().flat_map(|unit| &unit.ports).filter(|port| !NOT_HTTP.contains(&port.container));
    let mut listeners: Vec<String> = published
        .filter_map(|port| Some(format!("{}:{}", port.address.as_deref().unwrap_or("0.0.0.0"), port.host?)))
        .filter(|address| address.parse::<std::net::SocketAddr>().is_ok())
        .collect();
    let mut seen = BTreeSet::new();
    listeners.retain(|address| seen.insert(address.clone()));
    if !listeners.is_empty() {
        plan.listeners = listeners;
    }
    let single = plan.services.len() == 1;
    for service in &mut plan.services {
        if single {
            service.default = true;
            service.notes.push("ports: no setting names a host, so every host leads here".to_owned());
        } else if service.hosts.is_empty() {
            let host = format!("{}.example.org", service.name);
            service.notes.push(format!(
                "ports: a host chooses the service here, and not the port: {host} is a guess, write the right one"
            ));
            service.hosts.push(host);
        }
    }
}
