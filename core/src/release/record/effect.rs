//! Effects, which are the orders of a step to the shells. They are idempotent and can be derived from the
//! state.

use crate::model::{Color, Epoch, ReleaseId, Version};

use crate::release::Errand;

/// The kind of a message to people. The names are those of `[[notifiers]] events`.
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
    /// The name in `[[notifiers]] events`.
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

/// Something that a person should look at. It stays up until its cause is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alarm {
    /// A switch was not acknowledged by every worker within 10 s.
    Unacknowledged,
    /// Both colors are sick in a bake, so the cause is outside.
    ExternalCause,
    /// The active color is down and no release is under way. The reason says what would help.
    ActiveDown,
    /// The candidate is slower than the old color was, and the configuration says `latency = "notify"`.
    Slow,
    /// A release is degraded and a person is to decide.
    Degraded,
    /// The store can't be written.
    StoreUnwritable,
    /// The verdict was inconclusive, and the release has succeeded all the same.
    Inconclusive,
    /// The record was lost and was rebuilt from the running containers or from the history.
    StateRebuilt,
    /// An engine does not answer. Nothing is started or stopped there until it does.
    EngineAway,
    /// A hook failed after the switch or on the way back.
    HookFailed,
    /// The tags could not be moved in the registry.
    TagsFailed,
    /// Machines have let the same two versions replace each other again and again. The last one waits for a
    /// person.
    Swapping,
    /// Fewer containers run than `upstream.replicas` asks for. The reason says what is done about it.
    ContainersDown,
    /// A container ends again and again. The reason has its last line.
    CrashLoop,
    /// The certificate of one of the service's hosts has ended.
    Certificate,
}

impl Alarm {
    /// Every alarm.
    pub const ALL: [Self; 15] = [
        Self::Unacknowledged,
        Self::ExternalCause,
        Self::ActiveDown,
        Self::Slow,
        Self::Degraded,
        Self::StoreUnwritable,
        Self::Inconclusive,
        Self::StateRebuilt,
        Self::EngineAway,
        Self::HookFailed,
        Self::TagsFailed,
        Self::Swapping,
        Self::ContainersDown,
        Self::CrashLoop,
        Self::Certificate,
    ];

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
            Self::Swapping => "swapping",
            Self::ContainersDown => "containers-down",
            Self::CrashLoop => "crash-loop",
            Self::Certificate => "certificate",
        }
    }
}

/// One thing that the shells do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Give the color's endpoints to this release and forget their health so far.
    Adopt { color: Color, release: ReleaseId },
    /// Publish a route table with `active` at `epoch`, freeze the baseline of the other color, and ask
    /// every worker to acknowledge.
    Swap { epoch: Epoch, active: Color },
    /// Let the requests in flight on this color finish, cut the rest after `drain_timeout`, then give
    /// [`crate::release::Event::Drained`]. The color is not active and gets no new requests.
    Drain { color: Color, release: Option<ReleaseId> },
    /// End the color's drain, since the color may become active.
    Undrain { color: Color },
    /// Rebuild the route table without a switch, since a pause, a bake or a share has begun or ended.
    Refresh,
    /// Send a message to people.
    Notify { notice: Notice, release: Option<ReleaseId>, reason: String },
    /// Raise or clear an alarm.
    Alarm { alarm: Alarm, raised: bool, reason: String },

    /// Run a hook of the release or move its tags, then give [`crate::release::Event::ErrandDone`].
    Errand {
        errand: Errand,
        release: ReleaseId,
        color: Color,
        version: Version,
        /// The version of the other color, if it is known.
        other: Option<Version>,
    },

    // Effects on managed containers.
    /// Pull the image, then give [`crate::release::Event::Pulled`] or
    /// [`crate::release::Event::PullFailed`].
    Pull { release: ReleaseId, version: Version },
    /// Create the release's containers in this color, or start them if they are kept. Then give
    /// [`crate::release::Event::Started`] or [`crate::release::Event::StartFailed`].
    Start { release: ReleaseId, color: Color },
    /// Save the logs and the inspection of the release's containers before they are stopped.
    SaveEvidence { release: ReleaseId },
    /// Stop the release's containers and keep them. A shell never does this while the record, as read
    /// back from the store, says that their color is active.
    Stop { release: ReleaseId, color: Color },
    /// Remove the release's containers, and stop a pull that is under way.
    Remove { release: ReleaseId, color: Color },
}
