//! The counts of one worker for one color, for the judge. Only this worker writes them. It hands them
//! to the control plane once a second.
//!
//! The recorder counts an answer at its head. If it counted successes at their end and failures at
//! their head, a service with long responses would look sick for as long as one of them lasts. A
//! response that breaks off later is one more failure.
//!
//! Attempts that wait for a head are in a list. While slow attempts count (the latency rule of a bake),
//! the recorder goes through the list each time it hands its counts over. So an attempt is slow as soon
//! as tau has passed, and not when it ends. It counts once more in each further second, six times at
//! most. An attempt stays in the list while its body comes, because a body that stands still is slow as
//! well. Such bodies are counted at all times, so that the baseline knows how many there were.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::clock;
use crate::judge::{
    Bucket, ClientKey, FAILURES_MAX, FailedRequest, Outcome, RouteTemplate, SLOW_REPEATS_MAX, STALL_AFTER_MIN,
};

/// A client gives up on a stalled body if the body has stood still for at least this time. It is the interval
/// of the looks.
const GIVE_UP_STILL_MIN: Duration = Duration::from_secs(1);

/// The evidence that the judge wants of a color beside its counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EvidenceSettings {
    /// tau, while slow attempts count; `None` while they do not.
    pub slow_after: Option<Duration>,
    /// The time without a byte of the body after which a response is slow; `None` while it does not count.
    pub stall_after: Option<Duration>,
    /// Whether the first failed requests are kept, with their details.
    pub failures: bool,
}

/// The client, the route and the endpoint of one attempt.
#[derive(Debug)]
pub struct Asker<'a> {
    /// The key of the client, by which the judge limits one client's part.
    pub client: ClientKey,
    /// Method and path with ids folded.
    pub route: &'a RouteTemplate,
    /// `None` if there was no endpoint to send the request to.
    pub endpoint: Option<SocketAddr>,
}

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The origin's status; `None` if its head was not read.
    pub status: Option<u16>,
    /// `None` if the status is explanation enough.
    pub cause: Option<&'static str>,
}

/// The counts of one worker for one color.
#[derive(Debug, Default)]
pub struct Recorder {
    bucket: RefCell<Bucket>,
    waits: RefCell<Waits>,
    settings: Cell<EvidenceSettings>,
}

/// The index of an attempt in the list of those that wait for a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(u32);

/// A slab. Free places are used again, so that it allocates nothing once it has grown.
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
    /// How often the attempt was counted as slow.
    counted: u32,
    /// The state of the response's body; `None` before the head.
    body: Option<Body>,
}

/// The progress of a response's body.
#[derive(Clone, Copy, Debug, Default)]
struct Body {
    /// Whether bytes have come since the last look.
    moved: bool,
    /// Whether the next byte has to come from the origin, and not a client or greenlight holds it up.
    due: bool,
    /// The look at which no byte had come since the look before.
    still_since: Option<Instant>,
}

impl Body {
    /// Looks whether bytes have come since the last look. Returns how long the body has stood still.
    fn look(&mut self, now: Instant) -> Duration {
        if self.moved || !self.due {
            (self.moved, self.still_since) = (false, None);
        } else if self.still_since.is_none() {
            self.still_since = Some(now);
        }
        self.still(now)
    }

