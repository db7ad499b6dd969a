//! Makes routes from records and health.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Service;
use crate::health::{EndpointHealth, ProbeFailure, Roster};
use crate::model::{Color, Endpoint, EndpointId, Health, PerColor};
use crate::release::{Kind, Phase, State};
use crate::routing::{ColorRoute, EndpointRoute, ServiceRoute, tries_all};

use super::ejected::Ejected;

/// Makes a service's route from its record and its endpoints' health.
pub(crate) fn service_route(
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
        canary_percent: state.canary_percent(),
        baking: is_shielded(state),
        slow_after: slow_after(state),
        stall_after: state.running().and_then(|release| release.phase.judge()?.stall_after()),
        colors: PerColor::from_fn(|color| color_route(rosters[color].endpoints(), ejected)),
        settings: Arc::clone(&config.settings),
    }
}

/// Returns the time after which the data plane counts an attempt as slow. There is one only while a
/// judge with a latency rule watches.
pub(crate) fn slow_after(state: &State) -> Option<Duration> {
    state.running()?.phase.judge()?.slow_after()
}

/// Keeps requests from containers that joined a pool in which others serve, until they are found
/// healthy. A container that its engine has just started again is seldom ready. If no other
/// container is left, they get requests.
pub(crate) fn hold_back(mut route: ServiceRoute, unproved: &BTreeSet<EndpointId>) -> ServiceRoute {
    for color in Color::ALL {
        let endpoints = &mut route.colors[color].endpoints;
        if endpoints.iter().any(|one| one.usable && !unproved.contains(&one.endpoint.id)) {
            for one in endpoints.iter_mut().filter(|one| unproved.contains(&one.endpoint.id)) {
                one.usable = false;
            }
        }
    }
    route
}

/// Tells whether the old color may answer for the candidate. It may from the switch to the end of
/// the bake. It may not in a rollback, since a person wanted to leave the other color then.
pub(crate) fn is_shielded(state: &State) -> bool {
    state.running().is_some_and(|release| {
        matches!(release.phase, Phase::Promoting(_) | Phase::Baking(_)) && release.kind != Kind::Rollback
    })
}

/// Decides which endpoints may get requests. Unknown ones may, so that the stored active color
/// serves at once after a restart. For a candidate, the gate alone decides. Unhealthy ones may not,
/// unless more than half of the color is unhealthy. Then the few others would be overloaded, or no
/// endpoint would get requests at all, so all that run are tried.
pub(crate) fn color_route(endpoints: &[(Endpoint, EndpointHealth)], ejected: &Ejected) -> ColorRoute {
    let sick = endpoints.iter().filter(|(_, health)| health.health == Health::Unhealthy).count();
    let try_all = tries_all(sick, endpoints.len());
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

/// Tells whether anything answers at the endpoint. It does if its last probe passed, or failed in
/// another way than by a refused connect.
pub(crate) fn runs(health: &EndpointHealth) -> bool {
    health.failures == 0 || !matches!(health.last_failure, Some((_, ProbeFailure::Refused)))
}
