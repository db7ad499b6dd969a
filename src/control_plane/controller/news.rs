//! What people are told of releases and alarms: handed to the notifiers, never waited for.
//!
//! The end of a release is told at least once: what is to be told is written with the state that
//! says so, and crossed out when every notifier is done with it. Other news are told once, or not at
//! all where the process ends in between.

use std::time::SystemTime;

use crate::clock;
use crate::control_plane::notify::{AlarmNews, News, Receipt, ReleaseNews};
use crate::model::{ReleaseId, ServiceName};
use crate::release::{Alarm, Effect, Notice, Step};

use super::message::Internal;
use super::record::Untold;
use super::run::Controller;
use super::service::ServiceRuntime;
use super::view::ReleaseView;

/// Ends that wait to be told; older ones give way.
const UNTOLD_MAX: usize = 16;

const fn is_end(notice: Notice) -> bool {
    matches!(
        notice,
        Notice::Succeeded | Notice::Failed | Notice::Cancelled | Notice::Reverted | Notice::RolledBack
    )
}

impl ServiceRuntime {
    /// Notes which ends a step tells of: written with its state.
    pub(crate) fn note_ends(&mut self, step: &Step) {
        for effect in step.after_persist.iter().chain(&step.now) {
            if let Effect::Notify { notice, release: Some(release), reason } = effect {
                self.note_end(*notice, release, reason);
            }
        }
    }

    fn note_end(&mut self, notice: Notice, release: &ReleaseId, reason: &str) {
        let known = self.untold.iter().any(|one| one.notice == notice && one.release == *release);
        if known || !is_end(notice) {
            return;
        }
        if self.untold.len() == UNTOLD_MAX {
            self.untold.remove(0);
        }
        let (release, reason) = (release.clone(), reason.to_owned());
        self.untold.push(Untold { release, notice, reason, time: clock::wall_rfc3339() });
    }

    fn news(&self, notice: Notice, reason: String, time: String) -> News {
        News {
            notice,
            service: self.name().to_string(),
            time,
            reason,
            release: None,
            alarm: None,
            rollback_available: self.state.rollback_available(),
        }
    }

    fn release_news(&self, id: &ReleaseId) -> Option<ReleaseNews> {
        let known = self.live.get(id).or_else(|| self.recent.iter().rfind(|view| view.id == id.as_str()));
        known.or_else(|| self.last.as_ref().filter(|view| view.id == id.as_str())).map(release_news)
    }
}

fn release_news(view: &ReleaseView) -> ReleaseNews {
    let time = |text: &str| humantime::parse_rfc3339(text).ok();
    let end = view.finished_at.as_deref().and_then(time).unwrap_or_else(clock::wall);
    let lasted = |begun: SystemTime| end.duration_since(begun).ok().map(|lasted| lasted.as_secs_f64());
    ReleaseNews {
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
    /// Tells of a release.
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
            let noted = service.untold.iter().find(|one| one.notice == notice && one.release == *release);
            time = noted.map_or(time, |noted| noted.time.clone());
        }
        let release_news = release.and_then(|id| service.release_news(id));
        let news = News { release: release_news, ..service.news(notice, reason, time) };
        let receipt = release.filter(|_| is_end(notice)).map(|release| {
            let (internal, name, release) = (self.internal.clone(), service.name().clone(), release.clone());
            // A full channel: it is told again after a restart, once too often.
            Receipt::new(move || {
                drop(internal.try_send(Internal::Told(name.clone(), release.clone(), notice)));
            })
        });
        self.notifiers.tell(news, receipt);
    }

    /// Tells of an alarm, with the release that it is about, if one is under way.
    pub(crate) fn announce_alarm(&mut self, index: usize, alarm: Alarm, raised: bool, reason: String) {
        let service = &self.services[index];
        let release = service.state.release.as_ref().and_then(|release| service.release_news(&release.id));
        let alarm = Some(AlarmNews { name: alarm.as_str().to_owned(), raised });
        let news = News { release, alarm, ..service.news(Notice::Alarm, reason, clock::wall_rfc3339()) };
        self.notifiers.tell(news, None);
    }

    /// Tells again what the process before this one may not have told.
    pub(crate) fn tell_again(&mut self, index: usize) {
        for untold in self.services[index].untold.clone() {
            self.announce(index, untold.notice, Some(&untold.release), untold.reason);
        }
    }

    /// Every notifier is done with this end.
    pub(crate) fn told(&mut self, service: &ServiceName, release: &ReleaseId, notice: Notice) {
        let Some(index) = self.index(service.as_str()) else { return };
        let service = &mut self.services[index];
        let before = service.untold.len();
        service.untold.retain(|one| one.notice != notice || one.release != *release);
        service.unsaved |= service.untold.len() < before;
    }
}
