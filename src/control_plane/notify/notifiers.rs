//! All notifiers of the configuration. They can change while they run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{IntCounterVec, Opts, Registry};
use tokio::task::AbortHandle;

use crate::config::{Notifier, NotifierKind};
use crate::release::Notice;
use crate::tasks;

use super::counts::Counts;
use super::queue::{Queue, Waiting};
use super::{Notification, Receipt, sender};

#[derive(Debug)]
struct Running {
    name: String,
    notifier: Notifier,
    queue: Arc<Queue>,
    counts: Counts,
    task: AbortHandle,
}

/// The handle to all notifiers. It is cheap to share, and [`Notifiers::tell`] never waits.
#[derive(Debug)]
pub struct Notifiers {
    running: Mutex<Vec<Running>>,
    total: IntCounterVec,
}

impl Notifiers {
    /// Starts a task for each notifier. It has to run on a tokio runtime.
    ///
    /// # Errors
    /// The metric is already registered.
    pub fn start(notifiers: &[Notifier], registry: &Registry) -> Result<Self, prometheus::Error> {
        let options = Opts::new("greenlight_notifications_total", "Messages out, by what became of them.");
        let total = IntCounterVec::new(options, &["kind", "result"])?;
        registry.register(Box::new(total.clone()))?;
        let this = Self { running: Mutex::default(), total };
        this.set(notifiers);
        Ok(this)
    }

    /// Replaces the notifiers. A notifier with an unchanged configuration keeps its queue; the
    /// queue of one that goes is dropped and counted.
    pub fn set(&self, notifiers: &[Notifier]) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before: HashMap<usize, Running> = running.drain(..).enumerate().collect();
        for (index, notifier) in notifiers.iter().enumerate() {
            let same = before.iter().find(|(_, one)| one.notifier == *notifier).map(|(key, _)| *key);
            let kept = same.and_then(|key| before.remove(&key));
            running.push(kept.unwrap_or_else(|| self.launch(index, notifier)));
        }
        for gone in before.into_values() {
            gone.task.abort();
            for waiting in gone.queue.take() {
                gone.counts.dropped.inc();
                waiting.done();
            }
        }
    }

    fn launch(&self, index: usize, notifier: &Notifier) -> Running {
        let kind = match notifier.kind {
            NotifierKind::Slack => "slack",
            NotifierKind::Webhook => "webhook",
        };
        let count = |result: &str| self.total.with_label_values(&[kind, result]);
        let counts = Counts { sent: count("sent"), failed: count("failed"), dropped: count("dropped") };
        let name = format!("notifiers[{index}] ({kind})");
        let queue = Arc::new(Queue::default());
        let task = sender::run(name.clone(), notifier.clone(), Arc::clone(&queue), counts.clone());
        let task = tasks::spawn("notifier", task).abort_handle();
        Running { name, notifier: notifier.clone(), queue, counts, task }
    }

    /// Hands a notification to every notifier that is configured for it. `receipt` is closed when
    /// all of them are done.
    pub fn tell(&self, news: Notification, receipt: Option<Arc<Receipt>>) {
        let news = Arc::new(news);
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        for one in running.iter().filter(|one| wants(&one.notifier, &news)) {
            if let Some(receipt) = &receipt {
                receipt.open();
            }
            let waiting = Waiting { news: Arc::clone(&news), receipt: receipt.clone() };
            if let Some(oldest) = one.queue.push(waiting) {
                one.counts.dropped.inc();
                tracing::error!(
                    notifier = one.name,
                    news = oldest.news.id(),
                    "too many news wait: the oldest is dropped"
                );
                oldest.done();
            }
        }
        if let Some(receipt) = receipt {
            receipt.close();
        }
    }
}

/// Tells whether a notifier gets a notification. Some alarms come with a notice of their own, and a
/// notifier that gets the notice does not need the alarm too.
fn wants(notifier: &Notifier, news: &Notification) -> bool {
    let listed = |notice: Notice| notifier.events.contains(&notice);
    let twice = news.alarm.as_ref().is_some_and(|alarm| match alarm.name.as_str() {
        "degraded" => listed(Notice::Degraded),
        "inconclusive" => listed(Notice::Succeeded),
        _ => false,
    });
    listed(news.notice) && !twice
}

impl Drop for Notifiers {
    fn drop(&mut self) {
        for one in self.running.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            one.task.abort();
        }
    }
}
