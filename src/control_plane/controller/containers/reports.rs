//! Translates the reports of engines to endpoints and facts.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Service, Upstream as Configured};
use crate::control_plane::controller::message::Internal;
use crate::control_plane::controller::run::Controller;
use crate::control_plane::controller::service::ServiceRuntime;
use crate::control_plane::provider::docker::{EngineReport, Rules, names_host_only, place};
use crate::model::{Color, Endpoint, Health, PerColor, ReleaseId, ServiceName};
use crate::release::{Effect, Event, Note, State, UpstreamKind, left_behind};
use crate::tasks;

use super::rebuild::{container_sets, images, rebuilt};
use super::{Containers, Member, Remembered};

/// The most container ids of a color that the state gets.
const IDS_MAX: usize = 1000;
/// Seconds between two lines of a story about one pull.
const PROGRESS_EVERY: u32 = 5;

impl Controller {
    /// Takes a report of an engine.
    pub(crate) fn engine_reported(&mut self, report: &EngineReport) {
        for index in 0..self.services.len() {
            if self.services[index].hear(report) {
                self.rebuild_late(index);
                self.place_containers(index);
                self.tell_away(index);
            }
        }
    }

    /// Notes that the containers of a set were started. The set counts as started once all of them
    /// are seen to run.
    pub(crate) fn came_up(&mut self, service: &ServiceName, set: ReleaseId) {
        let Some(index) = self.index(service.as_str()) else { return };
        let starts = self.services[index].state.running().is_some_and(|release| release.containers == set);
        let Some(containers) = self.services[index].containers.as_mut() else { return };
        // A set that was brought up again while it served is part of no release.
        if starts {
            containers.came_up = Some(set);
        }
        self.place_containers(index);
    }

    /// Notes which containers of a set an engine gives no answer about, and tells the state of all of them.
    pub(crate) fn stuck(&mut self, service: &ServiceName, set: &ReleaseId, which: Option<String>) {
        let Some(index) = self.index(service.as_str()) else { return };
        let Some(containers) = self.services[index].containers.as_mut() else { return };
        let before = match which {
            Some(which) => containers.stuck.insert(set.clone(), which),
            None => containers.stuck.remove(set),
        };
        if before.as_ref() != containers.stuck.get(set) {
            let all: Vec<&str> = containers.stuck.values().map(String::as_str).collect();
            let event = Event::Stuck((!all.is_empty()).then(|| all.join("; ")));
            self.pending.push_back((index, event));
        }
    }

    /// Notes that a set was stopped or removed.
    pub(crate) fn swept(&mut self, service: &ServiceName, set: &ReleaseId) {
        if let Some(index) = self.index(service.as_str())
            && let Some(containers) = self.services[index].containers.as_mut()
        {
            containers.swept.remove(set);
        }
    }

    /// Updates the endpoints if the record gives a color another set.
    pub(crate) fn follow_record(&mut self, index: usize) {
        let service = &self.services[index];
        let Some(containers) = &service.containers else { return };
        if !containers.follow && containers.wanted != sets(&service.state) {
            self.place_containers(index);
        }
    }

    /// Uses all that is known of a service's containers. It sets the endpoints first and queues the
    /// facts after them.
    pub(crate) fn place_containers(&mut self, index: usize) {
        self.services[index].find_members();
        for color in Color::ALL {
            self.set_endpoints(index, color);
        }
        self.remember(index);
        let facts = self.services[index].facts();
        self.pending.extend(facts.into_iter().map(|event| (index, event)));
        self.count_restarts(index);
        self.tell_presence(index);
    }

    /// Rebuilds the state late. It is called when a first start found the engine away, and the
    /// engine's first report comes now. Its containers may belong to a lost record.
    fn rebuild_late(&mut self, index: usize) {
        let service = &mut self.services[index];
        let state = &service.state;
        let untouched = state.numbered == 0 && state.sides.iter().all(|(_, side)| side.containers.is_none());
        let Some(containers) = service.containers.as_mut().filter(|_| untouched) else { return };
        let all = containers.reports.values().flatten().flat_map(|report| report.containers.values());
        let sets = container_sets(service.config.name.as_str(), all);
        if let Some(state) = rebuilt(&service.state, true, false, &sets) {
            containers.stored.images.extend(images(&sets));
            service.state = state;
            service.unsaved = true;
            self.begin(index);
        }
    }

