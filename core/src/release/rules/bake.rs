//! The state baking. The judge watches the candidate, and the old color stays warm and probed.

use std::time::Duration;

use crate::judge::{Baseline, Bucket, Judge, Trip, TripRule, Verdict};
use crate::model::Tick;

use super::together::Absence;
use super::{degraded, ending, errands, together, trip};
use crate::release::turn::Turn;
use crate::release::{
    Alarm, Bake, Condition, DegradedCause, Errand, ExternalCause, Mode, Notice, OnInconclusive, Phase,
    Policy, Promoting, State, words,
};

/// A bake with all its extensions is at most this many bake times long.
const BAKES_MAX: u32 = 3;
/// After a disturbance (a restart, an outside cause) a bake goes on for at least this time, or for
/// `bake_time` if that is less.
const GRACE: Duration = Duration::from_mins(1);

/// A bake ends only with a score of at most this part of its bound, unless the limit is over.
const SUSPICION: f64 = 0.25;

/// The lesser of [`GRACE`] and `bake_time`.
pub(crate) fn grace(policy: &Policy) -> Duration {
    policy.bake_time.min(GRACE)
}

/// Begins the bake. There is no baseline if not every worker has acknowledged; the judge then goes by its
/// own defaults until the baseline comes.
pub(crate) fn enter(turn: &mut Turn, promoting: &Promoting, baseline: Option<&Baseline>, why: &str) {
    if promoting.alone {
        return ending::succeed_alone(turn);
    }
    let bake = fresh(turn, promoting, baseline);
    let Some(release) = turn.state.release.as_mut() else { return };
    release.baseline = baseline.cloned();
    let bake_time = turn.state.policy.bake_time;
    let basis = match baseline {
        Some(baseline) if baseline.requests > 0 => {
            format!("baseline {} errors in {} requests", baseline.errors, baseline.requests)
        }
        Some(_) | None => "no baseline".to_owned(),
    };
    let length = words::seconds(bake_time);
    turn.enter(Phase::Baking(Box::new(bake)), format!("{why}; watched for {length} ({basis})"));
    turn.announce(Notice::Promoted);
    errands::begin(turn, Errand::PostPromote);
}

/// A bake that begins now, with the seconds that were closed since the switch.
pub(crate) fn fresh(turn: &Turn, promoting: &Promoting, baseline: Option<&Baseline>) -> Bake {
    let at = turn.at;
    let bake_time = turn.state.policy.bake_time;
    // The candidate has warmed up in its canary, too.
    let warm = turn.running().map_or(0, |release| release.warm_seconds);
    let mut bake = Bake {
        began: at,
        deadline: at + bake_time,
        limit: at + bake_time * BAKES_MAX,
        extensions: 0,
        judge: judge(&turn.state.policy, baseline).warmed_for(warm),
        trip: None,
        outside: None,
        tainted: false,
        before: None,
        suspected: false,
        control: crate::judge::Control::default(),
        acknowledged: baseline.is_some(),
        endpoints: Some(promoting.endpoints),
        held_until: None,
        excused: false,
    };
    for bucket in &promoting.early {
        bake.trip = bake.judge.observe(bucket).or(bake.trip);
    }
    bake
}

/// A judge for one bake. It expects the baseline's rate of requests for `bake_time`.
fn judge(policy: &Policy, baseline: Option<&Baseline>) -> Judge {
    let baseline = baseline.cloned().unwrap_or_default();
    let expected = expected(policy, &baseline);
    Judge::lasting(policy.bake_time, baseline, policy.judging(), expected)
}

/// The requests of a bake at the baseline's rate.
fn expected(policy: &Policy, baseline: &Baseline) -> f64 {
    let rate = if baseline.seconds == 0 { 0.0 } else { baseline.requests as f64 / baseline.seconds as f64 };
    rate * policy.bake_time.as_secs_f64()
}

