//! The second half of checking, if `canary_percent` has steps. The gate is open, and the candidate gets a
//! share of the real traffic, step by step, while the old color answers the rest.
//!
//! The canary is a stage of *checking* and not of *promoting*. The record does not say yet that the
//! candidate is active, and a release that ends here has failed and was never switched to. Both colors
//! are watched at the same time. A judge whose baseline is the old color's past watches the candidate,
//! and the old color's present serves as a live control ([`crate::judge::Control`]).
//!
//! The steps share one `bake_time` evenly, but each lasts 10 s at least. So a canary makes a release one
//! bake longer, however many steps it has. A step without a verdict, for want of traffic, leads to the
//! next step, because the bake after the switch judges all traffic.

use std::time::Duration;

use crate::judge::{Baseline, Bucket, Control, Judge, Numbers, TripRule, Verdict};
use crate::model::{ReleaseId, Tick};

use super::incident::incident;
use super::{ending, promoting};
use crate::release::turn::Turn;
use crate::release::{
    Awaiting, Canary, Condition, Effect, Gate, Kind, Mode, Notice, OnInconclusive, Phase, Refusal, words,
};

/// The shortest step. In a shorter one the judge would see too little.
const STEP_MIN: Duration = Duration::from_secs(10);

/// How long each of `steps` steps lasts.
pub(crate) fn step_time(bake_time: Duration, steps: usize) -> Duration {
    let steps = u32::try_from(steps).unwrap_or(u32::MAX).max(1);
    (bake_time / steps).max(STEP_MIN)
}

/// The gate is open and nothing holds the promotion. The first step of the canary begins, or the switch
/// if there are no steps.
pub(crate) fn go_ahead(turn: &mut Turn, since: Tick, progress_left: Duration, why: &str) {
    if !is_wanted(turn) {
        return promoting::promote(turn, why);
    }
    let steps = turn.state.policy.canary_percent.clone();
    let each = step_time(turn.state.policy.bake_time, steps.len());
    let all = each * u32::try_from(steps.len()).unwrap_or(u32::MAX);
    let Some(release) = turn.state.release.as_mut() else { return };
    release.gated = true;
    let canary = Canary {
        since,
        step: 0,
        open: true,
        until: turn.at + each,
        step_left: each,
        deadline: turn.at + all + progress_left,
        judge: None,
        control: Control::default(),
        held: false,
        steps,
    };
    let reason = in_words(turn, &canary, why);
    turn.enter(Phase::Canary(Box::new(canary)), reason);
    turn.then(Effect::Refresh);
}

/// Whether the release has a canary. A rollback goes to a version that has proved itself, so it has none.
/// A first release has no color to share the traffic with. A sick old color is no place to leave the
/// traffic on.
fn is_wanted(turn: &Turn) -> bool {
    let Some(release) = turn.running() else { return false };
    !turn.state.policy.canary_percent.is_empty()
        && release.kind == Kind::Deploy
        && release.color != turn.state.active
        && turn.condition(turn.state.active) == Condition::Fit
}

/// The reason of a step: the share, its color and its length.
fn in_words(turn: &Turn, canary: &Canary, why: &str) -> String {
    let color = turn.running().map_or(turn.state.active.other(), |release| release.color);
    let (percent, step, of) = (canary.percent(), canary.step + 1, canary.steps.len());
    let length = words::seconds(canary.until.since(turn.at));
    format!("{why}; canary: {percent} % of the traffic go to {color} for {length} (step {step} of {of})")
}

/// Takes one closed second of both colors. `baseline` is the old color's past, which is given until there
/// is a judge.
pub(crate) fn observe(
    turn: &mut Turn,
    id: &ReleaseId,
    candidate: &Bucket,
    old: &Bucket,
    baseline: Option<&Baseline>,
) -> Result<(), Refusal> {
    let state = turn.state.state_word();
    let policy = turn.state.policy.clone();
    let release = turn.state.release.as_mut().filter(|release| release.id == *id);
    let Some(release) = release else { return Err(Refusal::Stale(id.to_string())) };
    let Phase::Canary(canary) = &mut release.phase else {
        return Err(Refusal::Unexpected { fact: "canary", state });
    };
    if !canary.open || policy.mode == Mode::Off {
        return Ok(());
    }
    if canary.judge.is_none()
        && let Some(baseline) = baseline
    {
        canary.judge = Some(judge(&policy, baseline, canary));
    }
    canary.control.push(old);
    let Some(judge) = &mut canary.judge else { return Ok(()) };
    judge.observe(candidate);
    judge.cap();
    if judge.suspicion() <= 0.0 {
        canary.control.run_is_over();
    } else if canary.control.is_over(judge.numbers().p0) {
        // The old color fails too, so the cause is outside. Good seconds bring the score down.
        judge.excuse();
    }
    release.warm_seconds = judge.warm_seconds();
    release.numbers = Some(judge.numbers());
    turn.counted();
    Ok(())
}