    fn tell_away(&mut self, index: usize) {
        let Some(containers) = self.services[index].containers.as_mut() else { return };
        let away: Vec<&str> =
            containers.reports.values().flatten().filter_map(|report| report.away.as_deref()).collect();
        let away = (!away.is_empty()).then(|| away.join("; "));
        if containers.away_told != away {
            containers.away_told.clone_from(&away);
            self.pending.push_back((index, Event::EngineAway(away)));
        }
    }

    fn set_endpoints(&mut self, index: usize, color: Color) {
        let service = &mut self.services[index];
        let Some(containers) = service.containers.as_mut() else { return };
        let (endpoints, fresh) = containers.endpoints(color);
        let roster = &mut service.rosters[color];
        let proved = roster.endpoints().iter().any(|(_, health)| health.health == Health::Healthy);
        let before: BTreeSet<_> =
            roster.endpoints().iter().map(|(endpoint, _)| endpoint.id.clone()).collect();
        // An endpoint that was started again is another process, so nothing is known of its health.
        let stayed: Vec<Endpoint> = endpoints.iter().filter(|e| !fresh.contains(&e.id)).cloned().collect();
        let mut changed = roster.set_endpoints(&stayed);
        changed |= roster.set_endpoints(&endpoints);
        let joined = endpoints.iter().filter(|e| !before.contains(&e.id) || fresh.contains(&e.id));
        if proved {
            containers.unproved.extend(joined.map(|endpoint| endpoint.id.clone()));
        }
        if changed {
            tracing::info!(service = %service.config.name, %color, count = endpoints.len(), "endpoints changed");
            self.targets_dirty = true;
            self.table_dirty = true;
            self.views_dirty = true;
            self.tell_health(index, color);
        }
    }

    /// Stores the addresses of the endpoints, for a start while their engine is away.
    fn remember(&mut self, index: usize) {
        let service = &mut self.services[index];
        let Some(containers) = service.containers.as_mut() else { return };
        let remembered = containers.remembered();
        if containers.stored.endpoints != remembered {
            containers.stored.endpoints = remembered;
            service.unsaved = true;
        }
        let present: BTreeSet<_> = containers
            .members
            .values()
            .filter_map(|member| Some(member.endpoint.as_ref()?.id.clone()))
            .collect();
        containers.unproved.retain(|id| present.contains(id));
    }

    /// Finds a container of the release under way that has ended and was started again. Asks its
    /// engine for the reason and its last output, and gives the state that fact.
    fn count_restarts(&mut self, index: usize) {
        let service = &mut self.services[index];
        let Some(containers) = service.containers.as_mut() else { return };
        let Some(release) = service.state.running() else { return };
        let set = release.containers.clone();
        let new = set == release.id;
        let mut worst: Option<(u32, String, Option<String>)> = None;
        for (id, member) in &containers.members {
            if member.set.as_ref() != Some(&set) {
                continue;
            }
            let before = *containers.restarts_before.entry(id.clone()).or_insert(if new {
                0
            } else {
                member.restarts
            });
            let restarts = member.restarts.saturating_sub(before);
            if restarts > containers.restarts_told && worst.as_ref().is_none_or(|(most, ..)| restarts > *most)
            {
                worst = Some((restarts, id.clone(), member.end.clone()));
            }
        }
        let Some((restarts, id, end)) = worst else { return };
        containers.restarts_told = restarts;
        let Some(upstream) = super::upstream(&service.config) else { return };
        let (name, internal) = (service.config.name.clone(), self.internal.clone());
        self.tasks.spawn(tasks::named("restart reason", async move {
            let why = upstream.why_it_ended(&id, end).await;
            let event = Event::EndpointRestarted { release: set, restarts, why };
            let _ = internal.send(Internal::Event(name, event)).await;
        }));
    }

    /// Repairs once a second each set that two sweeps in a row find left behind. One sweep is not
    /// enough, since a set that was just stopped may still be seen to run once.
    pub(crate) fn sweep(&mut self) {
        for index in 0..self.services.len() {
            let effects = self.services[index].left_behind();
            let Some(containers) = self.services[index].containers.as_mut() else { continue };
            let suspects: BTreeSet<ReleaseId> = effects.keys().cloned().collect();
            let before = std::mem::replace(&mut containers.suspects, suspects);
            for (set, effect) in effects {
                if before.contains(&set) {
                    tracing::warn!(service = %self.services[index].name(), ?effect, "left behind: made good");
                    self.order(index, effect);
                }
            }
        }
    }

