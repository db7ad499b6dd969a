//! The first failing requests of a bake. They show people which requests failed, and how.

use serde::{Deserialize, Serialize};

/// The number of failing requests that are kept of a release, and of one second of it.
pub const FAILURES_MAX: usize = 20;

/// A request that failed or was slow. It has no query, no client and no header, so nothing in it is
/// secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FailedRequest {
    /// When the request was counted, as RFC 3339 in UTC.
    pub time: String,
    /// Method and path with ids folded, such as `GET /orders/{id}`.
    pub route: String,
    /// The origin's status; absent if there was no response head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The cause in words, if the status does not say it, such as `no response head within 1.2 s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The endpoint's address; absent if there was no endpoint for the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Whether the latency rule counted the request. If not, the error rule did.
    pub slow: bool,
}
