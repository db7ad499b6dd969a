//! Counts the running containers of each color's set, for the supervision in the core.

use crate::control_plane::controller::message::Internal;
use crate::control_plane::controller::run::Controller;
use crate::control_plane::controller::service::ServiceRuntime;
use crate::model::{Color, PerColor};
use crate::release::{Event, Presence};
use crate::tasks;

use super::Containers;

impl Controller {
    /// Gives the state the number of running containers of each set, if it has changed, and the words about
    /// each container that has ended.
    pub(crate) fn tell_presence(&mut self, index: usize) {
        self.services[index].tell_ends(&mut self.tasks, &self.internal);
        let Some(containers) = self.services[index].containers.as_mut().filter(|found| !found.follow) else {
            return;
        };
        let present = containers.presence();
        for (color, presence) in present.iter() {
            if containers.present[color] != *presence {
                let event = Event::Present { color, presence: presence.clone() };
                self.pending.push_back((index, event));
            }
        }
        containers.present = present;
    }
}

impl Containers {
    /// How many containers of each color's set run. An engine that has not listed its containers yet makes
    /// that unknown.
    fn presence(&self) -> PerColor<Option<Presence>> {
        let all_heard = self.reports.keys().all(|engine| self.heard.contains(engine));
        PerColor::from_fn(|color| self.present_in(color).filter(|_| all_heard))
    }

    fn present_in(&self, color: Color) -> Option<Presence> {
        let set = self.wanted[color].clone()?;
        let mut presence = Presence { set, running: 0, stopped: false, restarts: 0 };
        let members = self.members.values().filter(|member| member.set.as_ref() == Some(&presence.set));
        for member in members {
            // A start would not help a container that runs and can't be reached.
            if member.endpoint.is_some() || member.problem.is_some() {
                presence.running += 1;
            } else {
                presence.stopped |= member.stopped;
            }
            presence.restarts = presence.restarts.saturating_add(member.restarts);
        }
        Some(presence)
    }
}

impl ServiceRuntime {
    /// Asks the engine how each container of a serving set has ended, once for each end.
    fn tell_ends(
        &mut self,
        spawned: &mut tokio::task::JoinSet<()>,
        internal: &tokio::sync::mpsc::Sender<Internal>,
    ) {
        let name = self.config.name.clone();
        let Some(upstream) = super::upstream(&self.config) else { return };
        let Some(containers) = self.containers.as_mut().filter(|found| !found.follow) else { return };
        let Containers { members, wanted, ends_told, .. } = &mut **containers;
        ends_told.retain(|id, _| members.contains_key(id));
        for (id, member) in members.iter() {
            let Some(set) = member.set.clone().filter(|set| wanted[member.color].as_ref() == Some(set))
            else {
                continue;
            };
            let life = (member.started_at.clone(), member.restarts);
            let restarted = ends_told.get(id).is_some_and(|(_, restarts)| *restarts < member.restarts);
            let ended = member.endpoint.is_none() && member.problem.is_none();
            if ends_told.get(id) == Some(&life) || !(ended || restarted) {
                ends_told.entry(id.clone()).or_insert((String::new(), member.restarts));
                continue;
            }
            ends_told.insert(id.clone(), life);
            let (upstream, end) = (upstream.clone(), member.end.clone());
            let (id, container, name, internal) =
                (id.clone(), member.name.clone(), name.clone(), internal.clone());
            spawned.spawn(tasks::named("end of a container", async move {
                let why = upstream.why_it_ended(&id, end).await.unwrap_or_else(|| "it ended".to_owned());
                let event = Event::Ended { set, why: format!("{container}: {why}") };
                let _ = internal.send(Internal::Event(name, event)).await;
            }));
        }
    }
}
