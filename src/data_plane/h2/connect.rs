//! A connection to an endpoint that speaks HTTP/2, or may speak it. The request gets a stream of a
//! connection that has room, or else of a fresh one.

use std::rc::Rc;
use std::time::Duration;

use crate::data_plane::origin::connect::{self, ConnectFault, OriginConnection, open};
use crate::data_plane::origin::origin_side::Offer;
use crate::data_plane::origin::slot::Slot;
use crate::data_plane::origin::stream::Stream;
use crate::data_plane::worker::connection_table::ConnectionHandle;
use crate::data_plane::worker::state::Worker;
use crate::data_plane::worker::wait::unless_interrupted;
use crate::http1::Scheme;

use super::link::{self, Lease, OpenFault};
use super::origin_stream::OriginStream;

/// The needs of a request for its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionNeeds {
    /// How long a connect may take (0: as long as the system tries).
    pub wait: Duration,
    /// How long a connection without a stream is kept.
    pub idle_timeout: Duration,
    /// The client takes trailers.
    pub trailers: bool,
    /// The request asks for a tunnel.
    pub tunnel: bool,
    /// An idle socket will not do for the request.
    pub fresh: bool,
}

impl ConnectionNeeds {
    fn connected(&self, worker: &Rc<Worker>, lease: Lease, reused: bool) -> OriginConnection {
        let upstream = OriginStream::new(Rc::clone(worker), lease, self.trailers);
        // A connection that carries other requests has not been idle.
        OriginConnection {
            stream: Stream::Origin(Box::new(upstream)),
            reused: reused.then_some(Duration::ZERO),
        }
    }
}

/// A stream of an endpoint that speaks HTTP/2 by prior knowledge, or has spoken it before. It takes no
/// longer than `needs` allows. If several requests need a connection, one of them opens it and the
/// others wait, because at a switch hundreds of requests come at once. Sets the deadline of `handle`.
pub(crate) async fn connect_known(
    worker: &Rc<Worker>,
    handle: &ConnectionHandle,
    slot: &Slot,
    needs: ConnectionNeeds,
) -> Result<OriginConnection, ConnectFault> {
    let links = &slot.links;
    let mut waited = false;
    let _permit = loop {
        // A connection that is going away gives no lease. A connection that another request has opened
        // meanwhile counts as fresh.
        if (waited || !needs.fresh)
            && let Some(lease) = links.lease(worker, needs.idle_timeout)
        {
            return Ok(needs.connected(worker, lease, true));
        }
        if !std::mem::replace(&mut waited, true) {
            handle.arm(worker.ticks.after(needs.wait));
        }
        if let Some(permit) = links.try_open() {
            break permit;
        }
        unless_interrupted(handle, links.settled()).await.map_err(ConnectFault::from)?;
    };
    let socket = open(handle, slot, Offer::Either).await?;
    if socket.is_tls() && !socket.has_agreed_on_http2() {
        // The endpoint does not speak HTTP/2 any more.
        links.forget();
        return Ok(OriginConnection::fresh(socket));
    }
    let lease = speak(worker, handle, slot, socket, needs).await?;
    Ok(needs.connected(worker, lease, false))
}

/// A connection to an endpoint over TLS, where ALPN decides about the protocol. `idle` finds an idle
/// socket of HTTP/1.1.
pub(crate) async fn connect_agreed(
    worker: &Rc<Worker>,
    handle: &ConnectionHandle,
    slot: &Rc<Slot>,
    needs: ConnectionNeeds,
    idle: impl FnMut() -> Option<OriginConnection>,
) -> Result<OriginConnection, ConnectFault> {
    if !needs.fresh
        && let Some(lease) = slot.links.lease(worker, needs.idle_timeout)
    {
        return if needs.tunnel && !lease.takes_tunnels() {
            alone(worker, handle, slot, needs).await
        } else {
            Ok(needs.connected(worker, lease, true))
        };
    }
    if slot.links.were_there() && !needs.tunnel {
        return connect_known(worker, handle, slot, needs).await;
    }
    let connected = if needs.fresh {
        connect::connect_fresh(worker, handle, slot, needs.wait).await?
    } else {
        connect::connect(worker, handle, slot, needs.wait, idle).await?
    };
    if !connected.stream.has_agreed_on_http2() {
        return Ok(connected);
    }
    let lease = speak(worker, handle, slot, connected.stream, needs).await?;
    if needs.tunnel && !lease.takes_tunnels() {
        return alone(worker, handle, slot, needs).await;
    }
    Ok(needs.connected(worker, lease, false))
}

/// A connection of HTTP/1.1, for a tunnel that the origin does not take in HTTP/2 (RFC 8441, 3).
async fn alone(
    worker: &Rc<Worker>,
    handle: &ConnectionHandle,
    slot: &Slot,
    needs: ConnectionNeeds,
) -> Result<OriginConnection, ConnectFault> {
    handle.arm(worker.ticks.after(needs.wait));
    Ok(OriginConnection::fresh(open(handle, slot, Offer::Http1).await?))
}

/// Makes a link of a fresh socket, if the peer speaks HTTP/2.
async fn speak(
    worker: &Rc<Worker>,
    handle: &ConnectionHandle,
    slot: &Slot,
    socket: Stream,
    needs: ConnectionNeeds,
) -> Result<Lease, ConnectFault> {
    let scheme = if socket.is_tls() { Scheme::Https } else { Scheme::Http };
    match link::open(worker, handle, &slot.links, (socket, scheme), needs.idle_timeout).await {
        Ok(lease) => Ok(lease),
        // The endpoint has no server that could take the request.
        Err(OpenFault::Malformed) => Err(ConnectFault::Refused),
        Err(OpenFault::Interrupted(interrupt)) => Err(interrupt.into()),
    }
}
