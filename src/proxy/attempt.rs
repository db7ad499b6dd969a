//! From a request to its answer: which endpoint, how often, and what the judge is told.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Poll;

use crate::judge;
use crate::model::{Color, EndpointId};
use crate::traffic::Suspect;

use super::answer::{self, Own, To};
use super::connect::{ConnectFault, Connected, connect, connect_fresh};
use super::connection::{After, Connection};
use super::exchange::{ClientSide, Ending, Exchange, Seen};
use super::lane::Lane;
use super::request::Request;
use super::slot::InFlight;
use super::stream::Stream;
use super::worker::{Worker, tag};

/// Endpoints that are tried for one request before it fails.
const ATTEMPTS_MAX: u8 = 3;

/// What came of a request, for the counts and the access log.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    pub after: After,
    /// `None`: no answer was sent, or not all of it.
    pub status: Option<u16>,
    pub bytes: u64,
    pub color: Option<Color>,
    pub endpoint: Option<SocketAddr>,
    pub attempts: u8,
    pub cause: Option<&'static str>,
}

impl Outcome {
    pub fn answered(after: After, status: u16, bytes: u64) -> Self {
        Self { after, status: Some(status), bytes, color: None, endpoint: None, attempts: 0, cause: None }
    }
}

/// The state of a request between its attempts.
#[derive(Debug, Default)]
struct Tries {
    count: u8,
    /// Endpoints that did not accept a connection.
    failed: Vec<EndpointId>,
    /// What to answer if there is no other endpoint.
    last: Option<Own>,
    /// The one replay was used: only a fresh connection will do.
    replayed: bool,
    color: Option<Color>,
    endpoint: Option<SocketAddr>,
}

