//! The loop. It takes one thing at a time from any channel that has something, until it is told to
//! stop.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::clock;
use crate::config::Config;
use crate::control_plane::notify::Notifiers;
use crate::control_plane::probe::{ProbeReport, Prober, Synthetic, SyntheticReport};
use crate::control_plane::provider::docker::EngineReport;
use crate::control_plane::provider::{FixedProvider, ProviderUpdate};
use crate::control_plane::store::Store;
use crate::model::{Color, EndpointId, ServiceName, Tick};
use crate::release::Event;
use crate::routing::RouteTable;
use crate::tasks;
use crate::tls::Live;
use crate::traffic::Suspect;

use super::certificate_watch::CertificateWatch;
use super::containers::Engines;
use super::message::{Internal, Request};
use super::metrics::Metrics;
use super::scribe::Scribe;
use super::service::ServiceRuntime;
use super::workers::Workers;
use super::{Actor, Inbox, ReloadReport};

/// How long changes of table and views that are not switches are gathered before they are
/// published.
const COALESCE: Duration = Duration::from_millis(20);
/// The most probe reports that are taken in one turn.
const REPORTS_PER_TURN: usize = 256;

/// The receivers of facts. Commands come through [`Inbox`].
#[derive(Debug)]
pub(crate) struct Inlets {
    pub(crate) internal: mpsc::Receiver<Internal>,
    pub(crate) probes: mpsc::Receiver<ProbeReport>,
    pub(crate) endpoints: mpsc::Receiver<ProviderUpdate>,
    pub(crate) engines: mpsc::Receiver<EngineReport>,
    pub(crate) suspects: mpsc::Receiver<Suspect>,
    pub(crate) synthetic: mpsc::Receiver<SyntheticReport>,
}

/// The loop and everything that it owns.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says of one thing that it has changed")]
pub struct Controller {
    pub(crate) path: PathBuf,
    pub(crate) config: Arc<Config>,
    /// The configuration of the start. It decides which changes need a restart.
    pub(crate) started: Arc<Config>,
    pub(crate) services: Vec<ServiceRuntime>,
    pub(crate) endpoints: HashMap<EndpointId, (ServiceName, Color)>,
    pub(crate) table: Arc<ArcSwap<RouteTable>>,
    pub(crate) internal: mpsc::Sender<Internal>,
    pub(crate) inlets: Inlets,
    pub(crate) inbox: Inbox,
    pub(crate) workers: Workers,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) tls: Arc<Live>,
    pub(crate) certificates: CertificateWatch,
    pub(crate) prober: Prober,
    pub(crate) synthetic: Synthetic,
    pub(crate) provider: FixedProvider,
    pub(crate) engines: Engines,
    /// Permits for requests whose image is being looked up.
    pub(crate) asking: Arc<Semaphore>,
    pub(crate) metrics: Metrics,
    pub(crate) notifiers: Arc<Notifiers>,
    /// Gets the new configuration after a reload, for parts of the program that keep some of it
    /// (the log level).
    pub(crate) reloaded: watch::Sender<Arc<Config>>,
    /// Writes stories and the audit log.
    pub(crate) scribe: Scribe,
    /// The one permit of writers that are in no hurry. So an urgent write never waits for more than
    /// one of them.
    pub(crate) turns: Arc<Semaphore>,
    /// Whether a write of records is under way in the background.
    pub(crate) saving: bool,
    pub(crate) tasks: JoinSet<()>,
    /// Events that effects have caused. They are taken before anything from outside.
    pub(crate) pending: VecDeque<(usize, Event)>,
    /// When the gathered changes are published at the latest; `None` while there are none.
    pub(crate) publish_at: Option<Instant>,
    pub(crate) table_dirty: bool,
    pub(crate) views_dirty: bool,
    pub(crate) targets_dirty: bool,
}

enum LoopInput {
    Request(Request),
    Reload(Actor, oneshot::Sender<ReloadReport>),
    Internal(Internal),
    Probe(ProbeReport),
    Endpoints(ProviderUpdate),
    Engine(EngineReport),
    Suspect(Suspect),
    Synthetic(SyntheticReport),
    Second,
    Wake,
    Stop,
}