    /// Shows the progress of a pull, in the service's view at once and in the release's story every
    /// few seconds.
    pub(crate) fn show_progress(&mut self) {
        for index in 0..self.services.len() {
            let Some(containers) = self.services[index].containers.as_mut() else { continue };
            let Some(crew) = containers.crew.as_mut() else { continue };
            containers.progress_age = containers.progress_age.saturating_add(1);
            if !crew.progress.has_changed().unwrap_or(false) {
                continue;
            }
            let progress = crew.progress.borrow_and_update().clone();
            let same_pull =
                containers.progress.as_ref().map(|(id, _)| id) == progress.as_ref().map(|(id, _)| id);
            containers.progress.clone_from(&progress);
            self.views_dirty = true;
            if let Some((release, text)) = progress
                && (!same_pull || containers.progress_age >= PROGRESS_EVERY)
            {
                containers.progress_age = 0;
                let reason = format!("pulling: {text}");
                self.tell(index, Note { release: Some(release), word: "note", reason, numbers: None });
            }
        }
    }
}

/// Returns the set of each color.
fn sets(state: &State) -> PerColor<Option<ReleaseId>> {
    PerColor::from_fn(|color| state.sides[color].containers.clone())
}

impl ServiceRuntime {
    /// Takes a report of an engine, if the service uses that engine. Returns whether it does.
    pub(crate) fn hear(&mut self, report: &EngineReport) -> bool {
        let Some(containers) = self.containers.as_mut() else { return false };
        let Some(known) = containers.reports.get_mut(&report.engine) else { return false };
        *known = Some(report.clone());
        if report.away.is_none() {
            containers.heard.insert(report.engine.clone());
        }
        true
    }

    /// Finds the service's containers among all that its engines have.
    fn find_members(&mut self) {
        let Some(containers) = self.containers.as_mut() else { return };
        let Some(rules) = rules(&self.config, containers.follow) else { return };
        let mut members = BTreeMap::new();
        let mut problems = BTreeSet::new();
        for report in containers.reports.values().flatten() {
            for container in report.containers.values() {
                if names_host_only(&rules, container) {
                    problems.insert(format!(
                        "container {} has VIRTUAL_HOST with the service's host and no color's: add a preview host such \
                         as blue.HOST, or the labels greenlight.service and greenlight.color",
                        container.name
                    ));
                }
                let Some(placed) = place(&rules, container, report.host) else { continue };
                let (endpoint, problem) = match placed.endpoint {
                    Ok(endpoint) => (endpoint, None),
                    Err(why) => (None, Some(why)),
                };
                problems.extend(problem.clone());
                // The engine does not report any more how the container ended before its restart,
                // so the older answer is kept.
                let ended_before =
                    containers.members.get(&container.id).and_then(|before| before.end.clone());
                let member = Member {
                    engine: report.engine.clone(),
                    color: placed.color,
                    set: placed.set,
                    endpoint,
                    problem,
                    stopped: container.stopped,
                    started_at: container.started_at.clone(),
                    restarts: container.restarts,
                    end: container.end.clone().or(ended_before),
                    name: container.name.clone(),
                };
                members.insert(container.id.clone(), member);
            }
        }
        for problem in problems.difference(&containers.problems) {
            tracing::warn!(service = %self.config.name, "{problem}");
        }
        containers.problems = problems;
        containers.restarts_before.retain(|id, _| members.contains_key(id));
        containers.fresh = members
            .iter()
            .filter(|(id, member)| {
                let before = containers.members.get(*id);
                before.is_some_and(|before| before.started_at != member.started_at)
            })
            .filter_map(|(_, member)| Some(member.endpoint.as_ref()?.id.clone()))
            .collect();
        containers.members = members;
        if !containers.follow {
            containers.wanted = sets(&self.state);
        }
    }

