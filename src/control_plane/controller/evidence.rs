//! The facts from probes, providers and workers on their way to the step.

use std::sync::Arc;

use crate::clock;
use crate::control_plane::probe::{ProbeReport, ProbeTarget};
use crate::control_plane::provider::ProviderUpdate;
use crate::health::{ProbeEffect, ProbeOutcome, Roster};
use crate::judge::Bucket;
use crate::model::{Color, Health, PerColor};
use crate::release::{Event, Phase};
use crate::traffic::{Suspect, WorkerReport};

use super::run::Controller;

impl Controller {
    /// Counts a probe in its color's roster and gives the state the color's new health.
    pub(crate) fn probed(&mut self, report: &ProbeReport) {
        let Some((name, color)) = self.endpoints.get(&report.endpoint).cloned() else {
            return;
        };
        let Some(index) = self.index(name.as_str()) else {
            return;
        };
        self.metrics.probe(&name, color, &report.outcome);
        let service = &mut self.services[index];
        let thresholds = service.state.thresholds(color);
        let roster = &mut service.rosters[color];
        let passed = matches!(report.outcome, ProbeOutcome::Pass);
        if service.ejected.probed(&report.endpoint, passed, thresholds.rise) {
            tracing::info!(service = %name, %color, endpoint = %report.endpoint, "its probes pass: back in the pool");
            self.table_dirty = true;
        }
        let observed = roster.observe(
            report.owner.as_ref(),
            &report.endpoint,
            &report.outcome,
            thresholds,
            clock::now(),
        );
        match observed {
            ProbeEffect::Stale => return,
            ProbeEffect::Same => {}
            ProbeEffect::Changed(health) => {
                tracing::info!(service = %name, %color, endpoint = %report.endpoint, %health,
                    last = ?report.outcome, "endpoint changed");
                if health == Health::Healthy
                    && let Some(containers) = service.containers.as_mut()
                {
                    containers.unproved.remove(&report.endpoint);
                }
                self.table_dirty = true;
            }
        }
        self.tell_health(index, color);
    }

    /// Handles a worker's report that it could not reach an endpoint or has ejected it.
    pub(crate) fn suspected(&mut self, suspect: &Suspect) {
        self.prober.suspect(&suspect.endpoint);
        if suspect.ejected
            && let Some((name, color)) = self.endpoints.get(&suspect.endpoint).cloned()
            && let Some(index) = self.index(name.as_str())
            && self.services[index].ejected.report(&suspect.endpoint)
        {
            tracing::info!(service = %name, %color, endpoint = %suspect.endpoint, "attempts fail: out of the pool");
        }
    }

    /// Queues the color's health for the state, if it differs from the health that the state has.
    pub(crate) fn tell_health(&mut self, index: usize, color: Color) {
        let service = &mut self.services[index];
        let why = ailment(&service.rosters[color]);
        if service.ailing[color] != why {
            service.ailing[color].clone_from(&why);
            self.pending.push_back((index, Event::Ailing { color, why }));
        }
        let health = service.rosters[color].summary();
        if service.reported[color] == health {
            return;
        }
        service.reported[color] = health;
        let release = service.rosters[color].owner().cloned();
        self.metrics.rosters(&service.config.name, &service.rosters);
        // Whether an endpoint may get requests can depend on its neighbors.
        self.table_dirty = true;
        self.views_dirty = true;
        self.pending.push_back((index, Event::Health { color, release, health }));
    }

    /// Replaces the endpoints of a color.
    pub(crate) fn endpoints(&mut self, update: &ProviderUpdate) {
        let Some(index) = self.index(update.service.as_str()) else {
            return;
        };
        // Every color in the configuration has an address. If no endpoint is found, the look-up has
        // failed, and the endpoints of an earlier look-up still run.
        let known = !self.services[index].rosters[update.color].endpoints().is_empty();
        if update.endpoints.is_empty() && known {
            return;
        }
        if !self.services[index].rosters[update.color].set_endpoints(&update.endpoints) {
            return;
        }
        tracing::info!(service = %update.service, color = %update.color, count = update.endpoints.len(), "endpoints changed");
        let service = &mut self.services[index];
        let there = |id: &crate::model::EndpointId| {
            service
                .rosters
                .iter()
                .any(|(_, roster)| roster.endpoints().iter().any(|(known, _)| known.id == *id))
        };
        service.ejected.retain(there);
        self.targets_dirty = true;
        self.table_dirty = true;
        self.views_dirty = true;
        self.tell_health(index, update.color);
    }

