//! Messages to the controller: commands of people, and what comes back from its own tasks.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::control_plane::provider::docker::DockerFault;
use crate::model::{ImageReference, ReleaseId, ServiceName, Version};
use crate::release::{Event, Notice};
use crate::traffic::WorkerReport;

use super::rejection::Rejection;

/// Who gives a command, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor(pub String);

/// What a person or a script asks of one service.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Deploy {
        image: Option<String>,
        version: Option<String>,
        force: bool,
        auto_promote: Option<bool>,
    },
    /// A webhook, or a look at the registry, says that something was pushed. `image`: to be resolved and
    /// run; `version`: its label, where somebody else runs the endpoints. `at`: when, in Unix seconds by
    /// the sender's clock. `digest`: what the tag is said to be; it is waited for, and not run by.
    Pushed {
        subject: String,
        image: Option<String>,
        version: Option<String>,
        digest: Option<String>,
        at: Option<u64>,
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
}

/// `If-Match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    Epoch(u64),
    Revision(u64),
}

/// A command that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The release that it started or concerned.
    pub release: Option<String>,
    /// True when nothing had to be done (the version is active already).
    pub noop: bool,
    /// True when work goes on behind the answer (202), false when all is done (200).
    pub accepted: bool,
    /// What happened, what comes next, how to undo it: sentences for a person.
    pub message: String,
}

/// What a reload changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct ReloadReport {
    /// Key paths that are in force now.
    pub applied: Vec<String>,
    /// Key paths that differ and need a restart.
    pub needs_restart: Vec<String>,
    /// Faults of the file; when there is one nothing was changed.
    pub faults: Vec<String>,
}

/// A command on its way to the loop.
#[derive(Debug)]
pub struct Request {
    pub service: String,
    pub command: Command,
    pub precondition: Option<Precondition>,
    pub actor: Actor,
    /// Answered when the command's effects are done (a promote: once every worker acknowledged).
    pub reply: oneshot::Sender<Result<Done, Rejection>>,
}

/// What an image was found to be.
#[derive(Debug)]
pub(crate) struct ResolvedImage {
    pub(crate) image: ImageReference,
    pub(crate) version: Result<Version, DockerFault>,
}

/// What comes back from the controller's own tasks.
#[derive(Debug)]
pub(crate) enum Internal {
    Event(ServiceName, Event),
    /// What an image that a request asks for was found to be.
    Resolved(Box<Request>, ResolvedImage),
    /// A poll has found that the tag means this digest now.
    TagMeans(ServiceName, ImageReference, Version),
    /// The image of a release is there, and what it is.
    Pulled(ServiceName, ReleaseId, ImageReference, Version),
    /// The containers of a set were started.
    CameUp(ServiceName, ReleaseId),
    /// A set that was to be stopped or removed has been.
    Swept(ServiceName, ReleaseId),
    /// Every notifier is done with the end of a release.
    Notified(ServiceName, ReleaseId, Notice),
    /// A closed second, from every worker that answered.
    Counts(Vec<WorkerReport>),
}