/// Takes the baseline that was missing when the bake began. The judge goes on by the real baseline, and
/// its score keeps its part of the bound, since a suspicion is not thrown away.
pub(crate) fn late_baseline(turn: &mut Turn, baseline: &Baseline) {
    turn.clear(Alarm::Unacknowledged, "every worker has acknowledged");
    let policy = turn.state.policy.clone();
    let Some(release) = turn.state.release.as_mut() else { return };
    release.baseline = Some(baseline.clone());
    if let Some(bake) = release.phase.bake_mut() {
        bake.acknowledged = true;
        let rebased =
            |judge: Judge| judge.rebased(policy.bake_time, baseline.clone(), expected(&policy, baseline));
        bake.judge = rebased(bake.judge.clone());
        bake.before = bake.before.take().map(|before| Box::new(rebased(*before)));
        bake.trip = None;
    }
    turn.note("the last acknowledgement came; judged by the baseline from now on");
    turn.changed();
}

/// Judges one closed second of the candidate. While an outside cause is claimed, its score stays at the
/// bound at most, so that good seconds can bring it down.
pub(crate) fn observe(turn: &mut Turn, bucket: &Bucket) {
    let Some(release) = turn.state.release.as_ref() else { return };
    let mode = turn.state.mode(release);
    let Some(release) = turn.state.release.as_mut() else { return };
    // Only an enforced bake acts on each trip at once. Elsewhere the score is held at its bound, so that
    // it can fall again.
    let capped = !matches!(release.phase, Phase::Baking(_)) || mode == Mode::Observe;
    let Some(bake) = release.phase.bake_mut() else { return };
    if mode == Mode::Off || bake.outside == Some(ExternalCause::Down) {
        return;
    }
    if let Some(trip) = bake.judge.observe(bucket) {
        bake.trip = Some(trip);
    }
    if capped || bake.outside.is_some() {
        bake.judge.cap();
    }
    if bake.judge.suspicion() <= 0.0 {
        bake.control.run_is_over();
    }
    release.numbers = Some(bake.judge.numbers());
    turn.counted();
}

/// Acts on a trip, on the end of an outside cause, or on the end of the bake.
pub(crate) fn advance(turn: &mut Turn) -> bool {
    let Some(release) = turn.running() else { return false };
    let Phase::Baking(bake) = &release.phase else { return false };
    let (mode, deadline, outside) = (turn.state.mode(release), bake.deadline, bake.outside);
    if let Some(outside) = outside {
        return weather(turn, outside, mode);
    }
    mark_taint(turn);
    match (trip_now(&turn.state), mode) {
        (Some(tripped), Mode::Enforce) => {
            let reason = turn.running().map(|release| trip::why(turn, release.color, &tripped));
            return together::waits(turn, &tripped, &reason.unwrap_or_default())
                || trip::tripped(turn, &tripped);
        }
        (Some(tripped), Mode::Observe) => remember(turn, &tripped),
        (Some(_), Mode::Off) | (None, _) => together::forget(turn),
    }
    let calm = turn
        .running()
        .and_then(|release| release.phase.bake())
        .is_some_and(|bake| bake.suspected && bake.judge.suspicion() <= 0.0);
    if (turn.at < deadline && !calm) || turn.state.unwritable {
        return false;
    }
    watch_on(turn, mode) || end(turn, mode)
}

/// The trip that holds at this moment, if any. A candidate that is down trips as hard-down.
pub(crate) fn trip_now(state: &State) -> Option<Trip> {
    let release = state.running()?;
    let bake = release.phase.bake()?;
    let numbers = bake.judge.numbers();
    if state.mode(release) == Mode::Off {
        None
    } else if state.condition(release.color) == Condition::Sick {
        Some(Trip { rule: TripRule::HardDown, numbers })
    } else if bake.judge.tripped() {
        let rule = bake.trip.as_ref().map_or(TripRule::Errors, |trip| trip.rule);
        Some(Trip { rule, numbers })
    } else {
        None
    }
}

