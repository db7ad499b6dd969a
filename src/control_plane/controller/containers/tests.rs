//! What is decided of containers without an engine.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use super::rebuild::{Found, found, number, rebuilt, restored};
use crate::control_plane::controller::table::hold_back;
use crate::control_plane::provider::docker::{Container, Marks};
use crate::model::{Color, Endpoint, EndpointId, Epoch, PerColor, ReleaseId, ServiceName, Tick, Version};
use crate::release::{Alarm, Fate, Policy, State, UpstreamKind};
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

fn lost() -> State {
    let policy = Policy { upstream: UpstreamKind::Managed, ..Policy::default() };
    State::rebuilt(ServiceName::from("backend"), Color::Blue, policy)
}

fn rebuild(containers: &[Container]) -> Option<State> {
    let sets = found("backend", containers.iter());
    sets.iter().any(|set| set.running > 0).then(|| rebuilt(lost(), &sets, Tick(1000)))
}

#[test]
fn sets_are_found_by_their_labels_alone() {
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
    let sets = found("backend", containers.iter());
    let seen: Vec<(u64, usize, &str)> =
        sets.iter().map(|set| (set.number, set.running, set.since.as_str())).collect();
    assert_eq!(seen, [(9, 1, "3"), (10, 2, "4")], "by number, not by text");
    assert_eq!(number(&ReleaseId::from("a-b-12")), Some(12));
    assert_eq!(number(&ReleaseId::from("odd")), None);
}

#[test]
fn what_runs_is_active_and_the_rest_is_kept() {
    let state = rebuild(&[
        container("backend-1", Color::Blue, false, "1"),
        container("backend-2", Color::Green, true, "2"),
    ])
    .unwrap();
    state.check().unwrap();
    assert_eq!(state.active, Color::Green);
    assert_eq!(state.sides[Color::Green].containers, Some(ReleaseId::from("backend-2")));
    assert_eq!(state.active_version().unwrap().0, "digest of backend-2");
    assert_eq!((state.kept.len(), state.kept[0].containers.as_str()), (1, "backend-1"));
    assert_eq!(state.numbered, 2, "the next release must not have the name of one that runs");
    assert!(state.pin.is_some() && state.alarms[&Alarm::StateRebuilt].contains("green runs"));
    assert_eq!(state.fallback, None);
}

#[test]
fn of_two_colors_the_one_that_has_been_up_longer_is_active() {
    let state = rebuild(&[
        container("backend-4", Color::Green, true, "2026-11-24T10:00:00.5Z"),
        container("backend-3", Color::Blue, true, "2026-11-24T10:00:00.4Z"),
    ])
    .unwrap();
    state.check().unwrap();
    assert_eq!(state.active, Color::Blue);
    let standby = &state.sides[Color::Green];
    assert!(matches!(standby.fate, Fate::Warm { drain_at } if drain_at > Tick(1000)));
    assert_eq!(state.fallback.as_ref().unwrap().containers, Some(ReleaseId::from("backend-4")));
    assert!(state.rollback_available(), "a wrong guess can be put right");
    let green = rebuild(&[
        container("backend-4", Color::Green, true, "1"),
        container("backend-5", Color::Blue, true, "2"),
    ]);
    assert_eq!(green.unwrap().active, Color::Green);
}

#[test]
fn where_nothing_runs_nothing_is_made_up() {
    let stopped = [container("backend-4", Color::Blue, false, "1")];
    let new = State::new(ServiceName::from("backend"), Color::Green, lost().policy);
    let (state, another) = restored(new.clone(), true, false, &found("backend", stopped.iter()));
    assert!(another && state.pin.is_none() && state.sides[Color::Blue].containers.is_none());
    assert_eq!(
        (state.numbered, state.kept[0].containers.as_str()),
        (4, "backend-4"),
        "it can be gone back to"
    );
    assert_eq!(restored(new.clone(), true, false, &[]), (new, false));
}

#[test]
fn a_record_is_believed_unless_what_it_has_as_active_is_not_there() {
    let sets = |running| found("backend", [container("backend-2", Color::Green, running, "1")].iter());
    let mut known = State::new(ServiceName::from("backend"), Color::Blue, lost().policy);
    assert!(!restored(known.clone(), false, false, &sets(true)).1, "a whole record");
    let (state, another) = restored(known.clone(), false, true, &sets(true));
    assert!(another && state.active == Color::Green && state.pin.is_some());
    known.active = Color::Green;
    known.sides[Color::Green].containers = Some(ReleaseId::from("backend-2"));
    assert!(!restored(known.clone(), false, true, &sets(true)).1, "the copy is right");
    known.policy.upstream = UpstreamKind::Fixed;
    assert!(!restored(known, true, false, &sets(true)).1, "nothing of ours to look at");
}

#[test]
fn of_several_sets_of_a_color_the_newest_serves() {
    let containers =
        [container("backend-1", Color::Blue, true, "1"), container("backend-3", Color::Blue, true, "3")];
    let sets: Vec<Found> = found("backend", containers.iter());
    let state = rebuilt(lost(), &sets, Tick(0));
    assert_eq!(state.sides[Color::Blue].containers, Some(ReleaseId::from("backend-3")));
    assert_eq!(state.kept[0].containers, ReleaseId::from("backend-1"));
}

#[test]
fn a_container_that_was_started_again_gets_no_request_before_it_is_found_healthy() {
    let endpoint = |id: &str, usable| EndpointRoute {
        returns: 0,
        endpoint: Endpoint { id: EndpointId::from(id), address: "127.0.0.1:1".parse().unwrap() },
        usable,
    };
    let route = |usable: [bool; 2]| {
        let [a, b] = usable;
        let blue = ColorRoute { endpoints: vec![endpoint("a", a), endpoint("b", b)] };
        ServiceRoute {
            canary_percent: 0,
            slow_after: None,
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
