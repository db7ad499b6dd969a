//! The state queued. A release waits for its debounce, for the release before it, or for the end of a
//! pin. The queue has one place.

use super::{ending, starting};
use crate::release::turn::Turn;
use crate::release::{
    Alarm, Checking, Effect, Fate, Kind, Notice, Phase, Release, Side, Source, Stretch, UpstreamKind, guards,
    words,
};

/// Begins the queued release when nothing holds it, or cancels it when it has waited too long.
pub(crate) fn advance(turn: &mut Turn) -> bool {
    let Some(Phase::Queued(queued)) = turn.state.queued.as_ref().map(|release| release.phase.clone()) else {
        return false;
    };
    let free = turn.state.stretch() != Stretch::After && !turn.state.is_pinned();
    let due = free && turn.at >= queued.due;
    if !due && turn.at < queued.expires {
        return false;
    }
    let Some(release) = turn.state.queued.take() else { return false };
    if due {
        leave(turn, release);
    } else {
        let waited = words::seconds(turn.state.policy.promote_timeout);
        turn.ended_in_queue(release, format!("it waited in the queue for {waited} (promote_timeout)"));
    }
    true
}

/// Takes the release from the queue. Quarantine and the active version are asked again, because both may
/// have changed while it waited.
fn leave(turn: &mut Turn, release: Release) {
    let labeled = release.version.0 != release.id.as_str();
    let asked = if release.forced || !labeled || release.kind == Kind::Rollback {
        Ok(())
    } else {
        guards::fresh_version(&turn.state, &release.version)
    };
    match asked {
        Ok(()) => begin(turn, release),
        Err(refused) => turn.ended_in_queue(release, refused.to_string()),
    }
}

/// Makes the release the running one. A release that has not switched yet is canceled for it.
pub(crate) fn begin(turn: &mut Turn, mut release: Release) {
    if turn.state.stretch() == Stretch::Before {
        ending::cancel(turn, format!("replaced by {}", release.id));
    }
    release.color = turn.state.candidate_color();
    turn.clear(Alarm::Inconclusive, "a new release begins");
    turn.clear(Alarm::HookFailed, "a new release begins");
    if release.source == Source::Person {
        turn.state.discovery.disarmed[release.color] = false;
    }
    turn.state.discovery.armed = false;
    turn.state.discovery.down_since = None;
    match turn.state.policy.upstream {
        UpstreamKind::Fixed => check_at_once(turn, release),
        UpstreamKind::Managed => starting::begin(turn, release),
    }
    turn.announce(Notice::Started);
}

/// Somebody else runs the endpoints, so they are probed for this release from now on.
fn check_at_once(turn: &mut Turn, mut release: Release) {
    let (color, at) = (release.color, turn.at);
    if release.kind == Kind::Deploy {
        turn.state.fallback = None;
    }
    if matches!(turn.state.sides[color].fate, Fate::Draining { .. } | Fate::Drained) {
        turn.then(Effect::Undrain { color });
    }
    adopt(turn, &release);
    release.phase =
        Phase::Checking(Checking { since: at, deadline: at + turn.state.policy.progress_deadline });
    let min_healthy = turn.state.min_healthy_time(&release);
    release.reason = if min_healthy.is_zero() {
        format!("{color} is checked for version {}: one pass of every endpoint is asked", release.version)
    } else {
        format!(
            "{color} is checked for version {}: every endpoint healthy for {} is asked",
            release.version,
            words::seconds(min_healthy)
        )
    };
    turn.begun(&release);
    turn.state.release = Some(release);
}

/// Gives the color's endpoints to the release and forgets their health.
pub(crate) fn adopt(turn: &mut Turn, release: &Release) {
    let color = release.color;
    turn.state.sides[color] = Side {
        release: Some(release.id.clone()),
        version: Some(release.version.clone()),
        containers: Some(release.containers.clone()),
        fate: Fate::Free,
    };
    turn.state.health[color] = None;
    turn.state.ailing[color] = None;
    turn.then(Effect::Adopt { color, release: release.id.clone() });
}
