//! What the shells are told to do. Idempotent, and derivable from the state.

use crate::model::{Color, Epoch, ReleaseId, Version};

/// What people may be told; names are those of `[[notifiers]] events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// Something a person should look at; it stays until its cause is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alarm {
    /// 10 s without every worker's acknowledgement.
    Unacknowledged,
    /// The old colour is sick too while the new one bakes.
    ExternalCause,
    /// The active colour is down while the standby is healthy.
    ActiveDown,
    /// A trip with no way to act on it.
    Degraded,
    /// The store can't be written.
    StoreUnwritable,
    /// The verdict was inconclusive and the policy promotes all the same.
    Inconclusive,
    /// The state was rebuilt from what runs.
    StateRebuilt,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Give the colour's endpoints to this release and forget what was known of their health.
    Adopt {
        color: Color,
        release: ReleaseId,
    },
    /// Store a table with `active` at `epoch`, freeze the baseline of the other colour, and ask
    /// every worker to acknowledge.
    Swap {
        epoch: Epoch,
        active: Color,
    },
    /// Let what is in flight on this colour finish, cut the rest after `drain_timeout`, then say
    /// [`super::Event::Drained`]. The colour gets no new requests any more (it is not active).
    Drain {
        color: Color,
        release: Option<ReleaseId>,
    },
    /// Take the colour's drain back: it may become active.
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

    // Managed containers.
    Pull {
        release: ReleaseId,
        version: Version,
    },
    Start {
        release: ReleaseId,
        color: Color,
    },
    SaveEvidence {
        release: ReleaseId,
    },
    Stop {
        release: ReleaseId,
        color: Color,
    },
    Remove {
        release: ReleaseId,
        color: Color,
    },
}
