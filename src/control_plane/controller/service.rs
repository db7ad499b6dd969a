//! One service while it runs: its record, its endpoints, and the callers that wait for an answer.

pub(crate) mod course;
pub(crate) mod synthetic;

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
use super::message::Done;
use super::record::PendingNotice;
use super::rejection::Rejection;
use super::view::ReleaseView;

use course::Course;
use synthetic::SyntheticCounts;

/// How many ended releases are remembered. One step ends no more than that.
pub(crate) const RECENT_MAX: usize = 8;

/// A caller that gets its answer once the traffic has moved.
#[derive(Debug)]
pub(crate) struct Waiter {
    /// True if the traffic is to move to the candidate, false if it is to move back.
    pub(crate) forward: bool,
    pub(crate) reply: oneshot::Sender<Result<Done, Rejection>>,
    pub(crate) done: Done,
}

/// Everything that the loop keeps of one service. Only [`State`] decides. The other fields serve
/// the code around it.
#[derive(Debug)]
pub(crate) struct ServiceRuntime {
    pub(crate) config: Arc<Service>,
    pub(crate) state: State,
    pub(crate) revision: Revision,
    pub(crate) deadline: Option<Tick>,
    pub(crate) rosters: PerColor<Roster>,
    /// The health of each color as the state knows it.
    pub(crate) reported: PerColor<ColorHealth>,
    /// Why probes of each color fail, as the state knows it; `None` if none fails.
    pub(crate) ailing: PerColor<Option<String>>,
    pub(crate) windows: PerColor<BaselineWindow>,
    /// Endpoints that workers have ejected.
    pub(crate) ejected: Ejected,
    /// The counts of the workers since the last closed second.
    pub(crate) buckets: PerColor<Bucket>,
    pub(crate) inflight: BTreeMap<crate::model::EndpointId, u64>,
    /// Records of releases that are not final yet.
    pub(crate) live: BTreeMap<ReleaseId, ReleaseView>,
    /// The last final release, for the service's view.
    pub(crate) last: Option<ReleaseView>,
    /// Records of the releases that ended last, for their announcements; at most [`RECENT_MAX`].
    pub(crate) recent: Vec<ReleaseView>,
    /// Ends that not every notifier has sent yet. They are stored with the record.
    pub(crate) pending: Vec<PendingNotice>,
    /// The running tasks of hooks and of moving tags.
    pub(crate) errands: BTreeMap<(ReleaseId, Errand), AbortHandle>,
    pub(crate) waiters: Vec<Waiter>,
    pub(crate) drains: PerColor<Option<AbortHandle>>,
    /// Whether something has changed since the record was written.
    pub(crate) unsaved: bool,
    /// When each running release was accepted, if this process has seen it.
    pub(crate) accepted: BTreeMap<ReleaseId, Tick>,
    /// When each version came into quarantine (RFC 3339). It is stored with the record.
    pub(crate) quarantined_at: BTreeMap<Version, String>,
    /// Release records that are not written yet.
    pub(crate) unwritten_releases: BTreeMap<ReleaseId, ReleaseView>,
    pub(crate) route: Option<Arc<ServiceRoute>>,
    /// The service's containers, if its endpoints are containers.
    pub(crate) containers: Option<Box<Containers>>,
    /// The judge's course of the last release, for people.
    pub(crate) course: Option<Course>,
    /// The synthetic requests of a bake.
    pub(crate) synthetic: SyntheticCounts,
}

impl ServiceRuntime {
    pub(crate) fn new(config: Arc<Service>, state: State, revision: Revision) -> Self {
        Self {
            config,
            state,
            revision,
            deadline: None,
            rosters: PerColor::default(),
            reported: PerColor::default(),
            ailing: PerColor::default(),
            windows: PerColor::default(),
            ejected: Ejected::default(),
            buckets: PerColor::default(),
            inflight: BTreeMap::new(),
            live: BTreeMap::new(),
            last: None,
            recent: Vec::new(),
            pending: Vec::new(),
            errands: BTreeMap::new(),
            waiters: Vec::new(),
            drains: PerColor::default(),
            unsaved: false,
            accepted: BTreeMap::new(),
            quarantined_at: BTreeMap::new(),
            unwritten_releases: BTreeMap::new(),
            route: None,
            containers: None,
            course: None,
            synthetic: SyntheticCounts::default(),
        }
    }

    pub(crate) fn name(&self) -> &ServiceName {
        &self.config.name
    }

    /// Returns the data about its containers that is stored beside `state`. Images of versions that
    /// the state does not know any more are left out.
    pub(crate) fn stored_containers(&self, state: &State) -> Stored {
        let mut stored =
            self.containers.as_ref().map(|containers| containers.stored.clone()).unwrap_or_default();
        stored.images.retain(|version, _| {
            let last = state.release.as_ref().is_some_and(|release| release.version == *version);
            last || state.knows_version(version) || state.quarantined(version).is_some()
        });
        stored
    }

    /// Tells whether traffic is moving from one color to the other.
    pub(crate) fn is_switching(&self) -> bool {
        let phase = self.state.release.as_ref().map(|release| &release.phase);
        matches!(phase, Some(Phase::Promoting(_) | Phase::Reverting(_)))
    }
}
