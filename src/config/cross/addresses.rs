//! Finds addresses that are taken twice, or open to more machines than they should be.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};

use crate::config::binds::clash;
use crate::config::walk::Walk;
use crate::config::{Config, Service, Upstream};
use crate::model::Color;

use super::key;

/// Two sockets can't have the same address. Nor can one socket have all addresses of a family while another
/// has one of them.
pub(super) fn binds(walk: &mut Walk<'_>, config: &Config) {
    let mut taken: Vec<(String, SocketAddr)> = Vec::new();
    for (path, bind) in config.binds() {
        if !walk.sound(&[&path]) {
            continue;
        }
        let Some((first, other)) = taken.iter().find(|(_, other)| clash(bind, *other)) else {
            taken.push((path, bind));
            continue;
        };
        let right = "each needs an address or a port of its own";
        let message = if bind == *other {
            format!("is taken by {first} already: {right}")
        } else {
            format!("overlaps {first} = \"{other}\", which is taken already: {right}")
        };
        walk.fault(&path, message);
    }
    for (path, bind) in config.binds() {
        let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, bind.port()));
        let is_whole = config.binds().any(|(_, other)| other == everywhere);
        if config.is_ipv6_only(bind) && !is_whole && walk.sound(&[&path]) {
            walk.warn(
                &path,
                format!("is IPv6 alone, since a bind of IPv4 has its port: \"{everywhere}\" in place of that one is all of IPv4"),
            );
        }
    }
}

/// Requires a token and TLS where other machines can reach the admin API, since its clients can move all
/// traffic.
pub(super) fn admin(walk: &mut Walk<'_>, config: &Config) {
    let admin = &config.admin;
    if admin.bind.ip().is_loopback() || !walk.sound(&["admin"]) {
        return;
    }
    let missing = match (&admin.token, &admin.tls) {
        (Some(_), Some(_)) => return,
        (None, Some(_)) => "admin.token",
        (Some(_), None) => "admin.tls",
        (None, None) => "admin.token and admin.tls",
    };
    walk.fault(
        "admin.bind",
        format!(
            "is open to other machines and lacks {missing}: set what is missing, or bind \"127.0.0.1:{}\"",
            admin.bind.port()
        ),
    );
}

/// The addresses of a fixed upstream, with their key paths. A color with a fault in its list is left out,
/// because a list that lost an element to a fault has other indices than the file.
fn listed(walk: &Walk<'_>, service: &Service) -> Vec<(Color, String, String)> {
    let Upstream::Fixed { addresses, .. } = &service.upstream else { return Vec::new() };
    let mut listed = Vec::new();
    for (color, list) in addresses.iter() {
        let path = key(service, &format!("upstream.{color}"));
        if walk.sound(&[&path]) {
            let places = list.iter().enumerate();
            listed
                .extend(places.map(|(index, address)| (color, format!("{path}[{index}]"), address.clone())));
        }
    }
    listed
}

pub(super) fn upstream(walk: &mut Walk<'_>, config: &Config, service: &Service) {
    let listed = listed(walk, service);
    colors(walk, &listed);
    loops(walk, config, &listed);
}

/// Refuses an address that is listed twice. Traffic could never be switched away from an address of both
/// colors.
fn colors(walk: &mut Walk<'_>, listed: &[(Color, String, String)]) {
    let mut taken: HashMap<String, Color> = HashMap::new();
    for (color, place, address) in listed {
        // `localhost` is the one name that stands for the same address everywhere.
        let same = address.replace("localhost:", "127.0.0.1:");
        match taken.get(&same) {
            Some(first) if first == color => {
                walk.fault(place, format!("{address} is in this color twice: remove one"));
            }
            Some(first) => {
                walk.fault(
                    place,
                    format!("{address} is an address of {first} too: the colors must share none"),
                );
            }
            None => {
                taken.insert(same, *color);
            }
        }
    }
}

/// Refuses an endpoint that is one of greenlight's own listeners. It would send requests round in a circle
/// forever.
fn loops(walk: &mut Walk<'_>, config: &Config, listed: &[(Color, String, String)]) {
    let mut binds = config.listener_binds();
    binds.push(config.admin.bind);
    for (_, place, address) in listed {
        let Ok(address) = address.replace("localhost:", "127.0.0.1:").parse::<SocketAddr>() else { continue };
        let ours = |bind: &&SocketAddr| {
            let takes = !(address.is_ipv4() && config.is_ipv6_only(**bind));
            bind.port() == address.port()
                && (bind.ip() == address.ip()
                    || (bind.ip().is_unspecified() && address.ip().is_loopback() && takes))
        };
        if let Some(bind) = binds.iter().find(ours) {
            let right = "must be an upstream process";
            walk.fault(place, format!("{address} is greenlight itself, which listens on {bind}: {right}"));
        }
    }
}
