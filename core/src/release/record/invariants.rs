//! Facts that hold for a record after every step. The tests and the simulation check them.

use crate::release::record::errand::RUNS_MAX;
use crate::release::{Canary, Errand, Fate, Phase, Promoting, Release, Stage, State, Stretch, UpstreamKind};

impl State {
    /// Checks every invariant. `Err` names the first one that does not hold.
    pub fn check(&self) -> Result<(), String> {
        self.check_sides()?;
        self.check_limits()?;
        check_errands(self)?;
        if let Some(queued) = &self.queued {
            ensure(matches!(queued.phase, Phase::Queued(_)), || {
                format!("{} waits in state {}", queued.id, queued.word())
            })?;
        }
        match &self.release {
            Some(release) => self.check_release(release),
            None => Ok(()),
        }
    }

    /// The active color is never drained or stopped. The same holds for a color that a running release
    /// may need.
    fn check_sides(&self) -> Result<(), String> {
        let fate = self.sides[self.active].fate;
        ensure(fate == Fate::Free, || format!("the active color {} is {fate:?}", self.active))?;
        if self.stretch() == Stretch::After {
            let old = self.sides[self.active.other()].fate;
            ensure(old == Fate::Free, || format!("in a bake {} is {old:?}: not warm", self.active.other()))?;
        }
        Ok(())
    }

    /// The quarantine is bounded, and every release has a number of its own.
    fn check_limits(&self) -> Result<(), String> {
        ensure(self.quarantine.len() <= Self::QUARANTINE_MAX, || {
            "the quarantine is over its limit".to_owned()
        })?;
        let releases = u64::from(self.release.is_some()) + u64::from(self.queued.is_some());
        ensure(self.numbered >= releases, || "there are more releases than numbers".to_owned())
    }

    /// The current release has a reason and a deadline, was moved back once at most, and its color is
    /// active exactly in the states that hold the traffic.
    fn check_release(&self, release: &Release) -> Result<(), String> {
        let id = &release.id;
        let word = release.word();
        ensure(!matches!(release.phase, Phase::Queued(_)), || format!("{id} runs in state queued"))?;
        ensure(release.reverts <= 1, || format!("{id} was reverted {} times", release.reverts))?;
        ensure(!release.reason.is_empty(), || format!("{id} is {word} without a reason"))?;
        ensure(release.is_final() || release.deadline().is_some(), || {
            format!("{id} waits in {word} for ever")
        })?;
        let gone_back = has_gone_back(release);
        ensure(u32::from(gone_back) == release.reverts, || {
            format!("{id} is {word} after {} reverts", release.reverts)
        })?;
        let holds = match &release.phase {
            Phase::Promoting(_) | Phase::Baking(_) | Phase::Degraded(_) | Phase::Succeeded => true,
            Phase::Reverting(reverting) => matches!(reverting.stage, Stage::Waiting { .. }),
            Phase::Reverted | Phase::RolledBack => false,
            Phase::Queued(_)
            | Phase::Pulling { .. }
            | Phase::Starting(_)
            | Phase::Checking(_)
            | Phase::AwaitingPromotion(_)
            | Phase::Canary(_)
            | Phase::Failed
            | Phase::Cancelled => {
                // Only a release of managed containers may go to the active color, while nothing runs
                // there.
                let managed = self.policy.upstream == UpstreamKind::Managed;
                managed && release.color == self.active
            }
        };
        ensure(holds == (release.color == self.active), || {
            format!("{id} ({}) is {word} while {} is active", release.color, self.active)
        })?;
        if let Phase::Canary(canary) = &release.phase {
            check_canary(release, canary)?;
            ensure(release.color != self.active, || format!("{id} shares traffic with itself"))?;
        }
        let had_traffic =
            release.phase.stretch() == Stretch::After || gone_back || release.phase == Phase::Succeeded;
        ensure(!had_traffic || release.gated, || format!("{id} is {word} and its gate was never open"))?;
        if let Phase::Promoting(promoting) = &release.phase {
            ensure(promoting.early.len() <= Promoting::EARLY_MAX, || "too many early seconds".to_owned())?;
        }
        Ok(())
    }
}

/// A candidate has a share of the traffic only after its gate was open, and only in a step that exists.
fn check_canary(release: &Release, canary: &Canary) -> Result<(), String> {
    let id = &release.id;
    ensure(release.gated, || format!("{id} is in its canary and its gate was never open"))?;
    ensure(!canary.open || canary.step < canary.steps.len(), || format!("{id} is open in no step"))?;
    ensure(canary.percent() < 100, || format!("{id} has {} % before its switch", canary.percent()))
}

/// A `pre_promote` hook runs only while its release waits for it.
fn check_errands(state: &State) -> Result<(), String> {
    if state.errands.len() > RUNS_MAX {
        return Err("there are too many errands".to_owned());
    }
    for run in state.errands.iter().filter(|run| run.errand == Errand::PrePromote) {
        let waits = |release: &Release| {
            release.id == run.release && release.phase.stretch() == Stretch::Before && !release.hooked
        };
        if !state.release.as_ref().is_some_and(waits) {
            return Err(format!("the pre_promote hook of {} runs, and nothing waits for it", run.release));
        }
    }
    Ok(())
}

/// Whether the traffic was moved back from the release.
fn has_gone_back(release: &Release) -> bool {
    match &release.phase {
        Phase::Reverted | Phase::RolledBack => true,
        Phase::Reverting(reverting) => matches!(reverting.stage, Stage::Swapped { .. }),
        Phase::Queued(_)
        | Phase::Pulling { .. }
        | Phase::Starting(_)
        | Phase::Checking(_)
        | Phase::AwaitingPromotion(_)
        | Phase::Canary(_)
        | Phase::Promoting(_)
        | Phase::Baking(_)
        | Phase::Degraded(_)
        | Phase::Succeeded
        | Phase::Failed
        | Phase::Cancelled => false,
    }
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
