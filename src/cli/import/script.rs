//! Makes a plan from the environment of the blue/green script for Docker Cloud.
//!
//! The script asked the registry with DOCKERHUB_USER and DOCKERHUB_PASS. It scaled BLUE_INSTANCE or
//! GREEN_INSTANCE of the namespace DOCKERCLOUD_NAMESPACE to TARGET_NUM_CONTAINERS, waited until BLUE_URL
//! or GREEN_URL answered, and moved the load.

use super::assemble::settle;
use super::check::Check;
use super::host::{self, VirtualHost};
use super::plan::{Plan, Preview, Service};
use super::service::name;
use super::{ImportFault, Variables};
use crate::model::{Color, PerColor};

const BLUE_URL: &str = "BLUE_URL";
const GREEN_URL: &str = "GREEN_URL";

/// The value of a variable, if it is set and not blank.
fn said<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
    variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

pub(crate) fn plan(variables: &Variables) -> Result<Plan, ImportFault> {
    let urls = PerColor {
        blue: url(BLUE_URL, said(variables, BLUE_URL).ok_or(ImportFault::NoScript)?)?,
        green: url(GREEN_URL, said(variables, GREEN_URL).ok_or(ImportFault::NoScript)?)?,
    };
    let mut service = Service {
        check: Check {
            path: Some(if urls.blue.path.is_empty() { "/".to_owned() } else { urls.blue.path.clone() }),
            ..Check::default()
        },
        ..Service::default()
    };
    if urls.blue.path != urls.green.path {
        service.notes.push(
            "BLUE_URL and GREEN_URL have different paths: the first is taken for the checks".to_owned(),
        );
    }
    hosts(&mut service, &urls);
    image(&mut service, variables);
    service.replicas = match said(variables, "TARGET_NUM_CONTAINERS").map(str::parse) {
        Some(Ok(count)) if (1..=1000).contains(&count) => count,
        Some(_) => {
            service.notes.push("TARGET_NUM_CONTAINERS is not a number of containers: 1 is taken".to_owned());
            1
        }
        None => 1,
    };
    if said(variables, "DOCKERHUB_USER").is_some() && said(variables, "DOCKERHUB_PASS").is_some() {
        service.registry_auth = Some(("DOCKERHUB_USER", "DOCKERHUB_PASS"));
    }
    let mut plan = Plan {
        from: "the environment of the blue/green script".to_owned(),
        listeners: vec!["0.0.0.0:80".to_owned()],
        services: vec![service],
        ..Plan::default()
    };
    if urls.blue.wants_tls() || urls.green.wants_tls() {
        plan.tls = Some(super::plan::Tls::default());
    }
    settle(&mut plan);
    Ok(plan)
}

fn url(name: &'static str, text: &str) -> Result<VirtualHost, ImportFault> {
    // Without the check `is_plain`, a password in the URL would be printed as a part of the host.
    host::parse(text).into_iter().next().filter(VirtualHost::is_plain).ok_or(ImportFault::BadUrl { name })
}

/// If the URLs name `blue.HOST` and `green.HOST`, these are the default preview hosts of HOST. Other hosts
/// are written as `preview_hosts`.
fn hosts(service: &mut Service, urls: &PerColor<VirtualHost>) {
    let beneath = |color: Color| urls[color].host.strip_prefix(color.as_str())?.strip_prefix('.');
    match (beneath(Color::Blue), beneath(Color::Green)) {
        (Some(one), Some(same)) if one == same => service.hosts = vec![one.to_owned()],
        _ => {
            let public =
                urls.blue.host.split_once('.').map_or("backend.example.org", |(_, rest)| rest).to_owned();
            service.notes.push(format!(
                "hosts: \"{public}\" is a guess: BLUE_URL and GREEN_URL do not say which host clients ask for"
            ));
            service.hosts = vec![public];
            service.preview = Some(Preview::Chosen(PerColor {
                blue: urls.blue.host.clone(),
                green: urls.green.host.clone(),
            }));
        }
    }
    let mut ports = [urls.blue.port, urls.green.port].into_iter().flatten();
    if let Some(port) = ports.find(|port| !matches!(port, 80 | 443)) {
        service
            .notes
            .push(format!("port {port} of BLUE_URL or GREEN_URL: listeners say where clients come in"));
    }
}

fn image(service: &mut Service, variables: &Variables) {
    // Docker Cloud writes an instance as SERVICE.STACK.
    let instance =
        |name: &str| said(variables, name).map(|text| text.split('.').next().unwrap_or(text).to_owned());
    let base = instance("BLUE_INSTANCE").or_else(|| instance("GREEN_INSTANCE"));
    let base = base.map(|text| {
        let lower = text.to_ascii_lowercase();
        let bare = Color::ALL.iter().fold(lower, |text, color| text.replace(color.as_str(), ""));
        name(&bare.replace("--", "-").replace("__", "_"))
    });
    let host = service.hosts.first().and_then(|host| host.split('.').next()).unwrap_or("backend").to_owned();
    service.name = name(base.as_deref().filter(|base| !base.is_empty()).unwrap_or(&host));
    let image = match said(variables, "DOCKERCLOUD_NAMESPACE").or_else(|| said(variables, "DOCKERHUB_USER")) {
        Some(namespace) => format!("{}/{}:latest", namespace.to_ascii_lowercase(), service.name),
        None => format!("{}:latest", service.name),
    };
    service.notes.push(format!("image: {image} is a guess: Docker Cloud knew the image, the script did not"));
    service.image = Some(image);
}
