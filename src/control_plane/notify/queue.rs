//! Notification that wait for one notifier: bounded, and the oldest gives way.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Notification, Receipt};

/// Notification of one notifier that wait; a release makes four.
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
    /// Adds news; the oldest, if that had to give way.
    pub(crate) fn push(&self, one: Waiting) -> Option<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = if waiting.len() >= WAITING_MAX { waiting.pop_front() } else { None };
        waiting.push_back(one);
        self.ready.notify_one();
        oldest
    }

    /// Takes the oldest, or waits for one. One task takes.
    pub(crate) async fn pop(&self) -> Waiting {
        loop {
            let one = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match one {
                Some(one) => return one,
                None => self.ready.notified().await,
            }
        }
    }

    /// Everything that waits, for a notifier that ends.
    pub(crate) fn take(&self) -> VecDeque<Waiting> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
