//! Sums over every request of a load.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock;

/// How many losses are kept as text. All of them are counted.
const LOSSES_KEPT: usize = 32;

/// A request without an answer of 200, or with a broken promise, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    pub what: String,
    /// When it was lost, on the monotonic clock of this process.
    pub at: Duration,
    /// The time from the start of the request to its loss.
    pub took: Duration,
}

impl Loss {
    /// A loss at this moment.
    #[must_use]
    pub fn new(what: String, took: Duration) -> Self {
        Self { what, at: clock::uptime(), took }
    }
}

/// The sums at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of answers with status 200, by the `X-App` field of the answer.
    pub answers: BTreeMap<String, u64>,
    /// The number of answers with another status, by the `X-App` field. An answer of the front door itself
    /// has no such field and counts under `-`.
    pub failures: BTreeMap<String, u64>,
    /// The number of answers with another status than 200, by status.
    pub statuses: BTreeMap<u16, u64>,
    /// The number of requests without a complete answer.
    pub unanswered: u64,
    /// The number of answers from another color than the promised one.
    pub promises_broken: u64,
    /// The first 32 losses and broken promises, as text.
    pub losses: Vec<Loss>,
    /// The longest time of an answer with status 200.
    pub slowest: Duration,
}

impl Counts {
    /// The number of answers with status 200.
    #[must_use]
    pub fn good(&self) -> u64 {
        self.answers.values().sum()
    }

    /// The number of all other requests.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.failures.values().sum::<u64>() + self.unanswered
    }

    /// The number of all requests.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.good() + self.lost()
    }

    /// The number of answers with status 200 from one app, named by its `X-App` field.
    #[must_use]
    pub fn of(&self, app: &str) -> u64 {
        self.answers.get(app).copied().unwrap_or_default()
    }

    /// The number of answers with another status from one app.
    #[must_use]
    pub fn failed_by(&self, app: &str) -> u64 {
        self.failures.get(app).copied().unwrap_or_default()
    }
}

/// The sums that the clients of a load share.
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

    /// The sums at this moment.
    pub fn counts(&self) -> Counts {
        self.lock().clone()
    }

    /// A receiver that is marked as changed at every change of the sums.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Counts an answer with status 200.
    pub fn answered(&self, app: &str, took: Duration) {
        self.change(|counts| {
            add(&mut counts.answers, app);
            counts.slowest = counts.slowest.max(took);
        });
    }

    /// Counts an answer with another status.
    pub fn failed(&self, app: &str, status: u16, loss: Loss) {
        self.change(|counts| {
            add(&mut counts.failures, app);
            *counts.statuses.entry(status).or_default() += 1;
            keep(counts, loss);
        });
    }

    /// Counts a request without a complete answer.
    pub fn lost(&self, loss: Loss) {
        self.change(|counts| {
            counts.unanswered += 1;
            keep(counts, loss);
        });
    }

    /// Counts an answer from another color than the promised one.
    pub fn broken(&self, what: String) {
        self.change(|counts| {
            counts.promises_broken += 1;
            keep(counts, Loss::new(what, Duration::ZERO));
        });
    }
}

/// Adds one to the sum of an app. It allocates only for the first request of the app.
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
