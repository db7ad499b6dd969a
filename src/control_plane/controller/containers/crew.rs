//! A crew carries out the orders for a service's containers, one order after the other, until each
//! is done or called off. An order that only ends something (save, stop, remove) is put off while
//! an engine is away, and tried again until it is done. After a restart such an order is derived
//! from the record again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::control_plane::provider::docker::{CallOff, DockerFault, ServiceEngines, Set, Witness};
use crate::control_plane::store::Store;
use crate::model::{ImageReference, ReleaseId, ServiceName, Version};
use crate::release::{Event, State};

use crate::control_plane::controller::exhibit::{ContainerEvidence, keep_containers};
use crate::control_plane::controller::message::Internal;
use crate::control_plane::controller::record::{WRITE_TIMEOUT, record_state};
use crate::tasks;

/// The most orders that wait. A service has a handful of sets, so there are never more orders than
/// this.
const ORDERS: usize = 256;
/// The pause between two tries of an order.
const AGAIN: Duration = Duration::from_secs(1);
/// The longest pause before a registry in trouble is asked again. The pauses begin with [`AGAIN`] and double.
/// The release's `pull_timeout` ends them.
const REGISTRY_PAUSE_MAX: Duration = Duration::from_secs(16);

/// One thing to do at the engines.
#[derive(Debug)]
pub(crate) enum Order {
    /// Fetches an image. `version` is `None` if the registry has to be asked for it first.
    Pull { release: ReleaseId, image: ImageReference, version: Option<Version>, off: CallOff },
    /// Brings a set up.
    Start { set: Set, off: CallOff },
    /// Saves the last output of a set's containers under the record of `release`.
    Save { set: ReleaseId, release: ReleaseId },
    /// Stops a set.
    Stop { set: ReleaseId },
    /// Removes a set, and its image if the image is known and the record does not need it.
    Remove { set: ReleaseId, image: Option<(ImageReference, Version)> },
    /// Removes the containers that commands of hooks have left behind.
    Tidy,
}

impl Order {
    fn set(&self) -> Option<&ReleaseId> {
        match self {
            Self::Pull { release, .. } => Some(release),
            Self::Start { set, .. } => Some(&set.release),
            Self::Save { set, .. } | Self::Stop { set } | Self::Remove { set, .. } => Some(set),
            Self::Tidy => None,
        }
    }
}

