//! One service as it runs: its record, its endpoints, and who waits for an answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::config::Service;
use crate::health::{ColorHealth, Roster};
use crate::judge::{BaselineWindow, Bucket};
use crate::model::{PerColor, ReleaseId, Revision, ServiceName, Tick, Version};
use crate::release::{Errand, Phase, State};
use crate::routing::ServiceRoute;

use super::containers::{Containers, Stored};
use super::ejected::Ejected;
use super::exhibit::Course;
use super::news::Untold;
use super::synthetic::Asked;
use super::view::ReleaseView;
use super::{Done, EventView, Rejection};

/// Enough for what one step can end.
pub(super) const RECENT_MAX: usize = 8;

/// Somebody who is answered once the traffic has moved.
#[derive(Debug)]
pub(super) struct Waiter {
    /// Whether it is to move to the candidate, or back.
    pub(super) forward: bool,
    pub(super) reply: oneshot::Sender<Result<Done, Rejection>>,
    pub(super) done: Done,
}

/// Everything the loop keeps of one service. Only [`State`] decides; the rest is what the shells
/// around it need.
#[derive(Debug)]
pub(super) struct ServiceRuntime {
    pub(super) config: Arc<Service>,
    pub(super) state: State,
    pub(super) revision: Revision,
    pub(super) deadline: Option<Tick>,
    pub(super) rosters: PerColor<Roster>,
    /// The last summaries that the state was told, and what probes fail by.
    pub(super) told: PerColor<ColorHealth>,
    pub(super) ailing: PerColor<Option<String>>,
    pub(super) windows: PerColor<BaselineWindow>,
    /// Endpoints that workers have taken out of their pools.
    pub(super) ejected: Ejected,
    /// What the workers have counted since the last closed second.
    pub(super) buckets: PerColor<Bucket>,
    pub(super) inflight: BTreeMap<crate::model::EndpointId, u64>,
    /// Records of releases that are not final yet.
    pub(super) live: BTreeMap<ReleaseId, ReleaseView>,
    /// The last final release, for the service's view.
    pub(super) last: Option<ReleaseView>,
    /// Records of releases that ended last, for what is told of them; at most [`RECENT_MAX`].
    pub(super) recent: Vec<ReleaseView>,
    /// Ends that not every notifier has been told of; stored with the record.
    pub(super) untold: Vec<Untold>,
    /// Tasks of hooks and tags.
    pub(super) errands: BTreeMap<(ReleaseId, Errand), AbortHandle>,
    pub(super) waiters: Vec<Waiter>,
    pub(super) drains: PerColor<Option<AbortHandle>>,
    /// Counters have changed since the record was written.
    pub(super) unsaved: bool,
    /// When each running release was accepted, as far as this process knows.
    pub(super) accepted: BTreeMap<ReleaseId, Tick>,
    /// Since when each version is in quarantine (RFC 3339); stored with the record.
    pub(super) quarantined_at: BTreeMap<Version, String>,
    /// Story lines and release records that could not be written, oldest first.
    pub(super) unwritten: Vec<EventView>,
    pub(super) unwritten_releases: BTreeMap<ReleaseId, ReleaseView>,
    pub(super) route: Option<Arc<ServiceRoute>>,
    /// Where its endpoints are containers.
    pub(super) containers: Option<Box<Containers>>,
    /// What the last release's judge saw, for people.
    pub(super) course: Option<Course>,
    /// Our own requests in a bake.
    pub(super) asked: Asked,
}

impl ServiceRuntime {
    pub(super) fn new(config: Arc<Service>, state: State, revision: Revision) -> Self {
        Self {
            config,
            state,
            revision,
            deadline: None,
            rosters: PerColor::default(),
            told: PerColor::default(),
            ailing: PerColor::default(),
            windows: PerColor::default(),
            ejected: Ejected::default(),
            buckets: PerColor::default(),
            inflight: BTreeMap::new(),
            live: BTreeMap::new(),
            last: None,
            recent: Vec::new(),
            untold: Vec::new(),
            errands: BTreeMap::new(),
            waiters: Vec::new(),
            drains: PerColor::default(),
            unsaved: false,
            accepted: BTreeMap::new(),
            quarantined_at: BTreeMap::new(),
            unwritten: Vec::new(),
            unwritten_releases: BTreeMap::new(),
            route: None,
            containers: None,
            course: None,
            asked: Asked::default(),
        }
    }

    pub(super) fn name(&self) -> &ServiceName {
        &self.config.name
    }

    /// What is stored of its containers beside a state: images of versions that it does not know any
    /// more are forgotten.
    pub(super) fn stored_containers(&self, state: &State) -> Stored {
        let mut stored =
            self.containers.as_ref().map(|containers| containers.stored.clone()).unwrap_or_default();
        stored.images.retain(|version, _| {
            let last = state.release.as_ref().is_some_and(|release| release.version == *version);
            last || state.knows_version(version) || state.quarantined(version).is_some()
        });
        stored
    }

    /// Whether traffic is on its way from one color to the other.
    pub(super) fn is_switching(&self) -> bool {
        let phase = self.state.release.as_ref().map(|release| &release.phase);
        matches!(phase, Some(Phase::Promoting(_) | Phase::Reverting(_)))
    }
}
