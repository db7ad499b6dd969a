//! Which service and color a container belongs to, and where it is reached. Pure.

use std::net::{IpAddr, SocketAddr};

use crate::config::Docker;
use crate::model::{Color, Endpoint, EndpointId, PerColor, ReleaseId, ServiceName};

use super::container::Container;

/// The rules by which a container belongs to a service.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    pub service: &'a ServiceName,
    pub config: &'a Docker,
    /// Whether somebody else runs the containers, and greenlight follows them.
    pub follow: bool,
    pub hosts: &'a [String],
    pub preview_hosts: &'a PerColor<Vec<String>>,
}

/// A container that belongs to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub color: Color,
    /// The release that it belongs to. `None` if somebody else runs it.
    pub set: Option<ReleaseId>,
    /// The endpoint for requests; `None` while the container does not run. `Err` says why it can't be
    /// reached.
    pub endpoint: Result<Option<Endpoint>, String>,
}

/// How many characters of an id are shown, the same as in `docker ps`.
const ID_CHARS: usize = 12;

/// A container's place in a service. `None` if it does not belong to the service.
#[must_use]
pub fn place(rules: &Rules<'_>, container: &Container, host: IpAddr) -> Option<Placed> {
    let (color, set) = owner(rules, container)?;
    let endpoint = |address: SocketAddr| Endpoint {
        id: EndpointId::new(container.id.chars().take(ID_CHARS).collect::<String>()),
        address,
        probe: container.probe_address(rules.config, host),
    };
    let endpoint = if container.running {
        container
            .address(rules.config, host)
            .map(|address| Some(endpoint(address)))
            .map_err(|why| format!("container {}: {why}", container.name))
    } else {
        Ok(None)
    };
    Some(Placed { color, set, endpoint })
}

fn owner(rules: &Rules<'_>, container: &Container) -> Option<(Color, Option<ReleaseId>)> {
    if let Some(marks) = &container.marks {
        if marks.service != *rules.service {
            return None;
        }
        // A container with a release is greenlight's own. Without one, somebody else has marked it to be
        // followed.
        return match (&marks.set, rules.follow) {
            (Some(set), false) => Some((marks.color, Some(set.clone()))),
            (_, true) => Some((marks.color, None)),
            (None, false) => None,
        };
    }
    if !rules.follow {
        return None;
    }
    virtual_color(rules, container.virtual_host.as_deref()?).map(|color| (color, None))
}

/// The color that a `VIRTUAL_HOST` names. One of its hosts is a preview host of that color, and no host is
/// one of the other color. The service's own host alone says nothing about a color.
fn virtual_color(rules: &Rules<'_>, virtual_host: &str) -> Option<Color> {
    let hosts: Vec<String> = virtual_host.split(',').filter_map(bare_host).collect();
    let names = |color: Color| rules.preview_hosts[color].iter().any(|preview| hosts.contains(preview));
    match (names(Color::Blue), names(Color::Green)) {
        (true, false) => Some(Color::Blue),
        (false, true) => Some(Color::Green),
        (true, true) | (false, false) => None,
    }
}

/// Whether a container says that it serves the service's host, but does not say for which color.
#[must_use]
pub fn names_host_only(rules: &Rules<'_>, container: &Container) -> bool {
    let Some(virtual_host) = container.virtual_host.as_deref().filter(|_| container.marks.is_none()) else {
        return false;
    };
    rules.follow
        && container.running
        && virtual_color(rules, virtual_host).is_none()
        && virtual_host.split(',').filter_map(bare_host).any(|host| rules.hosts.contains(&host))
}

/// The host of one entry of a `VIRTUAL_HOST`, whose form is `[scheme://]host[:port][/path]`.
fn bare_host(entry: &str) -> Option<String> {
    let entry = entry.trim();
    let entry = entry.split_once("://").map_or(entry, |(_, rest)| rest);
    let host = entry.split('/').next()?.split(':').next()?.trim_end_matches('.');
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}
