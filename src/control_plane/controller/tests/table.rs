//! Which endpoints may get requests.

use super::super::ejected::Ejected;
use super::super::table::color_route;
use crate::health::{EndpointHealth, ProbeFailure};
use crate::model::{Endpoint, EndpointId, Health, Tick};

fn route(healths: &[(Health, Option<ProbeFailure>)]) -> Vec<bool> {
    let endpoints: Vec<(Endpoint, EndpointHealth)> = healths
        .iter()
        .enumerate()
        .map(|(index, (health, failure))| {
            let endpoint = Endpoint {
                id: EndpointId::new(format!("e{index}")),
                address: std::net::SocketAddr::from(([127, 0, 0, 1], 1000)),
                probe: None,
            };
            let failures = u32::from(failure.is_some()) * 3;
            let last_failure = failure.clone().map(|failure| (Tick::ZERO, failure));
            (
                endpoint,
                EndpointHealth { health: *health, failures, last_failure, ..EndpointHealth::default() },
            )
        })
        .collect();
    color_route(&endpoints, &Ejected::default()).endpoints.iter().map(|route| route.usable).collect()
}

#[test]
fn sick_endpoints_get_nothing_until_they_are_more_than_half() {
    let (up, unknown) = ((Health::Healthy, None), (Health::Unknown, None));
    let hung = (Health::Unhealthy, Some(ProbeFailure::Timeout));
    let gone = (Health::Unhealthy, Some(ProbeFailure::Refused));
    assert_eq!(route(&[up.clone(), unknown, hung.clone()]), [true, true, false]);
    assert_eq!(route(&[up.clone(), hung.clone()]), [true, false], "half is not more than half");
    assert_eq!(route(&[up, hung.clone(), gone.clone()]), [true, true, false], "those that run are tried");
    assert_eq!(route(&[gone.clone(), gone]), [false, false], "nothing runs there");
    assert_eq!(route(&[hung]), [true]);
    assert!(route(&[]).is_empty());
}
