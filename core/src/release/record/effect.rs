//! What the shells are told to do. Idempotent, and derivable from the state.

use crate::model::{Color, Epoch, ReleaseId, Version};

use crate::release::Errand;

/// What people may be told; names are those of `[[notifiers]] events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    Started,
    Awaiting,
    Promoted,
    Succeeded,
    Failed,
    Cancelled,
    Reverted,
    RolledBack,
    Degraded,
    Alarm,
}

impl Notice {
    /// As in `[[notifiers]] events`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Awaiting => "awaiting",
            Self::Promoted => "promoted",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Reverted => "reverted",
            Self::RolledBack => "rolled_back",
            Self::Degraded => "degraded",
            Self::Alarm => "alarm",
        }
    }
}

/// Something a person should look at; it stays until its cause is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alarm {
    /// 10 s without every worker's acknowledgement.
    Unacknowledged,
    /// The old color is sick too while the new one bakes.
    ExternalCause,
    /// The active color is down and no release is under way; the reason names what would help.
    ActiveDown,
    /// The candidate is slower than the old color was, and `latency` is "notify".
    Slow,
    /// A trip with no way to act on it.
    Degraded,
    /// The store can't be written.
    StoreUnwritable,
    /// The verdict was inconclusive and the policy promotes all the same.
    Inconclusive,
    /// The state was rebuilt from what runs.
    StateRebuilt,
    /// An engine does not answer: nothing is started or stopped there until it does.
    EngineAway,
    /// A hook of a release failed after the switch, or on the way back.
    HookFailed,
    /// Tags could not be moved in the registry.
    TagsFailed,
}

impl Alarm {
    /// The alarm's name as people and metrics see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unacknowledged => "unacknowledged",
            Self::ExternalCause => "external-cause",
            Self::ActiveDown => "active-down",
            Self::Slow => "slow",
            Self::Degraded => "degraded",
            Self::StoreUnwritable => "store-unwritable",
            Self::Inconclusive => "inconclusive",
            Self::StateRebuilt => "state-rebuilt",
            Self::EngineAway => "engine-away",
            Self::HookFailed => "hook-failed",
            Self::TagsFailed => "tags-failed",
        }
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Give the color's endpoints to this release and forget what was known of their health.
    Adopt {
        color: Color,
        release: ReleaseId,
    },
    /// Store a table with `active` at `epoch`, freeze the baseline of the other color, and ask
    /// every worker to acknowledge.
    Swap {
        epoch: Epoch,
        active: Color,
    },
    /// Let what is in flight on this color finish, cut the rest after `drain_timeout`, then say
    /// [`crate::release::Event::Drained`]. The color gets no new requests any more (it is not active).
    Drain {
        color: Color,
        release: Option<ReleaseId>,
    },
    /// Take the color's drain back: it may become active.
    Undrain {
        color: Color,
    },
    /// Rebuild the route table (paused, baking, ... changed) without a switch.
    Refresh,
    Notify {
        notice: Notice,
        release: Option<ReleaseId>,
        reason: String,
    },
    /// Raise or clear an alarm.
    Alarm {
        alarm: Alarm,
        raised: bool,
        reason: String,
    },

    /// Run a hook of the release, or move its tags; then [`crate::release::Event::ErrandDone`].
    Errand {
        errand: Errand,
        release: ReleaseId,
        color: Color,
        version: Version,
        /// What the other color runs, where that is known.
        other: Option<Version>,
    },

    // Managed containers.
    /// Get the image; then [`crate::release::Event::Pulled`] or [`crate::release::Event::PullFailed`].
    Pull {
        release: ReleaseId,
        version: Version,
    },
    /// Create the release's containers in this color, or start them where they are kept; then
    /// [`crate::release::Event::Started`] or [`crate::release::Event::StartFailed`].
    Start {
        release: ReleaseId,
        color: Color,
    },
    /// Save logs and inspect output of the release's containers, before they are stopped.
    SaveEvidence {
        release: ReleaseId,
    },
    /// Stop the release's containers and keep them. Never done while the record, as read back
    /// from the store, has their color active.
    Stop {
        release: ReleaseId,
        color: Color,
    },
    /// Remove the release's containers; a pull that is under way is stopped.
    Remove {
        release: ReleaseId,
        color: Color,
    },
}
