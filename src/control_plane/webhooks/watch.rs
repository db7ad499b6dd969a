//! Reports refused messages, as counts and as lines of the audit log. The number of lines is limited, so
//! that a person can read them.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use prometheus::{IntCounterVec, Opts, Registry};
use tokio::sync::mpsc;

use crate::clock;

use super::rate::Rate;

/// How many refusals are written at once, and per second after that. A client that guesses tokens must not
/// fill a disk.
const LINES_BURST: u32 = 20;
const LINES_PER_SECOND: u32 = 1;

/// A refused message, for the audit log. Of the texts that the sender chose, it holds only the names of
/// pushes, and only if the sender has proved who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The webhook's name. It is `unknown`, with no service, for a name that is no webhook's.
    pub webhook: String,
    pub service: String,
    pub client: IpAddr,
    pub why: String,
}

/// Counts messages, and passes refusals on to the audit log.
#[derive(Debug)]
pub struct Watch {
    total: IntCounterVec,
    lines: Mutex<Rate>,
    refusals: mpsc::Sender<Refusal>,
}

impl Watch {
    /// Registers the metric.
    ///
    /// # Errors
    /// The metric is registered already.
    pub fn new(registry: &Registry, refusals: mpsc::Sender<Refusal>) -> Result<Self, prometheus::Error> {
        let options = Opts::new("greenlight_webhooks_total", "Messages in, by what became of them.");
        let total = IntCounterVec::new(options, &["webhook", "result"])?;
        registry.register(Box::new(total.clone()))?;
        Ok(Self { total, lines: Mutex::new(Rate::new(LINES_BURST, LINES_PER_SECOND)), refusals })
    }

    /// Counts a message. The name is one of the configuration's, or `unknown`.
    pub(crate) fn count(&self, webhook: &str, result: &str) {
        self.total.with_label_values(&[webhook, result]).inc();
    }

    /// Records a refusal. `hook` has the name and the service of a configured webhook. Any other name that
    /// was asked for is not written, because a token in the wrong place looks like a name.
    pub(crate) fn refused(&self, hook: Option<(&str, &str)>, client: IpAddr, why: &str) {
        let may_write = self.lines.lock().unwrap_or_else(PoisonError::into_inner).take(clock::now());
        if !may_write {
            return;
        }
        let (webhook, service) = hook.unwrap_or(("unknown", ""));
        tracing::warn!(webhook, service, %client, why, "webhook refused");
        let (webhook, service) = (webhook.to_owned(), service.to_owned());
        // An unknown name causes as much work, so that the time of an answer tells nothing. If the channel
        // is full, the line in the log has to be enough.
        let _ = self.refusals.try_send(Refusal { webhook, service, client, why: why.to_owned() });
    }
}
