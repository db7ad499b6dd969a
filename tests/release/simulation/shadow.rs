//! A second opinion on what the front door may do. It does not look at how the front door decides.

use std::collections::{BTreeMap, BTreeSet};

use super::aside::Aside;
use super::follow::Edges;
use greenlight::health::{ProbeFailure, ProbeOutcome};
use greenlight::model::{Color, Epoch, PerColor, ReleaseId, Tick};
use greenlight::release::{Effect, Errand, Event, Fate, Kind, Persist, Phase, Release, State, Step};

/// The health of one endpoint, by the results that were delivered since its release began.
#[derive(Clone, Debug, Default)]
struct Seen {
    passes: u32,
    failures: u32,
    healthy: Option<bool>,
    /// Whether the last result was a refused connect.
    refused: bool,
    /// Since when it has been healthy and passed without a break.
    clean_since: Option<i64>,
}

/// The route table that requests are sent by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub active: Color,
    pub epoch: Epoch,
    /// The percentage of the traffic that the other color gets before its switch.
    pub share: u8,
}

/// Everything that the second opinion remembers.
#[derive(Debug)]
pub(super) struct Shadow {
    seen: PerColor<Vec<Seen>>,
    owner: PerColor<Option<ReleaseId>>,
    accepted: BTreeSet<ReleaseId>,
    ended: BTreeMap<ReleaseId, &'static str>,
    /// Releases that have ended in memory but not yet in the store.
    pending: Vec<Release>,
    reverts: BTreeMap<ReleaseId, u32>,
    /// Errands that the world has begun, and releases whose first hook has passed.
    begun: BTreeSet<(ReleaseId, Errand)>,
    passed: BTreeSet<ReleaseId>,
    aside: Aside,
    edges: Edges,
}

pub(super) type Verdict = Result<(), String>;

impl Shadow {
    pub(super) fn new(sizes: &PerColor<usize>) -> Self {
        Self {
            seen: PerColor::from_fn(|color| vec![Seen::default(); sizes[color]]),
            owner: PerColor::default(),
            accepted: BTreeSet::new(),
            ended: BTreeMap::new(),
            pending: Vec::new(),
            reverts: BTreeMap::new(),
            begun: BTreeSet::new(),
            passed: BTreeSet::new(),
            aside: Aside::default(),
            edges: Edges::default(),
        }
    }

    /// Gives a color's endpoints to a release and forgets their results.
    pub(super) fn adopt(&mut self, color: Color, owner: Option<&ReleaseId>) {
        if self.owner[color].as_ref() != owner {
            self.owner[color] = owner.cloned();
            self.seen[color].fill(Seen::default());
        }
    }

    /// The containers of a color were replaced.
    pub(super) fn forget(&mut self, color: Color, endpoints: usize) {
        self.seen[color] = vec![Seen::default(); endpoints];
    }

    /// Takes the result of a probe, unless it is about another release.
    pub(super) fn probed(
        &mut self,
        color: Color,
        endpoint: usize,
        owner: Option<&ReleaseId>,
        outcome: &ProbeOutcome,
        thresholds: (u32, u32),
        at: i64,
    ) {
        if self.owner[color].as_ref() != owner {
            return;
        }
        let Some(seen) = self.seen[color].get_mut(endpoint) else { return };
        seen.refused = matches!(outcome, ProbeOutcome::Fail(ProbeFailure::Refused));
        match outcome {
            ProbeOutcome::Pass => {
                seen.passes += 1;
                seen.failures = 0;
                if seen.passes >= thresholds.0 {
                    seen.healthy = Some(true);
                }
                if seen.healthy == Some(true) && seen.clean_since.is_none() {
                    seen.clean_since = Some(at);
                }
            }
            ProbeOutcome::Fail(_) => {
                seen.failures += 1;
                seen.passes = 0;
                seen.clean_since = None;
                if seen.failures >= thresholds.1 {
                    seen.healthy = Some(false);
                }
            }
        }
        let refused = self.seen[color].iter().all(|one| one.refused);
        self.edges.probed(color, refused, at);
    }

    /// Whether a color's endpoints have been healthy and clean for `min_healthy` milliseconds.
    fn proven(&self, color: Color, now: i64, min_healthy: i64) -> bool {
        let seen = &self.seen[color];
        !seen.is_empty()
            && seen.iter().all(|one| one.clean_since.is_some_and(|since| now - since >= min_healthy))
    }

