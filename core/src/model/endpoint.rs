//! One container or process that can serve requests, and its health.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::EndpointId;

/// One container or process that serves a color.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// The id, unique over all services.
    pub id: EndpointId,
    /// The address at which it listens.
    pub address: SocketAddr,
    /// Where it is probed, if that is neither its own address nor another port of the same machine.
    #[serde(default)]
    pub probe: Option<SocketAddr>,
}

/// The health of an endpoint, as the thresholds `rise` and `fall` derive it from its probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Too few probes have answered to say whether the endpoint is up or down.
    #[default]
    Unknown,
    /// `rise` probes in a row have passed since the endpoint was unknown or unhealthy.
    Healthy,
    /// `fall` probes in a row have failed since the endpoint was unknown or healthy.
    Unhealthy,
}

impl Health {
    /// The name in lower case, as in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
