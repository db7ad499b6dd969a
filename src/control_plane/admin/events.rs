//! A release's story as server-sent events: first the stored events, then each event as it happens.
//!
//! The broadcast is only a hint that makes it quick. The store is the truth. It is read first, again after
//! this stream was too slow for the broadcast, and every few seconds. So an event can be late, but never
//! lost. The sequence number keeps an event from being sent twice. An event that the store could not take
//! yet has no number (0). It is sent at once without an `id:`, and is sent again with its number when it is
//! stored.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use tokio::time::{Interval, MissedTickBehavior, interval_at};
use utoipa::ToSchema;

use crate::control_plane::controller::EventView;
use crate::control_plane::store::StoredEvent;
use crate::model::ReleaseId;

use super::path::PathOf;
use super::problem::{Kind, Problem};
use super::releases;
use super::shared::{STREAMS_MAX, Shared};
use crate::control_plane::web::serve::stopped;

/// How many events are read from the store at once.
const PAGE: usize = 256;
/// How often a comment is sent. It keeps the connection open through any proxy in between.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// The largest number that an event can have.
pub(crate) const LAST_MAX: u64 = i64::MAX.unsigned_abs();
/// How often the store is read although no event was heard.
const REREAD: Duration = Duration::from_secs(5);

/// One event of the stream.
#[derive(ToSchema)]
pub(crate) struct Sent {
    /// The event's number; events that the store could not take yet have none.
    id: Option<String>,
    /// The new state, or `note`.
    event: String,
    /// An EventView in JSON.
    data: String,
}

