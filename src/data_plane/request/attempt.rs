//! Takes a request to its answer over HTTP/1.1, attempt after attempt. [`super::retry_policy`] decides
//! which endpoints are tried, and how often.

use std::rc::Rc;
use std::time::Duration;

use crate::clock;
use crate::http1::Scheme;
use crate::routing::Protocol;

use super::affinity;
use super::answer::{Own, To};
use super::call::{Call, Request};
use super::copy_loop::CopyLoop;
use super::ending::Ending;
use super::exchange::{Exchange, ResponseSummary};
use super::record::Outcome;
use super::reply;
use super::retry_policy::{Next, RetryPolicy};
use crate::data_plane::client::after::After;
use crate::data_plane::client::connection::Connection;
use crate::data_plane::client::departure::{WaitEnd, Waiter, unless_client_gone};
use crate::data_plane::h2::{self, ConnectionNeeds};
use crate::data_plane::origin::connect::{ConnectFault, OriginConnection, connect, connect_fresh};
use crate::data_plane::origin::slot::InFlight;
use crate::data_plane::origin::stream::Stream;
use crate::data_plane::worker::connection_table::ConnectionHandle;
use crate::data_plane::worker::state::{Worker, tag};
use crate::data_plane::worker::wait::Interrupt;

/// The end of a request. It is the outcome of a response that the client got, or an answer of
/// greenlight itself that is still to be written.
type Done = Result<Outcome, Own>;

/// Serves a request, attempt after attempt. Each attempt uses the current route table.
pub(crate) async fn run(connection: &mut Connection, request: &mut Request) -> Outcome {
    let mut policy = RetryPolicy::default();
    let mut download = CopyLoop::interim();
    let done = loop {
        if let Err(done) = hold(connection, request).await {
            break done;
        }
        if request.call.permit.is_none()
            && let Err(done) = admit(connection, request).await
        {
            break done;
        }
        // The service may have been paused while the request waited for its turn.
        if request.call.is_paused() {
            continue;
        }
        match one(connection, request, &mut policy, &mut download).await {
            Some(done) => break done,
            None => request.call.take_current(&connection.worker),
        }
    };
    connection.handle.attempt(None);
    let outcome = match done {
        Ok(outcome) => outcome,
        Err(own) => {
            let complete = request.upload.is_read();
            if let Some(rest) = request.upload.abandon() {
                connection.ahead.extend_from_slice(rest.data());
            }
            let settings = &request.call.service.route.settings;
            let extra = request.call.extra();
            let to = To { extra, settings: Some(settings), ..To::request(&request.facts, complete) };
            let (after, bytes) = reply::reply(connection, &own, &to, download.unsent().to_vec()).await;
            download.sent += bytes;
            Outcome { cause: Some(own.text), ..Outcome::answered(after, own.status, 0) }
        }
    };
    Outcome {
        bytes: download.sent,
        color: policy.color,
        endpoint: policy.endpoint,
        attempts: policy.count,
        ..outcome
    }
}

