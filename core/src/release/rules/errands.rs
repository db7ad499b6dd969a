//! Errands are the work that is done outside for a release and comes back as a result. They are its
//! hooks, and the moving of tags in the registry.
//!
//! | errand | begins | a failure |
//! |---|---|---|
//! | `pre_promote` | when the gate opens; the switch waits for it | fails the release, before the switch |
//! | `post_promote` | with the bake | raises an alarm; the judge or a person decides whether to go back |
//! | `on_revert` | with the switch back, which never waits for it | raises an alarm |
//! | tags | with the success | raises an alarm |
//!
//! A rollback runs neither `pre_promote` nor `post_promote`. The version that it goes back to has served
//! before, and going back must not depend on anything. An errand is written into the record before it is
//! begun. If its result was not written before a crash, it is done again from its beginning. So each
//! errand runs at least once, and its receiver must bear a repetition.

use std::time::Duration;

use crate::model::{ReleaseId, Tick};

use crate::release::record::errand::RUNS_MAX;
use crate::release::turn::Turn;
use crate::release::{Alarm, Effect, Errand, Errands, Kind, Phase, Refusal, Run, State, Stretch};

/// The time that a shell needs beside the timeout, to create a container before the errand and to remove
/// it afterwards.
const SLACK: Duration = Duration::from_secs(30);

/// The alarm that a failure of this errand raises.
const fn alarm(errand: Errand) -> Alarm {
    match errand {
        Errand::PrePromote | Errand::PostPromote | Errand::OnRevert => Alarm::HookFailed,
        Errand::Tags => Alarm::TagsFailed,
    }
}

/// The effect that starts an errand.
fn effect(run: &Run) -> Effect {
    Effect::Errand {
        errand: run.errand,
        release: run.release.clone(),
        color: run.color,
        version: run.version.clone(),
        other: run.other.clone(),
    }
}

/// The progress of the hook before the switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// The hook has passed, or the release has none.
    Passed,
    /// The hook has just begun.
    Begun,
    /// The hook has begun in an earlier step.
    Running,
}

/// Begins the hook before the switch, unless it has passed or runs already.
pub(crate) fn before_switch(turn: &mut Turn) -> Before {
    let Some(release) = turn.running() else { return Before::Passed };
    let asked = turn.state.policy.errands.pre_promote.is_some() && release.kind == Kind::Deploy;
    if release.hooked || !asked {
        return Before::Passed;
    }
    let id = release.id.clone();
    if turn.state.errands.iter().any(|run| run.errand == Errand::PrePromote && run.release == id) {
        return Before::Running;
    }
    begin(turn, Errand::PrePromote);
    let until = turn.state.errands.last().map(|run| run.deadline);
    // The hook has a time of its own, and the progress deadline does not cut it short.
    if let (Some(until), Some(Phase::Checking(checking))) =
        (until, turn.state.release.as_mut().map(|release| &mut release.phase))
    {
        checking.deadline = checking.deadline.max(until);
    }
    Before::Begun
}

/// Takes the result of the hook before the switch. `Ok` lets the release pass, and `Err` says why it
/// fails. `None` means that there is no result yet.
pub(crate) fn before_switch_ended(turn: &mut Turn) -> Option<Result<(), String>> {
    let id = turn.running()?.id.clone();
    let at = turn.at;
    let place =
        turn.state.errands.iter().position(|run| run.errand == Errand::PrePromote && run.release == id)?;
    let outcome = ended(&turn.state.errands[place], at)?;
    turn.state.errands.remove(place);
    if outcome.is_ok() {
        if let Some(release) = turn.state.release.as_mut() {
            release.hooked = true;
        }
        turn.note("the pre_promote hook has passed");
    }
    turn.changed();
    Some(outcome)
}

/// Begins an errand of the current release, if the configuration asks for it.
pub(crate) fn begin(turn: &mut Turn, errand: Errand) {
    let Some(timeout) = turn.state.policy.errands.timeout(errand) else { return };
    let Some(release) = turn.state.release.as_ref() else { return };
    if errand == Errand::PostPromote && release.kind == Kind::Rollback {
        return;
    }
    let run = Run {
        errand,
        release: release.id.clone(),
        color: release.color,
        version: release.version.clone(),
        other: turn.state.sides[release.color.other()].version.clone(),
        deadline: turn.at + timeout + SLACK,
        outcome: None,
    };
    // Only the newest moving of tags counts.
    turn.state.errands.retain(|older| errand != Errand::Tags || older.errand != Errand::Tags);
    if turn.state.errands.len() == RUNS_MAX {
        turn.state.errands.remove(0);
    }
    if errand != Errand::Tags {
        turn.note(format!("{} is run", errand.in_words()));
    }
    turn.then(effect(&run));
    turn.state.errands.push(run);
}

