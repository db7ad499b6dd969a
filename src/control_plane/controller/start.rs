//! The start: from a configuration and a store to a first route table and a loop that can run.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use prometheus::Registry;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::clock;
use crate::config::{Config, Service, Upstream};
use crate::control_plane::notify::Notifiers;
use crate::control_plane::probe::{Prober, Synthetic};
use crate::control_plane::provider::FixedProvider;
use crate::control_plane::provider::docker::EngineReport;
use crate::control_plane::store::{Store, StoreFault};
use crate::model::{Color, ReleaseId, Revision};
use crate::release::{self, Event, PastRelease, Pin, State, rebuild_from_history};
use crate::routing::RouteTable;
use crate::tls::Live;
use crate::traffic::{Suspect, WorkerLink};

use super::Handle;
use super::certificate_watch::CertificateWatch;
use super::containers::{ASKED_MAX, Containers, Engines, Stored, container_sets, images, rebuilt};
use super::exhibit::Exhibits;
use super::metrics::Metrics;
use super::record::{FORMAT, Record, set_pin_end};
use super::reload::sources;
use super::run::{Controller, Inlets};
use super::scribe::Scribe;
use super::service::ServiceRuntime;
use super::service::course::Course;
use super::view::ReleaseView;
use super::workers::Workers;

/// The most requests of the admin API that wait for the loop.
const REQUESTS: usize = 64;
const INTERNAL: usize = 1024;
const PROBES: usize = 4096;
const ENDPOINTS: usize = 256;
const ENGINE_REPORTS: usize = 64;

/// The parts from which a controller is made.
#[derive(Debug)]
pub struct Options {
    /// The configuration file, which a reload reads again.
    pub path: PathBuf,
    pub config: Arc<Config>,
    pub store: Arc<dyn Store>,
    /// How far the content of `store` can be trusted.
    pub memory: Memory,
    pub registry: Registry,
    /// The route table that the workers read. The controller stores a new one at each change.
    pub table: Arc<ArcSwap<RouteTable>>,
    /// The workers' reports of endpoints that refuse, reset or fail.
    pub suspects: mpsc::Receiver<Suspect>,
    /// The certificates and the trust of origins. A reload reads them again, and probes use the
    /// trust.
    pub tls: Arc<Live>,
    /// The outgoing messages.
    pub notifiers: Arc<Notifiers>,
}

/// How far the store's content can be trusted. Unless it is whole, the services come up pinned
/// until a person has looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// The store is as the last process left it, or this is a first start.
    Whole,
    /// The store is the previous copy. The color that was active then may not be active any more.
    Previous,
    /// Nothing of the store is left.
    Lost,
}

/// The reason why no controller could be made.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    #[error(transparent)]
    Store(#[from] StoreFault),
    #[error(
        "the record of service \"{service}\" has format {found}; this greenlight knows {FORMAT}: use the newer one that wrote it"
    )]
    NewerRecord { service: String, found: u32 },
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// A controller whose first table is stored, and its handle.
#[derive(Debug)]
pub struct Prepared {
    handle: Handle,
    reloaded: watch::Receiver<Arc<Config>>,
    controller: Controller,
}

