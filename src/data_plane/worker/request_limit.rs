//! How many requests of a service may be in flight at once, over all workers, and how many wait.
//!
//! The one thing beside the number of connections that workers share: a person has configured a
//! number for the service, not for a worker. Services without one never come here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::ServiceName;

/// One service's limit. First come, first served, whatever worker they came to.
#[derive(Debug)]
pub(crate) struct RequestLimit {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// A request that was let in; it has left when this is dropped.
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

    /// A place in the queue; `None` if `queue_max` wait already.
    pub(crate) fn queue(self: &Arc<Self>, queue_max: usize) -> Option<Waiting> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(Arc::clone(self));
        (before < queue_max).then_some(waiting)
    }
}

/// A request that waits.
#[derive(Debug)]
pub(crate) struct Waiting(Arc<RequestLimit>);

impl Waiting {
    /// Waits for its turn; gives the place up if it is dropped before.
    pub(crate) async fn permit(&self) -> Option<RequestPermit> {
        Arc::clone(&self.0.places).acquire_owned().await.ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The limits of all services, for all workers: asked when a view is built, never for a request.
#[derive(Debug, Default)]
pub(crate) struct RequestLimits(Mutex<HashMap<(ServiceName, usize), Weak<RequestLimit>>>);

impl RequestLimits {
    /// The limit of a service that lets so many in. Another number is another limit: what is in
    /// flight when it is changed is not counted by the new one.
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
