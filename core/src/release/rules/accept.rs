//! Accepts a release: its guards, its color, and whether it begins or waits.

use std::time::Duration;

use crate::model::{ReleaseId, Version};

use super::{ending, pin, queue};
use crate::release::turn::Turn;
use crate::release::{
    Alarm, Kind, Phase, Pushes, Queued, Refusal, Release, Source, State, Stretch, UpstreamKind, guards, words,
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
    match ask.source {
        Source::Person => {
            turn.clear(Alarm::Swapping, "a person has released a version");
            turn.state.pushes.recent.clear();
            place(turn, release, Duration::ZERO);
        }
        Source::Webhook | Source::Discovery if swaps(turn, &release.version) => hold(turn, release),
        Source::Webhook | Source::Discovery => {
            let debounce = turn.state.policy.debounce;
            place(turn, release, debounce);
        }
    }
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
        warm: false,
        verdict: None,
        numbers: None,
        baseline: None,
    }
}

/// Begins the release now, or puts it in the queue with the reason why it waits.
pub(crate) fn place(turn: &mut Turn, mut release: Release, debounce: Duration) {
    displace(turn, &release);
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
    let expires = turn.at + turn.state.policy.promote_timeout;
    release.reason = format!("version {} {wait}", release.version);
    line_up(turn, release, Queued { due: turn.at + debounce, expires });
}

/// Ends the release that waits, since a newer one takes its place.
fn displace(turn: &mut Turn, newer: &Release) {
    if let Some(older) = turn.state.queued.take() {
        turn.ended_in_queue(older, format!("replaced by {}", newer.id));
    }
}

/// Puts a release in the queue.
fn line_up(turn: &mut Turn, mut release: Release, queued: Queued) {
    release.phase = Phase::Queued(queued);
    turn.begun(&release);
    turn.state.queued = Some(release);
}

/// In this time machines may let the same two versions replace each other three times, and no more.
const SWAPS_WITHIN: Duration = Duration::from_mins(10);

/// Notes a version that a machine asks for. Tells whether it and one other have replaced each other again and
/// again, so that two machines seem to work against each other.
fn swaps(turn: &mut Turn, version: &Version) -> bool {
    let at = turn.at;
    let recent = &mut turn.state.pushes.recent;
    recent.retain(|(_, then)| at.since(*then) <= SWAPS_WITHIN);
    if recent.last().is_some_and(|(last, _)| last == version) {
        return false;
    }
    let full = recent.len() == Pushes::RECENT_MAX;
    // No version stands beside itself in the list, so two versions alone take turns in it.
    let last = recent.last().map(|(last, _)| last);
    if full && recent.iter().all(|(old, _)| old == version || Some(old) == last) {
        return true;
    }
    if full {
        recent.remove(0);
    }
    recent.push((version.clone(), at));
    turn.changed();
    false
}

/// Puts a machine's release in the queue until a person decides.
fn hold(turn: &mut Turn, mut release: Release) {
    displace(turn, &release);
    let expires = turn.at + turn.state.policy.promote_timeout;
    let (service, version) = (turn.state.service.clone(), release.version.clone());
    release.reason = format!(
        "version {version} waits for a person: it and one other version have replaced each other three times in 10 min"
    );
    // It is never due before it expires.
    line_up(turn, release, Queued { due: expires + Duration::from_secs(1), expires });
    turn.raise(
        Alarm::Swapping,
        format!(
            "two machines release two versions in turns; {version} waits: find the senders, then \
             `greenlight deploy {service} --version VERSION` takes one of the two"
        ),
    );
}

/// The id of the next release. No id is used twice.
pub(crate) fn next_id(state: &mut State) -> ReleaseId {
    state.numbered = state.numbered.saturating_add(1);
    ReleaseId::numbered(&state.service, state.numbered)
}