/// Takes a shell's report of an errand.
pub(crate) fn done(
    turn: &mut Turn,
    release: &ReleaseId,
    errand: Errand,
    outcome: &Result<(), String>,
) -> Result<(), Refusal> {
    let run = turn.state.errands.iter_mut().find(|run| run.errand == errand && run.release == *release);
    let Some(run) = run.filter(|run| run.outcome.is_none()) else {
        return Err(Refusal::Stale(format!("{} of {release}", errand.as_str())));
    };
    run.outcome = Some(outcome.clone());
    turn.changed();
    Ok(())
}

/// Settles one errand that has ended, or one that no release waits for any more.
pub(crate) fn advance(turn: &mut Turn) -> bool {
    let at = turn.at;
    let waited = |state: &State, run: &Run| {
        let running = state.running().filter(|release| release.phase.stretch() == Stretch::Before);
        run.errand != Errand::PrePromote || running.is_some_and(|release| release.id == run.release)
    };
    let forgotten = turn.state.errands.iter().position(|run| !waited(&turn.state, run));
    if let Some(place) = forgotten {
        let run = turn.state.errands.remove(place);
        // The errand may have begun in this very step.
        turn.take_back(&effect(&run));
        turn.changed();
        return true;
    }
    let over = |run: &Run| run.errand != Errand::PrePromote && ended(run, at).is_some();
    let Some(place) = turn.state.errands.iter().position(over) else { return false };
    let run = turn.state.errands.remove(place);
    let name = run.errand.in_words();
    match ended(&run, at) {
        Some(Ok(())) if run.errand == Errand::Tags => {
            turn.clear(Alarm::TagsFailed, "the tags are moved");
            turn.note_for(Some(run.release), "the tags are moved in the registry");
        }
        Some(Ok(())) => turn.note_for(Some(run.release), format!("{name} has passed")),
        Some(Err(why)) => {
            let id = &run.release;
            let help = help(&turn.state, &run);
            turn.raise(alarm(run.errand), format!("{name} of {id} failed: {why}{help}"));
        }
        None => {}
    }
    turn.changed();
    true
}

/// What a person can do about a failed errand, as the end of a sentence.
fn help(state: &State, run: &Run) -> String {
    let serves = state.active == run.color && state.sides[run.color].version.as_ref() == Some(&run.version);
    if run.errand == Errand::PostPromote && serves {
        format!("; nothing was moved: `greenlight rollback {}` goes back", state.service)
    } else {
        String::new()
    }
}

/// The result of an errand; `None` while it may go on. An errand past its deadline has failed.
fn ended(run: &Run, now: Tick) -> Option<Result<(), String>> {
    let late = || (now >= run.deadline).then(|| Err("it did not report in time".to_owned()));
    run.outcome.clone().or_else(late)
}

/// After a restart every errand that had not reported begins again, with its whole time.
pub(crate) fn restore(state: &mut State, now: Tick) {
    let Errands { pre_promote, post_promote, on_revert, tags } = state.policy.errands;
    let mut until = None;
    for run in state.errands.iter_mut().filter(|run| run.outcome.is_none()) {
        let timeout = match run.errand {
            Errand::PrePromote => pre_promote,
            Errand::PostPromote => post_promote,
            Errand::OnRevert => on_revert,
            Errand::Tags => tags,
        };
        run.deadline = run.deadline.max(now + timeout.unwrap_or_default() + SLACK);
        if run.errand == Errand::PrePromote {
            until = Some(run.deadline);
        }
    }
    if let (Some(until), Some(Phase::Checking(checking))) =
        (until, state.release.as_mut().map(|release| &mut release.phase))
    {
        checking.deadline = checking.deadline.max(until);
    }
}

/// The effects of the errands that have not reported.
pub(crate) fn reconcile(state: &State) -> impl Iterator<Item = Effect> {
    state.errands.iter().filter(|run| run.outcome.is_none()).map(effect)
}
