//! A step that is being made. It holds the new state and the effects, notes and ended releases so far.

use crate::health::ColorHealth;
use crate::judge::Numbers;
use crate::model::{Color, ReleaseId, Tick};

use super::record::condition::Condition;
use super::{Alarm, Effect, Note, Notice, Persist, Phase, Release, State, Step};

/// Collects the results of the rules while they run. [`Turn::finish`] makes a [`Step`] of them.
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
    /// A turn that begins with a copy of `state` at the time `at`.
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

    /// A decision has changed the stored state. It must be written before the effects that wait for the
    /// write.
    pub(crate) fn changed(&mut self) {
        self.persist = Persist::Now;
    }

    /// Counters in the stored state have changed. They are written within a second.
    pub(crate) fn counted(&mut self) {
        self.persist = self.persist.max(Persist::Soon);
    }

    /// Adds an effect that may go only after the state is persisted.
    pub(crate) fn then(&mut self, effect: Effect) {
        self.changed();
        if let Effect::Undrain { color } = effect {
            // A release from the queue may take a color in the same step in which the release before it
            // gave the color up.
            self.later
                .retain(|other| !matches!(other, Effect::Drain { color: drained, .. } if *drained == color));
        }
        self.later.push(effect);
    }

    /// Removes an effect that waits for the write.
    pub(crate) fn take_back(&mut self, effect: &Effect) {
        self.later.retain(|other| other != effect);
    }

    /// The current release, if it has not ended. A queued release does not count.
    pub(crate) fn running(&self) -> Option<&Release> {
        self.state.running()
    }

    /// Sets the release that the answer to a command names.
    pub(crate) fn concerns(&mut self, release: &ReleaseId) {
        self.concerned = Some(release.clone());
    }

    /// The color's condition by the present state.
    pub(crate) fn condition(&self, color: Color) -> Condition {
        self.state.condition(color)
    }

    /// The last summary of the color's health; `None` if there has been none since the start.
    pub(crate) fn health(&self, color: Color) -> Option<ColorHealth> {
        self.state.health[color]
    }

    /// Adds a note about the current release.
    pub(crate) fn note(&mut self, reason: impl Into<String>) {
        let release = self.state.release.as_ref().map(|release| release.id.clone());
        self.note_for(release, reason);
    }

    /// Adds a note about `release`, which need not be the current one.
    pub(crate) fn note_for(&mut self, release: Option<ReleaseId>, reason: impl Into<String>) {
        self.notes.push(Note { release, word: "note", reason: reason.into(), numbers: None });
    }

    /// Moves the current release into a state and tells the reason in its story.
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
            // The canary's share has ended. All traffic goes to the active color, whatever the reason is.
            self.then(Effect::Refresh);
        }
    }

    /// Adds the line of the current release's state to its story. A release in a final state is added to
    /// the ended ones.
    fn tell(&mut self, reason: String) {
        let Some(release) = self.state.release.as_ref() else { return };
        let (id, word, numbers) = (release.id.clone(), release.word(), release.numbers.clone());
        if release.is_final() {
            self.ended.push(release.clone());
        }
        self.line(id, word, reason, numbers);
    }

    /// Adds a line with the name of a state.
    fn line(&mut self, release: ReleaseId, word: &'static str, reason: String, numbers: Option<Numbers>) {
        self.notes.push(Note { release: Some(release), word, reason, numbers });
    }

    /// Adds the first line of a new release.
    pub(crate) fn begun(&mut self, release: &Release) {
        self.concerns(&release.id);
        self.line(release.id.clone(), release.word(), release.reason.clone(), None);
        self.changed();
    }

    /// Ends a release that waits in the queue as canceled.
    pub(crate) fn ended_in_queue(&mut self, mut release: Release, reason: String) {
        release.phase = Phase::Cancelled;
        release.reason.clone_from(&reason);
        self.notify(Notice::Cancelled, Some(release.id.clone()), reason.clone());
        self.line(release.id.clone(), release.word(), reason, None);
        self.ended.push(release);
        self.changed();
    }

    /// Sends a message to people after the state is persisted.
    pub(crate) fn notify(&mut self, notice: Notice, release: Option<ReleaseId>, reason: String) {
        self.then(Effect::Notify { notice, release, reason });
    }

    /// Sends a message with the current release's reason.
    pub(crate) fn announce(&mut self, notice: Notice) {
        let Some(release) = self.state.release.as_ref() else { return };
        let (id, reason) = (release.id.clone(), release.reason.clone());
        self.notify(notice, Some(id), reason);
    }

    /// Raises an alarm, unless it is up with the same reason already.
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

    /// Clears an alarm, if it is up.
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

    /// Makes the step. While the store can't be written all effects go at once and the write follows as
    /// soon as it can. This is safe because the rules let nothing but a revert get here.
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

/// Whether the story has the alarm's reason already, as the line of a state.
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
        | Alarm::TagsFailed
        | Alarm::Swapping
        | Alarm::ContainersDown
        | Alarm::CrashLoop
        | Alarm::Certificate => false,
    }
}
