//! The gate decides whether the candidate may get traffic. It is shut at first, and absence of evidence
//! never opens it.

use std::time::Duration;

use crate::model::Tick;

use crate::release::{Kind, Phase, Release, State};

/// The state of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The gate opened at this time.
    Open { at: Tick },
    /// Every endpoint is healthy and clean. The gate opens at this time if that stays so.
    Opens { at: Tick },
    /// An endpoint is not healthy, a probe has failed too recently, or there is no endpoint.
    Shut,
}

impl State {
    /// The candidate's gate; `None` in a state that does not ask it.
    #[must_use]
    pub fn gate(&self, now: Tick) -> Option<Gate> {
        let release = self.release.as_ref()?;
        let since = match &release.phase {
            Phase::Checking(checking) => checking.since,
            Phase::AwaitingPromotion(awaiting) => awaiting.since,
            Phase::Canary(canary) => canary.since,
            Phase::Queued(_)
            | Phase::Pulling { .. }
            | Phase::Starting(_)
            | Phase::Promoting(_)
            | Phase::Baking(_)
            | Phase::Reverting(_)
            | Phase::Degraded(_)
            | Phase::Succeeded
            | Phase::Failed
            | Phase::Cancelled
            | Phase::Reverted
            | Phase::RolledBack => return None,
        };
        Some(self.ask(release, since, now))
    }

    /// The gate opens when every endpoint is healthy and none has failed a probe for `min_healthy_time`.
    /// Evidence from before the release began to check does not count.
    fn ask(&self, release: &Release, since: Tick, now: Tick) -> Gate {
        let Some(health) = self.health[release.color] else { return Gate::Shut };
        let Some(clean_since) = health.clean_since else { return Gate::Shut };
        if health.total == 0 || health.healthy < health.total.max(release.expected) {
            return Gate::Shut;
        }
        let at = clean_since.max(since) + self.min_healthy_time(release);
        if now >= at { Gate::Open { at } } else { Gate::Opens { at } }
    }

    /// How long the endpoints of a release must have been healthy. It is 0 for a rollback, which goes to
    /// a version that has proved itself before.
    #[must_use]
    pub fn min_healthy_time(&self, release: &Release) -> Duration {
        match release.kind {
            Kind::Deploy => self.policy.min_healthy_time,
            Kind::Rollback => Duration::ZERO,
        }
    }
}
