//! A step in the making: the new state, and what is to be done about it.

use crate::health::ColorHealth;
use crate::judge::Numbers;
use crate::model::{Color, ReleaseId, Tick};

use super::record::condition::Condition;
use super::{Alarm, Effect, Note, Notice, Persist, Phase, Release, State, Step};

/// Collects while the rules run; [`Turn::finish`] makes the step of it.
pub(crate) struct Turn {
    pub(crate) state: State,
    pub(crate) at: Tick,
    now: Vec<Effect>,
    later: Vec<Effect>,
    persist: Persist,
    notes: Vec<Note>,
    ended: Vec<Release>,
    concerned: Option<ReleaseId>,
}

impl Turn {
    pub(crate) fn new(state: &State, at: Tick) -> Self {
        Self {
            state: state.clone(),
            at,
            now: Vec::new(),
            later: Vec::new(),
            persist: Persist::No,
            notes: Vec::new(),
            ended: Vec::new(),
            concerned: None,
        }
    }

    /// Something that is stored has changed.
    pub(crate) fn changed(&mut self) {
        self.persist = Persist::Now;
    }

    /// Counters have changed.
    pub(crate) fn counted(&mut self) {
        self.persist = self.persist.max(Persist::Soon);
    }

    /// An effect for after the state is persisted.
    pub(crate) fn then(&mut self, effect: Effect) {
        self.changed();
        if let Effect::Undrain { color } = effect {
            // A release that waited may take a color in the very step that gave it up.
            self.later
                .retain(|other| !matches!(other, Effect::Drain { color: drained, .. } if *drained == color));
        }
        self.later.push(effect);
    }

    /// An effect that waits for the write is not wanted any more.
    pub(crate) fn take_back(&mut self, effect: &Effect) {
        self.later.retain(|other| other != effect);
    }

    /// The release that has not ended, but for a queued one.
    pub(crate) fn running(&self) -> Option<&Release> {
        self.state.running()
    }

    pub(crate) fn concerns(&mut self, release: &ReleaseId) {
        self.concerned = Some(release.clone());
    }

    pub(crate) fn condition(&self, color: Color) -> Condition {
        self.state.condition(color)
    }

    pub(crate) fn health(&self, color: Color) -> Option<ColorHealth> {
        self.state.health[color]
    }

    /// A line that enters no state.
    pub(crate) fn note(&mut self, reason: impl Into<String>) {
        let release = self.state.release.as_ref().map(|release| release.id.clone());
        self.note_for(release, reason);
    }

    pub(crate) fn note_for(&mut self, release: Option<ReleaseId>, reason: impl Into<String>) {
        self.notes.push(Note { release, word: "note", reason: reason.into(), numbers: None });
    }

    /// The current release enters a state.
    pub(crate) fn enter(&mut self, phase: Phase, reason: impl Into<String>) {
        let reason = reason.into();
        let shared = self.state.canary_percent();
        if let Some(release) = self.state.release.as_mut() {
            release.phase = phase;
            release.reason.clone_from(&reason);
        }
        self.tell(reason);
        self.changed();
        if shared > 0 && self.state.canary_percent() == 0 {
            // Whatever ends a canary, all traffic is on the active color.
            self.then(Effect::Refresh);
        }
    }

    /// Writes the line of the state that the current release is in, and its end where it has one.
    fn tell(&mut self, reason: String) {
        let Some(release) = self.state.release.as_ref() else { return };
        let (id, word, numbers) = (release.id.clone(), release.word(), release.numbers.clone());
        if release.is_final() {
            self.ended.push(release.clone());
        }
        self.line(id, word, reason, numbers);
    }

    fn line(&mut self, release: ReleaseId, word: &'static str, reason: String, numbers: Option<Numbers>) {
        self.notes.push(Note { release: Some(release), word, reason, numbers });
    }

    /// A new release is where it begins.
    pub(crate) fn begun(&mut self, release: &Release) {
        self.concerns(&release.id);
        self.line(release.id.clone(), release.word(), release.reason.clone(), None);
        self.changed();
    }

    /// A release that waited in the queue ends there.
    pub(crate) fn ended_in_queue(&mut self, mut release: Release, reason: String) {
        release.phase = Phase::Cancelled;
        release.reason.clone_from(&reason);
        self.notify(Notice::Cancelled, Some(release.id.clone()), reason.clone());
        self.line(release.id.clone(), release.word(), reason, None);
        self.ended.push(release);
        self.changed();
    }

    pub(crate) fn notify(&mut self, notice: Notice, release: Option<ReleaseId>, reason: String) {
        self.then(Effect::Notify { notice, release, reason });
    }

    /// Tells people about the current release's state.
    pub(crate) fn announce(&mut self, notice: Notice) {
        let Some(release) = self.state.release.as_ref() else { return };
        let (id, reason) = (release.id.clone(), release.reason.clone());
        self.notify(notice, Some(id), reason);
    }

    /// Raises an alarm, if it is not up for that reason already.
    pub(crate) fn raise(&mut self, alarm: Alarm, reason: String) {
        if self.state.alarms.get(&alarm) == Some(&reason) {
            return;
        }
        self.state.alarms.insert(alarm, reason.clone());
        if !is_in_the_story(alarm) {
            self.note(format!("alarm {}: {reason}", alarm.as_str()));
        }
        self.now.push(Effect::Alarm { alarm, raised: true, reason });
        self.counted();
    }

    /// Clears an alarm that is up.
    pub(crate) fn clear(&mut self, alarm: Alarm, why: &str) {
        if self.state.alarms.remove(&alarm).is_none() {
            return;
        }
        if !is_in_the_story(alarm) {
            self.note(format!("alarm {} is over: {why}", alarm.as_str()));
        }
        self.now.push(Effect::Alarm { alarm, raised: false, reason: why.to_owned() });
        self.counted();
    }

    /// While the store can't be written all effects go at once and the write follows when it can:
    /// the rules let nothing but a revert get here.
    pub(crate) fn finish(mut self) -> Step {
        if self.state.unwritable && self.persist == Persist::Now {
            self.persist = Persist::Soon;
            self.now.append(&mut self.later);
        }
        let reason = self.notes.iter().map(|note| note.reason.as_str()).collect::<Vec<_>>().join("; ");
        let deadline = self.state.next_deadline(self.at);
        Step {
            deadline,
            state: self.state,
            now: self.now,
            after_persist: self.later,
            persist: self.persist,
            reason,
            notes: self.notes,
            ended: self.ended,
            release: self.concerned,
        }
    }
}

/// Whether the release's own lines say what the alarm would.
fn is_in_the_story(alarm: Alarm) -> bool {
    match alarm {
        Alarm::Degraded | Alarm::Inconclusive => true,
        Alarm::Unacknowledged
        | Alarm::ExternalCause
        | Alarm::Slow
        | Alarm::ActiveDown
        | Alarm::StoreUnwritable
        | Alarm::StateRebuilt
        | Alarm::EngineAway
        | Alarm::HookFailed
        | Alarm::TagsFailed => false,
    }
}