    /// Whether at least half of a color's endpoints are healthy.
    fn fit(&self, color: Color) -> bool {
        let healthy = self.seen[color].iter().filter(|one| one.healthy == Some(true)).count();
        healthy > 0 && healthy * 2 >= self.seen[color].len()
    }

    /// The world begins an errand. The front checks that it was written into the record before.
    pub(super) fn errand_begun(&mut self, errand: Errand, release: &ReleaseId) {
        self.begun.insert((release.clone(), errand));
    }

    /// Takes the report of an errand. A hook that passed may let a release through. An errand that was
    /// never begun can't report.
    pub(super) fn reported(&mut self, before: &State, event: &Event) -> Verdict {
        let Event::ErrandDone { release, errand, outcome } = event else { return Ok(()) };
        ensure(self.begun.contains(&(release.clone(), *errand)), || {
            format!("{} of {release} reports and was never begun", errand.as_str())
        })?;
        let waited = before.running().is_some_and(|running| running.id == *release);
        if *errand == Errand::PrePromote && outcome.is_ok() && waited {
            self.passed.insert(release.clone());
        }
        Ok(())
    }

    /// Checks one step by every rule.
    pub(super) fn judge(&mut self, before: &State, event: &Event, step: &Step, now: i64) -> Verdict {
        let after = &step.state;
        after.check()?;
        ensure(after.epoch >= before.epoch, || {
            format!("epoch fell from {} to {}", before.epoch, after.epoch)
        })?;
        ensure(after.epoch.0 - before.epoch.0 <= 1, || "two switches in one step".to_owned())?;
        if after.epoch == before.epoch {
            ensure(after.active == before.active, || "the active color moved without an epoch".to_owned())?;
        } else {
            let back = after
                .release
                .as_ref()
                .is_some_and(|release| release.color != after.active || release.kind == Kind::Rollback);
            ensure(back || !after.unwritable, || "a switch without a store".to_owned())?;
            self.judge_switch(after, now)?;
        }
        self.judge_share(before, after, now)?;
        if before.pin.is_some() && after.pin.is_some() {
            ensure(after.epoch == before.epoch, || format!("traffic moved under a pin by {event:?}"))?;
        }
        if let Some(running) = after.running().filter(|_| !after.unwritable) {
            ensure(running.deadline().is_some() && step.deadline.is_some(), || {
                format!("{} waits in {} without a deadline", running.id, running.word())
            })?;
        }
        ensure(step.persist == Persist::Now || step.after_persist.is_empty(), || {
            "effects wait for a write that nobody asked for".to_owned()
        })?;
        Self::judge_errands(before, event, step)?;
        let old_fit = self.fit(before.active);
        self.aside.judge(before, event, step, (now, old_fit))?;
        self.judge_sick_share(event, after)?;
        self.edges.judge(before, after, now)?;
        Self::judge_quarantine(before, after)
    }

    /// Checks the errands. A failed hook before the switch ends its release there, and a failed hook
    /// after it moves nothing. An errand that begins is in the record that is written first.
    fn judge_errands(before: &State, event: &Event, step: &Step) -> Verdict {
        let after = &step.state;
        for effect in step.now.iter().chain(&step.after_persist) {
            let Effect::Errand { errand, release, .. } = effect else { continue };
            let recorded = after.errands.iter().any(|run| run.errand == *errand && run.release == *release);
            ensure(recorded, || format!("{} of {release} is run and not recorded", errand.as_str()))?;
        }
        if let Event::ErrandDone { release, errand: Errand::PrePromote, outcome: Err(_) } = event
            && before.running().is_some_and(|running| running.id == *release)
            && !after.unwritable
        {
            ensure(after.running().is_none_or(|running| running.id != *release), || {
                format!("{release} goes on after its pre_promote hook failed")
            })?;
        }
        if let Event::ErrandDone { errand: Errand::PostPromote | Errand::OnRevert | Errand::Tags, .. } = event
        {
            let (old, new) = (before.running(), after.running());
            let same = old.map(|release| (&release.id, release.word()))
                == new.map(|release| (&release.id, release.word()));
            ensure(after.epoch == before.epoch, || "an errand after the switch moved traffic".to_owned())?;
            ensure(same || old.is_none() || step.notes.len() > 1, || "an errand ended a release".to_owned())?;
        }
        Ok(())
    }

