//! A crew carries out the orders that bring a service's containers up, one order after the other, until
//! each is done or called off. What ends containers is done elsewhere (`endings`), so that a container
//! that can't be stopped holds no start.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::control_plane::provider::docker::{CallOff, DockerFault, ServiceEngines, Set};
use crate::model::{ImageReference, ReleaseId, ServiceName, Version};
use crate::release::Event;

use crate::control_plane::controller::message::Internal;
use crate::tasks;

use super::endings::Board;

/// The most orders that wait. A service has a handful of sets, so there are never more orders than
/// this.
const ORDERS: usize = 256;
/// The pause between two tries of an order.
const AGAIN: Duration = Duration::from_secs(1);
/// The longest pause before a registry in trouble is asked again. The pauses begin with [`AGAIN`] and double.
/// The release's `pull_timeout` ends them.
const REGISTRY_PAUSE_MAX: Duration = Duration::from_secs(16);
/// How long a call of an engine may go on after its start was called off.
const CALL_ENDS: Duration = Duration::from_secs(5);

/// One thing to do at the engines.
#[derive(Debug)]
pub(crate) enum Order {
    /// Fetches an image. `version` is `None` if the registry has to be asked for it first.
    Pull { release: ReleaseId, image: ImageReference, version: Option<Version>, off: CallOff },
    /// Brings a set up.
    Start { set: Set, off: CallOff },
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
        board: Board,
        internal: mpsc::Sender<Internal>,
    ) -> Self {
        let (orders, taken) = mpsc::channel(ORDERS);
        let (upstream, current) = watch::channel(upstream);
        let (progress_in, progress) = watch::channel(None);
        let hand = Hand { service, upstream: current, internal, progress: progress_in, board };
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

/// The state of the crew's task.
struct Hand {
    service: ServiceName,
    upstream: watch::Receiver<ServiceEngines>,
    internal: mpsc::Sender<Internal>,
    progress: watch::Sender<Option<(ReleaseId, String)>>,
    board: Board,
}

impl Hand {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        while let Some(order) = orders.recv().await {
            self.take(order).await;
        }
    }

    async fn take(&mut self, order: Order) {
        match order {
            Order::Pull { release, image, version, off } => self.pull(release, image, version, off).await,
            Order::Start { set, off } => self.start(set, off).await,
        }
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

    /// Brings a set up. It waits until no engine is about to stop this set, and on the host's network until
    /// the other sets of its color have given up their ports.
    async fn start(&mut self, set: Set, mut off: CallOff) {
        let mut was_stuck = false;
        loop {
            let color = self.upstream().is_on_host().then_some(set.color);
            tokio::select! {
                () = self.board.clear_of(&set.release, color) => {}
                () = off.wait() => {}
            }
            self.board.start_begins(&set.release);
            let started = self.start_unless_off(&set, &off).await;
            self.board.start_ends(&set.release);
            let stuck = matches!(started, Err(DockerFault::Stuck { .. }));
            if stuck || was_stuck {
                let why = started.as_ref().err().filter(|_| stuck).map(ToString::to_string);
                self.tell(Internal::Stuck(self.service.clone(), set.release.clone(), why)).await;
                was_stuck = stuck;
            }
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

    /// Starts a set once. A start that is called off leaves its present call of the engine some time to end,
    /// and no more, since other releases wait.
    async fn start_unless_off(&self, set: &Set, off: &CallOff) -> Result<(), DockerFault> {
        off.check()?;
        let mut called = off.clone();
        let given_up = async {
            called.wait().await;
            tokio::time::sleep(CALL_ENDS).await;
        };
        tokio::select! {
            started = self.start_once(set, off) => started,
            () = given_up => Err(DockerFault::CalledOff),
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
}