/// The controller's end of a crew, which gives orders. Dropping it ends the crew between two calls
/// of an engine.
#[derive(Debug)]
pub(crate) struct Crew {
    orders: mpsc::Sender<Order>,
    upstream: watch::Sender<ServiceEngines>,
    /// The progress of the pull that runs.
    pub(crate) progress: watch::Receiver<Option<(ReleaseId, String)>>,
    task: JoinHandle<()>,
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Crew {
    pub(crate) fn start(
        service: ServiceName,
        upstream: ServiceEngines,
        store: Arc<dyn Store>,
        internal: mpsc::Sender<Internal>,
    ) -> Self {
        let (orders, taken) = mpsc::channel(ORDERS);
        let (upstream, current) = watch::channel(upstream);
        let (progress_in, progress) = watch::channel(None);
        let hand = Hand {
            service,
            upstream: current,
            store,
            internal,
            progress: progress_in,
            put_off: VecDeque::new(),
        };
        Self { orders, upstream, progress, task: tasks::spawn("container crew", hand.run(taken)) }
    }

    /// Gives an order. If the queue is full, the order is lost and an error is logged. The next
    /// start derives it again.
    pub(crate) fn order(&self, order: Order) {
        if let Err(lost) = self.orders.try_send(order) {
            tracing::error!(%lost, "an order for the engine is lost: the next start gives it again");
        }
    }

    /// Replaces the configuration. All later orders, and all that wait, use the new one.
    pub(crate) fn reconfigure(&self, upstream: ServiceEngines) {
        self.upstream.send_replace(upstream);
    }
}

/// Why an order could not be carried out yet.
#[derive(Debug)]
enum NotYet {
    Engine(DockerFault),
    Store(String),
}

/// The state of the crew's task.
struct Hand {
    service: ServiceName,
    upstream: watch::Receiver<ServiceEngines>,
    store: Arc<dyn Store>,
    internal: mpsc::Sender<Internal>,
    progress: watch::Sender<Option<(ReleaseId, String)>>,
    put_off: VecDeque<Order>,
}

impl Hand {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        loop {
            let order = tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => order,
                    None => return,
                },
                () = tokio::time::sleep(AGAIN), if !self.put_off.is_empty() => {
                    self.catch_up().await;
                    continue;
                }
            };
            self.take(order).await;
        }
    }

    async fn take(&mut self, order: Order) {
        match order {
            Order::Pull { release, image, version, off } => self.pull(release, image, version, off).await,
            Order::Start { set, off } => self.start(set, off).await,
            ends => {
                // An order must not overtake another order of the same set that was put off.
                let waits = self.put_off.iter().any(|other| other.set() == ends.set());
                if waits {
                    self.put_off.push_back(ends);
                } else if let Err(why) = self.end(&ends).await {
                    self.say_put_off(&ends, &why);
                    self.put_off.push_back(ends);
                }
            }
        }
    }

    /// Tries the orders that were put off, in their order. Those that can't be done yet go on
    /// waiting.
    async fn catch_up(&mut self) {
        let mut still = VecDeque::new();
        while let Some(order) = self.put_off.pop_front() {
            let blocked = still.iter().any(|other: &Order| other.set() == order.set());
            if blocked || self.end(&order).await.is_err() {
                still.push_back(order);
            } else {
                tracing::info!(service = %self.service, ?order, "done at last");
            }
        }
        self.put_off = still;
    }

    fn say_put_off(&self, order: &Order, why: &NotYet) {
        let why = match why {
            NotYet::Engine(why) => why.to_string(),
            NotYet::Store(why) => format!("the store does not say whether it may: {why}"),
        };
        tracing::warn!(service = %self.service, ?order, why, "put off: tried again until it is done");
    }

    fn upstream(&self) -> ServiceEngines {
        self.upstream.borrow().clone()
    }

    async fn tell(&self, message: Internal) {
        // The receiver is gone only when the process is stopping.
        let _ = self.internal.send(message).await;
    }

    async fn fact(&self, event: Event) {
        self.tell(Internal::Event(self.service.clone(), event)).await;
    }

    /// Asks for the digest if it is not known, and fetches the image. It goes on until the image is
    /// there, the registry refuses, or the order is called off.
    async fn pull(
        &mut self,
        release: ReleaseId,
        image: ImageReference,
        version: Option<Version>,
        off: CallOff,
    ) {
        let mut pause = AGAIN;
        loop {
            if off.check().is_err() {
                break;
            }
            let why = match self.pull_once(&release, &image, version.as_ref(), &off).await {
                Ok(version) => {
                    self.tell(Internal::Pulled(self.service.clone(), release, image, version)).await;
                    break;
                }
                Err(DockerFault::CalledOff) => break,
                Err(DockerFault::Away { .. }) => {
                    self.pause(&off, AGAIN).await;
                    continue;
                }
                Err(why @ DockerFault::RegistryAway { .. }) => {
                    let event = Event::PullStruggles { release: release.clone(), why: why.to_string() };
                    self.fact(event).await;
                    self.pause(&off, pause).await;
                    pause = (pause * 2).min(REGISTRY_PAUSE_MAX);
                    continue;
                }
                Err(why) => why,
            };
            self.fact(Event::PullFailed { release, why: why.to_string() }).await;
            break;
        }
        self.progress.send_replace(None);
    }

    async fn pull_once(
        &self,
        release: &ReleaseId,
        image: &ImageReference,
        version: Option<&Version>,
        off: &CallOff,
    ) -> Result<Version, DockerFault> {
        let upstream = self.upstream();
        let version = match version {
            Some(version) => version.clone(),
            None => upstream.resolve(image).await?,
        };
        let progress = &self.progress;
        let told = |text| {
            progress.send_replace(Some((release.clone(), text)));
        };
        upstream.pull(image, &version, off.clone(), &told).await?;
        Ok(version)
    }

    async fn pause(&self, off: &CallOff, time: Duration) {
        let mut off = off.clone();
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = off.wait() => {}
        }
    }

    /// Brings a set up. Orders of the same set that were put off are void. Orders of other sets
    /// that were put off come first, since their containers may hold the ports.
    async fn start(&mut self, set: Set, off: CallOff) {
        self.put_off.retain(|other| other.set() != Some(&set.release));
        loop {
            if off.check().is_err() {
                return;
            }
            if !self.put_off.is_empty() {
                self.catch_up().await;
            }
            let started = if self.put_off.is_empty() {
                self.start_once(&set, &off).await
            } else {
                Err(DockerFault::Away {
                    engine: String::new(),
                    why: "something waits to be stopped there".into(),
                })
            };
            match started {
                Ok(()) => return self.tell(Internal::CameUp(self.service.clone(), set.release)).await,
                Err(DockerFault::CalledOff) => return,
                Err(why) if why.passes() => self.pause(&off, AGAIN).await,
                Err(why) => {
                    let event = Event::StartFailed { release: set.release, why: why.to_string() };
                    return self.fact(event).await;
                }
            }
        }
    }

    /// Starts a set once. Somebody may have removed the image of a kept set, so a missing image is
    /// fetched again.
    async fn start_once(&self, set: &Set, off: &CallOff) -> Result<(), DockerFault> {
        let upstream = self.upstream();
        match upstream.start(set, off).await {
            Err(DockerFault::NoImage { .. }) => {
                upstream.pull(&set.image, &set.version, off.clone(), &|_| ()).await?;
                upstream.start(set, off).await
            }
            other => other,
        }
    }

    /// Carries out an order that ends something: save, stop, remove or tidy.
    async fn end(&self, order: &Order) -> Result<(), NotYet> {
        let upstream = self.upstream();
        match order {
            Order::Save { set, release } => self.save(&upstream, set, release).await,
            Order::Stop { set } => {
                if self.record().await?.may_stop(set) {
                    done(&self.service, set, upstream.stop(set).await)?;
                } else {
                    tracing::warn!(service = %self.service, %set, "not stopped: the record has it in use");
                }
                self.tell(Internal::Swept(self.service.clone(), set.clone())).await;
                Ok(())
            }
            Order::Remove { set, image } => {
                let state = self.record().await?;
                if state.knows_containers(set) {
                    tracing::warn!(service = %self.service, %set, "not removed: the record has it in use");
                } else {
                    done(&self.service, set, upstream.remove(set).await)?;
                    if let Some((image, version)) = image
                        && !state.knows_version(version)
                    {
                        done(&self.service, set, upstream.remove_image(image, version).await)?;
                    }
                }
                self.tell(Internal::Swept(self.service.clone(), set.clone())).await;
                Ok(())
            }
            Order::Tidy => match upstream.remove_commands().await {
                Err(why) if why.passes() => Err(NotYet::Engine(why)),
                _ => Ok(()),
            },
            Order::Pull { .. } | Order::Start { .. } => Ok(()),
        }
    }

    /// Returns the service's state as the store has it now, because a set that the record needs
    /// must never be stopped.
    async fn record(&self) -> Result<State, NotYet> {
        let loading = self.store.load(&self.service);
        let loaded = tokio::time::timeout(WRITE_TIMEOUT, loading).await;
        let stored = loaded
            .map_err(|_| NotYet::Store("it does not answer".to_owned()))?
            .map_err(|why| NotYet::Store(why.to_string()))?;
        let stored = stored.ok_or_else(|| NotYet::Store("there is no record yet".to_owned()))?;
        record_state(&stored.json).map_err(NotYet::Store)
    }

    async fn save(
        &self,
        upstream: &ServiceEngines,
        set: &ReleaseId,
        release: &ReleaseId,
    ) -> Result<(), NotYet> {
        let witnesses = match upstream.witnesses(set).await {
            Ok(witnesses) => witnesses,
            Err(why) if why.passes() => return Err(NotYet::Engine(why)),
            Err(why) => {
                tracing::error!(service = %self.service, %set, %why, "the containers' last words are lost");
                return Ok(());
            }
        };
        if witnesses.is_empty() {
            return Ok(());
        }
        let evidence = witnesses.into_iter().map(evidence).collect();
        let kept =
            tokio::time::timeout(WRITE_TIMEOUT, keep_containers(&*self.store, release, evidence)).await;
        match kept {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(NotYet::Store(why.to_string())),
            Err(_) => Err(NotYet::Store("it does not answer".to_owned())),
        }
    }
}

/// Logs an engine's final refusal and goes on, since the next sweep finds the containers that are
/// still there.
fn done(service: &ServiceName, set: &ReleaseId, outcome: Result<(), DockerFault>) -> Result<(), NotYet> {
    match outcome {
        Ok(()) => Ok(()),
        Err(why) if why.passes() => Err(NotYet::Engine(why)),
        Err(why) => {
            tracing::error!(%service, %set, %why, "the engine refused");
            Ok(())
        }
    }
}

fn evidence(witness: Witness) -> ContainerEvidence {
    let mut state = witness.status;
    if let Some(end) = &witness.end {
        state = format!("{state} ({end})");
    }
    if witness.restarts > 0 {
        state = format!("{state}, restarted {} times", witness.restarts);
    }
    ContainerEvidence {
        container: format!("{} ({})", witness.name, witness.id),
        image: witness.inspect["image"].as_str().unwrap_or_default().to_owned(),
        state,
        log_lines: witness.log,
        inspect: witness.inspect,
    }
}
