//! Sums over every request of a load.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock;

/// How many losses are kept in words; all are counted.
const LOSSES_KEPT: usize = 32;

/// A request that was not answered with 200, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    pub what: String,
    /// When it was lost, on this process's monotonic clock.
    pub at: Duration,
    pub took: Duration,
}

impl Loss {
    #[must_use]
    pub fn new(what: String, took: Duration) -> Self {
        Self { what, at: clock::uptime(), took }
    }
}

/// The sums at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Answers of 200 by the `X-App` that gave them.
    pub answers: BTreeMap<String, u64>,
    /// Answers of another status, by the `X-App` that gave them (`-`: the front door itself).
    pub failures: BTreeMap<String, u64>,
    /// The same by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests with no whole answer.
    pub unanswered: u64,
    /// Answers from a color other than the promised one.
    pub promises_broken: u64,
    /// The first losses and broken promises, in words.
    pub losses: Vec<Loss>,
    pub slowest: Duration,
}

impl Counts {
    /// Answers of 200.
    #[must_use]
    pub fn good(&self) -> u64 {
        self.answers.values().sum()
    }

    /// Everything else.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.failures.values().sum::<u64>() + self.unanswered
    }

    #[must_use]
    pub fn total(&self) -> u64 {
        self.good() + self.lost()
    }

    /// Answers of 200 from one app.
    #[must_use]
    pub fn of(&self, app: &str) -> u64 {
        self.answers.get(app).copied().unwrap_or_default()
    }

    /// Failed answers from one app.
    #[must_use]
    pub fn failed_by(&self, app: &str) -> u64 {
        self.failures.get(app).copied().unwrap_or_default()
    }
}

/// Where the clients of a load count.
#[derive(Debug)]
pub struct Tally {
    counts: Mutex<Counts>,
    changed: watch::Sender<()>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { counts: Mutex::default(), changed: watch::Sender::new(()) }
    }
}

impl Tally {
    fn change(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.lock());
        self.changed.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn counts(&self) -> Counts {
        self.lock().clone()
    }

    /// Marked at every change.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub fn answered(&self, app: &str, took: Duration) {
        self.change(|counts| {
            add(&mut counts.answers, app);
            counts.slowest = counts.slowest.max(took);
        });
    }

    pub fn failed(&self, app: &str, status: u16, loss: Loss) {
        self.change(|counts| {
            add(&mut counts.failures, app);
            *counts.statuses.entry(status).or_default() += 1;
            keep(counts, loss);
        });
    }

    pub fn lost(&self, loss: Loss) {
        self.change(|counts| {
            counts.unanswered += 1;
            keep(counts, loss);
        });
    }

    pub fn broken(&self, what: String) {
        self.change(|counts| {
            counts.promises_broken += 1;
            keep(counts, Loss::new(what, Duration::ZERO));
        });
    }
}

/// One more for this app, with no allocation once it is known.
fn add(sums: &mut BTreeMap<String, u64>, app: &str) {
    match sums.get_mut(app) {
        Some(sum) => *sum += 1,
        None => {
            sums.insert(app.to_owned(), 1);
        }
    }
}

fn keep(counts: &mut Counts, loss: Loss) {
    if counts.losses.len() < LOSSES_KEPT {
        counts.losses.push(loss);
    }
}
