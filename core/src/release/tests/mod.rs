#![allow(clippy::unwrap_used, clippy::expect_used)]
//! The whole tables of the small rules, which the stories in tests/golden can't show one by one.

mod rebuild;

use crate::health::ColorHealth;
use crate::model::{Color, ReleaseId, ServiceName, Tick, Version};

use super::rules::{quarantine, standby};
use super::{Condition, Effect, Event, Fate, Gate, Kind, Policy, Side, Source, State, restore, step, turn};

fn health(total: u32, healthy: u32, unhealthy: u32) -> ColorHealth {
    let unknown = total - healthy - unhealthy;
    ColorHealth { total, healthy, unhealthy, unknown, clean_since: None, refused: false }
}

/// Each case has the endpoints at the switch, the unhealthy ones, and the ones that have gone since.
#[test]
fn a_color_is_down_when_more_than_half_is_unhealthy_or_gone() {
    let condition = |(endpoints, unhealthy, gone): (u32, u32, u32)| {
        let left = endpoints - gone;
        Condition::of(Some(health(left, left - unhealthy, unhealthy)), Some(endpoints))
    };
    for case in [(1, 1, 0), (1, 0, 1), (2, 1, 1), (3, 2, 0), (3, 1, 1), (4, 3, 0), (u32::MAX, 0, u32::MAX)] {
        assert_eq!(condition(case), Condition::Sick, "{case:?}");
    }
    for case in [(1, 0, 0), (2, 1, 0), (3, 1, 0), (4, 2, 0), (4, 1, 1)] {
        assert_eq!(condition(case), Condition::Fit, "{case:?}");
    }
    assert_eq!(condition((0, 0, 0)), Condition::Sick, "no endpoint is no color to serve from");
}

#[test]
fn more_than_half_down_is_sick_and_half_up_is_fit() {
    use Condition::{Fit, Sick, Unknown};
    let cases = [
        (None, None, Unknown),
        (Some(health(0, 0, 0)), None, Sick),
        (Some(health(1, 1, 0)), None, Fit),
        (Some(health(1, 0, 1)), None, Sick),
        (Some(health(1, 0, 0)), None, Unknown),
        (Some(health(2, 1, 1)), None, Fit),
        (Some(health(2, 0, 1)), None, Unknown),
        (Some(health(2, 1, 0)), None, Fit),
        (Some(health(3, 1, 2)), None, Sick),
        (Some(health(3, 2, 1)), None, Fit),
        (Some(health(3, 1, 1)), None, Unknown),
        // An endpoint that is gone counts as down. Here one of three is left, and it is healthy.
        (Some(health(1, 1, 0)), Some(3), Sick),
        (Some(health(2, 2, 0)), Some(3), Fit),
        (Some(health(2, 1, 0)), Some(4), Unknown),
        (Some(health(5, 5, 0)), Some(3), Fit),
        (Some(health(u32::MAX, u32::MAX, 0)), None, Fit),
    ];
    for (summary, expected, condition) in cases {
        assert_eq!(Condition::of(summary, expected), condition, "{summary:?} of {expected:?}");
    }
}

fn checking(at: Tick) -> State {
    let state = State::new(ServiceName::from("backend"), Color::Blue, Policy::default());
    let deploy = Event::Deploy {
        version: Some(Version("v2".to_owned())),
        auto_promote: None,
        force: false,
        source: Source::Person,
    };
    step(&state, &deploy, at).unwrap().state
}

#[test]
fn evidence_from_before_the_checks_opens_no_gate() {
    let mut state = checking(Tick(100_000));
    let summary = ColorHealth {
        total: 1,
        healthy: 1,
        unhealthy: 0,
        unknown: 0,
        clean_since: Some(Tick(0)),
        refused: false,
    };
    state.health.green = Some(summary);
    assert_eq!(state.gate(Tick(100_000)), Some(Gate::Opens { at: Tick(110_000) }));
    assert_eq!(state.gate(Tick(110_000)), Some(Gate::Open { at: Tick(110_000) }));
    state.health.green = Some(ColorHealth { clean_since: None, ..summary });
    assert_eq!(state.gate(Tick(200_000)), Some(Gate::Shut));
    state.health.green = Some(ColorHealth::default());
    assert_eq!(state.gate(Tick(200_000)), Some(Gate::Shut));
    state.health.green = None;
    assert_eq!(state.gate(Tick(200_000)), Some(Gate::Shut));
}

#[test]
fn a_saved_record_keeps_the_time_left() {
    let state = checking(Tick(5_000));
    let saved = state.to_saved(Tick(65_000));
    let deadline = |state: &State| state.release.as_ref().unwrap().deadline().unwrap();
    assert_eq!(deadline(&saved), Tick(540_000));
    let restored = restore(State { policy: Policy::default(), ..saved }, Tick(1_000));
    assert_eq!(deadline(&restored), Tick(541_000));
    let late = restore(state.to_saved(Tick(600_000)), Tick(1_000));
    assert_eq!(deadline(&late), Tick(61_000), "at least 60 s are left");
}

#[test]
fn the_quarantine_and_the_kept_sets_are_bounded() {
    let mut turn = turn::Turn::new(&checking(Tick(0)), Tick(0));
    for number in 0..250 {
        let version = Version(format!("v{number}"));
        quarantine::add(&mut turn, version.clone(), "bad".to_owned(), ReleaseId::from("backend-1"));
        let containers = Some(ReleaseId::new(format!("backend-{number}")));
        let side = Side { release: containers.clone(), containers, version: Some(version), fate: Fate::Free };
        standby::keep(&mut turn, side, Color::Green);
    }
    assert_eq!(turn.state.quarantine.len(), State::QUARANTINE_MAX);
    assert_eq!(turn.state.quarantine[0].version, Version("v150".to_owned()));
    assert_eq!(turn.state.kept.len(), turn.state.policy.keep_releases);
    let step = turn.finish();
    let removed = step.after_persist.iter().filter(|effect| matches!(effect, Effect::Remove { .. })).count();
    assert_eq!(removed, 250 - 5);
}

#[test]
fn numbers_of_releases_never_repeat() {
    let mut state = checking(Tick(0));
    for number in 2..10 {
        let deploy =
            Event::Deploy { version: None, auto_promote: None, force: false, source: Source::Person };
        state = step(&state, &deploy, Tick(number)).unwrap().state;
        let release = state.release.as_ref().unwrap();
        assert_eq!(release.id.as_str(), format!("backend-{number}"));
        assert_eq!(release.version.0, release.id.as_str(), "a fresh label, never a no-op");
    }
}

#[test]
fn only_the_candidate_of_a_rollback_needs_one_pass() {
    let mut state = checking(Tick(0));
    assert_eq!(state.thresholds(Color::Green).rise, 3);
    state.release.as_mut().unwrap().kind = Kind::Rollback;
    assert_eq!(state.thresholds(Color::Green).rise, 1);
    assert_eq!(state.thresholds(Color::Blue).rise, 3);
}