    /// Checks a switch. No new request goes to a color whose gate was not open for this release. A revert
    /// goes only to a color that is healthy now, and only once.
    fn judge_switch(&self, after: &State, now: i64) -> Verdict {
        let release = after.release.as_ref().ok_or("a switch without a release")?;
        if after.active == release.color {
            let min_healthy = match release.kind {
                Kind::Deploy => after.policy.min_healthy_time,
                Kind::Rollback => std::time::Duration::ZERO,
            };
            let min_healthy = i64::try_from(min_healthy.as_millis()).unwrap();
            let hooked = after.policy.errands.pre_promote.is_some() && release.kind == Kind::Deploy;
            ensure(!hooked || self.passed.contains(&release.id), || {
                format!("{} got the traffic and its pre_promote hook has not passed", release.id)
            })?;
            ensure(self.owner[release.color].as_ref() == Some(&release.id), || {
                format!("{} got the traffic by the evidence of {:?}", release.id, self.owner[release.color])
            })?;
            return ensure(self.proven(release.color, now, min_healthy), || {
                format!("{} got the traffic unproven: {:?}", release.id, self.seen[release.color])
            });
        }
        let reverts = self.reverts.get(&release.id).copied().unwrap_or(0);
        ensure(reverts == 0, || format!("{} is reverted again", release.id))?;
        ensure(self.fit(after.active), || {
            format!(
                "{} was reverted to a color that is not healthy: {:?}",
                release.id, self.seen[after.active]
            )
        })
    }

    /// Checks the candidate's traffic before its switch. It is only a canary's share, and the gate is
    /// open when the share begins. There is no share under a pin, and it does not grow while the store
    /// can't be written.
    fn judge_share(&self, before: &State, after: &State, now: i64) -> Verdict {
        let (had, has) = (before.canary_percent(), after.canary_percent());
        if has == 0 {
            return Ok(());
        }
        let release = after.running().ok_or("a share without a release")?;
        ensure(release.color != after.active, || format!("{} shares with itself", release.id))?;
        ensure(!after.is_pinned(), || format!("{} has {has} % under a pin", release.id))?;
        ensure(has <= had || !after.unwritable, || format!("{} got {has} % without a store", release.id))?;
        if had > 0 {
            return ensure(has >= had, || format!("{} went from {had} % to {has} %", release.id));
        }
        let min_healthy = i64::try_from(after.policy.min_healthy_time.as_millis()).unwrap();
        ensure(self.owner[release.color].as_ref() == Some(&release.id), || {
            format!("{} got a share by the evidence of {:?}", release.id, self.owner[release.color])
        })?;
        ensure(self.proven(release.color, now, min_healthy), || {
            format!("{} got a share unproven: {:?}", release.id, self.seen[release.color])
        })
    }

    /// Checks that a candidate that is down has no share, when its own evidence of that comes.
    fn judge_sick_share(&self, event: &Event, after: &State) -> Verdict {
        let Event::Health { color, release, .. } = event else { return Ok(()) };
        let Some(running) = after.running() else { return Ok(()) };
        let own = running.color == *color && release.as_ref() == Some(&running.id);
        let down = self.seen[*color].iter().filter(|one| one.healthy == Some(false)).count();
        let sick = down * 2 > self.seen[*color].len();
        let enforced = after.mode(running) == greenlight::release::Mode::Enforce;
        ensure(!(own && sick && enforced) || after.canary_percent() == 0, || {
            format!("{} is down and keeps {} %", running.id, after.canary_percent())
        })
    }

    /// Checks that a version that was reverted is not released again without `--force`.
    fn judge_quarantine(before: &State, after: &State) -> Verdict {
        let Some(release) = after.running() else { return Ok(()) };
        let begun = before.release.as_ref().is_none_or(|older| older.id != release.id);
        let banned =
            before.quarantined(&release.version).is_some() && after.quarantined(&release.version).is_some();
        ensure(!(begun && banned && !release.forced), || {
            format!("{} releases {} from quarantine", release.id, release.version)
        })
    }

