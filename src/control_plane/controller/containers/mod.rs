//! The controller's knowledge of a service whose endpoints are containers: the containers at its
//! engines, and the work to be done there.
//!
//! The reports of an engine become endpoints and facts (`reports`). Effects of the step become
//! orders to the service's crew (`orders`). The crew carries them out one after the other, and asks
//! the store before it stops anything (`crew`). The reference of a requested image becomes a digest
//! before the step gets the event (`resolve`). If the record is lost, the running containers decide
//! which color is active (`rebuild`).

mod crew;
mod engines;
mod orders;
mod poll;
mod presence;
mod rebuild;
mod reports;
mod resolve;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::config::{Docker, Service, Upstream as Configured};
use crate::control_plane::provider::docker::{Caller, EngineReport, ServiceEngines};
use crate::control_plane::store::Store;
use crate::model::{Color, Endpoint, EndpointId, ImageReference, PerColor, ReleaseId, Version};

use super::message::Internal;
use crate::release::Presence;

pub(crate) use crew::Crew;
pub(crate) use engines::Engines;
pub(crate) use poll::Poll;
pub(crate) use rebuild::{container_sets, images, rebuilt};
pub(crate) use resolve::ASKED_MAX;

/// An endpoint as it was last seen. After a start, it gets traffic even while its engine is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// The URL of its engine.
    pub(crate) engine: String,
    pub(crate) color: Color,
    pub(crate) set: Option<ReleaseId>,
    pub(crate) id: EndpointId,
    pub(crate) address: SocketAddr,
    /// Where it is probed, if not at its address or at another port of it.
    #[serde(default)]
    pub(crate) probe: Option<SocketAddr>,
}

/// The data about a service's containers that is stored beside the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Stored {
    /// The image reference that was requested, by version.
    pub(crate) images: BTreeMap<Version, String>,
    pub(crate) endpoints: Vec<Remembered>,
}

/// A container that is an endpoint now, or was one at the last look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) engine: String,
    pub(crate) color: Color,
    pub(crate) set: Option<ReleaseId>,
    /// `None` while the container does not run, or if it can't be reached.
    pub(crate) endpoint: Option<Endpoint>,
    /// Why it can't be reached although it runs.
    pub(crate) problem: Option<String>,
    /// Whether a person has stopped it, by an observed `stop`.
    pub(crate) stopped: bool,
    pub(crate) started_at: String,
    pub(crate) restarts: u32,
    pub(crate) end: Option<String>,
    pub(crate) name: String,
}

/// The containers of one service.
#[derive(Debug)]
pub(crate) struct Containers {
    /// Whether somebody else runs the containers.
    pub(crate) follow: bool,
    /// Carries out orders; `None` if somebody else runs the containers.
    pub(crate) crew: Option<Crew>,
    pub(crate) poll: Option<Poll>,
    pub(crate) stored: Stored,
    /// The last report of each configured engine, by URL; `None` until the first one.
    pub(crate) reports: BTreeMap<String, Option<EngineReport>>,
    /// The engines that have listed their containers since this process began.
    pub(crate) heard: BTreeSet<String>,
    /// The endpoints that were started again since the look before.
    pub(crate) fresh: BTreeSet<EndpointId>,
    /// All containers of the service at the last look, by id.
    pub(crate) members: BTreeMap<String, Member>,
    /// The set that each color had at the last look.
    pub(crate) wanted: PerColor<Option<ReleaseId>>,
    /// The restarts of each container that do not count, since it had them before its set was
    /// started for this release.
    pub(crate) restarts_before: BTreeMap<String, u32>,
    pub(crate) restarts_told: u32,
    /// How many containers of each color's set run, as the state knows it.
    pub(crate) present: PerColor<Option<Presence>>,
    /// The ends of containers that the state was told of, by container, as its start and its restarts.
    pub(crate) ends_told: BTreeMap<String, (String, u32)>,
    /// Carries out the orders that bring back what has ended, so that a long pull does not delay them.
    pub(crate) repairs: Option<Crew>,
    /// A set whose containers were started. It counts as started once all of them are seen to run.
    pub(crate) came_up: Option<ReleaseId>,
    /// Endpoints that joined a pool in which others serve, until they are found healthy.
    pub(crate) unproved: BTreeSet<EndpointId>,
    /// Work that may be called off, with the set that it is for.
    pub(crate) under_way: Vec<(ReleaseId, Caller)>,
    /// Sets that are being stopped or removed.
    pub(crate) swept: BTreeSet<ReleaseId>,
    /// Sets that the last sweep found left behind.
    pub(crate) suspects: BTreeSet<ReleaseId>,
    /// The ids of the running containers of each color, as the state knows them.
    pub(crate) reported: PerColor<Option<Vec<String>>>,
    pub(crate) away_told: Option<String>,
    /// Problems that were logged. Each is logged once and not at every look.
    pub(crate) problems: BTreeSet<String>,
    /// The progress of the pull that runs, and how many seconds ago it was last noted in the story.
    pub(crate) progress: Option<(ReleaseId, String)>,
    pub(crate) progress_age: u32,
}