/// Makes one attempt. `None` if there is to be another. There is no await between the look at the view
/// and the count in flight. So a worker that has acknowledged a table starts no attempt by an older
/// one.
async fn one(
    connection: &mut Connection,
    request: &mut Request,
    policy: &mut RetryPolicy,
    download: &mut CopyLoop,
) -> Option<Done> {
    let worker = Rc::clone(&connection.worker);
    let inflight = match policy.pick(&worker, &request.call) {
        Ok(inflight) => inflight,
        Err(own) => return Some(Err(own)),
    };
    connection.handle.attempt(Some(tag(inflight.service.key, inflight.color)));
    let connected = reach(&worker, &connection.handle, request, policy, &inflight).await;
    let OriginConnection { stream: mut upstream, reused } = match connected {
        Ok(connected) => connected,
        Err(fault) => {
            return match policy.not_connected(&worker, &request.call, &inflight, fault) {
                Next::Answer(own) => Some(Err(own)),
                Next::Again | Next::Over => None,
            };
        }
    };
    // Only now it is known which protocol the origin speaks. Some servers of HTTP/1.1 take a trailer for
    // the first line of the next request.
    let takes_trailers = !upstream.is_socket() || request.call.service.route.settings.request_trailers;
    request.upload.pass_trailers(request.facts.trailers && takes_trailers);
    if !upstream.is_socket() {
        request.upload.keep_sent();
    }
    let (ending, seen) = exchange(connection, request, policy, &inflight, &mut upstream, download).await;
    let heard = seen.map(|seen| seen.heard);
    if let (Ending::NoResponse, Some(idle), true) = (ending, reused, upstream.is_socket()) {
        slot_died(&worker, &inflight, idle);
    }
    let ending = if heard.is_none() && upstream.is_unprocessed() && request.upload.can_rewind() {
        Ending::NotProcessed
    } else {
        upstream.refusal().map_or(ending, Ending::Ours)
    };
    // If the origin has reset a stream, this was no connection that closed while it was idle.
    let reused = reused.is_some() && (ending == Ending::NotProcessed || upstream.was_lost());
    match policy.ended(&worker, &request.call, &inflight, (ending, heard, reused)) {
        Next::Again => {
            request.upload.rewind();
            None
        }
        Next::Answer(own) => Some(Err(own)),
        Next::Over => {
            if matches!(ending, Ending::Complete { reusable: true, .. }) {
                keep(&worker, request, &inflight, upstream);
            }
            Some(after(connection, request, ending, seen.as_ref()))
        }
    }
}

/// Finds or opens a connection to the endpoint, in the protocol that its service speaks.
async fn reach(
    worker: &Rc<Worker>,
    handle: &ConnectionHandle,
    request: &Request,
    policy: &RetryPolicy,
    inflight: &InFlight,
) -> Result<OriginConnection, ConnectFault> {
    let settings = &request.call.service.route.settings;
    let (wait, slot, fresh) = (settings.connect_timeout, &inflight.slot, policy.wants_fresh());
    let idle = || take_idle(worker, inflight, request);
    if settings.protocol == Protocol::Http1 {
        return if fresh {
            connect_fresh(worker, handle, slot, wait).await
        } else {
            connect(worker, handle, slot, wait, idle).await
        };
    }
    let needs = ConnectionNeeds {
        wait,
        idle_timeout: settings.pool_idle_timeout,
        trailers: request.facts.trailers,
        tunnel: request.facts.upgrade.is_some(),
        fresh,
    };
    // Boxed, so that a request to an origin of HTTP/1.1 holds no room for this.
    if settings.protocol == Protocol::H2c {
        Box::pin(h2::connect_known(worker, handle, slot, needs)).await
    } else {
        Box::pin(h2::connect_agreed(worker, handle, slot, needs, idle)).await
    }
}

async fn exchange(
    connection: &mut Connection,
    request: &mut Request,
    policy: &mut RetryPolicy,
    inflight: &InFlight,
    upstream: &mut Stream,
    download: &mut CopyLoop,
) -> (Ending, Option<ResponseSummary>) {
    let call = &request.call;
    let cookie = cookie(call, inflight, connection.peer.scheme);
    let extra = [call.extra(), cookie.as_deref().map(|cookie| ("Set-Cookie", cookie))];
    let (worker, handle, client) = connection.lend();
    let upload = &mut request.upload;
    let exchange = Exchange::new(worker, handle, &request.facts, client, upstream, upload, download, extra);
    exchange.run(inflight, |heard| policy.head_arrived(worker, call, inflight, heard)).await
}

/// The cookie that leads a client back to its endpoint, if the client does not have it yet.
fn cookie(call: &Call, inflight: &InFlight, scheme: Scheme) -> Option<String> {
    let settings = &call.service.route.settings;
    let key = inflight.slot.key;
    let new = settings.affinity && call.preview.is_none() && call.affinity != Some(key);
    new.then(|| affinity::set_cookie(key, scheme == Scheme::Https))
}

fn slot_died(worker: &Worker, inflight: &InFlight, idle: Duration) {
    inflight.slot.pool.lifetime.died(idle, worker.ticks.now());
}

