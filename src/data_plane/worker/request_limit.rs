//! Limits how many requests of a service are in flight at once, over all workers, and how many wait.
//!
//! Workers share this limit, because a person configures the number for the service and not for a
//! worker. Apart from it, they share only the counts of connections. Services without a limit never
//! come here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::ServiceName;

/// One service's limit. Requests are let in by the order in which they came, whichever worker they came
/// to.
#[derive(Debug)]
pub(crate) struct RequestLimit {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// The permit of a request that was let in. The request has left when this is dropped.
pub(crate) type RequestPermit = OwnedSemaphorePermit;

impl RequestLimit {
    fn new(requests_max: usize) -> Self {
        let places = Arc::new(Semaphore::new(requests_max.min(Semaphore::MAX_PERMITS)));
        Self { places, waiting: AtomicUsize::new(0) }
    }

    /// Lets a request in if there is room and no request waits.
    pub(crate) fn enter(&self) -> Option<RequestPermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Takes a place in the queue; `None` if `queue_max` requests wait already.
    pub(crate) fn queue(self: &Arc<Self>, queue_max: usize) -> Option<Waiting> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(Arc::clone(self));
        (before < queue_max).then_some(waiting)
    }
}

/// The place of a request in the queue.
#[derive(Debug)]
pub(crate) struct Waiting(Arc<RequestLimit>);

impl Waiting {
    /// Waits until the request is let in. The place is given up when this value is dropped.
    pub(crate) async fn permit(&self) -> Option<RequestPermit> {
        Arc::clone(&self.0.places).acquire_owned().await.ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The limits of all services, for all workers. A worker asks for a limit when it builds a view, never
/// for a request.
#[derive(Debug, Default)]
pub(crate) struct RequestLimits(Mutex<HashMap<(ServiceName, usize), Weak<RequestLimit>>>);

impl RequestLimits {
    /// The limit of a service that lets `requests_max` requests in. Another number is another limit: it
    /// does not count the requests that were in flight at the change.
    pub(crate) fn of(&self, service: &ServiceName, requests_max: usize) -> Arc<RequestLimit> {
        let mut request_limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (service.clone(), requests_max);
        if let Some(request_limit) = request_limits.get(&key).and_then(Weak::upgrade) {
            return request_limit;
        }
        request_limits.retain(|_, request_limit| request_limit.strong_count() > 0);
        let request_limit = Arc::new(RequestLimit::new(requests_max));
        request_limits.insert(key, Arc::downgrade(&request_limit));
        request_limit
    }
}
