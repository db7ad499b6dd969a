//! What the loop keeps of a service whose endpoints are containers: what its engines show, and what
//! is to be done there.
//!
//! News of an engine become endpoints and facts (`news`); effects of the step become orders to the
//! service's crew (`crew`), which carries them out one after the other and asks the store before it
//! stops anything; an image that is asked for becomes a digest before the step hears of it (`asked`);
//! without a record the active color is what runs (`rebuild`).

mod asked;
mod crew;
mod news;
mod orders;
mod poll;
mod rebuild;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::config::{Docker, Service, Upstream as Configured};
use crate::model::{Color, Endpoint, EndpointId, ImageReference, PerColor, ReleaseId, Version};
use crate::provider::docker::{Caller, News, Upstream};
use crate::store::Store;

use super::run::Internal;

pub(super) use asked::{ASKED_MAX, Wanted};
pub(super) use crew::Crew;
pub(super) use news::Engines;
pub(super) use poll::Poll;
pub(super) use rebuild::{found, images, restored};

/// An endpoint as it was last seen: served from at a start while its engine is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remembered {
    /// Its engine's URL.
    pub(super) engine: String,
    pub(super) color: Color,
    pub(super) set: Option<ReleaseId>,
    pub(super) id: EndpointId,
    pub(super) address: SocketAddr,
}

/// What is stored of a service's containers beside the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Stored {
    /// Version -> the reference that was asked for.
    pub(super) images: BTreeMap<Version, String>,
    pub(super) endpoints: Vec<Remembered>,
}

/// A container that is an endpoint, or was at the last look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) engine: String,
    pub(super) color: Color,
    pub(super) set: Option<ReleaseId>,
    /// `None` while it does not run, or if there is no way to it.
    pub(super) endpoint: Option<Endpoint>,
    /// Why there is no way to it although it runs.
    pub(super) problem: Option<String>,
    pub(super) started_at: String,
    pub(super) restarts: u32,
    pub(super) end: Option<String>,
    pub(super) name: String,
}

/// The containers of one service.
#[derive(Debug)]
pub(super) struct Containers {
    /// Somebody else runs them.
    pub(super) follow: bool,
    /// Carries orders out; `None` where somebody else runs the containers.
    pub(super) crew: Option<Crew>,
    pub(super) poll: Option<Poll>,
    pub(super) stored: Stored,
    /// By engine, as configured: what it said last; `None` until it has been heard.
    pub(super) news: BTreeMap<String, Option<News>>,
    /// Engines that have told what they have since this process began.
    pub(super) heard: BTreeSet<String>,
    /// Endpoints that were started again since the look before.
    pub(super) fresh: BTreeSet<EndpointId>,
    /// All of the service's containers at the last look, by id.
    pub(super) members: BTreeMap<String, Member>,
    /// Whose containers each color showed last.
    pub(super) wanted: PerColor<Option<ReleaseId>>,
    /// Restarts of each container when it was first seen: those of another life count for nothing.
    pub(super) restarts_before: BTreeMap<String, u32>,
    pub(super) restarts_told: u32,
    /// A set whose containers were started: it runs once all of them are seen to.
    pub(super) came_up: Option<ReleaseId>,
    /// Endpoints that joined others in the pool, until they are found healthy.
    pub(super) unproved: BTreeSet<EndpointId>,
    /// Work that may be called off, by the set that it is for.
    pub(super) under_way: Vec<(ReleaseId, Caller)>,
    /// Sets that were left behind, and are being removed.
    pub(super) swept: BTreeSet<ReleaseId>,
    /// Sets that the last look found left behind.
    pub(super) suspects: BTreeSet<ReleaseId>,
    /// Which of a color's containers run, as the state was told.
    pub(super) told: PerColor<Option<Vec<String>>>,
    pub(super) away_told: Option<String>,
    /// Problems that were logged: each once, not at every look.
    pub(super) problems: BTreeSet<String>,
    /// What was said of the pull that runs, and how many ticks ago.
    pub(super) progress: Option<(ReleaseId, String)>,
    pub(super) progress_age: u32,
}

impl Containers {
    /// `None` for a service with a fixed upstream.
    pub(super) fn new(
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
            news: engine.engines.iter().map(|engine| (engine.url.clone(), None)).collect(),
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
            told: PerColor::default(),
            away_told: None,
            problems: BTreeSet::new(),
            progress: None,
            progress_age: 0,
        }))
    }

    /// The reference that a version was asked for as; else the configured repository's.
    pub(super) fn image_of(&self, service: &Service, version: &Version) -> Option<ImageReference> {
        let asked = self.stored.images.get(version).and_then(|text| ImageReference::parse(text).ok());
        asked.or_else(|| configured_image(service))
    }

    /// A reload has changed how containers are made or where.
    pub(super) fn reconfigure(&mut self, service: &Arc<Service>, internal: &mpsc::Sender<Internal>) {
        let Configured::Docker { engine, .. } = &service.upstream else { return };
        if let (Some(crew), Some(upstream)) = (&self.crew, upstream(service)) {
            crew.reconfigure(upstream);
        }
        self.poll = Poll::start(service, internal);
        let mut old = std::mem::take(&mut self.news);
        let kept = engine.engines.iter().map(|e| (e.url.clone(), old.remove(&e.url).flatten()));
        self.news = kept.collect();
    }
}

/// The docker keys of a service.
pub(super) fn docker(service: &Service) -> Option<&Docker> {
    match &service.upstream {
        Configured::Docker { engine, .. } => Some(engine),
        Configured::Fixed { .. } => None,
    }
}

/// `upstream.image`, which `config` has checked to be one.
pub(super) fn configured_image(service: &Service) -> Option<ImageReference> {
    match &service.upstream {
        Configured::Docker { image: Some(image), .. } => ImageReference::parse(image).ok(),
        Configured::Docker { image: None, .. } | Configured::Fixed { .. } => None,
    }
}

fn upstream(service: &Service) -> Option<Upstream> {
    match &service.upstream {
        Configured::Docker { engine, replicas, .. } => {
            Some(Upstream::new(service.name.clone(), (**engine).clone(), *replicas))
        }
        Configured::Fixed { .. } => None,
    }
}