    /// Finds sets that a crash left behind among the containers of the engines, and the effect that
    /// repairs each.
    fn left_behind(&self) -> BTreeMap<ReleaseId, Effect> {
        let Some(containers) = self.containers.as_ref().filter(|containers| !containers.follow) else {
            return BTreeMap::new();
        };
        let members = containers.members.values().filter_map(|member| {
            let set = member.set.as_ref().filter(|set| !containers.swept.contains(*set))?;
            Some((set, member.color, member.endpoint.is_some()))
        });
        left_behind(&self.state, members)
    }

    /// Returns the facts for the state that the last look has found.
    fn facts(&mut self) -> Vec<Event> {
        let mut facts = Vec::new();
        let state = &self.state;
        let Some(containers) = self.containers.as_mut() else { return facts };
        if containers.follow {
            let whole = containers
                .reports
                .values()
                .all(|report| report.as_ref().is_some_and(|report| report.away.is_none()));
            for color in Color::ALL {
                let of_color =
                    containers.members.iter().filter(|(_, m)| m.color == color && m.endpoint.is_some());
                let ids: Vec<String> = of_color.map(|(id, _)| id.clone()).take(IDS_MAX).collect();
                if whole && containers.reported[color].as_ref() != Some(&ids) {
                    containers.reported[color] = Some(ids.clone());
                    facts.push(Event::Containers { color, ids });
                }
            }
            return facts;
        }
        let Some(set) = containers.came_up.clone() else { return facts };
        let of_set = || containers.members.values().filter(|member| member.set.as_ref() == Some(&set));
        if let Some(why) = of_set().find_map(|member| member.problem.clone()) {
            containers.came_up = None;
            facts.push(Event::StartFailed { release: set, why });
            return facts;
        }
        let expected = state.running().map_or(0, |release| release.expected);
        let running = of_set().filter(|member| member.endpoint.is_some()).count();
        if running > 0 && running >= expected as usize {
            containers.came_up = None;
            facts.push(Event::Started { release: set });
        }
        facts
    }
}

impl Containers {
    /// Returns a color's endpoints, and which endpoints were started again since the look before.
    fn endpoints(&self, color: Color) -> (Vec<Endpoint>, BTreeSet<crate::model::EndpointId>) {
        let ours =
            |set: Option<&ReleaseId>| self.follow || (set.is_some() && set == self.wanted[color].as_ref());
        let seen = self.members.values().filter(|member| member.color == color && ours(member.set.as_ref()));
        let mut endpoints: Vec<Endpoint> = seen.filter_map(|member| member.endpoint.clone()).collect();
        // If an engine has not reported since the start, its endpoints are taken as unchanged.
        let unheard = self.stored.endpoints.iter().filter(|known| {
            known.color == color && self.is_unheard(&known.engine) && ours(known.set.as_ref())
        });
        endpoints.extend(unheard.map(|known| Endpoint {
            id: known.id.clone(),
            address: known.address,
            probe: known.probe,
        }));
        (endpoints, self.fresh.clone())
    }

    fn is_unheard(&self, engine: &str) -> bool {
        self.reports.contains_key(engine) && !self.heard.contains(engine)
    }

    /// Returns the endpoints to store. Those of an engine that has not reported yet stay as they
    /// were.
    fn remembered(&self) -> Vec<Remembered> {
        let ours = |color: Color, set: Option<&ReleaseId>| {
            self.follow || (set.is_some() && set == self.wanted[color].as_ref())
        };
        let unheard = self.stored.endpoints.iter().filter(|known| self.is_unheard(&known.engine)).cloned();
        let seen = self.members.values().filter(|member| ours(member.color, member.set.as_ref()));
        let seen = seen.filter_map(|member| {
            let endpoint = member.endpoint.as_ref()?;
            Some(Remembered {
                engine: member.engine.clone(),
                color: member.color,
                set: member.set.clone(),
                id: endpoint.id.clone(),
                address: endpoint.address,
                probe: endpoint.probe,
            })
        });
        unheard.chain(seen).collect()
    }
}

/// Returns the rules by which containers are assigned to the service.
fn rules(service: &Service, follow: bool) -> Option<Rules<'_>> {
    let Configured::Docker { engine, .. } = &service.upstream else { return None };
    debug_assert_eq!(follow, service.policy.upstream == UpstreamKind::Fixed);
    Some(Rules {
        service: &service.name,
        config: engine,
        follow,
        hosts: &service.hosts,
        preview_hosts: &service.preview_hosts,
    })
}