impl Prepared {
    /// Loads every service's record, resolves its endpoints, and stores the first table. Probes
    /// start at once, and traffic need not wait for them. Fails if the store can't be read, if a
    /// record has a newer format, or if a metric is already registered.
    pub async fn new(options: Options) -> Result<Self, StartFault> {
        let Options { path, config, store, memory, registry, table, suspects, tls, notifiers } = options;
        let metrics = Metrics::register(&registry)?;
        let (handle, inbox) = super::channel(REQUESTS);
        let (internal, internal_out) = mpsc::channel(INTERNAL);
        let (probes_in, probes) = mpsc::channel(PROBES);
        let (synthetic_in, synthetic) = mpsc::channel(PROBES);
        let (endpoints_in, endpoints) = mpsc::channel(ENDPOINTS);
        let (engines_in, engine_reports) = mpsc::channel(ENGINE_REPORTS);
        let (reloaded, reloaded_out) = watch::channel(Arc::clone(&config));
        let turns = Arc::new(Semaphore::new(1));
        let scribe = Scribe::start(Arc::clone(&store), Arc::clone(&turns), inbox.events.clone());
        let mut controller = Controller {
            path,
            config: Arc::clone(&config),
            started: Arc::clone(&config),
            services: Vec::new(),
            endpoints: HashMap::new(),
            table,
            internal,
            inlets: Inlets {
                internal: internal_out,
                probes,
                endpoints,
                engines: engine_reports,
                suspects,
                synthetic,
            },
            inbox,
            workers: Workers::new(&[]),
            store,
            prober: Prober::start(probes_in, Arc::clone(tls.origins())),
            synthetic: Synthetic::start(synthetic_in, Arc::clone(tls.origins())),
            tls,
            certificates: CertificateWatch::default(),
            provider: FixedProvider::start(endpoints_in),
            engines: Engines::new(engines_in),
            asking: Arc::new(Semaphore::new(ASKED_MAX)),
            metrics,
            notifiers,
            reloaded,
            scribe,
            turns,
            saving: false,
            tasks: JoinSet::new(),
            pending: VecDeque::new(),
            publish_at: None,
            table_dirty: false,
            views_dirty: false,
            targets_dirty: true,
        };
        let resolving = sources(&config);
        let resolving = join_all(resolving.iter().map(FixedProvider::resolve));
        // The engines show which containers run, which decides if there is no record.
        let (looked, resolved) = tokio::join!(Engines::look(&config), resolving);
        let loading = config.services.iter().map(|service| controller.load(service, memory, &looked));
        let loaded = join_all(loading).await;
        for runtime in loaded {
            controller.services.push(runtime?);
        }
        for (source, endpoints) in sources(&config).iter().zip(resolved) {
            if let Some(index) = controller.index(source.service.as_str()) {
                for color in Color::ALL {
                    controller.services[index].rosters[color].set_endpoints(&endpoints[color]);
                }
            }
        }
        for index in 0..controller.services.len() {
            controller.begin(index);
        }
        controller.engines.aim(&config);
        // A pin that no person has seen yet must survive the next start too.
        controller.save_unsaved().await;
        controller.provider.set_sources(sources(&config));
        controller.publish_table();
        controller.publish_views();
        Ok(Self { handle, reloaded: reloaded_out, controller })
    }

    /// Returns the admin API's handle to the controller.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Returns a receiver of the configuration in force, which changes with each reload.
    pub fn reloaded(&self) -> watch::Receiver<Arc<Config>> {
        self.reloaded.clone()
    }

    /// Returns the controller, ready to run with these workers.
    pub fn with_workers(mut self, links: &[WorkerLink]) -> Controller {
        self.controller.workers = Workers::new(links);
        self.controller
    }
}

impl Controller {
    /// Loads a service from its record, or makes a new one.
    async fn load(
        &self,
        service: &Arc<Service>,
        memory: Memory,
        looked: &[EngineReport],
    ) -> Result<ServiceRuntime, StartFault> {
        let initial = match service.upstream {
            Upstream::Fixed { initial, .. } | Upstream::Docker { initial, .. } => initial,
        };
        let mut unsaved = memory != Memory::Whole;
        let (mut quarantined_at, mut containers) = (BTreeMap::new(), Stored::default());
        let mut pending = Vec::new();
        let (state, revision) = match self.store.load(&service.name).await? {
            None if memory != Memory::Whole => (self.rebuild(service, initial).await, Revision(0)),
            None => (State::new(service.name.clone(), initial, service.policy.clone()), Revision(0)),
            Some(stored) => match decode(&stored.json) {
                Ok(Decoded::Newer(found)) => {
                    return Err(StartFault::NewerRecord { service: service.name.to_string(), found });
                }
                Ok(Decoded::Known(record)) => {
                    let Record {
                        mut state,
                        quarantined_at: since,
                        containers: known,
                        pending: ends,
                        pin_ends,
                        ..
                    } = *record;
                    set_pin_end(&mut state, pin_ends, clock::wall());
                    quarantined_at = since;
                    containers = known;
                    pending = ends;
                    state.policy = service.policy.clone();
                    if memory == Memory::Previous && state.pin.is_none() {
                        let reason = "state rebuilt from the previous copy of the store".to_owned();
                        state.pin = Some(Pin { reason: Some(reason), until: None });
                    }
                    (release::restore(state, clock::now()), stored.revision)
                }
                Err(why) => {
                    tracing::error!(service = %service.name, %why, "its record can't be read: rebuilding it, pinned");
                    unsaved = true;
                    (self.rebuild(service, initial).await, stored.revision)
                }
            },
        };
        let no_record = revision == Revision(0) || (unsaved && memory != Memory::Previous);
        let sets = container_sets(
            service.name.as_str(),
            looked.iter().flat_map(|report| report.containers.values()),
        );
        let from_containers = rebuilt(&state, no_record, memory == Memory::Previous, &sets);
        if from_containers.is_some() {
            containers.images.extend(images(&sets));
            unsaved = true;
        }
        let state = from_containers.unwrap_or(state);
        let mut runtime = ServiceRuntime::new(Arc::clone(service), state, revision);
        runtime.containers = Containers::new(service, containers, &self.store, &self.internal);
        for report in looked {
            runtime.hear(report);
        }
        runtime.recall = self.recall(&service.name).await;
        runtime.quarantined_at = quarantined_at;
        runtime.pending = pending;
        runtime.unsaved = unsaved;
        self.restore_views(&mut runtime).await?;
        Ok(runtime)
    }

