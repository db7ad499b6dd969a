//! Reads `ports` and `expose`: the ports that a container listens on, and the addresses where they are
//! published.

use serde_json::Value;

use super::yaml::{Table, text, text_of};

/// One published port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    /// The address of the host, if the file names one.
    pub address: Option<String>,
    /// The port of the host. `None` means any free port.
    pub host: Option<u16>,
    /// The port of the container.
    pub container: u16,
}

/// Reads `80`, `"8080:80"`, `"127.0.0.1:8080:80/tcp"`, or `{ target, published, host_ip, protocol }`.
/// UDP ports and ranges of container ports are left out, because a front door does not serve them.
pub(crate) fn ports(value: &Value) -> Vec<Port> {
    let Value::Array(items) = value else { return Vec::new() };
    items
        .iter()
        .filter_map(|item| match item {
            Value::Object(table) => long(table),
            scalar => short(&text(scalar)?),
        })
        .collect()
}

fn long(table: &Table) -> Option<Port> {
    if text_of(table, "protocol").is_some_and(|protocol| protocol != "tcp") {
        return None;
    }
    Some(Port {
        address: text_of(table, "host_ip"),
        host: text_of(table, "published").and_then(|port| port.parse().ok()),
        container: text_of(table, "target")?.parse().ok()?,
    })
}

fn short(text: &str) -> Option<Port> {
    let text = match text.split_once('/') {
        Some((text, "tcp")) => text,
        Some(_) => return None,
        None => text,
    };
    let (before, container) =
        text.rsplit_once(':').map_or((None, text), |(before, last)| (Some(before), last));
    let container = container.parse().ok()?;
    let Some(before) = before else { return Some(Port { address: None, host: None, container }) };
    let (address, host) =
        before.rsplit_once(':').map_or((None, before), |(address, host)| (Some(address), host));
    Some(Port { address: address.map(str::to_owned), host: host.parse().ok(), container })
}

/// Reads a list such as `expose: ["8080", "9000/tcp"]`.
pub(crate) fn expose(value: &Value) -> Vec<u16> {
    super::yaml::texts(value)
        .iter()
        .filter_map(|item| item.strip_suffix("/tcp").unwrap_or(item).parse().ok())
        .collect()
}
