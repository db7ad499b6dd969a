//! Which color is active when the record is lost, and what becomes of the containers that are there.
//!
//! The running containers decide where greenlight starts them itself: the color that runs is active;
//! if both run, the older one. Where somebody else runs the endpoints the history decides: the color
//! that the last switch went to. The service stays pinned until a person confirms.

use std::collections::BTreeMap;

use crate::model::{Color, ReleaseId, ServiceName, Tick};

use crate::release::{
    Alarm, ContainerSet, Effect, Fallback, Fate, KeptSet, PastRelease, Policy, Release, Side, State,
    StateName, UpstreamKind,
};

/// A state for a service whose record is lost, by the history (newest first): the color that the last
/// switch went to is active, `initial` where no release has switched. No later release has the number
/// of one that the history tells of.
#[must_use]
pub fn rebuild_from_history(
    service: ServiceName,
    initial: Color,
    policy: Policy,
    history: &[PastRelease],
) -> State {
    let mut state = State::rebuilt(service, last_active(history).unwrap_or(initial), policy);
    state.numbered = history.iter().filter_map(|past| past.id.number()).max().unwrap_or(0);
    state
}

/// The color that the last switch went to; `None` where no release has switched.
pub(crate) fn last_active(history: &[PastRelease]) -> Option<Color> {
    // One that is being reverted has lost the traffic, but for the moment in which the old color's
    // health is not known yet.
    let has_traffic =
        |past: &PastRelease| past.promoted && !past.finished && past.state != StateName::Reverting;
    let serves = |past: &&PastRelease| past.state == StateName::Succeeded || has_traffic(past);
    history.iter().find(serves).map(|past| past.color)
}

/// A state for a service whose containers are ours, if what runs says more than the record: there is
/// none (`no_record`), or it may be `outdated` and what it has as active does not run. `None`: the
/// record stands.
#[must_use]
pub fn rebuild_from_containers(
    state: &State,
    no_record: bool,
    outdated: bool,
    sets: &[ContainerSet],
    now: Tick,
) -> Option<State> {
    let managed = state.policy.upstream == UpstreamKind::Managed;
    let serves = |set: &ReleaseId| sets.iter().any(|one: &ContainerSet| one.id == *set && one.running > 0);
    let outdated = outdated && !state.sides[state.active].containers.as_ref().is_some_and(serves);
    if !managed || sets.is_empty() || !(no_record || outdated) {
        return None;
    }
    let nothing_runs = sets.iter().all(|set| set.running == 0);
    let base = if nothing_runs || state.pin.is_some() {
        state.clone()
    } else {
        State::rebuilt(state.service.clone(), state.active, state.policy.clone())
    };
    Some(place(base, sets, now))
}

/// The color that runs is active; if both run, the older one, and the other one's containers stay as
/// a standby to go back to. What does not run is kept.
fn place(mut state: State, sets: &[ContainerSet], now: Tick) -> State {
    // Of several sets of a color the newest one: the older ones were about to be stopped.
    let newest = |color: Color| sets.iter().rfind(|set| set.color == color && set.running > 0);
    match (newest(Color::Blue), newest(Color::Green)) {
        (None, None) => {}
        (Some(only), None) | (None, Some(only)) => serve(&mut state, only, None, now),
        (Some(blue), Some(green)) if green.since < blue.since => {
            serve(&mut state, green, Some(blue), now);
        }
        (Some(blue), Some(green)) => serve(&mut state, blue, Some(green), now),
    }
    state.kept.clear();
    for set in sets {
        // No later release may have the name of one that is there.
        state.numbered = state.numbered.max(set.number);
        if state.sides.iter().all(|(_, side)| side.containers.as_ref() != Some(&set.id)) {
            state.kept.push(KeptSet {
                release: set.id.clone(),
                containers: set.id.clone(),
                version: set.version.clone(),
                color: set.color,
            });
        }
    }
    state
}

/// Gives the traffic to a set that runs.
fn serve(state: &mut State, active: &ContainerSet, standby: Option<&ContainerSet>, now: Tick) {
    let side = |set: &ContainerSet, fate: Fate| Side {
        release: Some(set.id.clone()),
        version: Some(set.version.clone()),
        containers: Some(set.id.clone()),
        fate,
    };
    state.active = active.color;
    // What an older record has under way is of another time.
    state.release = state.release.take().filter(Release::is_final);
    state.queued = None;
    let text = match standby {
        None => {
            format!("the record was lost; {} runs and was taken as active: `unpin` confirms it", active.color)
        }
        Some(standby) => format!(
            "the record was lost; both colors run, and {} has been up longer than {}: it was taken as active; `unpin` \
             confirms it, `rollback --force` takes the other",
            active.color, standby.color
        ),
    };
    state.alarms.insert(Alarm::StateRebuilt, text);
    state.sides[active.color] = side(active, Fate::Free);
    state.fallback = standby.map(|standby| Fallback {
        release: Some(standby.id.clone()),
        containers: Some(standby.id.clone()),
        version: standby.version.clone(),
        color: standby.color,
    });
    state.sides[active.color.other()] = standby
        .map(|standby| side(standby, Fate::Warm { drain_at: now + state.policy.standby_ttl }))
        .unwrap_or_default();
}

/// Containers that a crash left behind, ours or the engine's: those that the record keeps stopped and
/// that run are stopped; those that it does not know any more are removed. A set that is newer than
/// the record is neither, since the record is older than it should be then. Nothing is done while the
/// store can't be written, or before a person has confirmed a rebuilt record.
///
/// `containers`: of each container its set, its color, and whether it serves.
#[must_use]
pub fn left_behind<'a>(
    state: &State,
    containers: impl Iterator<Item = (&'a ReleaseId, Color, bool)>,
) -> BTreeMap<ReleaseId, Effect> {
    let mut effects = BTreeMap::new();
    if state.unwritable || state.alarms.contains_key(&Alarm::StateRebuilt) {
        return effects;
    }
    for (set, color, serves) in containers {
        let release = set.clone();
        let known = state.knows_containers(set);
        if !known && set.number().is_some_and(|number| number <= state.numbered) {
            effects.insert(set.clone(), Effect::Remove { release, color });
        } else if known && state.may_stop(set) && serves {
            effects.insert(set.clone(), Effect::Stop { release, color });
        }
    }
    effects
}