    /// Rebuilds the state of a service whose record is lost. The history of releases decides which
    /// color was active.
    async fn rebuild(&self, service: &Service, initial: Color) -> State {
        let history = self.store.history(&service.name, 20).await.unwrap_or_default();
        let history: Vec<PastRelease> = history
            .iter()
            .filter_map(|stored| Some(past_release(&serde_json::from_str(&stored.json).ok()?)))
            .collect();
        rebuild_from_history(service.name.clone(), initial, service.policy.clone(), &history)
    }

    /// Loads the release records of a restored state.
    async fn restore_views(&self, runtime: &mut ServiceRuntime) -> Result<(), StartFault> {
        let state = &runtime.state;
        let ids: Vec<ReleaseId> = [state.release.as_ref(), state.queued.as_ref()]
            .into_iter()
            .flatten()
            .map(|r| r.id.clone())
            .collect();
        for id in ids {
            let Some(stored) = self.store.release(&id).await? else { continue };
            let Ok(view) = serde_json::from_str::<ReleaseView>(&stored.json) else { continue };
            if view.finished_at.is_some() {
                runtime.last = Some(view);
            } else {
                runtime.live.insert(id, view);
            }
        }
        if runtime.last.is_none() {
            let newest = self.store.history(&runtime.config.name.clone(), 20).await?;
            let mut views = newest.iter().filter_map(|s| serde_json::from_str::<ReleaseView>(&s.json).ok());
            runtime.last = views.find(|view| view.finished_at.is_some());
        }
        if let Some(release) = runtime.state.running() {
            // The course is only drawn, so the start goes on if the store can't read it.
            let found = Exhibits::read(&*self.store, &release.id).await.unwrap_or_default();
            runtime.course = found.series.map(|series| Course::new(release.id.clone(), series));
        }
        runtime.update_views(&[]);
        Ok(())
    }

    /// Performs everything that the restored state implies: its releases own the evidence, drains
    /// go on, deadlines are set.
    pub(crate) fn begin(&mut self, index: usize) {
        // The endpoints come first, so that a release adopts all that run.
        self.place_containers(index);
        let service = &mut self.services[index];
        let now = clock::now();
        service.deadline = service.state.next_deadline(now);
        let effects = release::reconcile(&service.state, now);
        self.perform(index, effects);
        self.tidy(index);
        self.tell_again(index);
        // A deadline that came while the process did not run is due now.
        self.pending.push_back((index, Event::Deadline));
        self.show_metrics(index);
        let service = &self.services[index];
        self.metrics.rosters(service.name(), &service.rosters);
    }

    /// Adds a service of a reloaded configuration. The provider finds its endpoints later, since a
    /// look-up may take long and the loop must not wait for it.
    pub(crate) async fn add_service(&mut self, service: Arc<Service>) -> Result<(), StartFault> {
        let runtime = self.load(&service, Memory::Whole, &[]).await?;
        self.services.push(runtime);
        self.begin(self.services.len() - 1);
        Ok(())
    }
}

/// Returns the part of a release's record from which a lost record is rebuilt.
fn past_release(view: &ReleaseView) -> PastRelease {
    PastRelease {
        id: ReleaseId::from(view.id.as_str()),
        color: view.color,
        state: view.state,
        promoted: view.promoted_at.is_some(),
        finished: view.finished_at.is_some(),
    }
}

/// Decodes a record. The format is read first, since a newer format need not be readable.
fn decode(json: &str) -> Result<Decoded, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Head {
        format: u32,
    }
    let head: Head = serde_json::from_str(json)?;
    if head.format > FORMAT {
        return Ok(Decoded::Newer(head.format));
    }
    serde_json::from_str(json).map(|record| Decoded::Known(Box::new(record)))
}

enum Decoded {
    Known(Box<Record>),
    Newer(u32),
}
