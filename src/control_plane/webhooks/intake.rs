//! Brings accepted messages to the controller. They go in order, one at a time per service, and equal ones
//! go once.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::release::Delivery;
use crate::tasks;

/// How many messages may wait in the channel, and for one service.
const WAITING_MAX: usize = 256;
const WAITING_PER_SERVICE_MAX: usize = 32;
/// The pauses before a push is tried again, while a registry or a store does not answer. After the last one
/// they begin again, unless a newer push waits.
pub(crate) const PAUSES: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_mins(1),
];

/// An allowed push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub webhook: String,
    pub service: String,
    /// The push in words for people, such as `org/app:prod`.
    pub subject: String,
    /// The image to resolve and run, if greenlight runs the containers.
    pub image: Option<String>,
    /// The label of the version, if somebody else runs them.
    pub version: Option<String>,
    /// The digest that the sender says the tag has. No image is run by it. It only tells whether the
    /// registry shows the push already.
    pub digest: Option<String>,
    /// The time of the push, in Unix seconds. It is by the sender's clock, but never after greenlight's
    /// own.
    pub at: Option<u64>,
    /// What tells the delivery from another.
    pub delivery: Option<Delivery>,
    pub client: IpAddr,
}

impl Arrival {
    /// Whether both ask for the same thing.
    fn same(&self, other: &Self) -> bool {
        (&self.image, &self.version, self.at) == (&other.image, &other.version, other.at)
    }
}

/// The outcome of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It was accepted, or refused for good. The audit log has the outcome.
    Done,
    /// It may succeed later.
    Later(String),
}

/// How an arrival is given to the controller.
pub type Deliver = Arc<dyn Fn(Arrival) -> BoxFuture<'static, Delivered> + Send + Sync>;

/// The sending side of the task that delivers.
#[derive(Debug)]
pub(crate) struct Intake {
    arrivals: mpsc::Sender<Arrival>,
}

impl Intake {
    /// Starts the task, which ends when this value is dropped. Must run on a tokio runtime.
    pub(crate) fn start(deliver: Deliver, pauses: &'static [Duration]) -> Self {
        let (arrivals, inlet) = mpsc::channel(WAITING_MAX);
        tasks::spawn("webhook intake", run(inlet, deliver, pauses));
        Self { arrivals }
    }

    /// Takes all of them or none. In the second case, the sender is told to send the message again.
    pub(crate) fn take(&self, arrivals: Vec<Arrival>) -> bool {
        if arrivals.is_empty() {
            return true;
        }
        let Ok(places) = self.arrivals.try_reserve_many(arrivals.len()) else { return false };
        for (place, arrival) in places.zip(arrivals) {
            place.send(arrival);
        }
        true
    }
}

/// The waiting messages of one service. `busy` means that one of its messages is being delivered.
#[derive(Default)]
struct Line {
    busy: bool,
    waiting: VecDeque<Arrival>,
}

async fn run(mut inlet: mpsc::Receiver<Arrival>, deliver: Deliver, pauses: &'static [Duration]) {
    let mut lines: BTreeMap<String, Line> = BTreeMap::new();
    let mut under_way: JoinSet<(String, Option<Arrival>)> = JoinSet::new();
    loop {
        let service = tokio::select! {
            arrival = inlet.recv() => {
                let Some(arrival) = arrival else { return };
                let line = lines.entry(arrival.service.clone()).or_default();
                let service = arrival.service.clone();
                queue(line, arrival);
                service
            }
            Some(done) = under_way.join_next() => {
                // No delivery is canceled while this task runs, and a panic ends within `bring`.
                let Ok((service, left)) = done else { continue };
                if let Some(line) = lines.get_mut(&service) {
                    line.busy = false;
                    again(line, left);
                }
                service
            }
        };
        let Some(line) = lines.get_mut(&service) else { continue };
        if line.busy {
            continue;
        }
        match line.waiting.pop_front() {
            Some(arrival) => {
                line.busy = true;
                under_way.spawn(bring(arrival, Arc::clone(&deliver), pauses));
            }
            None => {
                lines.remove(&service);
            }
        }
    }
}

fn queue(line: &mut Line, arrival: Arrival) {
    if line.waiting.iter().any(|other| other.same(&arrival)) {
        tracing::debug!(webhook = arrival.webhook, subject = arrival.subject, "the same waits already");
        return;
    }
    if line.waiting.len() >= WAITING_PER_SERVICE_MAX
        && let Some(oldest) = line.waiting.pop_front()
    {
        tracing::warn!(
            webhook = oldest.webhook,
            service = oldest.service,
            subject = oldest.subject,
            "too many pushes wait: the oldest gives way to newer ones"
        );
    }
    line.waiting.push_back(arrival);
}

/// Delivers one message, and returns its service, and the message itself if it was not delivered. A panic of the delivery is logged and ends there, so
/// that only this message is lost and its service does not wait forever.
async fn bring(arrival: Arrival, deliver: Deliver, pauses: &'static [Duration]) -> (String, Option<Arrival>) {
    let service = arrival.service.clone();
    let delivery = tasks::named("webhook delivery", try_to_deliver(arrival, deliver, pauses));
    let left = AssertUnwindSafe(delivery).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(service, "a push is lost");
        None
    });
    (service, left)
}

/// Puts a push that could not be delivered back into its line, since its sender was told that it was taken. It
/// gives way to a newer push of its service.
fn again(line: &mut Line, left: Option<Arrival>) {
    let Some(left) = left else { return };
    if line.waiting.is_empty() {
        line.waiting.push_back(left);
    } else {
        let Arrival { webhook, service, subject, .. } = left;
        tracing::error!(webhook, service, subject, "a push is given up: a newer one waits");
    }
}

/// Delivers one message, and tries again after each pause. Returns the message if that did not help.
async fn try_to_deliver(arrival: Arrival, deliver: Deliver, pauses: &[Duration]) -> Option<Arrival> {
    for pause in pauses.iter().copied().map(Some).chain([None]) {
        let Delivered::Later(why) = deliver(arrival.clone()).await else { return None };
        let Arrival { webhook, service, subject, .. } = &arrival;
        tracing::warn!(webhook, service, subject, why, ?pause, "a push waits");
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
    }
    Some(arrival)
}