impl Containers {
    /// Makes the value; `None` for a service with a fixed upstream.
    pub(crate) fn new(
        service: &Arc<Service>,
        stored: Stored,
        store: &Arc<dyn Store>,
        internal: &mpsc::Sender<Internal>,
    ) -> Option<Box<Self>> {
        let Configured::Docker { follow, engine, .. } = &service.upstream else { return None };
        let upstream = upstream(service)?;
        let start = || {
            (!follow).then(|| {
                Crew::start(service.name.clone(), upstream.clone(), Arc::clone(store), internal.clone())
            })
        };
        let (crew, repairs) = (start(), start());
        let poll = Poll::start(service, internal);
        Some(Box::new(Self {
            follow: *follow,
            crew,
            poll,
            stored,
            reports: engine.engines.iter().map(|engine| (engine.url.clone(), None)).collect(),
            heard: BTreeSet::new(),
            fresh: BTreeSet::new(),
            members: BTreeMap::new(),
            wanted: PerColor::default(),
            restarts_before: BTreeMap::new(),
            restarts_told: 0,
            present: PerColor::default(),
            ends_told: BTreeMap::new(),
            repairs,
            came_up: None,
            unproved: BTreeSet::new(),
            under_way: Vec::new(),
            swept: BTreeSet::new(),
            suspects: BTreeSet::new(),
            reported: PerColor::default(),
            away_told: None,
            problems: BTreeSet::new(),
            progress: None,
            progress_age: 0,
        }))
    }

    /// Returns the reference with which a version was requested, or else the configured image.
    pub(crate) fn image_of(&self, service: &Service, version: &Version) -> Option<ImageReference> {
        let asked = self.stored.images.get(version).and_then(|text| ImageReference::parse(text).ok());
        asked.or_else(|| configured_image(service))
    }

    /// Applies a reload, which may have changed how or where containers are made.
    pub(crate) fn reconfigure(&mut self, service: &Arc<Service>, internal: &mpsc::Sender<Internal>) {
        let Configured::Docker { engine, .. } = &service.upstream else { return };
        for crew in [&self.crew, &self.repairs].into_iter().flatten() {
            if let Some(upstream) = upstream(service) {
                crew.reconfigure(upstream);
            }
        }
        self.poll = Poll::start(service, internal);
        let mut old = std::mem::take(&mut self.reports);
        let kept = engine.engines.iter().map(|e| (e.url.clone(), old.remove(&e.url).flatten()));
        self.reports = kept.collect();
    }
}

/// Returns the Docker keys of a service's configuration.
pub(crate) fn docker(service: &Service) -> Option<&Docker> {
    match &service.upstream {
        Configured::Docker { engine, .. } => Some(engine),
        Configured::Fixed { .. } => None,
    }
}

/// Returns `upstream.image`, whose syntax `config` has checked.
pub(crate) fn configured_image(service: &Service) -> Option<ImageReference> {
    match &service.upstream {
        Configured::Docker { image: Some(image), .. } => ImageReference::parse(image).ok(),
        Configured::Docker { image: None, .. } | Configured::Fixed { .. } => None,
    }
}

fn upstream(service: &Service) -> Option<ServiceEngines> {
    match &service.upstream {
        Configured::Docker { engine, replicas, .. } => {
            Some(ServiceEngines::new(service.name.clone(), (**engine).clone(), *replicas))
        }
        Configured::Fixed { .. } => None,
    }
}
