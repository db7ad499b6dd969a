//! The texts that people read: release records, the lines of a release's story, and the present
//! view of a service.

use std::sync::Arc;
use std::time::Duration;

use crate::clock;
use crate::judge::Numbers;
use crate::model::{Color, PerColor, Tick};
use crate::release::{Gate, Note, Release, State, Stretch};

use super::metrics::Shown;
use super::run::Controller;
use super::service::{RECENT_MAX, ServiceRuntime};
use super::view::{ContainersView, EndpointView, PinView, QuarantineView, ServiceView};
use super::{EventView, ReleaseView, Views};

type Numbered = serde_json::Map<String, serde_json::Value>;

fn numbers(numbers: Option<&Numbers>) -> Numbered {
    match numbers.map(serde_json::to_value) {
        Some(Ok(serde_json::Value::Object(map))) => map,
        _ => Numbered::new(),
    }
}

/// Returns a release's numbers: those of the running judge, or else those of its verdict.
pub(crate) fn judged(release: &Release) -> Option<Numbers> {
    release.phase.bake().map(|bake| bake.judge.numbers()).or_else(|| release.numbers.clone())
}

impl ServiceRuntime {
    /// Describes the service in one line, for the audit log.
    pub(crate) fn summary(&self) -> String {
        let state = &self.state;
        let release = state.release.iter().chain(&state.queued).map(|release| release.id.as_str());
        let release: Vec<&str> = release.collect();
        let pinned = state.pin.as_ref().map(|pin| pin.reason.as_deref().unwrap_or("no reason given"));
        format!(
            "active {}, epoch {}, state {}, release {}, pinned {}, paused {}, quarantined {}",
            state.active,
            state.epoch,
            state.state_word(),
            if release.is_empty() { "none".to_owned() } else { release.join(" and ") },
            pinned.map_or_else(|| "no".to_owned(), |reason| format!("yes ({reason})")),
            if state.paused { "yes" } else { "no" },
            state.quarantine.len(),
        )
    }

    /// Updates the records of the running, the queued and the just ended releases.
    pub(crate) fn update_views(&mut self, ended: &[Release]) {
        let state = self.state.clone();
        self.update_views_of(&state, ended);
    }

    /// Updates the same records for a state that is not the service's own yet.
    pub(crate) fn update_views_of(&mut self, state: &State, ended: &[Release]) {
        let live = state.release.iter().chain(state.queued.iter());
        for release in live.chain(ended) {
            let current = state.release.as_ref().is_none_or(|last| last.id == release.id);
            self.update_view(release, current);
        }
    }

    /// Updates one release's record. After a release has reached its final state, its record does
    /// not change any more.
    fn update_view(&mut self, release: &Release, current: bool) {
        let known = self.live.get(&release.id);
        if release.is_final() && known.is_none() {
            return;
        }
        if known.is_none() {
            self.accepted.insert(release.id.clone(), clock::now());
        }
        let mut view = known.cloned().unwrap_or_else(|| ReleaseView {
            kind: release.kind.as_str().to_owned(),
            started_at: clock::wall_rfc3339(),
            ..ReleaseView::new(release.id.as_str(), self.config.name.as_str(), release.color, release.name())
        });
        view.version = release.version.to_string();
        view.image = self.containers.as_ref().and_then(|c| c.stored.images.get(&release.version).cloned());
        view.color = release.color;
        view.state = release.name();
        view.reason.clone_from(&release.reason);
        view.verdict = release.verdict;
        view.cause = release.cause().map(str::to_owned);
        view.canary_percent = release.canary_percent();
        view.numbers = numbers(judged(release).as_ref());
        if view.promoted_at.is_none() && release.phase.stretch() == Stretch::After {
            view.promoted_at = Some(clock::wall_rfc3339());
        }
        if release.is_final() {
            let now = clock::wall_rfc3339();
            view.finished_at = Some(now);
            self.live.remove(&release.id);
            if self.recent.len() == RECENT_MAX {
                self.recent.remove(0);
            }
            self.recent.push(view.clone());
            self.unwritten_releases.insert(release.id.clone(), view.clone());
            if current || self.last.is_none() {
                self.last = Some(view);
            }
        } else if self.live.insert(release.id.clone(), view.clone()).as_ref() != Some(&view) {
            self.unwritten_releases.insert(release.id.clone(), view);
        }
    }

    fn view(&self) -> ServiceView {
        let state = &self.state;
        let shown = |release: &Release| {
            let live = self.live.get(&release.id).cloned();
            let view = live.or_else(|| self.last.clone().filter(|view| view.id == release.id.as_str()));
            let progress = self.containers.as_ref().and_then(|containers| containers.progress.as_ref());
            let progress = progress.filter(|(id, _)| *id == release.id).map(|(_, text)| text.clone());
            view.map(|view| ReleaseView { progress, ..view })
        };
        let now = clock::now();
        ServiceView {
            name: self.name().to_string(),
            hosts: self.config.hosts.clone(),
            active: state.active,
            active_version: state.active_version().map(ToString::to_string),
            candidate_version: state.running().map(|release| release.version.to_string()),
            epoch: state.epoch.0,
            revision: self.revision.0,
            state: state.state_name(),
            pinned: state.pin.is_some(),
            pin: state.pin.as_ref().map(|pin| PinView {
                reason: pin.reason.clone(),
                until: pin.until.map(|until| wall_at(until, now)),
            }),
            paused: state.paused,
            rollback_available: state.rollback_available(),
            release: state.release.as_ref().and_then(shown).or_else(|| self.last.clone()),
            queued: state.queued.as_ref().and_then(shown),
            endpoints: Color::ALL.into_iter().flat_map(|color| self.endpoint_views(color)).collect(),
            containers: Color::ALL.into_iter().filter_map(|color| self.containers_view(color)).collect(),
            alarms: state
                .alarms
                .iter()
                .map(|(alarm, why)| (alarm.as_str().to_owned(), why.clone()))
                .collect(),
            deadline_in_seconds: next_change(state, now).map(|due| due.since(now).as_secs_f64()),
        }
    }

