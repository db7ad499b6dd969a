#![allow(clippy::unwrap_used, clippy::expect_used)]
//! A lost record. The tests check which color is active and what happens to the containers.

use std::collections::BTreeMap;

use crate::model::{Color, ReleaseId, ServiceName, Tick, Version};
use crate::release::rules::rebuild::last_active;
use crate::release::{
    Alarm, ContainerSet, Effect, Fate, PastRelease, Policy, State, StateName, UpstreamKind, left_behind,
    rebuild_from_containers, rebuild_from_history,
};

fn set(id: &str, color: Color, running: bool, since: &str) -> ContainerSet {
    let id = ReleaseId::from(id);
    ContainerSet {
        number: id.number().unwrap_or(0),
        color,
        version: Version(format!("digest of {id}")),
        id,
        image: None,
        running: running.into(),
        since: if running { since.to_owned() } else { String::new() },
    }
}

fn managed() -> Policy {
    Policy { upstream: UpstreamKind::Managed, ..Policy::default() }
}

fn rebuilt(sets: &[ContainerSet]) -> State {
    let lost = State::rebuilt(ServiceName::from("backend"), Color::Blue, managed());
    rebuild_from_containers(&lost, true, false, sets, Tick(1000)).unwrap()
}

#[test]
fn the_history_names_the_color_of_the_last_switch() {
    let past = |number: u64, color, state: &str, promoted, finished| PastRelease {
        id: ReleaseId::new(format!("backend-{number}")),
        color,
        state: StateName::from_word(state).unwrap(),
        promoted,
        finished,
    };
    let first = past(1, Color::Green, "succeeded", true, true);
    let with = |newer: &PastRelease| last_active(&[newer.clone(), first.clone()]);
    assert_eq!(last_active(&[]), None);
    assert_eq!(last_active(&[past(1, Color::Green, "failed", false, true)]), None);
    for (state, promoted, finished, active) in [
        ("succeeded", true, true, Color::Blue),
        ("promoting", true, false, Color::Blue),
        ("baking", true, false, Color::Blue),
        ("degraded", true, false, Color::Blue),
        ("reverting", true, false, Color::Green),
        ("queued", false, false, Color::Green),
        ("checking", false, false, Color::Green),
        ("awaiting_promotion", false, false, Color::Green),
        ("cancelled", false, true, Color::Green),
        ("failed", false, true, Color::Green),
        ("reverted", true, true, Color::Green),
        ("rolled_back", true, true, Color::Green),
    ] {
        assert_eq!(with(&past(2, Color::Blue, state, promoted, finished)), Some(active), "{state}");
    }
    let rebuild = |history: &[PastRelease]| {
        rebuild_from_history(ServiceName::from("backend"), Color::Blue, Policy::default(), history)
    };
    let state = rebuild(&[past(7, Color::Blue, "cancelled", false, true), first.clone()]);
    assert_eq!((state.active, state.numbered), (Color::Green, 7), "backend-7 must not come again");
    assert!(state.pin.is_some() && state.alarms.contains_key(&Alarm::StateRebuilt));
    assert_eq!((rebuild(&[]).active, rebuild(&[]).numbered), (Color::Blue, 0));
}

