//! The second opinion's part about what stands beside the switch: a canary's steps, the old color
//! as a live control (in a canary, and by requests of our own in a bake), and errands.

use std::collections::{BTreeMap, VecDeque};

use greenlight::judge::Bucket;
use greenlight::model::ReleaseId;
use greenlight::release::{By, Effect, Errand, Event, Kind, Mode, Phase, Release, State, Step};

use super::shadow::{Verdict, ensure};

/// A canary's step is at least so long, in milliseconds.
const STEP_MIN: i64 = 10_000;
/// Seconds that a control remembers.
const CONTROL: usize = 30;
/// Seconds in which a candidate that fails altogether is found in a canary: four, and one for the
/// bucket that was open when the last of them ended.
const FOUND: usize = 5;
/// Clients enough that no one of them is held back.
const MANY: u64 = 20;

/// A color's requests and errors of a second.
type Second = (u64, u64);

#[derive(Debug, Default)]
pub(super) struct Aside {
    /// Whose share runs, how much, since when.
    open: Option<(ReleaseId, u8, i64)>,
    /// How long each share of a release was had, in milliseconds.
    had: BTreeMap<(ReleaseId, u8), i64>,
    /// Both colors' seconds of the canary that runs: the candidate's, the old one's.
    shared: VecDeque<(Second, Second)>,
    /// The old color's seconds in the bake that runs; `None`: some were lost in a crash.
    asked: Option<VecDeque<Second>>,
}

impl Aside {
    /// Rules about one step that depend on what was seen before it.
    /// `old_fit`: whether the color that has the traffic is healthy.
    pub(super) fn judge(
        &mut self,
        before: &State,
        event: &Event,
        step: &Step,
        (now, old_fit): (i64, bool),
    ) -> Verdict {
        self.judge_evidence(before, event)?;
        self.judge_steps(before, event, &step.state, (now, old_fit))?;
        self.judge_canary(before, &step.state)?;
        self.judge_bake(before, &step.state)?;
        judge_errands(before, event, step)
    }

