//! The controller's door for the admin API: reads without asking the loop, commands through it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::{EventView, Views};

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

/// A command that was not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("there is no service \"{0}\"")]
    UnknownService(String),
    #[error("there is no release \"{0}\"")]
    UnknownRelease(String),
    /// 409: the reason says what would help.
    #[error("{0}")]
    Conflict(String),
    /// 412
    #[error("{0}")]
    Stale(String),
    /// 400: the request itself makes no sense for this service.
    #[error("{0}")]
    Invalid(String),
    /// 503: the store can't be written, or the controller is stopping.
    #[error("{0}")]
    Unavailable(String),
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

/// Cheap to clone; every admin request has one.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) reloads: mpsc::Sender<(Actor, oneshot::Sender<ReloadReport>)>,
    pub(crate) views: Arc<ArcSwap<Views>>,
    pub(crate) events: broadcast::Sender<Arc<EventView>>,
}

/// The loop's end of a [`Handle`].
#[derive(Debug)]
pub struct Inbox {
    pub requests: mpsc::Receiver<Request>,
    pub reloads: mpsc::Receiver<(Actor, oneshot::Sender<ReloadReport>)>,
    /// What [`Handle::views`] shows; the loop replaces it whole.
    pub views: Arc<ArcSwap<Views>>,
    /// What [`Handle::events`] hears. Sending without a listener is no fault.
    pub events: broadcast::Sender<Arc<EventView>>,
}

/// A handle and the loop's end of it. At most `depth` commands wait, and a listener may be
/// `depth * 16` events late before it has to read the store again.
#[must_use]
pub fn channel(depth: usize) -> (Handle, Inbox) {
    let (requests, requests_rx) = mpsc::channel(depth);
    let (reloads, reloads_rx) = mpsc::channel(depth);
    let (events, _) = broadcast::channel(depth * 16);
    let views = Arc::new(ArcSwap::from_pointee(Views::default()));
    let handle = Handle { requests, reloads, views: Arc::clone(&views), events: events.clone() };
    (handle, Inbox { requests: requests_rx, reloads: reloads_rx, views, events })
}

impl Handle {
    /// Whether the loop is there to answer.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.requests.is_closed()
    }

    /// The services as they are now.
    pub fn views(&self) -> Arc<Views> {
        self.views.load_full()
    }

    /// Gives a command and waits for its answer.
    pub async fn command(
        &self,
        service: &str,
        command: Command,
        precondition: Option<Precondition>,
        actor: Actor,
    ) -> Result<Done, Rejection> {
        let (reply, answer) = oneshot::channel();
        let request = Request { service: service.to_owned(), command, precondition, actor, reply };
        let stopping =
            || Rejection::Unavailable("greenlight is stopping: ask again after its restart".into());
        self.requests.send(request).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }

    /// Reads the configuration file again and applies what can be changed live.
    pub async fn reload(&self, actor: Actor) -> Result<ReloadReport, Rejection> {
        let (reply, answer) = oneshot::channel();
        let stopping = || Rejection::Unavailable("greenlight is stopping".into());
        self.reloads.send((actor, reply)).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }

    /// Every event from now on, of all releases.
    pub fn events(&self) -> broadcast::Receiver<Arc<EventView>> {
        self.events.subscribe()
    }
}
