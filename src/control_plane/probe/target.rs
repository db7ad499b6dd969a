//! What is probed.

use std::sync::Arc;

use crate::health::Check;
use crate::model::{Endpoint, ReleaseId};

/// One endpoint to probe, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeTarget {
    pub endpoint: Endpoint,
    /// The release that the result will belong to; when it changes, probes that are under way
    /// still carry the old one.
    pub owner: Option<ReleaseId>,
    pub check: Arc<Check>,
}
