//! The client's side of a connection, as the origin is told of it.

use std::net::IpAddr;

/// The scheme a client used towards us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    #[default]
    Http,
    Https,
}

impl Scheme {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that is meant when none is named.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Who is at the other end of a client connection; the same for all of its requests.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The address at the other end of the socket (or from PROXY protocol).
    pub address: IpAddr,
    pub scheme: Scheme,
    /// The port the client connected to, for `X-Forwarded-Port`.
    pub port: u16,
    /// Whether the address is in `trusted_proxies`: its `X-Forwarded-*` and `X-Request-Id` are
    /// then kept.
    pub trusted: bool,
}

impl Peer {
    /// IPv4 addresses mapped into IPv6 (a dual-stack listener) are taken as what they are.
    pub fn new(address: IpAddr, scheme: Scheme, port: u16, trusted_proxies: &[ipnet::IpNet]) -> Self {
        let address = address.to_canonical();
        let trusted = trusted_proxies.iter().any(|net| net.contains(&address));
        Self { address, scheme, port, trusted }
    }
}
