//! Performs effects. Each can be performed twice without harm, since a crash may come between any
//! two of them.

use std::sync::Arc;

use crate::model::{Color, Epoch, ReleaseId};
use crate::release::{By, Effect, Event, Kind, Phase, Release, State};
use crate::tasks;

use super::errands::About;
use super::message::Internal;
use super::run::Controller;

impl Controller {
    /// Performs effects in their order. Work that takes time goes on in a task, and its result
    /// comes back as an event.
    pub(crate) fn perform(&mut self, index: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Adopt { color, release } => self.adopt(index, color, release),
                Effect::Swap { epoch, active } => self.swap(index, epoch, active),
                Effect::Drain { color, release } => self.drain(index, color, release),
                Effect::Undrain { color } => self.undrain(index, color),
                Effect::Refresh => self.table_dirty = true,
                Effect::Notify { notice, release, reason } => {
                    self.announce(index, notice, release.as_ref(), reason);
                }
                Effect::Alarm { alarm, raised, reason } => {
                    let service = self.services[index].name();
                    if raised {
                        tracing::warn!(%service, ?alarm, "{reason}");
                    } else {
                        tracing::info!(%service, ?alarm, "over: {reason}");
                    }
                    self.announce_alarm(index, alarm, raised, reason);
                }
                Effect::Errand { errand, release, color, version, other } => {
                    self.run_errand(index, About { errand, release, color, version, other });
                }
                Effect::Pull { .. }
                | Effect::Start { .. }
                | Effect::SaveEvidence { .. }
                | Effect::Stop { .. }
                | Effect::Remove { .. } => self.order(index, effect),
            }
        }
        self.views_dirty = true;
    }

    fn adopt(&mut self, index: usize, color: Color, release: ReleaseId) {
        let service = &mut self.services[index];
        if service.rosters[color].owner() != Some(&release) {
            service.rosters[color].adopt(Some(release));
            // The earlier traffic of this color, with another version, says nothing about the new
            // version.
            service.windows[color].clear();
            service.ailing[color] = None;
        }
        service.reported[color] = service.rosters[color].summary();
        let event = Event::Health {
            color,
            release: service.rosters[color].owner().cloned(),
            health: service.reported[color],
        };
        self.metrics.rosters(&service.config.name, &service.rosters);
        self.pending.push_back((index, event));
        self.targets_dirty = true;
        self.table_dirty = true;
    }

    fn swap(&mut self, index: usize, epoch: Epoch, active: Color) {
        let service = &mut self.services[index];
        let baseline = service.baseline(active.other());
        if service.state.running().is_some_and(|release| matches!(release.phase, Phase::Promoting(_))) {
            service.recall.leave(&mut service.windows[active.other()]);
        }
        let name = service.name().clone();
        let reason = switch_reason(&service.state);
        self.metrics.switches_total.with_label_values(&[name.as_str(), reason]).inc();
        self.publish_table();
        tracing::info!(service = %name, %active, %epoch, "traffic moved");
        let (workers, internal) = (self.workers.clone(), self.internal.clone());
        self.tasks.spawn(tasks::named("switch", async move {
            workers.acknowledge().await;
            // The receiver is gone only when the process is stopping.
            let _ = internal.send(Internal::Event(name, Event::Acknowledged { epoch, baseline })).await;
        }));
    }

    fn drain(&mut self, index: usize, color: Color, release: Option<ReleaseId>) {
        let service = &mut self.services[index];
        if service.drains[color].as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let name = service.name().clone();
        let timeout = service.state.policy.drain_timeout;
        let (workers, internal) = (self.workers.clone(), self.internal.clone());
        let task = self.tasks.spawn(tasks::named("drain", async move {
            let cut = workers.drain(&name, color, timeout).await;
            if cut > 0 {
                tracing::warn!(service = %name, %color, cut, "requests were cut when the drain's time was up");
            }
            let _ = internal.send(Internal::Event(name, Event::Drained { color, release })).await;
        }));
        service.drains[color] = Some(task);
    }

    fn undrain(&mut self, index: usize, color: Color) {
        if let Some(task) = self.services[index].drains[color].take() {
            task.abort();
        }
    }

    /// Stores a table made from every service's record and health. No other function writes the
    /// table.
    pub(crate) fn publish_table(&mut self) {
        self.table_dirty = false;
        let routes = self.services.iter_mut().map(|service| {
            let route = super::table::service_route(
                &service.config,
                &service.state,
                &service.rosters,
                &service.ejected,
            );
            let route = match &service.containers {
                Some(containers) => super::table::hold_back(route, &containers.unproved),
                None => route,
            };
            match &service.route {
                Some(old) if **old == route => Arc::clone(old),
                _ => {
                    let route = Arc::new(route);
                    service.route = Some(Arc::clone(&route));
                    route
                }
            }
        });
        let routes = routes.collect();
        let table = crate::routing::TableBuilder::build(&self.table.load(), routes);
        self.table.store(Arc::new(table));
    }
}

/// Returns the reason why traffic moves, for `switches_total`.
fn switch_reason(state: &State) -> &'static str {
    match state.release.as_ref() {
        Some(Release { phase: Phase::Reverting(reverting), .. }) => match reverting.by {
            By::Judge => "revert",
            By::Person => "rollback",
        },
        Some(Release { kind: Kind::Rollback, .. }) => "rollback",
        _ => "promote",
    }
}
