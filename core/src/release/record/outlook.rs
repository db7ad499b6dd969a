//! What others may read off a record: the controller, the API, metrics.

use std::time::Duration;

use crate::health::Thresholds;
use crate::model::{Color, ReleaseId, Tick, Version};

use crate::release::{
    Condition, Fate, Gate, Kind, Mode, Phase, QuarantineEntry, Release, State, StateName, Stretch, Trigger,
    UpstreamKind,
};

/// How long the other color must have been down before its coming up is the on_healthy edge.
pub(crate) const DOWN_BEFORE_EDGE: Duration = Duration::from_secs(10);

impl State {
    /// `service.state`: the running release's state, `queued` if only one waits, else `stable`.
    #[must_use]
    pub fn state_name(&self) -> StateName {
        match (self.running(), &self.queued) {
            (Some(release), _) => release.name(),
            (None, Some(_)) => StateName::Queued,
            (None, None) => StateName::Stable,
        }
    }

    /// The same as a word.
    #[must_use]
    pub fn state_word(&self) -> &'static str {
        self.state_name().as_str()
    }

    /// The release that has not ended, but for a queued one.
    #[must_use]
    pub fn running(&self) -> Option<&Release> {
        self.release.as_ref().filter(|release| !release.is_final())
    }

    /// Where the current release stands; final if there is none.
    #[must_use]
    pub fn stretch(&self) -> Stretch {
        self.release.as_ref().map_or(Stretch::Final, |release| release.phase.stretch())
    }

    /// Whether nothing may move by itself.
    #[must_use]
    pub const fn is_pinned(&self) -> bool {
        self.pin.is_some()
    }

    /// What the active color runs, where that is known.
    #[must_use]
    pub fn active_version(&self) -> Option<&Version> {
        self.sides[self.active].version.as_ref()
    }

    /// What a color's endpoints say together.
    #[must_use]
    pub fn condition(&self, color: Color) -> Condition {
        let expected = self
            .release
            .as_ref()
            .filter(|release| release.color == color)
            .and_then(|release| release.phase.bake())
            .and_then(|bake| bake.endpoints);
        Condition::of(self.health[color], expected)
    }

    /// The thresholds for a color's probes: one pass in a row is enough for the candidate of a
    /// rollback.
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

    /// The judge's mode for a release: a rollback is watched and never moved back.
    #[must_use]
    pub fn mode(&self, release: &Release) -> Mode {
        match (release.kind, self.policy.mode) {
            (_, Mode::Off) => Mode::Off,
            (Kind::Rollback, Mode::Enforce | Mode::Observe) => Mode::Observe,
            (Kind::Deploy, mode @ (Mode::Enforce | Mode::Observe)) => mode,
        }
    }

    /// The candidate's share of the traffic before the switch, in percent; 0 but in a canary.
    #[must_use]
    pub fn canary_percent(&self) -> u8 {
        self.release.as_ref().and_then(Release::canary_percent).unwrap_or(0)
    }

    /// Why a version may not be released unforced.
    #[must_use]
    pub fn quarantined(&self, version: &Version) -> Option<&QuarantineEntry> {
        self.quarantine.iter().find(|entry| entry.version == *version)
    }

    /// Whether `rollback` would be taken now without `force` (but for a pin, or a store that can't
    /// be written).
    #[must_use]
    pub fn rollback_available(&self) -> bool {
        let free =
            |version: Option<&Version>| version.is_none_or(|version| self.quarantined(version).is_none());
        let after_success = self.fallback.as_ref().is_some_and(|fallback| free(Some(&fallback.version)));
        let Some(release) = self.running() else { return after_success };
        match &release.phase {
            Phase::Promoting(promoting) => {
                !promoting.alone && free(self.sides[release.color.other()].version.as_ref())
            }
            Phase::Baking(_) | Phase::Degraded(_) => free(self.sides[release.color.other()].version.as_ref()),
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

    /// How long a revert waits for an old color whose health is unknown:
    /// rise x (interval + timeout).
    pub(crate) fn unknown_wait(&self) -> Duration {
        (self.policy.interval + self.policy.timeout) * self.policy.thresholds.rise
    }

    /// The next time at which something is due by itself.
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
        self.errands.iter().for_each(|run| due(Some(run.deadline)));
        if self.discovers() && !self.discovery.armed {
            due(self.discovery.down_since.map(|since| since + DOWN_BEFORE_EDGE));
        }
        next
    }

    /// Whether the coming up of the other color starts a release.
    pub(crate) fn discovers(&self) -> bool {
        self.policy.trigger == Trigger::OnHealthy && self.policy.upstream == UpstreamKind::Fixed
    }

    /// The color of the next release: the other one; the active one where nothing runs yet and
    /// greenlight starts the containers itself.
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

    /// Whether a set of containers may be stopped: no color has it, and no release that runs.
    #[must_use]
    pub fn may_stop(&self, containers: &ReleaseId) -> bool {
        self.running().is_none_or(|release| release.containers != *containers)
            && self.sides.iter().all(|(_, side)| side.containers.as_ref() != Some(containers))
    }

    /// Whether a version may be asked for again without a pull: its image is not removed.
    #[must_use]
    pub fn knows_version(&self, version: &Version) -> bool {
        self.running().is_some_and(|release| release.version == *version)
            || self.queued.as_ref().is_some_and(|release| release.version == *version)
            || self.fallback.as_ref().is_some_and(|fallback| fallback.version == *version)
            || self.kept.iter().any(|kept| kept.version == *version)
            || self.sides.iter().any(|(_, side)| side.version.as_ref() == Some(version))
    }

    /// Whether a set of containers has a place in the record; a set that has none was left behind
    /// by a crash and is removed.
    #[must_use]
    pub fn knows_containers(&self, containers: &ReleaseId) -> bool {
        self.running().is_some_and(|release| release.containers == *containers)
            || self.kept.iter().any(|kept| kept.containers == *containers)
            || self.sides.iter().any(|(_, side)| side.containers.as_ref() == Some(containers))
    }
}
