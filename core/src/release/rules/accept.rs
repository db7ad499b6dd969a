//! Accepts a release: its guards, its color, and whether it begins or waits.

use std::time::Duration;

use crate::model::{ReleaseId, Version};

use super::{ending, pin, queue};
use crate::release::turn::Turn;
use crate::release::{
    Kind, Phase, Queued, Refusal, Release, Source, State, Stretch, UpstreamKind, guards, words,
};

/// The options of a deploy.
pub(crate) struct Ask<'a> {
    pub(crate) version: Option<&'a Version>,
    pub(crate) auto_promote: Option<bool>,
    pub(crate) force: bool,
    pub(crate) source: Source,
}

/// Accepts a deploy or refuses it. The guards are asked in the order of their weight, and those that
/// can't be forced come first.
pub(crate) fn deploy(turn: &mut Turn, ask: &Ask) -> Result<(), Refusal> {
    guards::writable(&turn.state)?;
    if let (Some(version), false) = (ask.version, ask.force) {
        guards::fresh_version(&turn.state, version)?;
        if ask.source != Source::Person {
            guards::not_under_way(&turn.state, version)?;
        }
    }
    if ask.force {
        pin::lift(turn, "a deploy with --force");
    } else if ask.source == Source::Person {
        guards::unpinned(&turn.state)?;
    }
    let id = next_id(&mut turn.state);
    let version = ask.version.cloned().unwrap_or_else(|| Version(id.as_str().to_owned()));
    let release = Release {
        auto_promote: ask.auto_promote.unwrap_or(turn.state.policy.auto_promote),
        ..new_release(turn, id, Kind::Deploy, version, ask.source, ask.force)
    };
    if ask.force {
        ending::end_degraded(turn, &release);
    }
    let debounce = match ask.source {
        Source::Person => Duration::ZERO,
        Source::Webhook | Source::Discovery => turn.state.policy.debounce,
    };
    place(turn, release, debounce);
    Ok(())
}

/// Accepts a push. The same message, however often it comes, is one release.
pub(crate) fn pushed(turn: &mut Turn, version: &Version, at: Option<u64>) -> Result<(), Refusal> {
    guards::writable(&turn.state)?;
    if let (Some(at), Some(newest)) = (at, turn.state.newest_push)
        && at < newest
    {
        return Err(Refusal::OlderPush { version: version.0.clone(), seconds: newest - at });
    }
    let ask = Ask { version: Some(version), auto_promote: None, force: false, source: Source::Webhook };
    deploy(turn, &ask)?;
    turn.state.newest_push = turn.state.newest_push.max(at);
    Ok(())
}

/// A new release that has not begun.
pub(crate) fn new_release(
    turn: &Turn,
    id: ReleaseId,
    kind: Kind,
    version: Version,
    source: Source,
    forced: bool,
) -> Release {
    Release {
        containers: id.clone(),
        id,
        kind,
        version,
        color: turn.state.candidate_color(),
        source,
        phase: Phase::Queued(Queued { due: turn.at, expires: turn.at + turn.state.policy.promote_timeout }),
        reason: String::new(),
        auto_promote: true,
        forced,
        expected: match turn.state.policy.upstream {
            UpstreamKind::Managed => turn.state.policy.replicas,
            UpstreamKind::Fixed => 0,
        },
        gated: false,
        reverts: 0,
        hooked: false,
        warm_seconds: 0,
        verdict: None,
        numbers: None,
        baseline: None,
    }
}

/// Begins the release now, or puts it in the queue with the reason why it waits.
pub(crate) fn place(turn: &mut Turn, mut release: Release, debounce: Duration) {
    if let Some(older) = turn.state.queued.take() {
        turn.ended_in_queue(older, format!("replaced by {}", release.id));
    }
    let wait = if turn.state.stretch() == Stretch::After {
        turn.state.running().map(|running| format!("waits for {} ({})", running.id, running.word()))
    } else if turn.state.is_pinned() {
        Some("waits for unpin: the service is pinned".to_owned())
    } else if debounce > Duration::ZERO {
        Some(format!("waits {} for a newer one (debounce)", words::seconds(debounce)))
    } else {
        None
    };
    let Some(wait) = wait else { return queue::begin(turn, release) };
    release.phase = Phase::Queued(Queued {
        due: turn.at + debounce,
        expires: turn.at + turn.state.policy.promote_timeout,
    });
    release.reason = format!("version {} {wait}", release.version);
    turn.begun(&release);
    turn.state.queued = Some(release);
}

/// The id of the next release. No id is used twice.
pub(crate) fn next_id(state: &mut State) -> ReleaseId {
    state.numbered = state.numbered.saturating_add(1);
    ReleaseId::numbered(&state.service, state.numbered)
}
