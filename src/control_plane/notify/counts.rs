//! The metrics of one notifier.

use prometheus::IntCounter;

/// The counters of one notifier: messages sent, failed for good, and dropped from a full queue.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    pub(crate) sent: IntCounter,
    pub(crate) failed: IntCounter,
    pub(crate) dropped: IntCounter,
}
