//! Addresses that are taken twice, or open to more than they should be.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::config::walk::Walk;
use crate::config::{Config, Service, Upstream};
use crate::model::Color;

use super::key;

/// Two sockets can't have one address. (Port 0 is another port each time.)
pub(super) fn binds(walk: &mut Walk<'_>, config: &Config) {
    let listeners = config
        .listeners
        .iter()
        .enumerate()
        .map(|(index, listener)| (format!("listeners[{index}].bind"), listener.bind));
    let hooks = config.hooks.bind.map(|bind| ("hooks.bind".to_owned(), bind));
    let all = listeners.chain([("admin.bind".to_owned(), config.admin.bind)]).chain(hooks);
    let mut taken: HashMap<SocketAddr, String> = HashMap::new();
    for (path, bind) in all {
        if bind.port() == 0 || !walk.sound(&[&path]) {
            continue;
        }
        if let Some(first) = taken.get(&bind) {
            walk.fault(
                &path,
                format!("{bind} is taken by {first} already: each needs an address or a port of its own"),
            );
        } else {
            taken.insert(bind, path);
        }
    }
}

/// Whoever reaches the admin API can move all traffic.
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
            "is open to other machines without {missing}: add them, or bind \"127.0.0.1:{}\"",
            admin.bind.port()
        ),
    );
}

/// An address of both colours could never be switched away from.
pub(super) fn colors(walk: &mut Walk<'_>, service: &Service) {
    let Upstream::Fixed { addresses, .. } = &service.upstream else { return };
    let mut taken: HashMap<&str, Color> = HashMap::new();
    for (color, list) in addresses.iter() {
        let path = key(service, &format!("upstream.{color}"));
        if !walk.sound(&[&path]) {
            continue;
        }
        for (index, address) in list.iter().enumerate() {
            let place = format!("{path}[{index}]");
            match taken.get(address.as_str()) {
                Some(first) if *first == color => {
                    walk.fault(&place, format!("{address} is in this colour twice: remove one"));
                }
                Some(first) => walk.fault(
                    &place,
                    format!("{address} is an address of {first} too: the colours must share none"),
                ),
                None => {
                    taken.insert(address, color);
                }
            }
        }
    }
}

/// An endpoint that is one of our own listeners would send requests round for ever.
pub(super) fn loops(walk: &mut Walk<'_>, config: &Config, service: &Service) {
    let Upstream::Fixed { addresses, .. } = &service.upstream else { return };
    for (color, list) in addresses.iter() {
        let path = key(service, &format!("upstream.{color}"));
        if !walk.sound(&[&path]) {
            continue;
        }
        for (index, address) in list.iter().enumerate() {
            let address = address.replace("localhost:", "127.0.0.1:");
            let Ok(address) = address.parse::<SocketAddr>() else { continue };
            let ours = |bind: SocketAddr| {
                bind.port() == address.port()
                    && (bind.ip() == address.ip()
                        || (bind.ip().is_unspecified() && address.ip().is_loopback()))
            };
            let binds = config.listeners.iter().map(|listener| listener.bind).chain([config.admin.bind]);
            if let Some(bind) = binds.into_iter().find(|bind| ours(*bind)) {
                walk.fault(
                    &format!("{path}[{index}]"),
                    format!(
                        "{address} is greenlight itself, which listens on {bind}: must be an upstream process"
                    ),
                );
            }
        }
    }
}