/// A release's events as they come
///
/// First those that are stored (after `Last-Event-ID`, if sent), then each as it happens. `event:`
/// is the new state or `note`, `id:` the sequence number, `data:` an EventView in JSON. The stream
/// ends after the event of a final state; 204 when there is nothing more to come.
#[utoipa::path(
    get, path = "/v1/releases/{id}/events", tag = "releases", operation_id = "release_events",
    params(("id" = String, Path, description = "The release's id, `<service>-<number>`")),
    responses(
        (status = 200, description = "The events", content_type = "text/event-stream", body = Sent),
        (status = 204, description = "The release has ended and all was received"),
    ),
)]
pub(crate) async fn stream(
    State(shared): State<Shared>,
    PathOf(id): PathOf<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = last_event_id(&headers)?;
    let permit = Arc::clone(&shared.streams).try_acquire_owned().map_err(|_| {
        Problem::new(
            Kind::Unavailable,
            format!("{STREAMS_MAX} event streams are open already: that is the limit"),
        )
    })?;
    // Subscribes before the store is read, so that no event falls between the two.
    let heard = shared.handle.events();
    let release = releases::find(&shared, &id).await?;
    let mut follower = Follower {
        shutdown: shared.shutdown.clone(),
        id: ReleaseId::new(id),
        shared,
        heard,
        waiting: VecDeque::new(),
        last: after.unwrap_or(0),
        read_to: after.unwrap_or(0),
        reread: reread_interval(),
        ended: false,
        unread: true,
        quiet_end: false,
        _permit: permit,
    };
    follower.read_page().await?;
    if after.is_some() && follower.waiting.is_empty() && release.state.is_final() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let events = Sse::new(follower.into_stream()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(events.into_response())
}

fn reread_interval() -> Interval {
    let mut interval = interval_at(tokio::time::Instant::now() + REREAD, REREAD);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    // The store counts in 63 bits.
    match number.and_then(|text| text.parse().ok()).filter(|number| *number <= LAST_MAX) {
        Some(number) => Ok(Some(number)),
        None => Err(Problem::new(Kind::BadRequest, "Last-Event-ID has to be the number of an event")),
    }
}

/// One open stream.
struct Follower {
    shared: Shared,
    shutdown: watch::Receiver<bool>,
    id: ReleaseId,
    heard: broadcast::Receiver<Arc<EventView>>,
    waiting: VecDeque<EventView>,
    /// The last event that was sent, or that the client says it has.
    last: u64,
    /// The number up to which the store was read.
    read_to: u64,
    reread: Interval,
    /// Whether the event of the final state was sent.
    ended: bool,
    /// Whether the store may have more events than `waiting`.
    unread: bool,
    /// The release was in a final state and the store had no new event. After a second such look the stream
    /// ends. (A crash can lose the last event of a release whose record was written.)
    quiet_end: bool,
    _permit: OwnedSemaphorePermit,
}

impl Follower {
    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        unfold(self, |mut follower| async move {
            let event = follower.next().await?;
            Some((Ok(Sent::from(&event).into()), follower))
        })
    }

    async fn next(&mut self) -> Option<EventView> {
        loop {
            while let Some(event) = self.waiting.pop_front() {
                if event.seq == 0 || event.seq > self.last {
                    self.last = event.seq.max(self.last);
                    self.ended = event.is_final();
                    return Some(event);
                }
            }
            if self.ended || *self.shutdown.borrow() {
                return None;
            }
            if self.unread {
                if self.catch_up().await {
                    return None;
                }
            } else {
                self.listen().await?;
            }
        }
    }

    /// Reads on in the store. True if the story is over without its last event.
    async fn catch_up(&mut self) -> bool {
        if let Err(problem) = self.read_page().await {
            // The broadcast still comes, and the store is read again at the next interval.
            tracing::warn!(release = %self.id, detail = problem.detail, "an event stream could not be read on");
            self.unread = false;
            return false;
        }
        if !self.waiting.is_empty() {
            return false;
        }
        let over = match releases::find(&self.shared, self.id.as_str()).await {
            Ok(release) => release.state.is_final(),
            Err(_) => false,
        };
        let was_quiet = std::mem::replace(&mut self.quiet_end, over);
        over && was_quiet
    }

    async fn read_page(&mut self) -> Result<(), Problem> {
        let page = self.shared.store.events(&self.id, self.read_to.max(self.last), PAGE).await?;
        self.unread = page.len() == PAGE;
        self.read_to = page.last().map_or(self.read_to, |event| event.seq);
        self.waiting.extend(page.iter().filter_map(view));
        Ok(())
    }

    /// Waits for the next event, or for a reason to read the store. `None` if the stream has to end.
    async fn listen(&mut self) -> Option<()> {
        tokio::select! {
            () = stopped(&mut self.shutdown) => return None,
            _ = self.reread.tick() => self.unread = true,
            heard = self.heard.recv() => match heard {
                Ok(event) if event.release == self.id.as_str() => {
                    self.quiet_end = false;
                    self.waiting.push_back(EventView::clone(&event));
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => self.unread = true,
                Err(RecvError::Closed) => return None,
            },
        }
        Some(())
    }
}

/// The view of a stored event, with the number that the store gave it. An event that can't be read is left
/// out and logged as an error.
pub(crate) fn view(stored: &StoredEvent) -> Option<EventView> {
    match serde_json::from_str::<EventView>(&stored.json) {
        Ok(event) => Some(EventView { seq: stored.seq, ..event }),
        Err(fault) => {
            tracing::error!(release = %stored.release, seq = stored.seq, %fault, "a stored event is not readable");
            None
        }
    }
}

impl From<&EventView> for Sent {
    fn from(view: &EventView) -> Self {
        Self {
            id: (view.seq > 0).then(|| view.seq.to_string()),
            // axum panics on a line break here. The name of a state never has one.
            event: if view.event.contains(['\r', '\n']) { "note".into() } else { view.event.clone() },
            data: serde_json::to_string(view).unwrap_or_default(),
        }
    }
}

impl From<Sent> for Event {
    fn from(sent: Sent) -> Self {
        let event = Self::default().event(sent.event).data(sent.data);
        match sent.id {
            Some(id) => event.id(id),
            None => event,
        }
    }
}
