//! A lost record. The releases in the store and the containers of the engines are left, and a second
//! opinion checks the state that is rebuilt from them. It also checks the containers that a crash leaves
//! behind.

use std::collections::BTreeMap;

use greenlight::model::{Color, ReleaseId, Tick, Version};
use greenlight::release::{
    Alarm, ContainerSet, Effect, PastRelease, Phase, Release, Stage, State, Stretch, UpstreamKind,
    rebuild_from_containers, rebuild_from_history,
};

use super::shadow::{Verdict, ensure};

/// A set of containers in the world.
#[derive(Clone, Copy, Debug)]
pub(super) struct Set {
    pub color: Color,
    pub runs: bool,
    /// When it was last started, in milliseconds.
    pub since: i64,
}

pub(super) type Sets = BTreeMap<ReleaseId, Set>;

/// The releases in the store, by their numbers.
#[derive(Debug, Default)]
pub(super) struct History {
    releases: BTreeMap<u64, PastRelease>,
    /// Whether the record is lost in some crashes of this seed.
    pub loses: bool,
}

impl History {
    /// Stores a release as it stands.
    pub(super) fn tell(&mut self, release: &Release) {
        let number = release.id.number().unwrap();
        let before = self.releases.get(&number).is_some_and(|past| past.promoted);
        let past = PastRelease {
            id: release.id.clone(),
            color: release.color,
            state: release.phase.name(),
            promoted: before || release.phase.stretch() == Stretch::After,
            finished: release.is_final(),
        };
        self.releases.insert(number, past);
    }

    fn newest_first(&self) -> Vec<PastRelease> {
        self.releases.values().rev().cloned().collect()
    }
}

/// The state of a service whose record is lost. `lost` is the record; only the second opinion reads it.
pub(super) fn rebuild(
    lost: &State,
    initial: Color,
    history: &History,
    sets: &Sets,
    now: Tick,
) -> Result<State, String> {
    let state =
        rebuild_from_history(lost.service.clone(), initial, lost.policy.clone(), &history.newest_first());
    let found = container_sets(sets);
    let state = rebuild_from_containers(&state, true, false, &found, now).unwrap_or(state);
    judge(lost, history, sets, &state)?;
    Ok(state)
}

fn container_sets(sets: &Sets) -> Vec<ContainerSet> {
    let mut found: Vec<ContainerSet> = sets
        .iter()
        .map(|(id, set)| ContainerSet {
            id: id.clone(),
            number: id.number().unwrap(),
            color: set.color,
            version: Version(format!("of {id}")),
            image: None,
            running: usize::from(set.runs),
            since: if set.runs { format!("{:012}", set.since) } else { String::new() },
        })
        .collect();
    found.sort_by_key(|set| set.number);
    found
}

/// Checks a rebuilt state against the world and against the record that was lost.
fn judge(lost: &State, history: &History, sets: &Sets, state: &State) -> Verdict {
    state.check().map_err(|fault| format!("rebuilt: {fault}"))?;
    ensure(state.pin.is_some() && state.alarms.contains_key(&Alarm::StateRebuilt), || {
        "a lost record was rebuilt and nobody is asked".to_owned()
    })?;
    ensure(state.running().is_none() && state.queued.is_none(), || {
        "a rebuilt record has a release under way".to_owned()
    })?;
    for (id, set) in sets {
        ensure(state.knows_containers(id), || format!("{id} is there and not in the rebuilt record"))?;
        ensure(state.numbered >= id.number().unwrap(), || format!("another {id} may come"))?;
        let serves = state.sides[set.color].containers.as_ref() == Some(id);
        ensure(!serves || set.runs, || format!("{id} serves and does not run"))?;
    }
    if lost.policy.upstream == UpstreamKind::Managed && !sets.is_empty() {
        return judge_containers(sets, state);
    }
    let newest = history.releases.keys().next_back().copied().unwrap_or(0);
    ensure(state.numbered >= newest, || format!("release {newest} may come again"))?;
    // For a release that waits for the old color, the history does not say whether the traffic has gone
    // back.
    let waits = lost.running().is_some_and(|release| {
        matches!(&release.phase, Phase::Reverting(reverting) if matches!(reverting.stage, Stage::Waiting { .. }))
    });
    ensure(waits || state.active == lost.active, || {
        format!("{} is active after a lost record, {} was", state.active, lost.active)
    })
}

/// Checks that the color that runs is active. If both run, the active one is the color whose newest set
/// is older.
fn judge_containers(sets: &Sets, state: &State) -> Verdict {
    let since = |color: Color| {
        let running = sets.iter().filter(|(_, set)| set.color == color && set.runs);
        running.max_by_key(|(id, _)| id.number()).map(|(_, set)| set.since)
    };
    let (active, other) = (since(state.active), since(state.active.other()));
    ensure(active.is_some() || other.is_none(), || {
        format!("{} runs and {} is taken as active", state.active.other(), state.active)
    })?;
    ensure(active.is_none() || other.is_none() || active <= other, || {
        format!("{} has been up for less than {}", state.active, state.active.other())
    })
}

/// Checks the orders for containers that a crash left behind. They never touch a set that serves, that
/// may be gone back to, or that is newer than the record.
pub(super) fn judge_sweep(state: &State, sets: &Sets, effects: &BTreeMap<ReleaseId, Effect>) -> Verdict {
    ensure(effects.is_empty() || !state.unwritable, || "containers are swept without a store".to_owned())?;
    ensure(effects.is_empty() || !state.alarms.contains_key(&Alarm::StateRebuilt), || {
        "containers are swept before a person has confirmed what is active".to_owned()
    })?;
    for (id, effect) in effects {
        let serves = state.sides.blue.containers.as_ref() == Some(id)
            || state.sides.green.containers.as_ref() == Some(id)
            || state.running().is_some_and(|release| release.containers == *id);
        ensure(!serves, || format!("{id} serves and was taken for left behind"))?;
        let kept = state.kept.iter().any(|kept| kept.containers == *id);
        let removed = matches!(effect, Effect::Remove { .. });
        ensure(!(kept && removed), || format!("{id} is kept and was removed"))?;
        ensure(removed || sets[id].runs, || format!("{id} does not run and was stopped"))?;
    }
    for (id, set) in sets {
        let kept = state.kept.iter().any(|kept| kept.containers == *id);
        let left = if kept { set.runs && state.may_stop(id) } else { !state.knows_containers(id) };
        let held = state.unwritable || state.alarms.contains_key(&Alarm::StateRebuilt);
        ensure(!left || held || effects.contains_key(id), || format!("{id} was left behind for good"))?;
    }
    Ok(())
}