/// A judge for all steps. The data plane counts the slow attempts of the color that gets the share.
fn judge(policy: &crate::release::Policy, baseline: &Baseline, canary: &Canary) -> Judge {
    let rate = if baseline.seconds == 0 { 0.0 } else { baseline.requests as f64 / baseline.seconds as f64 };
    let each = step_time(policy.bake_time, canary.steps.len()).as_secs_f64();
    let expected: f64 = canary.steps.iter().map(|percent| rate * each * f64::from(*percent) / 100.0).sum();
    let lasts = step_time(policy.bake_time, canary.steps.len())
        * u32::try_from(canary.steps.len()).unwrap_or(u32::MAX);
    Judge::lasting(lasts, baseline.clone(), policy.judging(), expected)
}

/// Ends the canary on a fault, a pin or its deadline, or goes on to the next step.
pub(crate) fn advance(turn: &mut Turn) -> bool {
    let Some(release) = turn.running() else { return false };
    let Phase::Canary(canary) = &release.phase else { return false };
    let (canary, color, mode) = (canary.clone(), release.color, turn.state.mode(release));
    if let Some(why) = fault(turn, &canary, mode) {
        if turn.state.unwritable {
            // No release ends without a store, but the traffic goes back at once.
            return close(turn, canary, &why);
        }
        let numbers = canary.judge.as_ref().map(Judge::numbers);
        if let (Some(release), Some(_)) = (turn.state.release.as_mut(), &numbers) {
            release.verdict = Some(Verdict::Fail);
            release.numbers = numbers;
        }
        ending::fail(turn, format!("{why}; {} keeps all traffic", turn.state.active));
        return true;
    }
    if turn.state.unwritable {
        return false;
    }
    if turn.state.is_pinned() {
        return pinned(turn, &canary);
    }
    if turn.at >= canary.deadline {
        let health = words::count(turn.health(color));
        ending::fail(turn, format!("the canary did not come to its end in time: {color} had {health}"));
        return true;
    }
    if canary.open { step_over(turn, canary) } else { again(turn, canary) }
}

/// The reason why the candidate may not have traffic any more, if there is one.
fn fault(turn: &mut Turn, canary: &Canary, mode: Mode) -> Option<String> {
    let color = turn.running()?.color;
    let judge = canary.judge.as_ref();
    // The old color fails too, so the cause is outside.
    let excused = excuses(canary);
    let tripped = judge.is_some_and(Judge::tripped) && !excused;
    if mode == Mode::Observe && tripped {
        observed(turn, canary);
        return None;
    }
    if mode != Mode::Enforce {
        return None;
    }
    if canary.open && turn.condition(color) == Condition::Sick {
        return Some(format!("{color} is down in the canary: {}", words::count(turn.health(color))));
    }
    let numbers = judge.filter(|_| tripped)?.numbers();
    let share = canary.last_percent();
    let much = if numbers.rule == Some(TripRule::Latency) { "too slow" } else { "too many errors" };
    Some(format!("{much} on {color} with {share} % of the traffic: {}", tripped_by(&numbers)))
}

/// The numbers of the rule that tripped, in a sentence.
fn tripped_by(numbers: &Numbers) -> String {
    if numbers.rule == Some(TripRule::Latency) { words::slowness(numbers) } else { words::errors(numbers) }
}

/// Whether the old color surely fails more now than its past leaves room for.
fn excuses(canary: &Canary) -> bool {
    canary.judge.as_ref().is_some_and(|judge| {
        let numbers = judge.numbers();
        canary.control.is_over(numbers.p0)
    })
}

/// The reason why neither the next step nor the switch follows now. A step into an outage that both colors
/// share would make the outage the measure of the bake.
fn obstacle(turn: &Turn, canary: &Canary) -> Option<String> {
    let mode = turn.state.mode(turn.running()?);
    let active = turn.state.active;
    let failing = mode == Mode::Enforce && excuses(canary);
    failing
        .then(|| format!("{active} fails more requests than before"))
        .or_else(|| incident(turn).map(str::to_owned))
}

/// The judge only observes, so the trip is noted once and kept for the verdict.
fn observed(turn: &mut Turn, canary: &Canary) {
    let Some(release) = turn.state.release.as_mut() else { return };
    let Some(judge) = canary.judge.as_ref().filter(|_| release.verdict != Some(Verdict::Fail)) else {
        return;
    };
    release.verdict = Some(Verdict::Fail);
    let numbers = judge.numbers();
    turn.note(format!("observed in the canary, not acted on: {}", tripped_by(&numbers)));
    turn.changed();
}

