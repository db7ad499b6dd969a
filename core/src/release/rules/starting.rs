//! The states pulling and starting, which only managed containers have. The rules here need no engine. A
//! shell carries out their effects at the engine and reports the results.

use crate::model::{ReleaseId, Version};

use super::{ending, queue, standby, supervise};
use crate::release::turn::Turn;
use crate::release::{Checking, Effect, Fate, Kind, Phase, Refusal, Release, Starting, guards, words};

/// Begins a release of managed containers. The image is pulled, or a rollback to kept containers starts
/// those.
pub(crate) fn begin(turn: &mut Turn, mut release: Release) {
    let kept = release.kind == Kind::Rollback && release.containers != release.id;
    if kept {
        release.phase = Phase::Starting(Starting {
            deadline: turn.at + turn.state.policy.progress_deadline,
            cleared: false,
        });
        release.reason = format!("the kept containers of {} are started", release.containers);
    } else {
        release.phase = Phase::Pulling { deadline: turn.at + turn.state.policy.pull_timeout };
        release.reason = format!("version {} is pulled for {}", release.version, release.color);
        turn.state.pull_trouble = None;
        turn.then(Effect::Pull { release: release.id.clone(), version: release.version.clone() });
    }
    turn.begun(&release);
    turn.state.release = Some(release);
}

/// Fails the release if the image is not there at `pull_timeout`.
pub(crate) fn advance_pulling(turn: &mut Turn) -> bool {
    let Some(Phase::Pulling { deadline }) = turn.running().map(|release| &release.phase) else {
        return false;
    };
    if turn.at < *deadline {
        return false;
    }
    let waited = words::seconds(turn.state.policy.pull_timeout);
    let cause = cause(turn);
    ending::fail(turn, format!("the image was not there after {waited} (pull_timeout){cause}"));
    true
}

/// An engine or a registry that does not answer, as the cause of a failure; empty if both answer.
fn cause(turn: &Turn) -> String {
    let why = turn.state.engine_away.as_ref().or(turn.state.pull_trouble.as_ref());
    why.map(|why| format!(": {why}")).unwrap_or_default()
}

/// The image is pulled. If its digest was not known before, the release is now asked the questions of its
/// acceptance.
pub(crate) fn pulled(turn: &mut Turn, id: &ReleaseId, version: &Version) -> Result<(), Refusal> {
    let release = owned(turn, id, |release| &release.id)?;
    let Phase::Pulling { .. } = release.phase else {
        return Err(Refusal::Unexpected { fact: "pulled", state: release.word() });
    };
    if release.version != *version {
        guards::writable(&turn.state)?;
        let asked = if release.forced { Ok(()) } else { guards::fresh_version(&turn.state, version) };
        if let Some(current) = turn.state.release.as_mut() {
            current.version = version.clone();
        }
        match asked {
            Ok(()) => {}
            Err(same @ Refusal::SameVersion { .. }) => {
                ending::cancel(turn, same.to_string());
                return Ok(());
            }
            Err(refused) => {
                ending::fail(turn, refused.to_string());
                return Ok(());
            }
        }
    }
    turn.state.pull_trouble = None;
    let reason = format!("{version} is pulled; containers are created in {}", release.color);
    let deadline = turn.at + turn.state.policy.progress_deadline;
    turn.enter(Phase::Starting(Starting { deadline, cleared: false }), reason);
    Ok(())
}

/// The registry or an engine is in trouble, and the image is asked for again. The last trouble is told if
/// the release fails in the end.
pub(crate) fn pull_struggles(turn: &mut Turn, id: &ReleaseId, why: &str) -> Result<(), Refusal> {
    let release = owned(turn, id, |release| &release.id)?;
    let Phase::Pulling { .. } = release.phase else {
        return Err(Refusal::Unexpected { fact: "pull_struggles", state: release.word() });
    };
    if turn.state.pull_trouble.as_deref() != Some(why) {
        turn.note(format!("the image is asked for again: {why}"));
        turn.state.pull_trouble = Some(why.to_owned());
    }
    Ok(())
}

/// The image can't be pulled, so the release fails.
pub(crate) fn pull_failed(turn: &mut Turn, id: &ReleaseId, why: &str) -> Result<(), Refusal> {
    let release = owned(turn, id, |release| &release.id)?;
    let Phase::Pulling { .. } = release.phase else {
        return Err(Refusal::Unexpected { fact: "pull_failed", state: release.word() });
    };
    guards::writable(&turn.state)?;
    ending::fail(turn, format!("the image can't be pulled: {why}"));
    Ok(())
}

