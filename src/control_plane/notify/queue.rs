//! The bounded queue of notifications for one notifier. A full queue drops the oldest.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Notification, Receipt};

/// The most notifications that wait for one notifier. A release makes about four.
pub(crate) const WAITING_MAX: usize = 64;

#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) news: Arc<Notification>,
    pub(crate) receipt: Option<Arc<Receipt>>,
}

impl Waiting {
    pub(crate) fn done(&self) {
        if let Some(receipt) = &self.receipt {
            receipt.close();
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: Mutex<VecDeque<Waiting>>,
    ready: tokio::sync::Notify,
}

impl Queue {
    /// Adds a notification. Returns the oldest one if the queue was full and dropped it.
    pub(crate) fn push(&self, one: Waiting) -> Option<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = if waiting.len() >= WAITING_MAX { waiting.pop_front() } else { None };
        waiting.push_back(one);
        self.ready.notify_one();
        oldest
    }

    /// Takes the oldest notification, or waits for one. Only one task may call it.
    pub(crate) async fn pop(&self) -> Waiting {
        loop {
            let one = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match one {
                Some(one) => return one,
                None => self.ready.notified().await,
            }
        }
    }

    /// Takes all waiting notifications, for a notifier that ends.
    pub(crate) fn take(&self) -> VecDeque<Waiting> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
