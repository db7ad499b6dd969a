//! The formats of logs, and how the replay recognizes one.

use super::line::{Parsed, ServiceFilter};
use super::{caddy, combined, envoy, greenlight, haproxy, nginx_json, traefik};

/// A format that the replay can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// greenlight's own JSON lines.
    Greenlight,
    /// HAProxy's `option httplog` and `option httpslog`.
    Haproxy,
    /// nginx's and Apache's `combined`.
    Combined,
    /// Caddy's JSON.
    Caddy,
    /// Traefik's JSON.
    Traefik,
    /// Envoy's JSON.
    Envoy,
    /// nginx's JSON.
    NginxJson,
}

impl Format {
    /// All formats, in the order in which a line is tried.
    pub const ALL: [Self; 7] = [
        Self::Greenlight,
        Self::Haproxy,
        Self::Combined,
        Self::Caddy,
        Self::Traefik,
        Self::Envoy,
        Self::NginxJson,
    ];

    /// The first format that can read the line. `None` if no format can.
    pub fn of(line: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.parse(line, &mut ServiceFilter::default()).is_some())
    }

    /// Reads a line. `None` if the line is not in this format.
    pub fn parse(self, line: &[u8], filter: &mut ServiceFilter) -> Option<Parsed> {
        match self {
            Self::Greenlight => greenlight::parse(line, filter),
            Self::Haproxy => haproxy::parse(line),
            Self::Combined => combined::parse(line),
            Self::Caddy => caddy::parse(line),
            Self::Traefik => traefik::parse(line, filter),
            Self::Envoy => envoy::parse(line),
            Self::NginxJson => nginx_json::parse(line),
        }
    }

    /// The name of the format in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Greenlight => "greenlight",
            Self::Haproxy => "haproxy",
            Self::Combined => "combined",
            Self::Caddy => "caddy",
            Self::Traefik => "traefik",
            Self::Envoy => "envoy",
            Self::NginxJson => "nginx-json",
        }
    }
}
