//! A request with the facts that decisions about it need, in whichever protocol it came.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

use crate::judge::{ClientKey, RouteTemplate};
use crate::model::Color;

use super::answer::Own;
use super::copy_loop::CopyLoop;
use super::facts::Facts;
use super::record::Line;
use crate::data_plane::worker::request_limit::{RequestPermit, Waiting};
use crate::data_plane::worker::state::Worker;
use crate::data_plane::worker::view::ServiceView;

/// A request whose service is known.
#[derive(Debug)]
pub(crate) struct Call {
    pub service: Rc<ServiceView>,
    /// `Some` if the request came for a preview host.
    pub preview: Option<Color>,
    pub client: ClientKey,
    /// Method and path with ids folded. The judge counts the request by it.
    pub route: RouteTemplate,
    /// Whether the request may be sent a second time although an origin may have seen it. This is so
    /// for GET, HEAD or OPTIONS with no body and no upgrade.
    pub repeatable: bool,
    /// The key of the endpoint that the client's cookie names.
    pub affinity: Option<u64>,
    /// The request's place among those in flight, if the service limits their number.
    pub permit: Option<RequestPermit>,
}

/// A request on its way from the client to an origin.
#[derive(Debug)]
pub(crate) struct Request {
    pub facts: Facts,
    pub call: Call,
    /// The head for the origin, and the body behind it.
    pub upload: CopyLoop,
    /// The time at which the head had been read.
    pub began: Instant,
    /// The request's line in the access log, if the log is on.
    pub line: Option<Box<Line>>,
}

impl Call {
    /// The color that this request is for by the table that was taken last, without regard to a canary.
    pub(crate) fn color(&self) -> Color {
        self.preview.unwrap_or(self.service.route.active)
    }

    /// The field that responses of preview hosts get. Other hosts do not show the color.
    pub(crate) fn extra(&self) -> Option<(&'static str, &'static str)> {
        self.preview.map(|color| ("X-Greenlight-Color", color.as_str()))
    }

    /// Takes the current table, for the next attempt. If the service is no longer in it, the attempt
    /// uses the service as it was.
    pub(crate) fn take_current(&mut self, worker: &Worker) {
        worker.refresh();
        if let Some(service) = worker.view.again(&self.service) {
            self.service = service;
        }
    }

    /// Lets the request in if its service has room for it (`None`). Otherwise returns a place in the
    /// queue.
    ///
    /// # Errors
    /// The queue is full. The error is the answer for the client.
    pub(crate) fn enter(&mut self) -> Result<Option<Waiting>, Own> {
        let Some(request_limit) = &self.service.request_limit else { return Ok(None) };
        self.permit = request_limit.enter();
        if self.permit.is_some() {
            return Ok(None);
        }
        request_limit.queue(self.service.route.settings.queue_max).map(Some).ok_or(Own::FULL)
    }

    /// Whether the service's requests are held now. Previews are not held.
    pub(crate) fn is_paused(&self) -> bool {
        self.service.route.paused && self.preview.is_none()
    }

    /// Waits until the service is not paused any more. The caller limits the time.
    pub(crate) async fn resumed(&mut self, worker: &Worker) {
        while self.is_paused() {
            let seen = worker.view.rebuilt();
            let held = worker.view.pause_waiter();
            poll_fn(|context| {
                if worker.view.rebuilt() != seen {
                    return Poll::Ready(());
                }
                held.wake(context.waker());
                Poll::Pending
            })
            .await;
            self.take_current(worker);
        }
    }
}
