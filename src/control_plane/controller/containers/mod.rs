//! What the loop keeps of a service whose endpoints are containers: what its engines show, and what
//! is to be done there.
//!
//! EngineReport of an engine become endpoints and facts (`reports`); effects of the step become orders to the
//! service's crew (`crew`), which carries them out one after the other and asks the store before it
//! stops anything; an image that is asked for becomes a digest before the step hears of it (`resolve`);
//! without a record the active color is what runs (`rebuild`).

mod crew;
mod engines;
mod orders;
mod poll;
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

pub(crate) use crew::Crew;
pub(crate) use engines::Engines;
pub(crate) use poll::Poll;
pub(crate) use rebuild::{container_sets, images, rebuilt};
pub(crate) use resolve::ASKED_MAX;

/// An endpoint as it was last seen: served from at a start while its engine is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// Its engine's URL.
    pub(crate) engine: String,
    pub(crate) color: Color,
    pub(crate) set: Option<ReleaseId>,
    pub(crate) id: EndpointId,
    pub(crate) address: SocketAddr,
}

/// What is stored of a service's containers beside the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Stored {
    /// Version -> the reference that was asked for.
    pub(crate) images: BTreeMap<Version, String>,
    pub(crate) endpoints: Vec<Remembered>,
}

/// A container that is an endpoint, or was at the last look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) engine: String,
    pub(crate) color: Color,
    pub(crate) set: Option<ReleaseId>,
    /// `None` while it does not run, or if there is no way to it.
    pub(crate) endpoint: Option<Endpoint>,
    /// Why there is no way to it although it runs.
    pub(crate) problem: Option<String>,
    pub(crate) started_at: String,
    pub(crate) restarts: u32,
    pub(crate) end: Option<String>,
    pub(crate) name: String,
}

/// The containers of one service.
#[derive(Debug)]
pub(crate) struct Containers {
    /// Somebody else runs them.
    pub(crate) follow: bool,
    /// Carries orders out; `None` where somebody else runs the containers.
    pub(crate) crew: Option<Crew>,
    pub(crate) poll: Option<Poll>,
    pub(crate) stored: Stored,
    /// By engine, as configured: what it said last; `None` until it has been heard.
    pub(crate) reports: BTreeMap<String, Option<EngineReport>>,
    /// Engines that have told what they have since this process began.
    pub(crate) heard: BTreeSet<String>,
    /// Endpoints that were started again since the look before.
    pub(crate) fresh: BTreeSet<EndpointId>,
    /// All of the service's containers at the last look, by id.
    pub(crate) members: BTreeMap<String, Member>,
    /// Whose containers each color showed last.
    pub(crate) wanted: PerColor<Option<ReleaseId>>,
    /// Restarts of each container when it was first seen: those of another life count for nothing.
    pub(crate) restarts_before: BTreeMap<String, u32>,
    pub(crate) restarts_told: u32,
    /// A set whose containers were started: it runs once all of them are seen to.
    pub(crate) came_up: Option<ReleaseId>,
    /// Endpoints that joined others in the pool, until they are found healthy.
    pub(crate) unproved: BTreeSet<EndpointId>,
    /// Work that may be called off, by the set that it is for.
    pub(crate) under_way: Vec<(ReleaseId, Caller)>,
    /// Sets that were left behind, and are being removed.
    pub(crate) swept: BTreeSet<ReleaseId>,
    /// Sets that the last look found left behind.
    pub(crate) suspects: BTreeSet<ReleaseId>,
    /// Which of a color's containers run, as the state was told.
    pub(crate) reported: PerColor<Option<Vec<String>>>,
    pub(crate) away_told: Option<String>,
    /// Problems that were logged: each once, not at every look.
    pub(crate) problems: BTreeSet<String>,
    /// What was said of the pull that runs, and how many ticks ago.
    pub(crate) progress: Option<(ReleaseId, String)>,
    pub(crate) progress_age: u32,
}

impl Containers {
    /// `None` for a service with a fixed upstream.
    pub(crate) fn new(
        service: &Arc<Service>,
        stored: Stored,
        store: &Arc<dyn Store>,
        internal: &mpsc::Sender<Internal>,
    ) -> Option<Box<Self>> {
        let Configured::Docker { follow, engine, .. } = &service.upstream else { return None };
        let upstream = upstream(service)?;
        let crew = (!follow).then(|| {
            Crew::start(service.name.clone(), upstream.clone(), Arc::clone(store), internal.clone())
        });
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

    /// The reference that a version was asked for as; else the configured repository's.
    pub(crate) fn image_of(&self, service: &Service, version: &Version) -> Option<ImageReference> {
        let asked = self.stored.images.get(version).and_then(|text| ImageReference::parse(text).ok());
        asked.or_else(|| configured_image(service))
    }

    /// A reload has changed how containers are made or where.
    pub(crate) fn reconfigure(&mut self, service: &Arc<Service>, internal: &mpsc::Sender<Internal>) {
        let Configured::Docker { engine, .. } = &service.upstream else { return };
        if let (Some(crew), Some(upstream)) = (&self.crew, upstream(service)) {
            crew.reconfigure(upstream);
        }
        self.poll = Poll::start(service, internal);
        let mut old = std::mem::take(&mut self.reports);
        let kept = engine.engines.iter().map(|e| (e.url.clone(), old.remove(&e.url).flatten()));
        self.reports = kept.collect();
    }
}

/// The docker keys of a service.
pub(crate) fn docker(service: &Service) -> Option<&Docker> {
    match &service.upstream {
        Configured::Docker { engine, .. } => Some(engine),
        Configured::Fixed { .. } => None,
    }
}

/// `upstream.image`, which `config` has checked to be one.
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
