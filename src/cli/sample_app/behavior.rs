//! The behavior of the sample app: its settings, the changes of them, and its counts.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::args::Args;
use crate::clock;

/// The body of `POST /__app`. An absent setting keeps its value. The change is in force before the answer is
/// sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The share of client requests that fail, 0 to 1. The errors then begin at once, even before
    /// `--error-after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<f64>,
    /// The status of a failed request, 200 to 599.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_status: Option<u16>,
    /// The time before each answer, in milliseconds. Probes are answered at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Whether probes are answered with 200 or 503. It overrides `--start-delay` and `--flap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<bool>,
}

/// The answer of `/__app`. Times are milliseconds since the process began, on its monotonic clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub name: String,
    pub version: String,
    pub pid: u32,
    /// The number of client requests. Probes and requests for `/__app` are not counted.
    pub requests: u64,
    /// How many of these requests were answered with another status than 200.
    pub errors: u64,
    pub probes: u64,
    /// Whether a probe would now be answered with 200.
    pub healthy: bool,
    pub uptime_ms: u64,
    /// When the first client request arrived.
    pub first_request_ms: Option<u64>,
    /// When the first probe was answered with 200.
    pub first_healthy_ms: Option<u64>,
}

#[derive(Debug)]
struct Settings {
    error_rate: f64,
    error_status: u16,
    errors_from: Instant,
    latency: Duration,
    healthy: Option<bool>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: u64,
    errors: u64,
    probes: u64,
    first_request: Option<Duration>,
    first_healthy: Option<Duration>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    counts: Counts,
}

/// The answer to one request: its status, and the time to wait before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub status: u16,
    pub latency: Duration,
}

/// The settings and counts that all connections share. One lock protects them; it is held for a few
/// assignments.
#[derive(Debug)]
pub(super) struct Behavior {
    pub name: String,
    pub version: String,
    pub health_path: String,
    started: Instant,
    start_delay: Duration,
    flap: Option<Duration>,
    inner: Mutex<Inner>,
}

impl Behavior {
    /// The behavior that the arguments ask for. Times count from this moment.
    pub(super) fn new(args: &Args) -> Self {
        let started = clock::instant();
        Self {
            name: args.name.clone(),
            version: args.version_label.clone(),
            health_path: args.health_path.clone(),
            started,
            start_delay: args.start_delay,
            flap: args.flap.filter(|period| !period.is_zero()),
            inner: Mutex::new(Inner {
                settings: Settings {
                    error_rate: args.error_rate,
                    error_status: args.error_status,
                    errors_from: started + args.error_after,
                    latency: args.latency,
                    healthy: None,
                },
                counts: Counts::default(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether probes pass at this age of the process.
    fn is_healthy(&self, settings: &Settings, age: Duration) -> bool {
        settings.healthy.unwrap_or_else(|| {
            let Some(ready) = age.checked_sub(self.start_delay) else { return false };
            self.flap.is_none_or(|period| (ready.as_millis() / period.as_millis().max(1)).is_multiple_of(2))
        })
    }

    /// Counts a probe, or a request for the health path, and plans its answer.
    pub(super) fn probe(&self) -> Plan {
        let age = clock::instant().duration_since(self.started);
        let mut inner = self.lock();
        inner.counts.probes += 1;
        let healthy = self.is_healthy(&inner.settings, age);
        if healthy {
            inner.counts.first_healthy.get_or_insert(age);
        }
        Plan { status: if healthy { 200 } else { 503 }, latency: Duration::ZERO }
    }

    /// Counts a request of a client and plans its answer. Before the start delay is over the answer is 503.
    pub(super) fn request(&self) -> Plan {
        let now = clock::instant();
        let age = now.duration_since(self.started);
        let mut inner = self.lock();
        inner.counts.requests += 1;
        inner.counts.first_request.get_or_insert(age);
        let settings = &inner.settings;
        let latency = settings.latency;
        let fails = now >= settings.errors_from && fastrand::f64() < settings.error_rate;
        let status = if age < self.start_delay && settings.healthy != Some(true) {
            503
        } else if fails {
            settings.error_status
        } else {
            200
        };
        if status != 200 {
            inner.counts.errors += 1;
        }
        Plan { status, latency }
    }

    /// Applies a change. If a value is out of range, nothing changes and the error says why.
    pub(super) fn change(&self, change: &Change) -> Result<(), String> {
        if change.error_rate.is_some_and(|rate| !(0.0..=1.0).contains(&rate)) {
            return Err("error_rate is a share: 0 to 1".to_owned());
        }
        if change.error_status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("error_status is a final HTTP status: 200 to 599".to_owned());
        }
        let mut inner = self.lock();
        let settings = &mut inner.settings;
        if let Some(rate) = change.error_rate {
            settings.error_rate = rate;
            settings.errors_from = self.started;
        }
        if let Some(status) = change.error_status {
            settings.error_status = status;
        }
        if let Some(milliseconds) = change.latency_ms {
            settings.latency = Duration::from_millis(milliseconds);
        }
        if let Some(healthy) = change.healthy {
            settings.healthy = Some(healthy);
        }
        Ok(())
    }

    /// The counts and the health at this moment.
    pub(super) fn report(&self) -> Report {
        let age = clock::instant().duration_since(self.started);
        let inner = self.lock();
        Report {
            name: self.name.clone(),
            version: self.version.clone(),
            pid: std::process::id(),
            requests: inner.counts.requests,
            errors: inner.counts.errors,
            probes: inner.counts.probes,
            healthy: self.is_healthy(&inner.settings, age),
            uptime_ms: millis(age),
            first_request_ms: inner.counts.first_request.map(millis),
            first_healthy_ms: inner.counts.first_healthy.map(millis),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
