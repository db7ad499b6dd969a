//! Questions about a record that the rules, the controller, the API and the metrics ask.

use std::time::Duration;

use crate::health::Thresholds;
use crate::model::{Color, ReleaseId, Tick, Version};

use crate::release::{
    Condition, Fate, Gate, Kind, Mode, Phase, QuarantineEntry, Release, State, StateName, Stretch, Trigger,
    UpstreamKind,
};

/// How long the other color must have been down before its coming up counts as the `on_healthy` edge.
pub(crate) const DOWN_BEFORE_EDGE: Duration = Duration::from_secs(10);

impl State {
    /// The state of the service: the state of the running release, else `queued` if a release waits, else
    /// `stable`.
    #[must_use]
    pub fn state_name(&self) -> StateName {
        match (self.running(), &self.queued) {
            (Some(release), _) => release.name(),
            (None, Some(_)) => StateName::Queued,
            (None, None) => StateName::Stable,
        }
    }

    /// The state of the service as text.
    #[must_use]
    pub fn state_word(&self) -> &'static str {
        self.state_name().as_str()
    }

    /// The current release, if it has not ended. A queued release does not count.
    #[must_use]
    pub fn running(&self) -> Option<&Release> {
        self.release.as_ref().filter(|release| !release.is_final())
    }

    /// The stretch of the current release; final if there is no release.
    #[must_use]
    pub fn stretch(&self) -> Stretch {
        self.release.as_ref().map_or(Stretch::Final, |release| release.phase.stretch())
    }

    /// Whether the service is pinned, so that nothing moves by itself.
    #[must_use]
    pub const fn is_pinned(&self) -> bool {
        self.pin.is_some()
    }

    /// The version of the active color, if it is known.
    #[must_use]
    pub fn active_version(&self) -> Option<&Version> {
        self.sides[self.active].version.as_ref()
    }

    /// The condition of a color. During a bake the containers that the candidate lacks of its wanted number
    /// count as gone. Where greenlight does not run the endpoints, the provider's list is the wanted number,
    /// because a color that was scaled in is not down.
    #[must_use]
    pub fn condition(&self, color: Color) -> Condition {
        let expected = self
            .release
            .as_ref()
            .filter(|release| release.color == color && release.phase.bake().is_some())
            .map(|release| release.expected);
        Condition::of(self.health[color], expected)
    }

    /// The thresholds for a color's probes. One passed probe is enough for the candidate of a rollback.
    #[must_use]
    pub fn thresholds(&self, color: Color) -> Thresholds {
        let rolling_back = self.running().is_some_and(|release| {
            release.kind == Kind::Rollback
                && release.color == color
                && release.phase.stretch() == Stretch::Before
        });
        let rise = if rolling_back { 1 } else { self.policy.thresholds.rise };
        Thresholds { rise, fall: self.policy.thresholds.fall }
    }

    /// The judge's mode for a release. A rollback is observed and never moved back.
    #[must_use]
    pub fn mode(&self, release: &Release) -> Mode {
        match (release.kind, self.policy.mode) {
            (_, Mode::Off) => Mode::Off,
            (Kind::Rollback, Mode::Enforce | Mode::Observe) => Mode::Observe,
            (Kind::Deploy, mode @ (Mode::Enforce | Mode::Observe)) => mode,
        }
    }

    /// The candidate's share of the traffic before the switch, in percent. It is 0 outside a canary.
    #[must_use]
    pub fn canary_percent(&self) -> u8 {
        self.release.as_ref().and_then(Release::canary_percent).unwrap_or(0)
    }

    /// The quarantine entry of a version, if the version is in quarantine.
    #[must_use]
    pub fn quarantined(&self, version: &Version) -> Option<&QuarantineEntry> {
        self.quarantine.iter().find(|entry| entry.version == *version)
    }

    /// Whether a rollback without `force` would be accepted now. A pin and a store that can't be written
    /// are not asked here.
    #[must_use]
    pub fn rollback_available(&self) -> bool {
        let free =
            |version: Option<&Version>| version.is_none_or(|version| self.quarantined(version).is_none());
        let after_success = self.fallback.as_ref().is_some_and(|fallback| free(Some(&fallback.version)));
        // The traffic goes back to no color that is down.
        let back = |release: &Release| {
            let old = release.color.other();
            free(self.sides[old].version.as_ref()) && self.condition(old) != Condition::Sick
        };
        let Some(release) = self.running() else { return after_success };
        match &release.phase {
            Phase::Promoting(promoting) => !promoting.alone && back(release),
            Phase::Baking(_) | Phase::Degraded(_) => back(release),
            Phase::Reverting(_) => false,
            Phase::Queued(_)
            | Phase::Pulling { .. }
            | Phase::Starting(_)
            | Phase::Checking(_)
            | Phase::AwaitingPromotion(_)
            | Phase::Canary(_) => release.kind == Kind::Deploy && after_success,
            Phase::Succeeded | Phase::Failed | Phase::Cancelled | Phase::Reverted | Phase::RolledBack => {
                after_success
            }
        }
    }

    /// Whether a color that is not active can take the traffic with no order to an engine. It is healthy, and
    /// nothing of it has been stopped.
    pub(crate) fn is_warm(&self, color: Color) -> bool {
        let there = match (self.sides[color].fate, self.policy.upstream) {
            (Fate::Warm { .. }, UpstreamKind::Managed) => {
                self.present(color).is_some_and(|found| found.running >= self.policy.replicas)
            }
            (Fate::Draining { .. } | Fate::Drained | Fate::Free, UpstreamKind::Managed) => false,
            (_, UpstreamKind::Fixed) => true,
        };
        there && self.condition(color) == Condition::Fit
    }

    /// How long a revert waits for an old color whose health is unknown, which is rise x (interval +
    /// timeout).
    pub(crate) fn unknown_wait(&self) -> Duration {
        (self.policy.interval + self.policy.timeout) * self.policy.thresholds.rise
    }

    /// The next time after `now` at which a rule may have something to do without an event.
    #[must_use]
    pub fn next_deadline(&self, now: Tick) -> Option<Tick> {
        let mut next: Option<Tick> = None;
        let mut due = |at: Option<Tick>| {
            if let Some(at) = at.filter(|at| *at > now) {
                next = Some(next.map_or(at, |earlier| earlier.min(at)));
            }
        };
        due(self.pin.as_ref().and_then(|pin| pin.until));
        if let Some(Phase::Queued(queued)) = self.queued.as_ref().map(|release| &release.phase) {
            due(Some(queued.due));
            due(Some(queued.expires));
        }
        due(self.release.as_ref().and_then(Release::deadline));
        due(self.release.as_ref().and_then(|release| release.phase.bake()?.held_until));
        if let Some(Phase::Canary(canary)) = self.release.as_ref().map(|release| &release.phase)
            && canary.open
        {
            due(Some(canary.until));
        }
        if let Some(Gate::Opens { at }) = self.gate(now) {
            due(Some(at));
        }
        for (_, side) in self.sides.iter() {
            due(match side.fate {
                Fate::Warm { drain_at } => Some(drain_at),
                Fate::Draining { until } => Some(until),
                Fate::Free | Fate::Drained => None,
            });
        }
        Color::ALL.into_iter().flat_map(|color| self.supervision_due(color)).for_each(&mut due);
        self.errands.iter().for_each(|run| due(Some(run.deadline)));
        if self.discovers() && !self.discovery.armed {
            due(self.discovery.down_since.map(|since| since + DOWN_BEFORE_EDGE));
        }
        next
    }

    /// Whether a release begins when the other color comes up.
    pub(crate) fn discovers(&self) -> bool {
        self.policy.trigger == Trigger::OnHealthy && self.policy.upstream == UpstreamKind::Fixed
    }

    /// The color of the next release. It is the other color, with one exception. Where greenlight starts
    /// the containers itself and nothing runs in the active color yet, it is the active one.
    pub(crate) fn candidate_color(&self) -> Color {
        let side = &self.sides[self.active];
        let nothing_runs = side.release.is_none()
            && side.version.is_none()
            && self.health[self.active].is_none_or(|health| health.total == 0);
        if self.policy.upstream == UpstreamKind::Managed && nothing_runs {
            self.active
        } else {
            self.active.other()
        }
    }

    /// Whether a set of containers may be stopped. It may if it belongs to no color and to no running
    /// release.
    #[must_use]
    pub fn may_stop(&self, containers: &ReleaseId) -> bool {
        self.running().is_none_or(|release| release.containers != *containers)
            && self.sides.iter().all(|(_, side)| side.containers.as_ref() != Some(containers))
    }

    /// Whether a version may be released again without a pull, so that its image is not removed.
    #[must_use]
    pub fn knows_version(&self, version: &Version) -> bool {
        self.running().is_some_and(|release| release.version == *version)
            || self.queued.as_ref().is_some_and(|release| release.version == *version)
            || self.fallback.as_ref().is_some_and(|fallback| fallback.version == *version)
            || self.kept.iter().any(|kept| kept.version == *version)
            || self.sides.iter().any(|(_, side)| side.version.as_ref() == Some(version))
    }

    /// Whether the record names a set of containers. A set that it does not name was left behind by a
    /// crash and is removed.
    #[must_use]
    pub fn knows_containers(&self, containers: &ReleaseId) -> bool {
        self.running().is_some_and(|release| release.containers == *containers)
            || self.kept.iter().any(|kept| kept.containers == *containers)
            || self.sides.iter().any(|(_, side)| side.containers.as_ref() == Some(containers))
    }
}