    /// How long the body has stood still at least.
    fn still(&self, now: Instant) -> Duration {
        let since = self.still_since.filter(|_| self.due && !self.moved);
        since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

impl Recorder {
    /// Replaces the settings.
    pub fn configure(&self, settings: EvidenceSettings) {
        self.settings.set(settings);
    }

    /// Starts an attempt. Its time to first byte runs from now on.
    pub fn begin(&self, asker: &Asker<'_>) -> Place {
        let wait = Wait {
            began: clock::instant(),
            client: asker.client,
            route: asker.route.clone(),
            endpoint: asker.endpoint,
            counted: 0,
            body: None,
        };
        let mut waits = self.waits.borrow_mut();
        if let Some(place) = waits.free.pop() {
            waits.places[place as usize] = Some(wait);
            return Place(place);
        }
        waits.places.push(Some(wait));
        Place(u32::try_from(waits.places.len() - 1).unwrap_or(u32::MAX))
    }

    /// Counts the time to first byte of an attempt whose response head has arrived. From now on the attempt
    /// waits for its body.
    pub fn head_arrived(&self, place: Place) {
        let mut waits = self.waits.borrow_mut();
        let Some(wait) = waits.get(place).filter(|wait| wait.body.is_none()) else { return };
        wait.body = Some(Body::default());
        let took = clock::instant().saturating_duration_since(wait.began);
        self.bucket.borrow_mut().add_times(took, 1);
        if let Some(slow_after) = self.settings.get().slow_after
            && took > slow_after
            && wait.counted == 0
        {
            wait.counted = 1;
            self.slow(wait, || no_head(slow_after));
        }
    }

    /// Notes the progress of a response's body: whether bytes have `moved`, and whether the next one is `due`
    /// from the origin.
    pub fn body(&self, place: Place, moved: bool, due: bool) {
        if let Some(body) = self.waits.borrow_mut().get(place).and_then(|wait| wait.body.as_mut()) {
            body.moved |= moved;
            body.due = due;
        }
    }

    /// Ends the wait of an attempt whose client has given up. If the attempt was slow already, it counts as
    /// slow.
    pub fn given_up(&self, place: Place) {
        let Some(wait) = self.waits.borrow_mut().take(place) else { return };
        let now = clock::instant();
        let slow_after = self.settings.get().slow_after;
        if wait.counted > 0 {
            return;
        }
        let Some(body) = &wait.body else {
            if let Some(limit) = slow_after
                && now.saturating_duration_since(wait.began) > limit
            {
                self.slow(&wait, || no_head(limit));
            }
            return;
        };
        let still = body.still(now);
        if still >= slow_after.unwrap_or_default().max(GIVE_UP_STILL_MIN) {
            self.stalled(&wait, || {
                format!("the client gave up after {} ms without a byte of the body", still.as_millis())
            });
        }
    }

    /// Ends the wait of an attempt.
    pub fn leave(&self, place: Place) {
        self.waits.borrow_mut().take(place);
    }

    /// Counts a success. The response may still break off; see [`Self::broken`].
    pub fn success(&self, asker: &Asker<'_>) {
        let mut bucket = self.bucket.borrow_mut();
        bucket.record(asker.client, Outcome::Success, None);
        bucket.record_route(asker.route, asker.client, Outcome::Success);
    }

    /// Counts a failure, at the response head or without one.
    pub fn failure(&self, asker: &Asker<'_>, failure: Failure) {
        let mut bucket = self.bucket.borrow_mut();
        bucket.record(asker.client, Outcome::Error, None);
        bucket.record_route(asker.route, asker.client, Outcome::Error);
        drop(bucket);
        self.keep(asker, failure);
    }

    /// Counts the failure of a response that broke off after its head had counted as a success.
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

    /// Counts a body that stands still. While no judge watches, it counts for the baseline alone.
    fn stalled(&self, wait: &Wait, cause: impl FnOnce() -> String) {
        self.bucket.borrow_mut().stalled += 1;
        if self.settings.get().stall_after.is_some() {
            self.slow(wait, cause);
        }
    }

    fn slow(&self, wait: &Wait, cause: impl FnOnce() -> String) {
        let mut bucket = self.bucket.borrow_mut();
        bucket.record_slow(wait.client);
        // Slow attempts take at most half of the room, because failures come first.
        if self.settings.get().failures && bucket.failures().len() < FAILURES_MAX / 2 {
            bucket.keep_failure(|| FailedRequest {
                time: clock::wall_rfc3339(),
                route: wait.route.as_str().to_owned(),
                status: None,
                cause: Some(cause()),
                endpoint: wait.endpoint.map(|address| address.to_string()),
                slow: true,
            });
        }
    }

    /// Counts the attempts that are slow now. Then returns the counts since the last call; `None` if
    /// there are none.
    pub fn take(&self) -> Option<Bucket> {
        self.count_waiting();
        let mut bucket = self.bucket.borrow_mut();
        if bucket.is_empty() { None } else { Some(std::mem::take(&mut *bucket)) }
    }

    /// Takes back a bucket that could not be handed over.
    pub fn give_back(&self, bucket: &Bucket) {
        self.bucket.borrow_mut().merge(bucket);
    }

    /// Whether nothing has been counted since the last [`Self::take`].
    pub fn is_empty(&self) -> bool {
        self.bucket.borrow().is_empty()
    }

    fn count_waiting(&self) {
        let EvidenceSettings { slow_after, stall_after, .. } = self.settings.get();
        let now = clock::instant();
        for wait in self.waits.borrow_mut().places.iter_mut().flatten() {
            if let Some(body) = &mut wait.body {
                let limit = stall_after.unwrap_or(STALL_AFTER_MIN);
                if body.look(now) >= limit {
                    self.count_stalled(wait, limit);
                }
            } else if let Some(limit) = slow_after
                && now.saturating_duration_since(wait.began) > limit
            {
                match wait.counted {
                    0 => self.slow(wait, || no_head(limit)),
                    1..=SLOW_REPEATS_MAX => self.bucket.borrow_mut().record_still_slow(wait.client),
                    _ => continue,
                }
                wait.counted += 1;
            }
        }
    }

    fn count_stalled(&self, wait: &mut Wait, limit: Duration) {
        match wait.counted {
            0 => self.stalled(wait, || format!("no byte of the body for {} ms", limit.as_millis())),
            1..=SLOW_REPEATS_MAX => {
                let mut bucket = self.bucket.borrow_mut();
                bucket.stalled_repeats += 1;
                if self.settings.get().stall_after.is_some() {
                    bucket.record_still_slow(wait.client);
                }
            }
            _ => return,
        }
        wait.counted += 1;
    }
}

fn no_head(limit: Duration) -> String {
    format!("no response head within {} ms", limit.as_millis())
}

impl Waits {
    fn get(&mut self, place: Place) -> Option<&mut Wait> {
        self.places.get_mut(place.0 as usize)?.as_mut()
    }

    fn take(&mut self, place: Place) -> Option<Wait> {
        let wait = self.places.get_mut(place.0 as usize)?.take();
        if wait.is_some() {
            self.free.push(place.0);
        }
        wait
    }
}
