//! Messages to people about releases and alarms. The controller hands them to the notifiers and
//! never waits for them.
//!
//! The end of a release is announced at least once. Its message is stored together with the state
//! that it announces, and is removed when every notifier is done with it. Other messages are sent
//! once, or not at all if the process ends in between.

use std::time::SystemTime;

use crate::clock;
use crate::control_plane::notify::{AlarmChange, Notification, Receipt, ReleaseSummary};
use crate::model::{ReleaseId, ServiceName};
use crate::release::{Alarm, Effect, Notice, Step};

use super::message::Internal;
use super::record::PendingNotice;
use super::run::Controller;
use super::service::ServiceRuntime;
use super::view::ReleaseView;

/// The most ends of releases that wait to be announced. A further one displaces the oldest.
const PENDING_MAX: usize = 16;

const fn is_end(notice: Notice) -> bool {
    matches!(
        notice,
        Notice::Succeeded | Notice::Failed | Notice::Cancelled | Notice::Reverted | Notice::RolledBack
    )
}

impl ServiceRuntime {
    /// Notes which ends of releases a step announces. They are stored together with its state.
    pub(crate) fn note_ends(&mut self, step: &Step) {
        for effect in step.after_persist.iter().chain(&step.now) {
            if let Effect::Notify { notice, release: Some(release), reason } = effect {
                self.note_end(*notice, release, reason);
            }
        }
    }

    fn note_end(&mut self, notice: Notice, release: &ReleaseId, reason: &str) {
        let known = self.pending.iter().any(|one| one.notice == notice && one.release == *release);
        if known || !is_end(notice) {
            return;
        }
        if self.pending.len() == PENDING_MAX {
            self.pending.remove(0);
        }
        let (release, reason) = (release.clone(), reason.to_owned());
        self.pending.push(PendingNotice { release, notice, reason, time: clock::wall_rfc3339() });
    }

    fn notification(&self, notice: Notice, reason: String, time: String) -> Notification {
        Notification {
            notice,
            service: self.name().to_string(),
            time,
            reason,
            release: None,
            alarm: None,
            active: self.state.active,
            active_version: self.state.active_version().map(ToString::to_string),
            rollback_available: self.state.rollback_available(),
        }
    }

    fn release_summary(&self, id: &ReleaseId) -> Option<ReleaseSummary> {
        let known = self.live.get(id).or_else(|| self.recent.iter().rfind(|view| view.id == id.as_str()));
        known.or_else(|| self.last.as_ref().filter(|view| view.id == id.as_str())).map(release_summary)
    }
}

fn release_summary(view: &ReleaseView) -> ReleaseSummary {
    let time = |text: &str| humantime::parse_rfc3339(text).ok();
    let end = view.finished_at.as_deref().and_then(time).unwrap_or_else(clock::wall);
    let lasted = |begun: SystemTime| end.duration_since(begun).ok().map(|lasted| lasted.as_secs_f64());
    ReleaseSummary {
        id: view.id.clone(),
        kind: view.kind.clone(),
        version: view.version.clone(),
        color: view.color,
        state: view.state.to_string(),
        started_at: view.started_at.clone(),
        promoted_at: view.promoted_at.clone(),
        finished_at: view.finished_at.clone(),
        duration_seconds: time(&view.started_at).and_then(lasted),
        verdict: view.verdict,
        numbers: view.numbers.clone(),
    }
}

impl Controller {
    /// Announces a fact about a release.
    pub(crate) fn announce(
        &mut self,
        index: usize,
        notice: Notice,
        release: Option<&ReleaseId>,
        reason: String,
    ) {
        let service = &mut self.services[index];
        let mut time = clock::wall_rfc3339();
        if let Some(release) = release {
            service.note_end(notice, release, &reason);
            let noted = service.pending.iter().find(|one| one.notice == notice && one.release == *release);
            time = noted.map_or(time, |noted| noted.time.clone());
        }
        let release_summary = release.and_then(|id| service.release_summary(id));
        let notification =
            Notification { release: release_summary, ..service.notification(notice, reason, time) };
        let receipt = release.filter(|_| is_end(notice)).map(|release| {
            let (internal, name, release) = (self.internal.clone(), service.name().clone(), release.clone());
            // If the channel is full, the message is sent again after a restart, once more than
            // needed.
            Receipt::new(move || {
                drop(internal.try_send(Internal::Notified(name.clone(), release.clone(), notice)));
            })
        });
        self.notifiers.tell(notification, receipt);
    }

    /// Announces an alarm, with the release that is under way, if there is one.
    pub(crate) fn announce_alarm(&mut self, index: usize, alarm: Alarm, raised: bool, reason: String) {
        let service = &self.services[index];
        let release = service.state.release.as_ref().and_then(|release| service.release_summary(&release.id));
        let alarm = Some(AlarmChange { name: alarm.as_str().to_owned(), raised });
        let notification = Notification {
            release,
            alarm,
            ..service.notification(Notice::Alarm, reason, clock::wall_rfc3339())
        };
        self.notifiers.tell(notification, None);
    }

    /// Announces again the ends that the process before this one may not have announced.
    pub(crate) fn tell_again(&mut self, index: usize) {
        for pending in self.services[index].pending.clone() {
            self.announce(index, pending.notice, Some(&pending.release), pending.reason);
        }
    }

    /// Removes an end of a release from the pending messages, after every notifier is done with it.
    pub(crate) fn notified(&mut self, service: &ServiceName, release: &ReleaseId, notice: Notice) {
        let Some(index) = self.index(service.as_str()) else { return };
        let service = &mut self.services[index];
        let before = service.pending.len();
        service.pending.retain(|one| one.notice != notice || one.release != *release);
        service.unsaved |= service.pending.len() < before;
    }
}
