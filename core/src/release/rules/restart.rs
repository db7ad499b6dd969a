//! Saving and restoring a record over a restart. The record stores the time left of each deadline. The
//! shell keeps the end of a pin as a wall-clock time beside it, since a person gave that moment.

use std::time::Duration;

use crate::model::{Color, PerColor, Tick};

use super::{bake, errands};
use crate::release::record::phase::ACKNOWLEDGE_WAIT;
use crate::release::{Alarm, Effect, Fate, Phase, Release, Stage, State, UpstreamKind};

/// The least time of a progress deadline that is left after a restart.
const PROGRESS_LEFT_MIN: Duration = Duration::from_mins(1);

impl State {
    /// The state as it is stored, with its ticks moved as if it had been saved at tick 0.
    #[must_use]
    pub fn to_saved(&self, now: Tick) -> Self {
        let mut saved = self.clone();
        saved.rebase(now, Tick::ZERO);
        saved
    }

    /// Moves every tick from a clock that reads `from` to one that reads `to`.
    fn rebase(&mut self, from: Tick, to: Tick) {
        self.each_tick(&mut |tick| *tick = tick.rebase(from, to));
    }

    /// Visits every tick of the record.
    fn each_tick(&mut self, visit: &mut impl FnMut(&mut Tick)) {
        self.pin.iter_mut().filter_map(|pin| pin.until.as_mut()).for_each(&mut *visit);
        self.discovery.down_since.iter_mut().for_each(&mut *visit);
        self.pushes.recent.iter_mut().map(|(_, tick)| tick).for_each(&mut *visit);
        self.errands.iter_mut().map(|run| &mut run.deadline).for_each(&mut *visit);
        for color in Color::ALL {
            match &mut self.sides[color].fate {
                Fate::Warm { drain_at: tick } | Fate::Draining { until: tick } => visit(tick),
                Fate::Free | Fate::Drained => {}
            }
        }
        for release in self.release.iter_mut().chain(self.queued.iter_mut()) {
            each_tick_of(&mut release.phase, visit);
        }
    }
}

/// Visits every tick of a release's state.
fn each_tick_of(phase: &mut Phase, visit: &mut impl FnMut(&mut Tick)) {
    match phase {
        Phase::Queued(queued) => {
            visit(&mut queued.due);
            visit(&mut queued.expires);
        }
        Phase::Pulling { deadline } => visit(deadline),
        Phase::Starting(starting) => visit(&mut starting.deadline),
        Phase::Checking(checking) => {
            visit(&mut checking.since);
            visit(&mut checking.deadline);
        }
        Phase::AwaitingPromotion(awaiting) => {
            visit(&mut awaiting.since);
            visit(&mut awaiting.expires);
        }
        Phase::Canary(canary) => {
            visit(&mut canary.since);
            visit(&mut canary.until);
            visit(&mut canary.deadline);
        }
        Phase::Promoting(promoting) => visit(&mut promoting.deadline),
        Phase::Reverting(reverting) => match &mut reverting.stage {
            Stage::Waiting { until, .. } => visit(until),
            Stage::Swapped { deadline } => visit(deadline),
        },
        Phase::Degraded(degradation) => visit(&mut degradation.expires),
        Phase::Baking(_)
        | Phase::Succeeded
        | Phase::Failed
        | Phase::Cancelled
        | Phase::Reverted
        | Phase::RolledBack => {}
    }
    if let Some(bake) = phase.bake_mut() {
        visit(&mut bake.began);
        visit(&mut bake.deadline);
        visit(&mut bake.limit);
        bake.held_until.iter_mut().for_each(&mut *visit);
    }
}

