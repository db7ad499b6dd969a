//! A release, which is one attempt to make the other color active, and its progress.

use serde::{Deserialize, Serialize};

use crate::judge::{Baseline, Numbers, Verdict};
use crate::model::{Color, ReleaseId, Tick, Version};

use crate::release::{Phase, Source, StateName};

/// Why the other color is to become active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A version is released.
    Deploy,
    /// A person goes back to an earlier version after a release has succeeded.
    Rollback,
}

impl Kind {
    /// The kind's name in the API and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
        }
    }
}

/// One attempt to make the other color active.
#[expect(clippy::struct_excessive_bools, reason = "facts of its way, each true or not by itself")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// The service's name and the number of the release, such as `backend-7`.
    pub id: ReleaseId,
    pub kind: Kind,
    pub version: Version,
    /// The color that is to become active.
    pub color: Color,
    pub source: Source,
    pub phase: Phase,
    /// Why the release is in its state, as a sentence for a person.
    pub reason: String,
    /// Whether the release is promoted by itself when its gate opens.
    pub auto_promote: bool,
    /// The command had `--force`. Quarantine and the active version are not asked again when the release
    /// leaves the queue.
    pub forced: bool,
    /// The release whose containers serve this one. They are its own, or those kept from the release that
    /// a rollback goes back to.
    pub containers: ReleaseId,
    /// The least number of endpoints for which the gate opens; 0 where greenlight does not run them. A
    /// container that is gone is not a healthy one.
    #[serde(default)]
    pub expected: u32,
    /// Whether the gate was open when the release got traffic.
    pub gated: bool,
    /// How often the traffic was moved back from the release. It is 0 or 1.
    pub reverts: u32,
    /// Whether the `pre_promote` hook of the release has passed.
    #[serde(default)]
    pub hooked: bool,
    /// The seconds for which the candidate has had requests of its canary.
    #[serde(default)]
    pub warm_seconds: u64,
    /// Whether its containers stood by warm when the release began, so that they stay if it fails.
    #[serde(default)]
    pub warm: bool,
    /// The judge's verdict, once there is one.
    pub verdict: Option<Verdict>,
    /// The judge's numbers after the last second that it counted.
    pub numbers: Option<Numbers>,
    /// The baseline of the bake; `None` until every worker has acknowledged the switch.
    pub baseline: Option<Baseline>,
}

impl Release {
    /// The name of the state as text (docs/releases.md, "The states").
    #[must_use]
    pub const fn word(&self) -> &'static str {
        self.phase.word()
    }

    /// The name of the state.
    #[must_use]
    pub const fn name(&self) -> StateName {
        self.phase.name()
    }

    /// Whether the release has ended.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        self.phase.is_final()
    }

    /// When the state ends by itself at the latest. It is `None` only in a final state.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        self.phase.deadline()
    }

    /// The release's share of the traffic before its switch, in percent; `None` outside a canary's open
    /// step.
    #[must_use]
    pub fn canary_percent(&self) -> Option<u8> {
        match &self.phase {
            Phase::Canary(canary) => Some(canary.percent()).filter(|percent| *percent > 0),
            _ => None,
        }
    }

    /// The cause of a degraded release (`pinned`, `old_sick`, `hold` or `inconclusive`); `None` in every
    /// other state.
    #[must_use]
    pub const fn cause(&self) -> Option<&'static str> {
        self.phase.cause()
    }
}
