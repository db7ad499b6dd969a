//! The data plane's metrics; docs/operations.md lists them. Each worker counts for itself. It adds its
//! counts to the metrics once a second, and when the control plane collects.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

use crate::model::{Color, ServiceName};

/// The upper bounds of `greenlight_request_duration_seconds`, in seconds. The steps are about twofold
/// where the times of web requests lie.
const DURATION_BOUNDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The values of the label `class`, by the first digit of the status; "none" is a request without an
/// answer.
const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// The metric families, which all workers share.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    requests: IntCounterVec,
    durations: HistogramVec,
    inflight: IntGaugeVec,
    tunnels: IntGaugeVec,
    pub connections: IntGauge,
    /// Connections that a worker closed before their first request, because their address had as many
    /// as it may.
    pub refused: IntCounter,
    /// Requests that were answered before a service was known, by status.
    pub unrouted: IntCounterVec,
    /// Attempts that a worker cut because their color was drained.
    pub cut: IntCounter,
    /// Requests sent a second time because their kept-alive connection to the origin had closed.
    pub replays: IntCounter,
    /// WebSocket connections that got a Close frame at a drain or a shutdown.
    pub drain_closes: IntCounter,
    /// Endpoints that a worker took out of its pool because several attempts in a row failed.
    pub ejections: IntCounterVec,
    /// Lines of the access log that were dropped.
    pub access_log_dropped: IntCounter,
    /// Requests that the old color was asked to answer in the candidate's place.
    pub shield_retries: IntCounter,
}

/// The members of the families for one color of a service.
#[derive(Debug)]
pub(crate) struct ColorHandles {
    pub classes: [IntCounter; 6],
    pub duration: Histogram,
    pub inflight: IntGauge,
    pub tunnels: IntGauge,
    pub ejections: IntCounter,
}

impl Metrics {
    /// Makes the families and registers them under their full names (the registry needs no prefix).
    ///
    /// # Errors
    /// The registry already has a family of one of these names.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new("greenlight_requests_total", "Requests by service, color and status class."),
                &["service", "color", "class"],
            )?,
            durations: HistogramVec::new(
                HistogramOpts::new(
                    "greenlight_request_duration_seconds",
                    "Time from a request's head to the last byte of its response.",
                )
                .buckets(DURATION_BOUNDS.to_vec()),
                &["service", "color"],
            )?,
            inflight: IntGaugeVec::new(
                Opts::new("greenlight_inflight", "Requests in flight by service and color."),
                &["service", "color"],
            )?,
            tunnels: IntGaugeVec::new(
                Opts::new(
                    "greenlight_tunnels",
                    "Open WebSocket and other upgraded connections by service and color.",
                ),
                &["service", "color"],
            )?,
            refused: IntCounter::new(
                "greenlight_connections_refused_total",
                "Connections closed because their address had as many as it may.",
            )?,
            drain_closes: IntCounter::new(
                "greenlight_farewells_total",
                "WebSocket connections that were sent a Close frame at a drain.",
            )?,
            ejections: IntCounterVec::new(
                Opts::new(
                    "greenlight_ejections_total",
                    "Endpoints that a worker took out of its pool because their attempts failed.",
                ),
                &["service", "color"],
            )?,
            connections: IntGauge::new("greenlight_connections", "Open client connections.")?,
            unrouted: IntCounterVec::new(
                Opts::new(
                    "greenlight_unrouted_total",
                    "Requests that greenlight answered before a service was known, by status.",
                ),
                &["status"],
            )?,
            cut: IntCounter::new("greenlight_cut_total", "Requests ended because their color was drained.")?,
            replays: IntCounter::new(
                "greenlight_replays_total",
                "Requests sent again because their kept-alive upstream connection had gone.",
            )?,
            access_log_dropped: IntCounter::new(
                "greenlight_access_log_dropped_total",
                "Access log lines dropped because the log could not be written fast enough.",
            )?,
            shield_retries: IntCounter::new(
                "greenlight_shield_retries_total",
                "Requests handed to the old color because the candidate failed them.",
            )?,
        };
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.durations.clone()))?;
        registry.register(Box::new(metrics.inflight.clone()))?;
        registry.register(Box::new(metrics.tunnels.clone()))?;
        registry.register(Box::new(metrics.refused.clone()))?;
        registry.register(Box::new(metrics.drain_closes.clone()))?;
        registry.register(Box::new(metrics.ejections.clone()))?;
        registry.register(Box::new(metrics.connections.clone()))?;
        registry.register(Box::new(metrics.unrouted.clone()))?;
        registry.register(Box::new(metrics.cut.clone()))?;
        registry.register(Box::new(metrics.replays.clone()))?;
        registry.register(Box::new(metrics.access_log_dropped.clone()))?;
        registry.register(Box::new(metrics.shield_retries.clone()))?;
        Ok(metrics)
    }

    /// The members for one color of a service.
    pub(crate) fn color(&self, service: &ServiceName, color: Color) -> ColorHandles {
        let labels = [service.as_str(), color.as_str()];
        ColorHandles {
            classes: CLASSES.map(|class| self.requests.with_label_values(&[labels[0], labels[1], class])),
            duration: self.durations.with_label_values(&labels),
            inflight: self.inflight.with_label_values(&labels),
            tunnels: self.tunnels.with_label_values(&labels),
            ejections: self.ejections.with_label_values(&labels),
        }
    }
}
