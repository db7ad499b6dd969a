//! The counts of one worker over about one second.

use crate::judge::Bucket;
use crate::model::{Color, EndpointId, ServiceName};

/// The evidence of one color of one service.
#[derive(Clone, Debug)]
pub struct ColorCounts {
    /// The service.
    pub service: ServiceName,
    /// The color of the service.
    pub color: Color,
    /// The counts for the judge. They hold requests to public hosts only.
    pub bucket: Bucket,
}

/// The requests in flight on one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointInflight {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The number of requests that this worker has in flight there.
    pub inflight: u64,
}

/// The answer of a worker to [`super::WorkerAsk::Collect`]. The worker flushes its Prometheus counters at the
/// same time.
#[derive(Clone, Debug, Default)]
pub struct WorkerReport {
    /// The evidence of each color that has any since the last report.
    pub colors: Vec<ColorCounts>,
    /// The endpoints with requests in flight. All other endpoints have no request in flight.
    pub inflight: Vec<EndpointInflight>,
    /// The number of client connections that are open.
    pub connections: u64,
}
