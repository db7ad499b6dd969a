//! Whether the credentials of a registry may be sent to the token server that it names. Pure.

use std::net::{IpAddr, Ipv6Addr};

use reqwest::Url;

/// Checks the realm of a challenge against the registry's own address.
///
/// A registry may name a token server elsewhere, as the Docker Hub does. It must speak HTTPS, and must be no
/// address of this machine or of its link, where a metadata service could be asked with our credentials. The
/// registry's own host is always good: it has the credentials already.
///
/// # Errors
/// Why the credentials are not sent there, with the realm.
pub(crate) fn check(realm: &Url, registry: &str) -> Result<(), String> {
    let own = Url::parse(registry).ok();
    let same_host = own.as_ref().is_some_and(|own| own.host_str() == realm.host_str());
    let plain_allowed = own.as_ref().is_some_and(|own| own.scheme() == "http");
    let refuse = |why: &str| {
        let place = format!("{}://{}", realm.scheme(), realm.host_str().unwrap_or_default());
        Err(format!("its realm {place} {why}: no credentials are sent there"))
    };
    match realm.scheme() {
        "https" => {}
        "http" if same_host && plain_allowed => return Ok(()),
        "http" => return refuse("is not https"),
        _ => return refuse("is no web address"),
    }
    let host = realm.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if let Ok(address) = host.parse::<IpAddr>()
        && is_link_local(address)
    {
        return refuse("is an address of the link");
    }
    if same_host {
        return Ok(());
    }
    let local_name = host == "localhost" || host.ends_with(".localhost");
    let loopback = host
        .parse::<IpAddr>()
        .is_ok_and(|address| plain(address).is_loopback() || plain(address).is_unspecified());
    if local_name || loopback {
        return refuse("is this machine, and the registry is not");
    }
    Ok(())
}

/// An IPv4 address that is written as an IPv6 one, as itself.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match plain(address) {
        IpAddr::V4(four) => four.is_link_local(),
        IpAddr::V6(six) => Ipv6Addr::is_unicast_link_local(&six),
    }
}

#[cfg(test)]
mod tests;