impl Controller {
    /// Runs until `stop` changes or its sender is gone. Then it writes everything that is unsaved.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Skip);
        self.count_each_second();
        self.settle().await;
        loop {
            let wake = self.wake_at();
            let due = wake <= Instant::from_std(clock::instant());
            // The select takes its branches in random order, so that no busy source keeps the
            // others waiting. A deadline that is due comes before all of them.
            let turn = if due {
                LoopInput::Wake
            } else {
                tokio::select! {
                    _ = stop.changed() => LoopInput::Stop,
                    Some(request) = self.inbox.requests.recv() => LoopInput::Request(request),
                    Some(message) = self.inlets.internal.recv() => LoopInput::Internal(message),
                    () = tokio::time::sleep_until(wake) => LoopInput::Wake,
                    _ = second.tick() => LoopInput::Second,
                    Some(update) = self.inlets.endpoints.recv() => LoopInput::Endpoints(update),
                    Some(report) = self.inlets.engines.recv() => LoopInput::Engine(report),
                    Some(suspect) = self.inlets.suspects.recv() => LoopInput::Suspect(suspect),
                    Some(report) = self.inlets.probes.recv() => LoopInput::Probe(report),
                    Some(report) = self.inlets.synthetic.recv() => LoopInput::Synthetic(report),
                    Some((actor, reply)) = self.inbox.reloads.recv() => LoopInput::Reload(actor, reply),
                }
            };
            match turn {
                LoopInput::Stop => break,
                LoopInput::Request(request) => self.command(request).await,
                LoopInput::Reload(actor, reply) => self.reload(actor, reply).await,
                LoopInput::Internal(message) => self.internal(message).await,
                LoopInput::Probe(report) => {
                    self.probed(&report);
                    self.more_probes();
                }
                LoopInput::Endpoints(update) => self.endpoints(&update),
                LoopInput::Engine(report) => self.engine_reported(&report),
                LoopInput::Synthetic(report) => self.synthetic_answer(&report),
                LoopInput::Suspect(suspect) => self.suspected(&suspect),
                LoopInput::Second => self.second(),
                LoopInput::Wake => self.deadlines().await,
            }
            self.settle().await;
        }
        self.save_all().await;
        self.save_memories().await;
        self.scribe.close().await;
    }

    /// Returns when something is due: a service's deadline, or the gathered changes.
    fn wake_at(&mut self) -> Instant {
        let due = self.services.iter().filter_map(|service| service.deadline).min();
        let wait = due.map_or(Duration::from_hours(1), |tick| tick.since(clock::now()));
        let now = Instant::from_std(clock::instant());
        let gathered = self.table_dirty || self.views_dirty;
        self.publish_at = gathered.then(|| self.publish_at.unwrap_or(now + COALESCE));
        self.publish_at.map_or(now + wait, |publish| publish.min(now + wait))
    }

    /// Takes the events that effects have caused, then updates the prober's targets.
    async fn settle(&mut self) {
        self.take_pending().await;
        if self.targets_dirty {
            self.aim();
        }
        self.tasks.try_join_next();
    }

    pub(crate) async fn take_pending(&mut self) {
        while let Some((index, event)) = self.pending.pop_front() {
            self.apply_fact(index, event).await;
        }
    }

    async fn internal(&mut self, message: Internal) {
        match message {
            Internal::Event(service, event) => self.event(&service, event).await,
            Internal::Notified(service, release, notice) => self.notified(&service, &release, notice),
            Internal::Counts(reports) => self.counts(reports).await,
            Internal::Saved(saved) => self.saved(saved).await,
            Internal::Resolved(request, image) => self.resolved(*request, image).await,
            Internal::TagMeans(service, image, version) => {
                if let Some(index) = self.index(service.as_str()) {
                    self.found(index, image, version).await;
                }
            }
            Internal::Pulled(service, release, image, version) => {
                if let Some(index) = self.index(service.as_str()) {
                    if let Some(containers) = self.services[index].containers.as_mut() {
                        containers.stored.images.insert(version.clone(), image.to_string());
                    }
                    self.apply_fact(index, Event::Pulled { release, version }).await;
                }
            }
            Internal::CameUp(service, set) => self.came_up(&service, set),
            Internal::Stuck(service, set, which) => self.stuck(&service, &set, which),
            Internal::Swept(service, set) => self.swept(&service, &set),
        }
    }

    async fn event(&mut self, service: &ServiceName, event: Event) {
        if let Some(index) = self.index(service.as_str()) {
            self.apply_fact(index, event).await;
        }
    }

    pub(crate) fn index(&self, service: &str) -> Option<usize> {
        self.services.iter().position(|runtime| runtime.name().as_str() == service)
    }

    /// Gives each service whose deadline is due that fact, then publishes the gathered changes.
    async fn deadlines(&mut self) {
        let now = clock::now();
        for index in 0..self.services.len() {
            if self.services[index].deadline.is_some_and(|due| due <= now) {
                self.apply_fact(index, Event::Deadline).await;
                self.not_again(index, now);
            }
        }
        self.publish();
    }

    /// Moves a deadline that is still due after the step has seen it, since it would wake the loop
    /// without end.
    fn not_again(&mut self, index: usize, now: Tick) {
        let service = &mut self.services[index];
        if let Some(due) = service.deadline
            && due <= now
        {
            service.deadline = Some(now + Duration::from_millis(100));
        }
    }

    /// Publishes the table and the views if they have changed.
    pub(crate) fn publish(&mut self) {
        self.publish_at = None;
        if self.table_dirty {
            self.publish_table();
        }
        if self.views_dirty {
            self.publish_views();
        }
    }

    fn more_probes(&mut self) {
        for _ in 1..REPORTS_PER_TURN {
            match self.inlets.probes.try_recv() {
                Ok(report) => self.probed(&report),
                Err(_) => break,
            }
        }
    }

    /// Asks the workers for their counts once a second, in a task of its own. So the seconds are
    /// closed on time, however long the loop waits for the store.
    fn count_each_second(&mut self) {
        let (workers, internal) = (self.workers.clone(), self.internal.clone());
        self.tasks.spawn(tasks::named("counts", async move {
            let mut second = tokio::time::interval(Duration::from_secs(1));
            second.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                second.tick().await;
                let reports = workers.collect().await;
                if internal.send(Internal::Counts(reports)).await.is_err() {
                    return;
                }
            }
        }));
    }

    /// Begins to write everything that is unsaved, and does the other work of each second.
    fn second(&mut self) {
        self.begin_saving();
        self.show_progress();
        self.sweep();
        self.look_at_certificates();
        while self.tasks.try_join_next().is_some() {}
    }
}
