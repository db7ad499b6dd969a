//! Versions that machines tell of: pushes by webhooks, and tags that are asked for regularly.
//!
//! A person may leave a version, by a rollback, an abort or a deploy of another one. The same message again
//! must not bring it back, however often a sender repeats it, and over restarts. So what was taken is in the
//! record.

use crate::model::Version;

use super::accept;
use crate::release::turn::Turn;
use crate::release::{PushTaken, Refusal, Source, guards};

fn ask(version: &Version, source: Source) -> accept::Ask<'_> {
    accept::Ask { version: Some(version), auto_promote: None, force: false, source }
}

/// Accepts a push. The same message, however often it comes, is one release.
pub(crate) fn pushed(turn: &mut Turn, push: PushTaken) -> Result<(), Refusal> {
    guards::writable(&turn.state)?;
    if turn.state.pushes.knows(&push) {
        return Err(Refusal::SeenBefore { version: push.version.0, how: "pushed by the same message" });
    }
    if let (Some(at), Some(newest)) = (push.at, turn.state.newest_push)
        && at < newest
    {
        return Err(Refusal::OlderPush { version: push.version.0, seconds: newest - at });
    }
    accept::deploy(turn, &ask(&push.version, Source::Webhook))?;
    remember(turn, push);
    Ok(())
}

/// Remembers a push that was refused.
pub(crate) fn seen(turn: &mut Turn, push: PushTaken) -> Result<(), Refusal> {
    guards::writable(&turn.state)?;
    if !turn.state.pushes.knows(&push) {
        remember(turn, push);
    }
    Ok(())
}

fn remember(turn: &mut Turn, push: PushTaken) {
    turn.state.newest_push = turn.state.newest_push.max(push.at);
    turn.state.pushes.take(push);
    turn.changed();
}

/// Accepts the version that a tag has now. The version that was found last is nothing new, and neither is
/// that of the last release.
pub(crate) fn found(turn: &mut Turn, version: &Version) -> Result<(), Refusal> {
    guards::writable(&turn.state)?;
    if turn.state.pushes.found.as_ref() == Some(version) {
        return Err(Refusal::SeenBefore { version: version.0.clone(), how: "found at its tag" });
    }
    turn.state.pushes.found = Some(version.clone());
    turn.changed();
    let had = turn.state.release.as_ref().is_some_and(|release| release.version == *version);
    if had && !turn.state.is_short(turn.state.active) {
        return Ok(());
    }
    match accept::deploy(turn, &ask(version, Source::Discovery)) {
        // There is nothing to do, or a person has to allow it.
        Ok(())
        | Err(Refusal::SameVersion { .. } | Refusal::UnderWay { .. } | Refusal::Quarantined { .. }) => Ok(()),
        Err(refused) => Err(refused),
    }
}
