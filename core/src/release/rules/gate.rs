//! Whether the candidate may get traffic. It starts shut, and absence of evidence never opens it.

use std::time::Duration;

use crate::model::Tick;

use crate::release::{Kind, Phase, Release, State};

/// The gate as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It opened then.
    Open {
        at: Tick,
    },
    /// Every endpoint is healthy and clean; it opens then if that stays so.
    Opens {
        at: Tick,
    },
    Shut,
}

impl State {
    /// The candidate's gate; `None` where nothing is checked.
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

    /// Every endpoint healthy, all of them without one failed probe for `min_healthy_time`, and
    /// none of the evidence from before the release began to check.
    fn ask(&self, release: &Release, since: Tick, now: Tick) -> Gate {
        let Some(health) = self.health[release.color] else { return Gate::Shut };
        let Some(clean_since) = health.clean_since else { return Gate::Shut };
        if health.total == 0 || health.healthy < health.total.max(release.expected) {
            return Gate::Shut;
        }
        let at = clean_since.max(since) + self.min_healthy_time(release);
        if now >= at { Gate::Open { at } } else { Gate::Opens { at } }
    }

    /// What a release has to prove: a rollback goes to what has proved itself before.
    #[must_use]
    pub fn min_healthy_time(&self, release: &Release) -> Duration {
        match release.kind {
            Kind::Deploy => self.policy.min_healthy_time,
            Kind::Rollback => Duration::ZERO,
        }
    }
}
