//! Decides which color is active when the record is lost, and what happens to the containers that are
//! there.
//!
//! Where greenlight starts the containers itself, the running containers decide. The color that runs is
//! active; if both run, the older one is. Where somebody else runs the endpoints, the history decides,
//! and the color of the last switch is active. The service stays pinned until a person confirms.

use std::collections::BTreeMap;

use crate::model::{Color, ReleaseId, ServiceName, Tick};

use crate::release::{
    Alarm, ContainerSet, Effect, Fallback, Fate, KeptSet, PastRelease, Policy, Release, Side, State,
    StateName, UpstreamKind,
};

/// The state of a service whose record is lost, by its history (newest first). The color of the last
/// switch is active, or `initial` if no release has switched. The numbers of later releases go on after
/// the highest one in the history.
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

/// The color that the last switch went to; `None` if no release has switched.
pub(crate) fn last_active(history: &[PastRelease]) -> Option<Color> {
    // A release in the state reverting has lost the traffic, except for the time in which the old color's
    // health is not known yet.
    let has_traffic =
        |past: &PastRelease| past.promoted && !past.finished && past.state != StateName::Reverting;
    let serves = |past: &&PastRelease| past.state == StateName::Succeeded || has_traffic(past);
    history.iter().find(serves).map(|past| past.color)
}

/// The state of a service whose containers greenlight runs, if the containers say more than the record.
/// They do if there is no record (`no_record`), or if the record may be `outdated` and its active
/// containers do not run. `None` means that the record stays as it is.
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

/// Gives the traffic to the color that runs. If both run, the older one gets it, and the other color's
/// containers stay as a standby to go back to. Sets that do not serve are kept.
fn place(mut state: State, sets: &[ContainerSet], now: Tick) -> State {
    // If a color has several running sets, the newest one serves. The older ones were about to be
    // stopped.
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
        // No later release may have the number of a set that is there.
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

/// Gives the traffic to a running set.
fn serve(state: &mut State, active: &ContainerSet, standby: Option<&ContainerSet>, now: Tick) {
    let side = |set: &ContainerSet, fate: Fate| Side {
        release: Some(set.id.clone()),
        version: Some(set.version.clone()),
        containers: Some(set.id.clone()),
        fate,
    };
    state.active = active.color;
    // A release that an older record has under way is out of date.
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

/// Orders for containers that a crash, of greenlight or of an engine, left behind. Sets that the record
/// keeps stopped but that run are stopped. Sets that the record does not know are removed. A set with a
/// number higher than the record's is left alone, because the record is then older than it should be.
/// There are no orders while the store can't be written, or before a person has confirmed a rebuilt
/// record.
///
/// `containers` gives the set, the color and whether it serves, for each container.
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
