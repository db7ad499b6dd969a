//! The formats of logs, and how one is recognized.

use super::line::{Parsed, ServiceFilter};
use super::{caddy, combined, greenlight, haproxy};

/// A format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Our own JSON lines.
    Greenlight,
    /// HAProxy's `option httplog`.
    Haproxy,
    /// nginx's and Apache's `combined`.
    Combined,
    /// Caddy's JSON.
    Caddy,
}

impl Format {
    pub const ALL: [Self; 4] = [Self::Greenlight, Self::Haproxy, Self::Combined, Self::Caddy];

    /// The format of a line, if it is of one that is known.
    pub fn of(line: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.parse(line, &mut ServiceFilter::default()).is_some())
    }

    /// What a line says; `None` if it is not of this format.
    pub fn parse(self, line: &[u8], filter: &mut ServiceFilter) -> Option<Parsed> {
        match self {
            Self::Greenlight => greenlight::parse(line, filter),
            Self::Haproxy => haproxy::parse(line),
            Self::Combined => combined::parse(line),
            Self::Caddy => caddy::parse(line),
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Greenlight => "greenlight",
            Self::Haproxy => "haproxy",
            Self::Combined => "combined",
            Self::Caddy => "caddy",
        }
    }
}