/// Drains the containers that still stand by in the candidate's color. Then it orders the start of the
/// release's own.
pub(crate) fn advance(turn: &mut Turn) -> bool {
    let Some(release) = turn.running() else { return false };
    let Phase::Starting(starting) = release.phase else { return false };
    let release = release.clone();
    if turn.at >= starting.deadline {
        let waited = words::seconds(turn.state.policy.progress_deadline);
        let cause = cause(turn);
        ending::fail(turn, format!("not all containers ran after {waited} (progress_deadline){cause}"));
        return true;
    }
    if starting.cleared {
        return false;
    }
    let side = &turn.state.sides[release.color];
    let ours = side.containers.as_ref() == Some(&release.containers);
    let warm = ours && matches!(side.fate, Fate::Warm { .. });
    match side.fate {
        Fate::Free | Fate::Drained => {}
        Fate::Warm { .. } if ours => {}
        Fate::Draining { .. } if ours => turn.then(Effect::Undrain { color: release.color }),
        Fate::Warm { .. } => {
            standby::drain(turn, release.color);
            return true;
        }
        Fate::Draining { .. } => return false,
    }
    let replicas = turn.state.policy.replicas;
    let runs = warm && turn.state.present(release.color).is_some_and(|found| found.running >= replicas);
    turn.state.kept.retain(|kept| kept.containers != release.containers);
    queue::adopt(turn, &release);
    if let Some(current) = turn.state.release.as_mut() {
        // A reload may have changed the number of replicas while the release waited.
        current.expected = replicas;
        current.warm = warm;
        current.phase = Phase::Starting(Starting { cleared: true, ..starting });
    }
    if runs {
        // Nothing has to be started, so the way back depends on no engine and on no file.
        let reason = format!("all containers of {} run already and are checked", release.color);
        turn.enter(Phase::Checking(Checking { since: turn.at, deadline: starting.deadline }), reason);
    } else {
        turn.then(Effect::Start { release: release.containers.clone(), color: release.color });
    }
    true
}

/// All containers run, so the checks begin.
pub(crate) fn started(turn: &mut Turn, id: &ReleaseId) -> Result<(), Refusal> {
    let release = owned(turn, id, |release| &release.containers)?;
    let Phase::Starting(Starting { deadline, cleared: true }) = release.phase else {
        return Err(Refusal::Unexpected { fact: "started", state: release.word() });
    };
    let reason = format!("all containers of {} run and are checked", release.color);
    turn.enter(Phase::Checking(Checking { since: turn.at, deadline }), reason);
    Ok(())
}

/// The containers can't be started, so the release fails. If they are started again because they had
/// ended, the alarm tells the reason.
pub(crate) fn start_failed(turn: &mut Turn, id: &ReleaseId, why: &str) -> Result<(), Refusal> {
    let starts = turn.running().is_some_and(|release| {
        release.containers == *id && matches!(release.phase, Phase::Starting(_) | Phase::Checking(_))
    });
    if !starts && supervise::ended(turn, id, why).is_ok() {
        return Ok(());
    }
    let release = owned(turn, id, |release| &release.containers)?;
    let Phase::Starting(Starting { cleared: true, .. }) = release.phase else {
        return Err(Refusal::Unexpected { fact: "start_failed", state: release.word() });
    };
    guards::writable(&turn.state)?;
    ending::fail(turn, format!("the containers can't be started: {why}"));
    Ok(())
}

/// Restarts of a container that are only noted. One more fails the release.
const RESTARTS_MAX: u32 = 2;

/// Notes that an engine has restarted a container, or fails the release if that has happened too often.
pub(crate) fn restarted(
    turn: &mut Turn,
    id: &ReleaseId,
    restarts: u32,
    why: Option<&str>,
) -> Result<(), Refusal> {
    let release = owned(turn, id, |release| &release.containers)?;
    let (Phase::Starting(_) | Phase::Checking(_)) = release.phase else {
        return Err(Refusal::Unexpected { fact: "endpoint_restarted", state: release.word() });
    };
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    if restarts > RESTARTS_MAX {
        guards::writable(&turn.state)?;
        ending::fail(turn, format!("a container restarted {restarts} times: more than twice{why}"));
    } else {
        turn.note(format!("a container restarted ({restarts} of {RESTARTS_MAX} borne){why}"));
    }
    Ok(())
}

/// The running release, if the fact is about it. `of` names the id that the fact carries.
///
/// # Errors [`Refusal::Stale`] if the fact is about another release.
fn owned(turn: &Turn, id: &ReleaseId, of: impl Fn(&Release) -> &ReleaseId) -> Result<Release, Refusal> {
    match turn.running() {
        Some(release) if of(release) == id => Ok(release.clone()),
        Some(_) | None => Err(Refusal::Stale(id.to_string())),
    }
}
