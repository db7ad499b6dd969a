//! What one notifier has done.

use prometheus::IntCounter;

/// One notifier's counts.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    pub(crate) sent: IntCounter,
    pub(crate) failed: IntCounter,
    pub(crate) dropped: IntCounter,
}
