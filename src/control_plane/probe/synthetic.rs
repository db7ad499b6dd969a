//! Requests of our own to both colors, at a low rate, while there is too little traffic to judge
//! by (`analysis.synthetic`).
//!
//! They are no probes: a probe asks whether an endpoint is healthy, these ask for paths that users
//! ask for, and what comes of them is evidence. They go to the endpoints straight, never through
//! the data plane, so they are in none of its counts. The old color gets as many as the new one:
//! what fails on both is not the new version's fault.
//!
//! Bounded: [`UNDER_WAY_MAX`] requests a service, and a place in the channel each, or it is not sent.

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

/// Requests under way to one service; more are not sent.
const UNDER_WAY_MAX: usize = 256;

/// What is asked of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntheticTarget {
    pub service: ServiceName,
    /// Where each color's endpoints are.
    pub endpoints: PerColor<Vec<SocketAddr>>,
    pub host: String,
    /// ProbeRequest for in turn; at least one.
    pub paths: Vec<String>,
    /// Requests a second to each color.
    pub rate: u32,
    /// With `upstream.protocol = "https"`.
    pub tls: Option<OriginTls>,
    /// A request that takes longer has failed.
    pub timeout: Duration,
}

/// How one request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntheticReport {
    pub service: ServiceName,
    pub color: Color,
    pub outcome: Outcome,
}

/// Sends whatever it was last told to, until dropped.
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

    /// Sends to a service from now on, or (`None`) no more. Nothing happens where nothing changes.
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

/// Every endpoint by every path, so that each turn is another pair.
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
        Arc::new(Plan::new(at, &check, origins))
    };
    pairs.map(plan).collect()
}

/// Every status that is no error to the judge (docs/judge.md).
fn no_errors() -> Vec<u16> {
    (200..500).chain([501, 505]).collect()
}
