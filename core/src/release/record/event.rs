//! All that can happen to a service.

use std::time::Duration;

use crate::health::ColorHealth;
use crate::judge::{Baseline, Bucket};
use crate::model::{Color, Epoch, ReleaseId, Version};

use crate::release::{Errand, Policy};

/// Where a release comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Person,
    Webhook,
    Discovery,
}

/// Commands of people and machines, and facts from the shells.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    // Commands.
    /// Release `version` on the other color. `version: None` (fixed): a fresh label, never a no-op.
    Deploy {
        version: Option<Version>,
        auto_promote: Option<bool>,
        force: bool,
        source: Source,
    },
    /// A registry or a build says that this version is there: released after the debounce, unless
    /// it is active, under way, in quarantine, or older than what was pushed last.
    Pushed {
        version: Version,
        /// When it was pushed by the sender's clock (Unix seconds); compared with other pushes alone.
        at: Option<u64>,
    },
    Promote {
        force: bool,
    },
    Abort,
    Rollback {
        to: Option<ReleaseId>,
        quarantine: bool,
        force: bool,
    },
    Pin {
        reason: Option<String>,
        lasts: Option<Duration>,
    },
    Unpin,
    Pause,
    Resume,
    /// Take a version out of quarantine.
    Unquarantine {
        version: Version,
    },

    // Facts.
    /// What a color's endpoints say together has changed. `release` is the owner of the evidence.
    Health {
        color: Color,
        release: Option<ReleaseId>,
        health: ColorHealth,
    },
    /// What the last probes of a color's endpoints failed by, in words: for the reason of a release
    /// that does not get past its gate.
    Ailing {
        color: Color,
        why: Option<String>,
    },
    /// Every worker (and every live front door) has acknowledged the table of this epoch.
    /// `baseline` is the losing color's last `baseline_window`, frozen when the table was swapped.
    Acknowledged {
        epoch: Epoch,
        baseline: Baseline,
    },
    /// One closed second of a color's own traffic; `requests_per_second` is unknown to the step
    /// but through the baseline.
    Bucket {
        color: Color,
        epoch: Epoch,
        bucket: Bucket,
    },
    /// One closed second of what was asked of the old color in a bake (`synthetic`): a live control.
    Control {
        epoch: Epoch,
        old: Bucket,
    },
    /// One closed second of both colors while the candidate has a share of the traffic.
    Canary {
        release: ReleaseId,
        candidate: Bucket,
        old: Bucket,
        /// The old color's last `baseline_window`; only looked at while there is no judge yet.
        baseline: Option<Box<Baseline>>,
    },
    /// Nothing is in flight on this color any more, or what was has been cut.
    Drained {
        color: Color,
        release: Option<ReleaseId>,
    },
    /// The time that [`crate::release::Step::deadline`] named has come (early or doubled ones do no harm).
    Deadline,
    /// The configuration has been reloaded.
    PolicyChanged(Box<Policy>),
    /// The service's record can (or can't) be written.
    StoreWritable(bool),

    /// How an errand of a release went; the error is for people.
    ErrandDone {
        release: ReleaseId,
        errand: Errand,
        outcome: Result<(), String>,
    },

    // Facts of containers.
    /// The image is there. `version`: its digest, which an accepted release need not know yet (the
    /// registry did not answer then).
    Pulled {
        release: ReleaseId,
        version: Version,
    },
    PullFailed {
        release: ReleaseId,
        why: String,
    },
    Started {
        release: ReleaseId,
    },
    StartFailed {
        release: ReleaseId,
        why: String,
    },
    /// A container has ended and was started again by its engine. `why`: how it ended.
    EndpointRestarted {
        release: ReleaseId,
        restarts: u32,
        why: Option<String>,
    },
    /// Which containers of a color run, where somebody else runs them: their ids, sorted.
    Containers {
        color: Color,
        ids: Vec<String>,
    },
    /// An engine does not answer, and why; `None`: all of them do.
    EngineAway(Option<String>),
}
