//! Messages to the controller: commands of people, and the results of its own tasks.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::control_plane::provider::docker::DockerFault;
use crate::model::{ImageReference, ReleaseId, ServiceName, Version};
use crate::release::{Delivery, Event, Notice};
use crate::traffic::WorkerReport;

use super::rejection::Rejection;
use super::saved::Saved;

/// The author of a command, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor(pub String);

/// A request of a person or a script to one service.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Deploy {
        image: Option<String>,
        version: Option<String>,
        force: bool,
        auto_promote: Option<bool>,
    },
    /// A webhook or a poll of the registry reports a push. `image` is looked up and released.
    /// `version` is the label of a version whose endpoints somebody else runs. `at` is the time of
    /// the push in Unix seconds, by the sender's clock. `digest` is the digest that the tag should
    /// have; the look-up waits for it, but releases the digest that the registry returns.
    Pushed {
        subject: String,
        image: Option<String>,
        version: Option<String>,
        digest: Option<String>,
        at: Option<u64>,
        delivery: Option<Delivery>,
    },
    Promote {
        force: bool,
    },
    Abort,
    Rollback {
        to: Option<String>,
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
    Unquarantine {
        version: String,
    },
    /// Clear the judge's memory of the service.
    Forget,
}

/// The state that a command expects, from the header `If-Match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    Epoch(u64),
    Revision(u64),
}

/// The result of a command that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The release that the command started or is about.
    pub release: Option<String>,
    /// True if nothing had to be done (the version is already active).
    pub noop: bool,
    /// True if work goes on after the answer (202), false if all is done (200).
    pub accepted: bool,
    /// The change, the next step, and how to undo it, in sentences for a person.
    pub message: String,
}

/// The result of a reload.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct ReloadReport {
    /// Key paths whose new values are in force now.
    pub applied: Vec<String>,
    /// Key paths whose values differ and need a restart.
    pub needs_restart: Vec<String>,
    /// Key paths that say how containers are created. They take effect at the next release.
    #[serde(default)]
    pub next_release: Vec<String>,
    /// Faults. If the file or a certificate is faulty, nothing was changed. Otherwise each fault names
    /// a service that could not be added or dropped, and all else was applied.
    pub faults: Vec<String>,
    /// Things that are in force but can't work as they are, such as a certificate that has ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A command on its way to the loop.
#[derive(Debug)]
pub struct Request {
    /// The name of the service.
    pub service: String,
    pub command: Command,
    /// The state that the service must be in; `None` if any state will do.
    pub precondition: Option<Precondition>,
    pub actor: Actor,
    /// Gets the answer when the command's effects are done (for a promote, when every worker has
    /// acknowledged).
    pub reply: oneshot::Sender<Result<Done, Rejection>>,
}

/// The result of looking up an image.
#[derive(Debug)]
pub(crate) struct ResolvedImage {
    pub(crate) image: ImageReference,
    pub(crate) version: Result<Version, DockerFault>,
}

/// The results of the controller's own tasks.
#[derive(Debug)]
pub(crate) enum Internal {
    /// A fact for a service.
    Event(ServiceName, Event),
    /// The image of a request was looked up.
    Resolved(Box<Request>, ResolvedImage),
    /// A poll has found the present digest of the configured tag.
    TagMeans(ServiceName, ImageReference, Version),
    /// The image of a release was fetched, with its digest.
    Pulled(ServiceName, ReleaseId, ImageReference, Version),
    /// The containers of a set were started.
    CameUp(ServiceName, ReleaseId),
    /// Which containers of a set an engine gives no answer about, in words; `None` if it answers.
    Stuck(ServiceName, ReleaseId, Option<String>),
    /// A set was stopped or removed.
    Swept(ServiceName, ReleaseId),
    /// Every notifier is done with the end of a release.
    Notified(ServiceName, ReleaseId, Notice),
    /// A closed second, from every worker that answered.
    Counts(Vec<WorkerReport>),
    /// The outcomes of writes in the background.
    Saved(Vec<Saved>),
}
