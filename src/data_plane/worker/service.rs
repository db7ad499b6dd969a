//! A worker's own counts of one service: requests in flight, the judge's evidence, metrics, and the
//! budget of replays. They outlive every route table.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use prometheus::local::LocalHistogram;

use crate::model::{Color, PerColor, ServiceName};
use crate::routing::ServiceRoute;

use super::metrics::{ColorHandles, Metrics};
use super::recorder::Recorder;
use super::request_limit::{RequestLimit, RequestLimits};

/// The length of the window in which replays are counted, in ticks (10 s).
const BUDGET_WINDOW_TICKS: u32 = 100;
/// Replays that one window always allows, over all workers together.
const BUDGET_FLOOR: u32 = 10;

/// One color's counts.
#[derive(Debug)]
pub(crate) struct ColorCell {
    /// Attempts in flight.
    pub inflight: Cell<u64>,
    /// Evidence for the judge: attempts for public hosts.
    pub evidence: Recorder,
    /// Attempts among those in flight that have become tunnels.
    pub tunnels: Cell<u64>,
    /// Endpoints that this worker has taken out of its pool because of failed attempts.
    pub ejected: Cell<usize>,
    /// Requests by the first digit of their status; index 0 is "no answer was sent".
    classes: [Cell<u64>; 6],
    durations: LocalHistogram,
    handles: ColorHandles,
    /// The part of `inflight` that the gauge has already.
    flushed_inflight: Cell<u64>,
    flushed_tunnels: Cell<u64>,
}

impl ColorCell {
    fn new(handles: ColorHandles) -> Self {
        Self {
            inflight: Cell::new(0),
            evidence: Recorder::default(),
            tunnels: Cell::new(0),
            ejected: Cell::new(0),
            classes: Default::default(),
            durations: handles.duration.local(),
            handles,
            flushed_inflight: Cell::new(0),
            flushed_tunnels: Cell::new(0),
        }
    }

    /// Counts a request by the status of its answer (`None` if it got no answer), whichever host it
    /// used.
    pub(crate) fn answered(&self, status: Option<u16>, duration: Duration) {
        let class = status.map_or(0, |status| usize::from(status / 100).min(5));
        let count = &self.classes[class];
        count.set(count.get() + 1);
        self.durations.observe(duration.as_secs_f64());
    }

    /// Counts an endpoint that this worker took out of its pool.
    pub(crate) fn count_ejection(&self) {
        self.handles.ejections.inc();
    }

    fn flush(&self) {
        for (count, counter) in self.classes.iter().zip(&self.handles.classes) {
            counter.inc_by(count.take());
        }
        self.durations.flush();
        let change = |count: &Cell<u64>, flushed: &Cell<u64>| {
            let now = count.get();
            signed(now) - signed(flushed.replace(now))
        };
        self.handles.inflight.add(change(&self.inflight, &self.flushed_inflight));
        self.handles.tunnels.add(change(&self.tunnels, &self.flushed_tunnels));
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// One service's counts.
#[derive(Debug)]
pub(crate) struct ServiceCell {
    pub name: ServiceName,
    /// The service's number in this worker.
    pub key: u32,
    pub colors: PerColor<ColorCell>,
    budget: RetryBudget,
}

impl ServiceCell {
    /// Counts a request towards the budget of replays. `now` is the current tick.
    pub(crate) fn began(&self, now: u32) {
        self.budget.roll(now);
        self.budget.requests.set(self.budget.requests.get() + 1);
    }

    /// Takes one replay out of the budget if there is one left. The budget is `share` of the requests
    /// of the window, and at least ten in 10 s over all workers. `now` is the current tick.
    pub(crate) fn may_replay(&self, now: u32, share: f64, workers: usize) -> bool {
        self.budget.take(now, share, workers)
    }
}

#[derive(Debug, Default)]
struct RetryBudget {
    window: Cell<u32>,
    requests: Cell<u32>,
    replays: Cell<u32>,
}

impl RetryBudget {
    fn roll(&self, now: u32) {
        let window = now / BUDGET_WINDOW_TICKS;
        if self.window.replace(window) != window {
            self.requests.set(0);
            self.replays.set(0);
        }
    }

    fn take(&self, now: u32, share: f64, workers: usize) -> bool {
        self.roll(now);
        let floor = BUDGET_FLOOR.div_ceil(u32::try_from(workers.max(1)).unwrap_or(u32::MAX));
        let used = self.replays.get();
        let allowed = used < floor || f64::from(used) < share * f64::from(self.requests.get());
        if allowed {
            self.replays.set(used + 1);
        }
        allowed
    }
}

/// All services that this worker has seen.
#[derive(Debug)]
pub(crate) struct Services {
    cells: RefCell<Vec<Rc<ServiceCell>>>,
    metrics: Metrics,
    request_limits: Arc<RequestLimits>,
    next_key: Cell<u32>,
}

impl Services {
    pub(crate) fn new(metrics: Metrics, request_limits: Arc<RequestLimits>) -> Self {
        Self { cells: RefCell::new(Vec::new()), metrics, request_limits, next_key: Cell::new(0) }
    }

    /// The limit on a service's requests in flight; `None` if it has no such limit.
    pub(crate) fn request_limit(&self, route: &ServiceRoute) -> Option<Arc<RequestLimit>> {
        let max = route.settings.requests_max;
        (max > 0).then(|| self.request_limits.of(&route.name, max))
    }

    /// The counts of a service. Makes them if there are none yet.
    pub(crate) fn cell(&self, name: &ServiceName) -> Rc<ServiceCell> {
        let mut cells = self.cells.borrow_mut();
        if let Some(cell) = cells.iter().find(|cell| cell.name == *name) {
            return Rc::clone(cell);
        }
        let key = self.next_key.get();
        self.next_key.set(key.wrapping_add(1));
        let cell = Rc::new(ServiceCell {
            name: name.clone(),
            key,
            colors: PerColor::from_fn(|color| ColorCell::new(self.metrics.color(name, color))),
            budget: RetryBudget::default(),
        });
        cells.push(Rc::clone(&cell));
        cell
    }

    /// The counts of a service, if this worker has seen it.
    pub(crate) fn find(&self, name: &ServiceName) -> Option<Rc<ServiceCell>> {
        self.cells.borrow().iter().find(|cell| cell.name == *name).map(Rc::clone)
    }

    pub(crate) fn for_each(&self, mut visit: impl FnMut(&ServiceCell)) {
        for cell in self.cells.borrow().iter() {
            visit(cell);
        }
    }

    /// Adds the counts to the metrics. Then drops the services that nothing refers to any more and
    /// whose evidence has been handed over.
    pub(crate) fn flush(&self) {
        self.cells.borrow_mut().retain(|cell| {
            for (_, color) in cell.colors.iter() {
                color.flush();
            }
            let quiet = cell.colors.iter().all(|(_, color)| color.evidence.is_empty());
            Rc::strong_count(cell) > 1 || !quiet
        });
    }

    /// The number of attempts in flight on a color.
    pub(crate) fn inflight(&self, name: &ServiceName, color: Color) -> u64 {
        self.find(name).map_or(0, |cell| cell.colors[color].inflight.get())
    }
}
