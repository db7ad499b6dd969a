//! A steady load through the front door, and what became of every request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::client::{Answer, Connection, Failure, request};
use super::tally::{Counts, Loss, Tally};
use crate::clock;
use crate::model::Color;

/// What is asked, and how hard.
#[derive(Clone, Debug)]
pub struct Plan {
    pub target: SocketAddr,
    pub host: String,
    pub path: String,
    /// Kept-alive connections, each with one request at a time.
    pub connections: u32,
    /// Requests a second over all connections; `None`: as fast as the answers come.
    pub rate: Option<f64>,
    /// A request without a whole answer after so long is lost.
    pub timeout: Duration,
}

/// Which color has to answer from now on: a promise of the front door that every client holds it to.
///
/// A request that was begun and answered under the same promise and came from the other color has
/// broken it. What is on its way while the promise changes may go either way.
#[derive(Debug, Default)]
struct Promise(AtomicU64);

impl Promise {
    /// The low two bits are the color (0: none), the rest counts, so that two equal ones differ.
    fn set(&self, color: Option<Color>) {
        let bits = color.map_or(0, |color| color.index() as u64 + 1);
        let before = self.0.load(Ordering::SeqCst);
        self.0.store(((before >> 2) + 1) << 2 | bits, Ordering::SeqCst);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn color(value: u64) -> Option<Color> {
        match value & 3 {
            1 => Some(Color::Blue),
            2 => Some(Color::Green),
            _ => None,
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    tally: Tally,
    promise: Promise,
}

/// A load that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    clients: JoinSet<()>,
}

impl Load {
    /// Starts at once. Needs a tokio runtime around it.
    #[must_use]
    pub fn start(plan: &Plan) -> Self {
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = watch::channel(false);
        let mut clients = JoinSet::new();
        for number in 0..plan.connections.max(1) {
            clients.spawn(client(plan.clone(), number, Arc::clone(&shared), stopped.clone()));
        }
        Self { shared, stop, clients }
    }

    /// The sums so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.tally.counts()
    }

    /// From now on every request must be answered by `color`; `None` asks for nothing.
    pub fn promise(&self, color: Option<Color>) {
        self.shared.promise.set(color);
    }

    /// Waits until `enough` says so of the sums; false if it did not within `limit`.
    pub async fn until(&self, limit: Duration, enough: impl Fn(&Counts) -> bool) -> bool {
        let mut changes = self.shared.tally.changes();
        tokio::time::timeout(limit, async {
            while !enough(&self.counts()) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        })
        .await
        .is_ok()
    }

    /// Lets each client finish the request it is in, and gives the sums.
    pub async fn stop(mut self) -> Counts {
        let _ = self.stop.send(true);
        while self.clients.join_next().await.is_some() {}
        self.counts()
    }
}

/// One connection's life: it is opened anew only when the last answer, or its loss, ended it.
async fn client(plan: Plan, number: u32, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let bytes = request("GET", &plan.path, &plan.host, None);
    let mut pace = plan.rate.map(|rate| pacer(rate, plan.connections.max(1), number));
    let mut connection = None;
    while !*stopped.borrow() {
        if let Some(pace) = &mut pace {
            tokio::select! {
                _ = pace.tick() => {}
                _ = stopped.changed() => return,
            }
        }
        let promise = shared.promise.read();
        let begun = clock::instant();
        let outcome = tokio::time::timeout(plan.timeout, ask(&mut connection, plan.target, &bytes)).await;
        let took = clock::instant().duration_since(begun);
        let has_changed = shared.promise.read() != promise;
        match outcome {
            Ok(Ok(answer)) => {
                record(&shared.tally, &answer, took, Promise::color(promise).filter(|_| !has_changed));
                if !answer.keep_alive {
                    connection = None;
                }
            }
            Ok(Err(failure)) => {
                connection = None;
                shared.tally.lost(Loss::new(failure.to_string(), took));
                // A door that is down would be asked a thousand times a second.
                if matches!(failure, Failure::Connect(_)) {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            Err(_) => {
                connection = None;
                shared.tally.lost(Loss::new(format!("no answer within {:?}", plan.timeout), took));
            }
        }
    }
}

/// Ticks at one connection's share of the rate, the connections evenly out of step.
fn pacer(rate: f64, connections: u32, number: u32) -> tokio::time::Interval {
    let period = Duration::from_secs_f64(f64::from(connections) / rate.max(0.001));
    let first = tokio::time::Instant::now() + period * number / connections;
    let mut pace = tokio::time::interval_at(first, period);
    pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
    pace
}

async fn ask(
    connection: &mut Option<Connection>,
    target: SocketAddr,
    bytes: &[u8],
) -> Result<Answer, Failure> {
    let open = match connection {
        Some(open) => open,
        None => connection.insert(Connection::open(target).await?),
    };
    open.ask(bytes).await
}

fn record(tally: &Tally, answer: &Answer, took: Duration, promised: Option<Color>) {
    let app = answer.field("x-app").unwrap_or("-");
    if let Some(color) = promised
        && answer.status == 200
        && app != color.as_str()
    {
        tally.broken(format!("{app} answered after {color} was promised"));
    }
    if answer.status == 200 {
        tally.answered(app, took);
    } else {
        let body = String::from_utf8_lossy(&answer.body);
        let first_line = body.lines().next().unwrap_or_default();
        tally.failed(
            app,
            answer.status,
            Loss::new(format!("{} from {app}: {first_line}", answer.status), took),
        );
    }
}
