//! What people and scripts see of a service: the JSON shapes of docs/cli.md. Fields may
//! be added, not renamed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::judge::Verdict;
use crate::model::{Color, Health};
use crate::release::StateName;

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
    /// The last failed probe, in words, while it is not healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PinView {
    pub reason: Option<String>,
    /// RFC 3339; absent when it has no end.
    pub until: Option<String>,
}

/// A service. `active` and the colors are `blue` or `green`; `state` is the running release's
/// state, else `stable`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceView {
    pub name: String,
    pub hosts: Vec<String>,
    #[schema(value_type = String)]
    pub active: Color,
    pub epoch: u64,
    pub revision: u64,
    #[schema(value_type = String)]
    pub state: StateName,
    pub pinned: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<PinView>,
    pub paused: bool,
    pub rollback_available: bool,
    /// The last release; null only if there never was one.
    pub release: Option<ReleaseView>,
    /// A release that waits for the running one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued: Option<ReleaseView>,
    pub endpoints: Vec<EndpointView>,
    /// Alarms that are raised now, name -> reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alarms: BTreeMap<String, String>,
    /// Seconds until the running state's deadline, for rundowns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_in_seconds: Option<f64>,
}

/// A release. Times are RFC 3339, states the words of docs/releases.md.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReleaseView {
    pub id: String,
    pub service: String,
    /// `deploy` or `rollback`.
    pub kind: String,
    pub version: String,
    /// The image that was asked for, where containers are run: `registry.example.org/org/app:prod`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    #[schema(value_type = String)]
    pub color: Color,
    #[schema(value_type = String)]
    pub state: StateName,
    pub reason: String,
    /// How far the pull that runs is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    pub started_at: String,
    pub promoted_at: Option<String>,
    pub finished_at: Option<String>,
    /// `pass`, `fail` or `inconclusive`; null until there is one.
    #[schema(value_type = Option<String>)]
    pub verdict: Option<Verdict>,
    /// The candidate's share of the traffic before the switch, in percent; absent but in a canary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary_percent: Option<u8>,
    /// Why a degraded release is so: `pinned`, `old_sick`, `hold`, `inconclusive`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The judge's numbers (n, e, p0, p1, s, h, ...); empty before a bake.
    #[schema(value_type = Object)]
    pub numbers: serde_json::Map<String, serde_json::Value>,
}

impl ReleaseView {
    /// A release of which no more is known than this: every text is empty.
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
    /// Counts up over all services; the SSE `id:`.
    pub seq: u64,
    pub release: String,
    pub service: String,
    /// The new state's word, or `note`: the SSE `event:`.
    pub event: String,
    /// RFC 3339.
    pub time: String,
    pub reason: String,
    #[schema(value_type = Object)]
    pub numbers: serde_json::Map<String, serde_json::Value>,
}

impl EventView {
    /// The state that the release has come into; `None` for a note.
    #[must_use]
    pub fn state(&self) -> Option<StateName> {
        StateName::from_word(&self.event)
    }

    /// Whether the release has ended with it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.state().is_some_and(StateName::is_final)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuarantineView {
    pub service: String,
    pub version: String,
    pub reason: String,
    /// The release that was reverted.
    pub release: String,
    pub since: String,
}

/// Who did what, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    pub time: String,
    pub who: String,
    pub service: String,
    pub what: String,
    pub outcome: String,
    pub before: String,
    pub after: String,
}

/// Everything the admin API reads without asking the loop, replaced whole.
#[derive(Clone, Debug, Default)]
pub struct Views {
    pub services: Vec<Arc<ServiceView>>,
    pub quarantine: Vec<QuarantineView>,
}

impl Views {
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Arc<ServiceView>> {
        self.services.iter().find(|service| service.name == name)
    }
}
