//! The state degraded. A person is to decide. The state is not final, so the old color stays warm and the
//! judge goes on.

use std::time::Duration;

use super::{bake, ending, reverting, trip};
use crate::judge::Verdict;
use crate::release::turn::Turn;
use crate::release::{
    Bake, By, Condition, Degradation, DegradedCause, Mode, Notice, OnInconclusive, OnTrip, Phase, words,
};

/// How often people are told of a bad release that stays degraded.
const TOLD_EVERY: Duration = Duration::from_hours(1);

/// Makes the release degraded and tells people.
pub(crate) fn enter(turn: &mut Turn, cause: DegradedCause, mut bake: Box<Bake>, reason: &str) {
    bake.judge.cap();
    bake.outside = None;
    let failed = is_bad(turn.running().and_then(|release| release.verdict), &bake);
    let timeout = turn.state.policy.promote_timeout;
    let expires = turn.at + if failed { timeout.min(TOLD_EVERY) } else { timeout };
    let help = match cause {
        DegradedCause::Pinned => "the service is pinned",
        DegradedCause::OldSick => "there is no healthy color to go back to",
        DegradedCause::Hold => "on_trip is hold",
        DegradedCause::Inconclusive if turn.state.policy.on_inconclusive == OnInconclusive::Hold => {
            "on_inconclusive is hold"
        }
        DegradedCause::Inconclusive => "it does not stay by itself",
    };
    let reason = format!("{reason}; {help}: `rollback` or `promote`");
    turn.enter(Phase::Degraded(Degradation { cause, expires, bake }), reason);
    turn.announce(Notice::Degraded);
}

/// Whether the release is too bad to succeed by time.
fn is_bad(verdict: Option<Verdict>, bake: &Bake) -> bool {
    verdict == Some(Verdict::Fail) || bake.judge.verdict() == Verdict::Fail || bake.judge.surely_fails()
}

/// The ways out of degraded that need no person.
pub(crate) fn advance(turn: &mut Turn) -> bool {
    let Some(release) = turn.running() else { return false };
    let Phase::Degraded(degradation) = &release.phase else { return false };
    let (cause, expires) = (degradation.cause, degradation.expires);
    let old_fit = turn.condition(release.color.other()) == Condition::Fit;
    let open = match cause {
        DegradedCause::Pinned => !turn.state.is_pinned(),
        DegradedCause::OldSick => old_fit,
        DegradedCause::Inconclusive => true,
        DegradedCause::Hold => turn.state.policy.on_trip == OnTrip::Revert,
    };
    let bad = is_bad(release.verdict, &degradation.bake);
    let acts = turn.state.mode(release) == Mode::Enforce;
    if open
        && acts
        && let Some(tripped) = bake::trip_now(&turn.state)
        && !trip::fails_too(&degradation.bake, &tripped)
    {
        let reason = trip::why(turn, release.color, &tripped);
        trip::record(turn, &tripped);
        return go_on(turn, cause, reason);
    }
    if turn.at < expires || turn.state.unwritable {
        return false;
    }
    if bad {
        return tell_again(turn);
    }
    let waited = words::seconds(turn.state.policy.promote_timeout);
    ending::succeed_by_word(turn, &format!("no person decided within {waited} (promote_timeout)"));
    true
}

/// A bad release does not succeed by time. People are told again.
fn tell_again(turn: &mut Turn) -> bool {
    let next = turn.at + TOLD_EVERY;
    let Some(release) = turn.state.release.as_mut() else { return false };
    let Phase::Degraded(degradation) = &mut release.phase else { return false };
    degradation.expires = next;
    let text = words::describe(&degradation.bake.judge.numbers());
    turn.note(format!("still degraded, and a person is to decide: {text}"));
    turn.announce(Notice::Degraded);
    turn.changed();
    true
}

/// The candidate is bad now, and the cause that held the revert is gone. Something else may hold it now.
fn go_on(turn: &mut Turn, cause: DegradedCause, reason: String) -> bool {
    let held = match trip::way(&turn.state, turn.state.policy.on_trip) {
        trip::Way::Back => {
            reverting::swap(turn, By::Judge, reason);
            return true;
        }
        trip::Way::Wait => {
            let Some(bake) = trip::current_bake(turn) else { return false };
            reverting::wait(turn, By::Judge, Box::new(bake), reason);
            return true;
        }
        trip::Way::Pinned => DegradedCause::Pinned,
        trip::Way::Hold => DegradedCause::Hold,
        trip::Way::OldSick => DegradedCause::OldSick,
    };
    if held == cause {
        turn.counted();
        return false;
    }
    if let Some(release) = turn.state.release.as_mut()
        && let Phase::Degraded(degradation) = &mut release.phase
    {
        degradation.cause = held;
    }
    turn.note(format!("{reason}; still degraded, now because of {}", held.as_str()));
    turn.changed();
    true
}
