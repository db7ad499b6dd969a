//! Makes a plan from the services of a file. It finds the pairs, and gives each name and each host to only
//! one service.

use std::collections::{BTreeMap, BTreeSet};

use super::compose::{Project, Unit};
use super::front::{self, Front};
use super::pair;
use super::plan::{Plan, Preview, Service};
use super::{ImportFault, Source, plain, service, sound};
use crate::model::Color;

pub(crate) fn from_project(source: &Source<'_>, project: &Project) -> Result<Plan, ImportFault> {
    let front = Front::find(&project.units);
    let mut apps: Vec<&Unit> = project.units.iter().filter(|unit| front.serves(unit)).collect();
    let named = !apps.is_empty();
    if !named {
        apps = plain::apps(&project.units);
    }
    if apps.is_empty() {
        return Err(ImportFault::NothingToServe);
    }
    let mut plan = Plan {
        from: source.name.to_owned(),
        secrets: source.secrets.map(str::to_owned),
        ..front::plan(front, &apps)
    };
    for group in pair::groups(&apps) {
        plan.services.push(service::service(source, front, &group));
    }
    plan.notes.extend(project.notes.iter().cloned());
    if !named {
        plain::hosts(&mut plan, &apps);
    }
    // If greenlight gets all services of the file, no other service has to be reached by its name. Then
    // the services do not need the project's own network.
    let others: Vec<&str> =
        project.units.iter().filter(|unit| front.leaves(unit)).map(|unit| unit.name.as_str()).collect();
    let others: Vec<&str> =
        others.into_iter().filter(|name| apps.iter().all(|app| app.name != *name)).collect();
    if others.is_empty() {
        for service in plan.services.iter_mut().filter(|service| !service.follow) {
            service.keep_external_networks();
        }
    } else {
        plan.notes.push(format!(
            "services.{}: no host leads there; left to compose. They reach the services below by a host of \
             greenlight, no longer by their names",
            others.join(", services.")
        ));
    }
    if !project.unset.is_empty() {
        let names: Vec<&str> = project.unset.iter().map(String::as_str).collect();
        plan.notes.push(format!("{}: used in the file, not set here, and so empty", names.join(", ")));
    }
    settle(&mut plan);
    Ok(plan)
}

/// Makes the names, the hosts and the default of the services unique, because only one service can have
/// each. A service without a host is dropped with a note.
pub(crate) fn settle(plan: &mut Plan) {
    plan.services.iter_mut().for_each(sound::sound);
    let mut names = BTreeSet::new();
    for service in &mut plan.services {
        let wanted = service.name.clone();
        let mut number = 2;
        while !names.insert(service.name.clone()) {
            service.name = format!("{wanted}-{number}");
            number += 1;
        }
    }
    let mut has_default = false;
    for service in &mut plan.services {
        if service.default && std::mem::replace(&mut has_default, true) {
            service.default = false;
            service.notes.push("only one service can be the default one".to_owned());
        }
    }
    let hosts = claim_hosts(&mut plan.services);
    let (kept, dropped): (Vec<_>, Vec<_>) = std::mem::take(&mut plan.services)
        .into_iter()
        .partition(|service| service.default || !service.hosts.is_empty());
    plan.services = kept;
    for service in dropped {
        plan.notes.push(format!("{}: no host is left to it: {}", service.name, service.notes.join("; ")));
    }
    // The preview host blue.HOST or green.HOST of one service may be a host of another service.
    for service in &mut plan.services {
        let clashes = service
            .hosts
            .iter()
            .any(|host| Color::ALL.iter().any(|color| hosts.contains(&format!("{color}.{host}"))));
        if service.preview.is_none() && clashes {
            service.preview = Some(Preview::Off);
        }
    }
}

/// Gives each host to one service, and returns all hosts. A service that asks for the whole host goes
/// before a service that asks for one path of it. Between equals the first service wins.
fn claim_hosts(services: &mut [Service]) -> BTreeSet<String> {
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    for whole in [true, false] {
        for (number, service) in services.iter().enumerate() {
            for host in service.hosts.iter().filter(|host| service.paths.contains_key(*host) != whole) {
                owners.entry(host.clone()).or_insert(number);
            }
        }
    }
    for (number, service) in services.iter_mut().enumerate() {
        for host in std::mem::take(&mut service.hosts) {
            let path = service.paths.get(&host).map_or("", String::as_str);
            if owners.get(&host) != Some(&number) {
                service.notes.push(format!(
                    "VIRTUAL_HOST: {host}{path}: {host} leads to another service; paths do not route"
                ));
                continue;
            }
            if !path.is_empty() {
                service.notes.push(format!(
                    "VIRTUAL_HOST: {host}{path}: every path of {host} leads here; paths do not route"
                ));
            }
            service.hosts.push(host);
        }
    }
    owners.into_keys().collect()
}