    /// The step is carried out. If it needs a write, the write will succeed.
    pub(super) fn decided(&mut self, before: &State, step: &Step, now: i64) {
        let after = &step.state;
        self.aside.decided(before, after, now);
        self.edges.decided(before, after);
        if let Some(release) = after.release.as_ref().filter(|release| release.color != after.active)
            && after.epoch != before.epoch
        {
            *self.reverts.entry(release.id.clone()).or_default() += 1;
        }
        self.pending.extend(step.ended.iter().cloned());
    }

    /// The store has the state, so its words about releases are final.
    pub(super) fn persisted(&mut self, state: &State) -> Verdict {
        self.edges.persisted(state);
        for release in std::mem::take(&mut self.pending) {
            self.accepted.insert(release.id.clone());
            let word = release.word();
            if let Some(older) = self.ended.insert(release.id.clone(), word) {
                return Err(format!("{} ended twice: {older}, then {word}", release.id));
            }
        }
        for release in state.release.iter().chain(&state.queued) {
            self.accepted.insert(release.id.clone());
            let ended = self.ended.get(&release.id);
            ensure(release.is_final() == ended.is_some(), || {
                format!("{} is {} in the store and {ended:?} in its story", release.id, release.word())
            })?;
        }
        Ok(())
    }

    /// The process died, so every step that was not stored did not happen.
    pub(super) fn crashed(&mut self, stored: &State, now: i64) {
        self.aside.crashed(now);
        self.edges.crashed(stored);
        self.pending.clear();
        self.owner = PerColor::default();
        for color in Color::ALL {
            self.seen[color].fill(Seen::default());
        }
        // A rollback that began without a store is forgotten, and its number is given again.
        let accepted = &self.accepted;
        self.reverts.retain(|id, _| accepted.contains(id));
        if let Some(release) = &stored.release {
            self.reverts.insert(release.id.clone(), release.reverts);
        }
    }

    /// The record was lost, and its words about releases are forgotten with it.
    pub(super) fn lost(&mut self) {
        self.accepted.clear();
        self.ended.clear();
        self.reverts.clear();
        self.passed.clear();
    }

    /// Checks that a restart takes no time from a deadline, since the record stores the time left, and
    /// that it adds time only up to a minute.
    pub(super) fn time_left(stored: &State, restored: &State, now: Tick) -> Verdict {
        let (Some(saved), Some(release)) = (stored.running(), restored.running()) else { return Ok(()) };
        let (Some(before), Some(after)) = (saved.deadline(), release.deadline()) else { return Ok(()) };
        let (before, after) = (before.0, after.0 - now.0);
        let asked_again = is_switching(restored);
        ensure((after >= before || asked_again) && after <= before.max(60_000), || {
            format!(
                "{} had {before} ms left in {}, and has {after} after a restart",
                release.id,
                release.word()
            )
        })?;
        let checked =
            matches!(release.phase, Phase::Pulling { .. } | Phase::Starting(_) | Phase::Checking(_));
        ensure(!checked || after >= 60_000, || {
            format!("{} has {after} ms left in {}", release.id, release.word())
        })
    }

    /// Checks that the active color is never drained or stopped, by the record as read back from the
    /// store.
    pub(super) fn may_drain(stored: &State, table: Table, color: Color) -> Verdict {
        ensure(color != stored.active && color != table.active, || {
            format!("the active color {color} is drained")
        })?;
        let fate = stored.sides[color].fate;
        ensure(matches!(fate, Fate::Draining { .. }), || format!("{color} is drained and stored as {fate:?}"))
    }

    /// Checks that no release is left on its way after the faults have stopped for long.
    pub(super) fn finished(&self, state: &State) -> Verdict {
        ensure(state.running().is_none() && state.queued.is_none(), || {
            format!(
                "{} never ended ({:?})",
                state.state_word(),
                state.release.as_ref().map(|release| &release.phase)
            )
        })?;
        for id in &self.accepted {
            ensure(self.ended.contains_key(id), || format!("{id} was accepted and never ended"))?;
        }
        Ok(())
    }

    /// The states in which the releases have ended.
    pub(super) fn ended(&self) -> impl Iterator<Item = &'static str> {
        self.ended.values().copied()
    }
}

/// Whether the record waits for acknowledgments.
pub(super) fn is_switching(state: &State) -> bool {
    state.running().is_some_and(|release| matches!(release.phase, Phase::Promoting(_) | Phase::Reverting(_)))
}

pub(super) fn ensure(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(what()) }
}
