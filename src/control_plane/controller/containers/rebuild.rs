//! Without a record: what runs says which color is active.

use std::collections::BTreeMap;

use crate::clock;
use crate::control_plane::provider::docker::Container;
use crate::model::{Color, ReleaseId, Tick, Version};
use crate::release::{Alarm, Fallback, Fate, Kept, Release, Side, State, UpstreamKind};

/// A set of containers as its labels and its engines tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) set: ReleaseId,
    pub(crate) number: u64,
    pub(crate) color: Color,
    pub(crate) version: Version,
    pub(crate) image: Option<String>,
    pub(crate) running: usize,
    /// When the first of those that run was started: RFC 3339, empty if none runs.
    pub(crate) since: String,
}

/// The sets of a service's containers, by their numbers.
pub(crate) fn found<'a>(service: &str, containers: impl Iterator<Item = &'a Container>) -> Vec<Found> {
    let mut sets: BTreeMap<(u64, ReleaseId), Found> = BTreeMap::new();
    for container in containers {
        let Some(marks) = container.marks.as_ref().filter(|marks| marks.service.as_str() == service) else {
            continue;
        };
        let Some(set) = marks.set.clone() else { continue };
        let number = number(&set).unwrap_or(0);
        let entry = sets.entry((number, set.clone())).or_insert_with(|| Found {
            set: set.clone(),
            number,
            color: marks.color,
            version: marks.version.clone().unwrap_or_else(|| Version(set.to_string())),
            image: marks.image.clone(),
            running: 0,
            since: String::new(),
        });
        if container.running {
            entry.running += 1;
            if entry.since.is_empty() || container.started_at < entry.since {
                entry.since.clone_from(&container.started_at);
            }
        }
    }
    sets.into_values().collect()
}

/// The number of `<service>-<number>`.
pub(crate) fn number(set: &ReleaseId) -> Option<u64> {
    set.as_str().rsplit_once('-')?.1.parse().ok()
}

/// The images that sets were created from, by their versions.
pub(crate) fn images(sets: &[Found]) -> impl Iterator<Item = (Version, String)> {
    sets.iter().filter_map(|set| Some((set.version.clone(), set.image.clone()?)))
}

/// A state for a service whose containers are ours, if what runs says more than the record: there is
/// none (`no_record`), or it may be `outdated` and what it has as active does not run. Tells whether
/// it is another state now.
pub(crate) fn restored(state: State, no_record: bool, outdated: bool, sets: &[Found]) -> (State, bool) {
    let managed = state.policy.upstream == UpstreamKind::Managed;
    let serves = |set: &ReleaseId| sets.iter().any(|found| found.set == *set && found.running > 0);
    let outdated = outdated && !state.sides[state.active].containers.as_ref().is_some_and(serves);
    if !managed || sets.is_empty() || !(no_record || outdated) {
        return (state, false);
    }
    let now = clock::now();
    if sets.iter().all(|set| set.running == 0) {
        return (rebuilt(state, sets, now), true);
    }
    let base = if state.pin.is_some() {
        state
    } else {
        State::rebuilt(state.service.clone(), state.active, state.policy.clone())
    };
    let state = rebuilt(base, sets, now);
    tracing::error!(service = %state.service, active = %state.active, ?sets,
        "no record says what is active: taken from the containers that run, pinned until a person has looked");
    (state, true)
}

/// Makes what runs a rebuilt state's own: the color that runs is
/// active, of two the one that has been up longer; the other one's containers stay as a standby that
/// one can go back to; what does not run is kept.
pub(crate) fn rebuilt(mut state: State, found: &[Found], at: Tick) -> State {
    let running = |color: Color| {
        // Of several sets of a color the newest one: the older ones were about to be stopped.
        found.iter().rfind(move |set| set.color == color && set.running > 0)
    };
    let serving = match (running(Color::Blue), running(Color::Green)) {
        (None, None) => None,
        (Some(only), None) | (None, Some(only)) => Some((only, None)),
        (Some(blue), Some(green)) if green.since < blue.since => Some((green, Some(blue))),
        (Some(blue), Some(green)) => Some((blue, Some(green))),
    };
    if let Some((active, standby)) = serving {
        serve(&mut state, active, standby, at);
    }
    state.kept.clear();
    for set in found {
        // No later release may have the name of one that is there.
        state.numbered = state.numbered.max(set.number);
        if state.sides.iter().all(|(_, side)| side.containers.as_ref() != Some(&set.set)) {
            state.kept.push(Kept {
                release: set.set.clone(),
                containers: set.set.clone(),
                version: set.version.clone(),
                color: set.color,
            });
        }
    }
    state
}

/// Gives the traffic to a set that runs.
fn serve(state: &mut State, active: &Found, standby: Option<&Found>, at: Tick) {
    let side = |set: &Found, fate: Fate| Side {
        release: Some(set.set.clone()),
        version: Some(set.version.clone()),
        containers: Some(set.set.clone()),
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
    state.fallback = None;
    state.sides[active.color.other()] = match standby {
        Some(standby) => {
            state.fallback = Some(Fallback {
                release: Some(standby.set.clone()),
                containers: Some(standby.set.clone()),
                version: standby.version.clone(),
                color: standby.color,
            });
            side(standby, Fate::Warm { drain_at: at + state.policy.standby_ttl })
        }
        None => Side::default(),
    };
}
