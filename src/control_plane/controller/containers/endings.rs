//! Carries out the orders that end something: save, stop, remove and tidy. The orders of one set are done
//! one after the other. Those of different sets do not wait for each other, since an engine may give no
//! answer about one container for ever.
//!
//! An order that can't be done yet is tried again until it is done, or until the set is started. After a
//! restart the orders are derived from the record again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::control_plane::controller::exhibit::{ContainerEvidence, keep_containers};
use crate::control_plane::controller::message::Internal;
use crate::control_plane::controller::record::{WRITE_TIMEOUT, record_state};
use crate::control_plane::provider::docker::{DockerFault, ServiceEngines, Witness};
use crate::control_plane::store::Store;
use crate::model::{Color, ImageReference, ReleaseId, ServiceName, Version};
use crate::release::State;
use crate::tasks;

/// The most orders that wait. A service has a handful of sets, so there are never more orders than this.
const ORDERS: usize = 256;
/// The pause between two tries of an order.
const AGAIN: Duration = Duration::from_secs(1);
/// How many orders of a service are carried out at a time.
const AT_ONCE: usize = 16;
/// How long the end of a set waits for the start of the same set, which was called off.
const START_ENDS: Duration = Duration::from_secs(10);
/// How long the evidence of a set may take in total.
const EVIDENCE_MAX: Duration = Duration::from_secs(10);

/// One thing to end at the engines.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// Saves the last output of a set's containers under the record of `release`.
    Save { set: ReleaseId, release: ReleaseId },
    /// Stops a set.
    Stop { set: ReleaseId, color: Color },
    /// Removes a set, and its image if the image is known and the record does not need it.
    Remove { set: ReleaseId, color: Color, image: Option<(ImageReference, Version)> },
    /// Removes the containers that commands of hooks have left behind.
    Tidy,
}

impl Ending {
    fn set(&self) -> Option<&ReleaseId> {
        match self {
            Self::Save { set, .. } | Self::Stop { set, .. } | Self::Remove { set, .. } => Some(set),
            Self::Tidy => None,
        }
    }

    /// The set that this order ends, and its color.
    fn ends(&self) -> Option<(&ReleaseId, Color)> {
        match self {
            Self::Stop { set, color } | Self::Remove { set, color, .. } => Some((set, *color)),
            Self::Save { .. } | Self::Tidy => None,
        }
    }
}

/// An order that is not done yet.
#[derive(Clone, Debug)]
struct Posted {
    order: Ending,
    /// Whether an engine is at it right now.
    runs: bool,
}

/// The orders that are not done, by number, which is their age. All clones see the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Board {
    orders: Arc<watch::Sender<BTreeMap<u64, Posted>>>,
    /// The sets that are being started.
    starts: Arc<watch::Sender<Vec<ReleaseId>>>,
}

impl Board {
    /// Waits until no engine ends this set, and with `color` until no set of that color is to be ended.
    pub(crate) async fn clear_of(&self, set: &ReleaseId, color: Option<Color>) {
        let mut orders = self.orders.subscribe();
        let blocks = |posted: &Posted| {
            posted.order.ends().is_some_and(
                |(ended, of)| {
                    if ended == set { posted.runs } else { color == Some(of) }
                },
            )
        };
        // The sender lives as long as this value.
        let _ = orders.wait_for(|orders| !orders.values().any(blocks)).await;
    }

    /// Notes that a set is being started.
    pub(crate) fn start_begins(&self, set: &ReleaseId) {
        self.starts.send_modify(|starts| starts.push(set.clone()));
    }

    /// Notes that a set is not being started any more.
    pub(crate) fn start_ends(&self, set: &ReleaseId) {
        self.starts.send_modify(|starts| {
            if let Some(at) = starts.iter().position(|other| other == set) {
                starts.swap_remove(at);
            }
        });
    }

    /// Waits until a set is not being started, so that no container is made after its set was removed. The
    /// wait has a limit, since the engine may not answer.
    async fn not_starting(&self, set: &ReleaseId) {
        let mut starts = self.starts.subscribe();
        let over = starts.wait_for(|starts| !starts.contains(set));
        let _ = tokio::time::timeout(START_ENDS, over).await;
    }

    /// Withdraws the orders to end a set, as the set is started. One that an engine is at goes on.
    pub(crate) fn withdraw(&self, set: &ReleaseId) {
        self.orders.send_if_modified(|orders| {
            let before = orders.len();
            orders
                .retain(|_, posted| posted.runs || posted.order.ends().is_none_or(|(ended, _)| ended != set));
            orders.len() != before
        });
    }

    /// Waits for the turn of an order. `false` if it was withdrawn.
    async fn turn(&self, number: u64) -> bool {
        let mut orders = self.orders.subscribe();
        let ready = |orders: &BTreeMap<u64, Posted>| {
            let Some(mine) = orders.get(&number) else { return true };
            orders.range(..number).all(|(_, older)| older.order.set() != mine.order.set())
        };
        let _ = orders.wait_for(ready).await;
        self.mark(number, true)
    }

    /// `false` if the order was withdrawn.
    fn mark(&self, number: u64, runs: bool) -> bool {
        let mut there = false;
        self.orders.send_modify(|orders| {
            if let Some(posted) = orders.get_mut(&number) {
                (posted.runs, there) = (runs, true);
            }
        });
        there
    }
}

