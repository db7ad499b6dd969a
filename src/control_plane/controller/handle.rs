//! The controller's door for the admin API: reads without asking the loop, commands through it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::message::{Actor, Command, Done, Precondition, ReloadReport, Request};
use super::rejection::Rejection;
use super::view::{EventView, Views};

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
        let stopping = || Rejection::stopping("greenlight is stopping: ask again after its restart");
        self.requests.send(request).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }

    /// Reads the configuration file again and applies what can be changed live.
    pub async fn reload(&self, actor: Actor) -> Result<ReloadReport, Rejection> {
        let (reply, answer) = oneshot::channel();
        let stopping = || Rejection::stopping("greenlight is stopping");
        self.reloads.send((actor, reply)).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }

    /// Every event from now on, of all releases.
    pub fn events(&self) -> broadcast::Receiver<Arc<EventView>> {
        self.events.subscribe()
    }
}
