//! The container sets of a service, for a lost record. The release core decides on the new state.

use std::collections::BTreeMap;

use crate::clock;
use crate::control_plane::provider::docker::Container;
use crate::model::{ReleaseId, Version};
use crate::release::{ContainerSet, State, rebuild_from_containers};

/// Returns the sets of a service's containers, ordered by their numbers.
pub(crate) fn container_sets<'a>(
    service: &str,
    containers: impl Iterator<Item = &'a Container>,
) -> Vec<ContainerSet> {
    let mut sets: BTreeMap<(u64, ReleaseId), ContainerSet> = BTreeMap::new();
    for container in containers {
        let Some(marks) = container.marks.as_ref().filter(|marks| marks.service.as_str() == service) else {
            continue;
        };
        let Some(id) = marks.set.clone() else { continue };
        let number = id.number().unwrap_or(0);
        let entry = sets.entry((number, id.clone())).or_insert_with(|| ContainerSet {
            number,
            color: marks.color,
            version: marks.version.clone().unwrap_or_else(|| Version(id.to_string())),
            id,
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

/// Returns the images that the sets were created from, by version.
pub(crate) fn images(sets: &[ContainerSet]) -> impl Iterator<Item = (Version, String)> {
    sets.iter().filter_map(|set| Some((set.version.clone(), set.image.clone()?)))
}

/// Returns a state rebuilt from the containers, if there is no record (`no_record`) or it may be
/// `outdated` and the containers say more. `None` means that the record stands.
pub(crate) fn rebuilt(
    state: &State,
    no_record: bool,
    outdated: bool,
    sets: &[ContainerSet],
) -> Option<State> {
    let state = rebuild_from_containers(state, no_record, outdated, sets, clock::now())?;
    if sets.iter().any(|set| set.running > 0) {
        tracing::error!(service = %state.service, active = %state.active, ?sets,
            "no record says what is active: taken from the containers that run, pinned until a person has looked");
    }
    Some(state)
}