#[test]
fn running_containers_become_active_and_the_rest_is_kept() {
    let state =
        rebuilt(&[set("backend-1", Color::Blue, false, "1"), set("backend-2", Color::Green, true, "2")]);
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
fn the_older_of_two_running_colors_is_active() {
    let state = rebuilt(&[
        set("backend-4", Color::Green, true, "2026-11-24T10:00:00.5Z"),
        set("backend-3", Color::Blue, true, "2026-11-24T10:00:00.4Z"),
    ]);
    state.check().unwrap();
    assert_eq!(state.active, Color::Blue);
    let standby = &state.sides[Color::Green];
    assert!(matches!(standby.fate, Fate::Warm { drain_at } if drain_at > Tick(1000)));
    assert_eq!(state.fallback.as_ref().unwrap().containers, Some(ReleaseId::from("backend-4")));
    assert!(state.rollback_available(), "a wrong guess can be put right");
    let green =
        rebuilt(&[set("backend-4", Color::Green, true, "1"), set("backend-5", Color::Blue, true, "2")]);
    assert_eq!(green.active, Color::Green);
}

#[test]
fn no_color_is_chosen_if_nothing_runs() {
    let stopped = [set("backend-4", Color::Blue, false, "1")];
    let new = State::new(ServiceName::from("backend"), Color::Green, managed());
    let state = rebuild_from_containers(&new, true, false, &stopped, Tick(0)).unwrap();
    assert!(state.pin.is_none() && state.sides[Color::Blue].containers.is_none());
    assert_eq!((state.numbered, state.kept[0].containers.as_str()), (4, "backend-4"), "a way back");
    assert_eq!(rebuild_from_containers(&new, true, false, &[], Tick(0)), None);
}

#[test]
fn a_record_is_believed_unless_its_active_containers_do_not_run() {
    let sets = [set("backend-2", Color::Green, true, "1")];
    let rebuild = |state: &State, no_record, outdated| {
        rebuild_from_containers(state, no_record, outdated, &sets, Tick(0))
    };
    let mut known = State::new(ServiceName::from("backend"), Color::Blue, managed());
    assert_eq!(rebuild(&known, false, false), None, "a whole record");
    let state = rebuild(&known, false, true).unwrap();
    assert!(state.active == Color::Green && state.pin.is_some());
    known.active = Color::Green;
    known.sides[Color::Green].containers = Some(ReleaseId::from("backend-2"));
    assert_eq!(rebuild(&known, false, true), None, "the copy is right");
    known.policy.upstream = UpstreamKind::Fixed;
    assert_eq!(rebuild(&known, true, false), None, "there are no containers of ours");
}

#[test]
fn the_newest_running_set_of_a_color_serves() {
    let state =
        rebuilt(&[set("backend-1", Color::Blue, true, "1"), set("backend-3", Color::Blue, true, "3")]);
    assert_eq!(state.sides[Color::Blue].containers, Some(ReleaseId::from("backend-3")));
    assert_eq!(state.kept[0].containers, ReleaseId::from("backend-1"));
}

#[test]
fn containers_that_a_crash_left_behind_are_stopped_or_removed() {
    let sets = [set("backend-2", Color::Green, true, "2"), set("backend-3", Color::Blue, false, "")];
    let mut state = rebuilt(&sets);
    let running = |id: &str, serves: bool| BTreeMap::from([(ReleaseId::from(id), serves)]);
    let found = |state: &State, sets: &BTreeMap<ReleaseId, bool>| {
        left_behind(state, sets.iter().map(|(set, serves)| (set, Color::Blue, *serves)))
    };
    assert!(found(&state, &running("backend-1", true)).is_empty(), "a person has not confirmed it yet");
    state.alarms.clear();
    let id = |number: u64| ReleaseId::new(format!("backend-{number}"));
    let stop = Effect::Stop { release: id(3), color: Color::Blue };
    let remove = Effect::Remove { release: id(1), color: Color::Blue };
    assert_eq!(found(&state, &running("backend-3", true)), BTreeMap::from([(id(3), stop)]), "kept, and runs");
    assert_eq!(found(&state, &running("backend-1", false)), BTreeMap::from([(id(1), remove)]), "unknown");
    for (set, serves, why) in [
        ("backend-3", false, "kept, and stopped"),
        ("backend-2", true, "active"),
        ("backend-4", true, "newer than the record"),
        ("odd", true, "it has no number"),
    ] {
        assert!(found(&state, &running(set, serves)).is_empty(), "{set}: {why}");
    }
    state.unwritable = true;
    assert!(found(&state, &running("backend-1", true)).is_empty(), "nothing is removed without a store");
}

#[test]
fn the_number_of_a_release_is_read_from_its_id() {
    assert_eq!(ReleaseId::from("a-b-12").number(), Some(12));
    assert_eq!(ReleaseId::from("odd").number(), None);
}
