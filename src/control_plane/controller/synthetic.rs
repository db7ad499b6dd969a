//! Synthetic requests while there is too little traffic to judge by (`analysis.synthetic`).

use crate::config::Synthetic;
use crate::control_plane::probe::{SyntheticReport, SyntheticTarget};
use crate::judge::{Bucket, Outcome};
use crate::model::PerColor;
use crate::release::{Event, Phase};
use crate::routing::Protocol;

use super::run::Controller;
use super::service::ServiceRuntime;

impl Controller {
    /// Counts the answer to a synthetic request.
    pub(crate) fn synthetic_answer(&mut self, report: &SyntheticReport) {
        let Some(index) = self.index(report.service.as_str()) else { return };
        let (successes, errors) = &mut self.services[index].synthetic.counts[report.color];
        match report.outcome {
            Outcome::Success => *successes += 1,
            Outcome::Error => *errors += 1,
        }
    }

    /// Adds the answers to a closed second's evidence, and decides whether to go on with the
    /// requests. Returns true if the old color also got requests, so that its bucket is a control.
    pub(crate) fn synthetic_second(&mut self, index: usize, closed: &mut PerColor<Bucket>) -> bool {
        let service = &mut self.services[index];
        service.synthetic.second(closed[service.state.active].requests);
        for (color, (successes, errors)) in std::mem::take(&mut service.synthetic.counts).iter() {
            // They belong to no client, so the limit for one client does not apply to them.
            closed[color].add(None, *successes, *errors);
        }
        let was_on = service.synthetic.on;
        let target = target(service);
        service.synthetic.on = target.is_some();
        let name = service.name().clone();
        self.synthetic.aim(&name, target);
        was_on
    }

    /// Gives the state the old color's answers to synthetic requests during a bake.
    pub(crate) async fn control_second(&mut self, index: usize, old: Bucket) {
        let epoch = self.services[index].state.epoch;
        self.apply_fact(index, Event::Control { epoch, old }).await;
    }
}

/// Returns the synthetic requests to send now. They are sent in a bake and in a degraded release
/// while traffic is thin, and as long as an outside cause is claimed, since the old color's answers
/// say when that is over. The judge of a degraded release goes on, and the release may be held
/// because the old color fails too. Endpoints that speak h2c get no synthetic requests.
fn target(service: &ServiceRuntime) -> Option<SyntheticTarget> {
    let Synthetic { paths, rate } = service.config.synthetic.as_ref()?;
    let phase = &service.state.running()?.phase;
    let (Phase::Baking(_) | Phase::Degraded(_)) = phase else { return None };
    let claimed = phase.bake().is_some_and(|bake| bake.outside.is_some());
    let settings = &service.config.settings;
    if settings.protocol == Protocol::H2c || !(claimed || service.synthetic.is_thin(*rate)) {
        return None;
    }
    let endpoints = PerColor::from_fn(|color| {
        service.rosters[color].endpoints().iter().map(|(endpoint, _)| endpoint.address).collect()
    });
    Some(SyntheticTarget {
        service: service.name().clone(),
        endpoints,
        host: service.config.hosts.first().cloned().unwrap_or_else(|| "localhost".to_owned()),
        paths: paths.clone(),
        rate: *rate,
        tls: settings.tls.clone(),
        timeout: settings.response_timeout,
    })
}
