//! The idempotency keys of the last day, each with the answer to its request.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use tokio::sync::watch;

use crate::model::Tick;

/// How many keys are remembered. The oldest answered ones are forgotten first.
pub(crate) const KEYS_MAX: usize = 1024;
/// How long an answer is kept.
pub(crate) const KEPT: Duration = Duration::from_hours(24);

/// An answer that can be given again.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) status: axum::http::StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) type Slot = watch::Receiver<Option<Arc<Stored>>>;

#[derive(Debug)]
struct Entry {
    fingerprint: u64,
    at: Tick,
    answer: Slot,
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<String, Entry>,
    /// The keys, oldest first. It may hold keys whose entries are gone.
    order: VecDeque<(String, Tick)>,
}

/// The idempotency keys of the last day, at most [`KEYS_MAX`].
#[derive(Debug, Default)]
pub(crate) struct Memory {
    table: Mutex<Table>,
    hasher: RandomState,
}

/// The meaning of a key for the request that carries it.
pub(crate) enum KeyMeaning {
    First(watch::Sender<Option<Arc<Stored>>>, Slot),
    Again(Slot),
    Reused,
    Full,
}

impl Memory {
    /// A number for a request's condition and body. Equal ones have the same number within one process.
    pub(crate) fn fingerprint(&self, of: impl Hash) -> u64 {
        self.hasher.hash_one(of)
    }

    pub(crate) fn meaning(&self, key: &str, fingerprint: u64, now: Tick) -> KeyMeaning {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.forget_old(now);
        if let Some(entry) = table.entries.get(key) {
            return if entry.fingerprint == fingerprint {
                KeyMeaning::Again(entry.answer.clone())
            } else {
                KeyMeaning::Reused
            };
        }
        if table.entries.len() >= KEYS_MAX && !table.forget_oldest_answered() {
            return KeyMeaning::Full;
        }
        let (sender, answer) = watch::channel(None);
        table.entries.insert(key.to_owned(), Entry { fingerprint, at: now, answer: answer.clone() });
        table.order.push_back((key.to_owned(), now));
        KeyMeaning::First(sender, answer)
    }

    pub(crate) fn forget(&self, key: &str) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.entries.remove(key);
        table.order.retain(|(name, _)| name != key);
    }
}

impl Table {
    fn forget_old(&mut self, now: Tick) {
        while self.order.front().is_some_and(|(_, at)| now.since(*at) >= KEPT) {
            if let Some((key, at)) = self.order.pop_front()
                && self.entries.get(&key).is_some_and(|entry| entry.at == at)
            {
                self.entries.remove(&key);
            }
        }
    }

    fn forget_oldest_answered(&mut self) -> bool {
        let answered = self
            .order
            .iter()
            .position(|(key, _)| self.entries.get(key).is_none_or(|entry| entry.answer.borrow().is_some()));
        match answered.and_then(|index| self.order.remove(index)) {
            Some((key, _)) => {
                self.entries.remove(&key);
                true
            }
            None => false,
        }
    }
}

impl Stored {
    pub(crate) fn response(&self, replayed: bool) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        if replayed {
            response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
        }
        response
    }
}

#[cfg(test)]
mod tests;
