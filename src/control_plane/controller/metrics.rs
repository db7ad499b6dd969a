//! The control plane's metrics (docs/operations.md).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use prometheus::{GaugeVec, Histogram, HistogramOpts, IntCounterVec, IntGaugeVec, Opts, Registry};

use crate::health::{ProbeOutcome, Roster};
use crate::judge::Numbers;
use crate::model::{Color, Health, PerColor, ServiceName};
use crate::release::{Alarm, StateName};

/// All metrics of the control plane, registered once.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    active_color: IntGaugeVec,
    epoch: IntGaugeVec,
    release_state: IntGaugeVec,
    pub(crate) releases_total: IntCounterVec,
    pub(crate) release_duration_seconds: Histogram,
    pub(crate) switches_total: IntCounterVec,
    endpoints: IntGaugeVec,
    endpoints_wanted: IntGaugeVec,
    active_info: IntGaugeVec,
    alarm: IntGaugeVec,
    /// The version of each service that `active_info` shows, so that an old one goes away.
    shown_versions: Arc<Mutex<BTreeMap<ServiceName, [String; 2]>>>,
    probes_total: IntCounterVec,
    judge_score: GaugeVec,
    judge_threshold: GaugeVec,
    pinned: IntGaugeVec,
    rollback_available: IntGaugeVec,
    certificate_expiry: IntGaugeVec,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gauge = |name: &str, help: &str, labels: &[&str]| -> Result<IntGaugeVec, prometheus::Error> {
            let gauge = IntGaugeVec::new(Opts::new(name, help).namespace("greenlight"), labels)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let counter = |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
            let counter = IntCounterVec::new(Opts::new(name, help).namespace("greenlight"), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let real = |name: &str, help: &str, labels: &[&str]| -> Result<GaugeVec, prometheus::Error> {
            let gauge = GaugeVec::new(Opts::new(name, help).namespace("greenlight"), labels)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let seconds = vec![5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0, 14_400.0];
        let release_duration_seconds = Histogram::with_opts(
            HistogramOpts::new(
                "release_duration_seconds",
                "Time from a release's acceptance to its final state",
            )
            .namespace("greenlight")
            .buckets(seconds),
        )?;
        registry.register(Box::new(release_duration_seconds.clone()))?;
        let build = gauge("build_info", "Always 1; the label tells the version that runs", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(Self {
            active_color: gauge("active_color", "1 for the active color, else 0", &["service", "color"])?,
            epoch: gauge("epoch", "Switches of the service so far", &["service"])?,
            release_state: gauge(
                "release_state",
                "1 for the state the service is in",
                &["service", "state"],
            )?,
            releases_total: counter("releases_total", "Releases that have ended", &["service", "result"])?,
            release_duration_seconds,
            switches_total: counter("switches_total", "Switches of traffic", &["service", "reason"])?,
            endpoints: gauge("endpoints", "Endpoints by health", &["service", "color", "health"])?,
            endpoints_wanted: gauge(
                "endpoints_wanted",
                "Containers that should run, where greenlight runs them",
                &["service", "color"],
            )?,
            active_info: gauge(
                "active_info",
                "1 for the color and the version that serve",
                &["service", "color", "version"],
            )?,
            alarm: gauge("alarm", "1 while the alarm is up", &["service", "kind"])?,
            shown_versions: Arc::default(),
            probes_total: counter("probes_total", "Probes by result", &["service", "color", "result"])?,
            judge_score: real(
                "judge_score",
                "The score S of a rule (errors, latency, and route: the route nearest to its bound), 0 without a bake",
                &["service", "rule"],
            )?,
            judge_threshold: real(
                "judge_threshold",
                "The bound h of a rule, 0 without a bake",
                &["service", "rule"],
            )?,
            pinned: gauge("pinned", "1 while a person has pinned the service", &["service"])?,
            rollback_available: gauge(
                "rollback_available",
                "1 while a rollback has somewhere to go",
                &["service"],
            )?,
            certificate_expiry: gauge(
                "certificate_expiry_seconds",
                "Time to the end of the certificate of a host, negative behind it",
                &["host"],
            )?,
        })
    }

    pub(crate) fn probe(&self, service: &ServiceName, color: Color, outcome: &ProbeOutcome) {
        let result = match outcome {
            ProbeOutcome::Pass => "pass",
            ProbeOutcome::Fail(_) => "fail",
        };
        self.probes_total.with_label_values(&[service.as_str(), color.as_str(), result]).inc();
    }

    /// Sets the time that each host's certificate has left, in seconds. Hosts that are `gone` are shown no
    /// more.
    pub(crate) fn certificates<'a>(
        &self,
        left: &BTreeMap<String, i64>,
        gone: impl Iterator<Item = &'a String>,
    ) {
        for (host, seconds) in left {
            self.certificate_expiry.with_label_values(&[host]).set(*seconds);
        }
        for host in gone {
            // A host that was not shown needs no removal.
            let _ = self.certificate_expiry.remove_label_values(&[host]);
        }
    }

    /// Sets the gauges that show a service's record.
    pub(crate) fn record(&self, service: &ServiceName, shown: &Shown<'_>) {
        let name = service.as_str();
        for color in Color::ALL {
            let active = i64::from(color == shown.active);
            self.active_color.with_label_values(&[name, color.as_str()]).set(active);
        }
        self.epoch.with_label_values(&[name]).set(i64::try_from(shown.epoch).unwrap_or(i64::MAX));
        for state in StateName::ALL.into_iter().filter(|state| !state.is_final()) {
            let now = i64::from(state == shown.state);
            self.release_state.with_label_values(&[name, state.as_str()]).set(now);
        }
        for (color, wanted) in shown.wanted.iter() {
            let labels = [name, color.as_str()];
            match wanted {
                Some(wanted) => self.endpoints_wanted.with_label_values(&labels).set(i64::from(*wanted)),
                None => drop(self.endpoints_wanted.remove_label_values(&labels)),
            }
        }
        for alarm in Alarm::ALL {
            let up = i64::from(shown.alarms.contains_key(&alarm));
            self.alarm.with_label_values(&[name, alarm.as_str()]).set(up);
        }
        self.show_version(service, shown);
        self.pinned.with_label_values(&[name]).set(i64::from(shown.pinned));
        self.rollback_available.with_label_values(&[name]).set(i64::from(shown.rollback_available));
        for (rule, (s, h)) in rules(shown.judged) {
            self.judge_score.with_label_values(&[name, rule]).set(s);
            self.judge_threshold.with_label_values(&[name, rule]).set(h);
        }
    }

    /// Shows the version that serves, in place of the one before.
    fn show_version(&self, service: &ServiceName, shown: &Shown<'_>) {
        let now = shown.version.clone().map(|version| [shown.active.to_string(), version]);
        let Ok(mut versions) = self.shown_versions.lock() else { return };
        if versions.get(service) == now.as_ref() {
            return;
        }
        if let Some([color, version]) = versions.remove(service) {
            let _ = self.active_info.remove_label_values(&[service.as_str(), &color, &version]);
        }
        if let Some([color, version]) = now {
            self.active_info.with_label_values(&[service.as_str(), &color, &version]).set(1);
            versions.insert(service.clone(), [color, version]);
        }
    }

    /// Removes the gauges of a service that is no longer configured. Its counters stay.
    pub(crate) fn forget(&self, service: &ServiceName) {
        let name = service.as_str();
        let healths = [Health::Unknown, Health::Healthy, Health::Unhealthy];
        // The error for a gauge that was never shown is ignored.
        for color in Color::ALL {
            let _ = self.active_color.remove_label_values(&[name, color.as_str()]);
            let _ = self.endpoints_wanted.remove_label_values(&[name, color.as_str()]);
            for health in healths {
                let _ = self.endpoints.remove_label_values(&[name, color.as_str(), health.as_str()]);
            }
        }
        for state in StateName::ALL {
            let _ = self.release_state.remove_label_values(&[name, state.as_str()]);
        }
        for alarm in Alarm::ALL {
            let _ = self.alarm.remove_label_values(&[name, alarm.as_str()]);
        }
        if let Ok(mut versions) = self.shown_versions.lock()
            && let Some([color, version]) = versions.remove(service)
        {
            let _ = self.active_info.remove_label_values(&[name, &color, &version]);
        }
        for (rule, _) in rules(None) {
            let _ = self.judge_score.remove_label_values(&[name, rule]);
            let _ = self.judge_threshold.remove_label_values(&[name, rule]);
        }
        for gauge in [&self.epoch, &self.pinned, &self.rollback_available] {
            let _ = gauge.remove_label_values(&[name]);
        }
    }

    pub(crate) fn rosters(&self, service: &ServiceName, rosters: &PerColor<Roster>) {
        for (color, roster) in rosters.iter() {
            let summary = roster.summary();
            let counts = [
                (Health::Unknown, summary.unknown),
                (Health::Healthy, summary.healthy),
                (Health::Unhealthy, summary.unhealthy),
            ];
            for (health, count) in counts {
                let labels = [service.as_str(), color.as_str(), health.as_str()];
                self.endpoints.with_label_values(&labels).set(i64::from(count));
            }
        }
    }
}

/// The values that [`Metrics::record`] shows for a service.
pub(crate) struct Shown<'a> {
    pub(crate) active: Color,
    pub(crate) epoch: u64,
    pub(crate) state: StateName,
    pub(crate) pinned: bool,
    pub(crate) rollback_available: bool,
    /// The version that the active color runs.
    pub(crate) version: Option<String>,
    /// How many containers each color should have.
    pub(crate) wanted: PerColor<Option<u32>>,
    pub(crate) alarms: &'a BTreeMap<Alarm, String>,
    /// The judge's numbers during a bake.
    pub(crate) judged: Option<&'a Numbers>,
}

/// Returns the score and bound of each rule. Of the route rules it returns the one nearest to its
/// bound.
fn rules(numbers: Option<&Numbers>) -> [(&'static str, (f64, f64)); 3] {
    let latency = numbers.and_then(|numbers| numbers.latency.as_ref());
    let route = numbers.and_then(|numbers| numbers.routes.first());
    [
        ("errors", numbers.map_or((0.0, 0.0), |numbers| (numbers.s, numbers.h))),
        ("latency", latency.map_or((0.0, 0.0), |latency| (latency.s, latency.h))),
        ("route", route.map_or((0.0, 0.0), |route| (route.s, route.h))),
    ]
}
