//! One attempt to make the other color active, and where it has got to.

use serde::{Deserialize, Serialize};

use crate::judge::{Baseline, Numbers, Verdict};
use crate::model::{Color, ReleaseId, Tick, Version};

use crate::release::{Phase, Source};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Deploy,
    Rollback,
}

impl Kind {
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
    pub id: ReleaseId,
    pub kind: Kind,
    pub version: Version,
    pub color: Color,
    pub source: Source,
    pub phase: Phase,
    /// Why it is where it is: a sentence for a person.
    pub reason: String,
    /// Whether the gate's opening is enough for the switch.
    pub auto_promote: bool,
    /// Asked with `force`: quarantine and same version are not asked again.
    pub forced: bool,
    /// Whose containers serve it: its own, or those kept from the release that it goes back to.
    pub containers: ReleaseId,
    /// How many endpoints the gate asks for at least: a container that is gone is none that is well.
    #[serde(default)]
    pub expected: u32,
    /// Whether its gate was open when it got the traffic.
    pub gated: bool,
    /// How often traffic was moved back from it: 0 or 1.
    pub reverts: u32,
    /// Whether its `pre_promote` hook has passed.
    #[serde(default)]
    pub hooked: bool,
    pub verdict: Option<Verdict>,
    pub numbers: Option<Numbers>,
    pub baseline: Option<Baseline>,
}

impl Release {
    /// The state's word (docs/releases.md).
    #[must_use]
    pub const fn word(&self) -> &'static str {
        self.phase.word()
    }

    /// Whether it has ended, for good.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        self.phase.is_final()
    }

    /// When its state ends by itself at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        self.phase.deadline()
    }

    /// The share of the traffic that it has before its switch, in percent.
    #[must_use]
    pub fn canary_percent(&self) -> Option<u8> {
        match &self.phase {
            Phase::Canary(canary) => Some(canary.percent()).filter(|percent| *percent > 0),
            _ => None,
        }
    }

    /// `pinned`, `old_sick`, `hold` or `inconclusive` while it is degraded.
    #[must_use]
    pub const fn cause(&self) -> Option<&'static str> {
        self.phase.cause()
    }
}