/// The seconds that were counted while the old color was sick say nothing about the candidate. So the
/// judge goes back to where it stood before them when the old color has recovered, and the bake goes on
/// for the grace at least.
fn mark_taint(turn: &mut Turn) {
    let Some(release) = turn.running() else { return };
    let old = turn.condition(release.color.other());
    let until = turn.at + grace(&turn.state.policy);
    let Some(bake) = turn.state.release.as_mut().and_then(|release| release.phase.bake_mut()) else { return };
    match old {
        Condition::Sick if !bake.tainted => {
            bake.tainted = true;
            bake.before = Some(Box::new(bake.judge.clone()));
            turn.counted();
        }
        Condition::Fit if bake.tainted => {
            leave_out(bake);
            bake.deadline = bake.deadline.max(until).min(bake.limit.max(bake.deadline));
            turn.counted();
        }
        Condition::Sick | Condition::Fit | Condition::Unknown => {}
    }
}

/// Takes the judge from before the old color became sick. A bake that an older build stored has none, and
/// its score goes back to 0.
fn leave_out(bake: &mut Bake) {
    bake.tainted = false;
    bake.trip = None;
    match bake.before.take() {
        Some(before) => bake.judge = *before,
        None => bake.judge.reset(),
    }
}

/// Both colors are sick or fail. Nothing is moved until that is over.
fn weather(turn: &mut Turn, outside: ExternalCause, mode: Mode) -> bool {
    let Some(release) = turn.running() else { return false };
    let candidate = turn.condition(release.color);
    let old = turn.condition(release.color.other());
    let over = match outside {
        ExternalCause::Engine => return absent_engine(turn, mode, old),
        ExternalCause::Down => old == Condition::Fit || candidate == Condition::Fit,
        ExternalCause::Errors => {
            let excused = release.phase.bake().is_some_and(|bake| {
                !bake.tainted && bake.judge.suspicion() > 0.0 && bake.control.is_over(bake.judge.numbers().p0)
            });
            old == Condition::Fit && !excused
        }
    };
    let Some(bake) = release.phase.bake() else { return false };
    let limit = bake.limit;
    if over || mode != Mode::Enforce {
        weather_over(turn, old);
        return true;
    }
    if turn.at < limit || turn.state.unwritable {
        return false;
    }
    let bake = bake.clone();
    let old_color = release.color.other();
    let why = format!(
        "both colors were still sick after {BAKES_MAX} x bake_time: {old_color} has {}",
        words::count(turn.health(old_color))
    );
    degraded::enter(turn, DegradedCause::OldSick, Box::new(bake), &why);
    true
}

/// The cause is an engine that does not answer.
fn absent_engine(turn: &mut Turn, mode: Mode, old: Condition) -> bool {
    match together::absence(turn, mode) {
        Absence::Lasts => return false,
        Absence::Over => weather_over(turn, old),
        Absence::Excused => together::excuse(turn),
        Absence::Stuck(why) => trip::hold(turn, DegradedCause::OldSick, &why),
    }
    true
}

/// The outside cause is over, and the bake goes on for the grace at least. The seconds in which the old
/// color was sick are left out. If the old color only failed requests, up to half of the score stays.
fn weather_over(turn: &mut Turn, old: Condition) {
    let until = turn.at + grace(&turn.state.policy);
    let Some(release) = turn.state.release.as_mut() else { return };
    release.verdict = None;
    if let Some(bake) = release.phase.bake_mut() {
        let down = matches!(bake.outside, Some(ExternalCause::Down | ExternalCause::Engine));
        bake.outside = None;
        bake.trip = None;
        bake.held_until = None;
        if bake.tainted && old != Condition::Sick {
            leave_out(bake);
        } else if bake.tainted || down {
            bake.judge.reset();
        }
        bake.judge.excuse();
        bake.deadline = bake.deadline.max(until).min(bake.limit.max(bake.deadline));
    }
    turn.note("the outside cause is over: the bake goes on");
    turn.changed();
}

/// The judge only observes, so the trip is noted once and kept for the verdict.
fn remember(turn: &mut Turn, tripped: &Trip) {
    let Some(release) = turn.state.release.as_mut() else { return };
    if release.verdict == Some(Verdict::Fail) {
        return;
    }
    release.verdict = Some(Verdict::Fail);
    release.numbers = Some(tripped.numbers.clone());
    let color = release.color;
    turn.note(format!("observed, not acted on: {}", trip::why(turn, color, tripped)));
    turn.changed();
}

