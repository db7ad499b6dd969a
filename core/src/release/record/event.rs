//! Every event that can happen to a service.

use std::time::Duration;

use crate::health::ColorHealth;
use crate::judge::{Baseline, Bucket};
use crate::model::{Color, Epoch, ReleaseId, Version};

use crate::release::{Delivery, Errand, Policy, Presence};

/// Who asked for a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A person, by the command line or the API.
    Person,
    /// A registry or a build.
    Webhook,
    /// greenlight itself, because a color came up or a tag has a new digest.
    Discovery,
}

/// A command of a person or a machine, or a fact from a shell.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    // Commands.
    /// Release `version` on the other color. Without a version, which only fixed endpoints allow, the
    /// release gets a label of its own and is never a no-op.
    Deploy { version: Option<Version>, auto_promote: Option<bool>, force: bool, source: Source },
    /// A registry or a build says that this version is there. It is released after the debounce, unless
    /// it is active, under way, in quarantine, or older than the version that was pushed last.
    Pushed {
        version: Version,
        /// When the version was pushed, by the sender's clock (Unix seconds). It is compared only with
        /// other pushes.
        at: Option<u64>,
        /// The delivery, if the sender or the message tells one from another.
        delivery: Option<Delivery>,
    },
    /// A push was refused because there is nothing to do or the version is in quarantine. It is remembered
    /// all the same, so that the same delivery releases nothing later.
    PushSeen { version: Version, at: Option<u64>, delivery: Option<Delivery> },
    /// The tag that is asked for regularly has this version now (`poll_interval`).
    Found { version: Version },
    /// Move the traffic to a release that waits for it, or let a degraded release stay.
    Promote { force: bool },
    /// Cancel the releases that have not switched.
    Abort,
    /// Go back at once during a bake, or by a new release after success.
    Rollback { to: Option<ReleaseId>, quarantine: bool, force: bool },
    /// Fix the active color, for a time or until [`Event::Unpin`].
    Pin { reason: Option<String>, lasts: Option<Duration> },
    /// Lift the pin. Without a pin this changes nothing.
    Unpin,
    /// Hold the client requests of the service.
    Pause,
    /// Let the client requests go on.
    Resume,
    /// Take a version out of quarantine.
    Unquarantine { version: Version },

    // Facts.
    /// A color's health has changed. `release` is the release for which it was measured.
    Health { color: Color, release: Option<ReleaseId>, health: ColorHealth },
    /// Why the last probes of a color's endpoints failed, in words. It becomes part of the reason of a
    /// release that does not get past its gate.
    Ailing { color: Color, why: Option<String> },
    /// Every worker (and every live front door) has acknowledged the table of this epoch. `baseline` is
    /// the last `baseline_window` of the color that lost the traffic, frozen when the table was swapped.
    Acknowledged { epoch: Epoch, baseline: Baseline },
    /// One closed second of a color's own traffic. The step knows the requests per second only through
    /// the baseline.
    Bucket { color: Color, epoch: Epoch, bucket: Bucket },
    /// One closed second of the synthetic requests to the old color in a bake (`synthetic`). They make
    /// the old color a live control.
    Control { epoch: Epoch, old: Bucket },
    /// One closed second of both colors while the candidate has a share of the traffic.
    Canary {
        release: ReleaseId,
        candidate: Bucket,
        old: Bucket,
        /// The old color's last `baseline_window`. It is read only until the canary has a judge.
        baseline: Option<Box<Baseline>>,
    },
    /// No request is in flight on this color any more, because all have ended or the rest was cut.
    Drained { color: Color, release: Option<ReleaseId> },
    /// The time that [`crate::release::Step::deadline`] named has come. An early or doubled deadline does
    /// no harm.
    Deadline,
    /// The configuration has been reloaded.
    PolicyChanged(Box<Policy>),
    /// The service's record can (or can't) be written.
    StoreWritable(bool),

    /// The result of an errand. The error is a sentence for people.
    ErrandDone { release: ReleaseId, errand: Errand, outcome: Result<(), String> },

    // Facts about containers.
    /// The image is pulled. `version` is its digest, which greenlight may learn only now if the registry
    /// did not answer when the release was accepted.
    Pulled { release: ReleaseId, version: Version },
    /// The image can't be pulled yet, and is asked for again.
    PullStruggles { release: ReleaseId, why: String },
    /// The image can't be pulled.
    PullFailed { release: ReleaseId, why: String },
    /// All containers of the release run.
    Started { release: ReleaseId },
    /// The containers can't be started.
    StartFailed { release: ReleaseId, why: String },
    /// A container has ended and its engine has started it again. `why` says how it ended.
    EndpointRestarted { release: ReleaseId, restarts: u32, why: Option<String> },
    /// The containers of a color that run, if somebody else runs them. `ids` is sorted.
    Containers { color: Color, ids: Vec<String> },
    /// How many containers of a color's set run, or `None` if not every engine has told it.
    Present { color: Color, presence: Option<Presence> },
    /// How a container of this set ended last, in words.
    Ended { set: ReleaseId, why: String },
    /// An engine does not answer, and the reason. `None` means that every engine answers.
    EngineAway(Option<String>),
    /// Which certificate of the service's hosts has ended, in words. `None` means that each one is valid.
    Certificate(Option<String>),
}
