//! The admin API's handle to the controller. It reads without asking the loop, and sends commands
//! through the loop.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::message::{Actor, Command, Done, Precondition, ReloadReport, Request};
use super::rejection::Rejection;
use super::view::{EventView, Views};

/// The handle to the controller. It is cheap to clone, and every request of the admin API has one.
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
    /// Commands that wait for the loop.
    pub requests: mpsc::Receiver<Request>,
    /// Reloads that wait for the loop, with their authors.
    pub reloads: mpsc::Receiver<(Actor, oneshot::Sender<ReloadReport>)>,
    /// The views that [`Handle::views`] returns. The loop replaces them as a whole.
    pub views: Arc<ArcSwap<Views>>,
    /// The events that the receivers of [`Handle::events`] get. Sending without a receiver is no
    /// fault.
    pub events: broadcast::Sender<Arc<EventView>>,
}

/// Makes a handle and the loop's end of it. At most `depth` commands wait. A listener may be
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
    /// Tells whether the loop is there to answer.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.requests.is_closed()
    }

    /// Returns the present views of the services.
    pub fn views(&self) -> Arc<Views> {
        self.views.load_full()
    }

    /// Sends a command and waits for its answer. Fails with the loop's rejection, or with
    /// [`Rejection::Unavailable`] if greenlight is stopping.
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

    /// Reads the configuration file again and applies the changes that need no restart. Fails with
    /// [`Rejection::Unavailable`] if greenlight is stopping.
    pub async fn reload(&self, actor: Actor) -> Result<ReloadReport, Rejection> {
        let (reply, answer) = oneshot::channel();
        let stopping = || Rejection::stopping("greenlight is stopping");
        self.reloads.send((actor, reply)).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }

    /// Returns a receiver of every event from now on, of all releases.
    pub fn events(&self) -> broadcast::Receiver<Arc<EventView>> {
        self.events.subscribe()
    }
}