/// The controller's end, which gives orders. Dropping it ends the work between two calls of an engine.
#[derive(Debug)]
pub(crate) struct Endings {
    pub(crate) board: Board,
    worker: Worker,
    numbered: u64,
    upstream: watch::Sender<ServiceEngines>,
    tasks: JoinSet<()>,
}

impl Endings {
    pub(crate) fn new(
        service: ServiceName,
        upstream: ServiceEngines,
        store: Arc<dyn Store>,
        internal: mpsc::Sender<Internal>,
    ) -> Self {
        let (upstream, current) = watch::channel(upstream);
        let board = Board { orders: Arc::default(), starts: Arc::default() };
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let worker = Worker { service, upstream: current, store, internal, places };
        Self { board, worker, numbered: 0, upstream, tasks: JoinSet::new() }
    }

    /// Gives an order. If too many wait, the order is lost and an error is logged. The next start derives
    /// it again.
    pub(crate) fn order(&mut self, order: Ending) {
        while self.tasks.try_join_next().is_some() {}
        if self.board.orders.borrow().len() >= ORDERS {
            tracing::error!(?order, "an order for the engine is lost: the next start gives it again");
            return;
        }
        self.numbered += 1;
        let number = self.numbered;
        self.board.orders.send_modify(|orders| {
            orders.insert(number, Posted { order: order.clone(), runs: false });
        });
        let (worker, board) = (self.worker.clone(), self.board.clone());
        self.tasks.spawn(tasks::named("container ending", async move {
            worker.carry_out(&board, number, order).await;
        }));
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

/// What each order's task needs.
#[derive(Clone, Debug)]
struct Worker {
    service: ServiceName,
    upstream: watch::Receiver<ServiceEngines>,
    store: Arc<dyn Store>,
    internal: mpsc::Sender<Internal>,
    places: Arc<Semaphore>,
}

impl Worker {
    /// Tries an order until it is done or withdrawn.
    async fn carry_out(&self, board: &Board, number: u64, order: Ending) {
        let mut told = false;
        while board.turn(number).await {
            let place = self.places.acquire().await;
            if let Some((set, _)) = order.ends() {
                board.not_starting(set).await;
            }
            let outcome = self.end(&order).await;
            drop(place);
            let Err(why) = outcome else { break };
            board.mark(number, false);
            self.put_off(&order, &why, &mut told).await;
            tokio::time::sleep(AGAIN).await;
        }
        if told {
            tracing::info!(service = %self.service, ?order, "done at last, or withdrawn");
        }
        if let Some((set, _)) = order.ends() {
            self.tell(Internal::Stuck(self.service.clone(), set.clone(), None)).await;
            self.tell(Internal::Swept(self.service.clone(), set.clone())).await;
        }
        board.orders.send_modify(|orders| {
            orders.remove(&number);
        });
    }

    async fn put_off(&self, order: &Ending, why: &NotYet, told: &mut bool) {
        let text = match why {
            NotYet::Engine(why) => why.to_string(),
            NotYet::Store(why) => format!("the store does not say whether it may: {why}"),
        };
        if let (Some((set, _)), NotYet::Engine(DockerFault::Stuck { .. })) = (order.ends(), why) {
            let text = format!("{text}; it is tried again");
            self.tell(Internal::Stuck(self.service.clone(), set.clone(), Some(text))).await;
        }
        if !*told {
            *told = true;
            tracing::warn!(service = %self.service, ?order, why = text, "put off: tried again until it is done");
        }
    }

    async fn tell(&self, message: Internal) {
        // The receiver is gone only when the process is stopping.
        let _ = self.internal.send(message).await;
    }

    async fn end(&self, order: &Ending) -> Result<(), NotYet> {
        let upstream = self.upstream.borrow().clone();
        match order {
            Ending::Save { set, release } => self.save(&upstream, set, release).await,
            Ending::Stop { set, .. } => {
                if self.record().await?.may_stop(set) {
                    done(&self.service, set, upstream.stop(set).await)?;
                } else {
                    tracing::warn!(service = %self.service, %set, "not stopped: the record has it in use");
                }
                Ok(())
            }
            Ending::Remove { set, image, .. } => {
                let state = self.record().await?;
                if state.knows_containers(set) {
                    tracing::warn!(service = %self.service, %set, "not removed: the record has it in use");
                    return Ok(());
                }
                done(&self.service, set, upstream.remove(set).await)?;
                if let Some((image, version)) = image
                    && !state.knows_version(version)
                {
                    done(&self.service, set, upstream.remove_image(image, version).await)?;
                }
                Ok(())
            }
            Ending::Tidy => match upstream.remove_commands().await {
                Err(why) if why.passes() => Err(NotYet::Engine(why)),
                _ => Ok(()),
            },
        }
    }

    /// Returns the service's state as the store has it now, because a set that the record needs must never
    /// be stopped.
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
        let lost = |why: &dyn std::fmt::Display| {
            tracing::error!(service = %self.service, %set, %why, "the containers' last words are lost");
        };
        let witnesses = match tokio::time::timeout(EVIDENCE_MAX, upstream.witnesses(set)).await {
            Ok(Ok(witnesses)) => witnesses,
            Ok(Err(why @ DockerFault::Away { .. })) => return Err(NotYet::Engine(why)),
            Ok(Err(why)) => {
                lost(&why);
                return Ok(());
            }
            Err(_) => {
                lost(&format!("no answer within {} s", EVIDENCE_MAX.as_secs()));
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

/// Logs an engine's final refusal and goes on, since the next sweep finds the containers that are still
/// there.
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
