//! The first failing requests of a bake, for people: what failed, and how.

use serde::{Deserialize, Serialize};

/// So many are kept of a release, and of one second of it.
pub const FAILURES_MAX: usize = 20;

/// A request that failed or was slow. No query, no client, no header: nothing of it is secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FailedRequest {
    /// When it was counted: RFC 3339, UTC.
    pub time: String,
    /// Method and path, ids folded: `GET /orders/{id}`.
    pub route: String,
    /// The origin's status; absent when there was no response head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// In words, where the status does not say it: `no response head within 1.2 s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The endpoint's address; absent when there was none to send it to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Counted by the latency rule; else by the error rule.
    pub slow: bool,
}