    /// Evidence about another release or an older table is refused; what is taken is remembered.
    fn judge_evidence(&mut self, before: &State, event: &Event) -> Verdict {
        let count = |bucket: &Bucket| (bucket.requests, bucket.errors);
        match event {
            Event::Canary { release, candidate, old, .. } => {
                let running = before.running().map(|running| &running.id);
                ensure(running == Some(release), || format!("a canary's second of {release} is taken"))?;
                self.shared.push_back((count(candidate), count(old)));
                if self.shared.len() > CONTROL {
                    self.shared.pop_front();
                }
            }
            Event::Control { epoch, old } => {
                ensure(*epoch == before.epoch, || format!("a control of epoch {epoch} is taken"))?;
                if let Some(asked) = &mut self.asked {
                    asked.push_back(count(old));
                    if asked.len() > CONTROL {
                        asked.pop_front();
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A share is had for its whole step before a larger one or all of the traffic, unless a person
    /// says otherwise; and no step is left out while there is a healthy color to share with.
    fn judge_steps(
        &self,
        before: &State,
        event: &Event,
        after: &State,
        (now, old_fit): (i64, bool),
    ) -> Verdict {
        let (Some(old), Some(new)) = (before.running(), &after.release) else { return Ok(()) };
        let (had, has) = (before.canary_percent(), after.canary_percent());
        let switched = after.epoch != before.epoch && after.active == new.color;
        if old.id != new.id || matches!(event, Event::Promote { .. }) || (has <= had && !switched) {
            return Ok(());
        }
        let steps = &after.policy.canary_percent;
        // Asked for anew, with nobody healthy to share with, it is switched without one.
        if switched && !matches!(old.phase, Phase::Canary(_)) {
            let could = old_fit && new.color != before.active && new.kind == Kind::Deploy;
            return ensure(!could || steps.is_empty(), || {
                format!("{} is switched without its canary", new.id)
            });
        }
        let until = steps.iter().position(|percent| *percent == has).unwrap_or(steps.len());
        for percent in &steps[..until] {
            let had = self.had_for(&new.id, *percent, now);
            ensure(had >= STEP_MIN, || format!("{} went on from {percent} % after {had} ms", new.id))?;
        }
        Ok(())
    }

    fn had_for(&self, release: &ReleaseId, percent: u8, now: i64) -> i64 {
        let open = self.open.as_ref().filter(|(id, of, _)| id == release && *of == percent);
        let before = self.had.get(&(release.clone(), percent)).copied().unwrap_or(0);
        before + open.map_or(0, |(_, _, since)| now - since)
    }

    /// A candidate that fails everything beside an old color that fails nothing loses its share in
    /// time; one that fails while the old color fails too is not to blame.
    fn judge_canary(&self, before: &State, after: &State) -> Verdict {
        let (Some(old), Some(new)) = (before.running(), &after.release) else { return Ok(()) };
        if old.id != new.id || before.canary_percent() == 0 {
            return Ok(());
        }
        let last: Vec<_> = self.shared.iter().rev().take(FOUND).collect();
        let all_fail = last.len() == FOUND && last.iter().all(|((n, e), _)| *n >= MANY && n == e);
        let steady = self.shared.iter().all(|(_, (n, e))| *n >= MANY && *e == 0);
        let known = canary_numbers(before).is_some_and(|numbers| {
            numbers.rule_on && numbers.baseline_errors == 0 && numbers.baseline_requests > 0
        });
        if all_fail && steady && known && after.policy.mode == Mode::Enforce {
            ensure(after.canary_percent() == 0, || {
                format!("{} fails all of {FOUND} s and keeps {} %", new.id, after.canary_percent())
            })?;
        }
        if matches!(new.phase, Phase::Failed) && new.reason.contains("too many errors") {
            let p0 = new.numbers.as_ref().map_or(1.0, |numbers| numbers.p0);
            let control: Vec<Second> = self.shared.iter().map(|(_, old)| *old).collect();
            ensure(!surely_over(&control, p0), || {
                format!("{} is blamed for what fails on both colors: {control:?} over {p0}", new.id)
            })?;
        }
        Ok(())
    }

    /// The same in a bake, by what our own requests saw of the old color.
    fn judge_bake(&self, before: &State, after: &State) -> Verdict {
        let Some(new) = &after.release else { return Ok(()) };
        let Phase::Reverting(reverting) = &new.phase else { return Ok(()) };
        let was = before.running().map(|release| &release.phase);
        if reverting.by != By::Judge
            || !matches!(was, Some(Phase::Baking(_) | Phase::Degraded(_)))
            || !reverting.why.contains("too many errors")
        {
            return Ok(());
        }
        let p1 = new.numbers.as_ref().map_or(1.0, |numbers| numbers.p1);
        let Some(asked) = &self.asked else { return Ok(()) };
        let control: Vec<Second> = asked.iter().copied().collect();
        ensure(!surely_over(&control, p1), || {
            format!("{} is reverted for what fails on both colors: {control:?} over {p1}", new.id)
        })
    }

    /// The step goes on.
    pub(super) fn decided(&mut self, before: &State, after: &State, now: i64) {
        let has = after.canary_percent();
        let whose = after.running().map(|release| release.id.clone());
        let same =
            self.open.as_ref().is_some_and(|(id, percent, _)| whose.as_ref() == Some(id) && *percent == has);
        if !same {
            self.close(now);
            if let Some(id) = whose.filter(|_| has > 0) {
                self.open = Some((id, has, now));
            }
        }
        if has == 0 {
            self.shared.clear();
        }
        let (was, is) = (bakes(before), bakes(after));
        if was != is {
            self.asked = is.map(|_| VecDeque::new());
        }
    }

    fn close(&mut self, now: i64) {
        if let Some((id, percent, since)) = self.open.take() {
            *self.had.entry((id, percent)).or_default() += now - since;
        }
    }

    pub(super) fn crashed(&mut self, now: i64) {
        self.close(now);
        self.shared.clear();
        self.asked = None;
    }

    /// What had not reported when the process died is begun again by the next one.
    pub(super) fn begun_again(restored: &State, effects: &[Effect]) -> Verdict {
        for run in restored.errands.iter().filter(|run| run.outcome.is_none()) {
            let again = effects.iter().any(|effect| {
                matches!(effect, Effect::Errand { errand, release, .. }
                    if *errand == run.errand && *release == run.release)
            });
            ensure(again, || {
                format!("{} of {} is forgotten by a restart", run.errand.as_str(), run.release)
            })?;
        }
        Ok(())
    }
}

fn bakes(state: &State) -> Option<&ReleaseId> {
    let watched = |release: &&Release| matches!(release.phase, Phase::Baking(_) | Phase::Degraded(_));
    state.running().filter(watched).map(|release| &release.id)
}

fn canary_numbers(state: &State) -> Option<greenlight::judge::Numbers> {
    match &state.running()?.phase {
        Phase::Canary(canary) => canary.judge.as_ref().map(greenlight::judge::Judge::numbers),
        _ => None,
    }
}

/// What belongs to a change is begun with it: going back calls its hook, a bake and a success theirs.
fn judge_errands(before: &State, event: &Event, step: &Step) -> Verdict {
    let after = &step.state;
    let begun = |errand: Errand| {
        let mut effects = step.now.iter().chain(&step.after_persist);
        effects.any(|effect| matches!(effect, Effect::Errand { errand: one, .. } if *one == errand))
    };
    let Some(new) = &after.release else { return Ok(()) };
    let asked = &after.policy.errands;
    let back = after.epoch != before.epoch && after.active != new.color;
    ensure(!back || asked.on_revert.is_none() || begun(Errand::OnRevert), || {
        format!("{} goes back by {event:?} without its hook", new.id)
    })?;
    let promoted = before.running().is_some_and(|old| matches!(old.phase, Phase::Promoting(_)));
    let bakes_now = promoted && matches!(new.phase, Phase::Baking(_));
    let hooked = asked.post_promote.is_some() && new.kind == Kind::Deploy;
    ensure(!bakes_now || !hooked || begun(Errand::PostPromote), || {
        format!("{} bakes without its hook", new.id)
    })?;
    let ended = matches!(new.phase, Phase::Succeeded)
        && before.release.as_ref().is_none_or(|old| old.id != new.id || !old.is_final());
    ensure(!ended || asked.tags.is_none() || begun(Errand::Tags), || {
        format!("{} succeeded and no tag is moved", new.id)
    })
}

/// Wilson's lower bound (95 %) of the share of failures is over `rate`, by three failures or more.
fn surely_over(seconds: &[Second], rate: f64) -> bool {
    let (n, e) = seconds.iter().fold((0, 0), |(n, e), second| (n + second.0, e + second.1.min(second.0)));
    if e < 3 {
        return false;
    }
    let (n, share, z2) = (n as f64, e as f64 / n as f64, 1.96_f64 * 1.96);
    let middle = share + z2 / (2.0 * n);
    let width = 1.96 * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    // A hair's breadth is nobody's mistake.
    (middle - width) / (1.0 + z2 / n) > rate + 1e-9
}
