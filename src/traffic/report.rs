//! A worker's counts of about one second.

use crate::judge::Bucket;
use crate::model::{Color, EndpointId, ServiceName};

/// Evidence and sums of one color of one service.
#[derive(Clone, Debug)]
pub struct ColorCounts {
    pub service: ServiceName,
    pub color: Color,
    /// The judge's evidence: public hosts only.
    pub bucket: Bucket,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointInflight {
    pub endpoint: EndpointId,
    pub inflight: u64,
}

/// Answer to [`super::WorkerAsk::Collect`]. (Prometheus counters are flushed beside it.)
#[derive(Clone, Debug, Default)]
pub struct WorkerReport {
    pub colors: Vec<ColorCounts>,
    /// Endpoints with something in flight; the rest have none.
    pub inflight: Vec<EndpointInflight>,
    pub connections: u64,
}
