//! A connection to an endpoint that speaks HTTP/2, or may: a stream of a connection that has room,
//! else of a fresh one.

use std::rc::Rc;
use std::time::Duration;

use crate::data_plane::origin::connect::{self, ConnectFault, Connected, open, told};
use crate::data_plane::origin::origin_side::Offer;
use crate::data_plane::origin::slot::Slot;
use crate::data_plane::origin::stream::Stream;
use crate::data_plane::worker::seats::Seat;
use crate::data_plane::worker::state::Worker;
use crate::data_plane::worker::wait::unless_told;
use crate::http1::Scheme;

use super::link::{self, Lease, OpenFault};
use super::upstream::Upstream;

/// What a request needs of its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// How long a connect may take (0: as long as the system tries).
    pub wait: Duration,
    /// How long a connection without a stream is kept.
    pub idle_timeout: Duration,
    /// The client takes trailers.
    pub trailers: bool,
    /// It asks for a tunnel.
    pub tunnel: bool,
    /// No idle socket will do.
    pub fresh: bool,
}

impl Wanted {
    fn connected(&self, worker: &Rc<Worker>, lease: Lease, reused: bool) -> Connected {
        let upstream = Upstream::new(Rc::clone(worker), lease, self.trailers);
        // A connection that carries other requests is not idle.
        Connected { stream: Stream::Upstream(Box::new(upstream)), reused: reused.then_some(Duration::ZERO) }
    }
}

/// A stream of an endpoint that speaks HTTP/2 by prior knowledge, within the time that `wanted` gives.
/// Of several requests that need a connection one opens it and the others wait: at a switch hundreds
/// come at once. The deadline of `seat` is taken.
pub(crate) async fn connect_known(
    worker: &Rc<Worker>,
    seat: &Seat,
    slot: &Slot,
    wanted: Wanted,
) -> Result<Connected, ConnectFault> {
    let links = &slot.links;
    let mut waited = false;
    let _turn = loop {
        // A connection that goes away gives no lease. One that others have opened meanwhile is fresh.
        if (waited || !wanted.fresh)
            && let Some(lease) = links.lease(worker, wanted.idle_timeout)
        {
            return Ok(wanted.connected(worker, lease, true));
        }
        if !std::mem::replace(&mut waited, true) {
            seat.arm(worker.ticks.after(wanted.wait));
        }
        if let Some(turn) = links.turn() {
            break turn;
        }
        unless_told(seat, links.settled()).await.map_err(told)?;
    };
    let socket = open(seat, slot, Offer::Either).await?;
    if socket.is_tls() && !socket.has_agreed_on_http2() {
        // It has changed its mind.
        links.forget();
        return Ok(Connected::fresh(socket));
    }
    let lease = speak(worker, seat, slot, socket, wanted).await?;
    Ok(wanted.connected(worker, lease, false))
}

/// A connection to an endpoint that is spoken to over TLS: ALPN says what it speaks. `idle` finds an
/// idle socket of HTTP/1.1.
pub(crate) async fn connect_agreed(
    worker: &Rc<Worker>,
    seat: &Seat,
    slot: &Rc<Slot>,
    wanted: Wanted,
    idle: impl FnMut() -> Option<Connected>,
) -> Result<Connected, ConnectFault> {
    if !wanted.fresh
        && let Some(lease) = slot.links.lease(worker, wanted.idle_timeout)
    {
        return if wanted.tunnel && !lease.takes_tunnels() {
            alone(worker, seat, slot, wanted).await
        } else {
            Ok(wanted.connected(worker, lease, true))
        };
    }
    if slot.links.were_there() && !wanted.tunnel {
        return connect_known(worker, seat, slot, wanted).await;
    }
    let connected = if wanted.fresh {
        connect::connect_fresh(worker, seat, slot, wanted.wait).await?
    } else {
        connect::connect(worker, seat, slot, wanted.wait, idle).await?
    };
    if !connected.stream.has_agreed_on_http2() {
        return Ok(connected);
    }
    let lease = speak(worker, seat, slot, connected.stream, wanted).await?;
    if wanted.tunnel && !lease.takes_tunnels() {
        return alone(worker, seat, slot, wanted).await;
    }
    Ok(wanted.connected(worker, lease, false))
}

/// A connection of HTTP/1.1, for a tunnel that the origin does not take in HTTP/2 (RFC 8441, 3).
async fn alone(
    worker: &Rc<Worker>,
    seat: &Seat,
    slot: &Slot,
    wanted: Wanted,
) -> Result<Connected, ConnectFault> {
    seat.arm(worker.ticks.after(wanted.wait));
    Ok(Connected::fresh(open(seat, slot, Offer::Http1).await?))
}

/// Makes a link of a fresh socket, or finds that it can't be one.
async fn speak(
    worker: &Rc<Worker>,
    seat: &Seat,
    slot: &Slot,
    socket: Stream,
    wanted: Wanted,
) -> Result<Lease, ConnectFault> {
    let scheme = if socket.is_tls() { Scheme::Https } else { Scheme::Http };
    match link::open(worker, seat, &slot.links, (socket, scheme), wanted.idle_timeout).await {
        Ok(lease) => Ok(lease),
        // Nothing that could take the request is there.
        Err(OpenFault::Malformed) => Err(ConnectFault::Refused),
        Err(OpenFault::Interrupted(interrupt)) => Err(told(interrupt)),
    }
}