/// Under a pin all traffic stays on the active color, and a person begins the canary again.
fn pinned(turn: &mut Turn, canary: &Canary) -> bool {
    let expires = turn.at + turn.state.policy.promote_timeout;
    let awaiting = Awaiting { since: canary.since, progress_left: canary.deadline.since(turn.at), expires };
    let active = turn.state.active;
    turn.enter(
        Phase::AwaitingPromotion(awaiting),
        format!("pinned in the canary: {active} has all traffic; `unpin`, or `promote --force`, begins the canary again"),
    );
    turn.announce(Notice::Awaiting);
    true
}

/// The time of the step is over. The next step begins, or the switch after the last one.
fn step_over(turn: &mut Turn, canary: Box<Canary>) -> bool {
    if turn.at < canary.until {
        return false;
    }
    if let Some(why) = obstacle(turn, &canary) {
        return hold(turn, canary, &why);
    }
    let verdict = canary.judge.as_ref().map(Judge::verdict);
    let text = match (&canary.judge, verdict) {
        (Some(judge), Some(verdict)) => {
            format!("{}: {}", verdict.as_str(), words::describe(&judge.numbers()))
        }
        _ => "not judged".to_owned(),
    };
    let last = canary.step + 1 == canary.steps.len();
    let unproven = verdict == Some(Verdict::Inconclusive);
    if last && unproven && turn.state.policy.on_inconclusive == OnInconclusive::Revert {
        ending::fail(turn, format!("the canary is inconclusive: {text}"));
        return true;
    }
    let why = format!("canary step {} of {}: {text}", canary.step + 1, canary.steps.len());
    let each = step_time(turn.state.policy.bake_time, canary.steps.len());
    let mut next = canary;
    next.step += 1;
    next.held = false;
    next.step_left = each;
    if !last {
        next.until = turn.at + each;
        let reason = in_words(turn, &next, &why);
        turn.enter(Phase::Canary(next), reason);
        turn.then(Effect::Refresh);
    } else if let Some(Gate::Open { .. }) = turn.state.gate(turn.at) {
        promoting::promote(turn, &why);
    } else {
        close(turn, next, &format!("{why}; the gate is shut"));
    }
    true
}

/// Keeps the step until its obstacle is gone, and asks again after the shortest step.
fn hold(turn: &mut Turn, mut canary: Box<Canary>, why: &str) -> bool {
    canary.until = turn.at + STEP_MIN;
    let first = !std::mem::replace(&mut canary.held, true);
    let step = canary.step + 1;
    if let Some(release) = turn.state.release.as_mut() {
        release.phase = Phase::Canary(canary);
    }
    if first {
        turn.note(format!("canary step {step} goes on, because {why}"));
    }
    turn.changed();
    true
}

/// Takes the candidate's share back. The steps that are left wait for the gate.
fn close(turn: &mut Turn, mut canary: Box<Canary>, why: &str) -> bool {
    if !canary.open {
        return false;
    }
    canary.open = false;
    canary.step_left = canary.until.since(turn.at).max(STEP_MIN);
    let reason = format!("{why}; {} has all traffic until it opens", turn.state.active);
    turn.enter(Phase::Canary(canary), reason);
    true
}

/// Opens the canary again when the gate opens. The canary waits for it after a restart, or because the
/// gate was shut after the last step.
fn again(turn: &mut Turn, mut canary: Box<Canary>) -> bool {
    let Some(Gate::Open { .. }) = turn.state.gate(turn.at) else { return false };
    if canary.step >= canary.steps.len() {
        promoting::promote(turn, "the gate is open again after the canary");
        return true;
    }
    canary.open = true;
    canary.until = turn.at + canary.step_left;
    let reason = in_words(turn, &canary, "the gate is open again");
    turn.enter(Phase::Canary(canary), reason);
    turn.then(Effect::Refresh);
    true
}

impl Canary {
    /// The candidate's share now, in percent.
    #[must_use]
    pub fn percent(&self) -> u8 {
        if self.open { self.steps.get(self.step).copied().unwrap_or(0) } else { 0 }
    }

    /// The share of the step that runs, or of the one that ran last.
    fn last_percent(&self) -> u8 {
        self.steps.get(self.step.min(self.steps.len().saturating_sub(1))).copied().unwrap_or(0)
    }

    /// Adapts the canary to a restart. The candidate's health is unknown, so its share waits for the
    /// gate.
    pub(crate) fn restarted(&mut self, now: Tick, progress_end: Tick) {
        if self.open {
            self.step_left = self.until.since(now).max(STEP_MIN);
        }
        self.open = false;
        self.since = now;
        self.deadline = self.deadline.max(progress_end);
        self.control = Control::default();
    }
}