    /// Gives the prober the endpoints of all rosters.
    pub(crate) fn aim(&mut self) {
        self.targets_dirty = false;
        self.endpoints.clear();
        let mut targets = Vec::new();
        for service in &self.services {
            for (color, roster) in service.rosters.iter() {
                for (endpoint, _) in roster.endpoints() {
                    self.endpoints.insert(endpoint.id.clone(), (service.name().clone(), color));
                    targets.push(ProbeTarget {
                        endpoint: endpoint.clone(),
                        owner: roster.owner().cloned(),
                        check: Arc::clone(&service.config.check),
                    });
                }
            }
        }
        self.prober.set_targets(targets);
    }

    /// Closes a second. The counts of all workers become one bucket for each color.
    pub(crate) async fn counts(&mut self, reports: Vec<WorkerReport>) {
        for service in &mut self.services {
            service.inflight.clear();
        }
        for report in reports {
            for counts in report.colors {
                if let Some(index) = self.index(counts.service.as_str()) {
                    self.services[index].buckets[counts.color].merge(&counts.bucket);
                }
            }
            for inflight in report.inflight {
                if let Some((name, _)) = self.endpoints.get(&inflight.endpoint)
                    && let Some(index) = self.index(name.clone().as_str())
                {
                    *self.services[index].inflight.entry(inflight.endpoint).or_default() += inflight.inflight;
                }
            }
        }
        for index in 0..self.services.len() {
            let service = &mut self.services[index];
            let policy = service.state.policy.judge;
            let mut closed: PerColor<Bucket> = std::mem::take(&mut service.buckets);
            let active = service.state.active;
            service.windows[active].push(&closed[active], &policy);
            let epoch = service.state.epoch;
            // Only the requests of users are the next release's baseline. Synthetic requests are
            // evidence of the present release alone.
            if self.synthetic_second(index, &mut closed) {
                self.control_second(index, closed[active.other()].clone()).await;
            }
            let bucket = closed[active].clone();
            self.apply_fact(index, Event::Bucket { color: active, epoch, bucket }).await;
            let service = &self.services[index];
            let published = service.route.as_ref().and_then(|route| route.slow_after);
            self.table_dirty |= published != super::table::slow_after(&service.state);
            self.canary_second(index, &closed).await;
            self.follow_course(index, &closed);
        }
        self.views_dirty = true;
    }

    /// Gives the state the second of both colors while the candidate has a share of the traffic.
    async fn canary_second(&mut self, index: usize, closed: &PerColor<Bucket>) {
        let service = &self.services[index];
        let Some(release) = service.state.running() else { return };
        let Phase::Canary(canary) = &release.phase else { return };
        if !canary.open {
            return;
        }
        let baseline = canary.judge.is_none().then(|| {
            let window = &service.windows[release.color.other()];
            Box::new(window.freeze(&service.state.policy.judge))
        });
        let (candidate, old) = (closed[release.color].clone(), closed[release.color.other()].clone());
        let event = Event::Canary { release: release.id.clone(), candidate, old, baseline };
        self.apply_fact(index, event).await;
    }
}

/// Returns the last failure of a color's probes, and how many have failed. A gate can be shut by probes that
/// fail now and then, although all endpoints count as healthy. The number changes with failures alone, so that
/// the state does not hear of each probe that passes.
fn ailment(roster: &Roster) -> Option<String> {
    let healths = || roster.endpoints().iter().map(|(_, health)| health);
    let (_, why) = healths().filter_map(|health| health.last_failure.as_ref()).max_by_key(|(at, _)| *at)?;
    let failed: u32 = healths().map(|health| health.failed).sum();
    let probes = if failed == 1 { "probe" } else { "probes" };
    Some(format!("{why} ({failed} failed {probes})"))
}

#[cfg(test)]
mod tests {
    use super::ailment;
    use crate::health::{ProbeFailure, ProbeOutcome, Roster, Thresholds};
    use crate::model::{Endpoint, EndpointId, Tick};

    #[test]
    fn probes_that_fail_now_and_then_are_counted_although_the_endpoint_is_healthy() {
        let mut roster = Roster::default();
        let id = EndpointId::from("e1");
        let address = ([127, 0, 0, 1], 80).into();
        roster.set_endpoints(&[Endpoint { id: id.clone(), address, probe: None }]);
        assert_eq!(ailment(&roster), None);
        let thresholds = Thresholds { rise: 2, fall: 3 };
        let mut said = Vec::new();
        for second in 0..9 {
            let outcome = if second % 3 == 2 {
                ProbeOutcome::Fail(ProbeFailure::Status(503))
            } else {
                ProbeOutcome::Pass
            };
            roster.observe(None, &id, &outcome, thresholds, Tick::from_millis(second * 1000));
            said.push(ailment(&roster));
        }
        assert_eq!(roster.summary().healthy, 1);
        assert_eq!(said[2].as_deref(), Some("status 503 (1 failed probe)"));
        assert_eq!(said[4], said[2], "a probe that passes changes no word");
        assert_eq!(said[8].as_deref(), Some("status 503 (3 failed probes)"));
    }
}
