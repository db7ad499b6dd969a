//! Decisions about containers that need no engine.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use super::rebuild::{container_sets, rebuilt};
use crate::control_plane::controller::table::hold_back;
use crate::control_plane::provider::docker::{Container, Marks};
use crate::model::{Color, Endpoint, EndpointId, Epoch, PerColor, ReleaseId, ServiceName, Version};
use crate::release::{Policy, State, UpstreamKind};
use crate::routing::{ColorRoute, EndpointRoute, ServiceRoute};

fn container(set: &str, color: Color, running: bool, since: &str) -> Container {
    Container {
        id: format!("{set}-{since}"),
        marks: Some(Marks {
            service: ServiceName::from("backend"),
            color,
            set: Some(ReleaseId::from(set)),
            version: Some(Version(format!("digest of {set}"))),
            image: None,
            index: 1,
            port: None,
        }),
        running,
        started_at: since.to_owned(),
        ..Container::default()
    }
}

#[test]
fn container_sets_are_recognized_by_their_labels_alone() {
    let mut foreign = container("shop-9", Color::Blue, true, "1");
    foreign.marks.as_mut().unwrap().service = ServiceName::from("shop");
    let mut followed = container("x", Color::Blue, true, "1");
    followed.marks.as_mut().unwrap().set = None;
    let containers = [
        container("backend-10", Color::Green, true, "5"),
        container("backend-9", Color::Blue, true, "3"),
        container("backend-10", Color::Green, true, "4"),
        container("backend-10", Color::Green, false, "1"),
        foreign,
        followed,
        Container::default(),
    ];
    let sets = container_sets("backend", containers.iter());
    let seen: Vec<(u64, usize, &str)> =
        sets.iter().map(|set| (set.number, set.running, set.since.as_str())).collect();
    assert_eq!(seen, [(9, 1, "3"), (10, 2, "4")], "by number, not by text");
}

#[test]
fn the_containers_of_an_engine_rebuild_a_lost_record() {
    let policy = Policy { upstream: UpstreamKind::Managed, ..Policy::default() };
    let lost = State::new(ServiceName::from("backend"), Color::Blue, policy);
    let sets = container_sets("backend", [container("backend-2", Color::Green, true, "1")].iter());
    let state = rebuilt(&lost, true, false, &sets).unwrap();
    assert_eq!((state.active, state.numbered), (Color::Green, 2));
    assert!(state.pin.is_some() && rebuilt(&lost, false, false, &sets).is_none(), "a record is believed");
}

#[test]
fn a_container_that_was_started_again_gets_no_request_before_it_is_found_healthy() {
    let endpoint = |id: &str, usable| EndpointRoute {
        returns: 0,
        endpoint: Endpoint { id: EndpointId::from(id), address: "127.0.0.1:1".parse().unwrap(), probe: None },
        usable,
    };
    let route = |usable: [bool; 2]| {
        let [a, b] = usable;
        let blue = ColorRoute { endpoints: vec![endpoint("a", a), endpoint("b", b)] };
        ServiceRoute {
            canary_percent: 0,
            slow_after: None,
            stall_after: None,
            name: ServiceName::from("backend"),
            hosts: Vec::new(),
            preview_hosts: PerColor::default(),
            default: false,
            active: Color::Blue,
            epoch: Epoch(1),
            paused: false,
            baking: false,
            colors: PerColor { blue, green: ColorRoute::default() },
            settings: std::sync::Arc::default(),
        }
    };
    let held = |usable, unproved: &[&str]| {
        let unproved: BTreeSet<EndpointId> = unproved.iter().map(|id| EndpointId::from(*id)).collect();
        let route = hold_back(route(usable), &unproved);
        route.colors.blue.endpoints.iter().map(|one| one.usable).collect::<Vec<_>>()
    };
    assert_eq!(held([true, true], &["b"]), [true, false]);
    assert_eq!(held([true, true], &[]), [true, true]);
    assert_eq!(held([true, true], &["a", "b"]), [true, true], "nobody else is left");
    assert_eq!(held([false, true], &["b"]), [false, true]);
}
