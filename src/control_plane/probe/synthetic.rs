//! Synthetic requests of greenlight to both colors, at a low rate, while there is too little
//! traffic to judge by (`analysis.synthetic`).
//!
//! Synthetic requests are not probes. A probe asks whether an endpoint is healthy. A synthetic
//! request asks for a path that users ask for, and its outcome is evidence. The requests go
//! straight to the endpoints and never through the data plane, so its counts do not contain them.
//! The old color gets as many requests as the new one, since a failure on both is not the fault of
//! the new version.
//!
//! The load is bounded. A service has at most [`UNDER_WAY_MAX`] requests under way, and each
//! request needs a place in the report channel before it is sent. Otherwise it is not sent.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::health::{Check, CheckKind, ProbeOutcome, Speech};
use crate::judge::Outcome;
use crate::model::{Color, OriginTls, PerColor, ServiceName};
use crate::tasks;
use crate::tls::Origins;

use super::exchange::Plan;

/// The most requests under way to one service. Further ones are not sent.
const UNDER_WAY_MAX: usize = 256;

/// The requests to send to one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntheticTarget {
    pub service: ServiceName,
    /// The addresses of each color's endpoints.
    pub endpoints: PerColor<Vec<SocketAddr>>,
    /// The host name of the requests.
    pub host: String,
    /// The paths, requested in turn. There is at least one.
    pub paths: Vec<String>,
    /// The rate to each color, in requests per second.
    pub rate: u32,
    /// The TLS settings, with `upstream.protocol = "https"`.
    pub tls: Option<OriginTls>,
    /// The longest time of a request. A request that takes longer has failed.
    pub timeout: Duration,
}

/// The outcome of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntheticReport {
    pub service: ServiceName,
    pub color: Color,
    pub outcome: Outcome,
}

/// Sends the requests of the latest targets until it is dropped.
#[derive(Debug)]
pub struct Synthetic {
    reports: mpsc::Sender<SyntheticReport>,
    origins: Arc<Origins>,
    runtime: Handle,
    running: HashMap<ServiceName, Running>,
}

#[derive(Debug)]
struct Running {
    target: SyntheticTarget,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Synthetic {
    /// Starts with no targets, on the current runtime.
    #[must_use]
    pub fn start(reports: mpsc::Sender<SyntheticReport>, origins: Arc<Origins>) -> Self {
        Self { reports, origins, runtime: Handle::current(), running: HashMap::new() }
    }

    /// Begins or changes the requests to a service; `None` ends them. An unchanged target goes on
    /// undisturbed.
    pub fn aim(&mut self, service: &ServiceName, target: Option<SyntheticTarget>) {
        let Some(target) = target else {
            self.running.remove(service);
            return;
        };
        if self.running.get(service).is_some_and(|running| running.target == target) {
            return;
        }
        let task = tasks::spawn_on(
            &self.runtime,
            "synthetic",
            keep_asking(target.clone(), self.reports.clone(), Arc::clone(&self.origins)),
        );
        self.running.insert(service.clone(), Running { target, task });
    }
}

async fn keep_asking(target: SyntheticTarget, reports: mpsc::Sender<SyntheticReport>, origins: Arc<Origins>) {
    let plans = PerColor::from_fn(|color| plans(&target, color, &origins));
    let under_way = Arc::new(Semaphore::new(UNDER_WAY_MAX));
    let mut tick = tokio::time::interval(Duration::from_secs(1) / target.rate.max(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut asking = tokio::task::JoinSet::new();
    for turn in 0_usize.. {
        tick.tick().await;
        while asking.try_join_next().is_some() {}
        for (color, plans) in plans.iter() {
            let Some(plan) = plans.get(turn % plans.len().max(1)).cloned() else { continue };
            let (Ok(permit), Ok(place)) =
                (Arc::clone(&under_way).try_acquire_owned(), reports.clone().try_reserve_owned())
            else {
                continue;
            };
            let service = target.service.clone();
            asking.spawn(async move {
                let outcome = match plan.run().await {
                    ProbeOutcome::Pass => Outcome::Success,
                    ProbeOutcome::Fail(_) => Outcome::Error,
                };
                place.send(SyntheticReport { service, color, outcome });
                drop(permit);
            });
        }
    }
}

/// Combines every endpoint with every path, so that each turn uses another pair.
fn plans(target: &SyntheticTarget, color: Color, origins: &Origins) -> Vec<Arc<Plan>> {
    let pairs =
        target.paths.iter().flat_map(|path| target.endpoints[color].iter().map(move |at| (path, *at)));
    let plan = |(path, at): (&String, SocketAddr)| {
        let kind = CheckKind::Http {
            path: path.clone(),
            host: target.host.clone(),
            expect_status: no_errors(),
            expect_body: None,
        };
        let (speech, timeout) = (target.tls.clone().map_or(Speech::Http1, Speech::Tls), target.timeout);
        let check = Check { kind, speech, port: None, interval: Duration::ZERO, timeout, fall: 1 };
        Arc::new(Plan::at(at, &check, origins))
    };
    pairs.map(plan).collect()
}

/// Returns every status that is no error to the judge (docs/judge.md, "Evidence").
fn no_errors() -> Vec<u16> {
    (200..500).chain([501, 505]).collect()
}