/// Moves a stored state, saved as if at tick 0, to the clock of a new process (docs/releases.md,
/// "Restart"). At least 60 s of a progress deadline and min(60 s, `bake_time`) of a bake are left.
///
/// The policy is not stored, so the caller sets `saved.policy` before. The health of every endpoint is
/// unknown.
#[must_use]
pub fn restore(saved: State, now: Tick) -> State {
    let mut state = saved;
    state.rebase(Tick::ZERO, now);
    state.health = PerColor::default();
    state.unwritable = false;
    state.ailing = PerColor::default();
    state.seen = PerColor::default();
    state.engine_away = None;
    state.pull_trouble = None;
    state.certificate = None;
    state.stuck = None;
    state.presence = PerColor::default();
    state.supervision = PerColor::default();
    for found_anew in [
        Alarm::EngineAway,
        Alarm::ContainersDown,
        Alarm::CrashLoop,
        Alarm::Certificate,
        Alarm::ContainerStuck,
    ] {
        state.alarms.remove(&found_anew);
    }
    state.incident = None;
    // A count that needs an unbroken time ends here. An armed edge stays armed.
    state.discovery.down_since = None;
    // The workers of this process begin with the stored table, so no acknowledgment is missing unless a
    // switch is under way.
    if !switching(&state) {
        state.alarms.remove(&Alarm::Unacknowledged);
    }
    if let Some(bake) = state.release.as_mut().and_then(|release| release.phase.bake_mut()) {
        bake.acknowledged = true;
    }
    errands::restore(&mut state, now);
    let bake_end = now + bake::grace(&state.policy);
    let unknown_end = now + state.unknown_wait();
    let progress_end = now + PROGRESS_LEFT_MIN;
    let Some(release) = state.release.as_mut() else { return state };
    match &mut release.phase {
        Phase::Pulling { deadline } => *deadline = (*deadline).max(progress_end),
        Phase::Starting(starting) => starting.deadline = starting.deadline.max(progress_end),
        Phase::Checking(checking) => {
            checking.since = now;
            checking.deadline = checking.deadline.max(progress_end);
        }
        Phase::AwaitingPromotion(awaiting) => {
            awaiting.since = now;
            awaiting.progress_left = awaiting.progress_left.max(PROGRESS_LEFT_MIN);
        }
        Phase::Canary(canary) => canary.restarted(now, progress_end),
        Phase::Promoting(promoting) => promoting.deadline = now + ACKNOWLEDGE_WAIT,
        Phase::Baking(bake) => {
            bake.deadline = bake.deadline.max(bake_end);
            bake.limit = bake.limit.max(bake.deadline);
        }
        Phase::Reverting(reverting) => match &mut reverting.stage {
            Stage::Waiting { until, .. } => *until = unknown_end,
            Stage::Swapped { deadline } => *deadline = now + ACKNOWLEDGE_WAIT,
        },
        Phase::Queued(_)
        | Phase::Degraded(_)
        | Phase::Succeeded
        | Phase::Failed
        | Phase::Cancelled
        | Phase::Reverted
        | Phase::RolledBack => {}
    }
    state
}

/// Every effect that the state implies, for a start after a crash. All are idempotent, so an effect that
/// was carried out before the crash changes nothing when it is repeated.
#[must_use]
pub fn reconcile(state: &State, now: Tick) -> Vec<Effect> {
    let _ = now;
    let mut effects = Vec::new();
    for (color, side) in state.sides.iter() {
        if let Some(release) = &side.release {
            effects.push(Effect::Adopt { color, release: release.clone() });
        }
    }
    effects.push(if switching(state) {
        Effect::Swap { epoch: state.epoch, active: state.active }
    } else {
        Effect::Refresh
    });
    for (color, side) in state.sides.iter() {
        match side.fate {
            Fate::Draining { .. } => effects.push(Effect::Drain { color, release: side.release.clone() }),
            Fate::Free | Fate::Warm { .. } | Fate::Drained => {}
        }
    }
    for (alarm, reason) in &state.alarms {
        effects.push(Effect::Alarm { alarm: *alarm, raised: true, reason: reason.clone() });
    }
    effects.extend(errands::reconcile(state));
    if state.policy.upstream == UpstreamKind::Managed {
        containers(state, &mut effects);
    }
    effects
}

/// Whether a switch waits for acknowledgments.
fn switching(state: &State) -> bool {
    let Some(release) = state.running() else { return false };
    match &release.phase {
        Phase::Promoting(_) => true,
        Phase::Reverting(reverting) => matches!(reverting.stage, Stage::Swapped { .. }),
        Phase::Queued(_)
        | Phase::Pulling { .. }
        | Phase::Starting(_)
        | Phase::Checking(_)
        | Phase::AwaitingPromotion(_)
        | Phase::Canary(_)
        | Phase::Baking(_)
        | Phase::Degraded(_)
        | Phase::Succeeded
        | Phase::Failed
        | Phase::Cancelled
        | Phase::Reverted
        | Phase::RolledBack => false,
    }
}

/// Adds the effects on managed containers.
fn containers(state: &State, effects: &mut Vec<Effect>) {
    let active = state.sides[state.active].containers.as_ref();
    for kept in state.kept.iter().filter(|kept| Some(&kept.containers) != active) {
        effects.push(Effect::Stop { release: kept.containers.clone(), color: kept.color });
    }
    let Some(Release { id, version, color, containers, phase, gated, .. }) = &state.release else { return };
    match phase {
        Phase::Pulling { .. } => {
            effects.push(Effect::Pull { release: id.clone(), version: version.clone() });
        }
        Phase::Starting(starting) if starting.cleared => {
            effects.push(Effect::Start { release: containers.clone(), color: *color });
        }
        // A release that had a share of the traffic is drained and kept instead.
        Phase::Failed | Phase::Cancelled if containers == id && !gated => {
            effects.push(Effect::SaveEvidence { release: id.clone() });
            effects.push(Effect::Remove { release: id.clone(), color: *color });
        }
        Phase::Queued(_)
        | Phase::Starting(_)
        | Phase::Checking(_)
        | Phase::AwaitingPromotion(_)
        | Phase::Canary(_)
        | Phase::Promoting(_)
        | Phase::Baking(_)
        | Phase::Reverting(_)
        | Phase::Degraded(_)
        | Phase::Succeeded
        | Phase::Failed
        | Phase::Cancelled
        | Phase::Reverted
        | Phase::RolledBack => {}
    }
}
