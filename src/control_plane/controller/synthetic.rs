//! Requests of our own while there is too little traffic to judge by (`analysis.synthetic`).

use crate::config::Synthetic;
use crate::control_plane::probe::{SyntheticReport, SyntheticTarget};
use crate::judge::{Bucket, Outcome};
use crate::model::PerColor;
use crate::release::{Event, Phase};
use crate::routing::Protocol;

use super::run::Controller;
use super::service::ServiceRuntime;

impl Controller {
    /// Counts an answer, if it is still of use.
    pub(crate) fn synthetic_answer(&mut self, report: &SyntheticReport) {
        let Some(index) = self.index(report.service.as_str()) else { return };
        let (successes, errors) = &mut self.services[index].synthetic.counts[report.color];
        match report.outcome {
            Outcome::Success => *successes += 1,
            Outcome::Error => *errors += 1,
        }
    }

    /// Adds what was asked to a closed second's evidence, and asks on, or no more. True: the old
    /// color was asked too, and is a control.
    pub(crate) fn synthetic_second(&mut self, index: usize, closed: &mut PerColor<Bucket>) -> bool {
        let service = &mut self.services[index];
        service.synthetic.second(closed[service.state.active].requests);
        for (color, (successes, errors)) in std::mem::take(&mut service.synthetic.counts).iter() {
            // Of nobody in particular: no client's limit holds for them.
            closed[color].add(None, *successes, *errors);
        }
        let was_on = service.synthetic.on;
        let target = target(service);
        service.synthetic.on = target.is_some();
        let name = service.name().clone();
        self.synthetic.aim(&name, target);
        was_on
    }

    /// What our own requests saw of the old color in a bake.
    pub(crate) async fn control_second(&mut self, index: usize, old: Bucket) {
        let epoch = self.services[index].state.epoch;
        self.apply_fact(index, Event::Control { epoch, old }).await;
    }
}

/// What is to be asked now: in a bake, and in a degraded release (its judge goes on, and what holds
/// it may be that the old color fails too), while traffic is thin, of endpoints that speak plain
/// HTTP/1.
fn target(service: &ServiceRuntime) -> Option<SyntheticTarget> {
    let Synthetic { paths, rate } = service.config.synthetic.as_ref()?;
    let (Phase::Baking(_) | Phase::Degraded(_)) = &service.state.running()?.phase else { return None };
    let settings = &service.config.settings;
    if settings.protocol == Protocol::H2c || !service.synthetic.is_thin(*rate) {
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
