//! The prober: one task for each endpoint, which learns of changed targets.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::clock;
use crate::health::{ProbeFailure, ProbeOutcome};
use crate::model::{EndpointId, ReleaseId};
use crate::tasks;
use crate::tls::Origins;

use super::exchange::Plan;
use super::schedule::Schedule;
use super::target::ProbeTarget;

/// The time between the starts of probes that are due at the same moment. If there are so many that
/// they would not fit into their interval, they start evenly over it. So two thousand new endpoints
/// at an interval of 1 s are spread over that second.
const SPREAD: Duration = Duration::from_micros(500);

/// The result of one probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeReport {
    /// The endpoint that was probed.
    pub endpoint: EndpointId,
    /// The release that owned the endpoint when the probe's target was set.
    pub owner: Option<ReleaseId>,
    pub outcome: ProbeOutcome,
}

/// Probes the latest targets, and reports into a bounded channel.
#[derive(Debug)]
pub struct Prober {
    reports: mpsc::Sender<ProbeReport>,
    runtime: Handle,
    origins: Arc<Origins>,
    slots: Mutex<HashMap<EndpointId, Slot>>,
}

/// One endpoint's task. Dropping it stops the task, and then a probe that is under way is not
/// reported.
#[derive(Debug)]
struct Slot {
    desk: Arc<Desk>,
    task: JoinHandle<()>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Prober {
    /// Starts with no targets. The prober runs on the current runtime (the control plane's) until
    /// it is dropped.
    #[must_use]
    pub fn start(reports: mpsc::Sender<ProbeReport>, origins: Arc<Origins>) -> Self {
        Self { reports, runtime: Handle::current(), origins, slots: Mutex::default() }
    }

    /// Replaces the targets. Targets that stay keep their schedule. New ones, and those with a new
    /// owner or address, are probed at once; if there are many, they are spread over the interval.
    pub fn set_targets(&self, targets: Vec<ProbeTarget>) {
        let mut slots = lock(&self.slots);
        let is_prompt = |target: &ProbeTarget| {
            slots.get(&target.endpoint.id).is_none_or(|slot| slot.desk.is_news(target))
        };
        let mut prompt =
            u32::try_from(targets.iter().filter(|target| is_prompt(target)).count()).unwrap_or(u32::MAX);
        let count = prompt.max(1);
        let now = now();
        let mut kept = HashMap::with_capacity(targets.len());
        for target in targets {
            let gap = (target.check.interval / count).min(SPREAD);
            let id = target.endpoint.id.clone();
            if let Some(slot) = slots.remove(&id) {
                let news = slot.desk.is_news(&target);
                let at = news.then(|| now + spread(gap, count - prompt));
                prompt = prompt.saturating_sub(u32::from(news));
                slot.desk.replace(target, at);
                kept.insert(id, slot);
            } else if let Entry::Vacant(place) = kept.entry(id) {
                let first = now + spread(gap, count - prompt);
                prompt = prompt.saturating_sub(1);
                let desk = Arc::new(Desk::new(target));
                let task = tasks::spawn_on(
                    &self.runtime,
                    "probe",
                    Arc::clone(&desk).keep_probing(first, self.reports.clone(), Arc::clone(&self.origins)),
                );
                place.insert(Slot { desk, task });
            }
        }
        *slots = kept;
    }

    /// Probes an endpoint again at once, and up to `fall` times 200 ms apart while it refuses or
    /// resets connections.
    ///
    /// This is for failures in traffic. A probe that is refused starts the same burst by itself.
    /// The call is cheap. However often it is called, probes start at least 200 ms apart.
    pub fn suspect(&self, endpoint: &EndpointId) {
        if let Some(slot) = lock(&self.slots).get(endpoint) {
            slot.desk.suspect();
        }
    }
}

/// Returns a random time in the gap number `index`, counted from 0, of gaps that are `gap` long.
fn spread(gap: Duration, index: u32) -> Duration {
    gap * index + gap.mul_f64(fastrand::f64())
}

fn now() -> Instant {
    Instant::from_std(clock::instant())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The messages to an endpoint's task.
#[derive(Debug)]
struct Desk {
    orders: Mutex<Orders>,
    changed: Notify,
}

#[derive(Debug)]
struct Orders {
    target: Arc<ProbeTarget>,
    /// When to probe for a new owner or address.
    prompt: Option<Instant>,
    suspect: bool,
    repace: bool,
}

impl Desk {
    fn new(target: ProbeTarget) -> Self {
        let orders = Orders { target: Arc::new(target), prompt: None, suspect: false, repace: false };
        Self { orders: Mutex::new(orders), changed: Notify::new() }
    }

    fn is_news(&self, target: &ProbeTarget) -> bool {
        let known = &lock(&self.orders).target;
        known.owner != target.owner || known.endpoint.address != target.endpoint.address
    }

    fn replace(&self, target: ProbeTarget, prompt: Option<Instant>) {
        let mut orders = lock(&self.orders);
        if *orders.target == target {
            return;
        }
        orders.repace |= orders.target.check.interval != target.check.interval;
        orders.prompt = prompt.or(orders.prompt);
        orders.target = Arc::new(target);
        drop(orders);
        self.changed.notify_one();
    }

    fn suspect(&self) {
        lock(&self.orders).suspect = true;
        self.changed.notify_one();
    }

    /// Applies the changes to the schedule, and returns the latest target.
    fn read_orders(&self, schedule: &mut Schedule) -> Arc<ProbeTarget> {
        let mut orders = lock(&self.orders);
        let target = Arc::clone(&orders.target);
        if std::mem::take(&mut orders.repace) {
            schedule.repace(target.check.interval, now());
        }
        if std::mem::take(&mut orders.suspect) {
            schedule.suspect(target.check.fall, now());
        }
        if let Some(at) = orders.prompt.take() {
            schedule.prompt(at);
        }
        target
    }

    async fn keep_probing(
        self: Arc<Self>,
        first: Instant,
        reports: mpsc::Sender<ProbeReport>,
        origins: Arc<Origins>,
    ) {
        let mut schedule = Schedule::new(first);
        let mut target = self.read_orders(&mut schedule);
        let mut plan = Plan::of(&target, &origins);
        loop {
            tokio::select! {
                // Changes come first, so that a probe that is about to start belongs to the present
                // owner.
                biased;
                () = self.changed.notified() => {
                    let latest = self.read_orders(&mut schedule);
                    if !Arc::ptr_eq(&latest, &target) {
                        plan = Plan::of(&latest, &origins);
                        target = latest;
                    }
                    continue;
                }
                () = tokio::time::sleep_until(schedule.due()) => {}
            }
            let started = now();
            let outcome = plan.run().await;
            let refused = is_refusal(&outcome);
            let report =
                ProbeReport { endpoint: target.endpoint.id.clone(), owner: target.owner.clone(), outcome };
            if reports.send(report).await.is_err() {
                return;
            }
            schedule.ended(started, refused, target.check.interval, target.check.fall, now());
        }
    }
}

/// Tells whether nothing listens at the endpoint, or the listener closes at once. Such an endpoint
/// is worth a second look at once.
fn is_refusal(outcome: &ProbeOutcome) -> bool {
    matches!(outcome, ProbeOutcome::Fail(ProbeFailure::Refused | ProbeFailure::Reset))
}
