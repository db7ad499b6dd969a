//! The controller's loop body: event, step, persist, perform.

use crate::clock;
use crate::release::{self, Event, Persist, Phase, Refusal, Step};

use super::rejection::{RefusalCode, Rejection};
use super::run::Controller;
use super::table::is_shielded;

/// The outcome of an accepted event, from which a command is answered.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The release that the command started or is about.
    pub(crate) release: Option<crate::model::ReleaseId>,
    pub(crate) reason: String,
}

impl Controller {
    /// Gives a fact to a service. A fact that has no meaning (any more) is dropped.
    pub(crate) async fn apply_fact(&mut self, index: usize, event: Event) {
        if let Err(refused) = self.apply(index, event).await {
            tracing::debug!(service = %self.services[index].name(), %refused, "dropped");
        }
    }

    /// Gives an event to a service's step, persists the new state, and performs the effects.
    ///
    /// If the write fails, the step has not happened. The state gets the fact that the store can't
    /// be written, and then the event again. So a new release is refused, a switch waits, and a
    /// revert goes ahead unpersisted.
    pub(crate) async fn apply(&mut self, index: usize, event: Event) -> Result<Taken, Refusal> {
        let step = release::step(&self.services[index].state, &event, clock::now())?;
        if step.persist == Persist::Now {
            match self.save(index, &step).await {
                Ok(()) => return Ok(self.adopt_step(index, step).await),
                Err(fault) => {
                    tracing::error!(service = %self.services[index].name(), %fault, "the store can't be written");
                    self.told_unwritable(index).await?;
                    if event == Event::StoreWritable(true) {
                        return Err(Refusal::StoreUnwritable);
                    }
                }
            }
            let step = release::step(&self.services[index].state, &event, clock::now())?;
            return Ok(self.adopt_step(index, step).await);
        }
        Ok(self.adopt_step(index, step).await)
    }

    /// Gives the state the fact that its record can't be written. This step itself is not
    /// persisted.
    pub(crate) async fn told_unwritable(&mut self, index: usize) -> Result<(), Refusal> {
        let event = Event::StoreWritable(false);
        let step = release::step(&self.services[index].state, &event, clock::now())?;
        self.adopt_step(index, step).await;
        self.services[index].unsaved = true;
        Ok(())
    }

    /// Makes a step's state the service's state and performs its effects. At this point, either the
    /// state that must be persisted first is persisted, or the step may go on without that.
    async fn adopt_step(&mut self, index: usize, step: Step) -> Taken {
        let Step { state, now, after_persist, persist, deadline, reason, notes, ended, release } = step;
        let service = &mut self.services[index];
        self.table_dirty |= is_shielded(&service.state) != is_shielded(&state);
        service.state = state;
        service.deadline = deadline;
        service.unsaved |= persist == Persist::Soon;
        service.update_views(&ended);
        service.watch_quarantine();
        service.drop_errands();
        self.follow_record(index);
        self.perform(index, now);
        self.perform(index, after_persist);
        let told = !notes.is_empty();
        for note in notes {
            self.tell(index, note);
        }
        if told {
            self.scribe.settled().await;
        }
        for release in &ended {
            self.count_ended(index, release);
        }
        self.show_metrics(index);
        self.answer_waiters(index);
        self.views_dirty = true;
        Taken { release, reason }
    }

    /// Answers the callers that wait until the traffic has moved.
    fn answer_waiters(&mut self, index: usize) {
        let service = &self.services[index];
        if service.is_switching() || service.waiters.is_empty() {
            return;
        }
        // The views are published first, so that a caller who looks again after the answer sees the
        // change.
        self.publish();
        let service = &mut self.services[index];
        let release = service.state.release.as_ref();
        let moved_back = matches!(release.map(|r| &r.phase), Some(Phase::Reverted | Phase::RolledBack));
        let held = matches!(release.map(|r| &r.phase), Some(Phase::Degraded(_)));
        let reason = release.map(|release| release.reason.clone()).unwrap_or_default();
        for waiter in service.waiters.drain(..) {
            let as_asked = !held && waiter.forward != moved_back;
            let answer = if as_asked {
                Ok(waiter.done)
            } else {
                Err(Rejection::Conflict { code: RefusalCode::NotSwitched, why: reason.clone() })
            };
            // A caller who has disconnected needs no answer.
            let _ = waiter.reply.send(answer);
        }
    }
}
