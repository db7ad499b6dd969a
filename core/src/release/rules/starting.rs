//! pulling and starting: managed containers only. What is decided here needs no engine; the
//! engine's shell performs it and says how it went.

use crate::model::{ReleaseId, Version};

use super::{ending, queue, standby};
use crate::release::turn::Turn;
use crate::release::{Checking, Effect, Fate, Kind, Phase, Refusal, Release, Starting, guards, words};

/// The image is fetched; a rollback to kept containers starts those.
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
        turn.then(Effect::Pull { release: release.id.clone(), version: release.version.clone() });
    }
    turn.begun(&release);
    turn.state.release = Some(release);
}

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

/// What is known to have been in the way.
fn cause(turn: &Turn) -> String {
    turn.state.engine_away.as_ref().map(|why| format!(": {why}")).unwrap_or_default()
}

/// The image is there. Where its digest was not known before, the questions that a release is asked
/// when it is accepted are asked now.
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
    let reason = format!("{version} is pulled; containers are created in {}", release.color);
    let deadline = turn.at + turn.state.policy.progress_deadline;
    turn.enter(Phase::Starting(Starting { deadline, cleared: false }), reason);
    Ok(())
}

pub(crate) fn pull_failed(turn: &mut Turn, id: &ReleaseId, why: &str) -> Result<(), Refusal> {
    let release = owned(turn, id, |release| &release.id)?;
    let Phase::Pulling { .. } = release.phase else {
        return Err(Refusal::Unexpected { fact: "pull_failed", state: release.word() });
    };
    guards::writable(&turn.state)?;
    ending::fail(turn, format!("the image can't be pulled: {why}"));
    Ok(())
}

/// A managed standby of that color is drained first; then the containers are asked for.
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
    turn.state.kept.retain(|kept| kept.containers != release.containers);
    queue::adopt(turn, &release);
    turn.then(Effect::Start { release: release.containers.clone(), color: release.color });
    let replicas = turn.state.policy.replicas;
    if let Some(current) = turn.state.release.as_mut() {
        // A reload may have changed it while the release waited.
        current.expected = replicas;
        current.phase = Phase::Starting(Starting { cleared: true, ..starting });
    }
    true
}

pub(crate) fn started(turn: &mut Turn, id: &ReleaseId) -> Result<(), Refusal> {
    let release = owned(turn, id, |release| &release.containers)?;
    let Phase::Starting(Starting { deadline, cleared: true }) = release.phase else {
        return Err(Refusal::Unexpected { fact: "started", state: release.word() });
    };
    let reason = format!("all containers of {} run and are checked", release.color);
    turn.enter(Phase::Checking(Checking { since: turn.at, deadline }), reason);
    Ok(())
}

pub(crate) fn start_failed(turn: &mut Turn, id: &ReleaseId, why: &str) -> Result<(), Refusal> {
    let release = owned(turn, id, |release| &release.containers)?;
    let Phase::Starting(Starting { cleared: true, .. }) = release.phase else {
        return Err(Refusal::Unexpected { fact: "start_failed", state: release.word() });
    };
    guards::writable(&turn.state)?;
    ending::fail(turn, format!("the containers can't be started: {why}"));
    Ok(())
}

/// More than this and the release has failed.
const RESTARTS_MAX: u32 = 2;

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

/// The running release, if the fact is about it.
fn owned(turn: &Turn, id: &ReleaseId, of: impl Fn(&Release) -> &ReleaseId) -> Result<Release, Refusal> {
    match turn.running() {
        Some(release) if of(release) == id => Ok(release.clone()),
        Some(_) | None => Err(Refusal::Stale(id.to_string())),
    }
}
