//! The JSON shapes in which people and scripts see a service (docs/cli.md). Fields may be added,
//! not renamed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::judge::Verdict;
use crate::model::{Color, Health};
use crate::release::StateName;

/// An endpoint of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndpointView {
    pub id: String,
    pub address: String,
    /// `blue` or `green`.
    #[schema(value_type = String)]
    pub color: Color,
    /// `unknown`, `healthy` or `unhealthy`.
    #[schema(value_type = String)]
    pub health: Health,
    /// Requests in flight, over all workers.
    pub inflight: u64,
    /// The last failed probe, in words, while probes fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
}

/// A pin of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PinView {
    pub reason: Option<String>,
    /// When the pin ends, RFC 3339; null if it has no end.
    pub until: Option<String>,
}

/// A service. `active` and the colors are `blue` or `green`. `state` is the state of the running
/// release, or `stable`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceView {
    pub name: String,
    pub hosts: Vec<String>,
    #[schema(value_type = String)]
    pub active: Color,
    /// The version that the active color runs; null if it is not known.
    #[serde(default)]
    pub active_version: Option<String>,
    /// The version of the release under way, which does not serve yet or is being judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate_version: Option<String>,
    /// The number of switches so far.
    pub epoch: u64,
    /// The number of writes of the record.
    pub revision: u64,
    #[schema(value_type = String)]
    pub state: StateName,
    pub pinned: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<PinView>,
    pub paused: bool,
    /// Whether the command `rollback` would be accepted now.
    pub rollback_available: bool,
    /// The last release; null only if there never was one.
    pub release: Option<ReleaseView>,
    /// A release that waits for the running one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued: Option<ReleaseView>,
    pub endpoints: Vec<EndpointView>,
    /// The containers of each color that serves or stands by, where greenlight runs them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub containers: BTreeMap<String, ContainersView>,
    /// Alarms that are raised now, name -> reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alarms: BTreeMap<String, String>,
    /// Seconds until the running release changes its state by itself, for rundowns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_in_seconds: Option<f64>,
}

/// How many containers a color should have, and has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContainersView {
    pub wanted: u32,
    /// How many run; null until every engine has told it.
    pub running: Option<u32>,
    pub healthy: u32,
}

/// A release. Times are RFC 3339, and states are the words of docs/releases.md.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReleaseView {
    pub id: String,
    pub service: String,
    /// `deploy` or `rollback`.
    pub kind: String,
    pub version: String,
    /// The image that was requested, if greenlight runs the containers:
    /// `registry.example.org/org/app:prod`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    #[schema(value_type = String)]
    pub color: Color,
    #[schema(value_type = String)]
    pub state: StateName,
    pub reason: String,
    /// The progress of the pull that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    pub started_at: String,
    pub promoted_at: Option<String>,
    pub finished_at: Option<String>,
    /// `pass`, `fail` or `inconclusive`; null until there is a verdict.
    #[schema(value_type = Option<String>)]
    pub verdict: Option<Verdict>,
    /// The candidate's share of the traffic before the switch, in percent; only in a canary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary_percent: Option<u8>,
    /// The cause of a degraded release: `pinned`, `old_sick`, `hold` or `inconclusive`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The judge's numbers (n, e, p0, p1, s, h, ...); empty before a bake.
    #[schema(value_type = Object)]
    pub numbers: serde_json::Map<String, serde_json::Value>,
}

impl ReleaseView {
    /// Makes a release with these fields. Every other text is empty.
    #[must_use]
    pub fn new(id: &str, service: &str, color: Color, state: StateName) -> Self {
        Self {
            id: id.to_owned(),
            service: service.to_owned(),
            kind: String::new(),
            version: String::new(),
            image: None,
            color,
            state,
            reason: String::new(),
            progress: None,
            started_at: String::new(),
            promoted_at: None,
            finished_at: None,
            verdict: None,
            canary_percent: None,
            cause: None,
            numbers: serde_json::Map::new(),
        }
    }
}

/// One line of a release's story.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// Counts up over all services. It is the SSE `id:`.
    pub seq: u64,
    pub release: String,
    pub service: String,
    /// The word of the new state, or `note`. It is the SSE `event:`.
    pub event: String,
    /// When the event happened, RFC 3339.
    pub time: String,
    pub reason: String,
    #[schema(value_type = Object)]
    pub numbers: serde_json::Map<String, serde_json::Value>,
}

impl EventView {
    /// Returns the state that the release has entered; `None` for a note.
    #[must_use]
    pub fn state(&self) -> Option<StateName> {
        StateName::from_word(&self.event)
    }

    /// Tells whether the release has ended with this event.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.state().is_some_and(StateName::is_final)
    }
}

/// A version in quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuarantineView {
    pub service: String,
    pub version: String,
    pub reason: String,
    /// The release that was reverted.
    pub release: String,
    /// When the version came into quarantine, RFC 3339.
    pub since: String,
}

/// A line of the audit log: who did what, and the state before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// When the command was answered, RFC 3339.
    pub time: String,
    pub who: String,
    pub service: String,
    pub what: String,
    pub outcome: String,
    pub before: String,
    pub after: String,
}

/// Everything that the admin API reads without asking the loop. It is replaced as a whole.
#[derive(Clone, Debug, Default)]
pub struct Views {
    pub services: Vec<Arc<ServiceView>>,
    pub quarantine: Vec<QuarantineView>,
}

impl Views {
    /// Returns the view of the service with this name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Arc<ServiceView>> {
        self.services.iter().find(|service| service.name == name)
    }
}
