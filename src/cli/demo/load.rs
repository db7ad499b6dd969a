//! A steady load of requests through the front door. The result of every request is counted.

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

/// The target of a load, its requests and its rate.
#[derive(Clone, Debug)]
pub struct Plan {
    pub target: SocketAddr,
    pub host: String,
    pub path: String,
    /// The number of kept-alive connections. Each carries one request at a time.
    pub connections: u32,
    /// Requests a second over all connections. With `None` each connection sends a request as soon as the
    /// answer before it has arrived.
    pub rate: Option<f64>,
    /// A request without a complete answer after this time is lost.
    pub timeout: Duration,
}

/// The color that has to answer from now on. The front door promises it, and every client checks it.
///
/// A promise is broken when a request began and was answered under the same promise, and the other color
/// answered it. A request that is on its way while the promise changes may be answered by either color.
#[derive(Debug, Default)]
struct Promise(AtomicU64);

impl Promise {
    /// Sets the promise. The low two bits of the number are the color (0 is no color). The other bits count
    /// the promises, so that two promises of the same color have different numbers.
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

/// A load that runs until this value is stopped or dropped.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    clients: JoinSet<()>,
}

impl Load {
    /// Starts the load at once. Panics outside a tokio runtime.
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

    /// From now on `color` must answer every request. With `None` either color may answer.
    pub fn promise(&self, color: Option<Color>) {
        self.shared.promise.set(color);
    }

    /// Waits until `enough` returns true for the sums. Returns false if that did not happen within `limit`.
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

    /// Stops the load after each client has finished its current request, and returns the sums.
    pub async fn stop(mut self) -> Counts {
        let _ = self.stop.send(true);
        while self.clients.join_next().await.is_some() {}
        self.counts()
    }
}

/// One client with one connection at a time. It opens a new connection only after an answer that ends the
/// connection, or after a lost request.
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
                // Without this pause the client would ask a front door that is down a thousand times a
                // second.
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

/// An interval that ticks at one connection's share of the rate. The first ticks of the connections are
/// spread evenly over the period.
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