/// The time of the bake is over, but a score stands over a quarter of its bound. The bake goes on until
/// the score is 0 or at its bound, or until the limit.
fn watch_on(turn: &mut Turn, mode: Mode) -> bool {
    let (at, bake_time) = (turn.at, turn.state.policy.bake_time);
    let Some(release) = turn.state.release.as_mut() else { return false };
    let failed = release.verdict == Some(Verdict::Fail);
    let Some(bake) = release.phase.bake_mut() else { return false };
    let part = bake.judge.suspicion();
    if mode == Mode::Off || bake_time.is_zero() || failed || part <= SUSPICION || at >= bake.limit {
        return false;
    }
    bake.suspected = true;
    bake.deadline = bake.limit;
    let most = words::seconds(bake.limit.since(at));
    let part = 100.0 * part;
    turn.note(format!(
        "the time is over, but a score stands at {part:.0} % of its bound: watched until it is 0 or at its bound, {most} at most"
    ));
    turn.changed();
    true
}

/// The time of the bake is over. The verdict and `on_inconclusive` decide what follows.
fn end(turn: &mut Turn, mode: Mode) -> bool {
    let bake_time = turn.state.policy.bake_time;
    let Some(release) = turn.state.release.as_mut() else { return false };
    let Some(bake) = release.phase.bake() else { return false };
    let numbers = bake.judge.numbers();
    let rule = bake.trip.as_ref().map_or(TripRule::Errors, |trip| trip.rule);
    let verdict = if release.verdict == Some(Verdict::Fail) { Verdict::Fail } else { bake.judge.verdict() };
    let (extended, limit) = (bake.deadline.min(turn.at) + bake_time, bake.limit);
    let surely_fails = bake.judge.surely_fails();
    let text = if verdict == Verdict::Inconclusive {
        words::inconclusive(&numbers)
    } else {
        words::describe(&numbers)
    };
    if mode == Mode::Off || bake_time.is_zero() {
        let why = if mode == Mode::Off { "analysis is off" } else { "no bake is configured" };
        ending::succeed(turn, format!("{why}: not judged"));
        return true;
    }
    release.numbers = Some(numbers.clone());
    release.verdict = Some(verdict);
    let enforced = mode == Mode::Enforce;
    match (verdict, turn.state.policy.on_inconclusive) {
        (Verdict::Pass, _) => ending::succeed(turn, format!("pass: {text}")),
        (Verdict::Fail, _) if enforced => {
            return trip::tripped(turn, &Trip { rule, numbers });
        }
        (Verdict::Fail, _) => ending::succeed(turn, format!("fail, observed and not acted on: {text}")),
        // Without a verdict, but not good enough to stay by itself.
        (Verdict::Inconclusive, OnInconclusive::Promote | OnInconclusive::Extend)
            if enforced && surely_fails =>
        {
            let why = format!("inconclusive: {text}; more than 10 % surely fail");
            trip::hold(turn, DegradedCause::Inconclusive, &why);
        }
        (Verdict::Inconclusive, OnInconclusive::Extend) if enforced && extended <= limit => {
            extend(turn, extended, &text);
        }
        (Verdict::Inconclusive, OnInconclusive::Hold) if enforced => {
            trip::hold(turn, DegradedCause::Inconclusive, &format!("inconclusive: {text}"));
        }
        (Verdict::Inconclusive, OnInconclusive::Revert) if enforced => {
            trip::unproven(turn, format!("inconclusive: {text}"));
        }
        (Verdict::Inconclusive, _) => {
            let why = format!("inconclusive, promoted all the same: {text}");
            ending::succeed(turn, why.clone());
            turn.raise(Alarm::Inconclusive, why);
        }
    }
    true
}

/// Moves the end of the bake to `until`.
fn extend(turn: &mut Turn, until: Tick, text: &str) {
    let Some(release) = turn.state.release.as_mut() else { return };
    release.verdict = None;
    let Some(bake) = release.phase.bake_mut() else { return };
    bake.deadline = until;
    bake.suspected = false;
    bake.extensions += 1;
    let extensions = bake.extensions;
    turn.note(format!("inconclusive: {text}; the bake is extended (extension {extensions})"));
    turn.changed();
}