/// The end of a request after its last attempt.
fn after(connection: &Connection, request: &Request, ending: Ending, seen: Option<&ResponseSummary>) -> Done {
    let over = |after, status, cause| Ok(Outcome::passed(after, status, cause));
    if let Some(seen) = seen {
        let status = Some(seen.heard.status);
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
            Ending::NoResponse
            | Ending::NotProcessed
            | Ending::Malformed
            | Ending::Late
            | Ending::Withheld
            | Ending::Ours(_)
            | Ending::Short => over(broken, status, Some("the origin's response was cut short")),
        };
    }
    match ending {
        Ending::NoResponse
        | Ending::NotProcessed
        | Ending::Complete { .. }
        | Ending::Withheld
        | Ending::Short => Err(Own::NO_RESPONSE),
        Ending::Ours(own) => Err(own),
        Ending::Malformed => Err(Own::MALFORMED),
        Ending::Late | Ending::Idle => Err(Own::RESPONSE_LATE),
        Ending::ClientGone => over(After::Close, None, Some("the client went away")),
        Ending::BadBody(fault) => Err(Own::bad_body(fault)),
        Ending::BodyTooLarge => Err(Own::BODY_TOO_LARGE),
        Ending::BodyStalled => Err(Own::LATE_BODY),
        Ending::Cut => Err(Own::CUT),
    }
}

/// Takes an idle connection that is still good, as far as can be known. It asks the system, because the
/// runtime may not know yet of unsolicited bytes, which would be taken for the answer.
fn take_idle(worker: &Worker, inflight: &InFlight, request: &Request) -> Option<OriginConnection> {
    let twice = request.call.repeatable;
    let now = clock::instant();
    loop {
        let (mut stream, idle) = inflight.slot.pool.take(now, twice)?;
        if stream.is_quiet() {
            return Some(OriginConnection { stream, reused: Some(idle) });
        }
        slot_died(worker, inflight, idle);
    }
}

fn keep(worker: &Worker, request: &Request, inflight: &InFlight, upstream: Stream) {
    if !upstream.is_socket() {
        // A stream ends with its request, and the slot's links keep its connection.
        return;
    }
    let settings = &request.call.service.route.settings;
    let max = settings.pool_idle_max.div_ceil(worker.parts.workers.max(1));
    inflight.slot.keep_idle(upstream, max, clock::instant(), settings.pool_idle_timeout);
}

/// Holds a request of a paused service until the service is resumed, for `pause_timeout` at most.
async fn hold(connection: &mut Connection, request: &mut Request) -> Result<(), Done> {
    if !request.call.is_paused() {
        return Ok(());
    }
    let worker = Rc::clone(&connection.worker);
    let waiter = Waiter::from(&*request);
    let call = &mut request.call;
    let wait = call.service.route.settings.pause_timeout;
    if wait.is_zero() {
        return Err(Err(Own::PAUSED));
    }
    connection.handle.arm(worker.ticks.after(wait));
    // Boxed, so that a request that does not wait holds no room for this.
    let (_, handle, client) = connection.lend();
    let resumed = Box::pin(unless_client_gone((&worker, handle), client, waiter, call.resumed(&worker)));
    resumed.await.map_err(|left| waited(left, Own::PAUSED))
}

/// Lets the request in. If the service limits its requests in flight, the request may wait, for
/// `queue_timeout` at most. A client that leaves gives its place up.
async fn admit(connection: &mut Connection, request: &mut Request) -> Result<(), Done> {
    let Some(waiting) = request.call.enter().map_err(Err)? else { return Ok(()) };
    let worker = Rc::clone(&connection.worker);
    connection.handle.arm(worker.ticks.after(request.call.service.route.settings.queue_timeout));
    // Boxed for the same reason as in `hold`.
    let (_, handle, client) = connection.lend();
    let turn =
        Box::pin(unless_client_gone((&worker, handle), client, Waiter::from(&*request), waiting.permit()));
    request.call.permit = turn.await.map_err(|left| waited(left, Own::FULL))?;
    request.call.take_current(&worker);
    Ok(())
}

/// The end of a request whose wait ended too early.
fn waited(left: WaitEnd, late: Own) -> Done {
    match left {
        WaitEnd::ClientGone => Ok(Outcome::passed(After::Gone, None, Some("the client went away"))),
        WaitEnd::Interrupted(Interrupt::Cut) => Err(Own::CUT),
        WaitEnd::Interrupted(Interrupt::Expired) => Err(late),
    }
}