/// What follows an attempt.
enum Next {
    Again,
    Answer(Own),
    Over { after: After, status: Option<u16>, cause: Option<&'static str> },
}

/// Serves a request: attempt after attempt, each with the table of its moment.
pub async fn run(connection: &mut Connection, request: &mut Request) -> Outcome {
    let mut tries = Tries::default();
    let mut download = Lane::interim();
    let next = loop {
        if request.service.route.paused && request.preview.is_none() {
            match hold(connection, request).await {
                Ok(()) => {}
                Err(next) => break next,
            }
        }
        match one(connection, request, &mut tries, &mut download).await {
            Next::Again => take_current(&connection.worker, request),
            next => break next,
        }
    };
    connection.seat.attempt(None);
    let (after, status, cause) = match next {
        Next::Over { after, status, cause } => (after, status, cause),
        Next::Again => (After::Close, None, None),
        Next::Answer(own) => {
            let to = To::request(&request.facts, request.upload.is_read(), request.extra());
            if let Some(rest) = request.upload.abandon() {
                connection.ahead.extend_from_slice(rest.data());
            }
            let (after, bytes) = answer::reply(connection, &own, &to, download.unsent().to_vec()).await;
            download.sent += bytes;
            (after, Some(own.status), Some(own.text))
        }
    };
    Outcome {
        after,
        status,
        bytes: download.sent,
        color: tries.color,
        endpoint: tries.endpoint,
        attempts: tries.count,
        cause,
    }
}

/// One attempt. From the look at the view to the count in flight there is no await: whoever has
/// acknowledged a table starts nothing by an older one.
async fn one(
    connection: &mut Connection,
    request: &mut Request,
    tries: &mut Tries,
    download: &mut Lane,
) -> Next {
    let worker = Rc::clone(&connection.worker);
    let route = &request.service.route;
    let color = request.preview.unwrap_or(route.active);
    tries.color = Some(color);
    let Some(inflight) = request.service.pick(color, worker.random(), &tries.failed) else {
        let own = tries.last.unwrap_or(Own::NO_ENDPOINT);
        if tries.last.is_none() {
            evidence(request, color, judge::Outcome::Error, None);
        }
        return Next::Answer(own);
    };
    connection.seat.attempt(Some(tag(inflight.service.key, color)));
    tries.count += 1;
    tries.endpoint = Some(inflight.slot.endpoint.address);

    let wait = request.service.route.settings.connect_timeout;
    let (seat, slot) = (&connection.seat, &inflight.slot);
    let connected = if tries.replayed {
        connect_fresh(&worker, seat, slot, wait).await
    } else {
        connect(&worker, seat, slot, wait, || take_idle(&worker, &inflight, request)).await
    };
    let Connected { stream: mut upstream, reused } = match connected {
        Ok(connected) => connected,
        Err(fault) => return not_connected(&worker, request, tries, &inflight, fault),
    };
    let (ending, seen) = exchange(connection, request, &inflight, &mut upstream, download).await;
    let stale = ending == Ending::NoResponse && reused && request.facts.is_replayable() && !tries.replayed;
    if stale && may_replay(&worker, request) {
        // The endpoint had closed a connection that it kept alive: no failure, if it answers now.
        tries.replayed = true;
        request.upload.rewind();
        worker.parts.metrics.replays.inc();
        return Next::Again;
    }
    conclude(request, color, ending, seen.as_ref());
    if ending == (Ending::Complete { reusable: true }) {
        keep(&worker, request, &inflight, upstream);
    }
    after(connection, request, ending, seen.as_ref())
}

async fn exchange(
    connection: &mut Connection,
    request: &mut Request,
    inflight: &InFlight,
    upstream: &mut Stream,
    download: &mut Lane,
) -> (Ending, Option<Seen>) {
    let extra = request.extra();
    let public = request.preview.is_none();
    let client = ClientSide {
        stream: &mut connection.stream,
        ahead: &mut connection.ahead,
        ended: &mut connection.ended,
    };
    let worker = &connection.worker;
    let counts = &inflight.service.colors[inflight.color];
    let key = request.client;
    let upload = &mut request.upload;
    let exchange =
        Exchange::new(worker, &connection.seat, &request.facts, client, upstream, upload, download, extra);
    exchange
        .run(|seen: &Seen| {
            // A failure is known at the head; whether it is a success shows at the end.
            if public && seen.failed {
                counts.evidence(key, judge::Outcome::Error, Some(seen.first_byte));
            }
        })
        .await
}

/// Tells the judge how the attempt ended, unless its head has said so already. What the client
/// did, and what we did, is no evidence about a colour.
fn conclude(request: &Request, color: Color, ending: Ending, seen: Option<&Seen>) {
    if seen.is_some_and(|seen| seen.failed) {
        return;
    }
    let first_byte = seen.map(|seen| seen.first_byte);
    match ending {
        Ending::Complete { .. } => evidence(request, color, judge::Outcome::Success, first_byte),
        Ending::NoResponse | Ending::Malformed | Ending::Late | Ending::Short => {
            evidence(request, color, judge::Outcome::Error, first_byte);
        }
        Ending::Idle
        | Ending::ClientGone
        | Ending::BadBody(_)
        | Ending::BodyTooLarge
        | Ending::BodyStalled
        | Ending::Cut => {}
    }
}

/// What the client gets.
fn after(connection: &Connection, request: &Request, ending: Ending, seen: Option<&Seen>) -> Next {
    let over = |after, status, cause| Next::Over { after, status, cause };
    if let Some(seen) = seen {
        let status = Some(seen.status);
        let broken = if seen.to_end { After::Reset } else { After::Close };
        return match ending {
            Ending::Complete { .. } if !request.upload.is_complete() => over(After::Linger, status, None),
            Ending::Complete { .. } if seen.keep && !connection.ended => over(After::Keep, status, None),
            // A client that has sent its FIN may have sent more requests before it.
            Ending::Complete { .. } if seen.keep && !connection.ahead.is_empty() => {
                over(After::Keep, status, None)
            }
            Ending::Complete { .. } => over(After::Close, status, None),
            Ending::ClientGone => over(After::Close, status, Some("the client went away")),
            Ending::Cut => over(broken, status, Some("ended by a drain")),
            Ending::BadBody(_) | Ending::BodyTooLarge | Ending::BodyStalled | Ending::Idle => {
                over(broken, status, Some("the request's body did not end well"))
            }
            Ending::NoResponse | Ending::Malformed | Ending::Late | Ending::Short => {
                over(broken, status, Some("the origin's response was cut short"))
            }
        };
    }
    match ending {
        Ending::NoResponse | Ending::Complete { .. } | Ending::Short => Next::Answer(Own::NO_RESPONSE),
        Ending::Malformed => Next::Answer(Own::MALFORMED),
        Ending::Late | Ending::Idle => Next::Answer(Own::RESPONSE_LATE),
        Ending::ClientGone => over(After::Close, None, Some("the client went away")),
        Ending::BadBody(fault) => Next::Answer(Own::bad_body(fault)),
        Ending::BodyTooLarge => Next::Answer(Own::BODY_TOO_LARGE),
        Ending::BodyStalled => Next::Answer(Own::LATE_BODY),
        Ending::Cut => Next::Answer(Own::CUT),
    }
}

/// No connection: safe to try elsewhere, since nothing was sent.
fn not_connected(
    worker: &Worker,
    request: &Request,
    tries: &mut Tries,
    inflight: &InFlight,
    fault: ConnectFault,
) -> Next {
    let own = match fault {
        ConnectFault::Refused => Own::UNREACHABLE,
        ConnectFault::TimedOut => Own::CONNECT_LATE,
        ConnectFault::Exhausted => return Next::Answer(Own::EXHAUSTED),
        ConnectFault::Cut => return Next::Answer(Own::CUT),
    };
    evidence(request, inflight.color, judge::Outcome::Error, None);
    let slot = &inflight.slot;
    if fault == ConnectFault::Refused && slot.suspicious(worker.ticks.now()) {
        // A full queue drops it: the probes find out anyway.
        let _ = worker.parts.suspects.try_send(Suspect { endpoint: slot.endpoint.id.clone() });
    }
    if tries.count >= ATTEMPTS_MAX {
        return Next::Answer(own);
    }
    tries.failed.push(slot.endpoint.id.clone());
    tries.last = Some(own);
    Next::Again
}

/// An idle connection that is still good, as far as can be told. For a request that could be
/// replayed the runtime's word is enough; for others the system is asked.
fn take_idle(worker: &Worker, inflight: &InFlight, request: &Request) -> Option<Stream> {
    let sure = !request.facts.is_replayable();
    loop {
        let mut stream = inflight.slot.take_idle(worker.ticks.now())?;
        let heard = stream.is_ready_to_read();
        if !(heard || sure) || stream.is_quiet() {
            return Some(stream);
        }
    }
}

fn keep(worker: &Worker, request: &Request, inflight: &InFlight, upstream: Stream) {
    let settings = &request.service.route.settings;
    let max = settings.pool_idle_max.div_ceil(worker.parts.workers.max(1));
    inflight.slot.keep_idle(upstream, max, settings.pool_idle_timeout, &worker.ticks);
}

fn may_replay(worker: &Worker, request: &Request) -> bool {
    let share = request.service.route.settings.retry_budget;
    request.service.cell.may_replay(worker.ticks.now(), share, worker.parts.workers)
}

fn evidence(
    request: &Request,
    color: Color,
    outcome: judge::Outcome,
    first_byte: Option<std::time::Duration>,
) {
    if request.preview.is_none() {
        request.service.cell.colors[color].evidence(request.client, outcome, first_byte);
    }
}

/// Takes the table of this moment for the next attempt. A service that has gone meanwhile is tried
/// as it was.
fn take_current(worker: &Worker, request: &mut Request) {
    worker.refresh();
    if let Some(service) = worker.view.again(&request.service) {
        request.service = service;
    }
}

/// Holds a request of a paused service until it is resumed, for `pause_timeout` at most.
async fn hold(connection: &mut Connection, request: &mut Request) -> Result<(), Next> {
    let worker = Rc::clone(&connection.worker);
    let wait = request.service.route.settings.pause_timeout;
    connection.seat.arm(worker.ticks.after(wait));
    while request.service.route.paused {
        let seen = worker.view.rebuilt();
        let held = worker.view.held();
        let changed = poll_fn(|context| {
            let signals = connection.seat.signals();
            if worker.view.rebuilt() != seen {
                Poll::Ready(Ok(()))
            } else if signals.cut() {
                Poll::Ready(Err(Own::CUT))
            } else if signals.expired() {
                Poll::Ready(Err(Own::PAUSED))
            } else {
                held.wake(context.waker());
                Poll::Pending
            }
        });
        changed.await.map_err(Next::Answer)?;
        take_current(&worker, request);
    }
    Ok(())
}
