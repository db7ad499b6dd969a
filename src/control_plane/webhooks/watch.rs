//! What is told of messages that were refused: counts, and lines of the audit log, not more than
//! somebody can read.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use prometheus::{IntCounterVec, Opts, Registry};
use tokio::sync::mpsc;

use crate::clock;

use super::rate::Rate;

/// Refusals that are written at once, and a second: whoever guesses must not fill a disk.
const LINES_BURST: u32 = 20;
const LINES_PER_SECOND: u32 = 1;

/// A message that was not taken, for the audit log. Holds nothing that the sender chose but what
/// was pushed, and that only of a sender who is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `unknown`, with no service, for a name that is no webhook's.
    pub webhook: String,
    pub service: String,
    pub client: IpAddr,
    pub why: String,
}

/// Where refusals go.
#[derive(Debug)]
pub struct Watch {
    total: IntCounterVec,
    lines: Mutex<Rate>,
    refusals: mpsc::Sender<Refusal>,
}

impl Watch {
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

    /// Writes a refusal down. `hook`: name and service of a webhook of ours; what else was asked for
    /// stays unnamed, since a token in the wrong place looks like a name.
    pub(crate) fn refused(&self, hook: Option<(&str, &str)>, client: IpAddr, why: &str) {
        let may_write = self.lines.lock().unwrap_or_else(PoisonError::into_inner).take(clock::now());
        if !may_write {
            return;
        }
        let (webhook, service) = hook.unwrap_or(("unknown", ""));
        tracing::warn!(webhook, service, %client, why, "webhook refused");
        let (webhook, service) = (webhook.to_owned(), service.to_owned());
        // As much work for a name that is unknown: an answer's time tells nothing. A full channel: the
        // line in the log has to do.
        let _ = self.refusals.try_send(Refusal { webhook, service, client, why: why.to_owned() });
    }
}
