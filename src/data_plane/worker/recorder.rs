//! What one worker counts of one color for the judge. Only this worker writes it; the control
//! plane is handed it once a second.
//!
//! An answer is counted at its head: were successes counted at their end and failures at their
//! head, a service of long responses would look sick for as long as one of them lasts. A response
//! that breaks off later is one more failure.
//!
//! Attempts that wait for a head stand in a list. While slow ones count (the latency rule of a
//! bake) the list is looked through at each handing over: an attempt is slow when tau has passed,
//! not when it ends, and counts once more in each further second, six times at most.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::clock;
use crate::judge::{
    Bucket, ClientKey, FAILURES_MAX, FailedRequest, Outcome, RouteTemplate, SLOW_REPEATS_MAX,
};

/// What the judge wants to know of a color beside its counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EvidenceSettings {
    /// tau, while slow attempts count.
    pub slow_after: Option<Duration>,
    /// Whether the first failing requests are kept.
    pub failures: bool,
}

/// Who asked for what.
#[derive(Debug)]
pub struct Asker<'a> {
    pub client: ClientKey,
    pub route: &'a RouteTemplate,
    /// `None`: there was none to send it to.
    pub endpoint: Option<SocketAddr>,
}

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The origin's, where its head was read.
    pub status: Option<u16>,
    /// `None`: the status says it all.
    pub cause: Option<&'static str>,
}

/// The counts of one color.
#[derive(Debug, Default)]
pub struct Recorder {
    bucket: RefCell<Bucket>,
    waits: RefCell<Waits>,
    settings: Cell<EvidenceSettings>,
}

/// A place in the list of those that wait for a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(u32);

/// A slab: places are taken again, so that nothing is allocated once it has grown.
#[derive(Debug, Default)]
struct Waits {
    places: Vec<Option<Wait>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Wait {
    began: Instant,
    client: ClientKey,
    route: RouteTemplate,
    endpoint: Option<SocketAddr>,
    /// How often it was counted as slow.
    counted: u32,
}

impl Recorder {
    /// What is to be counted from now on.
    pub fn configure(&self, settings: EvidenceSettings) {
        self.settings.set(settings);
    }

    /// An attempt begins: its time to first byte runs.
    pub fn begin(&self, asker: &Asker<'_>) -> Place {
        let wait = Wait {
            began: clock::instant(),
            client: asker.client,
            route: asker.route.clone(),
            endpoint: asker.endpoint,
            counted: 0,
        };
        let mut waits = self.waits.borrow_mut();
        if let Some(place) = waits.free.pop() {
            waits.places[place as usize] = Some(wait);
            return Place(place);
        }
        waits.places.push(Some(wait));
        Place(u32::try_from(waits.places.len() - 1).unwrap_or(u32::MAX))
    }

    /// It has a response head now.
    pub fn head_arrived(&self, place: Place) {
        let Some(wait) = self.waits.borrow_mut().take(place) else { return };
        let took = clock::instant().saturating_duration_since(wait.began);
        self.bucket.borrow_mut().add_times(took, 1);
        if let Some(slow_after) = self.settings.get().slow_after
            && took > slow_after
            && wait.counted == 0
        {
            self.slow(&wait, slow_after);
        }
    }

    /// It waits no more and had no head.
    pub fn leave(&self, place: Place) {
        self.waits.borrow_mut().take(place);
    }

    /// A response head that is a success as far as it goes.
    pub fn success(&self, asker: &Asker<'_>) {
        let mut bucket = self.bucket.borrow_mut();
        bucket.record(asker.client, Outcome::Success, None);
        bucket.record_route(asker.route, asker.client, Outcome::Success);
    }

    /// A failure, at its head or without one.
    pub fn failure(&self, asker: &Asker<'_>, failure: Failure) {
        let mut bucket = self.bucket.borrow_mut();
        bucket.record(asker.client, Outcome::Error, None);
        bucket.record_route(asker.route, asker.client, Outcome::Error);
        drop(bucket);
        self.keep(asker, failure);
    }

    /// A response that was counted as a success at its head has broken off.
    pub fn broken(&self, asker: &Asker<'_>, failure: Failure) {
        self.bucket.borrow_mut().record_broken(asker.route, asker.client);
        self.keep(asker, failure);
    }

    fn keep(&self, asker: &Asker<'_>, failure: Failure) {
        if !self.settings.get().failures {
            return;
        }
        self.bucket.borrow_mut().keep_failure(|| FailedRequest {
            time: clock::wall_rfc3339(),
            route: asker.route.as_str().to_owned(),
            status: failure.status,
            cause: failure.cause.map(str::to_owned),
            endpoint: asker.endpoint.map(|address| address.to_string()),
            slow: false,
        });
    }

    fn slow(&self, wait: &Wait, slow_after: Duration) {
        let mut bucket = self.bucket.borrow_mut();
        bucket.record_slow(wait.client);
        // Slow ones take half of the room at most: failures come first.
        if self.settings.get().failures && bucket.failures().len() < FAILURES_MAX / 2 {
            bucket.keep_failure(|| FailedRequest {
                time: clock::wall_rfc3339(),
                route: wait.route.as_str().to_owned(),
                status: None,
                cause: Some(format!("no response head within {} ms", slow_after.as_millis())),
                endpoint: wait.endpoint.map(|address| address.to_string()),
                slow: true,
            });
        }
    }

    /// Hands over what was counted since the last time, and counts what hangs now.
    pub fn take(&self) -> Option<Bucket> {
        self.count_waiting();
        let mut bucket = self.bucket.borrow_mut();
        if bucket.is_empty() { None } else { Some(std::mem::take(&mut *bucket)) }
    }

    /// Takes back what could not be handed over.
    pub fn give_back(&self, bucket: &Bucket) {
        self.bucket.borrow_mut().merge(bucket);
    }

    pub fn is_empty(&self) -> bool {
        self.bucket.borrow().is_empty()
    }

    fn count_waiting(&self) {
        let Some(slow_after) = self.settings.get().slow_after else { return };
        let now = clock::instant();
        for wait in self.waits.borrow_mut().places.iter_mut().flatten() {
            if now.saturating_duration_since(wait.began) <= slow_after {
                continue;
            }
            match wait.counted {
                0 => self.slow(wait, slow_after),
                1..=SLOW_REPEATS_MAX => self.bucket.borrow_mut().record_still_slow(wait.client),
                _ => continue,
            }
            wait.counted += 1;
        }
    }
}

impl Waits {
    fn take(&mut self, place: Place) -> Option<Wait> {
        let wait = self.places.get_mut(place.0 as usize)?.take();
        if wait.is_some() {
            self.free.push(place.0);
        }
        wait
    }
}
