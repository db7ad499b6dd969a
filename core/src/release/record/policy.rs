//! The part of the configuration that the rules of releases need.

use std::time::Duration;

use crate::health::Thresholds;
use crate::judge;

use crate::release::Errands;

/// Whether a color that comes up starts a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trigger {
    /// It does not. A person or a webhook starts releases.
    #[default]
    Manual,
    /// A release begins when the other color comes up.
    OnHealthy,
}

/// The action when a rule trips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTrip {
    #[default]
    Revert,
    Hold,
}

/// The action when the bake ends without a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnInconclusive {
    #[default]
    Promote,
    Extend,
    Hold,
    Revert,
}

/// Whether greenlight starts and stops the endpoints itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpstreamKind {
    /// The configuration lists the endpoints, and somebody else runs them.
    #[default]
    Fixed,
    /// Containers that greenlight creates, starts, stops and removes.
    Managed,
}

/// The judge's mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Enforce,
    /// The judge decides and records, and nothing follows.
    Observe,
    Off,
}

/// The validated `[health]`, `[release]` and `[analysis]` keys that decisions need. docs/configuration.md
/// describes each key.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub upstream: UpstreamKind,
    /// How many containers a managed color has. It is 0 where somebody else runs the endpoints.
    pub replicas: u32,
    /// Whether containers that have ended are started again (`upstream.supervise`).
    pub supervise: bool,
    pub trigger: Trigger,
    pub auto_promote: bool,
    pub debounce: Duration,
    pub pull_timeout: Duration,
    pub progress_deadline: Duration,
    pub promote_timeout: Duration,
    pub bake_time: Duration,
    pub standby_ttl: Duration,
    pub drain_timeout: Duration,
    pub keep_releases: usize,
    pub on_trip: OnTrip,
    pub on_inconclusive: OnInconclusive,
    pub thresholds: Thresholds,
    pub interval: Duration,
    pub timeout: Duration,
    pub min_healthy_time: Duration,
    pub mode: Mode,
    pub judge: judge::Policy,
    /// The timeouts of hooks and tags.
    pub errands: Errands,
    /// The candidate's percentages of the traffic before the switch, rising. Without any there is one
    /// atomic switch.
    pub canary_percent: Vec<u8>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            upstream: UpstreamKind::Fixed,
            replicas: 0,
            supervise: true,
            trigger: Trigger::Manual,
            auto_promote: true,
            debounce: Duration::from_secs(5),
            pull_timeout: Duration::from_mins(10),
            progress_deadline: Duration::from_mins(10),
            promote_timeout: Duration::from_hours(24),
            bake_time: Duration::from_mins(5),
            standby_ttl: Duration::from_mins(15),
            drain_timeout: Duration::from_secs(40),
            keep_releases: 5,
            on_trip: OnTrip::Revert,
            on_inconclusive: OnInconclusive::Promote,
            thresholds: Thresholds { rise: 3, fall: 3 },
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(2),
            min_healthy_time: Duration::from_secs(10),
            mode: Mode::Enforce,
            judge: judge::Policy::default(),
            errands: Errands::default(),
            canary_percent: Vec::new(),
        }
    }
}

impl Policy {
    /// The settings of a judge. Its warm-up is cut to half of `bake_time`, so that a short bake judges times
    /// too.
    pub(crate) fn judging(&self) -> judge::Policy {
        let latency_warmup = self.judge.latency_warmup.min(self.bake_time / 2);
        judge::Policy { latency_warmup, ..self.judge }
    }
}