    fn containers_view(&self, color: Color) -> Option<(String, ContainersView)> {
        let (_, wanted) = self.state.wanted(color)?;
        let running = self.state.present(color).map(|presence| presence.running);
        let healthy = self.rosters[color].summary().healthy;
        Some((color.to_string(), ContainersView { wanted, running, healthy }))
    }

    fn endpoint_views(&self, color: Color) -> impl Iterator<Item = EndpointView> {
        self.rosters[color].endpoints().iter().map(move |(endpoint, health)| EndpointView {
            id: endpoint.id.to_string(),
            address: endpoint.address.to_string(),
            color,
            health: health.health,
            inflight: self.inflight.get(&endpoint.id).copied().unwrap_or(0),
            last_failure: match (&health.last_failure, health.failures) {
                (Some((_, why)), 1..) => Some(why.to_string()),
                _ => None,
            },
        })
    }
}

/// Returns when the running release's state will change by itself, as far as is known now.
fn next_change(state: &State, now: Tick) -> Option<Tick> {
    match state.gate(now) {
        Some(Gate::Opens { at }) => Some(at),
        _ => state.running()?.deadline(),
    }
}

/// Returns a tick as wall-clock time, for people.
fn wall_at(tick: Tick, now: Tick) -> String {
    humantime::format_rfc3339_millis(clock::wall() + tick.since(now)).to_string()
}

impl ServiceRuntime {
    /// Notes when versions came into quarantine, and forgets those that have left it.
    pub(crate) fn watch_quarantine(&mut self) {
        let quarantine = &self.state.quarantine;
        self.quarantined_at.retain(|version, _| quarantine.iter().any(|entry| entry.version == *version));
        for entry in quarantine {
            self.quarantined_at.entry(entry.version.clone()).or_insert_with(clock::wall_rfc3339);
        }
    }
}

impl Controller {
    /// Adds a line to a release's story, in the store and for the listeners. The scribe writes it.
    pub(crate) fn tell(&self, index: usize, note: Note) {
        let service = &self.services[index];
        let Some(release) = note.release else {
            tracing::info!(service = %service.name(), "{}", note.reason);
            return;
        };
        let line = EventView {
            seq: 0,
            release: release.to_string(),
            service: service.name().to_string(),
            event: note.word.to_owned(),
            time: clock::wall_rfc3339(),
            reason: note.reason,
            numbers: numbers(note.numbers.as_ref()),
        };
        tracing::info!(service = %line.service, release = %line.release, event = %line.event, "{}", line.reason);
        self.scribe.line(line);
    }

    /// Counts a release that has reached its final state.
    pub(crate) fn count_ended(&mut self, index: usize, release: &Release) {
        let service = &mut self.services[index];
        let name = service.name().as_str();
        self.metrics.releases_total.with_label_values(&[name, release.word()]).inc();
        // A release that began before a restart is timed by its record.
        let lasted = match service.accepted.remove(&release.id) {
            Some(accepted) => Some(clock::now().since(accepted)),
            None => service.recent.iter().rfind(|view| view.id == release.id.as_str()).and_then(lasted),
        };
        if let Some(lasted) = lasted {
            self.metrics.release_duration_seconds.observe(lasted.as_secs_f64());
        }
    }

    /// Replaces the views of the admin API.
    pub(crate) fn publish_views(&mut self) {
        self.views_dirty = false;
        let services = self.services.iter().map(|service| Arc::new(service.view())).collect();
        let quarantine = self.services.iter().flat_map(quarantine_views).collect();
        self.inbox.views.store(Arc::new(Views { services, quarantine }));
    }

    pub(crate) fn show_metrics(&self, index: usize) {
        let service = &self.services[index];
        let state = &service.state;
        let numbers = state.release.as_ref().filter(|release| !release.is_final()).and_then(judged);
        self.metrics.record(
            service.name(),
            &Shown {
                active: state.active,
                epoch: state.epoch.0,
                state: state.state_name(),
                pinned: state.pin.is_some(),
                rollback_available: state.rollback_available(),
                version: state.active_version().map(ToString::to_string),
                wanted: PerColor::from_fn(|color| state.wanted(color).map(|(_, wanted)| wanted)),
                alarms: &state.alarms,
                judged: numbers.as_ref(),
            },
        );
    }
}

/// Returns how long a release has lasted by its record; `None` if a time is missing.
fn lasted(view: &ReleaseView) -> Option<Duration> {
    let begun = humantime::parse_rfc3339(&view.started_at).ok()?;
    let ended = humantime::parse_rfc3339(view.finished_at.as_deref()?).ok()?;
    ended.duration_since(begun).ok()
}

fn quarantine_views(service: &ServiceRuntime) -> impl Iterator<Item = QuarantineView> {
    service.state.quarantine.iter().map(|entry| QuarantineView {
        service: service.name().to_string(),
        version: entry.version.to_string(),
        reason: entry.reason.clone(),
        release: entry.release.to_string(),
        since: service.quarantined_at.get(&entry.version).cloned().unwrap_or_default(),
    })
}
