//! The target of a probe.

use std::sync::Arc;

use crate::health::Check;
use crate::model::{Endpoint, ReleaseId};

/// One endpoint to probe, and the release that owns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeTarget {
    pub endpoint: Endpoint,
    /// The release that the result will belong to. When it changes, probes that are under way still
    /// carry the old one.
    pub owner: Option<ReleaseId>,
    /// How to probe the endpoint.
    pub check: Arc<Check>,
}
