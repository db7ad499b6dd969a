//! From records and health to routes.

use std::sync::Arc;

use crate::config::Service;
use crate::health::{EndpointHealth, ProbeFailure, Roster};
use crate::model::{Endpoint, Health, PerColor};
use crate::release::{Kind, Phase, State};
use crate::routing::{ColorRoute, EndpointRoute, ServiceRoute};

use super::ejected::Ejected;

/// A service's route as its record and its endpoints' health make it.
pub(super) fn service_route(
    config: &Service,
    state: &State,
    rosters: &PerColor<Roster>,
    ejected: &Ejected,
) -> ServiceRoute {
    ServiceRoute {
        name: config.name.clone(),
        hosts: config.hosts.clone(),
        preview_hosts: config.preview_hosts.clone(),
        default: config.default,
        active: state.active,
        epoch: state.epoch,
        paused: state.paused,
        baking: is_shielded(state),
        colors: PerColor::from_fn(|color| color_route(rosters[color].endpoints(), ejected)),
        settings: Arc::clone(&config.settings),
    }
}

/// Whether the old colour may answer for the candidate: from the switch to the end of the bake. Not in
/// a rollback: there the other colour is what a person wanted to be rid of.
pub(super) fn is_shielded(state: &State) -> bool {
    state.running().is_some_and(|release| {
        matches!(release.phase, Phase::Promoting(_) | Phase::Baking(_)) && release.kind != Kind::Rollback
    })
}

/// Which endpoints may be sent requests. Unknown ones may: after a restart the stored active
/// colour serves at once, and the gate alone decides about a candidate. Unhealthy ones may not,
/// unless more than half of the colour is: then a few left over would be crushed, or nobody would
/// be asked at all, so all that run are tried.
pub(super) fn color_route(endpoints: &[(Endpoint, EndpointHealth)], ejected: &Ejected) -> ColorRoute {
    let sick = endpoints.iter().filter(|(_, health)| health.health == Health::Unhealthy).count();
    let try_all = sick * 2 > endpoints.len();
    let endpoints = endpoints
        .iter()
        .map(|(endpoint, health)| EndpointRoute {
            endpoint: endpoint.clone(),
            usable: health.health != Health::Unhealthy || (try_all && runs(health)),
            returns: ejected.returns(&endpoint.id),
        })
        .collect();
    ColorRoute { endpoints }
}

/// Whether something answers there at all: its last probe passed, or failed in another way than
/// by a refused connect.
pub(super) fn runs(health: &EndpointHealth) -> bool {
    health.failures == 0 || !matches!(health.last_failure, Some((_, ProbeFailure::Refused)))
}
