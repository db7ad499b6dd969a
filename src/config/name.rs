//! The kinds of value that name something on a network: hosts, addresses, networks, URLs.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use toml::de::DeValue;

use crate::routing::normalize_host;

use super::kind::{text, wrong_type};
use super::walk::{Item, Walk};

/// The longest host name (RFC 1035 section 2.3.4, without the final dot).
pub(super) const HOST_BYTES_MAX: usize = 253;

/// An address and a port to listen on. A name is refused, because it may have several addresses.
pub(super) fn bind(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<SocketAddr> {
    if let DeValue::Integer(port) = item.value {
        wrong_type(walk, item, &format!("an address and a port: \"0.0.0.0:{port}\" or \"127.0.0.1:{port}\""));
        return None;
    }
    let written = text("an address and a port, such as \"0.0.0.0:80\"")(walk, item)?;
    if let Ok(address) = written.parse() {
        return Some(address);
    }
    let message = match written.rsplit_once(':') {
        Some(("" | "*", port)) => {
            format!("has no address: \"0.0.0.0:{port}\" or \"[::]:{port}\" listens on all")
        }
        Some(("localhost", port)) => format!("is a name: \"127.0.0.1:{port}\" is its address"),
        _ if written.parse::<IpAddr>().is_ok() => format!("has no port: \"{}\"", with_port(&written, 80)),
        _ => "is not an address and a port: such as \"0.0.0.0:80\", \"127.0.0.1:8080\" or \"[::]:80\""
            .to_owned(),
    };
    walk.fault(&item.path, message);
    None
}

fn with_port(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// A network. A single address is taken as a network of one.
pub(super) fn network(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<IpNet> {
    let written = text("a network, such as \"10.0.0.0/8\"")(walk, item)?;
    let network = written.parse::<IpNet>().ok().or_else(|| written.parse::<IpAddr>().ok().map(IpNet::from));
    if network.is_none() {
        walk.fault(&item.path, "is not a network: such as \"10.0.0.0/8\", \"192.168.1.7\" or \"fd00::/8\"");
    }
    network.map(|network| network.trunc())
}

/// The address of an endpoint, as `host:port` in lower case. The host is a name or an address.
pub(super) fn address(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<String> {
    if let DeValue::Integer(port) = item.value {
        wrong_type(walk, item, &format!("a host and a port: \"127.0.0.1:{port}\""));
        return None;
    }
    let written = text("a host and a port, such as \"10.0.0.1:8080\"")(walk, item)?;
    check_address(&written).map_err(|message| walk.fault(&item.path, message)).ok()
}

fn check_address(written: &str) -> Result<String, String> {
    if let Some((scheme, rest)) = written.split_once("://") {
        let rest = rest.trim_end_matches('/');
        return Err(format!(
            "is a URL: \"{rest}\" without \"{scheme}://\" (what is spoken there is the key protocol)"
        ));
    }
    if written.parse::<Ipv6Addr>().is_ok() {
        // "::1:80" is a valid address as a whole, but a person who writes it hardly means that.
        return Err(match written.rsplit_once(':') {
            Some((host, port)) if host.parse::<Ipv6Addr>().is_ok() && port.parse::<u16>().is_ok() => {
                format!("needs brackets around an IPv6 address: \"[{host}]:{port}\"")
            }
            _ => format!("has no port: \"[{written}]:8080\""),
        });
    }
    let Some((host, port)) = written.rsplit_once(':') else {
        return Err(format!("has no port: \"{written}:8080\""));
    };
    let port: u16 = match port.parse() {
        Ok(port) if port > 0 => port,
        _ => return Err(format!("has the port \"{port}\": must be a number from 1 to 65535")),
    };
    if let Ok(address) = written.parse::<SocketAddr>() {
        if address.ip().is_unspecified() {
            return Err(format!(
                "is no address that can be connected to: \"127.0.0.1:{port}\" is this machine"
            ));
        }
        return Ok(address.to_string());
    }
    if host.contains(':') {
        return Err(format!("needs brackets around an IPv6 address: \"[{host}]:{port}\""));
    }
    let host = host.to_ascii_lowercase();
    check_host(&host).map_err(|message| format!("has a bad host: it {message}"))?;
    Ok(format!("{host}:{port}"))
}

/// A host as clients send it. It is exact, or `*.` and a suffix. The result has the form in which requests
/// are routed: lower case, no final dot, an IPv6 address in its shortest form.
pub(super) fn host(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<String> {
    let written = text("a host name, such as \"backend.example.org\"")(walk, item)?;
    let host = written.strip_suffix('.').unwrap_or(&written).to_ascii_lowercase();
    let judged = if host == "*" {
        Err("is every host: default = true serves the hosts that no service claims".to_owned())
    } else if let Some(suffix) = host.strip_prefix("*.") {
        check_host(suffix)
            .and_then(|()| if host.len() > HOST_BYTES_MAX { Err("is too long".to_owned()) } else { Ok(()) })
    } else {
        check_host(&host)
    };
    judged.map_err(|message| walk.fault(&item.path, message)).ok().map(|()| normal(host))
}

/// The one normal form of a host, so that two spellings of an address do not look like two hosts.
fn normal(host: String) -> String {
    let (wild, name) = match host.strip_prefix("*.") {
        Some(name) => ("*.", name),
        None => ("", host.as_str()),
    };
    let mut buffer = [0; 256];
    match normalize_host(name.as_bytes(), &mut buffer).map(str::from_utf8) {
        Ok(Ok(name)) => format!("{wild}{name}"),
        _ => host,
    }
}

/// A host without `*.`, for keys where a pattern makes no sense.
pub(super) fn exact_host(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<String> {
    let host = host(walk, item)?;
    if host.starts_with("*.") {
        walk.fault(&item.path, "is a pattern: must be one exact host");
        return None;
    }
    Some(host)
}

/// Checks a host in lower case (RFC 952, RFC 1123 section 2.1). `_` is accepted, because hosts in practice
/// have it.
pub(super) fn check_host(host: &str) -> Result<(), String> {
    if host.contains("://") || host.contains('/') {
        return Err("has more than a host in it: such as \"backend.example.org\"".to_owned());
    }
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner.strip_suffix(']').and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        return match (address, inner.split_once("]:")) {
            (Some(_), _) => Ok(()),
            (None, Some((address, _))) => Err(format!("has a port: \"[{address}]\" (any port is served)")),
            (None, None) => Err("is not an IPv6 address in brackets: such as \"[::1]\"".to_owned()),
        };
    }
    if host.parse::<Ipv6Addr>().is_ok() {
        return Err(format!("needs brackets: \"[{host}]\""));
    }
    if let Some((name, port)) = host.split_once(':') {
        return Err(format!("has a port (\"{port}\"): \"{name}\" (any port is served)"));
    }
    if host.len() > HOST_BYTES_MAX {
        return Err(format!("is longer than a host name may be ({HOST_BYTES_MAX} bytes)"));
    }
    for label in host.split('.') {
        if label.is_empty() {
            return Err("has an empty part between its dots".to_owned());
        }
        if label.len() > 63 {
            return Err("has a part of more than 63 bytes".to_owned());
        }
        if label == "*" || label.contains('*') {
            return Err("has a \"*\" inside: only a leading \"*.\" is a pattern".to_owned());
        }
        if !label.is_ascii() {
            return Err(
                "has letters beyond ASCII: write it in punycode (\"xn--...\"), as clients send it".to_owned()
            );
        }
        if let Some(bad) = label.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')) {
            return Err(format!(
                "has the character {bad:?}: letters, digits, \"-\", \"_\" and dots are allowed"
            ));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("has a part that begins or ends with \"-\"".to_owned());
        }
    }
    Ok(())
}

/// A URL with a host and one of the schemes. A URL with `@` is not shown, because it may hold a password.
pub(super) fn url(schemes: &'static [&'static str]) -> impl Fn(&mut Walk<'_>, &Item<'_>) -> Option<String> {
    move |walk, item| {
        if matches!(item.value, DeValue::String(written) if written.contains('@')) {
            walk.hide(&item.path);
        }
        let written = text("a URL in quotes")(walk, item)?;
        let right = || {
            let starts: Vec<String> = schemes.iter().map(|scheme| format!("\"{scheme}://...\"")).collect();
            starts.join(" or ")
        };
        let sound = written
            .split_once("://")
            .filter(|(scheme, _)| schemes.contains(scheme))
            .is_some_and(|(_, rest)| !rest.trim_start_matches('/').is_empty());
        if !sound || written.chars().any(|c| c.is_whitespace() || c.is_control()) {
            walk.fault(&item.path, format!("is not a URL of a known kind: must be {}", right()));
            return None;
        }
        Some(written)
    }
}

/// Checks the name of a service or webhook. The name stands in URLs, labels and release ids.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let fits = (1..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if fits {
        return Ok(());
    }
    Err("is not a name: 1 to 63 lower-case letters, digits and \"-\", such as \"backend\"".to_owned())
}

/// Checks the path of a request-target.
pub(super) fn check_path(path: &str) -> Result<(), String> {
    if !path.starts_with('/') {
        return Err(format!("must begin with \"/\": \"/{}\"", path.chars().take(40).collect::<String>()));
    }
    match path.chars().find(|c| !c.is_ascii_graphic() || *c == '#') {
        Some(bad) => {
            Err(format!("holds {bad:?}: a path is visible ASCII without \"#\" (percent-encode the rest)"))
        }
        None => Ok(()),
    }
}
